"""Several files as one stream of events, always on with the one that is furthest behind.

Files of one kind are one log: the audit logs of three API servers, a log and what was rotated out of it, spans in one file and metrics in
another. So they share one fold, or each would know only its own half of an object's history. Files of different kinds do not.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeAlias, TypeVar

from models.events import AnyEvent
from models.foreign import Foreign
from models.rejection import Rejection
from models.stream_time import BEFORE_ALL
from streams.settings import Settings
from streams.sources.files import guarded
from streams.sources.in_order import Item, folded
from streams.sources.kinds import KINDS
from streams.sources.logs import LogFile, Position

UNDECIDED = 1_000  # bad items at the head of a file before it is taken as one that shows no kind
Stream: TypeAlias = Iterator[tuple[Position, AnyEvent | Rejection]]
Read = TypeVar("Read", AnyEvent | Rejection, Item)


def side_by_side(files: Sequence[Iterator[tuple[Position, Read]]]) -> Iterator[tuple[Position, Read]]:
    """Always from the file whose newest item is the oldest; the first of equal ones."""
    behind = [(BEFORE_ALL, number) for number in range(len(files))]
    while behind:
        newest, number = heapq.heappop(behind)
        bound = behind[0] if behind else None
        for place, item in files[number]:
            yield place, item
            if not isinstance(item, Rejection):
                newest = max(newest, item.time)
                if bound is not None and (newest, number) > bound:
                    heapq.heappush(behind, (newest, number))
                    break


def logs(files: Iterable[LogFile], settings: Settings, counts: dict[str, Counter[str]]) -> list[Stream]:
    """One stream for each kind of log, and for each file of events. What was passed over is added to `counts`, by kind, at the end.

    Raises Unreadable, as the streams do."""
    streams: list[Stream] = []
    alike: dict[str, list[tuple[LogFile, Iterator[tuple[Position, Item]]]]] = {}
    for file in files:
        items = _begun(file)
        if file.kind:
            alike.setdefault(file.kind, []).append((file, items))
        else:
            streams.append(_alone(file, items, settings, counts))
    streams += [_one_log(kind, each, settings, counts.setdefault(kind, Counter())) for kind, each in alike.items()]
    return streams


def _begun(file: LogFile) -> Iterator[tuple[Position, Item]]:
    """Read as far as it takes to know the kind."""
    items, first = guarded(file.path, file.items()), []
    for item in items:
        first.append(item)
        if file.kind is not None or len(first) >= UNDECIDED:
            break
    return chain(first, items)


def _alone(file: LogFile, items: Iterator[tuple[Position, Item]], settings: Settings, counts: dict[str, Counter[str]]) -> Stream:
    """A file of events; or one that is bad for so long that it may still turn out to be a log, which is then one by itself."""
    for place, item in items:
        if isinstance(item, Foreign) and file.kind:
            rest = chain([(place, item)], items)
            yield from _one_log(file.kind, [(file, rest)], settings, counts.setdefault(file.kind, Counter()))
            return
        assert not isinstance(item, Foreign)  # only a log has such
        yield place, item
    if file.kind and file.source is not None:
        counts.setdefault(file.kind, Counter()).update(file.source.counts)


def _one_log(
    kind: str, parts: Sequence[tuple[LogFile, Iterator[tuple[Position, Item]]]], settings: Settings, counts: Counter[str]
) -> Stream:
    sources = [file.source for file, _ in parts if file.source is not None]
    yield from folded(side_by_side([items for _, items in parts]), sources[0].fold, KINDS[kind].pane(settings), counts)
    for source in sources:
        counts.update(source.counts)
