"""Demand within the memory: what nobody controls (offered load, arrivals), so that a knob that follows it is not called restless.

Of each series (resource, metric) the first sample of every bucket of ten seconds counts, in canonical order: so reduce may leave out the
rest and may send some of them twice. A knob is driven by the demand on its own resource, and by the demand that its writes cite.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Sequence

from models.events import Action, Sample
from models.instants import SECOND

BUCKET = 10 * SECOND
DRIVERS = 16  # series that are looked at for one knob, the first by name of those that it has
EVERY = 60 * SECOND  # between two looks at what has left the memory: all series are looked at
MOST_SERIES = 10_000  # of one domain; beyond them new ones are left out and counted


def bucket(time: int) -> int:
    """Which bucket a moment (ns) falls into."""
    return time // BUCKET


class Demand:
    """The series of one domain."""

    def __init__(self) -> None:
        self._series: dict[str, dict[str, deque[tuple[int, float]]]] = {}  # resource -> metric -> (ns, value), oldest first
        self._count = 0
        self._edge = -EVERY  # (ns) what was not younger has left
        self.shed = 0

    def __len__(self) -> int:
        return self._count

    def add(self, sample: Sample) -> None:
        """Takes in the next sample in canonical order."""
        metrics = self._series.setdefault(sample.resource, {})
        points = metrics.get(sample.metric)
        if points is None:
            if self._count >= MOST_SERIES:
                self.shed += 1
                if not metrics:
                    del self._series[sample.resource]
                return
            self._count += 1
            points = metrics[sample.metric] = deque()
        if not points or bucket(points[-1][0]) < bucket(sample.time):
            points.append((sample.time, sample.value))

    def forget(self, edge: int) -> None:
        """What is not younger than `edge` (ns) leaves the memory, at most a minute later: `drivers` does not look there."""
        if edge < self._edge + EVERY:
            return
        self._edge = edge
        for resource, metrics in list(self._series.items()):
            for metric, points in list(metrics.items()):
                while points and points[0][0] <= edge:
                    points.popleft()
                if not points:
                    del metrics[metric]
                    self._count -= 1
            if not metrics:
                del self._series[resource]

    def drivers(self, writes: Sequence[Action], edge: int) -> Drivers:
        """The series that drive a knob with these writes, as far as they are younger than `edge` (ns)."""
        if not self._series or not writes:
            return NO_DRIVERS
        names = {(writes[0].resource, metric) for metric in self._series.get(writes[0].resource, ())}
        names |= {(read.resource, read.metric) for write in writes for read in write.reads}
        found: list[list[tuple[int, float]]] = []
        first = bucket(edge)
        for resource, metric in sorted(names):
            points = self._series.get(resource, {}).get(metric)
            # a bucket that the edge cuts counts for nothing: whoever begins to read there knows another first sample of it
            if points is not None and len(points) > 1 and bucket(points[-2][0]) > first:
                found.append([p for p in points if bucket(p[0]) > first])
                if len(found) == DRIVERS:
                    break
        return Drivers(found)


class Drivers:
    """The demand behind one knob: how far it has moved."""

    def __init__(self, series: Iterable[list[tuple[int, float]]]) -> None:
        self._series = [([time for time, _ in points], [value for _, value in points]) for points in series]

    def __bool__(self) -> bool:
        return bool(self._series)

    def move(self, begin: int, end: int, up: bool) -> float:
        """How far demand had gone up (down) by `end` (ns), from its lowest (highest) since `begin`: ln(1 + v), the most of all series."""
        farthest = 0.0
        for times, values in self._series:
            last = bisect_right(times, end)
            first = max(0, min(bisect_right(times, begin) - 1, last - 1))
            span = values[first:last] if last else []
            if len(span) > 1:
                turned = min(span) if up else max(span)
                farthest = max(farthest, abs(_ln(span[-1]) - _ln(turned)))
        return farthest

    def span(self, begin: int, end: int) -> float:
        """How far demand moved at all between two moments (ns), ln(1 + v)."""
        farthest = 0.0
        for times, values in self._series:
            inside = values[bisect_left(times, begin) : bisect_right(times, end)]
            if inside:
                farthest = max(farthest, _ln(max(inside)) - _ln(min(inside)))
        return farthest


def _ln(value: float) -> float:
    return math.log1p(max(value, 0.0))


NO_DRIVERS = Drivers(())
