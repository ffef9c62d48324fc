"""One case of a conflict, as every rule states it: who did what against whom, and how sure that is; and when nothing is one.

The event itself is the last piece. Where a field that the event lacks would settle the case, `sure` says so and lowers the confidence.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

import msgspec

from models.configuration import Conflict
from models.episodes import Piece, Sighting, subject_of
from models.events import Action, Event, Intent, Transition, Value, Verdict, key, ref
from models.explain import change, event_told, lasting, told
from models.findings import Basis, CausalEdge, Root, Severity
from models.instants import clock_time
from models.intents import desired, reason
from models.values import distance, text

DEADBAND = 0.1  # values that differ by less are the same
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule found. `root` is the event that goes against `others`, which came before it or declared it."""

    kind: str
    root: Action | Intent
    others: tuple[tuple[Event, str], ...]  # with their roles
    sentence: str
    title: str
    about: tuple[str, ...]  # what the episode is about, besides the kind
    agents: tuple[str, ...]
    resources: tuple[str, ...]
    parameters: tuple[str, ...]
    score: float
    severity: Severity
    confidence: float
    basis: Basis = "certificate"
    metrics: dict[str, float] = {}
    ends: int


def sighting(case: Case) -> Sighting:
    """The sighting of a case whose root is the event being judged."""
    event = case.root
    before = [(other, role) for other, role in case.others if key(other) < key(event)]
    pieces = [Piece(other, role, note(other), sentence(other)) for other, role in sorted(before, key=lambda item: key(item[0]))]
    return seen(case, (*pieces, Piece(event, "root", note(event), case.sentence)))


def seen(case: Case, pieces: tuple[Piece, ...]) -> Sighting:
    """The sighting of a case with these pieces, the event being judged last."""
    event = case.root
    lag = round((event.time - case.others[0][0].time) / 1e9, 3)
    return Sighting(
        pattern="intent_conflict",
        kind=case.kind,
        subject=subject_of(case.kind, *case.about),
        pieces=pieces,
        counts="violations",
        counted=("root",),
        title=case.title,
        agents=tuple(sorted(set(case.agents))),
        resources=tuple(sorted(set(case.resources))),
        parameters=tuple(sorted(set(case.parameters))),
        roots=(Root(ref(event), event.resource, event.agent, round(case.confidence, 6)),),
        edges=tuple(_edge(other, event, case.confidence) for other, _ in case.others),
        severity=case.severity,
        score=case.score,
        confidence=case.confidence,
        basis=case.basis,
        metrics={"lag_s": lag, **case.metrics},
        ends=case.ends,
    )


def _edge(other: Event, event: Event, confidence: float) -> CausalEdge:
    relation = "affects" if isinstance(other, Verdict) else "overwrites"
    return CausalEdge(ref(other), ref(event), relation, round(confidence, 6), round((event.time - other.time) / 1e9, 3))  # type: ignore[arg-type]


def close(a: object, b: object) -> bool:
    """Whether two values of a knob are the same for all purposes here."""
    return distance(a, b) < DEADBAND  # type: ignore[arg-type]


def acknowledged(event: Action, other: Event) -> bool:
    """Whether the writer says that it knows of the other event, or that it acts because of it."""
    names = (other.id, ref(other))
    return any(name in event.acknowledges or name in event.causes for name in names)


def overrules(event: Action | Intent, settings: Conflict) -> bool:
    """Whether it goes knowingly against whatever stands: its reason is one of those that the configuration lets overrule."""
    rule = event.why.rule if isinstance(event, Action) and event.why is not None else ""
    return reason(event) in settings.overruling or rule in settings.overruling


def lag_text(event: Event, other: Event) -> str:
    """ "14 s", "2 h 5 min": how long after the other."""
    return lasting(event.time - other.time)


def shown(value: Value) -> str:
    """A name for a sentence, shortened."""
    return text(value)


def note(event: Event) -> str:
    """What the evidence of one event says."""
    if isinstance(event, Action):
        return change(event)
    if isinstance(event, Intent):
        return f"intent: {reason(event) or text(desired(event))}"
    if isinstance(event, Verdict):
        return f"{event.verdict} {event.rollout}"
    return f"{text(event.before)} -> {text(event.after)}" if isinstance(event, Transition) else event.id


def sentence(event: Event) -> str:
    """The sentence about one event."""
    if isinstance(event, Action):
        return told(event)
    if isinstance(event, Intent):
        what = f"{event.resource} {event.parameter}".strip()
        wish = "be " + text(event.desired) if event.desired is not msgspec.UNSET else "stay as it is"
        return f"{clock_time(event.time)} {event.agent} declared that {what} should {wish} ({event.reason or 'no reason given'})."
    if isinstance(event, Verdict):
        payload = f" ({event.payload})" if event.payload not in ("", event.rollout) else ""
        return f"{clock_time(event.time)} {event.agent} said {event.verdict} to {event.rollout}{payload} on {event.resource}."
    return event_told(event)
