"""A write that undoes what another agent declared it would hold, inside the window of that intent.

`override`, or `intent_read_as_fault` where the writer acted on the very effect that the holder had announced, or that its action caused.
Not one: what the holder handed over, a step of one rollout, what is acknowledged, a reason that may overrule; and justified rollbacks,
which are remarks (`justification.py`). Source: declared desired state with an owner (Kubernetes server-side apply).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET, UnsetType

from models.configuration import Conflict
from models.detectors.conflict.case import Case, close, overrules, sighting
from models.detectors.conflict.justification import weighed
from models.domain import Domain
from models.episodes import Sighting
from models.events import Action, Expectation, Read, Transition, Value, key
from models.explain import deed
from models.findings import Basis
from models.graph import Node
from models.instants import clock_time
from models.intents import Declared, acknowledges, desired, open_until, reason, released
from models.remarks import Remark
from models.values import text

GRAVE = ("freeze", "failover", "maintenance", "incident")
CAUSED = 0.5  # least probability that a transition came from the holder's action


def judge(
    node: Node, event: Action, intent: Declared, current: Action | None, domain: Domain, settings: Conflict
) -> Iterator[Sighting | Remark]:
    """`intent` is another agent's, open on the event's knob; `current` is the knob's last write."""
    if released(intent, event) or (overrules(event, settings) and not overrules(intent, settings)):
        return
    writes = domain.variables.actions((event.resource, event.parameter))
    if not _undoes(event, intent, _stood(intent, writes, current)) or _closed_here(intent, writes, current):
        return
    found = weighed(node, event, intent, domain, settings)
    if found.rollback is not None:
        yield found.rollback
        return
    effect = _caused(node, intent) if not found.hits else None
    yield sighting(_case(event, intent, found.hits, found.unknown, effect, settings))


def _case(
    event: Action,
    intent: Declared,
    hits: list[tuple[Expectation, Read]],
    unknown: bool,
    effect: tuple[Transition, float] | None,
    settings: Conflict,
) -> Case:
    wanted, why, until = desired(intent), reason(intent), open_until(intent, settings.intent_window)
    fault = bool(hits) or effect is not None
    confidence, hint = 0.9, ""
    basis: Basis = "certificate"
    acted = ""
    if hits:
        basis, metric = "cited", hits[0][0].metric
        acted = f" It acted on {metric}, which {intent.agent} had announced."
        if unknown:
            confidence = 0.8
            hint = f" What {metric} was before, in {intent.agent}'s `reads`, would settle whether the effect went beyond that."
    elif effect is not None:
        basis, confidence = "cited", min(0.9, effect[1])
        acted = f" It acted on {effect[0].metric} of {effect[0].resource}, which {intent.agent}'s own action had changed."
    elif isinstance(intent, Action) and intent.intent is not None and intent.intent.expects and not event.reads:
        hint = " Its `reads` would settle whether it took the announced effect for a fault."
    if event.new is UNSET:
        confidence = min(confidence, 0.7)
        hint += " A `new` value would settle whether it left what was held."
    left = f" until {clock_time(until)}" if until is not None else ""
    at = f" at {text(wanted)}" if wanted is not UNSET else ""
    holds = f"{intent.agent} holds {event.resource} {event.parameter}{at}{f' ({why})' if why else ''}{left}"
    agents = sorted({event.agent, intent.agent})
    grave = fault or why in GRAVE
    return Case(
        kind="intent_read_as_fault" if fault else "override",
        root=event,
        others=((intent, "victim"),),
        sentence=f"{clock_time(event.time)} {deed(event)}, while {holds}.{acted}{hint}",
        title=f"{event.agent} overrode {intent.agent}'s {_named(why)} on {event.resource} {event.parameter}",
        about=(event.resource, event.parameter, *agents),
        agents=tuple(agents),
        resources=(event.resource,),
        parameters=(event.parameter,),
        score=0.8 if grave else 0.6,
        severity="error" if grave else "warning",
        confidence=confidence,
        basis=basis,
        metrics={"window_left_s": (until - event.time) / 1e9 if until is not None else 0.0},
        ends=event.time + settings.hold,
    )


def _named(why: str) -> str:
    """One word, such as a failover, is overridden by its name; a description stands beside it."""
    return f"intent ({why})" if " " in why else why or "intent"


def _undoes(event: Action, intent: Declared, stood: Value | UnsetType) -> bool:
    """Back to what the intent's action had replaced, or away from what the holder wants."""
    wanted = desired(intent)
    replaced = intent.old if isinstance(intent, Action) else UNSET
    if replaced is not UNSET and close(event.new, replaced):
        return True
    return not close(event.new, wanted) if wanted is not UNSET else stood is UNSET or not close(event.new, stood)


def _closed_here(intent: Declared, writes: list[Action], current: Action | None) -> bool:
    """An intent about all of a resource is over on the one knob that somebody wrote in knowledge of it, as long as that write is known."""
    if intent.parameter != "":
        return False  # of these the last word counts
    known = writes or ([current] if current is not None else [])
    return any(acknowledges(write, intent) for write in known)


def _stood(intent: Declared, writes: list[Action], current: Action | None) -> Value | UnsetType:
    """What the knob held when the intent was declared: by the last write before, by what the first one after it found, or as it is."""
    after = next((i for i, write in enumerate(writes) if key(write) > key(intent)), None)
    if after is None or (after == 0 and writes[0].old is UNSET):
        return current.new if current is not None else UNSET
    return writes[after - 1].new if after else writes[0].old


def _caused(node: Node, intent: Declared) -> tuple[Transition, float] | None:
    """A transition that the writer read or names, and that the holder's action caused: with the probability of both."""
    for link in node.parents:
        effect = link.cause.event
        if not isinstance(effect, Transition):
            continue
        for up in link.cause.parents:
            if key(up.cause.event) == key(intent) and up.probability >= CAUSED:
                return effect, link.probability * up.probability
    return None
