"""What was written where: per (resource, name) the newest writes within the memory, and the last one before them.

A *knob* is (resource, parameter) and is written by applied actions; a *state* is (resource, metric) and is written by transitions. Reads
are resolved against both. Everything here is a function of the list of events within the memory and of the facts that left it.
"""

from __future__ import annotations

import math

import msgspec
from msgspec import UNSET, UnsetType

from models.course import Course
from models.events import Action, Event, Read, Transition, Value
from models.values import category, number, same

BY_VERSION = 0.95  # a read whose version, or value written once, names the write
LOOKBACK = 16  # newest writes among which a value counts as written once
BY_TIME = 0.85  # the last write before the observation

Name = tuple[str, str]


def variable(event: Event) -> Name | None:
    """The knob or state that an event writes; None where it writes nothing."""
    if isinstance(event, Action):
        return (event.resource, event.parameter) if event.outcome == "applied" else None
    return (event.resource, event.metric) if isinstance(event, Transition) else None


class Install(msgspec.Struct, gc=False, eq=False):
    """An event as the graph keeps it, and what its write was among those of its variable."""

    event: Event
    odd: bool = False  # on no logarithmic scale, or after a value that nobody here wrote
    turned: bool = False  # it went the other way than the write before it: a necessary sign of a reversal
    stood: object = None  # the value that it says it replaced, as a category, where it is no number


