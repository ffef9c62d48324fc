"""Logs not written for this program, told from files of events by content, and read as events."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from models.decode import Rejection
from models.events import AnyEvent
from streams.settings import Settings
from streams.sources import documents
from streams.sources.files import decode_line, head, lines, opened
from streams.sources.in_order import translated
from streams.sources.kinds import KINDS
from streams.sources.source import Origin

_JAEGER = re.compile(rb'"trace(ID|Id|IdLow)"\s*:.*"operationName"|"operationName".*"trace(ID|Id|IdLow)"\s*:', re.S)


def read_log(
    path: str, kind: str, settings: Settings, origin: Origin, counts: dict[str, Counter[str]]
) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    """(line number, event or why not) of a log of `kind`; "" is whatever its content shows it to be, else events.

    What was passed over is added to `counts`, by kind. Raises what `read_lines` does.
    """
    with opened(path) as file:
        kind = kind or _by_head(file)
        if kind:
            split = KINDS[kind].split or lines
            yield from _translated(split(file), kind, settings, origin, counts)
            return
        rest = documents.split(file) if documents.spans_lines(head(file)) else lines(file)
        for number, line in rest:
            event = line if isinstance(line, Rejection) else _decoded(line)
            if isinstance(event, Rejection) and not isinstance(line, Rejection):
                kind = _by_line(line)
                if kind:
                    yield from _translated(_and(number, line, rest), kind, settings, origin, counts)
                    return
            yield number, event
            if not isinstance(event, Rejection):  # so it is a file of events, whatever else stands in it
                yield from ((n, each if isinstance(each, Rejection) else decode_line(each)) for n, each in rest)
                return


def _translated(
    records: Iterator[tuple[int, bytes | Rejection]], kind: str, settings: Settings, origin: Origin, counts: dict[str, Counter[str]]
) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    source = KINDS[kind].open(settings, origin)
    yield from translated(records, source, KINDS[kind].pane(settings), counts.setdefault(kind, Counter()))


def _decoded(document: bytes) -> AnyEvent | Rejection:
    """The event of a line or document. What is Jaeger's own is told so: its readers have a better way in."""
    event = decode_line(document)
    if isinstance(event, Rejection) and event.reason == "not_cloudevents" and _JAEGER.search(document):
        return Rejection(
            "unknown_type", "", "Jaeger's own JSON: export the traces as OTLP, or write [[map]] rules (docs/mapping.md)"
        )
    return event


def _by_head(file: BinaryIO) -> str:
    start = head(file)
    return next((name for name, kind in KINDS.items() if kind.split is not None and kind.recognised(start)), "")


def _by_line(line: bytes) -> str:
    return next((name for name, kind in KINDS.items() if kind.split is None and kind.recognised(line)), "")


def _and(number: int, line: bytes, rest: Iterator[tuple[int, bytes | Rejection]]) -> Iterator[tuple[int, bytes | Rejection]]:
    yield number, line
    yield from rest
