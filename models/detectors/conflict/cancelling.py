"""`intent_read_as_fault` across knobs: a writer takes the effect that another agent had announced for a fault, and cancels it elsewhere.

It saw that very effect (by a read, or as its cause), inside the window of the intent, and by its own declared intent sends it back the
other way with another knob: a failover announces that the load in one region rises, and a load shedder, which read that load, announces
that it falls. On the same knob `override.py` decides. Justified, and then a remark: see `justification.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from models.configuration import Conflict
from models.detectors.conflict.case import Case, close, lag_text, overrules, sighting
from models.detectors.conflict.justification import weighed
from models.domain import Domain
from models.episodes import Sighting
from models.events import Action, Expectation, Transition, key
from models.explain import deed
from models.graph import Node
from models.instants import clock_time
from models.intents import announced_effects, open_until, reason, released
from models.remarks import Remark

OPPOSITE = {"up": "down", "down": "up"}
MOST_HOLDERS = 8  # newest intents that announced one effect


def judge(node: Node, event: Action, domain: Domain, settings: Conflict, oldest: int) -> Iterator[Sighting | Remark]:
    """One case for each open intent on another knob whose announced effect the event read and sends back."""
    current = domain.variables.current((event.resource, event.parameter), oldest)
    if event.new is not UNSET and close(event.new, current.new if current is not None else event.old):
        return  # nothing changes, so nothing is cancelled
    seen: set[str] = set()
    for effect in sorted(announced_effects(event)):
        for intent in domain.intents.expecting(effect, event, settings.intent_window, oldest, MOST_HOLDERS):
            hit = _cancelled(node, event, intent, effect)
            if hit is None or intent.agent in seen or released(intent, event):
                continue
            if overrules(event, settings) and not overrules(intent, settings):
                continue
            seen.add(intent.agent)
            found = weighed(node, event, intent, domain, settings)
            if found.rollback is not None:
                yield found.rollback
                return
            yield sighting(_case(event, intent, hit, found.unknown, settings))


def _cancelled(node: Node, event: Action, intent: Action, effect: tuple[str, str]) -> Expectation | None:
    """The announced effect, where the writer had seen it (read it, or names a change of it as its cause) and wants the opposite."""
    wanted = {e.direction for e in event.intent.expects if (e.resource, e.metric) == effect} if event.intent is not None else set()
    clause = intent.intent
    for expected in clause.expects if clause is not None else ():
        opposed = (expected.resource, expected.metric) == effect and OPPOSITE.get(expected.direction) in wanted
        if opposed and (_read(event, intent, effect) or _caused(node, intent, effect)):
            return expected
    return None


def _read(event: Action, intent: Action, effect: tuple[str, str]) -> bool:
    reads = (read for read in event.reads if (read.resource, read.metric) == effect)
    return any(read.time is None or read.time >= intent.time for read in reads)


def _caused(node: Node, intent: Action, effect: tuple[str, str]) -> bool:
    changes = (link.cause.event for link in node.parents)
    return any(
        isinstance(change, Transition) and (change.resource, change.metric) == effect and key(change) > key(intent)
        for change in changes
    )


def _case(event: Action, intent: Action, expected: Expectation, unknown: bool, settings: Conflict) -> Case:
    until = open_until(intent, settings.intent_window)
    agents = sorted({event.agent, intent.agent})
    effect = f"{expected.resource} {expected.metric}"
    why = reason(intent)
    hint = (
        f" What {expected.metric} was before, in {intent.agent}'s `reads`, would settle whether it went beyond that."
        if unknown
        else ""
    )
    return Case(
        kind="intent_read_as_fault",
        root=event,
        others=((intent, "victim"),),
        sentence=f"{clock_time(event.time)} {deed(event)} to move {effect} {OPPOSITE[expected.direction]}, after it had seen it: "
        f"{intent.agent} had announced {lag_text(event, intent)} before{f' ({why})' if why else ''} that it would go "
        f"{expected.direction}.{hint}",
        title=f"{event.agent} took {intent.agent}'s announced change of {effect} for a fault",
        about=("cancelled", expected.resource, expected.metric, *agents),
        agents=tuple(agents),
        resources=(event.resource, intent.resource),
        parameters=(event.parameter, intent.parameter),
        score=0.8,
        severity="error",
        confidence=0.8 if unknown else 0.9,
        basis="cited",
        metrics={"window_left_s": (until - event.time) / 1e9 if until is not None else 0.0},
        ends=event.time + settings.hold,
    )
