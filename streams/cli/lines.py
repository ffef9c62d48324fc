"""Events from the files of a command line, and the words for lines that are none."""

from __future__ import annotations

from collections.abc import Iterator

from models.decode import Rejection
from models.events import AnyEvent
from streams.cli.command import Trouble
from streams.sources.files import DAMAGED, Look, read_events
from streams.sources.traces import SUFFIX, read_trace


def read(file: str, also: Look | None = None) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    """Line numbers with events, or with why there is none. Raises Trouble where the file cannot be read to its end.

    `also` is shown each line of JSON as it is; a trace has its own words, which its reader checks."""
    try:
        yield from read_trace(file) if file.endswith(SUFFIX) else read_events(file, also)
    except DAMAGED as error:
        raise Trouble(f"{file}: cut short or damaged: {error}") from error
    except OSError as error:
        raise Trouble(f"{file}: {error.strerror or f'cut short or damaged: {error}'}") from error


def refusal(file: str, line: int, rejection: Rejection) -> str:
    """One line about a bad event: where, which field, what is wrong."""
    path = f" ({rejection.path})" if rejection.path else ""
    return f"{file}:{line}: {rejection.reason}{path}: {rejection.detail}"
