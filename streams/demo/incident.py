"""World, agents and monitor on one clock: `Incident.advance` lets one simulated second pass.

A seed fixes the whole run. Where simulated time lies on the calendar is a `Clock`: the live demo runs it `factor` times faster than the
wall clock and stamps events with the compressed time, so that "now" is now and an analyzer with equally compressed constants sees the same.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import NamedTuple

import msgspec
from interplay_sdk import Recorder

from streams.demo.agents import LOOPS, Deed, Loop, Recorders
from streams.demo.world import DATABASE, EDGE, QUEUE_A, QUEUE_B, Plant, World

SAMPLES = (
    (DATABASE, "p95_latency_ms", "ms", ""),
    (DATABASE, "utilisation", "1", ""),
    (DATABASE, "warm_instances", "1", "capacity"),
    (EDGE, "requests", "1/s", "demand"),
    (QUEUE_A, "depth", "1", ""),
    (QUEUE_B, "depth", "1", ""),
)
SAMPLE_EVERY = 5.0


class Clock(msgspec.Struct, frozen=True):
    """Simulated seconds -> ns since the epoch, `factor` simulated seconds to one real one."""

    start: int
    factor: float

    def at(self, seconds: float) -> int:
        """The ns at which `seconds` of simulated time have passed."""
        return self.start + int(seconds * 1e9 / self.factor)


class Shift(NamedTuple):
    """Something went from one state to another."""

    resource: str
    metric: str
    before: str
    after: str


class Monitor:
    """The telemetry of the system: samples, topology once, and a transition whenever something goes from working to not."""

    def __init__(self, telemetry: Recorder, facts: Recorder) -> None:
        self.telemetry, self.facts = telemetry, facts
        self.states = {(DATABASE, "latency"): "ok", (DATABASE, "health"): "up", (QUEUE_A, "depth"): "ok", (QUEUE_B, "depth"): "ok"}

    def start(self) -> None:
        """Say what depends on what."""
        self.facts.dependency(EDGE, DATABASE, "calls")
        for queue in (QUEUE_A, QUEUE_B):
            self.facts.dependency("route/orders", queue, "sends")

    def look(self, world: World) -> list[Shift]:
        """Emit what is due; returns what changed."""
        if world.now % SAMPLE_EVERY == 0:
            for resource, metric, unit, role in SAMPLES:
                self.telemetry.sample(resource, metric, round(world.observe(resource, metric).value, 3), unit=unit, role=role)
        latency = world.observe(DATABASE, "p95_latency_ms", over=5).value
        latest = {
            (DATABASE, "latency"): "degraded" if latency > 300 else "ok",
            (DATABASE, "health"): "up" if world.database.up else "down",
        }
        for queue in (QUEUE_A, QUEUE_B):
            latest[queue, "depth"] = "full" if world.depths[queue] >= world.plant.queue_limit else "ok"
        return [self._changed(name, after) for name, after in latest.items() if after != self.states[name]]

    def _changed(self, name: tuple[str, str], after: str) -> Shift:
        before, self.states[name] = self.states[name], after
        severity = {"down": "critical", "full": "error", "degraded": "warning"}.get(after, "info")
        self.facts.transition(*name, before, after, severity=severity)
        return Shift(*name, before, after)


class Incident:
    """One run. `frozen` names controllers that never decide, for counterfactuals."""

    def __init__(
        self,
        seed: int,
        clock: Clock,
        recorders: Recorders,
        monitor: Monitor,
        *,
        frozen: Collection[str] = (),
        plant: Plant | None = None,
    ) -> None:
        self.world = World(seed, plant)
        self.monitor = monitor
        rng = random.Random(seed + 1)
        loops: list[Loop] = [loop(recorders, clock.at, random.Random(rng.random())) for loop in LOOPS]
        self.loops = [loop for loop in loops if loop.name not in frozen]
        self.clock, self._stamped = clock, 0

    def stamp(self) -> int:
        """The time of the next event, ns since the epoch: the world's, and later than that of any event before it."""
        self._stamped = max(self._stamped + 1000, self.clock.at(self.world.now))
        return self._stamped

    def advance(self) -> list[Shift | Deed]:
        """One second passes, the monitor looks, every loop that is due decides. Returns what changed and what was done, for the screen."""
        self.world.step()
        happened: list[Shift | Deed] = [*self.monitor.look(self.world)]
        for loop in self.loops:
            loop.run(self.world)
            happened += loop.deeds
            loop.deeds.clear()
        return happened
