"""The simulated system: physics in steps of one second. It knows of knobs and load, not of agents.

Requests enter through a pool of nodes, are served by replicas whose speed depends on a database, and become messages in two queues.
Capacity warms up, what is lost comes back as retries, and a zone that has just become primary has a cold cache. All noise comes from
outside and is indexed by (seed, entity, second), never by the order of drawing: two runs that differ in one action see the same noise.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

from benchmarks.world.draw import (
    LENGTH,
    MEMBERS,
    NODES,
    PRIMARY,
    REPLICAS,
    SHARE,
    WEIGHT_A,
    WEIGHT_B,
    Knob,
    Scenario,
)

Setting: TypeAlias = float | str | tuple[str, ...]
QUEUE_LIMIT_S = 180.0  # a queue that would take longer to drain loses messages
PATIENCE_S = 8.0  # a request waits no longer for a replica
METRICS = ("demand", "utilisation", "latency_ms", "served", "arrivals", "wait_a", "wait_b", "zone-a", "zone-b", *NODES)


@lru_cache(maxsize=256)
def gaussian(seed: int, entity: str) -> tuple[float, ...]:
    """The noise of one entity: a standard normal for every second."""
    rng = random.Random(f"noise {seed} {entity}")
    return tuple(rng.gauss(0.0, 1.0) for _ in range(LENGTH + 1))


@lru_cache(maxsize=64)
def offered(scenario: Scenario, seed: int) -> tuple[float, ...]:
    """Requests per second at every second: level, swing, surges and a slow random drift."""
    drift, found, noise = 0.0, [], gaussian(seed, "demand")
    for t in range(LENGTH + 1):
        drift = 0.97 * drift + 0.243 * noise[t]
        wave = 1.0 + scenario.swing * math.sin(scenario.swing_phase + 6.2832 * t / scenario.swing_period)
        found.append(max(1.0, scenario.demand * wave * (1.0 + scenario.jitter * drift)))
    for surge in scenario.episodes:
        if surge.what == "demand":
            for t in range(surge.start, min(LENGTH, surge.start + surge.length)):
                found[t] *= surge.factor
    return tuple(found)


@lru_cache(maxsize=512)
def disturbed(scenario: Scenario, what: str) -> tuple[float, ...]:
    """What is left of a capacity at every second, by the disturbances from outside."""
    found = [1.0] * (LENGTH + 1)
    for episode in scenario.episodes:
        if episode.what == what:
            for t in range(episode.start, min(LENGTH, episode.start + episode.length)):
                found[t] *= episode.factor
    return tuple(found)


class Plant:
    """State and knobs. `held` are settings that the physics uses whatever is written: a loop cut open."""

    def __init__(self, scenario: Scenario, seed: int, held: Mapping[Knob, Setting]) -> None:
        self.scenario, self.held = scenario, held
        self.offered = offered(scenario, seed)
        self.left = {what: disturbed(scenario, what) for what in ("zone-a", "zone-b", "consumer-a", *NODES)}
        share: dict[Knob, Setting] = {WEIGHT_A: 50.0, WEIGHT_B: 50.0} if scenario.weights else {SHARE: 50.0}
        self.knobs: dict[Knob, Setting] = {REPLICAS: float(scenario.replicas), PRIMARY: "zone-a", MEMBERS: NODES, **share}
        first = held.get(REPLICAS, float(scenario.replicas))
        assert isinstance(first, float)
        self.ready = [0.0] * int(first)  # when each replica is warm, oldest first
        self.joined = dict.fromkeys(NODES, -1e9)
        self.switched = -1e9
        self.backlog = self.retrying = self.depth_a = self.depth_b = 0.0
        self.lost = 0.0  # sum over seconds of the share of the demand that was not served
        self.seen: dict[str, list[float]] = {metric: [] for metric in METRICS}

    def setting(self, knob: Knob) -> Setting:
        """What the physics goes by."""
        return self.held.get(knob, self.knobs[knob])

    def write(self, knob: Knob, value: Setting, t: float) -> None:
        """Sets a knob. What is held does not follow."""
        before, self.knobs[knob] = self.knobs[knob], value
        if knob in self.held or before == value:
            return
        if knob == REPLICAS:
            assert isinstance(value, float)
            while len(self.ready) > value:
                self.ready.pop()  # the youngest first
            while len(self.ready) < value:
                self.ready.append(t + self.scenario.warm_up)
        elif knob == PRIMARY:
            self.switched = t
        elif knob == MEMBERS:
            assert isinstance(value, tuple) and isinstance(before, tuple)
            for node in value:
                if node not in before:
                    self.joined[node] = t

    def step(self, t: int) -> None:
        """One second passes."""
        scenario, seen, demand = self.scenario, self.seen, self.offered[t]
        entered = self._enter(t, demand)
        speed = self._database(t, entered)
        warm = 0
        for ready in self.ready:
            warm += ready <= t
        capacity = max(0.1, warm * scenario.per_replica * speed)
        work = entered + self.retrying + self.backlog
        served = min(work, capacity)
        waiting = work - served
        self.backlog = min(waiting, capacity * PATIENCE_S)
        given_up = waiting - self.backlog
        self.retrying = 0.8 * self.retrying + 0.2 * scenario.retry * given_up if given_up or self.retrying else 0.0
        busy = served / capacity
        seen["demand"].append(demand)
        seen["utilisation"].append(busy)
        seen["latency_ms"].append(30.0 / (1.03 - busy) + 1000.0 * self.backlog / capacity)
        seen["served"].append(served)
        over = self._queues(t, served)
        self.lost += max(0.0, 1.0 - max(0.0, served - over) / demand)

    def _enter(self, t: int, demand: float) -> float:
        """Through the pool: the more nodes are out, the more each of the others has to carry."""
        scenario, members = self.scenario, self.setting(MEMBERS)
        assert isinstance(members, tuple)
        load, passed = demand / max(1, len(members)), 0.0
        for node in NODES:
            cold = 0.6 if t - self.joined[node] < scenario.node_warm_up else 1.0
            capacity = scenario.node_capacity * self.left[node][t] * cold
            inside = node in members
            if inside:
                passed += min(load, capacity)
            busy = min(0.97, load / capacity) if inside else 0.3  # one that is out is probed without load
            self.seen[node].append(12.0 / (1.0 - busy) / (self.left[node][t] if not inside else 1.0))
        return passed

    def _database(self, t: int, load: float) -> float:
        """The speed that the database leaves to its callers, 1 at best."""
        scenario, primary = self.scenario, self.setting(PRIMARY)
        lasts, cold = scenario.cold_cache
        speed = 1.0
        for i, zone in enumerate(("zone-a", "zone-b")):
            left = self.left[zone][t]
            if zone == primary:
                capacity = scenario.zone_capacity[i] * left * (cold if t - self.switched < lasts else 1.0)
                latency = 15.0 / (1.0 - min(0.97, load / capacity))
                speed = 1.0 / (1.0 + max(0.0, latency - 60.0) / 400.0)
            else:
                latency = 15.0 / left**2
            self.seen[zone].append(latency)
        return speed

    def _queues(self, t: int, served: float) -> float:
        """Messages per second that are lost because a queue is full."""
        scenario, (a, b) = self.scenario, self.scenario.consumers
        if scenario.weights:
            one, other = self.setting(WEIGHT_A), self.setting(WEIGHT_B)
            assert isinstance(one, float) and isinstance(other, float)
            share = one / max(1.0, one + other)
        else:
            single = self.setting(SHARE)
            assert isinstance(single, float)
            share = single / 100.0
        taken_a, taken_b = scenario.demand * a * self.left["consumer-a"][t], scenario.demand * b
        depth_a = max(0.0, self.depth_a + served * share - taken_a)
        depth_b = max(0.0, self.depth_b + served * (1.0 - share) - taken_b)
        self.depth_a, self.depth_b = min(depth_a, QUEUE_LIMIT_S * taken_a), min(depth_b, QUEUE_LIMIT_S * taken_b)
        self.seen["arrivals"].append(served)
        self.seen["wait_a"].append(self.depth_a / taken_a)
        self.seen["wait_b"].append(self.depth_b / taken_b)
        return depth_a - self.depth_a + depth_b - self.depth_b
