"""Events from files: one JSON object per line, compressed or not, or standard input. Read line by line, so size does not matter."""

from __future__ import annotations

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

    Compression is recognised by content. Raises OSError where the file cannot be read, and EOFError, lzma.LZMAError or
    cramjam.DecompressionError where it is cut short or damaged.
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
        return io.BufferedReader(_Zstd(buffered))  # type: ignore[type-var]
    return buffered


class _Zstd(io.RawIOBase):
    """A zstd stream as a raw file."""

    def __init__(self, file: BinaryIO) -> None:
        self._stream = cramjam.zstd.Decompressor()
        self._file = file
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        while not self._left:
            chunk = self._file.read(1 << 16)
            if not chunk:
                return 0
            self._stream.decompress(chunk)
            self._left = memoryview(bytes(self._stream.flush()))
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _lines(file: BinaryIO) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    number = 0
    while line := file.readline(LINE_LIMIT + 2):
        number += 1
        if len(line) > LINE_LIMIT + 1:
            size = len(line)
            while line and not line.endswith(b"\n"):
                line = file.readline(LINE_LIMIT)
                size += len(line)
            yield number, Rejection("too_large", "", f"{size:,} bytes, at most {LINE_LIMIT:,}")
        elif line.strip():
            yield number, decode_event(line)
