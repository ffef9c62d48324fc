"""The bounded queue between an agent and its broker. It decides what goes when there is too much: samples first, then the oldest."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple


class Record(NamedTuple):
    """One encoded event. A `sample` is the first to go."""

    key: bytes
    value: bytes
    sample: bool


class Waiting:
    """At most `most` records. What an agent did is worth more than a measurement, and what it did last more than what it did before: the
    newest write of a knob tells how things stand when the broker is back. Not thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = max(1, most)
        self._events: deque[Record] = deque()
        self._samples: deque[Record] = deque()

    def __len__(self) -> int:
        return len(self._events) + len(self._samples)

    def put(self, record: Record) -> int:
        """Adds one record; answers how many had to go."""
        (self._samples if record.sample else self._events).append(record)
        return self._shed()

    def take(self, most: int) -> list[Record]:
        """The oldest records, events before samples; they are no longer here."""
        taken: list[Record] = []
        for queue in (self._events, self._samples):
            while queue and len(taken) < most:
                taken.append(queue.popleft())
        return taken

    def put_back(self, records: Iterable[Record]) -> int:
        """Records that could not be sent stand at the head again; answers how many had to go."""
        for record in reversed(list(records)):
            (self._samples if record.sample else self._events).appendleft(record)
        return self._shed()

    def _shed(self) -> int:
        shed = 0
        while len(self) > self._most:
            (self._samples or self._events).popleft()
            shed += 1
        return shed
