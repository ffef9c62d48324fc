"""Metrics as samples. A gauge is what it says; what counts (sums, histograms) is told as its rate per second over the interval.

    gauge, cumulative sum that also falls   name             value
    sum                                     name             increase per second
    histogram, exponential histogram        name.count, name.sum per second; name.p95 of the interval
    summary                                 name.count, name.sum per second; name.p99 as it says

A point with delta temporality tells its interval itself. A cumulative one needs the point before it (`series`), hence the order. The
attributes name the series: `http.server.request.duration.p95{http.route=/cart}`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from models.events import Sample
from models.foreign import Place
from models.instants import SECOND
from models.rejection import Rejected, Rejection
from streams.settings import MetricRule, Otlp
from streams.sources.opentelemetry.decoder import BAD, Measured, identifier, moment, refused, word
from streams.sources.opentelemetry.naming import Entity, bounded
from streams.sources.opentelemetry.record import Bucket, Point, Series
from streams.sources.opentelemetry.shape import Data, DataPoint, Metric
from streams.sources.opentelemetry.templates import Scope, Template, as_text
from streams.sources.opentelemetry.values import Attributes, ProtobufValues, real

KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
REMEMBERED = 20_000  # series
NO_VALUE = 1  # flag: the source says that there is none
_TEMPORALITIES = {"DELTA": 1, "CUMULATIVE": 2}
DELTA, CUMULATIVE = 1, 2


class Metrics:
    """The rules, made ready."""

    def __init__(self, settings: Otlp, domain: str, counts: Counter[str]) -> None:
        self._rules = [_Rule(rule) for rule in settings.metric]
        self._quantiles = tuple(float(text) for text in settings.quantiles)
        self._domain = domain
        self._counts = counts
        self._known: dict[tuple[str, str, str, str, tuple[bytes, ...]], Series | None] = {}

    def of(self, measured: Measured, place: Place) -> Iterator[Sample | Point | Rejection]:
        """The samples of a metric's points, the points that need the one before, and why not."""
        metric, values = measured.metric, measured.values
        kind = kind_of(metric, isinstance(values, ProtobufValues))
        if not kind or not metric.name:
            yield Rejection(
                "missing_field", f"{measured.path}.{'name' if kind else 'data'}", "a metric has a name and one kind of data"
            )
            return
        data: Data = getattr(metric, kind)
        for number, point in enumerate(data.data_points):
            try:
                yield from self._point(measured, kind, data, point, place)
            except BAD as error:
                yield refused(error, f"{measured.path}.{kind}.dataPoints[{number}]")

    def _point(self, measured: Measured, kind: str, data: Data, point: DataPoint, place: Place) -> Iterator[Sample | Point]:
        if point.flags & NO_VALUE:
            self._counts["no_value"] += 1
            return
        time = moment(point.time_unix_nano, "timeUnixNano")
        series = self._named(measured, point)
        if series is None:
            self._counts["ignored"] += 1
            return
        told = Teller(series, measured.entity.source, self._domain, _traceparent(point), self._counts)
        temporality = word(getattr(data, "aggregation_temporality", 0), "AGGREGATION_TEMPORALITY_", _TEMPORALITIES)
        if kind == "summary":
            for item in point.quantile_values:
                yield from told.sample(time, f".p{_percent(real(item.quantile))}", real(item.value), series.unit)
            temporality = CUMULATIVE
        if kind == "gauge" or (kind == "sum" and temporality == CUMULATIVE and not data.is_monotonic):
            yield from told.sample(time, "", _number(point), series.unit)
            return
        start = int(point.start_time_unix_nano)
        counted = kind != "sum"
        count = int(point.count) if counted else -1
        value = real(point.sum or 0.0) if counted else _number(point)
        buckets = _buckets(kind, point)
        if temporality == DELTA:
            if 0 < start < time:
                yield from told.interval(time, time - start, value, count, buckets, self._quantiles)
            else:
                self._counts["no_interval"] += 1
            return
        yield Point(
            time=time,
            source=measured.entity.source,
            id=series.identity,
            place=place,
            start=start,
            value=value,
            count=count,
            buckets=buckets,
            traceparent=told.traceparent,
            series=series,
        )

    def _named(self, measured: Measured, point: DataPoint) -> Series | None:
        """How the point's series is named; None where it is to be ignored. Most points are of a series that had one before."""
        metric = measured.metric
        known = (measured.entity.source, measured.entity.resource, metric.name, metric.unit, tuple(map(bytes, point.attributes)))
        if known not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[known] = self._series(measured.entity, metric, measured.values.attributes(point.attributes))
        return self._known[known]

    def _series(self, entity: Entity, metric: Metric, attributes: Attributes) -> Series | None:
        for rule in self._rules:
            if rule.fits(metric.name):
                scope = Scope(attributes, {"metric.name": metric.name}, entity.attributes)
                if scope.matches(rule.rule.match):
                    return rule.series(entity, metric, attributes, scope)
        suffix = _suffix(attributes, None)
        return Series(entity.resource, metric.name, suffix, metric.unit, "", f"{metric.name}{suffix}")


