"""Cumulative series: what was counted between two points, and what to do where a counter began anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from operator import sub

from msgspec.structs import replace

from models.events import Sample
from streams.settings import Otlp
from streams.sources.opentelemetry.record import Point
from streams.sources.opentelemetry.samples import Samples


class Rates:
    """The newest point of each series. Points come in order."""

    def __init__(self, settings: Otlp, domain: str, counts: Counter[str]) -> None:
        self._samples = Samples(settings, domain, counts)
        self._most = settings.series
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
        since, counted = last.time, _difference(point, last)
        if _began_anew(point, last):
            self._counts["resets"] += 1
            if not last.time <= point.start < point.time:
                return
            since, counted = point.start, point
        elif point.buckets and not counted.buckets:
            self._counts["rescaled"] += 1
        yield from self._samples.interval(counted, point.time - since)


def _began_anew(point: Point, last: Point) -> bool:
    """Counters only rise: one that fell, or that says another start, is another counter."""
    fell = point.count < last.count or (point.count < 0 and point.value < last.value)
    return fell or (point.start > last.start and last.start > 0 and point.start >= last.time)


def _difference(new: Point, old: Point) -> Point:
    """What was counted between two points; without buckets where their bounds are not the same any more."""
    value, count = new.value - old.value, new.count - old.count if new.count >= 0 else -1
    if new.bounds == old.bounds:
        bounds, buckets = new.bounds, tuple(map(sub, new.buckets, old.buckets))
    else:  # an exponential histogram names the buckets alone that hold something
        before = dict(zip(old.bounds, old.buckets, strict=True))
        bounds, buckets = new.bounds, tuple(each - before.pop(pair, 0) for pair, each in zip(new.bounds, new.buckets, strict=True))
        if before:
            bounds, buckets = (), ()
    if buckets and min(buckets) < 0:
        bounds, buckets = (), ()
    return replace(new, value=value, count=count, bounds=bounds, buckets=buckets)
