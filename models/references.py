"""Which knobs name an object: from a name, such as "dns/plan/100", to the current writes and declared intents whose value it is, or has.

Texts and members of sets are names as they stand. So that `plan` 100 on a knob is found by "dns/plan/100" too, the last part of a name is
looked up as well, where the part before it is the knob's parameter; numbers are kept for that where they are the write's version too.
"""

from __future__ import annotations

from itertools import islice
from typing import TypeAlias

from models.events import Action, key
from models.intents import Declared
from models.values import text

MEMBERS = 64  # of a set, how many are remembered as names
MOST = 8  # newest knobs and intents that one name answers

Place: TypeAlias = tuple[str, str]  # on a resource: parameter, and who intends it ("" for a write)


class References:
    """The inverted index of one domain: each current write and each declared intent has one entry per name in its value."""

    def __init__(self) -> None:
        self._present: dict[str, dict[Place, Declared]] = {}  # by resource
        self._intents = 0  # of them, declared without a write
        self._naming: dict[str, dict[tuple[str, Place], Declared]] = {}  # with its resource, in the order of the events

    def install(self, event: Declared) -> None:
        """Takes in the next write or intent, or a fact; never replaces a newer one by an older one."""
        names, present = _names(event), self._present.get(event.resource)
        if present is None and not names:
            return
        place = _place(event)
        if present is not None:
            if self._intents and isinstance(event, Action):  # its agent's own declared intent is done with
                declared = present.get((event.parameter, event.agent))
                if declared is not None and key(declared) < key(event):
                    self._remove(_place(declared), declared)
            old = present.get(place)
            if old is not None:
                if key(old) >= key(event):
                    return
                self._remove(place, old)
        if names:
            self._present.setdefault(event.resource, {})[place] = event
            self._intents += place[1] != ""
            for name in names:
                self._naming.setdefault(name, {})[event.resource, place] = event

    def drop(self, fact: Declared) -> None:
        """This fact has been given up; newer ones stay."""
        place = _place(fact)
        if self._present.get(fact.resource, {}).get(place) == fact:
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
        present = self._present[event.resource]
        del present[place]
        if not present:
            del self._present[event.resource]
        self._intents -= place[1] != ""
        for name in _names(event):
            naming = self._naming[name]
            del naming[event.resource, place]
            if not naming:
                del self._naming[name]


def _place(event: Declared) -> Place:
    return (event.parameter, "" if isinstance(event, Action) else event.agent)


def _names(event: Declared) -> list[str] | tuple[()]:
    if isinstance(event, Action):
        value, version = event.new, event.version
    elif event.closed:
        return ()
    else:
        value, version = event.desired, None
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return sorted({member for member in value if isinstance(member, str)})[:MEMBERS]
    if version is not None and value == version and not isinstance(value, bool):
        return [text(version)]
    return ()
