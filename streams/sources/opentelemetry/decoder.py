"""One record of OTLP, protobuf or JSON, as spans, log records and metrics with their process: the same from either encoding.

    Decoder("prod").decode(b'{"resourceSpans": [...]}')  ->  [Span, ..., Rejection]

JSON begins with `{`, protobuf never does. A bad item is refused alone, with its place; a record that cannot be parsed, as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import NamedTuple, TypeAlias
from zlib import crc32

import msgspec
from google.protobuf.message import DecodeError

from models.foreign import Place
from models.instants import EARLIEST, LATEST
from models.rejection import Rejected, Rejection, clipped, explained
from streams.sources.opentelemetry.fields import NO_ID, enumeration, moment, span_name
from streams.sources.opentelemetry.naming import Entity, entity_of, text
from streams.sources.opentelemetry.protobuf import SIGNALS, parse
from streams.sources.opentelemetry.record import NAME, REASON, Line, Note, Span
from streams.sources.opentelemetry.shape import (
    Encoded,
    LogRecord,
    Metric,
    Request,
    ResourceLogs,
    ResourceMetrics,
    ResourceSpans,
)
from streams.sources.opentelemetry.shape import Span as SpanShape
from streams.sources.opentelemetry.values import JsonValues, ProtobufValues, Values
from streams.sources.secrets import written

BAD = (DecodeError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError, Rejected)
ENTITIES = 2_000  # processes whose names are remembered
_JSON = re.compile(rb'\s*\{\s*"resource(Spans|Metrics|Logs)"')
_KINDS = enumeration("SPAN_KIND_", {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5})
_CODES = enumeration("STATUS_CODE_", {"UNSET": 0, "OK": 1, "ERROR": 2})
_LEVELS = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
_SEVERITIES = enumeration(
    "SEVERITY_NUMBER_",
    {f"{name}{number or ''}": first + max(number - 1, 0) for name, first in _LEVELS.items() for number in (0, 2, 3, 4)},
)
_TEXTS = {**_LEVELS, "WARNING": 13, "ERR": 17, "SEVERE": 17, "CRITICAL": 21, "PANIC": 21}  # of severities that have no number
_OTHERS = (
    (b"\x1f\x8b", "it is compressed with gzip; let Kafka compress instead (producer.compression)"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd; let Kafka compress instead (producer.compression)"),
    (b"\x00\x00", "it has a schema registry's number, or a length, before it; write it without"),
    (b"[", "it is a JSON array, such as Zipkin's spans; set the encoding otlp_json"),
    (b"\xef\xbb\xbf", "it begins with a byte order mark"),
)
_IN_ATTRIBUTES = REASON.encode(), NAME.encode()  # what makes an event of a log record, besides its own fields
_request = msgspec.json.Decoder(Request).decode
_encode = msgspec.json.Encoder(order="deterministic").encode


class Measured(NamedTuple):
    """A metric with its process, still in its encoding's shape. `stream` is a hash of the process's attributes and the instrumentation:
    two that differ there count each by itself, whatever they are called."""

    entity: Entity
    stream: str
    metric: Metric
    values: Values
    path: str


Item = Span | Line | Measured | Rejection
Tells: TypeAlias = Callable[[str, int], bool]


def recognised(line: bytes) -> bool:
    """Whether what begins so is OTLP in JSON."""
    return _JSON.match(line) is not None


class Decoder:
    """Of one partition or file; it remembers the attributes and processes that came before.

    `tells` answers whether a log record of this event name and severity can become anything; the rest, most of any log, is not decoded."""

    def __init__(self, cluster: str, tells: Tells = lambda name, severity: True) -> None:
        self.cluster = cluster
        self.passed_over = 0  # log records that can tell nothing
        self._tells = tells
        self._protobuf, self._json = ProtobufValues(), JsonValues()
        self._entities: dict[bytes, Entity] = {}
        self._streams: dict[tuple[bytes, bytes], str] = {}

    def decode(self, value: bytes, place: Place = None) -> list[Item]:
        """The items of one record. Never raises."""
        try:
            request, values, kinds = self._parsed(value)
        except DecodeError as error:
            return [Rejection("not_otlp", "", clipped(f"neither OTLP protobuf nor OTLP JSON: {_looks(value) or error}"))]
        except BAD as error:
            return [error.rejection if isinstance(error, Rejected) else _named(explained(error))]
        found: list[Item] = []
        if "traces" in kinds:
            for number, spans in enumerate(request.resource_spans):
                found += self._spans(spans, values, place, f"resourceSpans[{number}]")
        if "metrics" in kinds:
            for number, metrics in enumerate(request.resource_metrics):
                found += self._metrics(metrics, values, f"resourceMetrics[{number}]")
        if "logs" in kinds:
            all_tell = any(name in value for name in _IN_ATTRIBUTES)  # those of one: which has to be decoded to know
            for number, logs in enumerate(request.resource_logs):
                found += self._logs(logs, values, place, f"resourceLogs[{number}]", all_tell)
        return found

    def _parsed(self, value: bytes) -> tuple[Request, Values, tuple[str, ...]]:
        if value.lstrip()[:1] == b"{":
            request = _request(value)
            if not recognised(value) and value.strip() != b"{}" and request == Request():
                raise Rejected("not_otlp", "", "a JSON object without resourceSpans, resourceMetrics and resourceLogs")
            return request, self._json, SIGNALS
        kind, request = parse(value)
        return request, self._protobuf, (kind,)

    def _entity(self, raw: Encoded, values: Values) -> Entity:
        encoded = bytes(raw)
        entity = self._entities.get(encoded)
        if entity is None:
            if len(self._entities) >= ENTITIES:
                self._entities.clear()
            entity = self._entities[encoded] = entity_of(values.resource(encoded), self.cluster)
        return entity

    def _spans(self, group: ResourceSpans, values: Values, place: Place, path: str) -> Iterator[Item]:
        try:
            entity = self._entity(group.resource, values)
        except BAD as error:
            yield refused(error, f"{path}.resource")
            return
        for part, scope in enumerate(group.scope_spans):
            for number, span in enumerate(scope.spans):
                try:
                    yield _span(span, entity, values, place)
                except BAD as error:
                    yield refused(error, f"{path}.scopeSpans[{part}].spans[{number}]")

    def _logs(self, group: ResourceLogs, values: Values, place: Place, path: str, all_tell: bool) -> Iterator[Item]:
        """Those that can tell something, and of the others the newest: it says how far this log is known."""
        try:
            entity = self._entity(group.resource, values)
        except BAD as error:
            yield refused(error, f"{path}.resource")
            return
        newest, last, where = 0, None, ""
        for part, scope in enumerate(group.scope_logs):
            for number, record in enumerate(scope.log_records):
                try:
                    time = record.time_unix_nano
                    time = moment(time if time and time != "0" else record.observed_time_unix_nano, "timeUnixNano")
                    severity = _SEVERITIES.get(record.severity_number, 0) or _TEXTS.get(record.severity_text.upper(), 0)
                    if all_tell or self._tells(record.event_name, severity):
                        yield _line(record, time, severity, entity, values, place)
                        continue
                    self.passed_over += 1
                    if time > newest:
                        newest, last, where = time, record, f"{path}.scopeLogs[{part}].logRecords[{number}]"
                except BAD as error:
                    yield refused(error, f"{path}.scopeLogs[{part}].logRecords[{number}]")
        if last is not None:
            self.passed_over -= 1
            try:
                yield _line(last, newest, 0, entity, values, place)
            except BAD as error:
                yield refused(error, where)

    def _metrics(self, group: ResourceMetrics, values: Values, path: str) -> Iterator[Item]:
        try:
            entity = self._entity(group.resource, values)
        except BAD as error:
            yield refused(error, f"{path}.resource")
            return
        for part, scope in enumerate(group.scope_metrics):
            try:
                stream = self._stream(entity, group.resource, scope.scope, values)
            except BAD as error:
                yield refused(error, f"{path}.scopeMetrics[{part}].scope")
                continue
            for number, metric in enumerate(scope.metrics):
                yield Measured(entity, stream, metric, values, f"{path}.scopeMetrics[{part}].metrics[{number}]")

    def _stream(self, entity: Entity, resource: Encoded, scope: Encoded, values: Values) -> str:
        encoded = bytes(resource), bytes(scope)
        stream = self._streams.get(encoded)
        if stream is None:
            if len(self._streams) >= ENTITIES:
                self._streams.clear()
            said = written((entity.attributes, values.scope(scope)))
            stream = self._streams[encoded] = blake2b(said, digest_size=8).hexdigest()
        return stream


def _looks(value: bytes) -> str:
    """What else a record seems to be, and what to do; "" where that is not to be seen."""
    return next((what for head, what in _OTHERS if value.startswith(head)), "")


def _named(rejection: Rejection) -> Rejection:
    """The decoder's words are about CloudEvents; here an object is no export request."""
    if rejection.reason != "not_cloudevents":
        return rejection
    return Rejection("not_otlp", rejection.path, "no OTLP export request")


