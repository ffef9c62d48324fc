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
import sys
from array import array
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatchcase

from models.events import Sample
from models.foreign import Place
from models.rejection import Rejected, Rejection
from streams.settings import MetricRule, Otlp
from streams.sources.opentelemetry.decoder import BAD, Measured, refused
from streams.sources.opentelemetry.fields import enumeration, moment, span_name
from streams.sources.opentelemetry.naming import bounded
from streams.sources.opentelemetry.record import Bounds, Point, Series
from streams.sources.opentelemetry.samples import Samples, percent
from streams.sources.opentelemetry.shape import Data, DataPoint, Metric, Real
from streams.sources.opentelemetry.templates import Scope, Template, as_text
from streams.sources.opentelemetry.values import Attributes, Values, real
from streams.sources.secrets import hidden

KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
REMEMBERED = 20_000  # series
NO_VALUE = 1  # flag: the source says that there is none
_TEMPORALITIES = enumeration("AGGREGATION_TEMPORALITY_", {"DELTA": 1, "CUMULATIVE": 2})
DELTA, CUMULATIVE = 1, 2


class Metrics:
    """The rules, made ready."""

    def __init__(self, settings: Otlp, domain: str, counts: Counter[str]) -> None:
        self._rules = [_Rule(rule) for rule in settings.metric]
        self._samples = Samples(settings, domain, counts)
        self._counts = counts
        self._bounds: dict[bytes | tuple[Real, ...], Bounds] = {}
        self._shared: dict[Bounds, Bounds] = {}  # of exponential histograms
        self._known: dict[tuple[str, str, str, tuple[bytes, ...]], Series | None] = {}

    def of(self, measured: Measured, place: Place) -> list[Sample | Point | Rejection]:
        """The samples of a metric's points, the points that need the one before, and why not."""
        metric, values = measured.metric, measured.values
        kind = kind_of(metric, values.protobuf)
        if not kind or not metric.name:
            field = "name" if kind else "data"
            return [Rejection("missing_field", f"{measured.path}.{field}", "a metric has a name and one kind of data")]
        data: Data = getattr(metric, kind)
        temporality, samples = CUMULATIVE, self._samples
        if kind != "gauge" and kind != "summary":
            temporality = _TEMPORALITIES.get(data.aggregation_temporality, 0)
            if not temporality:
                field = f"{measured.path}.{kind}.aggregationTemporality"
                return [Rejection("missing_field", field, "neither delta nor cumulative: what its numbers count is not said")]
        level = kind == "gauge" or (kind == "sum" and temporality == CUMULATIVE and not data.is_monotonic)
        found: list[Sample | Point | Rejection] = []
        for number, point in enumerate(data.data_points):
            try:
                if point.flags & NO_VALUE:
                    self._counts["no_value"] += 1
                    continue
                time = moment(point.time_unix_nano, "timeUnixNano")
                series = self._named(measured, point)
                if series is None:
                    self._counts["ignored"] += 1
                    continue
                cited = "" if kind == "summary" or not point.exemplars else _traceparent(point)
                if level:
                    found += samples.one(series, time, "", _number(point, values.protobuf), series.unit, cited)
                    continue
                counted = self._counted(kind, point, time, series, values, place, cited)
                if kind == "sum" and not math.isfinite(counted.value):
                    self._counts["no_value"] += 1
                    continue
                if temporality == CUMULATIVE:
                    found.append(counted)
                elif 0 < counted.start < time:
                    found += samples.interval(counted, time - counted.start)
                else:
                    self._counts["no_interval"] += 1
                if kind == "summary":
                    for item in point.quantile_values:
                        found += samples.one(series, time, f".p{percent(real(item.quantile))}", real(item.value), series.unit)
            except BAD as error:
                found.append(refused(error, f"{measured.path}.{kind}.dataPoints[{number}]"))
        return found

    def _counted(self, kind: str, point: DataPoint, time: int, series: Series, values: Values, place: Place, cited: str) -> Point:
        """What the point counted since its start."""
        plain = kind == "sum"
        bounds, buckets = ((), ()) if plain else self._buckets(kind, point, values)
        return Point(
            time=time,
            source=series.source,
            id=series.identity,
            place=place,
            series=series,
            start=int(point.start_time_unix_nano),
            value=_number(point, values.protobuf) if plain else _sum(kind, point, values.protobuf),
            count=-1 if plain else int(point.count),
            bounds=bounds,
            buckets=buckets,
            traceparent=cited,
        )

    def _buckets(self, kind: str, point: DataPoint, values: Values) -> tuple[Bounds, Sequence[int]]:
        if kind == "exponential_histogram":
            pairs, observed = _exponential(point, values)
            if len(self._shared) >= REMEMBERED:
                self._shared.clear()
            return self._shared.setdefault(pairs, pairs), observed
        if kind != "histogram":
            return (), ()
        counts, upper = values.counts(point.bucket_counts), values.unread(point.explicit_bounds)
        bounds = self._bounds.get(upper)
        if bounds is None:
            numbers = values.reals(point.explicit_bounds)
            bounds = tuple(zip([min(0.0, numbers[0]), *numbers], [*numbers, numbers[-1]], strict=True)) if numbers else ()
            if len(self._bounds) >= REMEMBERED:
                self._bounds.clear()
            self._bounds[upper] = bounds
        if not counts or not bounds:
            return (), ()
        if len(counts) != len(bounds):
            raise Rejected("wrong_type", "bucketCounts", f"{len(counts)} buckets for {len(bounds) - 1} bounds, not one more")
        return bounds, counts

    def _named(self, measured: Measured, point: DataPoint) -> Series | None:
        """How the point's series is named; None where it is to be ignored. Most points are of a series that had one before."""
        metric = measured.metric
        known = (measured.stream, metric.name, metric.unit, tuple(map(bytes, point.attributes)))
        if known in self._known:
            return self._known[known]
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        series = self._known[known] = self._series(measured, measured.values.attributes(point.attributes))
        return series

    def _series(self, measured: Measured, attributes: Attributes) -> Series | None:
        entity, metric = measured.entity, measured.metric
        suffix = _suffix(attributes, None)
        identity = f"{metric.name}{suffix}#{measured.stream}"  # two series stay two, whatever a rule calls them
        for rule in self._rules:
            if rule.fits(metric.name):
                scope = Scope(attributes, {"metric.name": metric.name}, entity.attributes)
                if scope.matches(rule.rule.match):
                    return rule.series(measured, attributes, scope, identity)
        return Series(entity.source, entity.resource, metric.name, suffix, bounded(metric.unit), "", identity)


