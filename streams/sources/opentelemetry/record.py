"""What waits to be put in order: spans, log records, and points of which the one before has to be known. Ids are lower-case hexadecimal.

A span is named by "<trace id>-<span id>", and so is the action that it tells of. Its time is its end: that is when it is exported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from models.foreign import Foreign
from streams.sources.opentelemetry.naming import Entity
from streams.sources.opentelemetry.values import Attributes, Json

REASON = "k8s.event.reason"  # the attribute by which the collector's k8s_events receiver says an Event's reason
NAME = "event.name"  # the attribute that said an event's name before log records had a field for it
SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5  # kinds of spans; 1 is internal


class Note(msgspec.Struct, frozen=True, gc=False):
    """A span event: something that was said within a span."""

    time: int  # ns since 1970
    name: str
    attributes: Attributes


class Span(Foreign, frozen=True, kw_only=True, gc=False):
    """One operation. `id` is its name."""

    entity: Entity
    parent: str  # the parent's name; "" for a root
    name: str
    kind: int
    start: int  # ns since 1970
    attributes: Attributes
    failed: bool
    message: str  # why it failed
    links: tuple[str, ...]  # names of spans
    notes: tuple[Note, ...]


class Line(Foreign, frozen=True, kw_only=True, gc=False):
    """One log record. `span` is the name of the span it was written in, or ""."""

    entity: Entity
    span: str
    name: str  # event name
    severity: int  # 1-24; 13 is WARN, 17 ERROR, 21 FATAL
    body: Json
    attributes: Attributes


Bounds: TypeAlias = tuple[tuple[float, float], ...]  # lower and upper, of ascending buckets


class Series(msgspec.Struct, frozen=True):
    """How the samples of one series are named."""

    source: str
    resource: str
    metric: str
    suffix: str  # the attributes, behind what is appended to the name
    unit: str
    role: str
    identity: str  # begins the samples' ids


class Point(Foreign, frozen=True, kw_only=True, gc=False):
    """A point of a cumulative series, which `id` names with its source: what it counted since `start`."""

    series: Series
    start: int
    value: float  # a sum; of a histogram the sum of its observations
    count: int = -1  # observations; -1 where it is a plain sum
    bounds: Bounds = ()
    buckets: Sequence[int] = ()  # observations in each; an array, since there are many points of many buckets
    traceparent: str = ""  # of an exemplar
