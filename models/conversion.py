"""From the outside form of an event to ours: times become integers, lists tuples, and absent stays apart from null.

An integer that 64 bits do not hold becomes a float; one that a float does not hold either is rejected. A NUL is a character like any
other. `Rejected` is raised for what the types alone cannot say.
"""

from __future__ import annotations

from typing import TypedDict

from msgspec import UNSET, UnsetType

from models import wire
from models.events import (
    Action,
    Alternative,
    AnyEvent,
    Clause,
    Condition,
    Constraint,
    Dependency,
    Expectation,
    Intent,
    Read,
    Sample,
    Scalar,
    Transition,
    Value,
    Verdict,
    Version,
    Why,
)
from models.instants import parse_time
from models.rejection import Rejected

_INTEGERS = 1 << 63
PROSE = 1000  # characters of free text that are kept


def converted(event: wire.WireEvent) -> AnyEvent:
    """Our struct for a decoded event. Raises Rejected."""
    if isinstance(event, wire.SampleEvent):  # first, since there are a thousand of them for each of the others
        return _sample(event)
    if isinstance(event, wire.ActionEvent):
        return _action(event)
    if isinstance(event, wire.TransitionEvent):
        return _transition(event)
    if isinstance(event, wire.DependencyEvent):
        return _dependency(event)
    if isinstance(event, wire.IntentEvent):
        return _intent(event)
    d = event.data
    return Verdict(**_shared(event), agent=d.agent, rollout=d.rollout, verdict=d.verdict, payload=d.payload)


class _Shared(TypedDict):
    time: int
    source: str
    id: str
    domain: str
    resource: str
    causes: tuple[str, ...]
    traceparent: str


def _shared(e: wire.WireEvent) -> _Shared:
    causes = e.causationid
    return {
        "time": _time(e.time, "time"),
        "source": e.source,
        "id": e.id,
        "domain": e.domain or "default",
        "resource": e.subject,
        "causes": ((causes,) if causes else ()) if isinstance(causes, str) else tuple(causes),
        "traceparent": e.traceparent,
    }


def _sample(e: wire.SampleEvent) -> Sample:
    d = e.data
    return Sample(
        time=_time(e.time, "time"),
        source=e.source,
        id=e.id,
        domain=e.domain or "default",
        resource=e.subject,
        metric=d.metric,
        value=d.value,
        unit=d.unit,
        role=d.role,
    )


def _action(e: wire.ActionEvent) -> Action:
    d = e.data
    return Action(
        **_shared(e),
        agent=d.agent,
        verb=d.verb,
        parameter=d.parameter or d.verb,
        mandate=d.mandate[:PROSE],
        old=_maybe_value(d.old, "data.old"),
        new=_maybe_value(d.new, "data.new"),
        version=_version(d.version, "data.version"),
        outcome=d.outcome,
        owner=d.owner,
        reads=tuple(_read(r, f"data.reads[{i}]") for i, r in enumerate(d.reads)) if d.reads else (),
        constraints=tuple(Constraint(c.name, c.priority, _value(c.value, "data.constraints")) for c in d.constraints)
        if d.constraints
        else (),
        why=None if d.why is None else Why(d.why.rule[:PROSE], d.why.text[:PROSE]),
        alternatives=tuple(Alternative(a.verb, a.reason_rejected[:PROSE]) for a in d.alternatives) if d.alternatives else (),
        intent=None if d.intent is None else _clause(d.intent),
        acknowledges=tuple(d.acknowledges),
        deletes=tuple(d.deletes),
        rollout=d.rollout,
    )


def _read(r: wire.ReadData, path: str) -> Read:
    return Read(
        r.resource,
        r.metric,
        _maybe_value(r.value, f"{path}.value"),
        _maybe_time(r.time, f"{path}.time"),
        _version(r.version, f"{path}.version"),
    )


def _clause(c: wire.ClauseData) -> Clause:
    return Clause(
        until=_maybe_time(c.until, "data.intent.until"),
        expects=tuple(Expectation(x.resource, x.metric, x.direction, x.max_ratio) for x in c.expects),
        abort_if=tuple(Condition(x.resource, x.metric, x.op, _value(x.value, "data.intent.abort_if")) for x in c.abort_if),
        reason=c.reason,
        handoff_to=tuple(c.handoff_to),
    )


def _transition(e: wire.TransitionEvent) -> Transition:
    d = e.data
    return Transition(
        **_shared(e),
        metric=d.metric,
        before=_value(d.before, "data.from"),
        after=_value(d.after, "data.to"),
        severity=d.severity,
        text=d.text[:PROSE],
        slo=d.slo,
    )


def _dependency(e: wire.DependencyEvent) -> Dependency:
    d = e.data
    return Dependency(
        **_shared(e),
        dependent=d.dependent,
        dependency=d.dependency,
        relation=d.relation,
        weight=d.weight,
        until=_maybe_time(d.until, "data.until"),
        removed=d.removed,
    )


def _intent(e: wire.IntentEvent) -> Intent:
    d = e.data
    return Intent(
        **_shared(e),
        agent=d.agent,
        parameter=d.parameter,
        desired=_maybe_value(d.desired, "data.desired"),
        until=_maybe_time(d.until, "data.until"),
        reason=d.reason,
        closed=d.closed,
    )


def _time(text: str, path: str) -> int:
    try:
        return parse_time(text)
    except ValueError as error:
        reason = "time_out_of_range" if "1970-2262" in str(error) else "bad_time"
        raise Rejected(reason, path, str(error)) from None


def _maybe_time(text: str | None, path: str) -> int | None:
    return None if text is None else _time(text, path)


def _maybe_value(value: wire.Wire | UnsetType, path: str) -> Value | UnsetType:
    return UNSET if isinstance(value, UnsetType) else _value(value, path)


def _value(value: wire.Wire, path: str) -> Value:
    return tuple(_scalar(member, path) for member in value) if isinstance(value, list) else _scalar(value, path)


def _scalar(value: Scalar, path: str) -> Scalar:
    return _number(value, path) if isinstance(value, int) and not -_INTEGERS <= value < _INTEGERS else value


def _version(value: Version, path: str) -> Version:
    return _number(value, path) if isinstance(value, int) and not -_INTEGERS <= value < _INTEGERS else value


def _number(value: int, path: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise Rejected("wrong_type", path, "a number beyond what a float holds") from None
