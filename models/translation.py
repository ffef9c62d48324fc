"""Reduce, of a source partition whose records have to be put in order before they are translated (`models.foreign`).

Foreign records wait for the watermark as events do; as it passes them they are translated, and ticks promise the watermark less the
delay that the translation needs to look ahead. A late one is counted and left out: a fold cannot take it in any more.

After a restart the fold has to know what it knew. So progress carries a `Mark` further back, behind all that the fold may rest on:

    offset     mark ............... resume ........... now
               │ refill: folded,    │ read again: what │
               │ nothing goes out   │ waited           │

What was answered up to the watermark of the progress went out before, and is not sent again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush

import msgspec

from models.configuration import StreamTime
from models.events import AnyEvent, Event, Sample, Tick
from models.foreign import Foreign, Found, Place, content
from models.panes import Panes
from models.reduction import Held, Mark, ReduceProgress, Reducer, Release
from models.rejection import Rejection
from models.stream_time import BEFORE_ALL

_Key = tuple[int, str, str]


class TranslatingReducer(Reducer):
    """A `Reducer` whose items may be `Foreign`."""

    def __init__(self, partition: str, settings: StreamTime, translator: Panes, progress: ReduceProgress | None = None) -> None:
        mark = progress.memory if progress else None
        begin = progress
        if progress is not None and mark is not None:
            begin = msgspec.structs.replace(
                progress, offset=mark.offset, highest=mark.highest, delay=mark.delay, appended=mark.appended
            )
        super().__init__(partition, settings, begin)
        self._translator = translator
        self._saved = progress if mark is not None else None  # until what is before it has been read again
        self._sent = progress.watermark if progress else BEFORE_ALL  # what was answered up to here went out before
        start = begin or ReduceProgress(partition=partition, offset=0)
        since = mark.since if mark else max(BEFORE_ALL, start.watermark)
        self._marks = deque(
            [Mark(offset=start.offset, highest=start.highest, delay=start.delay, appended=start.appended, since=since)]
        )
        self._through = since  # (ns) what is older, and not late, was translated
        self._last: _Key | None = None
        self._order: list[tuple[int, str, str, int, int, AnyEvent | Foreign]] = []

    @property
    def watermark(self) -> int:
        """Up to where (ns) the partition is known."""
        return max(self.clock.watermark, self._sent)

    @property
    def pending(self) -> int:
        """Events and records that wait for the watermark."""
        return len(self._order)

    def feed(
        self, offset: int, append_ns: int, items: Sequence[AnyEvent | Foreign | Rejection]
    ) -> list[AnyEvent | Foreign | Rejection]:
        """See `Reducer`."""
        if offset < self._next:
            return []  # read again after a seek
        clock = self.clock
        before = clock.highest, clock.delay, clock.appended
        again = self._saved is not None and offset < self._saved.offset
        self._next = offset + 1
        refused: list[AnyEvent | Foreign | Rejection] = []
        held = 0
        for item in items:
            if isinstance(item, Rejection) or (late := clock.observe(item.time, append_ns)) is None:
                refused.append(item)
                continue
            self.late += late
            if isinstance(item, Foreign):
                if late:
                    continue
            elif again or self._counted(item):
                continue
            elif late:
                item = msgspec.structs.replace(item, late=True)
            heappush(self._order, (item.time, item.source, item.id, offset, held, item))
            held += 1
        if held:
            self._waiting[offset] = Held(held, *before)
        return [] if again else refused

    def release(self, now_ns: int, at_end: bool) -> Release:
        """See `Reducer`."""
        mark = self._mark()
        mode = self.clock.advance(now_ns, at_end)
        known = self.clock.watermark
        out, refused = list[Event](), list[tuple[Place, Rejection]]()
        bound = known if mode != "silent" else max(known, self.clock.highest + self._translator.delay + 1)
        if self._sent > BEFORE_ALL:  # what is answered up to there went out before
            self._translate(min(bound, self._sent), out, None)
        if bound > self._sent:
            self._translate(bound, out, refused)
        if known >= self._sent:
            self._sent = BEFORE_ALL
        if self._translator.pane_of(self._through) > self._translator.pane_of(mark.since):
            self._marks.append(mark)  # the newest before each pane
        out.sort(key=_key)
        promised = self.watermark
        if promised > BEFORE_ALL:
            promised -= self._translator.delay
        tick = Tick(partition=self.partition, watermark=promised, mode=mode, delay=self.clock.delay, now=now_ns)
        moved = (promised, mode) != self._ticked or mode in ("clock", "silent", "empty")
        self._ticked = (promised, mode)
        return Release(out, tick if moved else None, refused)

    def progress(self) -> ReduceProgress:
        """See `Reducer`; while it reads again what it had read before its restart, where that began."""
        if self._saved is not None:
            if min(self._next, next(iter(self._waiting), self._next)) < self._saved.offset:
                return self._saved
            self._saved = None
        here = self._mark()
        start = self._translator.start_of(self.watermark)
        while len(self._marks) > 1 and self._marks[1].since <= start:
            self._marks.popleft()
        return ReduceProgress(
            partition=self.partition,
            offset=here.offset,
            highest=here.highest,
            delay=here.delay,
            appended=here.appended,
            watermark=self.watermark,
            memory=self._marks[0],
        )

    def _mark(self) -> Mark:
        clock = self.clock
        offset, at = next(iter(self._waiting.items()), (self._next, clock))
        return Mark(offset=offset, highest=at.highest, delay=at.delay, appended=at.appended, since=self._through)

    def _translate(self, bound: int, out: list[Event], refused: list[tuple[Place, Rejection]] | None) -> None:
        """Everything before `bound`, in order; then `bound` itself is told. Without `refused` no answer goes out, only plain events."""
        order, translator = self._order, self._translator
        while order and order[0][0] < bound:
            item = self._next_item()
            if not isinstance(item, Foreign):
                if not isinstance(item, Sample) or self._fold(item):
                    out.append(item)
                continue
            key: _Key = (item.time, item.source, item.id)
            if self._last is not None and key <= self._last:
                self.duplicates += key == self._last
                self.late += key < self._last  # after a silence that was taken for the end
                continue
            self._last = key
            found = translator.translate(self._one_of(item, key))
            if found and refused is not None:
                self._sort(found, out, refused)
        if bound > BEFORE_ALL:
            found = translator.passed(bound)
            if refused is not None:
                self._sort(found, out, refused)
            self._through = max(self._through, bound)

    def _one_of(self, item: Foreign, key: _Key) -> Foreign:
        """Of the records of one name that wait, the one that counts."""
        order = self._order
        while order and order[0][0] == key[0] and order[0][:3] == key and isinstance(other := order[0][5], Foreign):
            self._next_item()
            item = min(item, other, key=content)
            self.duplicates += 1
        return item

    def _next_item(self) -> AnyEvent | Foreign:
        _, _, _, offset, _, item = heappop(self._order)
        record = self._waiting[offset]
        record.events -= 1
        if not record.events:
            del self._waiting[offset]
        return item

    def _sort(self, found: Sequence[Found], out: list[Event], refused: list[tuple[Place, Rejection]]) -> None:
        for place, answer in found:
            if isinstance(answer, Rejection):
                refused.append((place, answer))
            elif not isinstance(answer, Sample) or (not self._counted(answer) and self._fold(answer)):
                out.append(answer)

    def _counted(self, event: AnyEvent) -> bool:
        """Counts a sample; answers whether that is all that becomes of it."""
        if not isinstance(event, Sample):
            return False
        self.samples += 1
        return event.role == ""


def _key(event: Event) -> _Key:
    return event.time, event.source, event.id
