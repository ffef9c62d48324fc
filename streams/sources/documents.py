"""A file of JSON as documents: each on a line of its own, or pretty-printed over many. Some files are one document.

A document that spans lines ends with a line that closes it, as every pretty-printer writes; a line that opens another one ends what was
never closed, so that a bad line costs no more than itself. An array whose lines are an element each is those elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from models.rejection import Rejection
from streams.sources.files import lines

LIMIT = 128 << 20  # bytes of one document; log files of CloudTrail in S3 stay below that, unpacked
_value = msgspec.json.Decoder(msgspec.Raw).decode
_OPENS, _CLOSES = (b"{", b"["), (b"}", b"]")


def split(file: BinaryIO) -> Iterator[tuple[int, bytes | Rejection]]:
    """(number of its first line, document or why it cannot be taken). Raises what reading the file raises."""
    parts: list[bytes] = []
    first = size = 0
    array = False  # within one, an element a line
    for number, line in lines(file, LIMIT):
        if isinstance(line, Rejection):
            yield number, line
            continue
        if parts and line.startswith(_OPENS):
            if len(parts) == 1 and parts[0].strip() == b"[":
                array = True
            else:
                yield first, b"".join(parts)
            parts, size = [], 0
        if array and (not parts or line.startswith(_CLOSES)):
            line = line.rstrip().removesuffix(b",") + b"\n"
            if not parts and line == b"]\n":
                array = False
                continue
        first = number if not parts else first
        parts.append(line)
        size += len(line)
        if (len(parts) == 1 or line.startswith(_CLOSES)) and _whole(b"".join(parts)):
            yield first, b"".join(parts)
            parts, size = [], 0
        elif size > LIMIT:
            yield first, Rejection("too_large", "", f"a document of more than {LIMIT:,} bytes")
            parts, size = [], 0
    if parts:
        yield first, b"".join(parts)


def spans_lines(head: bytes) -> bool:
    """Whether a file that begins so is a document that runs over lines: its first line opens one, and does not end it."""
    first, _, rest = head.lstrip().partition(b"\n")
    return first.startswith(_OPENS) and rest != b"" and not _whole(first)


def _whole(document: bytes) -> bool:
    """Whether it ends here: what is wrong otherwise is told where it is parsed."""
    try:
        _value(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return "truncated" not in str(error)
    return True
