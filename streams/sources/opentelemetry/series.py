"""Cumulative series: what was counted between two points, and what to do where a counter began anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from models.events import Sample
from streams.settings import Otlp
from streams.sources.opentelemetry.metrics import Teller
from streams.sources.opentelemetry.record import Bucket, Point


class Rates:
    """The newest point of each series. Points come in order."""

    def __init__(self, settings: Otlp, domain: str, counts: Counter[str]) -> None:
        self._quantiles = tuple(float(text) for text in settings.quantiles)
        self._most = settings.series
        self._domain = domain
        self._counts = counts
        self._last: dict[tuple[str, str], Point] = {}

    def of(self, point: Point) -> Iterator[Sample]:
        """The samples of the interval that ends with this point. The first point of a series says nothing yet."""
        name = (point.source, point.id)
        last = self._last.get(name)
        if last is None and len(self._last) >= self._most:
            self._counts["forgotten_series"] += 1
            return
        if last is not None and point.time <= last.time:
            self._counts["repeated"] += 1
            return
        self._last[name] = point
        if last is None:
            self._counts["first_points"] += 1
            return
        since, buckets = last.time, _difference(point.buckets, last.buckets)
        value, count = point.value - last.value, max(point.count - last.count, -1)
        if _began_anew(point, last):
            self._counts["resets"] += 1
            if not last.time <= point.start < point.time:
                return
            since, value, count, buckets = point.start, point.value, point.count, point.buckets
        if buckets is None:
            self._counts["rescaled"] += 1
            buckets = ()
        teller = Teller(point.series, point.source, self._domain, point.traceparent, self._counts)
        yield from teller.interval(
            point.time, point.time - since, value, -1 if point.count < 0 else count, buckets, self._quantiles
        )


def _began_anew(point: Point, last: Point) -> bool:
    """Counters only rise: one that fell, or that says another start, is another counter."""
    fell = point.count < last.count or (point.count < 0 and point.value < last.value)
    return fell or (point.start > last.start and last.start > 0 and point.start >= last.time)


def _difference(new: tuple[Bucket, ...], old: tuple[Bucket, ...]) -> tuple[Bucket, ...] | None:
    """The observations between two points, bucket by bucket; None where the bounds are not the same any more."""
    before = {(lower, upper): count for lower, upper, count in old}
    found = tuple((lower, upper, count - before.pop((lower, upper), 0)) for lower, upper, count in new)
    return None if before or any(count < 0 for _, _, count in found) else found
