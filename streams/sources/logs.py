"""Logs not written for this program, told from files of events by content. A new source is a package here and a line in LOGS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from models.decode import Rejection
from models.events import AnyEvent
from streams.sources import kubernetes
from streams.sources.files import decode_line, read_lines


class Reader(Protocol):
    """Turns the lines of one log into events, in the log's own order; `counts` says what was passed over, and why."""

    counts: Counter[str]

    def feed(self, number: int, line: bytes) -> Iterator[tuple[int, AnyEvent | Rejection]]:
        """Takes in one line. Never raises on bad input."""

    def finish(self) -> Iterator[tuple[int, AnyEvent | Rejection]]:
        """What still waits."""


class Log(NamedTuple):
    """A source: how a line of it is recognised, and its reader, which is given the cluster's name."""

    recognised: Callable[[bytes], bool]
    reader: Callable[[str], Reader]


LOGS: dict[str, Log] = {
    "k8s-audit": Log(kubernetes.recognised, kubernetes.Audit),
}


def read_log(path: str, source: str, cluster: str, counts: dict[str, Counter[str]]) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    """(line number, event or why not) of a log of `source`; "" is whatever the first line that is anything shows it to be.

    What was passed over is added to `counts`, by source. Raises what `read_lines` does.
    """
    reader = LOGS[source].reader(cluster) if source else None
    native = False
    for number, line in read_lines(path):
        if isinstance(line, Rejection):
            yield number, line
            continue
        if reader is None and not native:
            source = next((name for name, log in LOGS.items() if log.recognised(line)), "")
            reader = LOGS[source].reader(cluster) if source else None
        if reader is not None:
            yield from reader.feed(number, line)
            continue
        event = decode_line(line)
        native = native or not isinstance(event, Rejection)
        yield number, event
    if reader is not None:
        yield from reader.finish()
        counts.setdefault(source, Counter()).update(reader.counts)
