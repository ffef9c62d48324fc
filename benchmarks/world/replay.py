"""One run of a scenario, with or without an intervention. Without one it is the same every time: noise goes by entity and second.

run(scenario, noise)                                    what happened
run(scenario, noise, Intervention(frozen={"hpa"}))      what would have happened without this agent, all others live
run(scenario, noise, Intervention(held={knob: value}))  the loop cut open: agents go on deciding, the physics does not follow
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from benchmarks.world.agents import KINDS, Agent, Clause, Decision, Reading
from benchmarks.world.draw import LENGTH, MEMBERS, PRIMARY, Knob, Loop, Scenario
from benchmarks.world.plant import Plant, Setting, gaussian

NAMED = (PRIMARY, MEMBERS)  # an agent goes by its own last word on these even where the physics does not follow


class Intervention(msgspec.Struct, frozen=True):
    """What is done to a run: agents that decide nothing (within `between`, s), knobs held, noise-free readings, writes left out."""

    frozen: frozenset[str] = frozenset()
    between: tuple[float, float] = (0.0, float(LENGTH))
    held: Mapping[Knob, Setting] = {}
    quiet: bool = False
    left_out: frozenset[str] = frozenset()  # names of writes


NONE = Intervention()


class Write(msgspec.Struct, frozen=True):
    """One write as it was installed. `old` is what the agent had found, `before` what was there."""

    name: str
    agent: str
    verb: str
    knob: Knob
    old: Setting
    new: Setting
    before: Setting
    decided: int
    t: float
    version: int
    read_version: int
    readings: tuple[Reading, ...]
    cause: str  # the name of the write that had set what it found; "" at first
    clause: Clause | None


class Record(msgspec.Struct, frozen=True):
    """What happened. `lost` is the sum over seconds of the share of demand that was not served; `means` of numeric knobs, over time."""

    writes: tuple[Write, ...]
    lost: float
    means: dict[Knob, float]
    metrics: dict[str, list[float]]


class Run:
    """The world on one clock; what agents ask of it is `Senses`."""

    def __init__(self, scenario: Scenario, noise: int, act: Intervention) -> None:
        self.scenario, self.noise, self.act = scenario, noise, act
        self.plant = Plant(scenario, noise, act.held)
        self.agents: list[Agent] = [KINDS[loop.kind](loop, scenario) for loop in scenario.loops]
        self.versions = dict.fromkeys(self.plant.knobs, 1)
        self.last = dict.fromkeys(self.plant.knobs, "")
        self.declared: dict[Knob, tuple[str, float]] = {}  # holder, until
        self.now = 0
        self.readings: list[Reading] = []
        self.writes: list[Write] = []
        self.sums: dict[Knob, float] = {knob: 0.0 for knob, value in self.plant.knobs.items() if isinstance(value, float)}

    def see(self, loop: Loop, metric: str) -> float:
        """A metric, late, averaged and noisy; and a note that it was read."""
        series = self.plant.seen[metric]
        end = max(1, len(series) - int(loop.lag))
        window = series[max(0, end - loop.over) : end]
        value = sum(window) / len(window)
        if not self.act.quiet:
            value *= max(0.0, 1.0 + loop.noise * gaussian(self.noise, f"{loop.name} {metric}")[self.now])
        self.readings.append(Reading(metric, round(value, 4), float(end - 1)))
        return value

    def value(self, knob: Knob) -> Setting:
        """A setting as it stands now."""
        return self.plant.knobs[knob] if knob in NAMED else self.plant.setting(knob)

    def warm(self) -> int:
        """How many replicas serve already."""
        return sum(ready <= self.now for ready in self.plant.ready)

    def go(self) -> Record:
        """From the first second to the last."""
        plant, ticks, due = self.plant, [_clock(loop, self.noise) for loop in self.scenario.loops], list[tuple[float, int, Write]]()
        nexts = [next(clock) for clock in ticks]
        busy = [-1.0] * len(self.agents)
        for t in range(LENGTH):
            self.now = t
            plant.step(t)
            for knob in self.sums:
                self.sums[knob] += float(plant.knobs[knob])  # type: ignore[arg-type]
            for i, agent in enumerate(self.agents):
                if t < nexts[i]:
                    continue
                nexts[i] = next(ticks[i])
                if busy[i] <= t and not self._frozen(agent.loop.name, t):
                    planned = self._decided(agent, i, t)
                    due += planned
                    busy[i] = max((at for at, _, _ in planned), default=-1.0)
            if due:
                due.sort(key=lambda item: item[:2])
                while due and due[0][0] < t + 1:
                    self._install(due.pop(0)[2])
        means = {knob: total / LENGTH for knob, total in self.sums.items()}
        return Record(tuple(self.writes), plant.lost, means, plant.seen)

    def _frozen(self, name: str, t: int) -> bool:
        return name in self.act.frozen and self.act.between[0] <= t < self.act.between[1]

    def _decided(self, agent: Agent, place: int, t: int) -> list[tuple[float, int, Write]]:
        self.readings = []
        loop = agent.loop
        at = round(t + loop.takes + 0.01 * (place + 1), 3)
        found: list[tuple[float, int, Write]] = []
        for i, decision in enumerate(agent.decide(t, self)):
            holder, until = self.declared.get(decision.knob, ("", -1.0))
            if loop.respects and t < until and holder != loop.name:
                continue
            name = f"{loop.name}-{t}-{i}"
            if name not in self.act.left_out:
                found.append((at + 0.001 * i, place, self._planned(name, loop, decision, at + 0.001 * i)))
        if found:
            agent.acted = t
        return found

    def _planned(self, name: str, loop: Loop, decision: Decision, at: float) -> Write:
        knob = decision.knob
        return Write(
            name, loop.name, decision.verb, knob, self.value(knob), decision.new, decision.new, self.now, at, 0,
            self.versions[knob], tuple(self.readings), self.last[knob], decision.clause,
        )  # fmt: skip

    def _install(self, write: Write) -> None:
        knob = write.knob
        before = self.plant.knobs[knob]
        self.plant.write(knob, write.new, write.t)
        self.versions[knob] += 1
        self.last[knob] = write.name
        if write.clause is not None:
            self.declared[knob] = (write.agent, write.clause.until)
        self.writes.append(msgspec.structs.replace(write, before=before, version=self.versions[knob]))


def _clock(loop: Loop, noise: int) -> Iterator[float]:
    """The seconds at which an agent decides; they do not depend on what happens."""
    jitter, n = gaussian(noise, f"{loop.name} clock"), 0
    while True:
        yield loop.phase + n * loop.period + 0.03 * loop.period * jitter[n % LENGTH]
        n += 1


def run(scenario: Scenario, noise: int, act: Intervention = NONE) -> Record:
    """What happens in a scenario under one noise, with one intervention."""
    return Run(scenario, noise, act).go()