class _Ring:
    """The newest writes of one variable, what they wrote (as a category), how many of them turned, and how many are odd.

    The values lie beside the writes so that looking for one touches no old events: those are in no cache of the machine.
    """

    __slots__ = ("course", "odd", "turns", "values", "writes")

    def __init__(self) -> None:
        self.course: Course | None = None  # made when first asked for
        self.writes: list[Install] = []
        self.values: list[object] = []
        self.turns = 0
        self.odd = 0

    def append(self, install: Install, value: object, most: int) -> None:
        now, old = number(value), getattr(install.event, "old", None)
        if now is None or now <= 0.0 or self._unseen(old):
            install.odd = True
            self.odd += 1
            self.course = None
        elif self.course is not None:
            self.course.note(math.log(now))
        if self.values and self._turns(now, value):
            install.turned = True
            self.turns += 1
        if now is None and old is not UNSET:
            install.stood = category(old)
        self.writes.append(install)
        self.values.append(value)
        if len(self.writes) > most:
            self.popleft()

    def _unseen(self, old: Value | UnsetType) -> bool:
        """What the write says it replaced is no positive number, or nothing that was seen here; not knowing it is no trouble."""
        if old is None or old is UNSET:
            return False
        before = number(old)
        return before is None or before <= 0.0 or (bool(self.values) and before != self.values[-1])

    def popleft(self) -> None:
        gone = self.writes.pop(0)
        del self.values[0]
        if gone.turned:
            self.turns -= 1
        if gone.odd:
            self.odd -= 1

    def _turns(self, now: float | None, value: object) -> bool:
        values = self.values
        last = number(values[-1])
        if now is None or last is None:
            return value in values[-LOOKBACK:] or any(install.stood == value for install in self.writes[-LOOKBACK:])
        before = number(values[-2]) if len(values) > 1 else number(getattr(self.writes[-1].event, "old", UNSET))
        return before is None or (now - last) * (last - before) <= 0

    def may_reverse(self, value: Value | UnsetType, deadband: float) -> bool:
        now = number(value)
        if self.odd or now is None or now <= 0.0:
            return True
        if self.course is None:
            origin = number(getattr(self.writes[0].event, "old", UNSET))
            self.course = Course(math.log(origin or float(self.values[0])), deadband)  # type: ignore[arg-type]
            for earlier in self.values:
                self.course.note(math.log(float(earlier)))  # type: ignore[arg-type]
        return self.course.turns(math.log(now))

    def equal(self, value: object, earliest: int, until: int) -> tuple[Install, float] | None:
        """The newest of the newest writes between `earliest` and `until` (ns) that wrote `value`, and the probability that it was read."""
        recent = self.values[: -LOOKBACK - 1 : -1]  # newest first
        first: Install | None = None
        at = -1
        for _ in range(recent.count(value)):
            at = recent.index(value, at + 1)
            install = self.writes[-1 - at]
            if install.event.time < earliest:
                break
            if install.event.time <= until:
                if first is not None:
                    return first, BY_TIME
                first = install
        return (first, BY_VERSION) if first is not None else None


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
        return ring is not None and ring.turns >= turns and ring.may_reverse(action.new, deadband)

    def actions(self, name: Name, most: int = 0) -> list[Action]:
        """The newest writes of a knob within the memory, oldest first; all that are kept, or at most so many."""
        ring = self._knobs.get(name)
        return [install.event for install in ring.writes[-most:] if isinstance(install.event, Action)] if ring is not None else []

    def turns(self, name: Name) -> int:
        """How many of the newest writes of a knob went the other way than the one before, in O(1)."""
        ring = self._knobs.get(name)
        return ring.turns if ring is not None else 0

    def is_knob(self, name: Name) -> bool:
        """Whether an applied action within the memory wrote it."""
        return name in self._knobs

    def written(self, name: Name) -> bool:
        """Whether this is a knob that something within the memory writes."""
        return name in self._knobs

    def transitions(self, name: Name) -> list[Transition]:
        """The newest transitions of a state within the memory, oldest first."""
        ring = self._states.get(name)
        return [install.event for install in ring.writes if isinstance(install.event, Transition)] if ring is not None else []

    def changed(self, name: Name, earliest: int, until: int) -> bool:
        """Whether one of the newest transitions of a state lies between `earliest` and `until` (ns), both included."""
        ring = self._states.get(name)
        for install in reversed(ring.writes) if ring is not None else ():
            if install.event.time <= until:
                return install.event.time >= earliest
        return False

    def newest(self, name: Name) -> Install | None:
        """The last write of a knob within the memory, as the graph keeps it."""
        ring = self._knobs.get(name)
        return ring.writes[-1] if ring is not None else None

    def current(self, name: Name, oldest_fact: int) -> Action | None:
        """The last applied action on a knob, from the memory or, if not older than `oldest_fact` (ns), from the facts."""
        ring = self._knobs.get(name)
        if ring is not None:
            last = ring.writes[-1].event
            return last if isinstance(last, Action) else None
        aged = self._aged.get(name)
        return aged if aged is not None and aged.time >= oldest_fact else None

    def install(self, install: Install) -> None:
        """Takes in the next write in canonical order."""
        event = install.event
        name = variable(event)
        if name is None:
            return
        rings = self._knobs if isinstance(event, Action) else self._states
        ring = rings.get(name)
        if ring is None:
            ring = rings[name] = _Ring()
        ring.append(install, category(event.new if isinstance(event, Action) else getattr(event, "after", UNSET)), self._most)

    def forget(self, event: Event) -> bool:
        """`event`, the oldest of the memory, has left it; answers whether it wrote a knob that nothing within the memory writes."""
        name = variable(event)
        if name is None:
            return False
        rings = self._knobs if isinstance(event, Action) else self._states
        ring = rings.get(name)
        if ring is not None:
            writes = ring.writes
            while writes and writes[0].event.time <= event.time:
                ring.popleft()
            if writes:
                return False
            del rings[name]
        return rings is self._knobs

    def remember(self, fact: Action) -> None:
        """A last write that has left the memory and still holds; never replaced by an older one."""
        name = (fact.resource, fact.parameter)
        old = self._aged.get(name)
        if old is None or (old.time, old.source, old.id) < (fact.time, fact.source, fact.id):
            self._aged[name] = fact

    def drop(self, name: Name) -> None:
        """The fact about this knob has been given up."""
        self._aged.pop(name, None)

    def read_from(self, action: Action, earliest: int) -> list[tuple[Install, float]]:
        """Writes not older than `earliest` (ns) that the action read, with the probability that it did."""
        found: list[tuple[Install, float]] = []
        for read in action.reads:
            name = (read.resource, read.metric)
            ring = self._knobs.get(name) or self._states.get(name)
            if ring is not None:
                until = action.time if read.time is None else min(read.time, action.time)
                write = _resolve(ring, read, earliest, until)
                if write is not None:
                    found.append(write)
        ring = self._knobs.get((action.resource, action.parameter)) if action.old is not UNSET else None
        if ring is not None:
            last = ring.writes[-1].event  # what it found there: an implicit read. One's own last write tells nothing about others.
            if isinstance(last, Action) and last.agent != action.agent and last.time >= earliest and same(last.new, action.old):
                write = ring.equal(ring.values[-1], earliest, action.time)
                if write is not None:
                    found.append((ring.writes[-1], write[1]))
        return found


def _resolve(ring: _Ring, read: Read, earliest: int, until: int) -> tuple[Install, float] | None:
    """The write between `earliest` and `until` (ns) that was read, among the newest, and the probability."""
    newest = ring.writes[: -LOOKBACK - 1 : -1]
    if read.version is not None:
        for install in newest:
            if install.event.time < earliest:
                break
            if getattr(install.event, "version", None) == read.version:
                return install, BY_VERSION
    found = ring.equal(category(read.value), earliest, until) if read.value is not UNSET else None
    # a knob's value that nobody wrote was not read from it; a metric's value need not be what the alert about it said
    if found is None and (read.value is UNSET or isinstance(newest[0].event, Transition)):
        last = next((install for install in newest if install.event.time <= until), None)
        if last is not None and last.event.time >= earliest:
            return last, BY_TIME
    return found
