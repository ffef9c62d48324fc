"""Samples of a series: a level as it is, and what was counted in an interval as its rate per second and its quantiles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from models.events import Sample
from models.instants import SECOND
from streams.settings import Otlp
from streams.sources.opentelemetry.naming import NAME_LIMIT, bounded
from streams.sources.opentelemetry.record import Bounds, Point, Series


class Samples:
    """Makes them."""

    def __init__(self, settings: Otlp, domain: str, counts: Counter[str]) -> None:
        self._quantiles = tuple(float(text) for text in settings.quantiles)
        self._domain = domain
        self._counts = counts

    def one(self, series: Series, time: int, kind: str, value: float, unit: str, traceparent: str = "") -> Sequence[Sample]:
        """One sample, `kind` behind the series' name; none of what is no number."""
        if not math.isfinite(value):
            self._counts["no_value"] += 1
            return ()
        identity, name = f"{series.identity}{kind}@{time}", f"{series.metric}{kind}{series.suffix}"
        return (
            Sample(
                time=time,
                source=series.source,
                id=identity if len(identity) <= NAME_LIMIT else bounded(identity),
                domain=self._domain,
                resource=series.resource,
                traceparent=traceparent,
                metric=name if len(name) <= NAME_LIMIT else bounded(name),
                value=value,
                unit=unit,
                role="" if kind not in ("", ".count") else series.role,
            ),
        )

    def interval(self, counted: Point, length: int) -> list[Sample]:
        """What was counted in an interval of `length` ns: of a plain sum its rate, else rates and quantiles."""
        series, time, seconds, cited = counted.series, counted.time, length / SECOND, counted.traceparent
        unit = series.unit
        per_second = f"{unit}/s" if unit and not unit.startswith("{") else "1/s"
        if counted.count < 0:
            return [*self.one(series, time, "", counted.value / seconds, per_second, cited)]
        found = [
            *self.one(series, time, ".count", counted.count / seconds, "1/s", cited),
            *self.one(series, time, ".sum", counted.value / seconds, per_second, cited),
        ]
        if sum(counted.buckets) > 0:
            for quantile in self._quantiles:
                value = quantile_of(counted.bounds, counted.buckets, quantile)
                found += self.one(series, time, f".p{percent(quantile)}", value, unit, cited)
        return found


def quantile_of(bounds: Bounds, buckets: Sequence[int], quantile: float) -> float:
    """The quantile of observations in ascending buckets, linear within a bucket, as Prometheus's histogram_quantile."""
    rank = quantile * sum(buckets)
    highest = math.nan
    for (lower, upper), count in zip(bounds, buckets, strict=True):
        if count:
            if rank <= count:
                return min(upper, lower + (upper - lower) * max(rank, 0.0) / count)
            highest = upper
        rank -= count
    return highest


def percent(quantile: float) -> str:
    """0.95 as "95"."""
    return f"{quantile * 100:.10g}"
