"""The timeline of one signals partition: events wait until the watermark passes them, and leave in canonical order between the timers.

A timer at time t fires before any event at or after t. Events below the watermark on arrival are repeats, or came back from idleness:
they are counted and go no further.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import msgspec

from models.configuration import StreamTime
from models.events import Event, Tick
from models.stream_time import BEFORE_ALL, Watermark, WatermarkState


class Timeline:
    """Order and completeness. `partitions` are the source partitions of the pinned map ("topic/number")."""

    def __init__(self, partitions: tuple[str, ...], settings: StreamTime, state: WatermarkState | None = None) -> None:
        self.watermark = Watermark(partitions, settings, state)
        self._heap: list[tuple[int, str, str, int, Event]] = []
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
        self._count += 1  # only so that events are never compared
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
            if heap and heap[0][:3] == first[:3]:
                yield from self._alike(first)
            else:
                yield first[4]

    def _alike(self, first: tuple[int, str, str, int, Event]) -> list[Event]:
        """Events of one canonical key, by content: which of them counts must not depend on which came first."""
        alike = [first[4]]
        while self._heap and self._heap[0][:3] == first[:3]:
            alike.append(heapq.heappop(self._heap)[4])
        return sorted(alike, key=msgspec.json.encode)
