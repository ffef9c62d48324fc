"""Logs not written for this program, told from files of events by content, and parsed record by record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import BinaryIO, TypeAlias

from models.decode import Rejection
from models.events import AnyEvent
from streams.settings import Settings
from streams.sources import documents
from streams.sources.files import LINE_LIMIT, Look, decode_line, head, lines, opened
from streams.sources.in_order import Item, TakenFor, parsed
from streams.sources.kinds import KINDS
from streams.sources.mapping.rules import Rule
from streams.sources.mapping.source import claimed, rules_of
from streams.sources.source import Origin, Source

_JAEGERS = re.compile(rb'"trace(?:ID|Id|IdLow)"\s*:')  # beside an operationName

Position: TypeAlias = tuple[int, int]  # the number of a file among those of a command line, and of a line in it


class LogFile:
    """One file: read as what its content shows it to be, or as `kind`. `number` is its own among those of the command line.

    `kind` is None until the content has shown it, and "" for a file of events; `source` is of a log alone. `event_line` is shown each
    line of a file of events, `taken_for` each record of a log with what it was counted as."""

    def __init__(
        self,
        settings: Settings,
        origin: Origin,
        number: int,
        path: str,
        kind: str = "",
        event_line: Look | None = None,
        taken_for: TakenFor | None = None,
    ) -> None:
        self.path = path
        self.kind: str | None = kind or None
        self.source: Source | None = None
        self._settings = settings
        self._origin = origin
        self._number = number
        self._event_line = event_line
        self._taken_for = taken_for

    def items(self) -> Iterator[tuple[Position, Item]]:
        """Where each stood, and what it is by itself. Raises what `read_lines` does."""
        with opened(self.path) as file:
            kind = self.kind or _by_head(file)
            if kind:
                split = KINDS[kind].split or _long_lines
                yield from self._log(split(file), kind)
            else:
                whole = documents.spans_lines(head(file))
                yield from self._recognised(documents.split(file) if whole else _long_lines(file))

    def _recognised(self, rest: Iterator[tuple[int, bytes | Rejection]]) -> Iterator[tuple[Position, Item]]:
        """By the first line that is anything; what comes before it is bad."""
        for number, line in rest:
            event = self._event(line)
            if isinstance(event, Rejection) and not isinstance(line, Rejection):
                kind = _by_line(line) or ("json" if event.reason == "not_cloudevents" and claimed(line, self._rules) else "")
                if kind:
                    yield from self._log(chain([(number, line)], rest), kind)
                    return
            if not isinstance(event, Rejection):  # so it is a file of events, whatever else stands in it
                self.kind = ""
            yield self._at(number), event
            if self.kind == "":
                yield from ((self._at(number), self._event(line)) for number, line in rest)
                return

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        return rules_of(self._settings) if self._settings.map else ()

    def _event(self, line: bytes | Rejection) -> AnyEvent | Rejection:
        if isinstance(line, Rejection):
            return line
        if len(line) > LINE_LIMIT + 1:  # as an event; a list of audit events may be far longer
            return Rejection("too_large", "", f"{len(line):,} bytes, at most {LINE_LIMIT:,}")
        if self._event_line is not None:
            self._event_line(line)
        return _decoded(line)

    def _log(self, records: Iterable[tuple[int, bytes | Rejection]], kind: str) -> Iterator[tuple[Position, Item]]:
        self.kind, self.source = kind, KINDS[kind].open(self._settings, self._origin)
        return parsed(records, self.source, self._at, self._taken_for)

    def _at(self, line: int) -> Position:
        return self._number, line


def _long_lines(file: BinaryIO) -> Iterator[tuple[int, bytes | Rejection]]:
    """A webhook's batch, or an export, is one line of many records."""
    return lines(file, documents.LIMIT)


def _decoded(document: bytes) -> AnyEvent | Rejection:
    """The event of a line or document. What is Jaeger's own is told so: its readers have a better way in."""
    event = decode_line(document)
    if (
        isinstance(event, Rejection)
        and event.reason == "not_cloudevents"
        and b'"operationName"' in document
        and _JAEGERS.search(document)
    ):
        return Rejection(
            "unknown_type", "", "Jaeger's own JSON: export the traces as OTLP, or write [[map]] rules (docs/mapping.md)"
        )
    return event


def _by_head(file: BinaryIO) -> str:
    start = head(file)
    return next((name for name, kind in KINDS.items() if kind.split is not None and kind.recognised(start)), "")


def _by_line(line: bytes) -> str:
    return next((name for name, kind in KINDS.items() if kind.split is None and kind.recognised(line)), "")
