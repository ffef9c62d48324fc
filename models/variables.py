"""What was written where: per (resource, name) the newest writes within the memory, and the last one before them.

A *knob* is (resource, parameter) and is written by applied actions; a *state* is (resource, metric) and is written by transitions. Reads
are resolved against both. Everything here is a function of the list of events within the memory and of the facts that left it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from itertools import islice

from msgspec import UNSET, UnsetType

from models.events import Action, Event, Transition, Value, Version
from models.values import number, same

BY_VERSION = 0.95  # a read whose version, or value written once, names the write
LOOKBACK = 16  # newest writes among which a value counts as written once
BY_TIME = 0.85  # the last write before the observation

Name = tuple[str, str]


def variable(event: Event) -> Name | None:
    """The knob or state that an event writes; None where it writes nothing."""
    if isinstance(event, Action):
        return (event.resource, event.parameter) if event.outcome == "applied" else None
    return (event.resource, event.metric) if isinstance(event, Transition) else None


class Install:
    """An event as the graph keeps it, with the value that it wrote."""

    __slots__ = ("event", "number", "odd", "turned", "value")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.value: Value | UnsetType = UNSET
        if isinstance(event, Action):
            self.value = event.new
        elif isinstance(event, Transition):
            self.value = event.after
        self.number = number(self.value)
        old = number(event.old) if isinstance(event, Action) and event.old is not UNSET and event.old is not None else 0.0
        self.odd = self.number is None or self.number < 0 or old is None or old < 0  # on no logarithmic scale
        self.turned = False  # it went the other way than the write before it: a necessary sign of a reversal


class _Ring:
    """The newest writes of one variable, how many of them turned, and how many are odd."""

    __slots__ = ("others", "turns", "writes")

    def __init__(self) -> None:
        self.writes: deque[Install] = deque()
        self.turns = 0
        self.others = 0

    def append(self, install: Install, most: int) -> None:
        install.turned = self._turns(install)
        self.turns += install.turned
        self.others += install.odd
        self.writes.append(install)
        if len(self.writes) > most:
            self.popleft()

    def popleft(self) -> None:
        gone = self.writes.popleft()
        self.turns -= gone.turned
        self.others -= gone.odd

    def _turns(self, install: Install) -> bool:
        writes = self.writes
        if not writes:
            return False
        now, last = install.number, writes[-1].number
        if now is None or last is None:
            newest = islice(reversed(writes), LOOKBACK)
            return any(same(earlier.value, install.value) for earlier in newest)
        before = writes[-2].number if len(writes) > 1 else number(getattr(writes[-1].event, "old", UNSET))
        return before is None or (now - last) * (last - before) <= 0

    def keeps_direction(self, value: Value | UnsetType, deadband: float) -> bool:
        """The write before moved by more than the dead band, on any scale, and this one moves on: no reversal can be here."""
        now = number(value)
        if self.others or len(self.writes) < 2 or now is None or now < 0:
            return False
        last, before = self.writes[-1].number, self.writes[-2].number
        if last is None or before is None or (now - last) * (last - before) <= 0:
            return False
        return abs(math.log1p(last) - math.log1p(before)) >= deadband


EMPTY: deque[Install] = deque()


class Variables:
    """All variables of one domain."""

    def __init__(self, writes: int) -> None:
        self._most = writes
        self._knobs: dict[Name, _Ring] = {}
        self._states: dict[Name, _Ring] = {}
        self._aged: dict[Name, Action] = {}

    def may_reverse(self, action: Action, deadband: float, turns: int) -> bool:
        """A necessary sign, in O(1): this write may be a reversal of its knob, after at least so many turns among the newest writes."""
        ring = self._knobs.get((action.resource, action.parameter))
        return ring is not None and ring.turns >= turns and not ring.keeps_direction(action.new, deadband)

    def actions(self, name: Name) -> list[Action]:
        """The newest writes of a knob within the memory, oldest first."""
        return [install.event for install in _writes(self._knobs, name) if isinstance(install.event, Action)]

    def current(self, name: Name, oldest_fact: int) -> Action | None:
        """The last applied action on a knob, from the memory or, if not older than `oldest_fact` (ns), from the facts."""
        writes = _writes(self._knobs, name)
        if writes:
            last = writes[-1].event
            return last if isinstance(last, Action) else None
        aged = self._aged.get(name)
        return aged if aged is not None and aged.time >= oldest_fact else None

    def install(self, install: Install) -> None:
        """Takes in the next write in canonical order."""
        name = variable(install.event)
        if name is None:
            return
        rings = self._knobs if isinstance(install.event, Action) else self._states
        ring = rings.get(name)
        if ring is None:
            ring = rings[name] = _Ring()
        ring.append(install, self._most)

    def forget(self, event: Event) -> None:
        """`event`, the oldest of the memory, has left it."""
        name = variable(event)
        rings = self._knobs if isinstance(event, Action) else self._states
        ring = rings.get(name) if name is not None else None
        if name is None or ring is None:
            return
        while ring.writes and ring.writes[0].event.time <= event.time:
            ring.popleft()
        if not ring.writes:
            del rings[name]

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
            name = (read.resource, read.metric)
            writes = _writes(self._knobs, name) or _writes(self._states, name)
            if writes:
                until = action.time if read.time is None else min(read.time, action.time)
                found = _resolve(writes, read.value, read.version, earliest, until)
                if found is not None:
                    yield found
        if action.old is not UNSET:
            writes = _writes(self._knobs, (action.resource, action.parameter))
            if writes and writes[-1].event.time >= earliest:
                last = writes[-1].event  # what it found there: an implicit read. One's own last write tells nothing about others.
                if isinstance(last, Action) and last.agent != action.agent and same(last.new, action.old):
                    found = _resolve(writes, action.old, None, earliest, action.time)
                    if found is not None:
                        yield writes[-1], found[1]


def _writes(rings: dict[Name, _Ring], name: Name) -> deque[Install]:
    ring = rings.get(name)
    return ring.writes if ring is not None else EMPTY


def _resolve(
    writes: deque[Install], value: Value | UnsetType, version: Version, earliest: int, until: int
) -> tuple[Install, float] | None:
    """The write between `earliest` and `until` (ns) that was read, among the newest, and the probability."""
    last: Install | None = None
    equal: Install | None = None
    for install in islice(reversed(writes), LOOKBACK):
        event = install.event
        if event.time < earliest:
            break
        if version is not None and isinstance(event, Action) and event.version == version:
            return install, BY_VERSION
        if event.time > until:
            continue
        # a knob's value that nobody wrote was not read from it; a metric's value need not be what the alert about it said
        if last is None and (value is UNSET or isinstance(event, Transition)):
            last = install
        if value is not UNSET and same(install.value, value):
            if equal is not None:
                return equal, BY_TIME
            equal = install
    if equal is not None:
        return equal, BY_VERSION
    return (last, BY_TIME) if last is not None else None
