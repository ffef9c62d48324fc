"""Stream time: how far each source partition is known (reduce's side) and how far all of them are (analyze's side).

Reduce keeps one `PartitionClock` per source partition. T is the highest event time seen, clamped to the append time; D the largest
append - event time of an event that was not late by more than the idle timeout; L the lateness. The clock's mode says which rule
makes the watermark W:

    clock   D within the idle timeout, at the confirmed end     W = max(T - L, now - L - D)
    live    D within the idle timeout, records still waiting    W = T - L
    data    a backfill: D beyond the idle timeout               W = T - L
    silent  data, at the end, nothing appended for the timeout  left out of the minimum while others are not, and as long as it is confirmed
    empty   never a record                                      follows the live partitions; waited for, then left out, in a backfill

Whether an event is late depends on the partition's records before it alone, never on who read them when: older than T - L, or, where
a reader at the end would have been in mode clock, older than its append time - L - D. Source: the Dataflow model's watermarks (VLDB 2015).
"""

from __future__ import annotations

import msgspec

from models.configuration import StreamTime
from models.events import Tick
from models.instants import format_duration

BEFORE_ALL = -(1 << 62)  # a watermark under every event


class PartitionClock:
    """Event time of one source partition, as its records tell it."""

    __slots__ = ("_ahead", "_idle", "_lateness", "appended", "delay", "highest", "settings", "watermark")

    def __init__(self, settings: StreamTime, highest: int = BEFORE_ALL, delay: int = 0, appended: int = BEFORE_ALL) -> None:
        self.settings = settings
        self.highest = highest
        self.delay = delay
        self.appended = appended  # append time of the newest record
        self.watermark = BEFORE_ALL
        self._ahead, self._idle, self._lateness = settings.ahead_limit, settings.idle_timeout, settings.lateness

    @property
    def empty(self) -> bool:
        """Nothing was ever read here."""
        return self.appended == BEFORE_ALL

    def observe(self, time: int, appended: int) -> bool | None:
        """Takes note of one event; answers whether it is late, and None where its time lies too far ahead to be believed.

        One bad clock must not make everybody late: what lies beyond the limit is a dead letter. Samples come by the 100,000 a second: hence
        no `min` and `max`, and the settings at hand.
        """
        behind, delay, highest, reached = appended - time, self.delay, self.highest, time
        if behind < 0:
            if behind < -self._ahead:
                return None
            reached = appended
        late = time < highest - self._lateness or (
            behind > self._lateness + delay and delay <= self._idle and self.appended != BEFORE_ALL
        )
        if reached > highest:
            self.highest = reached
        if behind > delay and (not late or behind <= self._idle):
            # slow exporters are learned; one straggler of hours must not turn a live partition into a backfill for good
            self.delay = behind
        if appended > self.appended:
            self.appended = appended
        return late

    def advance(self, now: int, at_end: bool) -> str:
        """Moves the watermark, answers the mode. `now` (ns) counts only at the confirmed end of the partition."""
        if self.empty:
            return "empty" if at_end else "data"
        lateness, idle = self.settings.lateness, self.settings.idle_timeout
        reached, mode = self.highest - lateness, "data"
        if self.delay <= idle:
            mode = "live"
            if at_end:
                mode, reached = "clock", max(reached, now - lateness - self.delay)
        elif at_end and now - self.appended > idle:
            mode = "silent"
        self.watermark = max(self.watermark, reached)
        return mode


class PartitionState(msgspec.Struct, frozen=True):
    """What analyze remembers of one source partition: its newest tick, and when (ns, the reducer's clock) it was first heard of."""

    watermark: int
    mode: str
    delay: int
    now: int
    since: int


class WatermarkState(msgspec.Struct, frozen=True):
    """A `Watermark` at rest, as checkpoints keep it. `held` never goes back."""

    held: int
    partitions: dict[str, PartitionState]


class Watermark:
    """The minimum over all source partitions of the pinned map. Nothing moves before each of them has been heard of."""

    def __init__(self, partitions: tuple[str, ...], settings: StreamTime, state: WatermarkState | None = None) -> None:
        self._settings = settings
        self.expected = frozenset(partitions)
        self.held = state.held if state else BEFORE_ALL
        self._partitions: dict[str, PartitionState] = (
            {name: kept for name, kept in state.partitions.items() if name in self.expected} if state else {}
        )

    def state(self) -> WatermarkState:
        """Everything needed to go on from here."""
        return WatermarkState(self.held, dict(self._partitions))

    def apply(self, tick: Tick) -> bool:
        """Takes note of a tick; answers whether the watermark moved. Raises KeyError on a partition that is not in the pinned map."""
        if tick.partition not in self.expected:
            raise KeyError(tick.partition)
        old = self._partitions.get(tick.partition)
        self._partitions[tick.partition] = PartitionState(
            watermark=max(tick.watermark, old.watermark if old else BEFORE_ALL),
            mode=tick.mode if old is None or tick.now >= old.now else old.mode,  # an old owner may still be writing
            delay=max(tick.delay, old.delay if old else 0),
            now=max(tick.now, old.now if old else BEFORE_ALL),
            since=old.since if old else tick.now,
        )
        before = self.held
        reached = self._minimum()
        if reached is not None:
            self.held = max(self.held, reached[0])
        return self.held > before

    def _minimum(self) -> tuple[int, str] | None:
        """(watermark, partition that holds it); None where nothing may move."""
        if len(self._partitions) < len(self.expected):
            return None
        full = {name: state for name, state in self._partitions.items() if state.mode != "empty"}
        bounds = [(state.watermark, name) for name, state in full.items() if state.mode != "silent" or self._stale(state)]
        if not bounds:  # all of them silent: known to their ends, and as far as the one furthest behind
            bounds = [(state.watermark, name) for name, state in full.items()]
        if not bounds:
            return None
        live = [state.delay for state in full.values() if state.mode in ("clock", "live")]
        for name, state in self._partitions.items():
            if state.mode != "empty":
                continue
            if len(live) == len(full):
                bounds.append((state.now - self._settings.lateness - max(live), name))
            elif state.now - state.since <= self._settings.idle_timeout or self._stale(state):
                return None  # a backfill has begun elsewhere: give it time to begin here
        return min(bounds)

    def _stale(self, state: PartitionState) -> bool:
        """That nothing more came here was last confirmed too long before the newest word of another reducer: its own may be down, and
        what has been written meanwhile not read."""
        return max(other.now for other in self._partitions.values()) - state.now > self._settings.lateness

    def holding(self) -> str:
        """Names what the watermark waits for, for people."""
        missing = sorted(self.expected - self._partitions.keys())
        if missing:
            return f"{missing[0]} has not been heard of"
        lowest = self._minimum()
        if lowest is None:
            if all(state.mode == "empty" for state in self._partitions.values()):
                return "every partition is empty"
            patience = format_duration(self._settings.idle_timeout)
            return f"old records have come, and partitions that are still empty are given {patience} to begin as well"
        return f"{lowest[1]} ({self._partitions[lowest[1]].mode})"
