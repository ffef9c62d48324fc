"""OTLP in protobuf, by descriptors made here: the messages of `shape` with their numbers in opentelemetry-proto, no generated code.

Attributes, bodies and resources are declared as bytes. On the wire that is the same, and what repeats from span to span (nearly all
attributes do) is then looked up by its bytes instead of being decoded again.

A text that is no UTF-8 costs no more than its bad bytes: Go's exporters do not look, and some errors are cut within a letter.

Nothing in a record says whether it holds spans, metrics or log records: all three begin with field 1. So the first items are tried.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TypeAlias, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from streams.sources.opentelemetry.shape import Request

TRIED = 16  # items, at most, to find out what they are
SIGNALS = ("traces", "metrics", "logs")

_Field: TypeAlias = "tuple[int, str, str]"  # number, name, type; "*" repeated, "?" with presence, "|" in the message's oneof
_TIMES: tuple[_Field, ...] = ((2, "start_time_unix_nano", "fixed64"), (3, "time_unix_nano", "fixed64"))
_MESSAGES: dict[str, tuple[_Field, ...]] = {
    "Link": ((1, "trace_id", "bytes"), (2, "span_id", "bytes")),
    "SpanEvent": ((1, "time_unix_nano", "fixed64"), (2, "name", "string"), (3, "attributes", "bytes*")),
    "Status": ((2, "message", "string"), (3, "code", "int32")),
    "Span": (
        (1, "trace_id", "bytes"),
        (2, "span_id", "bytes"),
        (4, "parent_span_id", "bytes"),
        (5, "name", "string"),
        (6, "kind", "int32"),
        (7, "start_time_unix_nano", "fixed64"),
        (8, "end_time_unix_nano", "fixed64"),
        (9, "attributes", "bytes*"),
        (11, "events", "SpanEvent*"),
        (13, "links", "Link*"),
        (15, "status", "Status"),
    ),
    "ScopeSpans": ((2, "spans", "Span*"),),
    "ResourceSpans": ((1, "resource", "bytes"), (2, "scope_spans", "ScopeSpans*")),
    "Traces": ((1, "resource_spans", "ResourceSpans*"),),
    "LogRecord": (
        (1, "time_unix_nano", "fixed64"),
        (2, "severity_number", "int32"),
        (3, "severity_text", "string"),
        (5, "body", "bytes"),
        (6, "attributes", "bytes*"),
        (9, "trace_id", "bytes"),
        (10, "span_id", "bytes"),
        (11, "observed_time_unix_nano", "fixed64"),
        (12, "event_name", "string"),
    ),
    "ScopeLogs": ((2, "log_records", "LogRecord*"),),
    "ResourceLogs": ((1, "resource", "bytes"), (2, "scope_logs", "ScopeLogs*")),
    "Logs": ((1, "resource_logs", "ResourceLogs*"),),
    "Exemplar": ((4, "span_id", "bytes"), (5, "trace_id", "bytes")),
    "Buckets": ((1, "offset", "sint32"), (2, "bucket_counts", "uint64*")),
    "Quantile": ((1, "quantile", "double"), (2, "value", "double")),
    "NumberPoint": (
        *_TIMES,
        (4, "as_double", "double|"),
        (5, "exemplars", "Exemplar*"),
        (6, "as_int", "sfixed64|"),
        (7, "attributes", "bytes*"),
        (8, "flags", "uint32"),
    ),
    "HistogramPoint": (
        *_TIMES,
        (4, "count", "fixed64"),
        (5, "sum", "double?"),
        (6, "bucket_counts", "fixed64*"),
        (7, "explicit_bounds", "double*"),
        (8, "exemplars", "Exemplar*"),
        (9, "attributes", "bytes*"),
        (10, "flags", "uint32"),
    ),
    "ExponentialPoint": (
        (1, "attributes", "bytes*"),
        *_TIMES,
        (4, "count", "fixed64"),
        (5, "sum", "double?"),
        (6, "scale", "sint32"),
        (7, "zero_count", "fixed64"),
        (8, "positive", "Buckets"),
        (9, "negative", "Buckets"),
        (10, "flags", "uint32"),
        (11, "exemplars", "Exemplar*"),
    ),
    "SummaryPoint": (
        *_TIMES,
        (4, "count", "fixed64"),
        (5, "sum", "double"),
        (6, "quantile_values", "Quantile*"),
        (7, "attributes", "bytes*"),
        (8, "flags", "uint32"),
    ),
    "Gauge": ((1, "data_points", "NumberPoint*"),),
    "Sum": ((1, "data_points", "NumberPoint*"), (2, "aggregation_temporality", "int32"), (3, "is_monotonic", "bool")),
    "Histogram": ((1, "data_points", "HistogramPoint*"), (2, "aggregation_temporality", "int32")),
    "Exponential": ((1, "data_points", "ExponentialPoint*"), (2, "aggregation_temporality", "int32")),
    "Summary": ((1, "data_points", "SummaryPoint*"),),
    "Metric": (
        (1, "name", "string"),
        (3, "unit", "string"),
        (5, "gauge", "Gauge|"),
        (7, "sum", "Sum|"),
        (9, "histogram", "Histogram|"),
        (10, "exponential_histogram", "Exponential|"),
        (11, "summary", "Summary|"),
    ),
    "ScopeMetrics": ((1, "scope", "bytes"), (2, "metrics", "Metric*")),
    "ResourceMetrics": ((1, "resource", "bytes"), (2, "scope_metrics", "ScopeMetrics*")),
    "Metrics": ((1, "resource_metrics", "ResourceMetrics*"),),
    "ArrayValue": ((1, "values", "AnyValue*"),),
    "KeyValueList": ((1, "values", "KeyValue*"),),
    "AnyValue": (
        (1, "string_value", "string|"),
        (2, "bool_value", "bool|"),
        (3, "int_value", "int64|"),
        (4, "double_value", "double|"),
        (5, "array_value", "ArrayValue|"),
        (6, "kvlist_value", "KeyValueList|"),
        (7, "bytes_value", "bytes|"),
    ),
    "KeyValue": ((1, "key", "string"), (2, "value", "AnyValue")),
    "Resource": ((1, "attributes", "bytes*"),),
    "Scope": ((1, "name", "string"), (2, "version", "string"), (3, "attributes", "bytes*")),
    "ScopeItems": ((2, "items", "bytes*"),),  # any of the three, to find out which
    "ResourceItems": ((2, "scopes", "ScopeItems*"),),
    "Items": ((1, "resources", "ResourceItems*"),),
}
_PACKAGE = "interplay.otlp"


def _file(syntax: str) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="interplay/otlp.proto", package=_PACKAGE, syntax=syntax)
    kinds = descriptor_pb2.FieldDescriptorProto
    for message, fields in _MESSAGES.items():
        descriptor = file.message_type.add(name=message)
        for number, name, form in fields:
            kind = form.rstrip("*?|")
            field = descriptor.field.add(name=name, number=number)
            field.label = kinds.LABEL_REPEATED if form.endswith("*") else kinds.LABEL_OPTIONAL
            if kind in _MESSAGES:
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = getattr(kinds, f"TYPE_{kind.upper()}")
            if form.endswith(("?", "|")):
                if not descriptor.oneof_decl:
                    descriptor.oneof_decl.add(name="data")
                field.oneof_index = 0
    return file


def _pool(syntax: str) -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file(syntax))
    return pool


_strict, _lenient = _pool("proto3"), _pool("proto2")  # proto2 lets any bytes pass as a text


def message_class(name: str, pool: descriptor_pool.DescriptorPool = _strict) -> type[Message]:
    """The class of one message of the table."""
    made: type[Message] = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
    return made


def reader(name: str) -> Callable[[bytes], Message]:
    """What parses one message of the table. It raises DecodeError."""
    strict, lenient = message_class(name), message_class(name, _lenient)

    def read(raw: bytes) -> Message:
        try:
            return strict.FromString(raw)
        except DecodeError:
            message = lenient.FromString(raw)
            _mend(message)
            return strict.FromString(message.SerializeToString())

    return read


def _mend(message: Message) -> None:
    """Replaces what is no UTF-8 in its texts, as Python replaces it."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for inner in (value,) if isinstance(value, Message) else value:
                _mend(inner)
        elif field.type == field.TYPE_STRING and isinstance(value, bytes):
            setattr(message, field.name, value.decode(errors="replace"))