class _Rule:
    def __init__(self, rule: MetricRule) -> None:
        self.rule = rule
        self._resource, self._name = Template(rule.resource), Template(rule.name)

    def fits(self, name: str) -> bool:
        return fnmatchcase(name, self.rule.metric)

    def series(self, measured: Measured, attributes: Attributes, scope: Scope, identity: str) -> Series | None:
        """None where it is to be ignored, or its resource is not there."""
        entity, metric = measured.entity, measured.metric
        resource = self._resource.filled(scope) if self.rule.resource else entity.resource
        if self.rule.ignore or not resource:
            return None
        name = self._name.filled(scope) or metric.name
        suffix = "" if self.rule.name and self.rule.attributes is None else _suffix(attributes, self.rule.attributes)
        return Series(entity.source, bounded(resource), name, suffix, bounded(metric.unit), self.rule.role, identity)


def kind_of(metric: Metric, protobuf: bool) -> str:
    """Which of KINDS a metric has; "" for none."""
    if protobuf:
        return str(getattr(metric, "WhichOneof")("data") or "")  # noqa: B009 - a message's method, not a field of the shape
    for kind in KINDS:
        if getattr(metric, kind) is not None:
            return kind
    return ""


def _exponential(point: DataPoint, values: Values) -> tuple[Bounds, Sequence[int]]:
    """The buckets that hold something."""
    scale = point.scale
    found: list[tuple[tuple[float, float], int]] = []
    for place, count in reversed(list(enumerate(values.counts(point.negative.bucket_counts), point.negative.offset))):
        if count:
            found.append(((-_border(place + 1, scale), -_border(place, scale)), count))
    if zero := int(point.zero_count):
        found.append(((0.0, 0.0), zero))
    for place, count in enumerate(values.counts(point.positive.bucket_counts), point.positive.offset):
        if count:
            found.append(((_border(place, scale), _border(place + 1, scale)), count))
    return tuple(pair for pair, _ in found), array("Q", (count for _, count in found))


def _border(place: int, scale: int) -> float:
    """Where a bucket begins, 2^(place / 2^scale); of the coarsest scales the last lie beyond all numbers. Raises OverflowError."""
    power = math.ldexp(place, -scale)
    return 2.0**power if power < 1024 else sys.float_info.max


def _sum(kind: str, point: DataPoint, protobuf: bool) -> float:
    """The sum of the observations; not a number where the source says none, as it must where some are negative."""
    if protobuf and kind != "summary" and not getattr(point, "HasField")("sum"):  # noqa: B009 - a message's method
        return math.nan
    return real(point.sum) if point.sum is not None else 0.0 if kind == "summary" else math.nan


def _number(point: DataPoint, protobuf: bool) -> float:
    """Not a number where the point has none; protobuf has a 0 for each of the two that is not there."""
    if point.as_int:
        return float(int(point.as_int))
    if protobuf:
        return real(point.as_double or 0.0) if getattr(point, "WhichOneof")("data") else math.nan  # noqa: B009 - a message's method
    if point.as_double is not None:
        return real(point.as_double)
    return math.nan if point.as_int is None else 0.0


def _suffix(attributes: Attributes, chosen: Sequence[str] | None) -> str:
    names = sorted(attributes) if chosen is None else [name for name in chosen if name in attributes]
    told = (f"{name}={as_text(hidden(name.rpartition('.')[2], attributes[name]))}" for name in names)
    return "{" + ",".join(told) + "}" if names else ""


def _traceparent(point: DataPoint) -> str:
    """Of the last exemplar that names its span, in a histogram that of the highest bucket: where a finding's reader goes on."""
    for exemplar in reversed(point.exemplars):
        if exemplar.trace_id and exemplar.span_id:
            with suppress(Rejected):  # an exemplar with an id that is none costs no measurement
                return f"00-{span_name(exemplar.trace_id, exemplar.span_id)}-01"
    return ""
