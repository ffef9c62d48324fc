"""A file's records in the order in which a fold wants them: the reader of every source.

Lines of a log are nearly in the order of their times, and logs of several servers, or rotated ones, may come one after the other. So the
newest WAITING records wait, and all of the last HOLD. What comes later than that is counted as late and left out: a fold cannot take it
in any more. Events that need no order go through at once; `analyze` sorts those by itself (`streams.intake`).
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeAlias, TypeVar

from models.events import AnyEvent
from models.foreign import Foreign, Found, Translator, content
from models.instants import SECOND
from models.panes import Panes
from models.rejection import Rejection
from streams.sources.source import Source, unquoted

HOLD = 10 * SECOND  # event time
WAITING = 20_000  # records, some kB each
STEP = 500  # records between two words to the fold on how far the log is known

Numbered: TypeAlias = tuple[int, AnyEvent | Rejection]
TakenFor: TypeAlias = Callable[[int, Counter[str]], None]
Item: TypeAlias = AnyEvent | Foreign | Rejection  # what a record holds by itself
P = TypeVar("P")  # where it stood: a line, or a line of one of several files
_Key: TypeAlias = tuple[int, str, str]


class InOrder(Generic[P]):
    """Puts records in order and translates them. Feed what was parsed, then `finish`; both answer (place, event or why not)."""

    def __init__(self, fold: Translator, waiting: int = WAITING) -> None:
        self.late = self.repeated = 0
        self._fold = fold
        self._most = waiting
        self._heap: list[tuple[int, str, str, int, Foreign]] = []
        self._count = 0
        self._newest = 0
        self._last: _Key | None = None  # of the record that was translated last

    def feed(self, record: Foreign) -> Iterator[tuple[P, AnyEvent | Rejection]]:
        """Takes in one record; what need not wait any longer comes out in order."""
        if self._last is not None and (record.time, record.source, record.id) < self._last:
            self.late += 1
            return
        self._newest = max(self._newest, record.time)
        self._count += 1
        heapq.heappush(self._heap, (record.time, record.source, record.id, self._count, record))
        while len(self._heap) > self._most and self._heap[0][0] <= self._newest - HOLD:
            yield from self._next()

    def finish(self) -> Iterator[tuple[P, AnyEvent | Rejection]]:
        """The log has ended."""
        while self._heap:
            yield from self._next()
        if self._last is not None:
            yield from self._placed(self._fold.passed(self._last[0] + self._fold.delay + 1))

    def _next(self) -> Iterator[tuple[P, AnyEvent | Rejection]]:
        time, source, identity, number, record = heapq.heappop(self._heap)
        key = (time, source, identity)
        if key == self._last:
            self.repeated += 1
            return
        while self._heap and self._heap[0][0] == time and self._heap[0][:3] == key:
            record = min(record, heapq.heappop(self._heap)[4], key=content)
            self.repeated += 1
        self._last = key
        if number % STEP == 0:
            yield from self._placed(self._fold.passed(time))
        yield from self._placed(self._fold.translate(record))

    def _placed(self, found: Sequence[Found]) -> Iterator[tuple[P, AnyEvent | Rejection]]:
        yield from found  # type: ignore[misc]  # `parse` was given such a place


def translated(
    records: Iterable[tuple[int, bytes | Rejection]],
    source: Source,
    pane: int,
    counts: Counter[str],
    waiting: int = WAITING,
    taken_for: TakenFor | None = None,
) -> Iterator[Numbered]:
    """(line number, event or why not) of the records of one file; what was passed over is added to `counts` at the end.

    `pane` (ns) as in `models.panes`. `taken_for` is told of each record what parsing counted it as."""
    yield from folded(parsed(records, source, lambda number: number, taken_for), source.fold, pane, counts, waiting)
    counts.update(source.counts)


def parsed(
    records: Iterable[tuple[int, bytes | Rejection]], source: Source, where: Callable[[int], P], taken_for: TakenFor | None = None
) -> Iterator[tuple[P, Item]]:
    """What each record holds by itself, and where it stood: `where` of its line."""
    for number, value in records:
        place = where(number)
        if isinstance(value, Rejection):
            yield place, value
            continue
        before = Counter(source.counts) if taken_for is not None else None
        items = source.parse(unquoted(value), (), place)
        if taken_for is not None and before is not None:
            taken_for(number, source.counts - before)
        for item in items:
            yield place, item


def folded(
    items: Iterable[tuple[P, Item]], fold_of: Callable[[], Translator], pane: int, counts: Counter[str], waiting: int = WAITING
) -> Iterator[tuple[P, AnyEvent | Rejection]]:
    """Puts in order what has to be, and translates it by one fold; what needs no order goes through at once. Counts at the end."""
    order: InOrder[P] | None = None
    fold: Panes | None = None
    for place, item in items:
        if not isinstance(item, Foreign):
            yield place, item
            continue
        if order is None:
            fold = Panes(fold_of, pane)
            order = InOrder(fold, waiting)
        yield from order.feed(item)
    if order is not None and fold is not None:
        yield from order.finish()
        counts.update(fold.counts)
        counts.update({name: count for name, count in (("late", order.late), ("repeated", order.repeated)) if count})
