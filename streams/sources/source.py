"""What a source is: it recognises its records, parses them, and translates them in order. One object for each partition or file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from models.events import AnyEvent
from models.foreign import Foreign, Translator
from models.rejection import Rejection
from streams.settings import Settings

Headers: TypeAlias = Sequence[tuple[str, bytes]]


class Origin(NamedTuple):
    """What a record does not say of itself, and the operator does."""

    cluster: str = "cluster"  # names resources: k8s/<cluster>/...
    domain: str = "default"  # of all its events


class Source(Translator, Protocol):
    """One partition's, or one file's."""

    def parse(self, value: bytes, headers: Headers) -> Sequence[AnyEvent | Foreign | Rejection]:
        """What one record, or one line, holds: events that need no more, what is to be ordered first, and why not. Never raises."""


class Kind(NamedTuple):
    """A kind of source, as `[[source]] kind = ...` and `analyze --source` name it."""

    recognised: Callable[[bytes], bool]  # whether a line of a file is one of its records
    open: Callable[[Settings, Origin], Source]
