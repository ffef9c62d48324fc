"""What becomes of a record that cannot be used: it goes on unchanged, with headers that say why and where it was.

A record may hold thousands of items that are bad each by itself (spans of a host whose clock is wrong). It goes on once; the letters of its
other items hold headers alone, or a megabyte would become gigabytes. Beyond MOST of them the record goes on whole, and the rest is counted.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from models.events import AnyEvent
from models.foreign import Foreign
from models.rejection import Rejection
from streams.record import Record
from streams.writing import Header, Outgoing

HEAD = 64 * 1024  # bytes kept of a value that is above the limit
MOST = 1_000  # letters of one record
KEY_ROOM = 16 * 1024
HEADER_ROOM = 16 * 1024  # of the record's own headers; they come first, ours win
ELEMENT = re.compile(r"(items|Records|)\[(\d+)\]")  # of lists whose elements stand for themselves
TOO_FAR_AHEAD = "time_ahead"


class Letters:
    """The letters of one step; of one source partition. `limit` is in bytes: of a value above it stay its head, its length and SHA-256."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._whole: set[int] = set()  # offsets of the records that went on whole
        self._written: Counter[int] = Counter()  # letters, by the offset of their record

    def rejected(self, record: Record, why: Rejection) -> Sequence[Outgoing]:
        """The letter for a record, or for what is bad in it: an element at `why.path`, where elements stand for themselves."""
        return self._letter(record, why.reason, why.path, why.detail)

    def ahead(self, record: Record, event: AnyEvent | Foreign, element: str) -> Sequence[Outgoing]:
        """The letter for an event whose time lies too far in the future; `element` is "[2]." for the third of a batch, "" otherwise."""
        return self._letter(record, TOO_FAR_AHEAD, f"{element}time", f"{event.source} {event.id}")

    def _letter(self, record: Record, reason: str, path: str, detail: str) -> Sequence[Outgoing]:
        self._written[record.offset] += 1
        if self._written[record.offset] >= MOST:
            if self._written[record.offset] > MOST:
                return ()
            path, detail = "", f"{MOST:,} items of this record are bad; what else is, is counted and has no letter"
        value = _element(record.value, path)
        told = _told(reason=reason, path=path[:500], detail=detail[:500])
        told += _told(topic=record.topic, partition=str(record.partition), offset=str(record.offset))
        if value is record.value:
            if record.offset in self._whole:
                return ((0, None, b"", told),)
            self._whole.add(record.offset)
        headers = [*_within(record.headers, HEADER_ROOM), *told]
        if value is not None and len(value) > self._limit:
            headers += _told(length=str(len(value)), sha256=hashlib.sha256(value).hexdigest())
            value = value[:HEAD]
        key: bytes | None = record.key
        return ((0, None if key is None else key[:KEY_ROOM], b"" if value is None else value, headers),)


def _element(value: bytes | None, path: str) -> bytes | None:
    """Of a batch, only the element that the path speaks of: its neighbours are well."""
    found = ELEMENT.match(path)
    if value is None or found is None:
        return value
    elements, number = _elements(value, found[1]), int(found[2])
    return bytes(elements[number]) if number < len(elements) else value


@lru_cache(maxsize=1)  # all elements of a batch may be bad, thousands of them
def _elements(value: bytes, name: str) -> list[msgspec.Raw]:
    """Of a list, or of the list `name` of an object (`items` of an EventList); none where the value is neither, but wrapped once more."""
    try:
        if not name:
            return msgspec.json.decode(value, type=list[msgspec.Raw])
        return msgspec.json.decode(msgspec.json.decode(value, type=dict[str, msgspec.Raw])[name], type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
        return []


def _within(headers: Sequence[Header], room: int) -> list[Header]:
    kept: list[Header] = []
    for name, value in headers:
        room -= len(name) + len(value or b"")
        if room < 0:
            break
        kept.append((name, value))
    return kept


def _told(**texts: str) -> list[Header]:
    return [(name, text.encode("utf-8", "replace")) for name, text in texts.items()]