class _Rule:
    def __init__(self, rule: MetricRule) -> None:
        self.rule = rule
        self._resource, self._name = Template(rule.resource), Template(rule.name)

    def fits(self, name: str) -> bool:
        return fnmatchcase(name, self.rule.metric)

    def series(self, entity: Entity, metric: Metric, attributes: Attributes, scope: Scope) -> Series | None:
        """None where it is to be ignored, or its resource is not there."""
        resource = self._resource.filled(scope) if self.rule.resource else entity.resource
        if self.rule.ignore or not resource:
            return None
        name = self._name.filled(scope) or metric.name
        suffix = "" if self.rule.name and self.rule.attributes is None else _suffix(attributes, self.rule.attributes)
        identity = f"{resource}:{metric.name}{_suffix(attributes, None)}"  # two series stay two, whatever they are called
        return Series(bounded(resource), name, suffix, metric.unit, self.rule.role, identity)


class Teller:
    """Makes the samples of one series."""

    def __init__(self, series: Series, source: str, domain: str, traceparent: str, counts: Counter[str]) -> None:
        self.series, self.source, self.domain, self.traceparent = series, source, domain, traceparent
        self._counts = counts

    def sample(self, time: int, kind: str, value: float, unit: str) -> Iterator[Sample]:
        """One sample; none of what is no number."""
        if not math.isfinite(value):
            self._counts["no_value"] += 1
            return
        series = self.series
        yield Sample(
            time=time,
            source=self.source,
            id=bounded(f"{series.identity}{kind}@{time}"),
            domain=self.domain,
            resource=series.resource,
            traceparent=self.traceparent,
            metric=bounded(f"{series.metric}{kind}{series.suffix}"),
            value=value,
            unit=bounded(unit),
            role="" if kind not in ("", ".count") else series.role,
        )

    def interval(
        self, time: int, length: int, value: float, count: int, buckets: Sequence[Bucket], quantiles: Sequence[float]
    ) -> Iterator[Sample]:
        """What an interval of `length` ns counted: of a plain sum (`count` -1) its rate, else rates and quantiles."""
        seconds, unit = length / SECOND, self.series.unit
        per_second = f"{unit}/s" if unit and not unit.startswith("{") else "1/s"
        if count < 0:
            yield from self.sample(time, "", value / seconds, per_second)
            return
        yield from self.sample(time, ".count", count / seconds, "1/s")
        yield from self.sample(time, ".sum", value / seconds, per_second)
        if sum(bucket[2] for bucket in buckets) > 0:
            for quantile in quantiles:
                yield from self.sample(time, f".p{_percent(quantile)}", quantile_of(buckets, quantile), unit)


def kind_of(metric: Metric, protobuf: bool) -> str:
    """Which of KINDS a metric has; "" for none."""
    if protobuf:
        return str(getattr(metric, "WhichOneof")("data") or "")  # noqa: B009 - a message's method, not a field of the shape
    return next((kind for kind in KINDS if getattr(metric, kind) is not None), "")


def quantile_of(buckets: Sequence[Bucket], quantile: float) -> float:
    """The quantile of observations in ascending buckets, linear within a bucket, as Prometheus's histogram_quantile."""
    rank = quantile * sum(bucket[2] for bucket in buckets)
    for lower, upper, count in buckets:
        if count and rank <= count:
            return min(upper, lower + (upper - lower) * max(rank, 0.0) / count)
        rank -= count
    return max((upper for _, upper, count in buckets if count), default=math.nan)


def _buckets(kind: str, point: DataPoint) -> tuple[Bucket, ...]:
    if kind == "histogram":
        counts, bounds = [int(count) for count in point.bucket_counts], [real(bound) for bound in point.explicit_bounds]
        if not counts or not bounds:
            return ()
        if len(counts) != len(bounds) + 1:
            raise Rejected("wrong_type", "bucketCounts", f"{len(counts)} buckets for {len(bounds)} bounds, not one more")
        lowest = min(0.0, bounds[0])
        return tuple(zip([lowest, *bounds], [*bounds, bounds[-1]], counts, strict=True))
    if kind != "exponential_histogram":
        return ()
    base = 2.0 ** (2.0**-point.scale)
    negative = [
        (-(base ** (point.negative.offset + place + 1)), -(base ** (point.negative.offset + place)), int(count))
        for place, count in enumerate(point.negative.bucket_counts)
    ]
    positive = [
        (base ** (point.positive.offset + place), base ** (point.positive.offset + place + 1), int(count))
        for place, count in enumerate(point.positive.bucket_counts)
    ]
    zero: list[Bucket] = [(0.0, 0.0, int(point.zero_count))]
    return tuple(bucket for bucket in [*reversed(negative), *zero, *positive] if bucket[2])


def _number(point: DataPoint) -> float:
    """JSON has one of the two or none; protobuf has a 0 for the one that is not there."""
    if point.as_int:
        return float(int(point.as_int))
    return real(point.as_double) if point.as_double is not None else float(point.as_int or 0)


def _suffix(attributes: Attributes, chosen: Sequence[str] | None) -> str:
    names = sorted(attributes) if chosen is None else [name for name in chosen if name in attributes]
    return "{" + ",".join(f"{name}={as_text(attributes[name])}" for name in names) + "}" if names else ""


def _percent(quantile: float) -> str:
    return f"{quantile * 100:.10g}"


def _traceparent(point: DataPoint) -> str:
    """Of the newest exemplar that names its span: where a finding's reader goes on."""
    for exemplar in reversed(getattr(point, "exemplars", ())):
        if exemplar.trace_id and exemplar.span_id:
            return f"00-{identifier(exemplar.trace_id, 16, 'exemplars.traceId')}-{identifier(exemplar.span_id, 8, 'exemplars.spanId')}-01"
    return ""
