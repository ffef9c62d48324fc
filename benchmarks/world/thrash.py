"""Which knobs thrash by their own loop: see `labels` for the definition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from benchmarks.world.draw import LENGTH, MEMBERS, PRIMARY, REPLICAS, Knob, Scenario
from benchmarks.world.plant import Setting
from benchmarks.world.replay import Intervention, Record, Write, run
from benchmarks.world.turns import BAND, of_knob, reversals, stretches, turning, usual_swing

ENOUGH, SHORT = 6, 4
LEFT, HALF = 0.2, 0.5  # of the reversals may remain; of them make a knob exogenous
GROWS = 1.2


class Thrash(msgspec.Struct, frozen=True):
    """The status of one knob (a pair of weights is one). Times in s; `kind` as in the contract, "" unless positive."""

    knobs: tuple[Knob, ...]
    status: str
    kind: str
    agents: frozenset[str]  # who made the reversals
    needed: frozenset[str]  # who of them each suffices to end it when frozen
    reversals: int
    first: float
    last: float


class Judge:
    """Counterfactuals of one scenario under one noise."""

    def __init__(self, scenario: Scenario, noise: int, record: Record) -> None:
        self.scenario, self.noise, self.record = scenario, noise, record
        self.replays = 0

    def replay(self, act: Intervention) -> Record:
        """The same noise, one thing changed."""
        self.replays += 1
        return run(self.scenario, self.noise, act)

    def thrash(self, knobs: tuple[Knob, ...]) -> list[Thrash]:
        """One knob, or two that always move together: each stretch, where it is positive; else the whole of it as one."""
        turned = turning(of_knob(self.record, knobs[0]))
        found = stretches(turned)
        status, needed = self._status(knobs, turned, max(map(len, found), default=0))
        if status != "positive":
            return [_told(knobs, status, "", needed, turned)]
        chased = self._chased(knobs[0], turned)
        return [
            _told(knobs, "positive", chased or _kind(knobs, part), needed, part)
            if len(part) >= ENOUGH
            else _told(knobs, "short" if len(part) >= SHORT else "negative", "", needed, part)
            for part in found
        ]

    def _status(self, knobs: tuple[Knob, ...], turned: Sequence[Write], longest: int) -> tuple[str, frozenset[str]]:
        if longest < SHORT:
            return "negative", frozenset()
        needed = self._needed(knobs[0], frozenset(write.agent for write in turned), len(turned))
        if not needed:
            return "mixed", needed
        left = self._left(knobs, turned)
        if left > LEFT:
            return ("exogenous" if left >= HALF else "mixed"), needed
        return ("positive" if longest >= ENOUGH else "short"), needed

    def _needed(self, knob: Knob, agents: frozenset[str], n: int) -> frozenset[str]:
        if len(agents) == 1:  # without its only writer the knob stays: true of every knob, so the cut decides
            return agents
        return frozenset(
            agent
            for agent in sorted(agents)
            if len(turning(of_knob(self.replay(Intervention(frozen=frozenset({agent}))), knob))) <= LEFT * n
        )

    def _left(self, knobs: tuple[Knob, ...], turned: Sequence[Write]) -> float:
        """The share of the reversals that is still wanted when the physics does not follow the knob."""
        factual = of_knob(self.record, knobs[0])
        others = frozenset(loop.name for loop in self.scenario.loops) - {write.agent for write in factual}
        held: dict[Knob, Setting] = {knob: self._usual(knob) for knob in knobs}
        writes = of_knob(self.replay(Intervention(held=held, quiet=True, frozen=others)), knobs[0])
        if knobs[0] in (PRIMARY, MEMBERS):
            return len(turning(writes)) / len(turned)
        band = max(BAND, HALF * usual_swing(factual, turned))
        each = {write.agent: [w.new for w in writes if w.agent == write.agent] for write in writes}
        return max((len(reversals(held[knobs[0]], values, band)) for values in each.values()), default=0) / len(turned)

    def _usual(self, knob: Knob) -> Setting:
        if knob not in self.record.means:
            return of_knob(self.record, knob)[0].before
        mean = self.record.means[knob]
        return float(math.ceil(mean)) if knob == REPLICAS else round(mean, 1)

    def _chased(self, knob: Knob, turned: Sequence[Write]) -> str:
        """`noise_chasing` where one agent turns the knob, and would not if its readings were free of noise."""
        if len({write.agent for write in turned}) > 1:
            return ""
        calm = turning(of_knob(self.replay(Intervention(quiet=True)), knob))
        return "noise_chasing" if len(calm) <= LEFT * len(turned) else ""


def _told(knobs: tuple[Knob, ...], status: str, kind: str, needed: frozenset[str], turned: Sequence[Write]) -> Thrash:
    first, last = (turned[0].t, turned[-1].t) if turned else (0.0, float(LENGTH))
    return Thrash(knobs, status, kind, frozenset(write.agent for write in turned), needed, len(turned), first, last)


def _kind(knobs: tuple[Knob, ...], turned: Sequence[Write]) -> str:
    """By what the knob is; a number grows where its last four swings do, each against the one before the last."""
    if knobs[0] == MEMBERS:
        return "membership"
    if len(knobs) > 1:
        return "transfer"
    if knobs[0] == PRIMARY:
        return "sustained"
    swings = [abs(math.log(float(b.new) / float(a.new))) for a, b in pairwise(turned)]  # type: ignore[arg-type]
    ratios = [math.log(b / a) for a, b in zip(swings, swings[2:], strict=False) if a > 0 and b > 0][-4:]
    return "growing" if ratios and sum(ratios) / len(ratios) > math.log(GROWS) else "sustained"
