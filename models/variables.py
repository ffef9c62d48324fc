"""What was written where: per (resource, name) the newest writes within the memory, and the last one before them.

A *knob* is (resource, parameter) and is written by applied actions; a *state* is (resource, metric) and is written by transitions. Reads
are resolved against both. Everything here is a function of the list of events within the memory and of the facts that left it.
"""

from __future__ import annotations

from msgspec import UNSET

from models.events import Action, Event, Read, Transition
from models.ring import BY_TIME, BY_VERSION, LOOKBACK, Install, KnobRing, Ring
from models.values import category

Name = tuple[str, str]


def variable(event: Event) -> Name | None:
    """The knob or state that an event writes; None where it writes nothing."""
    if isinstance(event, Action):
        return (event.resource, event.parameter) if event.outcome == "applied" else None
    return (event.resource, event.metric) if isinstance(event, Transition) else None


class Variables:
    """All variables of one domain."""

    def __init__(self, writes: int) -> None:
        self._most = writes
        self._knobs: dict[Name, KnobRing] = {}
        self._states: dict[Name, Ring] = {}
        self._aged: dict[Name, Action] = {}

    def ring(self, action: Action) -> KnobRing | None:
        """The newest writes of the knob that the action writes, before it."""
        return self._knobs.get((action.resource, action.parameter)) if action.outcome == "applied" else None

    def may_reverse(self, action: Action, deadband: float, turns: int) -> bool:
        """A necessary sign, in O(1): this write may be a reversal of its knob, after at least so many turns among the newest writes."""
        ring = self._knobs.get((action.resource, action.parameter))
        return ring is not None and ring.turns >= turns and ring.may_reverse(action.new, deadband)

    def knob(self, name: Name) -> KnobRing | None:
        """The newest writes of a knob within the memory."""
        return self._knobs.get(name)

    def actions(self, name: Name) -> list[Action]:
        """The newest writes of a knob within the memory, oldest first."""
        ring = self._knobs.get(name)
        return ring.actions() if ring is not None else []

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

    def changed(self, name: Name, until: int) -> int | None:
        """When a state had last changed (ns) by `until` (ns), within the memory and by its newest transitions."""
        ring = self._states.get(name)
        times = (install.event.time for install in reversed(ring.writes)) if ring is not None else ()
        return next((time for time in times if time <= until), None)

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
        if isinstance(event, Action):
            if event.outcome != "applied":
                return
            ring, install.ring = install.ring, None
            if ring is None:
                ring = self._knobs.setdefault((event.resource, event.parameter), KnobRing())
            value = event.new
            ring.append(install, value if type(value) is float else category(value), self._most)
        elif isinstance(event, Transition):
            name = (event.resource, event.metric)
            state = self._states.get(name)
            if state is None:
                state = self._states[name] = Ring()
            state.append(install, category(event.after), self._most)

    def forget(self, event: Event) -> bool:
        """`event`, the oldest of the memory, has left it; answers whether it wrote a knob that nothing within the memory writes."""
        if isinstance(event, Action):
            if event.outcome != "applied":
                return False
            name, rings = (event.resource, event.parameter), self._knobs
            ring = rings.get(name)
            if ring is None:
                return True
            if _age(ring, event.time):
                return False
            del rings[name]
            return True
        if isinstance(event, Transition):
            state = self._states.get((event.resource, event.metric))
            if state is not None and not _age(state, event.time):
                del self._states[(event.resource, event.metric)]
        return False

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
        last = self._knobs.get((action.resource, action.parameter)) if action.old is not UNSET else None
        # what it found there is an implicit read; one's own last write tells nothing about others
        if (
            last is not None
            and last.agent != action.agent
            and last.times[-1] >= earliest
            and last.values[-1] == category(action.old)
        ):
            write = last.equal(last.values[-1], earliest, action.time)
            if write is not None:
                found.append((last.writes[-1], write[1]))
        return found


def _age(ring: Ring, time: int) -> bool:
    """Writes that are not younger than `time` (ns) leave; whether any are left."""
    times = ring.times
    while times and times[0] <= time:
        ring.popleft()
    return bool(times)


def _resolve(ring: Ring, read: Read, earliest: int, until: int) -> tuple[Install, float] | None:
    """The write between `earliest` and `until` (ns) that was read, among the newest, and the probability."""
    if read.version is not None:
        for install in ring.writes[: -LOOKBACK - 1 : -1]:
            if install.event.time < earliest:
                break
            if getattr(install.event, "version", None) == read.version:
                return install, BY_VERSION
    value = read.value
    found = ring.equal(category(value), earliest, until) if value is not UNSET else None
    # a knob's value that nobody wrote was not read from it; a metric's value need not be what the alert about it said
    if found is None and (value is UNSET or isinstance(ring.writes[-1].event, Transition)):
        last = next((install for install in ring.writes[: -LOOKBACK - 1 : -1] if install.event.time <= until), None)
        if last is not None and last.event.time >= earliest:
            return last, BY_TIME
    return found
