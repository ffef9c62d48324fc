"""What one simulated scenario is: random sizes, gains, delays, periods, thresholds and disturbances from a seed. Never an outcome.

Ranges are those of the field where it documents them: HPA 15 s period, 10 % tolerance, stabilisation 0 to 300 s; self-heal polls of half
a minute to three; health checks every 5 to 10 s with rise and fall counts. The rest is judgement.
"""

from __future__ import annotations

import random
from typing import TypeAlias

import msgspec

Knob: TypeAlias = tuple[str, str]  # resource, parameter
WEB, DATABASE, EDGE, ROUTER = "k8s/shop/deployment/web", "db/orders", "pool/edge", "route/orders"
QUEUE_A, QUEUE_B = "queue/orders-a", "queue/orders-b"
REPLICAS: Knob = (WEB, "replicas")
PRIMARY: Knob = (DATABASE, "primary")
MEMBERS: Knob = (EDGE, "members")
SHARE: Knob = (ROUTER, "share_a")
WEIGHT_A: Knob = (QUEUE_A, "weight")
WEIGHT_B: Knob = (QUEUE_B, "weight")
NODES = ("n1", "n2", "n3", "n4")
LENGTH = 7200  # s of one scenario


class Episode(msgspec.Struct, frozen=True):
    """A disturbance from outside: from `start` (s) for `length` (s), something is multiplied by `factor`."""

    what: str
    start: int
    length: int
    factor: float


class Loop(msgspec.Struct, frozen=True):
    """One agent: its kind (a class of `agents`), name, clock, senses, actuation, and the settings of its kind."""

    kind: str
    name: str
    period: float  # s between decisions
    phase: float  # s
    lag: float  # s by which its readings are old
    over: int  # s over which its readings are averaged
    noise: float  # standard deviation of a reading, relative
    takes: float  # s between a decision and its write
    respects: bool  # leaves knobs alone that another agent has declared to hold
    numbers: tuple[tuple[str, float], ...]

    def number(self, name: str) -> float:
        """A setting of its kind. Raises KeyError for one that it does not have."""
        return dict(self.numbers)[name]


class Task(msgspec.Struct, frozen=True):
    """Planned work of the operations agent on one knob: from `start` (s), for `length` (s)."""

    knob: Knob
    start: int
    length: int
    size: float  # what the present value is multiplied by; for a share or a zone, which one
    handoff: tuple[str, ...]
    guarded: bool  # declares a bound under which it may be undone
    announced: bool  # declares the effect that it expects
    restores: bool


class Scenario(msgspec.Struct, frozen=True):
    """Everything but the noise. Rates are requests per second."""

    seed: int
    demand: float
    swing: float
    swing_period: float
    swing_phase: float
    jitter: float
    per_replica: float
    replicas: int
    warm_up: float
    retry: float
    node_capacity: float
    node_warm_up: float
    zone_capacity: tuple[float, float]
    cold_cache: tuple[float, float]  # s, and what is left of the capacity
    consumers: tuple[float, float]
    weights: bool  # the router writes a weight on either queue instead of one share
    episodes: tuple[Episode, ...]
    loops: tuple[Loop, ...]
    tasks: tuple[Task, ...]
    commits: tuple[tuple[int, float], ...]  # (s, factor of the first replica count): what the repository says from then on

    @property
    def route(self) -> tuple[Knob, ...]:
        """The knobs that split the flow between the queues."""
        return (WEIGHT_A, WEIGHT_B) if self.weights else (SHARE,)


def draw(seed: int) -> Scenario:
    """The scenario of a seed; equal on every machine."""
    rng = random.Random(f"scenario {seed}")
    u = rng.uniform
    demand, per = u(200.0, 800.0), u(8.0, 20.0)
    target = u(0.5, 0.75)
    replicas = max(3, round(demand / per / target))
    loops = tuple(_loops(rng, target))
    scenario = Scenario(
        seed=seed,
        demand=demand,
        swing=rng.choice((0.0, u(0.05, 0.5), u(0.2, 0.6))),
        swing_period=rng.choice((u(400, 2000), u(3600, 28800))),
        swing_phase=u(0.0, 6.283),
        jitter=u(0.003, 0.03),
        per_replica=per,
        replicas=replicas,
        warm_up=u(5.0, 180.0),
        retry=u(0.0, 0.8),
        node_capacity=demand / 4 * u(1.2, 2.6),
        node_warm_up=u(0.0, 60.0),
        zone_capacity=(demand * u(1.2, 2.0), demand * u(0.9, 1.8)),
        cold_cache=(u(10.0, 240.0), u(0.4, 0.95)),
        consumers=(u(0.45, 0.75), u(0.45, 0.75)),
        weights=rng.random() < 0.4,
        episodes=tuple(_episodes(rng)),
        loops=loops,
        tasks=tuple(_tasks(rng, loops)),
        commits=_commits(rng),
    )
    return _tuned(scenario) if rng.random() < 0.5 else scenario


