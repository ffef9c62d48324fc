"""Events from `*.trace` files: the text notation of models/notation, which people write by hand. Read line by line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from models.decode import Rejection
from models.events import AnyEvent
from models.notation import parse_lines

SUFFIX = ".trace"


def read_trace(path: str) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    """(line number from 1, event or why not); comments, dates and blank lines are passed over. Raises OSError."""
    with Path(path).open(
        encoding="utf-8", errors="surrogateescape"
    ) as file:  # bytes that are no text reach the decoder, which says so
        yield from parse_lines(file)
