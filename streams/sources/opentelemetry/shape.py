"""OTLP 1.x as structs: the fields that are read, under their names in opentelemetry-proto. JSON is decoded into these as it is.

A message of protobuf has the same attributes (`protobuf`), so the rest of the package reads either alike. What differs is how a field is
written: ids are bytes there and hexadecimal here, 64-bit numbers are texts in JSON, attributes stay encoded in both. `fields` and
`values` level that.
Source: opentelemetry-proto 1.x, https://opentelemetry.io/docs/specs/otlp/. Unknown fields are ignored, as the specification asks.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Identifier: TypeAlias = str  # hexadecimal in JSON; bytes where the message is protobuf's
Whole: TypeAlias = int | str  # 64-bit integers are texts in JSON
Real: TypeAlias = float | str  # "NaN", "Infinity", "-Infinity"
Word: TypeAlias = int | str  # an enumeration, by number or by name
Encoded: TypeAlias = msgspec.Raw | bytes
NOTHING = msgspec.Raw(b"")


class Shape(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One message."""


class Link(Shape, frozen=True, gc=False):
    """Another span that this one names."""

    trace_id: Identifier = ""
    span_id: Identifier = ""


class SpanEvent(Shape, frozen=True, gc=False):
    """Something that happened within a span."""

    time_unix_nano: Whole = 0
    name: str = ""
    attributes: tuple[msgspec.Raw, ...] = ()


class Status(Shape, frozen=True, gc=False):
    """How a span ended."""

    message: str = ""
    code: Word = 0


class Span(Shape, frozen=True, gc=False):
    """One operation of one service."""

    trace_id: Identifier = ""
    span_id: Identifier = ""
    parent_span_id: Identifier = ""
    name: str = ""
    kind: Word = 0
    start_time_unix_nano: Whole = 0
    end_time_unix_nano: Whole = 0
    attributes: tuple[msgspec.Raw, ...] = ()
    events: tuple[SpanEvent, ...] = ()
    links: tuple[Link, ...] = ()
    status: Status = Status()


class ScopeSpans(Shape, frozen=True, gc=False):
    """The spans of one instrumentation."""

    spans: tuple[Span, ...] = ()


class ResourceSpans(Shape, frozen=True, gc=False):
    """The spans of one process."""

    resource: msgspec.Raw = NOTHING
    scope_spans: tuple[ScopeSpans, ...] = ()


class LogRecord(Shape, frozen=True, gc=False):
    """One line of a log, or one event."""

    time_unix_nano: Whole = 0
    observed_time_unix_nano: Whole = 0
    severity_number: Word = 0
    severity_text: str = ""
    body: msgspec.Raw = NOTHING
    attributes: tuple[msgspec.Raw, ...] = ()
    trace_id: Identifier = ""
    span_id: Identifier = ""
    event_name: str = ""


class ScopeLogs(Shape, frozen=True, gc=False):
    """The log records of one instrumentation."""

    log_records: tuple[LogRecord, ...] = ()


class ResourceLogs(Shape, frozen=True, gc=False):
    """The log records of one process."""

    resource: msgspec.Raw = NOTHING
    scope_logs: tuple[ScopeLogs, ...] = ()


class Exemplar(Shape, frozen=True, gc=False):
    """A measurement that stands for others, with the span it was made in."""

    trace_id: Identifier = ""
    span_id: Identifier = ""


class Buckets(Shape, frozen=True, gc=False):
    """Counts of an exponential histogram's side, from index `offset` on."""

    offset: int = 0
    bucket_counts: msgspec.Raw = NOTHING


class Quantile(Shape, frozen=True, gc=False):
    """One quantile of a summary."""

    quantile: Real = 0.0
    value: Real = 0.0


class DataPoint(Shape, frozen=True, gc=False):
    """One point of any kind of metric: each kind has its own fields of these."""

    start_time_unix_nano: Whole = 0
    time_unix_nano: Whole = 0
    attributes: tuple[msgspec.Raw, ...] = ()
    flags: int = 0
    exemplars: tuple[Exemplar, ...] = ()
    as_double: Real | None = None
    as_int: Whole | None = None
    count: Whole = 0
    sum: Real | None = None
    bucket_counts: msgspec.Raw = NOTHING  # a list of Whole in JSON, as in Buckets
    explicit_bounds: msgspec.Raw = NOTHING  # a list of Real in JSON
    scale: int = 0
    zero_count: Whole = 0
    positive: Buckets = Buckets()
    negative: Buckets = Buckets()
    quantile_values: tuple[Quantile, ...] = ()


class Data(Shape, frozen=True, gc=False):
    """The points of a metric."""

    data_points: tuple[DataPoint, ...] = ()
    aggregation_temporality: Word = 0
    is_monotonic: bool = False


class Metric(Shape, frozen=True, gc=False):
    """One metric: exactly one of the kinds is there."""

    name: str = ""
    unit: str = ""
    gauge: Data | None = None
    sum: Data | None = None
    histogram: Data | None = None
    exponential_histogram: Data | None = None
    summary: Data | None = None


class ScopeMetrics(Shape, frozen=True, gc=False):
    """The metrics of one instrumentation."""

    scope: msgspec.Raw = NOTHING
    metrics: tuple[Metric, ...] = ()


class ResourceMetrics(Shape, frozen=True, gc=False):
    """The metrics of one process."""

    resource: msgspec.Raw = NOTHING
    scope_metrics: tuple[ScopeMetrics, ...] = ()


class Request(Shape, frozen=True, gc=False):
    """What a record or a line holds: an export request, of which one field is there."""

    resource_spans: tuple[ResourceSpans, ...] = ()
    resource_metrics: tuple[ResourceMetrics, ...] = ()
    resource_logs: tuple[ResourceLogs, ...] = ()
