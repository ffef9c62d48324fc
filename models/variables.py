"""What was written where: per (resource, name) the newest writes within the memory, and the last one before them.

A *knob* is (resource, parameter) and is written by applied actions; a *state* is (resource, metric) and is written by transitions. Reads
are resolved against both. Everything here is a function of the list of events within the memory and of the facts that left it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from msgspec import UNSET, UnsetType

from models.events import Action, Event, Transition, Value, Version
from models.values import same

BY_VERSION = 0.95  # a read whose version, or value written once, names the write
BY_TIME = 0.85  # the last write before the observation

Name = tuple[str, str]


class Install:
    """A write that happened, as the graph keeps it."""

    __slots__ = ("event",)

    def __init__(self, event: Event) -> None:
        self.event = event


def variable(event: Event) -> Name | None:
    """What an event writes; None where it writes nothing."""
    if isinstance(event, Action):
        return (event.resource, event.parameter) if event.outcome == "applied" else None
    if isinstance(event, Transition):
        return (event.resource, event.metric)
    return None


def written(event: Event) -> Value | UnsetType:
    """The value an event installed."""
    if isinstance(event, Action):
        return event.new
    return event.after if isinstance(event, Transition) else UNSET


def _version(event: Event) -> Version:
    return event.version if isinstance(event, Action) else None


class Variables:
    """All variables of one domain."""

    def __init__(self, writes: int) -> None:
        self._most = writes
        self._recent: dict[Name, deque[Install]] = {}
        self._aged: dict[Name, Action] = {}

    def recent(self, name: Name) -> Iterable[Install]:
        """The newest writes within the memory, oldest first."""
        return self._recent.get(name, ())

    def actions(self, name: Name) -> list[Action]:
        """The newest writes within the memory that are actions, oldest first."""
        return [install.event for install in self._recent.get(name, ()) if isinstance(install.event, Action)]

    def current(self, name: Name, oldest_fact: int) -> Action | None:
        """The last applied action on a knob, from the memory or, if not older than `oldest_fact` (ns), from the facts."""
        for install in reversed(self._recent.get(name, ())):
            if isinstance(install.event, Action):
                return install.event
        aged = self._aged.get(name)
        return aged if aged is not None and aged.time >= oldest_fact else None

    def install(self, install: Install) -> None:
        """Takes in the next write in canonical order."""
        name = variable(install.event)
        if name is None:
            return
        ring = self._recent.get(name)
        if ring is None:
            ring = self._recent[name] = deque(maxlen=self._most)
        ring.append(install)

    def forget(self, event: Event) -> None:
        """`event`, the oldest of the memory, has left it."""
        name = variable(event)
        ring = self._recent.get(name) if name is not None else None
        if name is None or ring is None:
            return
        while ring and ring[0].event.time <= event.time:
            ring.popleft()
        if not ring:
            del self._recent[name]

    def remember(self, fact: Action) -> None:
        """A last write that has left the memory and still holds; never replaced by an older one."""
        name = (fact.resource, fact.parameter)
        old = self._aged.get(name)
        if old is None or (old.time, old.source, old.id) < (fact.time, fact.source, fact.id):
            self._aged[name] = fact

    def drop(self, name: Name) -> None:
        """The fact about this knob has been given up."""
        self._aged.pop(name, None)

    def read_from(self, action: Action, earliest: int) -> Iterator[tuple[Install, float]]:
        """Writes not older than `earliest` (ns) that the action read, with the probability that it did."""
        for read in action.reads:
            ring = self._recent.get((read.resource, read.metric))
            if ring:
                until = action.time if read.time is None else min(read.time, action.time)
                found = _resolve(ring, read.value, read.version, earliest, until)
                if found is not None:
                    yield found
        if action.old is not UNSET:
            ring = self._recent.get((action.resource, action.parameter))
            if ring and ring[-1].event.time >= earliest:
                last = ring[-1].event  # what it found there: an implicit read. One's own last write tells nothing about others.
                if isinstance(last, Action) and last.agent != action.agent and same(last.new, action.old):
                    once = sum(same(written(i.event), action.old) for i in ring if i.event.time >= earliest) == 1
                    yield ring[-1], BY_VERSION if once else BY_TIME


def _resolve(
    ring: deque[Install], value: Value | UnsetType, version: Version, earliest: int, until: int
) -> tuple[Install, float] | None:
    within = [install for install in ring if install.event.time >= earliest]
    if version is not None:
        for install in reversed(within):
            if _version(install.event) == version:
                return install, BY_VERSION
    before = [install for install in within if install.event.time <= until]
    if value is not UNSET:
        equal = [install for install in before if same(written(install.event), value)]
        if len(equal) == 1:
            return equal[0], BY_VERSION
        if equal:
            return equal[-1], BY_TIME
        # a knob's value that nobody wrote was not read from it; a metric's value need not be what the alert about it said
        before = [install for install in before if isinstance(install.event, Transition)]
    return (before[-1], BY_TIME) if before else None
