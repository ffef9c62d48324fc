"""What becomes of a record that cannot be used: it goes on unchanged, with headers that say why and where it was."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from models.events import AnyEvent
from models.foreign import Foreign
from streams.record import Record
from streams.writing import Header, Outgoing

HEAD = 64 * 1024  # bytes kept of a value that is above the limit
KEY_ROOM = 16 * 1024
HEADER_ROOM = 16 * 1024  # of the record's own headers; they come first, ours win
ELEMENT = re.compile(r"(items|Records|)\[(\d+)\]")  # of lists whose elements stand for themselves
TOO_FAR_AHEAD = "time_ahead"


def dead_letter(record: Record, reason: str, path: str, detail: str, limit: int) -> Outgoing:
    """The letter for a record, or an element of it at `path`. Above `limit` bytes: its head, and in headers its length and SHA-256."""
    value = _element(record.value, path)
    headers = [*_within(record.headers, HEADER_ROOM), *_told(reason=reason, path=path[:500], detail=detail[:500])]
    headers += _told(topic=record.topic, partition=str(record.partition), offset=str(record.offset))
    if value is not None and len(value) > limit:
        headers += _told(length=str(len(value)), sha256=hashlib.sha256(value).hexdigest())
        value = value[:HEAD]
    key: bytes | None = record.key
    return 0, None if key is None else key[:KEY_ROOM], b"" if value is None else value, headers


def ahead_letter(record: Record, event: AnyEvent | Foreign, element: str, limit: int) -> Outgoing:
    """The letter for an event whose time lies too far in the future; `element` is "[2]." for the third of a batch, "" otherwise."""
    return dead_letter(record, TOO_FAR_AHEAD, f"{element}time", f"{event.source} {event.id}", limit)


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
