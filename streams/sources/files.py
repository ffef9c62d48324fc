"""Events from files: one JSON object per line, compressed or not, or standard input. Read line by line, so size does not matter."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec

from models.decode import Rejection, decode_event
from models.events import AnyEvent

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError, ZstdFile
else:
    from backports.zstd import ZstdError, ZstdFile

DAMAGED = (
    EOFError,
    lzma.LZMAError,
    ZstdError,
)  # besides OSError: what reading a compressed file raises that is cut short or damaged
LINE_LIMIT = 1 << 20  # bytes, as for a Kafka record

Look: TypeAlias = Callable[[bytes], None]

_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"))


def read_events(path: str, also: Look | None = None) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    """(line number from 1, event or why not); blank lines are passed over. "-" is standard input. `also` is shown each line as it is.

    Compression is recognised by content, and a byte order mark is passed over. Raises OSError where the file cannot be read, and
    that or one of DAMAGED where it is cut short or damaged.
    """
    if path == "-":
        yield from _lines(_decompressed(sys.stdin.buffer), also)
        return
    with Path(path).open("rb") as file:
        yield from _lines(_decompressed(file), also)


def _decompressed(file: BinaryIO) -> BinaryIO:
    buffered = io.BufferedReader(file) if not isinstance(file, io.BufferedReader) else file  # type: ignore[type-var]
    head = buffered.peek(8)[:8]
    kind = next((name for magic, name in _MAGIC if head.startswith(magic)), "")
    if kind == "gzip":
        return gzip.GzipFile(fileobj=buffered)  # type: ignore[return-value]
    if kind == "xz":
        return lzma.LZMAFile(buffered)  # type: ignore[return-value]
    if kind == "zstd":
        return ZstdFile(buffered)  # type: ignore[return-value]
    return buffered


def _lines(file: BinaryIO, also: Look | None) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    number = 0
    while line := file.readline(LINE_LIMIT + 2):
        number += 1
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) > LINE_LIMIT + 1:
            size = len(line)
            while line and not line.endswith(b"\n"):
                line = file.readline(LINE_LIMIT)
                size += len(line)
            yield number, Rejection("too_large", "", f"{size:,} bytes, at most {LINE_LIMIT:,}")
        elif line.strip():
            if also is not None:
                also(line)
            event = decode_event(line)
            yield number, _array(event) if isinstance(event, Rejection) and line.lstrip().startswith(b"[") else event


def _array(rejection: Rejection) -> Rejection:
    """Says it too where the line begins an array, as other programs write events."""
    return msgspec.structs.replace(rejection, detail=f"{rejection.detail}; one object per line, no array: jq -c '.[]' FILE")
