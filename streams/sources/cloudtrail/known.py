"""What the log itself has told of each knob: CloudTrail says what was asked for, hardly ever what stood before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias, TypeVar

from msgspec import UNSET, UnsetType

from models.events import Value

MOST = 50_000  # knobs; the one that was not written for longest goes first
MEMBERS = 1000  # of a set

Knob: TypeAlias = tuple[str, str]  # resource, parameter
K = TypeVar("K")
T = TypeVar("T")


class Known:
    """Of one log, in canonical order."""

    def __init__(self, most: int = MOST) -> None:
        self._values: dict[Knob, Value] = {}
        self._sets: dict[Knob, dict[str, bool]] = {}  # member -> whether it is in; of members that moved
        self._owners: dict[str, str] = {}
        self._calls: dict[str, bool] = {}
        self._most = most

    def value(self, knob: Knob) -> Value | UnsetType:
        """What the knob was last set to; UNSET where the log does not tell."""
        return self._values.get(knob, UNSET)

    def put(self, knob: Knob, value: Value) -> None:
        """The knob was set."""
        kept(self._values, knob, value, self._most)

    def moved(self, knob: Knob, enter: Iterable[str], leave: Iterable[str]) -> tuple[Value, Value]:
        """Members enter and leave a set; answers it before and after, as far as the log has named members."""
        members = dict(self._sets.get(knob, {}))
        came, gone = list(enter), _matching(members, leave)
        before = {name for name, inside in members.items() if inside}
        before |= {name for name in gone if name not in members}  # what leaves was in it
        for name in (*came, *gone):
            members.pop(name, None)
            members[name] = name in came
        kept(self._sets, knob, dict(list(members.items())[-MEMBERS:]), self._most)
        after = (before | set(came)) - set(gone)
        return tuple(sorted(before)[:MEMBERS]), tuple(sorted(after)[:MEMBERS])

    def owner(self, resource: str) -> str:
        """Of which group an instance was launched; "" where the log does not tell."""
        return self._owners.get(resource, "")

    def own(self, resource: str, owner: str) -> None:
        """The instance was launched for a group."""
        kept(self._owners, resource, owner, self._most)

    def repeated(self, call: str) -> bool:
        """Whether this call was told before, by the trail of another account."""
        before = call in self._calls
        kept(self._calls, call, True, self._most)
        return before


def kept(all_: dict[K, T], name: K, value: T, most: int) -> None:
    """Writes it, as the newest; of more than `most` the oldest goes."""
    all_.pop(name, None)
    all_[name] = value
    if len(all_) > most:
        del all_[next(iter(all_))]


def _matching(members: Iterable[str], leave: Iterable[str]) -> list[str]:
    """A target that leaves without a port leaves with all of its ports."""
    found = []
    for name in leave:
        whole = [member for member in members if member.startswith(f"{name}:")]
        found += whole if whole and name not in members else [name]
    return found
