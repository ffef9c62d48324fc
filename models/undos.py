"""Who undoes whom over all knobs of a domain, and whether as a reaction or as the world moves on.

An *undo* is a write that puts back exactly what the write before it, by another agent, had replaced. Evidence of one: 2 * 2^(-L/h) - 1 for
a value that stood for L, so 1 at once, 0 at h, towards -1 for one that had stood for long. An agent's pressure is the largest sum over
its newest undos within the window (a CUSUM, Page 1954): undos that come quickly add up, slow ones take away, and it is never negative.
Sums are of whole thousandths, so that it does not show where a sum began. Window: half the memory, and no undone write is older than
that before its undo, so both are in the memory for as long as they count and a refill rebuilds all of it.
"""

from __future__ import annotations

from collections import Counter, deque

import msgspec
from msgspec import UNSET

from models.events import Action, Event
from models.intents import released
from models.values import same
from models.variables import Name, Variables

UNIT = 1000  # evidence is counted in thousandths


class Undo(msgspec.Struct, frozen=True):
    """`event` put back what `undone` had replaced; `evidence` in thousandths."""

    event: Action
    undone: Action
    evidence: int

    @property
    def knob(self) -> Name:
        """Whose value it was."""
        return (self.event.resource, self.event.parameter)


class Pressure(msgspec.Struct, frozen=True):
    """What one agent has undone within the window: summed evidence, how many undos, on how many knobs."""

    evidence: float
    undos: int
    knobs: int


class _Tally:
    """One agent's undos within the window."""

    __slots__ = ("entries", "knobs", "lowest", "total")

    def __init__(self) -> None:
        self.entries: deque[tuple[int, Name]] = deque()
        self.lowest: deque[tuple[int, int]] = deque()  # (time, sum before it), ascending sums: the front is the least
        self.knobs: Counter[Name] = Counter()
        self.total = 0

    def add(self, undo: Undo) -> None:
        while self.lowest and self.lowest[-1][1] >= self.total:
            self.lowest.pop()
        self.lowest.append((undo.event.time, self.total))
        self.entries.append((undo.event.time, undo.knob))
        self.knobs[undo.knob] += 1
        self.total += undo.evidence

    def popleft(self, edge: int) -> None:
        _, knob = self.entries.popleft()
        self.knobs[knob] -= 1
        if not self.knobs[knob]:
            del self.knobs[knob]
        while self.lowest and self.lowest[0][0] <= edge:
            self.lowest.popleft()

    def evidence(self) -> int:
        return max(0, self.total - self.lowest[0][1]) if self.lowest else 0


class Undos:
    """All undos of one domain within `window` (ns). `quick` (ns) is how long a value stands whose undo proves nothing."""

    def __init__(self, window: int, quick: int) -> None:
        self._window = window
        self._quick = quick
        self._order: deque[tuple[int, str, Name]] = deque()
        self._tallies: dict[str, _Tally] = {}
        self._on: Counter[Name] = Counter()

    def seen_in(self, event: Event, variables: Variables) -> Undo | None:
        """The undo that `event`, which is not installed yet, is."""
        if not isinstance(event, Action) or event.outcome != "applied" or event.new is UNSET:
            return None
        edge = event.time - self._window
        last = variables.current((event.resource, event.parameter), edge)
        if last is None or last.agent == event.agent or last.time <= edge or last.old is UNSET:
            return None
        if not same(event.new, last.old) or same(last.new, last.old) or released(last, event):
            return None
        stood = event.time - last.time
        return Undo(event, last, round(UNIT * (2.0 * 2.0 ** (-stood / self._quick) - 1.0)))

    def install(self, undo: Undo) -> None:
        """Takes in the next undo in canonical order."""
        self.age(undo.event.time)
        self._order.append((undo.event.time, undo.event.agent, undo.knob))
        self._on[undo.knob] += 1
        self._tallies.setdefault(undo.event.agent, _Tally()).add(undo)

    def age(self, now: int) -> None:
        """What is a whole window older than `now` (ns) counts no more."""
        edge = now - self._window
        while self._order and self._order[0][0] <= edge:
            _, agent, knob = self._order.popleft()
            self._on[knob] -= 1
            if not self._on[knob]:
                del self._on[knob]
            tally = self._tallies[agent]
            tally.popleft(edge)
            if not tally.entries:
                del self._tallies[agent]

    def contested(self, knob: Name, now: int) -> bool:
        """Somebody has undone something on this knob within the window."""
        self.age(now)
        return knob in self._on

    def pressure(self, undo: Undo) -> Pressure:
        """Of the agent that undid, this undo, which is not installed yet, included."""
        self.age(undo.event.time)
        tally = self._tallies.get(undo.event.agent)
        if tally is None:
            return Pressure(max(0, undo.evidence) / UNIT, 1, 1)
        knobs = len(tally.knobs) + (undo.knob not in tally.knobs)
        return Pressure(max(0, undo.evidence + tally.evidence()) / UNIT, len(tally.entries) + 1, knobs)
