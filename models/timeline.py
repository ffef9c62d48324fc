"""The timeline of one signals partition: events wait until the watermark passes them, and leave in canonical order between the timers.

A timer at time t fires before any event at or after t. Events below the watermark on arrival are repeats, or came back from idleness:
they are counted and go no further.
"""

from __future__ import annotations

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
        self._waiting: list[
            Waiting
        ] = []  # the last is the next to leave, once sorted: few sorts of long runs are cheaper than a heap
        self._sorted = True
        self._ranked: tuple[int, str, str] | None = None  # the canonical key whose events are in the order of their content
        self._count = 0
        self.newest = BEFORE_ALL  # highest event time admitted
        self.below = 0

    @property
    def pending(self) -> int:
        """Events that wait."""
        return len(self._waiting)

    @property
    def oldest_pending(self) -> int | None:
        """Time of the first event that waits."""
        return self._in_order()[-1][0] if self._waiting else None

    def admit(self, event: Event) -> None:
        """Takes in an event, on time."""
        if event.time > self.newest:
            self.newest = event.time
        if event.time < self.watermark.held:
            self.below += 1
            return
        self._count += 1
        self._waiting.append((event.time, event.source, event.id, self._count, event))
        self._sorted = False

    def tick(self, tick: Tick) -> bool:
        """Takes in a tick; answers whether the watermark moved."""
        return self.watermark.apply(tick)

    def ready(self, until: int) -> Iterator[Event]:
        """Events before `until` (ns), and before the watermark, in canonical order."""
        bound = min(until, self.watermark.held)
        waiting = self._in_order()
        while waiting and waiting[-1][0] < bound:
            if len(waiting) > 1 and waiting[-2][0] == waiting[-1][0]:  # one moment may hold one event twice
                key = waiting[-1][:3]
                if waiting[-2][:3] == key and key != self._ranked:
                    self._rank(key)
            yield waiting.pop()[4]

    def _in_order(self) -> list[Waiting]:
        if not self._sorted:
            self._waiting.sort(reverse=True)
            self._sorted, self._ranked = True, None
        return self._waiting

    def _rank(self, key: tuple[int, str, str]) -> None:
        """Puts the events of one canonical key, next to leave, in the order of their content: which of them counts must not depend on
        which came first. Once for all of them, since a source that sends one event again and again makes thousands."""
        waiting, alike = self._waiting, list[Waiting]()
        while waiting and waiting[-1][:3] == key:
            alike.append(waiting.pop())
        alike.sort(key=lambda waiting: msgspec.json.encode(waiting[4]))
        waiting.extend(reversed(alike))
        self._ranked = key
