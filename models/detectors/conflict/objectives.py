"""`opposing_objectives`: two agents that want opposite things, each by its own declared word.

*Direct:* an intent event asks for another value of a knob than an open intent of another agent does. What two agents do to one knob by
turns is thrashing, and told as that. *Indirect:* two agents move different knobs by turns, both on one metric, and each pushes it back: the
opposition -sum(d_i d_j) / sum|d_i d_j| over consecutive moves of different agents, d being the announced direction where both announce
one, else the metric's change until the next move. Source: direct, indirect and implicit conflicts (O-RAN xApps).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import msgspec
from msgspec import UNSET

from models.configuration import Conflict
from models.detectors.conflict.case import Case, close, note, overrules, seen, sentence, sighting
from models.domain import Domain
from models.episodes import Piece, Sighting, Standing, subject_of
from models.events import Action, Intent, Read, key, ref
from models.findings import Basis, CausalEdge
from models.instants import clock_time
from models.intents import Declared, desired, open_until
from models.observers import metrics
from models.values import number, text

FORGET = 0.9  # weight of a pair of moves, to the power of how many came after it
DIRECTIONS = {"up": 1.0, "down": -1.0}

Metric = tuple[str, str]
MOST_RIVALS = 8  # newest open intents on one knob that a declared one is held against


def declared(event: Intent, domain: Domain, settings: Conflict, oldest: int) -> Iterator[Sighting]:
    """The open intents of others that ask for another value than this one. Those older than `oldest` (ns) are forgotten."""
    if event.closed or event.desired is UNSET or not event.parameter or overrules(event, settings):
        return
    if event.until is not None and event.until <= event.time:
        return
    for other in domain.intents.open(event, settings.intent_window, oldest)[-MOST_RIVALS:]:
        handoff = other.intent.handoff_to if isinstance(other, Action) and other.intent is not None else ()
        wanted = desired(other)
        if (
            wanted is not UNSET
            and not close(wanted, event.desired)
            and event.agent not in handoff
            and not overrules(other, settings)
        ):
            yield sighting(_direct(event, other, settings))


def _direct(event: Intent, other: Declared, settings: Conflict) -> Case:
    agents = sorted({event.agent, other.agent})
    knob = f"{event.resource} {event.parameter}"
    until = open_until(other, settings.intent_window)
    left = f" until {clock_time(until)}" if until is not None else ""
    return Case(
        kind="opposing_objectives",
        root=event,
        others=((other, "victim"),),
        sentence=f"{clock_time(event.time)} {event.agent} declared that {knob} should be {text(event.desired)}, while {other.agent} wants "
        f"{text(desired(other))}{left}.",
        title=f"{event.agent} and {other.agent} want different values of {knob}",
        about=(event.resource, event.parameter, *agents),
        agents=tuple(agents),
        resources=(event.resource,),
        parameters=(event.parameter,),
        score=0.5,
        severity="warning",
        confidence=0.9,
        ends=event.time + settings.hold,
    )


def opposed(event: Action, domain: Domain, settings: Conflict, standing: Callable[[str, str], Standing]) -> Iterator[Sighting]:
    """The metrics on which the event is one more move against another agent's."""
    for metric in metrics(event):
        past = domain.ledger.observers.on(metric)
        if len(past) < settings.alternations or domain.variables.is_knob(metric):
            continue  # too few, or a knob: what writers do to it is judged there
        other = next((move.agent for move in reversed(past) if move.agent != event.agent), None)
        if other is None:
            continue
        agents = sorted({event.agent, other})
        stands = standing("intent_conflict", subject_of("opposing_objectives", *metric, *agents))
        moves = [move for move in (*past, event) if move.agent in agents and key(move) > stands.since]
        if _one_knob(moves, agents):
            continue
        index, turns, told = _opposition(moves, metric)
        if turns >= settings.alternations and index >= settings.opposition:
            yield _indirect(metric, moves[-1:] if stands.open else moves, (agents[0], agents[1]), index, told, settings)


def _one_knob(moves: list[Action], agents: list[str]) -> bool:
    knobs = [{(move.resource, move.parameter) for move in moves if move.agent == agent} for agent in agents]
    return bool(knobs[0] & knobs[1])


def _opposition(moves: list[Action], metric: Metric) -> tuple[float, int, bool]:
    """The index, the number of turns that it rests on, and whether both agents told their directions."""
    announced = [_announced(move, metric) for move in moves]
    told = all(announced)
    if not told and len({move.mandate for move in moves}) < 2:
        return 0.0, 0, False
    if not told and not all(move.mandate for move in moves):
        return 0.0, 0, False
    steps = announced if told else _changes(moves, metric)
    against = total = 0.0
    turns = 0
    for (a, step), (b, after) in pairwise(zip(moves, steps, strict=False)):
        if a.agent != b.agent and step and after:
            against, total = FORGET * against - step * after, FORGET * total + abs(step * after)
            turns += 1
    return (against / total if total else 0.0), turns, told


def _announced(move: Action, metric: Metric) -> float:
    """The direction in which the move is meant to change the metric; 0 where it does not say."""
    expects = move.intent.expects if move.intent is not None else ()
    return next((DIRECTIONS.get(e.direction, 0.0) for e in expects if (e.resource, e.metric) == metric), 0.0)


def _changes(moves: list[Action], metric: Metric) -> list[float]:
    """What became of the metric after each move but the last, as the next one read it; 0 for what is within the dead band."""
    values = [next((number(read.value) for read in move.reads if _of(read, metric)), None) for move in moves]
    pairs = pairwise(values)
    return [0.0 if a is None or b is None or close(a, b) else b - a for a, b in pairs]


def _of(read: Read, metric: Metric) -> bool:
    return (read.resource, read.metric) == metric


def _indirect(
    metric: Metric, moves: list[Action], agents: tuple[str, str], index: float, told: bool, settings: Conflict
) -> Sighting:
    event, (resource, name) = moves[-1], metric
    basis: Basis = "cited" if told else "inferred"
    confidence = 0.8 if told else 0.6
    hint = "" if told else " `expects` on their actions would settle which way each wants it."
    case = Case(
        kind="opposing_objectives",
        root=event,
        others=tuple((move, "move") for move in moves[:1]),
        sentence=f"{sentence(event)[:-1]}: {agents[0]} and {agents[1]} keep moving {name} back.{hint}",
        title=f"{agents[0]} and {agents[1]} push {resource} {name} in opposite directions",
        about=(resource, name, *agents),
        agents=agents,
        resources=(resource, *sorted({move.resource for move in moves})),
        parameters=tuple(sorted({move.parameter for move in moves})),
        score=0.5,
        severity="warning",
        confidence=confidence,
        basis=basis,
        metrics={"opposition": index},
        ends=event.time + settings.hold,
    )
    pieces = [Piece(move, "move", note(move), sentence(move)) for move in moves[:-1]]
    edges = tuple(CausalEdge(ref(a), ref(b), "reacts", confidence, round((b.time - a.time) / 1e9, 3)) for a, b in pairwise(moves))
    whole = seen(case, (*pieces, Piece(event, "move", note(event), case.sentence)))
    return msgspec.structs.replace(whole, counts="moves", counted=("move",), edges=edges)
