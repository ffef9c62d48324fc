"""Reduce, without its I/O: the events of one source partition in order, stamped late where they are, with ticks on how far it is known.

Samples end here: they move the clock and are counted. Those of demand and capacity are ordered, deduplicated and kept as series; nothing
else asks for the order of the rest, so they do not wait. Only of demand goes on what analyze looks at: the first sample of each series in
every bucket of time (`models.demand`). The resume offset stays *behind* everything that still waits, with the clock as it was there; what
is then emitted twice, analyze drops.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush

import msgspec

from models.configuration import StreamTime
from models.demand import bucket
from models.events import AnyEvent, Event, Key, Sample, Tick, key
from models.foreign import Foreign, Place
from models.rejection import Rejection
from models.stream_time import BEFORE_ALL, PartitionClock


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a partition, the clock as it was there, and from which event time on nothing but late records lies before it."""

    offset: int
    highest: int
    delay: int
    appended: int
    since: int


class ReduceProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to resume a source partition ("topic/number"): the offset, and the clock as it was there. `watermark` is what is known.

    `memory`: where what is translated has to be read again from (`models.translation`).
    """

    partition: str
    offset: int
    highest: int = BEFORE_ALL
    delay: int = 0
    appended: int = BEFORE_ALL
    watermark: int = BEFORE_ALL
    memory: Mark | None = None


class Release(msgspec.Struct, frozen=True):
    """What may leave now: events in canonical order, then the tick, to be written once all of them are acknowledged.

    `refused`: records that waited and turned out to be no events, with where they stood."""

    events: list[Event]
    tick: Tick | None
    refused: Sequence[tuple[Place, Rejection]] = ()


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(ReduceProgress).decode


def encode_reduce_progress(progress: ReduceProgress) -> bytes:
    """One record of the reduce-progress topic; its key is the partition's name."""
    return _encode(progress)


def decode_reduce_progress(raw: bytes) -> ReduceProgress:
    """The inverse of `encode_reduce_progress`. Raises msgspec.ValidationError or msgspec.DecodeError on anything else."""
    return _decode(raw)


class Series:
    """The newest samples of one metric of one resource; ordered, each counted once."""

    __slots__ = ("last", "points", "told")

    def __init__(self, length: int) -> None:
        self.last: Key | None = None
        self.told: Key | None = None  # the last sample that went on
        self.points: deque[tuple[int, float]] = deque(maxlen=length)


class Held:
    """A record of which `events` still wait, and the clock as it was before it."""

    __slots__ = ("appended", "delay", "events", "highest")

    def __init__(self, events: int, highest: int, delay: int, appended: int) -> None:
        self.events = events
        self.highest = highest
        self.delay = delay
        self.appended = appended


class Reducer:
    """One source partition. Feed it what was read, release what is due, ask where to resume."""

    def __init__(self, partition: str, settings: StreamTime, progress: ReduceProgress | None = None) -> None:
        self.partition = partition
        self.settings = settings
        start = progress or ReduceProgress(partition=partition, offset=0)
        self.clock = PartitionClock(settings, start.highest, start.delay, start.appended)
        self.resume_offset = start.offset
        self._next = start.offset
        self._heap: list[
            tuple[int, str, str, int, int, AnyEvent]
        ] = []  # the place in a record is there so that no two events compare
        self._waiting: dict[int, Held] = {}  # by offset, ascending
        self._ticked: tuple[int, str] | None = None
        self.series: dict[tuple[str, str, str], Series] = {}
        self.late = self.duplicates = self.samples = self.shed = 0

    @property
    def watermark(self) -> int:
        """Up to where (ns) the partition is known."""
        return self.clock.watermark

    @property
    def pending(self) -> int:
        """Events that wait for the watermark."""
        return len(self._heap)

    def feed(self, offset: int, append_ns: int, items: Sequence[AnyEvent | Rejection]) -> list[AnyEvent | Foreign | Rejection]:
        """Takes in what one record holds; returns what belongs to the dead letters: rejections, and events too far in the future."""
        if offset < self._next:
            return []  # read again after a seek
        clock = self.clock
        highest, delay, appended, observe = clock.highest, clock.delay, clock.appended, clock.observe
        self._next = offset + 1
        refused: list[AnyEvent | Foreign | Rejection] = []
        held = 0
        for event in items:
            if isinstance(event, Rejection) or (late := observe(event.time, append_ns)) is None:
                refused.append(event)
                continue
            if late:
                self.late += 1
            if isinstance(event, Sample):
                self.samples += 1
                if event.role == "":
                    continue
            if late:
                event = msgspec.structs.replace(event, late=True)
            heappush(self._heap, (event.time, event.source, event.id, offset, held, event))
            held += 1
        if held:
            self._waiting[offset] = Held(held, highest, delay, appended)
        return refused

    def release(self, now_ns: int, at_end: bool) -> Release:
        """What the watermark has passed, and the tick if it says anything new. `now_ns` is the clock before the poll that found the end."""
        mode = self.clock.advance(now_ns, at_end)
        watermark, heap, waiting = self.clock.watermark, self._heap, self._waiting
        out: list[Event] = []
        while heap and (heap[0][0] < watermark or mode == "silent"):
            _, _, _, offset, _, event = heappop(heap)
            record = waiting[offset]
            record.events -= 1
            if not record.events:
                del waiting[offset]
            if isinstance(event, Sample):
                if self._fold(event):
                    out.append(event)
            else:
                out.append(event)
        tick = Tick(partition=self.partition, watermark=watermark, mode=mode, delay=self.clock.delay, now=now_ns)
        moved = (watermark, mode) != self._ticked or mode in ("clock", "silent", "empty")
        self._ticked = (watermark, mode)
        return Release(out, tick if moved else None)

    def _fold(self, sample: Sample) -> bool:
        """Answers whether it is demand and the first of its series in its bucket, which analyze wants to know."""
        name = (sample.domain, sample.resource, sample.metric)
        series = self.series.get(name)
        if series is None:
            if len(self.series) >= self.settings.series_limit:
                self.shed += 1
                self.series.pop(next(iter(self.series)))
            series = self.series[name] = Series(self.settings.series_length)
        place = key(sample)
        if series.last is not None and place <= series.last:
            self.duplicates += place == series.last
        else:
            series.last = place
            series.points.append((sample.time, sample.value))
        if sample.role != "demand" or sample.late:
            return False
        if series.told is not None and bucket(series.told[0]) == bucket(place[0]) and series.told <= place:
            return False
        series.told = place
        return True

    def progress(self) -> ReduceProgress:
        """Where to resume, once everything that was released has been acknowledged."""
        clock = self.clock
        offset, mark = next(iter(self._waiting.items()), (self._next, clock))
        return ReduceProgress(
            partition=self.partition,
            offset=offset,
            highest=mark.highest,
            delay=mark.delay,
            appended=mark.appended,
            watermark=clock.watermark,
        )
