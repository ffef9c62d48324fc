"""Things that are made and unmade under ever new names, kept by their owner: the pods of a workload, the nodes of a pool.

An owner is what the action names as `owner`, else the path above the resource. A thing is made by a write from null, or one whose verb
says so, and unmade likewise. Kept are the newest such writes of each owner within the memory; `lives` chains them: a thing made after
another of the same owner was unmade takes its place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from msgspec import UNSET

from models.events import Action, Event

MADE = frozenset({"create", "launch", "provision", "spawn", "start", "schedule", "recreate"})
UNMADE = frozenset({"delete", "terminate", "evict", "remove", "destroy", "drain", "kill", "stop", "preempt", "deprovision"})
NEWEST = 64  # writes of one owner that are looked at


def owner_of(action: Action) -> str:
    """The lasting thing behind a name; "" where there is none."""
    return action.owner or action.resource.rpartition("/")[0]


def made(action: Action) -> bool | None:
    """True where the write makes its resource, false where it unmakes it, None where it does neither."""
    if action.outcome != "applied":
        return None
    if action.old is None and action.new is not UNSET and action.new is not None:
        return True
    if action.new is None and action.old is not None:
        return False
    if action.new is not UNSET and action.old is not UNSET and action.new is not None:
        return None  # a value that became another one
    return True if action.verb in MADE else False if action.verb in UNMADE else None


def may_make(action: Action) -> bool:
    """A necessary sign: `made` may have an answer. Most writes turn one value into another."""
    old, new = action.old, action.new
    return old is None or new is None or old is UNSET or new is UNSET


class Lifecycles:
    """Of one domain."""

    def __init__(self) -> None:
        self._owners: dict[str, deque[Action]] = {}

    def turns(self, action: Action) -> bool:
        """In O(1): the write makes or unmakes something of an owner of whom something was made or unmade before."""
        return may_make(action) and made(action) is not None and owner_of(action) in self._owners

    def add(self, event: Event) -> None:
        """Takes in the next write in canonical order."""
        if isinstance(event, Action) and made(event) is not None:
            owner = owner_of(event)
            if owner:
                self._owners.setdefault(owner, deque(maxlen=NEWEST)).append(event)

    def forget(self, event: Event) -> None:
        """`event`, the oldest of the memory, has left it."""
        if isinstance(event, Action) and made(event) is not None:
            owner = owner_of(event)
            kept = self._owners.get(owner)
            while kept and kept[0].time <= event.time:
                kept.popleft()
            if kept is not None and not kept:
                del self._owners[owner]

    def of(self, owner: str) -> list[Action]:
        """The newest writes that made or unmade things of this owner, oldest first."""
        return list(self._owners.get(owner, ()))


def lives(writes: Sequence[Action]) -> list[Action]:
    """The chain that ends in the last of these writes of one owner: made, unmade, the next made in its place, unmade, ...

    What is made takes the place of what was unmade last and has no successor yet; a thing made again under its own name takes its own.
    """
    behind: dict[int, int] = {}  # write -> the one before it in its chain
    alive: dict[str, int] = {}
    vacant: list[int] = []
    for i, write in enumerate(writes):
        if made(write):
            own = next((j for j in reversed(vacant) if writes[j].resource == write.resource), None)
            place = own if own is not None else (vacant[-1] if vacant else None)
            if place is not None:
                vacant.remove(place)
                behind[i] = place
            alive[write.resource] = i
        else:
            born = alive.pop(write.resource, None)
            if born is not None:
                behind[i] = born
            vacant.append(i)
    chain = [len(writes) - 1]
    while chain[-1] in behind:
        chain.append(behind[chain[-1]])
    return [writes[i] for i in reversed(chain)]
