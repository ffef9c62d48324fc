"""CloudEvents JSON to events, or the reason why not. Pure, and never raises on bad input.

    decode_event(b'{"specversion": "1.0", "id": "a1", ...}')  ->  Action | ... | Rejection

Reasons are few and stable, since they label a counter and a header of the dead letter: `not_json`, `too_deep`, `not_cloudevents`,
`unknown_type`, `missing_field`, `wrong_type`, `bad_time`, `time_out_of_range`; in batches `batch_not_array`; from the source `too_large`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
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
    Transition,
    Value,
    Verdict,
    Version,
    Why,
)
from models.instants import parse_time

T = TypeVar("T")


class Rejection(msgspec.Struct, frozen=True):
    """Why a record is no event: a stable reason, the field (such as `data.reads[0].resource`), and a sentence for people."""

    reason: str
    path: str
    detail: str


class _Bad(Exception):
    """A rejection on its way out."""

    def __init__(self, reason: str, path: str, detail: str) -> None:
        self.rejection = Rejection(reason, path, detail)


_envelope = msgspec.json.Decoder(wire.Envelope).decode
_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.S)
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_INTEGERS = 1 << 63  # beyond it a number is kept as a float


def decode_event(raw: bytes | memoryview | msgspec.Raw) -> AnyEvent | Rejection:
    """One CloudEvents object in structured mode."""
    try:
        return _event(raw)
    except _Bad as bad:
        return bad.rejection


def decode_batch(raw: bytes) -> list[AnyEvent | Rejection]:
    """A JSON array of CloudEvents; only the bad elements are rejected, each with its place in the path."""
    try:
        elements = _guarded(_array, raw, "")
    except _Bad as bad:
        reason = "batch_not_array" if bad.rejection.reason in ("wrong_type", "not_cloudevents") else bad.rejection.reason
        return [Rejection(reason, bad.rejection.path, bad.rejection.detail)]
    out: list[AnyEvent | Rejection] = []
    for i, element in enumerate(elements):
        event = decode_event(element)
        if isinstance(event, Rejection):
            event = Rejection(event.reason, f"[{i}]" + (f".{event.path}" if event.path else ""), event.detail)
        out.append(event)
    return out


def decode_binary(attributes: Mapping[str, str], data: bytes) -> AnyEvent | Rejection:
    """Binary mode: attributes without their `ce_` prefix, the data as JSON."""
    try:
        return _typed(_converted(attributes), data or b"null")
    except _Bad as bad:
        return bad.rejection


def _converted(attributes: Mapping[str, str]) -> wire.Envelope:
    fields: dict[str, object] = dict(attributes)
    if attributes.get("causationid", "").startswith("["):  # header values are text: a list comes as JSON
        fields["causationid"] = _guarded(msgspec.json.decode, attributes["causationid"].encode(), "causationid")
    return _guarded(lambda given: msgspec.convert(given, wire.Envelope), {**fields, "data": msgspec.Raw(b"")}, "")


def _guarded(decode: Callable[..., T], raw: object, prefix: str) -> T:
    """Runs a decoder; its errors become rejections with the field's path from the event's root."""
    try:
        return decode(raw)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), prefix) from None
    except msgspec.DecodeError as error:
        raise _Bad("not_json", prefix, f"not JSON: {error}") from None
    except UnicodeDecodeError as error:
        raise _Bad("not_json", prefix, f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise _Bad("too_deep", prefix, "nested more deeply than any event") from None


def _invalid(message: str, prefix: str) -> _Bad:
    match = _PATH.match(message)
    what = match["what"] if match else message
    path = prefix + ((match["path"] or "") if match else "")
    missing = _MISSING.match(what)
    if missing:
        field = f"{path}.{missing[1]}".lstrip(".")
        if field == "specversion":
            return _Bad("not_cloudevents", field, "not a CloudEvents object: `specversion` is missing")
        return _Bad("missing_field", field, f"`{field}` is required")
    path = path.lstrip(".")
    if path in ("", "specversion"):
        return _Bad("not_cloudevents", path, f"not a CloudEvents 1.0 object: {what}")
    if "length >= 1" in what:
        return _Bad("missing_field", path, f"`{path}` must not be empty")
    return _Bad("wrong_type", path, what)


def _event(raw: object) -> AnyEvent:
    envelope = _guarded(_envelope, raw, "")
    return _typed(envelope, envelope.data)


def _typed(envelope: wire.Envelope, data: object) -> AnyEvent:
    make = _TYPES.get(envelope.type)
    if make is None:
        raise _Bad("unknown_type", "type", f"unknown type {envelope.type[:80]!r}; known are {', '.join(_TYPES)}")
    if not envelope.subject and envelope.type != "interplay.dependency.v1":
        raise _Bad("missing_field", "subject", "`subject` is required: the resource acted on or described")
    if not bytes(data) if isinstance(data, msgspec.Raw) else not data:
        raise _Bad("missing_field", "data", "`data` is required")
    return make(envelope, data)


def _time(text: str, path: str) -> int:
    try:
        return parse_time(text)
    except ValueError as error:
        reason = "time_out_of_range" if "1970-2262" in str(error) else "bad_time"
        raise _Bad(reason, path, str(error)) from None


def _maybe_time(text: str | None, path: str) -> int | None:
    return None if text is None else _time(text, path)


def _value(value: wire.Wire | UnsetType) -> Value | UnsetType:
    if isinstance(value, list):
        return tuple(_member(member) for member in value)
    return value if value is UNSET else _member(value)


def _member(value: int | float | str | bool | None) -> int | float | str | bool | None:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _INTEGERS else value


def _plain(value: wire.Wire) -> Value:
    converted = _value(value)
    return None if isinstance(converted, UnsetType) else converted


def _version(value: Version) -> Version:
    return float(value) if isinstance(value, int) and abs(value) >= _INTEGERS else value


def _attributes(e: wire.Envelope) -> dict[str, object]:
    causes = e.causationid
    given: dict[str, object] = {"time": _time(e.time, "time"), "source": e.source, "id": e.id, "resource": e.subject}
    if e.domain and e.domain != "default":
        given["domain"] = e.domain
    if causes:
        given["causes"] = (causes,) if isinstance(causes, str) else tuple(causes)
    if e.traceparent:
        given["traceparent"] = e.traceparent
    return given


_action = msgspec.json.Decoder(wire.ActionData).decode
_sample = msgspec.json.Decoder(wire.SampleData).decode
_transition = msgspec.json.Decoder(wire.TransitionData).decode
_dependency = msgspec.json.Decoder(wire.DependencyData).decode
_intent = msgspec.json.Decoder(wire.IntentData).decode
_verdict = msgspec.json.Decoder(wire.VerdictData).decode


def _reads(reads: list[wire.ReadData]) -> tuple[Read, ...]:
    return tuple(
        Read(r.resource, r.metric, _value(r.value), _maybe_time(r.time, f"data.reads[{i}].time"), _version(r.version))
        for i, r in enumerate(reads)
    )


def _clause(c: wire.ClauseData) -> Clause:
    return Clause(
        until=_maybe_time(c.until, "data.intent.until"),
        expects=tuple(Expectation(x.resource, x.metric, x.direction, x.max_ratio) for x in c.expects),
        abort_if=tuple(Condition(x.resource, x.metric, x.op, _plain(x.value)) for x in c.abort_if),
        reason=c.reason,
        handoff_to=tuple(c.handoff_to),
    )


def _make_action(e: wire.Envelope, data: object) -> Action:
    d = _guarded(_action, data, "data")
    return Action(
        **_attributes(e),  # type: ignore[arg-type]
        agent=d.agent,
        verb=d.verb,
        parameter=d.parameter or d.verb,
        mandate=d.mandate,
        old=_value(d.old),
        new=_value(d.new),
        version=_version(d.version),
        outcome=d.outcome,
        owner=d.owner,
        reads=_reads(d.reads) if d.reads else (),
        constraints=tuple(Constraint(x.name, x.priority, _plain(x.value)) for x in d.constraints) if d.constraints else (),
        why=Why(d.why.rule, d.why.text) if d.why is not None else None,
        alternatives=tuple(Alternative(x.verb, x.reason_rejected) for x in d.alternatives) if d.alternatives else (),
        intent=_clause(d.intent) if d.intent is not None else None,
        acknowledges=tuple(d.acknowledges),
        deletes=tuple(d.deletes),
        rollout=d.rollout,
    )


def _make_sample(e: wire.Envelope, data: object) -> Sample:
    d = _guarded(_sample, data, "data")
    return Sample(
        time=_time(e.time, "time"), source=e.source, id=e.id, domain=e.domain or "default", resource=e.subject,
        metric=d.metric, value=d.value, unit=d.unit, role=d.role,
    )  # fmt: skip


def _make_transition(e: wire.Envelope, data: object) -> Transition:
    d = _guarded(_transition, data, "data")
    return Transition(
        **_attributes(e), metric=d.metric, before=_plain(d.before), after=_plain(d.after),  # type: ignore[arg-type]
        severity=d.severity, text=d.text, slo=d.slo,
    )  # fmt: skip


def _make_dependency(e: wire.Envelope, data: object) -> Dependency:
    d = _guarded(_dependency, data, "data")
    return Dependency(
        **_attributes(e),  # type: ignore[arg-type]
        dependent=d.dependent,
        dependency=d.dependency,
        relation=d.relation,
        weight=d.weight,
        until=_maybe_time(d.until, "data.until"),
        removed=d.removed,
    )


def _make_intent(e: wire.Envelope, data: object) -> Intent:
    d = _guarded(_intent, data, "data")
    return Intent(
        **_attributes(e),  # type: ignore[arg-type]
        agent=d.agent,
        parameter=d.parameter,
        desired=_value(d.desired),
        until=_maybe_time(d.until, "data.until"),
        reason=d.reason,
        closed=d.closed,
    )


def _make_verdict(e: wire.Envelope, data: object) -> Verdict:
    d = _guarded(_verdict, data, "data")
    return Verdict(**_attributes(e), agent=d.agent, rollout=d.rollout, verdict=d.verdict, payload=d.payload)  # type: ignore[arg-type]


_TYPES: dict[str, Callable[[wire.Envelope, object], AnyEvent]] = {
    "interplay.action.v1": _make_action,
    "interplay.sample.v1": _make_sample,
    "interplay.transition.v1": _make_transition,
    "interplay.dependency.v1": _make_dependency,
    "interplay.intent.v1": _make_intent,
    "interplay.verdict.v1": _make_verdict,
}