def _tuned(scenario: Scenario) -> Scenario:
    """The same system in the hands of people who know it: fresh and averaged readings, low gains, long holds, nobody syncs replicas."""
    gentle = {"gain": 0.2, "moves": 0.4, "bad": 1.5, "hold": 3.0}
    loops = tuple(
        msgspec.structs.replace(
            loop,
            lag=loop.lag / 4,
            over=max(10, loop.over),
            noise=min(0.02, loop.noise),
            respects=True,
            numbers=tuple((name, 1.0 if name == "unready" else value * gentle.get(name, 1.0)) for name, value in loop.numbers),
        )
        for loop in scenario.loops
        if loop.kind != "gitops"
    )
    warm, cold = scenario.warm_up * 0.3, (scenario.cold_cache[0], max(0.85, scenario.cold_cache[1]))
    return msgspec.structs.replace(scenario, loops=loops, warm_up=warm, cold_cache=cold, node_warm_up=scenario.node_warm_up / 4)


def _episodes(rng: random.Random) -> list[Episode]:
    found: list[Episode] = []

    def some(what: str, most: int, lengths: tuple[int, int], factors: tuple[float, float]) -> None:
        for _ in range(rng.randint(0, most)):
            found.append(
                Episode(what, rng.randrange(300, LENGTH - 600), rng.randint(*lengths), round(rng.uniform(*factors), 3))
            )  # fmt: skip

    some("demand", 3, (60, 1500), (1.15, 2.2))
    some("zone-a", 2, (30, 600), (0.2, 0.7))
    some("zone-b", 1, (30, 600), (0.2, 0.7))
    some("consumer-a", 2, (60, 900), (0.3, 0.8))
    for node in NODES:
        some(node, 1, (20, 300), (0.2, 0.7))
    return found


def _commits(rng: random.Random) -> tuple[tuple[int, float], ...]:
    later = [(rng.randrange(600, LENGTH), round(rng.uniform(0.7, 1.5), 2)) for _ in range(rng.choice((0, 0, 1, 2)))]
    return ((0, round(rng.uniform(0.6, 1.3), 2)), *sorted(later))


def _loops(rng: random.Random, target: float) -> list[Loop]:
    u, found = rng.uniform, list[Loop]()
    crowd = u(0.3, 1.3)  # some systems have few agents, some have all

    def add(kind: str, name: str, period: float, takes: float, **numbers: float) -> None:
        found.append(
            Loop(
                kind,
                name,
                period,
                phase=u(0.0, period),
                lag=rng.choice((u(0, 15), u(15, 60))),
                over=rng.choice((1, 10, 30)),
                noise=rng.choice((0.01, 0.02, u(0.02, 0.1), u(0.1, 0.25))),
                takes=takes,
                respects=rng.random() < 0.3,
                numbers=tuple(sorted(numbers.items())),
            )
        )

    if rng.random() < 0.8 * crowd:
        window = rng.choice((0.0, 0.0, 60.0, 300.0))
        takes, unready, pods = u(0.2, 2), rng.choice((0.0, 1.0)), rng.choice((4.0, 1000.0))
        add("hpa", "hpa", 15.0, takes, target=target, tolerance=0.1, stabilise=window, unready=unready, pods=pods)
    if rng.random() < 0.45 * crowd:
        add("cost", "cost-optimizer", u(60, 300), u(1, 20), low=u(0.4, 0.62), step=u(0.1, 0.4), cooldown=u(60, 600))
    if rng.random() < 0.3 * crowd:
        add("gitops", "gitops", u(30, 180), u(0.5, 5))
    if rng.random() < 0.6 * crowd:
        add("router", "latency-router", u(5, 60), u(0.2, 3), gain=u(0.05, 0.9), slack=u(1, 15), least=0.02)
    elif rng.random() < 0.6 * crowd:
        for own in "ab":
            add("guard", f"router-{own}", u(15, 60), u(0.2, 3), own=float(own == "a"), slack=u(2, 15), moves=u(0.1, 0.5))
    if rng.random() < 0.5 * crowd:
        add("failover", "failover", u(5, 15), u(0.5, 5), bad=u(60, 200), fall=float(rng.randint(2, 5)), hold=u(30, 600))
        if rng.random() < 0.6 * crowd:
            add("failback", "failback", u(15, 60), u(0.5, 5), good=u(40, 90), rise=float(rng.randint(1, 4)), hold=u(60, 900))
    if rng.random() < 0.4 * crowd:
        add("checker", "health-checker", u(5, 10), u(0.2, 2), bad=u(60, 200), fall=2.0, rise=float(rng.randint(1, 6)), least=1.0)
    if rng.random() < 0.6 * crowd:
        add("ops", "ops-agent", 5.0, u(20, 60))
    return found


def _tasks(rng: random.Random, loops: tuple[Loop, ...]) -> list[Task]:
    names = {loop.kind: loop.name for loop in loops}
    if "ops" not in names:
        return []
    found: list[Task] = []
    at = rng.randrange(200, 1500)
    while at < LENGTH - 600:
        knob, size = rng.choice(((REPLICAS, rng.choice((0.6, 0.75, 1.3, 1.6))), (PRIMARY, 1.0), (SHARE, rng.choice((0.15, 0.85)))))
        others = [names[kind] for kind in ("hpa", "gitops", "failback", "router") if kind in names]
        handoff = (rng.choice(others),) if others and rng.random() < 0.2 else ()
        length = rng.randint(240, 1200)
        found.append(
            Task(knob, at, length, size, handoff, rng.random() < 0.3, rng.random() < 0.6, rng.random() < 0.8)
        )  # fmt: skip
        at += length + rng.randint(300, 2400)
    return found
