"""Files of OTLP: what the collector's file exporter writes, and single records as they were read from Kafka.

    format json              one JSON object a line; or one JSON document that runs over lines
    format proto             four bytes of length (big-endian), then a protobuf message, and so on
    compression zstd         the same, each message compressed by itself, JSON too
    one record               protobuf without a length

Source: exporter/fileexporter of opentelemetry-collector-contrib 0.155.
"""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterator
from typing import BinaryIO

from models.rejection import Rejection
from streams.sources.files import DAMAGED, head, lines
from streams.sources.opentelemetry.decoder import recognised as is_json

PREFIX = 4
MESSAGE_LIMIT = 64 << 20  # bytes of one message or line of a file: by default a batch is 8,192 spans, which are 10 MB of JSON
if sys.version_info >= (3, 14):
    from compression.zstd import ZstdFile
else:
    from backports.zstd import ZstdFile

_ZSTD = b"\x28\xb5\x2f\xfd"


def recognised(start: bytes) -> bool:
    """Whether a file that begins so is OTLP."""
    return is_json(start) or _prefixed(start) or _is_message(start)


def records(file: BinaryIO) -> Iterator[tuple[int, bytes | Rejection]]:
    """(number, record): the line where there are lines, else which message it is."""
    start = head(file)
    if _prefixed(start):
        yield from _messages(file)
    elif _is_message(start) or (start.lstrip()[:1] == b"{" and not _is_whole_line(start)):
        yield from _whole(file)
    else:
        yield from lines(file, MESSAGE_LIMIT)


def _is_whole_line(start: bytes) -> bool:
    """A document that runs over lines breaks after its first bracket."""
    return start.lstrip()[1:].lstrip(b" \t\r")[:1] != b"\n"


def _is_message(start: bytes) -> bool:
    """A request, in it a resource's items, in them a resource or a scope's items, in these an item: each within the one before.

    The fields 1 and 2 come in either order: the collector writes backwards."""
    place, room = 0, MESSAGE_LIMIT + 1
    for depth in range(3):
        if start[place : place + 1] not in (b"\x0a", b"\x12") or (not depth and start[0] != 0x0A):
            return False
        length = shift = 0
        for byte in start[place + 1 : place + 6]:
            place += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        place += 1
        if not 2 <= length <= room - 2:
            return False
        room = length
    return True


def _prefixed(start: bytes) -> bool:
    length = int.from_bytes(start[:PREFIX], "big")
    if len(start) <= PREFIX or not 0 < length <= MESSAGE_LIMIT:
        return False
    message = start[PREFIX : PREFIX + length]
    return message.startswith(_ZSTD) or is_json(message) or _is_message(message)


def _messages(file: BinaryIO) -> Iterator[tuple[int, bytes | Rejection]]:
    number = 0
    while prefix := file.read(PREFIX):
        number += 1
        length = int.from_bytes(prefix, "big")
        if len(prefix) < PREFIX or not 0 < length <= MESSAGE_LIMIT:
            yield number, Rejection("not_otlp", "", f"message {number} has no length before it: the file is cut short or damaged")
            return
        message = file.read(length)
        if len(message) < length:
            yield number, Rejection("not_otlp", "", f"message {number} is cut short: {len(message):,} of {length:,} bytes")
            return
        yield number, _decompressed(message, number)


def _decompressed(message: bytes, number: int) -> bytes | Rejection:
    if not message.startswith(_ZSTD):
        return message
    try:
        with ZstdFile(io.BytesIO(message)) as file:
            data: bytes = file.read(MESSAGE_LIMIT + 1)
    except (OSError, *DAMAGED) as error:
        return Rejection("not_otlp", "", f"message {number} cannot be decompressed: {error}"[:300])
    if len(data) > MESSAGE_LIMIT:
        return Rejection("too_large", "", f"message {number} is more than {MESSAGE_LIMIT:,} bytes")
    return data


def _whole(file: BinaryIO) -> Iterator[tuple[int, bytes | Rejection]]:
    data = file.read(MESSAGE_LIMIT + 1)
    if len(data) > MESSAGE_LIMIT:
        yield 1, Rejection("too_large", "", f"more than {MESSAGE_LIMIT:,} bytes in one document")
    else:
        yield 1, data.removeprefix(codecs.BOM_UTF8)
