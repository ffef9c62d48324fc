"""What valid events leave out or misspell: nothing of it stops them, and all of it weakens what can be concluded (contract, section 1)."""

from __future__ import annotations

import codecs
from difflib import get_close_matches
from typing import get_args

import msgspec
from msgspec import UNSET, Raw
from msgspec.structs import fields

from models.events import Action, AnyEvent
from models.wire import WireEvent

ALIKE = 0.75  # likeness (difflib) from which an unknown field is taken for a known one


class Omissions:
    """Counts over the events of a run. Reads and causes count alike for an action, `old` only where it wrote something."""

    def __init__(self) -> None:
        self.actions = self.writes = self.without_old = self.without_reasons = self.without_parameter = 0

    def add(self, event: AnyEvent) -> None:
        """Counts an event."""
        if not isinstance(event, Action):
            return
        self.actions += 1
        self.without_reasons += not event.reads and not event.causes
        if event.outcome == "applied" and event.new is not UNSET:
            self.writes += 1
            self.without_old += event.old is UNSET
            self.without_parameter += event.parameter == event.verb  # what the decoder puts there instead

    def sentences(self) -> list[str]:
        """What is left out and what it costs, a sentence each."""
        told = []
        if self.without_old:
            told.append(
                f"{self.without_old:,} of {self.writes:,} writes carry no `old`: "
                "whose value they undo is seen only where the write before is known."
            )
        if self.without_parameter:
            told.append(
                f"{self.without_parameter:,} of {self.writes:,} writes name no `parameter`: "
                "their verb stands in for it, so that writes of one setting by different verbs do not meet."
            )
        if self.without_reasons:
            told.append(
                f"{self.without_reasons:,} of {self.actions:,} actions carry neither `reads` nor `causationid`: "
                "no cascade can be cited through them."
            )
        return told


class _Loose(msgspec.Struct):
    """An event of any kind, with all that its data hold."""

    type: str
    data: dict[str, Raw]


class Misspellings:
    """Fields of the data that nobody knows and that look like one that is known and is not there."""

    def __init__(self) -> None:
        self._known = {str(event.__struct_config__.tag): _data_fields(event) for event in get_args(WireEvent)}
        self._decode = msgspec.json.Decoder(_Loose).decode
        self._counts: dict[tuple[str, str], int] = {}  # (unknown, known) -> events
        self._meant: dict[tuple[str, str], str] = {}  # (type, unknown field) -> the known one, or ""

    def look(self, line: bytes) -> None:
        """Counts what a line misspells: decoded events no longer show their unknown fields. What is no event the decoder proper tells."""
        try:
            self.add(self._decode(line.removeprefix(codecs.BOM_UTF8)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return

    def add(self, event: _Loose) -> None:
        """Counts the misspelt fields of an event."""
        known = self._known.get(event.type, ())
        for name in event.data.keys() - known:
            meant = self._closest(event.type, name)
            if meant and meant not in event.data:
                self._counts[name, meant] = self._counts.get((name, meant), 0) + 1

    def sentences(self) -> list[str]:
        """One sentence per misspelling, with how many events have it."""
        return [
            f"data.{name} is unknown; did you mean data.{meant}? ({count:,} event{'' if count == 1 else 's'})"
            for (name, meant), count in sorted(self._counts.items())
        ]

    def _closest(self, kind: str, name: str) -> str:
        if (kind, name) not in self._meant:
            close = get_close_matches(name.lower(), self._known[kind], 1, ALIKE)
            self._meant[kind, name] = close[0] if close else ""
        return self._meant[kind, name]


def _data_fields(event: type[msgspec.Struct]) -> frozenset[str]:
    """The names, as they are sent, of what an event type's data may hold."""
    data = next(field.type for field in fields(event) if field.name == "data")
    return frozenset(field.encode_name for field in fields(data))
