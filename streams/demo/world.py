"""The simulated system of the demo: a database cluster behind a traffic policy, and two queues behind one routing share.

Physics only: nothing here knows of agents or findings, and no outcome is scripted. Time is in simulated seconds, one step is one second,
and a seed fixes every noise, so that a run can be repeated. Two disturbances come from outside: demand rises by 11 %, and
the consumers of one queue are slow while they are deployed. Left alone, the system digests both.
"""

from __future__ import annotations

import random
from collections import deque
from typing import NamedTuple

import msgspec

DATABASE, EDGE = "db/orders", "edge/shop"
QUEUE_A, QUEUE_B, ROUTE = "queue/orders-a", "queue/orders-b", "route/orders"
REPLICAS, DB_SHARE, SHARE_A = (DATABASE, "replicas"), (EDGE, "db_share"), (ROUTE, "share_a")
HISTORY = 180  # seconds of every metric that can still be read
WRITERS = 8  # newest writers that a setting's annotation names


class Plant(msgspec.Struct, frozen=True, kw_only=True):
    """The constants of the system. Rates are per second, times in seconds."""

    demand: float = 1300.0  # requests, before the rise
    surge: float = 1.11
    surge_at: float = 15.0
    noise: float = 0.012
    instances: int = 8
    per_instance: float = 100.0  # requests that one warm instance serves
    warm_up: float = 120.0
    drain_time: float = 8.0  # one instance leaves at a time
    drain_first: str = "oldest"  # the usual termination policy; "newest" is the counterfactual
    cache_capacity: float = 800.0
    pool: float = 12_000.0  # requests that may wait before the pool is exhausted
    give_up: float = 20.0  # an exhausted pool for so long, and health checks fail
    restart: float = 25.0  # quiet time that a failed database needs to come back
    messages: float = 100.0
    consumers: float = 54.0  # messages that one queue's consumers take
    slow_consumers: float = 35.0  # queue A's during a deployment
    deploy: tuple[float, float] = (10.0, 30.0)
    queue_limit: float = 1_000.0  # beyond it messages are lost


class Observation(NamedTuple):
    """A metric as somebody sees it: the value, and when it was true (simulated seconds)."""

    value: float
    time: float


class Knob(NamedTuple):
    """A setting that agents write: its value, how often it was written, and by which events of late."""

    value: float
    version: int
    writers: tuple[str, ...] = ()  # newest last


class Instance(msgspec.Struct):
    """One database instance. It serves from `warm` on; a draining one takes nothing new."""

    born: float
    warm: float
    leaves: float | None = None


class Database:
    """Warm instances serve, cold ones idle, and what is not served waits in the connection pool until that is exhausted."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.instances = [Instance(born=i - 3600.0, warm=i - 3480.0) for i in range(plant.instances)]
        self.waiting = self.exhausted = self.quiet = 0.0
        self.up = True
        self.load = plant.demand / 2

    def warm(self, now: float) -> int:
        """Instances that serve."""
        return sum(i.warm <= now for i in self.instances)

    def resize(self, target: int, now: float, rng: random.Random) -> None:
        """Start instances, or drain some one after the other: those that have been up longest go first, unless the plant says otherwise."""
        staying = sorted((i for i in self.instances if i.leaves is None), key=lambda i: i.born)
        for _ in range(target - len(staying)):
            self.instances.append(Instance(born=now, warm=now + max(60.0, rng.gauss(self.plant.warm_up, 6.0))))
        surplus = max(0, len(staying) - target)
        if self.plant.drain_first == "newest":
            staying.reverse()
        for place, instance in enumerate(staying[:surplus], 1):
            instance.leaves = now + place * self.plant.drain_time

    def step(self, now: float, load: float) -> None:
        """One second under `load` requests."""
        self.load = load
        self.instances = [i for i in self.instances if i.leaves is None or i.leaves > now]
        capacity = self.warm(now) * self.plant.per_instance
        if not self.up:
            self.waiting = 0.0
            self.quiet = self.quiet + 1 if load < 0.8 * capacity else 0.0
            self.up = self.quiet >= self.plant.restart
            self.exhausted = 0.0
            return
        self.waiting = min(self.plant.pool, max(0.0, self.waiting + load - capacity))
        self.exhausted = self.exhausted + 1 if self.waiting >= self.plant.pool else 0.0
        if self.exhausted >= self.plant.give_up:
            self.up, self.quiet = False, 0.0

    def utilisation(self, now: float) -> float:
        """Busy share of all instances that stay, cold ones included: what a bill shows, not what users feel."""
        staying = [i for i in self.instances if i.leaves is None]
        busy = min(self.load, self.warm(now) * self.plant.per_instance) if self.up else 0.0
        return busy / (max(1, len(staying)) * self.plant.per_instance)

    def p95_ms(self, now: float) -> float:
        """95th percentile of latency: a queueing curve plus the time in the pool, at most the client's timeout of 30 s."""
        if not self.up:
            return 30_000.0
        capacity = max(1.0, self.warm(now) * self.plant.per_instance)
        busy = min(0.985, self.load / capacity)
        return min(30_000.0, 35.0 / (1.0 - busy) + 1000.0 * self.waiting / capacity)


