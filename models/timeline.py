"""The timeline of one signals partition: events wait until the watermark passes them, and leave in canonical order between the timers.

A timer at time t fires before any event at or after t. Events below the watermark on arrival are repeats, or came back from idleness:
they are counted and go no further.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from models.configuration import StreamTime
from models.events import Event, Tick
from models.stream_time import BEFORE_ALL, Watermark, WatermarkState

Waiting: TypeAlias = tuple[int, str, str, int, Event]  # canonical key, and the order of arrival so that events are never compared


class Timeline:
    """Order and completeness. `partitions` are the source partitions of the pinned map ("topic/number")."""

    def __init__(self, partitions: tuple[str, ...], settings: StreamTime, state: WatermarkState | None = None) -> None:
        self.watermark = Watermark(partitions, settings, state)
        self._heap: list[Waiting] = []
        self._count = 0
        self.newest = BEFORE_ALL  # highest event time admitted
        self.below = 0

    @property
    def pending(self) -> int:
        """Events that wait."""
        return len(self._heap)

    @property
    def oldest_pending(self) -> int | None:
        """Time of the first event that waits."""
        return self._heap[0][0] if self._heap else None

    def admit(self, event: Event) -> None:
        """Takes in an event, on time."""
        self.newest = max(self.newest, event.time)
        if event.time < self.watermark.held:
            self.below += 1
            return
        self._count += 1
        heapq.heappush(self._heap, (event.time, event.source, event.id, self._count, event))

    def tick(self, tick: Tick) -> bool:
        """Takes in a tick; answers whether the watermark moved."""
        return self.watermark.apply(tick)

    def ready(self, until: int) -> Iterator[Event]:
        """Events before `until` (ns), and before the watermark, in canonical order."""
        bound = min(until, self.watermark.held)
        heap = self._heap
        while heap and heap[0][0] < bound:
            first = heapq.heappop(heap)
            yield (self._least(first) if heap and heap[0][:3] == first[:3] else first)[4]

    def _least(self, first: Waiting) -> Waiting:
        """Of the events of one canonical key the least by content: which of them counts must not depend on which came first."""
        alike = [first]
        while self._heap and self._heap[0][:3] == first[:3]:
            alike.append(heapq.heappop(self._heap))
        least = min(alike, key=lambda waiting: msgspec.json.encode(waiting[4]))
        for other in alike:
            if other is not least:
                heapq.heappush(self._heap, other)
        return least