_REQUESTS = {"traces": reader("Traces"), "metrics": reader("Metrics"), "logs": reader("Logs")}
_ITEMS = message_class("Items")
_SPAN, _METRIC, _LOG = (message_class(name, _lenient) for name in ("Span", "Metric", "LogRecord"))


def parse(value: bytes) -> tuple[str, Request]:
    """(one of SIGNALS, the request). Raises DecodeError on what is no request."""
    kind = signal_of(value)
    return kind, cast(Request, _REQUESTS[kind](value))


def signal_of(value: bytes) -> str:
    """Which of SIGNALS a request holds, by the first item that can be told. A request without items is as good as any other: "logs"."""
    resources = _ITEMS.FromString(value).resources
    if value and not resources:
        raise DecodeError("no field 1, with which every export request begins")
    first = list(islice((item for resource in resources for scope in resource.scopes for item in scope.items), TRIED))
    for item in first:
        if signal := _signal_of_item(item):
            return signal
    if first:
        raise DecodeError("the first items are neither spans nor metrics nor log records")
    return "logs"


def _signal_of_item(item: bytes) -> str:
    span = _tried(_SPAN, item)
    if len(span.trace_id) == 16 and len(span.span_id) == 8 and span.end_time_unix_nano:
        return "traces"
    metric = _tried(_METRIC, item)
    if metric.name and metric.WhichOneof("data"):
        return "metrics"
    log = _tried(_LOG, item)
    return "logs" if log.time_unix_nano or log.observed_time_unix_nano else ""


def _tried(message: type[Message], item: bytes) -> Message:
    """The item as such a message, an empty one where it is none."""
    try:
        return message.FromString(item)
    except DecodeError:
        return message()
