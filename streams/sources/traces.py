"""Events from `*.trace` files: the text notation of models/notation, which people write by hand. Read line by line, compressed or not."""

from __future__ import annotations

import io
from collections.abc import Iterator

from models.decode import Rejection
from models.events import AnyEvent
from models.notation import parse_lines
from streams.sources.files import opened

SUFFIX = ".trace"
_SUFFIXES = (SUFFIX, *(SUFFIX + packed for packed in (".gz", ".xz", ".zst")))


def is_trace(path: str) -> bool:
    """Whether the name says that the file holds the notation."""
    return path.endswith(_SUFFIXES)


def read_trace(path: str) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    """(line number from 1, event or why not); comments, dates and blank lines are passed over. "-" is standard input. Raises as
    `read_lines`."""
    with opened(path) as file:  # bytes that are no text reach the decoder, which says so
        yield from parse_lines(io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape"))
