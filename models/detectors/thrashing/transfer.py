"""Two knobs that swing against each other: a router moves load from one queue to the other and back.

A knob that thrashes is held against the other knobs that its agent wrote lately, those that set it off, and the same knob of its
neighbours: at its turning points, does the other move the other way each time? Then one finding tells of both, as kind `transfer`.
Correlation of the moves, not of the phases: on plateaus a phase wanders. Of the moves as they are, since what one gives away the other
gets, or of their logarithms, where the two have units of their own: whichever opposes more.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise

import msgspec

from models.detectors.thrashing.force import LAST
from models.detectors.thrashing.swings import Swings
from models.domain import Domain
from models.episodes import Sighting, subject_of
from models.events import Action
from models.explain import list_names
from models.graph import Node
from models.ring import KnobRing
from models.values import number
from models.variables import Name

OPPOSED = -0.8  # correlation of the moves of two knobs from which on load is moved, not changed
FEWEST = 3  # moves that went opposite ways
TURNS = 8  # newest turning points that are compared
EARLY_AND_LATE = (0.25, 0.75)  # shares of a plateau at which the other knob is looked at
COMPARED = 64  # newest writes of the other knob among which its value at those is looked for


class Pair(msgspec.Struct, frozen=True):
    """The other knob, who moved it lately, how the moves of the two correlate, and what their episode is about: the first by name."""

    other: Name
    agents: tuple[str, ...]
    opposition: float
    subject: str


def pair(node: Node, found: Swings, domain: Domain) -> Pair | None:
    """The knob that moves against this one, if there is one.

    The subject depends on the two names alone. To ask which of the two is open would tell another story after a restart, when findings are
    known that came later than what is judged again.
    """
    event = node.event
    if not found.zigzag.numeric or not isinstance(event, Action):
        return None
    mine = (event.resource, event.parameter)
    near = domain.agents.newest(event.agent, event.time - domain.settings.memory)
    for write in (node, domain.variables.newest(mine)):  # the one before may be the half that says what it answers
        if isinstance(write, Node) and write.event.time >= event.time - domain.settings.window:
            near += [link.cause.event for link in write.parents if isinstance(link.cause.event, Action)]
    names = {(write.resource, write.parameter) for write in near}
    names |= {(resource, event.parameter) for resource in domain.ledger.topology.near(event.resource, event.time)}
    extremes, best = [_extremes(found, share) for share in EARLY_AND_LATE], None
    for name in sorted(names - {mine}):
        other = domain.variables.knob(name)
        opposed = _opposition(extremes, other) if other is not None else None
        if other is not None and opposed is not None and opposed <= OPPOSED and (best is None or opposed < best.opposition):
            agents = {write.agent for write in other.actions(LAST)}
            best = Pair(name, tuple(agents), opposed, subject_of(*min(name, mine)))
    return best


def _opposition(extremes: list[list[tuple[float | None, int]]], other: KnobRing) -> float | None:
    """The weaker of the two correlations; None where one is not known. Of knobs that merely swing at the same pace, the other moves in the
    middle of this one's plateaus, and is opposed for a part of each only."""
    first = _correlation(extremes[0], other)
    second = _correlation(extremes[1], other) if first is not None and first <= OPPOSED else None
    return None if first is None or second is None else max(first, second)


def _correlation(extremes: list[tuple[float | None, int]], other: KnobRing) -> float | None:
    """Of the moves of the two knobs between this one's extremes; None where too few can be compared."""
    times, values = other.times, other.values
    begin = max(0, len(times) - COMPARED)
    if len(times) < FEWEST or not other.numeric(begin):
        return None
    known: list[tuple[float, float]] = []
    for mine, time in extremes:
        place = bisect_right(times, time, begin)
        # what stood before older ones is not known
        value = number(values[place - 1] if place > begin else other.began if len(times) < COMPARED else None)
        if mine is not None and value is not None:
            known.append((mine, value))
    against = sum([(c - a) * (d - b) < 0 for (a, b), (c, d) in pairwise(known)])
    if against < FEWEST:  # one large move apart the other does not swing. What left the memory may not count: so not by `turns`
        return None
    logs = [(_ln(mine), _ln(value)) for mine, value in known]
    return min([_cosine([(c - a, d - b) for (a, b), (c, d) in pairwise(scaled)]) for scaled in (known, logs)])


def _extremes(found: Swings, share: float) -> list[tuple[float | None, int]]:
    """The values at which this knob turned, and where it began, each with a time (ns) at which it stood there: such a share into the
    plateau, since the other may have been written just before or just after the turn."""
    turned = found.zigzag.reversals
    points = [(number(r.undone.new), r.undone.time + int(share * (r.event.time - r.undone.time))) for r in turned[-TURNS:]]
    if len(turned) >= TURNS:
        return points
    begun = found.first.time - int((1.0 - share) * (turned[0].event.time - turned[0].undone.time))
    return [(number(found.first.old), begun), *points]


def _cosine(moves: list[tuple[float, float]]) -> float:
    """-1 = always opposed, 1 = always together, 0 also where one of the two does not move. Scaled first, or squares overflow."""
    widest, other = max(abs(dx) for dx, _ in moves), max(abs(dy) for _, dy in moves)
    if not (0.0 < widest < math.inf and 0.0 < other < math.inf):
        return 0.0
    pairs = [(dx / widest, dy / other) for dx, dy in moves]
    scale = math.sqrt(sum(dx * dx for dx, _ in pairs) * sum(dy * dy for _, dy in pairs))
    return sum(dx * dy for dx, dy in pairs) / scale


def _ln(value: float) -> float:
    return math.copysign(math.log1p(abs(value)), value)


def told(sighting: Sighting, two: Pair) -> Sighting:
    """The sighting of one knob, as one of both."""
    if sighting.kind == "noise_chasing":
        return sighting
    knobs = sorted({(sighting.resources[0], sighting.parameters[0]), two.other})
    shown = " and ".join(f"{resource} {parameter}" for resource, parameter in knobs)
    agents = tuple(sorted({*sighting.agents, *two.agents}))
    return msgspec.structs.replace(
        sighting,
        kind="transfer",
        title=f"{list_names(agents)} {'move' if len(agents) > 1 else 'moves'} load back and forth between {shown}",
        agents=agents,
        resources=tuple(sorted({resource for resource, _ in knobs})),
        parameters=tuple(sorted({parameter for _, parameter in knobs})),
        metrics={**sighting.metrics, "opposition": round(two.opposition, 6)},
        missing="",
    )