def refused(error: Exception, path: str) -> Rejection:
    """Why one item is left out, with its place."""
    if isinstance(error, Rejected):
        inner = error.rejection
        return Rejection(inner.reason, f"{path}.{inner.path}".rstrip("."), inner.detail)
    return Rejection("wrong_type", path, clipped(f"cannot be read: {error}"))


def _span(span: SpanShape, entity: Entity, values: Values, place: Place) -> Span:
    parent_id = span.parent_span_id
    name = span_name(span.trace_id, span.span_id)
    end, start = span.end_time_unix_nano, span.start_time_unix_nano
    if not (isinstance(end, int) and EARLIEST < end < LATEST):
        end = moment(end, "endTimeUnixNano")
    if not (isinstance(start, int) and EARLIEST < start < LATEST):
        start = moment(start, "startTimeUnixNano")
    status = span.status
    failed = _CODES.get(status.code) == 2
    notes: tuple[Note, ...] = ()
    links: tuple[str, ...] = ()
    if span.events:
        notes = tuple(
            Note(
                time=moment(event.time_unix_nano, f"events[{i}].timeUnixNano"),
                name=event.name,
                attributes=values.attributes(event.attributes),
            )
            for i, event in enumerate(span.events)
        )
    if span.links:
        links = tuple(
            span_name(link.trace_id, link.span_id, f"links[{i}].traceId", f"links[{i}].spanId")
            for i, link in enumerate(span.links)
            if link.span_id and link.span_id not in NO_ID  # some links have nothing but attributes
        )
    return Span(
        time=end,
        source=entity.source,
        id=name,
        place=place,
        entity=entity,
        parent=span_name(span.trace_id, parent_id, "traceId", "parentSpanId") if parent_id and parent_id not in NO_ID else "",
        name=span.name,
        kind=_KINDS.get(span.kind, 0),
        start=start if start < end else end,
        attributes=values.attributes(span.attributes),
        failed=failed,
        message=status.message if failed else "",
        links=links,
        notes=notes,
    )


def _line(record: LogRecord, time: int, severity: int, entity: Entity, values: Values, place: Place) -> Line:
    body, attributes = values.value(record.body), values.attributes(record.attributes)
    span, span_id = "", record.span_id
    if span_id and record.trace_id and not (span_id in NO_ID or record.trace_id in NO_ID):
        span = span_name(record.trace_id, span_id)
    content = _encode((severity, record.event_name, span, body, attributes))
    return Line(
        time=time,
        source=entity.source,
        id="log-%d-%08x" % (time, crc32(content)),  # noqa: UP031 - a third faster
        place=place,
        entity=entity,
        span=span,
        name=record.event_name or text(attributes.get(NAME)),
        severity=severity,
        body=body,
        attributes=attributes,
    )
