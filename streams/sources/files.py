"""Events from files: one JSON object per line, compressed or not, or standard input. Read line by line, so size does not matter;
only zstd is decompressed in memory, since cramjam knows no part of a frame."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import cramjam

from models.decode import Rejection, decode_event
from models.events import AnyEvent

LINE_LIMIT = 1 << 20  # bytes, as for a Kafka record

_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"))


def read_events(path: str) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    """(line number from 1, event or why not); blank lines are passed over. "-" is standard input.

    Compression is recognised by content, and a byte order mark is passed over. Raises OSError where the file cannot be read, and
    that, EOFError, lzma.LZMAError or cramjam.DecompressionError where it is cut short or damaged.
    """
    if path == "-":
        yield from _lines(_decompressed(sys.stdin.buffer))
        return
    with Path(path).open("rb") as file:
        yield from _lines(_decompressed(file))


def _decompressed(file: BinaryIO) -> BinaryIO:
    buffered = io.BufferedReader(file) if not isinstance(file, io.BufferedReader) else file  # type: ignore[type-var]
    head = buffered.peek(8)[:8]
    kind = next((name for magic, name in _MAGIC if head.startswith(magic)), "")
    if kind == "gzip":
        return gzip.GzipFile(fileobj=buffered)  # type: ignore[return-value]
    if kind == "xz":
        return lzma.LZMAFile(buffered)  # type: ignore[return-value]
    if kind == "zstd":
        return io.BytesIO(bytes(cramjam.zstd.decompress(buffered.read())))
    return buffered


def _lines(file: BinaryIO) -> Iterator[tuple[int, AnyEvent | Rejection]]:
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
            yield number, decode_event(line)
