"""Events from files: one JSON object per line, compressed or not, or standard input. Read line by line, so size does not matter."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias, TypeVar

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
T = TypeVar("T")

_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"))


class Unreadable(Exception):
    """A file that cannot be read to its end; the text names it."""


def guarded(path: str, read: Iterable[T]) -> Iterator[T]:
    """The same. Raises Unreadable where reading raises OSError or one of DAMAGED."""
    try:
        yield from read
    except DAMAGED as error:
        tool = {".xz": "xzcat", ".zst": "zstdcat"}.get(Path(path).suffix, "zcat")
        rest = (
            "" if path == "-" else f"; to read what is whole of it: {tool} {path}, piped into the same command with - as the file"
        )
        raise Unreadable(f"{path}: cut short or damaged: {error}{rest}") from error
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or f'cut short or damaged: {error}'}") from error


def read_events(path: str, also: Look | None = None) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    """(line number from 1, event or why not). `also` is shown each line as it is. Otherwise as `read_lines`."""
    for number, line in read_lines(path):
        if isinstance(line, Rejection):
            yield number, line
            continue
        if also is not None:
            also(line)
        yield number, decode_line(line)


def decode_line(line: bytes) -> AnyEvent | Rejection:
    """The event of one line. A line that begins an array, as other programs write events, is told what to do."""
    event = decode_event(line)
    if isinstance(event, Rejection) and line.lstrip().startswith(b"["):
        return msgspec.structs.replace(event, detail=f"{event.detail}; one object per line, no array: jq -c '.[]' FILE")
    return event


def read_lines(path: str) -> Iterator[tuple[int, bytes | Rejection]]:
    """(line number from 1, line or why it cannot be taken); blank lines are passed over. "-" is standard input.

    Compression is recognised by content, and a byte order mark is passed over. Raises OSError where the file cannot be read, and
    that or one of DAMAGED where it is cut short or damaged.
    """
    with opened(path) as file:
        yield from lines(file)


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """The file's content, decompressed; it can `peek`. Raises as `read_lines`."""
    if path == "-":
        yield _decompressed(sys.stdin.buffer)
        return
    with Path(path).open("rb") as file:
        yield _decompressed(file)


def head(file: BinaryIO) -> bytes:
    """How the content begins, some kilobytes; nothing of it is taken away."""
    peek: Callable[[int], bytes] = file.peek  # type: ignore[attr-defined]  # of whatever `opened` answers
    return peek(8192).removeprefix(codecs.BOM_UTF8)


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


def lines(file: BinaryIO, limit: int = LINE_LIMIT) -> Iterator[tuple[int, bytes | Rejection]]:
    """As `read_lines`; `limit` is in bytes, without the end of the line."""
    number = 0
    while line := file.readline(limit + 2):
        number += 1
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) > limit + 1:
            size = len(line)
            while line and not line.endswith(b"\n"):
                line = file.readline(limit)
                size += len(line)
            yield number, Rejection("too_large", "", f"{size:,} bytes, at most {limit:,}")
        elif line.strip():
            yield number, line
