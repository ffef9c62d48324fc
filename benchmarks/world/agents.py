"""The agents of the simulated system: small control loops, each right by its own mandate, that see the system late and with noise.

None knows of another but by what is declared. `decide` answers what to write; the world applies it some seconds later. Policies are
those of the field: a horizontal autoscaler with tolerance and stabilisation, a cost optimiser to which a cold replica is an idle one,
self-heal to a committed value, routers towards the shorter queue, failover and failback with hold-down, health checks with rise and
fall, and an operations agent with maintenance windows.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import msgspec

from benchmarks.world.draw import (
    DATABASE,
    EDGE,
    MEMBERS,
    NODES,
    PRIMARY,
    QUEUE_A,
    QUEUE_B,
    REPLICAS,
    ROUTER,
    WEB,
    Knob,
    Loop,
    Scenario,
    Task,
)
from benchmarks.world.plant import Setting

MOST_REPLICAS = 400.0
NAMES: dict[str, Knob] = {  # metric of the plant -> resource and metric of the events
    "demand": (WEB, "requests"),
    "utilisation": (WEB, "utilisation"),
    "latency_ms": (WEB, "latency_ms"),
    "served": (WEB, "served"),
    "arrivals": (ROUTER, "arrivals"),
    "wait_a": (QUEUE_A, "wait_s"),
    "wait_b": (QUEUE_B, "wait_s"),
    "zone-a": (DATABASE, "latency_ms_zone-a"),
    "zone-b": (DATABASE, "latency_ms_zone-b"),
    **{node: (EDGE, f"latency_ms_{node}") for node in NODES},
}


class Reading(msgspec.Struct, frozen=True):
    """A metric as an agent saw it: the second that it shows, and the value with the noise."""

    metric: str
    value: float
    t: float


class Clause(msgspec.Struct, frozen=True):
    """What a write declares: until when (s), what for, what it expects, when it may be undone (metric, bound), who may do so."""

    until: float
    reason: str
    expects: tuple[str, ...] = ()
    abort_above: tuple[tuple[str, float], ...] = ()
    handoff: tuple[str, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """One knob to be written, and what it rests on."""

    knob: Knob
    new: Setting
    verb: str
    clause: Clause | None = None


class Senses(Protocol):
    """What an agent may ask of the world."""

    def see(self, loop: Loop, metric: str) -> float:
        """A metric, late, averaged and noisy."""
        ...

    def value(self, knob: Knob) -> Setting:
        """A setting as it stands now."""
        ...

    def warm(self) -> int:
        """How many replicas serve already."""
        ...


class Agent(ABC):
    """One control loop."""

    def __init__(self, loop: Loop, scenario: Scenario) -> None:
        self.loop, self.scenario = loop, scenario
        self.numbers = dict(loop.numbers)
        self.acted = -1e9  # when it last decided to write

    @abstractmethod
    def decide(self, t: int, world: Senses) -> Sequence[Decision]:
        """What to write at second `t`; nothing is the usual answer."""


def _count(value: Setting) -> float:
    assert isinstance(value, float)
    return value


class Autoscaler(Agent):
    """Kubernetes' rule: ceil(n * utilisation / target) outside the tolerance; down only to the highest wish within the window.

    With `unready`, as Kubernetes has it, replicas that are still cold count as idle when it would add more; without, as new ones do not yet
    show in the average, it adds more for as long as they warm up.
    """

    def __init__(self, loop: Loop, scenario: Scenario) -> None:
        super().__init__(loop, scenario)
        self.wishes: deque[tuple[int, float]] = deque()

    def decide(self, t: int, world: Senses) -> Sequence[Decision]:
        have, ratio = _count(world.value(REPLICAS)), world.see(self.loop, "utilisation") / self.numbers["target"]
        if self.numbers["unready"] and ratio > 1.0:
            ratio = max(1.0, ratio * min(1.0, world.warm() / have))
        wish = have if abs(ratio - 1.0) <= self.numbers["tolerance"] else math.ceil(have * ratio)
        self.wishes.append((t, wish))
        while self.wishes[0][0] < t - self.numbers["stabilise"]:
            self.wishes.popleft()
        new = wish if wish > have else min(have, max(wished for _, wished in self.wishes))
        new = max(2.0, min(MOST_REPLICAS, new, max(2.0 * have, have + self.numbers["pods"])))
        return [Decision(REPLICAS, float(new), "scale")] if new != have else []


class Cost(Agent):
    """Removes replicas that look idle. It divides what is served by all replicas, the cold ones too."""

    def decide(self, t: int, world: Senses) -> Sequence[Decision]:
        have = _count(world.value(REPLICAS))
        used = world.see(self.loop, "served") / (have * self.scenario.per_replica)
        if used >= self.numbers["low"] or t - self.acted < self.numbers["cooldown"]:
            return []
        new = float(max(2, math.ceil(have * (1.0 - self.numbers["step"]))))
        return [Decision(REPLICAS, new, "consolidate")] if new < have else []


class SelfHeal(Agent):
    """Writes back what the repository says."""

    def decide(self, t: int, world: Senses) -> Sequence[Decision]:
        factor = [factor for start, factor in self.scenario.commits if start <= t][-1]
        committed = float(max(2, round(self.scenario.replicas * factor)))
        return [Decision(REPLICAS, committed, "sync")] if world.value(REPLICAS) != committed else []


class _Splits(Agent):
    """What is shared by all that split the flow: one share or two weights."""

    def share(self, world: Senses) -> float:
        return _count(world.value(self.scenario.route[0]))

    def split(self, share: float, verb: str, clause: Clause | None = None) -> Sequence[Decision]:
        share = round(min(95.0, max(5.0, share)), 1)
        values = (share, round(100.0 - share, 1))
        return [Decision(knob, value, verb, clause) for knob, value in zip(self.scenario.route, values, strict=False)]


class LatencyRouter(_Splits):
    """Moves flow towards the queue with the shorter wait, by its gain."""

    def decide(self, t: int, world: Senses) -> Sequence[Decision]:
        a, b = world.see(self.loop, "wait_a"), world.see(self.loop, "wait_b")
        if abs(a - b) <= self.numbers["slack"]:
            return []
        share = self.share(world)
        new = share * math.exp(-self.numbers["gain"] * (a - b) / (a + b))
        return self.split(new, "reroute") if abs(new - share) >= 100.0 * self.numbers["least"] else []


class QueueGuard(_Splits):
    """Guards one queue: where it waits longer than the other, moves part of its flow there."""

    def decide(self, t: int, world: Senses) -> Sequence[Decision]:
        a, b = world.see(self.loop, "wait_a"), world.see(self.loop, "wait_b")
        own_a, share = bool(self.numbers["own"]), self.share(world)
        if (a - b if own_a else b - a) <= self.numbers["slack"]:
            return []
        keeps = 1.0 - self.numbers["moves"]
        new = share * keeps if own_a else 100.0 - (100.0 - share) * keeps
        return self.split(new, "reroute") if abs(new - share) >= 1.0 else []


class Failover(Agent):
    """Leaves the primary zone after several slow answers, and then not again within the hold-down."""

    bad = 0

    def decide(self, t: int, world: Senses) -> Sequence[Decision]:
        primary = str(world.value(PRIMARY))
        self.bad = self.bad + 1 if world.see(self.loop, primary) > self.numbers["bad"] else 0
        if self.bad < self.numbers["fall"] or t - self.acted < self.numbers["hold"]:
            return []
        self.bad = 0
        return [Decision(PRIMARY, "zone-b" if primary == "zone-a" else "zone-a", "failover")]


class Failback(Agent):
    """Prefers the first zone, whenever that answers well again."""

    good = 0

    def decide(self, t: int, world: Senses) -> Sequence[Decision]:
        self.good = self.good + 1 if world.see(self.loop, "zone-a") < self.numbers["good"] else 0
        if world.value(PRIMARY) == "zone-a" or self.good < self.numbers["rise"] or t - self.acted < self.numbers["hold"]:
            return []
        return [Decision(PRIMARY, "zone-a", "failback")]


class HealthChecker(Agent):
    """Takes nodes out of the pool after slow answers and back in after good ones."""

    def __init__(self, loop: Loop, scenario: Scenario) -> None:
        super().__init__(loop, scenario)
        self.run = dict.fromkeys(NODES, 0)  # answers in a row that speak for a change

    def decide(self, t: int, world: Senses) -> Sequence[Decision]:
        members = world.value(MEMBERS)
        assert isinstance(members, tuple)
        left = set(members)
        for node in NODES:
            slow = world.see(self.loop, node) > self.numbers["bad"]
            self.run[node] = self.run[node] + 1 if slow == (node in members) else 0
            if node in members and self.run[node] >= self.numbers["fall"] and len(left) > self.numbers["least"]:
                left.discard(node)
            elif node not in members and self.run[node] >= self.numbers["rise"]:
                left.add(node)
        new = tuple(node for node in NODES if node in left)
        return [Decision(MEMBERS, new, "register")] if new != members else []


class Operations(_Splits):
    """Does its planned work, declares how long it lasts, and puts back what it found."""

    def __init__(self, loop: Loop, scenario: Scenario) -> None:
        super().__init__(loop, scenario)
        self.waiting = deque(scenario.tasks)
        self.undo: tuple[float, Sequence[Decision]] | None = None

    def decide(self, t: int, world: Senses) -> Sequence[Decision]:
        if self.undo is not None and t >= self.undo[0]:
            undone, self.undo = self.undo[1], None
            return [decision for decision in undone if world.value(decision.knob) != decision.new]
        if not self.waiting or t < self.waiting[0].start or self.undo is not None:
            return []
        task = self.waiting.popleft()
        decisions = self._work(task, world)
        if task.restores:
            back = [Decision(decision.knob, world.value(decision.knob), "restore") for decision in decisions]
            self.undo = (task.start + task.length - self.loop.takes, back)
        return decisions

    def _work(self, task: Task, world: Senses) -> Sequence[Decision]:
        until = float(task.start + task.length)
        if task.knob == REPLICAS:
            new = float(max(2, round(_count(world.value(REPLICAS)) * task.size)))
            return [Decision(REPLICAS, new, "pin", _clause(task, until, "utilisation", 0.95))]
        if task.knob == PRIMARY:
            return [Decision(PRIMARY, "zone-b", "failover", _clause(task, until, "zone-b", 300.0))]
        wait = "wait_a" if task.size > 0.5 else "wait_b"
        return self.split(100.0 * task.size, "drain", _clause(task, until, wait, 60.0))


def _clause(task: Task, until: float, metric: str, bound: float) -> Clause:
    expects, abort = (metric,) if task.announced else (), ((metric, bound),) if task.guarded else ()
    return Clause(until, "maintenance", expects, abort, task.handoff)


KINDS: dict[str, type[Agent]] = {
    "hpa": Autoscaler,
    "cost": Cost,
    "gitops": SelfHeal,
    "router": LatencyRouter,
    "guard": QueueGuard,
    "failover": Failover,
    "failback": Failback,
    "checker": HealthChecker,
    "ops": Operations,
}
