"""What a source is: it recognises its records and parses them, one by one; what has to be in order first is translated by a fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import BinaryIO, NamedTuple, Protocol, TypeAlias

import msgspec

from models.events import AnyEvent
from models.foreign import Foreign, Found, Place, Translator
from models.instants import SECOND
from models.rejection import Rejection
from streams.settings import Settings

Headers: TypeAlias = Sequence[tuple[str, bytes]]


UNNAMED = "cluster"  # what a cluster is called that neither the operator nor its log names


class Origin(NamedTuple):
    """What a record does not say of itself, and the operator does."""

    cluster: str = UNNAMED  # names resources: k8s/<cluster>/...
    domain: str = "default"  # of all its events
    rules: tuple[str, ...] = ()  # names of the `[[map]]` rules for it; none: all


class Source(Protocol):
    """One partition's, or one file's."""

    @property
    def counts(self) -> Counter[str]:
        """What was passed over in parsing, by why; and what was taken, by what it is called ("changes")."""

    def parse(self, value: bytes, headers: Headers, place: Place) -> Sequence[AnyEvent | Foreign | Rejection]:
        """What one record, or one line, holds: events that need no more, what is to be ordered first, and why not. Never raises.

        Looks at nothing but the record. `place` goes into each `Foreign`."""

    def fold(self) -> Translator:
        """A new fold, empty, for what `parse` answers as `Foreign`. Of a source without such records it stays empty."""


class Nothing:
    """A `Translator` that is given nothing: every record of this source is an event at once."""

    delay = 0

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def translate(self, record: Foreign) -> Sequence[Found]:
        """See `Translator`."""
        return ()

    def passed(self, time: int) -> Sequence[Found]:
        """See `Translator`."""
        return ()


def without_fold(settings: Settings) -> int:
    """The pane (ns) of a kind whose fold is `Nothing`: no earlier record has to be known, so a restart reads none again."""
    return SECOND


class Kind(NamedTuple):
    """A kind of source, as `[[source]] kind = ...` and `analyze --source` name it."""

    recognised: Callable[
        [bytes], bool
    ]  # whether a line of a file is one of its records; with `split`, whether a file's head is its
    open: Callable[[Settings, Origin], Source]
    taken: str = "changes"  # which of `counts` is what was taken,
    meaning: str = "requests that may change something"  # and how that is told
    split: Callable[[BinaryIO], Iterator[tuple[int, bytes | Rejection]]] | None = None  # (line number, record); None: by lines
    pane: Callable[[Settings], int] = lambda settings: (
        settings.analysis.memory
    )  # ns, of `models.panes`: what its fold needs to know
    hints: Mapping[str, str] = MappingProxyType({})  # what to do, by which of `counts` it is that could have been events
    unlike: Mapping[str, str] = MappingProxyType({})  # what workers would tell otherwise, by which of `counts` it is


def unquoted(value: bytes) -> bytes:
    """The line within a record that is a JSON text, as the OpenTelemetry collector's encoding `raw` writes lines of a log that it ships.

    Anything else stays as it is, and a text that holds no JSON too.
    """
    if value[:1] != b'"':
        return value
    try:
        line = msgspec.json.decode(value, type=str).encode()
    except (msgspec.DecodeError, UnicodeError):
        return value
    return line if line.lstrip()[:1] in (b"{", b"[") else value
