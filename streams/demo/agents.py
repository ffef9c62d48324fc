"""The agents of the demo: small control loops, each right by its own mandate, that read the world late and act through the SDK.

None knows of another. Each tick is one decision: observe, compare with a bound, write a knob or leave it, and say so. What one loop cannot
see is where the incident comes from: the cost optimizer counts cold instances as idle, the traffic router counts them as capacity, and
the two queue routers act on depths that are already old.
"""

from __future__ import annotations

import contextvars
import math
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from interplay_sdk import Recorder

from streams.demo.world import DATABASE, DB_SHARE, QUEUE_A, QUEUE_B, REPLICAS, SHARE_A, World
from streams.terminal import figure

Recorders = Callable[..., Recorder]  # agent=, source=, mandate= -> a recorder that writes to wherever the demo's events go


class Deed(NamedTuple):
    """One write, for the screen; what the analyzer learns of it goes through the recorder alone."""

    agent: str
    knob: tuple[str, str]
    old: float
    new: float
    rule: str
    saw: tuple[str, ...]  # the readings that the decision rested on


class Loop(ABC):
    """One control loop: `tick` decides every `every` simulated seconds, give or take its own jitter."""

    name: ClassVar[str]
    instance: ClassVar[str]
    mandate: ClassVar[str]
    every: ClassVar[float]
    first: ClassVar[float]

    def __init__(self, recorders: Recorders, when: Callable[[float], int], rng: random.Random) -> None:
        self.recorder = recorders(agent=self.name, source=self.instance, mandate=self.mandate)
        self.when, self.rng = when, rng  # `when`: simulated seconds -> ns since the epoch
        self.next = self.first + rng.uniform(0.0, 2.0)
        self.acted = -math.inf
        self.saw: list[str] = []
        self.deeds: list[Deed] = []

    def run(self, world: World) -> None:
        """Decide if it is time to, in a context of its own, as a request handler or a reconcile call has."""
        if world.now < self.next:
            return
        self.next = world.now + self.every + self.rng.uniform(-1.0, 1.0)
        self.saw = []
        if self.name not in world.holds:
            contextvars.copy_context().run(self.tick, world)

    @abstractmethod
    def tick(self, world: World) -> None:
        """One decision."""

    def see(self, world: World, resource: str, metric: str, lag: float = 0.0, over: int = 1) -> float:
        """Read a metric as it was `lag` seconds ago, and remember that this decision rests on it."""
        seen = world.observe(resource, metric, lag, over)
        told = ("down", "up")[bool(seen.value)] if metric == "health" else round(seen.value, 3)  # as its transitions name it
        self.recorder.read(resource, metric, told, time=self.when(seen.time))
        self.saw.append(f"{metric} of {resource} {told if isinstance(told, str) else figure(seen.value)}")
        return seen.value

    def look(self, world: World, name: tuple[str, str]) -> tuple[float, list[str]]:
        """Read a setting: its value and the event that wrote it last, which the resource names in an annotation."""
        knob = world.knob(name)
        self.recorder.read(*name, knob.value, version=knob.version)
        if not self.saw:
            self.saw.append(f"{name[1]} of {name[0]} {figure(knob.value)}")
        return knob.value, list(knob.writers[-1:])

    def write(
        self,
        world: World,
        verb: str,
        name: tuple[str, str],
        new: float,
        rule: str,
        *,
        causes: Sequence[str] = (),
        acknowledges: Sequence[str] = (),
        intent: Mapping[str, object] | None = None,
    ) -> None:
        """Set a knob and record it, with the events that it answers, those that it knowingly overrules, and what shall hold from now on."""
        knob = world.knob(name)
        ref = self.recorder.act(
            verb,
            *name,
            old=knob.value,
            new=new,
            version=knob.version + 1,
            why=rule,
            causes=causes,
            acknowledges=list(acknowledges) or None,
            intent=intent,
        )
        world.write(name, new, ref)
        self.deeds.append(Deed(self.name, name, knob.value, new, rule, tuple(self.saw)))
        self.acted = world.now


class PerformanceScaler(Loop):
    """Doubles the database when latency is high, and says until when the new instances warm up."""

    name, instance = "perf-scaler", "agents/perf-scaler/pod-3"
    mandate = "keep the p95 latency of db/orders under 300 ms"
    every, first = 10.0, 20.0
    bound_ms, cooldown, most, warming = 300.0, 60.0, 32, 150.0

    def tick(self, world: World) -> None:
        latency = self.see(world, DATABASE, "p95_latency_ms", lag=5)
        replicas, writer = self.look(world, REPLICAS)
        if latency <= self.bound_ms or world.now - self.acted < self.cooldown or replicas >= self.most:
            return
        expected = {"resource": DATABASE, "metric": "utilisation", "direction": "down"}
        self.write(
            world,
            "scale",
            REPLICAS,
            min(self.most, int(replicas * 2)),
            f"p95_latency_ms > {self.bound_ms:.0f}",
            causes=writer,
            intent={"until": self.when(world.now + self.warming), "expects": [expected], "reason": "warm-up"},
        )