class World:
    """The whole system on one clock. Agents see it by `observe` and `knob`, and change it by `write` alone."""

    def __init__(self, seed: int, plant: Plant | None = None) -> None:
        self.plant = plant or Plant()
        self.rng = random.Random(seed)
        self.now = 0.0
        self.database = Database(self.plant)
        self.depths = {QUEUE_A: 0.0, QUEUE_B: 0.0}
        self.lost = 0.0
        self.holds: set[str] = set()  # controllers that somebody has put on hold
        self.drift = 0.0
        self.knobs = {
            REPLICAS: Knob(self.plant.instances, 1),
            DB_SHARE: Knob(0.5, 1),
            SHARE_A: Knob(50.0, 1),
        }
        self.history: dict[tuple[str, str], deque[Observation]] = {}
        self._record()

    def step(self) -> None:
        """One second passes."""
        plant, self.now = self.plant, self.now + 1.0
        self.drift = 0.95 * self.drift + self.rng.gauss(0.0, plant.noise)
        surge = plant.surge if self.now >= plant.surge_at else 1.0
        self.demand = plant.demand * surge * (1.0 + 0.3 * self.drift)
        self.database.step(self.now, self.demand * self.knobs[DB_SHARE].value)
        self._step_queues()
        self._record()

    def _step_queues(self) -> None:
        plant, start, end = self.plant, *self.plant.deploy
        arriving = plant.messages * (1.0 + self.drift)
        share = self.knobs[SHARE_A].value / 100.0
        taken_a = plant.slow_consumers if start <= self.now < end else plant.consumers
        for queue, arrivals, taken in ((QUEUE_A, arriving * share, taken_a), (QUEUE_B, arriving * (1.0 - share), plant.consumers)):
            depth = max(0.0, self.depths[queue] + arrivals - taken)
            self.lost += max(0.0, depth - plant.queue_limit)
            self.depths[queue] = min(plant.queue_limit, depth)

    def _record(self) -> None:
        database = self.database
        values = {
            (DATABASE, "p95_latency_ms"): database.p95_ms(self.now),
            (DATABASE, "utilisation"): database.utilisation(self.now),
            (DATABASE, "warm_instances"): float(database.warm(self.now)),
            (DATABASE, "waiting"): database.waiting,
            (DATABASE, "health"): float(database.up),
            (EDGE, "requests"): self.plant.demand if self.now == 0 else self.demand,
            (QUEUE_A, "depth"): self.depths[QUEUE_A],
            (QUEUE_B, "depth"): self.depths[QUEUE_B],
        }
        for name, value in values.items():
            self.history.setdefault(name, deque(maxlen=HISTORY)).append(Observation(value, self.now))

    def observe(self, resource: str, metric: str, lag: float = 0.0, over: int = 1) -> Observation:
        """The mean of `over` seconds of a metric as it was `lag` seconds ago. Raises KeyError for a metric that does not exist."""
        series = self.history[resource, metric]
        newest = max(0, len(series) - 1 - int(lag))
        values = [series[i].value for i in range(max(0, newest - over + 1), newest + 1)]
        return Observation(sum(values) / len(values), series[newest].time)

    def knob(self, name: tuple[str, str]) -> Knob:
        """A setting as it is now."""
        return self.knobs[name]

    def write(self, name: tuple[str, str], value: float, writer: str) -> None:
        """Set a knob; `writer` is the event that says so. Instances start or drain as the new count asks."""
        before = self.knobs[name]
        self.knobs[name] = Knob(value, before.version + 1, (*before.writers, writer)[-WRITERS:])
        if name == REPLICAS:
            self.database.resize(int(value), self.now, self.rng)
