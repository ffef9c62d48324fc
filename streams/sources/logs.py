"""Logs not written for this program, told from files of events by content, and read as events."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, TypeAlias

from models.decode import Rejection
from models.events import AnyEvent
from streams.settings import Settings
from streams.sources import documents
from streams.sources.files import Look, decode_line, head, lines, opened
from streams.sources.in_order import TakenFor, translated
from streams.sources.kinds import KINDS
from streams.sources.source import Origin

_JAEGER = re.compile(rb'"trace(ID|Id|IdLow)"\s*:.*"operationName"|"operationName".*"trace(ID|Id|IdLow)"\s*:', re.S)

Numbered: TypeAlias = tuple[int, AnyEvent | Rejection]


class LogReader:
    """Reads files as what their content shows them to be, or as `kind`. `counts`: what was passed over, by kind.

    `event_line` is shown each line of a file of events, `taken_for` each record of a log with what it was counted as."""

    def __init__(
        self, settings: Settings, origin: Origin, kind: str = "", event_line: Look | None = None, taken_for: TakenFor | None = None
    ) -> None:
        self.counts: dict[str, Counter[str]] = {}
        self._settings = settings
        self._origin = origin
        self._kind = kind
        self._event_line = event_line
        self._taken_for = taken_for

    def read(self, path: str) -> Iterator[Numbered]:
        """(line number, event or why not). Raises what `read_lines` does."""
        with opened(path) as file:
            kind = self._kind or _by_head(file)
            if kind:
                split = KINDS[kind].split or lines
                yield from self._translated(split(file), kind)
            else:
                whole = documents.spans_lines(head(file))
                yield from self._recognised(documents.split(file) if whole else lines(file))

    def _recognised(self, rest: Iterator[tuple[int, bytes | Rejection]]) -> Iterator[Numbered]:
        """By the first line that is anything; what comes before it is bad."""
        for number, line in rest:
            event = self._event(line)
            if isinstance(event, Rejection) and not isinstance(line, Rejection):
                kind = _by_line(line)
                if kind:
                    yield from self._translated(chain([(number, line)], rest), kind)
                    return
            yield number, event
            if not isinstance(event, Rejection):  # so it is a file of events, whatever else stands in it
                yield from ((number, self._event(line)) for number, line in rest)
                return

    def _event(self, line: bytes | Rejection) -> AnyEvent | Rejection:
        if isinstance(line, Rejection):
            return line
        if self._event_line is not None:
            self._event_line(line)
        return _decoded(line)

    def _translated(self, records: Iterable[tuple[int, bytes | Rejection]], kind: str) -> Iterator[Numbered]:
        source = KINDS[kind].open(self._settings, self._origin)
        counts = self.counts.setdefault(kind, Counter())
        yield from translated(records, source, KINDS[kind].pane(self._settings), counts, taken_for=self._taken_for)


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
