"""Which knobs name an object: from a name, such as "dns/plan/100", to the current writes and declared intents whose value it is, or has.

Texts and members of sets are names as they stand. So that `plan` 100 on a knob is found by "dns/plan/100" too, the last part of a name is
looked up as well, where the part before it is the knob's parameter; numbers are kept for that where they are the write's version too.
"""

from __future__ import annotations

from itertools import islice
from typing import TypeAlias

from models.events import Action, key
from models.intents import Declared, desired
from models.values import text

MEMBERS = 64  # of a set, how many are remembered as names
MOST = 8  # newest knobs and intents that one name answers

Place: TypeAlias = tuple[str, str, str]  # resource, parameter, and who intends it ("" for a write)


class References:
    """The inverted index of one domain: each current write and each declared intent has one entry per name in its value."""

    def __init__(self) -> None:
        self._present: dict[Place, Declared] = {}
        self._intents = 0  # of them, declared without a write
        self._naming: dict[str, dict[Place, Declared]] = {}  # in the order of the events

    def install(self, event: Declared) -> None:
        """Takes in the next write or intent, or a fact; never replaces a newer one by an older one."""
        place = _place(event)
        if self._intents and isinstance(event, Action):  # its agent's own declared intent is done with
            declared = self._present.get((event.resource, event.parameter, event.agent))
            if declared is not None and key(declared) < key(event):
                self._remove(_place(declared), declared)
        old = self._present.get(place)
        names = _names(event)
        if old is None and not names:
            return
        if old is not None:
            if key(old) >= key(event):
                return
            self._remove(place, old)
        if names:
            self._present[place] = event
            self._intents += place[2] != ""
            for name in names:
                self._naming.setdefault(name, {})[place] = event

    def drop(self, fact: Declared) -> None:
        """This fact has been given up; newer ones stay."""
        place = _place(fact)
        if self._present.get(place) == fact:
            self._remove(place, fact)

    def to(self, name: str) -> list[Declared]:
        """The newest current writes and intents that name this object, in canonical order."""
        found = list(islice(reversed(self._naming.get(name, {}).values()), MOST))
        head, _, last = name.rpartition("/")
        if head:
            parameter = head.rpartition("/")[2]
            alike = islice(reversed(self._naming.get(last, {}).values()), MOST)
            found += [event for event in alike if event.parameter == parameter]
        return sorted(found, key=key)[-MOST:]

    def _remove(self, place: Place, event: Declared) -> None:
        del self._present[place]
        self._intents -= place[2] != ""
        for name in _names(event):
            naming = self._naming[name]
            del naming[place]
            if not naming:
                del self._naming[name]


def _place(event: Declared) -> Place:
    return (event.resource, event.parameter, "" if isinstance(event, Action) else event.agent)


def _names(event: Declared) -> list[str]:
    if not isinstance(event, Action) and event.closed:
        return []
    value = desired(event)
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return sorted({member for member in value if isinstance(member, str)})[:MEMBERS]
    if isinstance(event, Action) and event.version is not None and value == event.version and not isinstance(value, bool):
        return [text(event.version)]
    return []
