"""The newest writes of one variable within the memory, and what can be told of them in O(1): who wrote last, and whether a write may turn.

What lies here lies together: the events themselves are old, and in no cache of the machine.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import force_setattr

from models.course import LEAST, Course
from models.events import Action, Event, Value
from models.values import category, number

HUGE = 1e300  # what is no less is no number here
LOOKBACK = 16  # newest writes among which a value counts as written once
BY_VERSION = 0.95  # a read whose version, or value written once, names the write
BY_TIME = 0.85  # the last write before the observation


class Install(msgspec.Struct, gc=False, eq=False):
    """An event as the graph keeps it, and what its write was among those of its variable."""

    event: Event
    odd: bool = False  # on no logarithmic scale, or after a value that nobody here wrote
    turned: bool = False  # it went the other way than the write before it: a necessary sign of a reversal
    stood: object = None  # the value that it says it replaced, as a category, where it is no number
    ring: KnobRing | None = None  # of the knob it writes, from placing to installing: looked up once; for good it would be a cycle


class Ring:
    """The newest writes of one variable, when they were (ns) and what they wrote, as categories."""

    __slots__ = ("times", "values", "writes")

    def __init__(self) -> None:
        self.writes: list[Install] = []
        self.times: list[int] = []
        self.values: list[object] = []

    def append(self, install: Install, value: object, most: int) -> None:
        """Takes in the next write, which wrote `value` (a category); at most so many are kept."""
        self.writes.append(install)
        self.times.append(install.event.time)
        self.values.append(value)
        if len(self.writes) > most:
            self.popleft()

    def popleft(self) -> Install:
        """The oldest write leaves."""
        del self.values[0], self.times[0]
        return self.writes.pop(0)

    def equal(self, value: object, earliest: int, until: int) -> tuple[Install, float] | None:
        """The newest of the newest writes between `earliest` and `until` (ns) that wrote `value`, and the probability that it was read."""
        recent = self.values[: -LOOKBACK - 1 : -1]  # newest first
        first: Install | None = None
        at = -1
        for _ in range(recent.count(value)):
            at = recent.index(value, at + 1)
            time = self.times[-1 - at]
            if time < earliest:
                break
            if time <= until:
                if first is not None:
                    return first, BY_TIME
                first = self.writes[-1 - at]
        return (first, BY_VERSION) if first is not None else None


class KnobRing(Ring):
    """Of a knob: also which way it goes, how many of the writes turned, how many are odd, and whose the last one was."""

    __slots__ = ("_course", "_last", "_step", "agent", "odd", "source", "turns")

    def __init__(self) -> None:
        super().__init__()
        self.turns = self.odd = 0
        self.agent = self.source = ""
        self._course: Course | None = None  # made when first asked for
        self._last: float | None = None  # the newest value, where it is a number
        self._step: float | None = None  # how far it went from the one before, where both are

    def append(self, install: Install, value: object, most: int) -> None:
        """See `Ring`."""
        action: Action = install.event  # type: ignore[assignment]
        old, values, last = action.old, self.values, self._last
        now = value if type(value) is float and LEAST < value < HUGE else number(value)
        seen = type(old) is float and old == last and old >= LEAST  # the usual write
        if seen and type(values[-1]) is float:
            force_setattr(action, "old", values[-1])  # one object for both: there are as many as events
        if now is None or now < LEAST or (not seen and self._unseen(old)):
            install.odd = True
            self.odd += 1
            self._course = None
        elif self._course is not None:
            self._course.note(now)
        if not values:
            self._step = _between(now, old)
        elif now is None or last is None:
            install.turned = value in values[-LOOKBACK:] or any([each.stood == value for each in self.writes[-LOOKBACK:]])
            self.turns += install.turned
            self._step = None
        else:
            step, before = now - last, self._step
            if before is None or step * before <= 0:
                install.turned = True
                self.turns += 1
            self._step = step
        if now is None and old is not UNSET:
            install.stood = category(old)
        self._last, self.agent, self.source = now, action.agent, action.source
        self.writes.append(install)
        self.times.append(action.time)
        values.append(value)
        if len(values) > most:
            self.popleft()

    def popleft(self) -> Install:
        """See `Ring`."""
        writes, values = self.writes, self.values
        gone = writes.pop(0)
        del values[0], self.times[0]
        if gone.turned:
            self.turns -= 1
        if gone.odd:
            self.odd -= 1
        if len(values) == 1:
            self._step = _between(self._last, self.began)
        return gone

    def _unseen(self, old: Value | UnsetType) -> bool:
        """What the write says it replaced is no positive number, or nothing that was seen here; not knowing it is no trouble."""
        if old is None or old is UNSET:
            return False
        before = old if type(old) is float else number(old)
        return before is None or not LEAST <= before < HUGE or (bool(self.values) and before != self.values[-1])

    @property
    def began(self) -> Value | UnsetType:
        """What the oldest write says it replaced."""
        return self.writes[0].event.old  # type: ignore[attr-defined, no-any-return]

    def actions(self, most: int = 0) -> list[Action]:
        """The writes, oldest first; all, or at most so many of the newest."""
        return [install.event for install in self.writes[-most:]]  # type: ignore[misc]

    def numeric(self, begin: int) -> bool:
        """Whether all values from that place on are numbers."""
        return not self.odd or all([number(value) is not None for value in self.values[begin:]])

    def may_reverse(self, value: Value | UnsetType, deadband: float) -> bool:
        """A necessary sign, in O(1): a write of `value` may be a reversal."""
        now = value if type(value) is float and LEAST < value < HUGE else number(value)
        if self.odd or now is None or now < LEAST:
            return True
        last, step = self._last, self._step
        if not self.turns and last is not None and step is not None and (now - last) * step > 0:
            return False  # all of them went one way, and so does this one
        if self._course is None:
            origin = number(self.began)
            self._course = Course(origin or float(self.values[0]), deadband)  # type: ignore[arg-type]
            for earlier in self.values:
                self._course.note(float(earlier))  # type: ignore[arg-type]
        return self._course.turns(now)


def _between(now: float | None, old: Value | UnsetType) -> float | None:
    before = number(old)
    return None if now is None or before is None else now - before