class CostOptimizer(Loop):
    """Removes instances that look idle, a few at a time. To a bill a cold instance is an idle one."""

    name, instance = "cost-optimizer", "agents/cost-optimizer/job-1"
    mandate = "keep the utilisation of db/orders above 55 %"
    every, first = 15.0, 25.0
    bound, target, most, least, cooldown = 0.55, 0.75, 6, 4, 60.0

    def tick(self, world: World) -> None:
        used = self.see(world, DATABASE, "utilisation", lag=5, over=10)
        replicas, _ = self.look(world, REPLICAS)
        needed = max(self.least, math.ceil(used * replicas / self.target))
        new = max(needed, int(replicas) - self.most)
        if used >= self.bound or new >= replicas or world.now - self.acted < self.cooldown:
            return
        self.write(world, "drain", REPLICAS, new, f"utilisation < {self.bound}")


class TrafficRouter(Loop):
    """Splits traffic between database and cache by the capacity that each reports, in bounded steps."""

    name, instance = "traffic-router", "agents/traffic-router/edge-1"
    mandate = "use every tier in proportion to its capacity"
    every, first = 20.0, 30.0
    step, least_change = 0.04, 0.03

    def tick(self, world: World) -> None:
        replicas, writer = self.look(world, REPLICAS)
        share, _ = self.look(world, DB_SHARE)
        reported = replicas * world.plant.per_instance
        wanted = reported / (reported + world.plant.cache_capacity)
        change = max(-self.step, min(self.step, wanted - share))
        if abs(change) < self.least_change:
            return
        self.write(
            world,
            "reroute",
            DB_SHARE,
            round(share + change, 3),
            "share follows reported capacity",
            causes=writer,
        )


class QueueRouter(Loop):
    """Guards one queue: when it is deeper than the other, moves part of its flow there; the deeper, the more."""

    every = 16.0
    lag, slack, most = 10.0, 60.0, 0.55  # seconds, messages, share of the flow
    least, gain = 0.05, 0.0009  # share of the flow moved: at least, and per message of difference
    own: ClassVar[str]
    other: ClassVar[str]

    def tick(self, world: World) -> None:
        excess = self.see(world, self.own, "depth", self.lag) - self.see(world, self.other, "depth", self.lag)
        share, writer = self.look(world, SHARE_A)
        if excess <= self.slack:
            return
        flow = share if self.own == QUEUE_A else 100.0 - share
        moved = flow * min(self.most, self.least + self.gain * excess)
        new = round(share - moved if self.own == QUEUE_A else share + moved, 1)
        self.write(world, "reroute", SHARE_A, new, f"depth > other + {self.slack:.0f}", causes=writer)


class QueueRouterA(QueueRouter):
    """R1 of the incident."""

    name, instance = "router-r1", "agents/router-r1/pod-0"
    mandate = f"keep {QUEUE_A} short"
    first = 14.0
    own, other = QUEUE_A, QUEUE_B


class QueueRouterB(QueueRouter):
    """R2 of the incident."""

    name, instance = "router-r2", "agents/router-r2/pod-0"
    mandate = f"keep {QUEUE_B} short"
    first = 22.0
    own, other = QUEUE_B, QUEUE_A


class OnCall(Loop):
    """The person who is paged: some time after something is plainly broken, puts the loops around it on hold and restores what worked."""

    name, instance = "on-call", "people/on-call"
    mandate = "end incidents"
    every, first = 5.0, 5.0
    wakes_up = 75.0

    def __init__(self, recorders: Recorders, when: Callable[[float], int], rng: random.Random) -> None:
        super().__init__(recorders, when, rng)
        self.paged: dict[str, float] = {}

    def tick(self, world: World) -> None:
        for decide in (self._database, self._queues):
            self.saw = []
            contextvars.copy_context().run(decide, world)

    def _database(self, world: World) -> None:
        if self._woken(world, "database", self.see(world, DATABASE, "health") == 0.0):
            self._restore(world, "reroute", DB_SHARE, 0.3, "database is down")
            self._restore(world, "scale", REPLICAS, 16, "database is down")
            self._hold(world, CostOptimizer.name, TrafficRouter.name, PerformanceScaler.name)

    def _queues(self, world: World) -> None:
        deepest = max(self.see(world, queue, "depth") for queue in (QUEUE_A, QUEUE_B))
        if self._woken(world, "queues", deepest >= 0.95 * world.plant.queue_limit):
            self._restore(world, "pin", SHARE_A, 50.0, "messages are lost")
            self._hold(world, QueueRouterA.name, QueueRouterB.name)

    def _woken(self, world: World, what: str, broken: bool) -> bool:
        """True once, `wakes_up` seconds after it broke."""
        if broken:
            self.paged.setdefault(what, world.now)
        if world.now - self.paged.get(what, math.inf) < self.wakes_up:
            return False
        self.paged[what] = math.inf
        return True

    def _restore(self, world: World, verb: str, name: tuple[str, str], value: float, why: str) -> None:
        """Write a knob, knowing who wrote it of late and what they meant."""
        self.write(world, verb, name, value, why, acknowledges=list(world.knob(name).writers))

    def _hold(self, world: World, *names: str) -> None:
        for name in names:
            world.holds.add(name)
            self.recorder.act("hold", f"controller/{name}", "paused", old=False, new=True, why="incident")
            self.deeds.append(Deed(self.name, (f"controller/{name}", "paused"), 0, 1, "incident", ()))


LOOPS: tuple[type[Loop], ...] = (PerformanceScaler, CostOptimizer, TrafficRouter, QueueRouterA, QueueRouterB, OnCall)
