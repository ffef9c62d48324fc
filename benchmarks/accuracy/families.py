"""Open-loop histories of one knob: fights of several shapes and periods, and what only looks like one. Seeded, no loop is closed.

A history is what the agents wrote, with the demand series where there is one. `fight` says what it is; the detectors are never told.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import msgspec

from models.events import Action, Clause, Event, Sample
from models.instants import HOUR, MINUTE, SECOND

BEGIN = 1_790_000_000 * SECOND
KNOB, SERVICE = "replicas", "k8s/shop/deployment/cart"


class Family(msgspec.Struct, frozen=True):
    """How one kind of history is drawn, and by which write a fight should be known (`due`)."""

    name: str
    fight: bool
    draw: Callable[[random.Random], list[Event]]
    due: int = 0


class Pen:
    """Writes the history of one knob: every write knows the value that it found."""

    def __init__(self, rng: random.Random, value: float | str) -> None:
        self.rng, self.value, self.time = rng, value, BEGIN
        self.events: list[Event] = []

    def write(self, agent: str, new: float | str, intent: Clause | None = None) -> None:
        number = len(self.events)
        self.events.append(
            Action(
                time=self.time, source=f"agents/{agent}/0", id=f"a{number}", resource=SERVICE, agent=agent, verb="scale",
                parameter=KNOB, old=self.value, new=new, intent=intent,
            )
        )  # fmt: skip
        self.value = new

    def demand(self, value: float) -> None:
        number = len(self.events)
        self.events.append(
            Sample(
                time=self.time, source="gateway/0", id=f"s{number}", resource=SERVICE, metric="requests", value=value, role="demand"
            )
        )

    def wait(self, span: float, spread: float = 0.1) -> None:
        self.time += max(1, int(span * math.exp(self.rng.gauss(0.0, spread))))


def half_period(rng: random.Random) -> float:
    """Half of a period of 10 s to 30 min, log-uniform, in ns."""
    return math.exp(rng.uniform(math.log(5), math.log(900))) * SECOND


def _fight(rng: random.Random, exact: bool, demand: bool, agents: int = 2, kind: str = "number") -> list[Event]:
    low = rng.randint(2, 20)
    high = math.ceil(low * rng.uniform(1.3, 4.0))
    span, load = half_period(rng), rng.uniform(100, 1000)
    sides: tuple[float | str, float | str] = (high, low) if kind == "number" else ("eu-1", "eu-2")
    pen = Pen(rng, sides[1])
    for i in range(24):
        if demand:  # steady, so that it justifies nothing
            pen.demand(load * rng.uniform(0.98, 1.02))
            pen.time += 1
        new = sides[i % 2]
        if not exact and isinstance(new, int | float):
            new = round(new * math.exp(rng.uniform(-0.12, 0.12)), 3)
        pen.write(f"agent-{i % agents}", new)
        pen.wait(span)
    return pen.events


def _growing(rng: random.Random) -> list[Event]:
    base, span, growth = rng.uniform(20, 60), half_period(rng), rng.uniform(1.25, 1.6)
    pen, swing = Pen(rng, base), 0.15
    for i in range(12):
        pen.write(f"agent-{i % 2}", round(base * math.exp(swing if i % 2 == 0 else -swing), 3))
        swing *= math.sqrt(growth)
        pen.wait(span)
    return pen.events


def _damped(rng: random.Random) -> list[Event]:
    base, span = rng.uniform(10, 50), half_period(rng)
    pen, swing, ratio = Pen(rng, base), rng.uniform(0.5, 1.2), rng.uniform(0.2, 0.6)
    alone = rng.random() < 0.5
    for i in range(12):
        pen.write("agent-0" if alone else f"agent-{i % 2}", round(base * math.exp(swing * (-ratio) ** i), 3))
        pen.wait(span)
    return pen.events


def follow(
    rng: random.Random, load: Callable[[float], float], length: int, step: int, told: bool, band: float = 0.1
) -> list[Event]:
    """An autoscaler that sets what the demand asks for, beyond a tolerance of 10 %."""
    pen = Pen(rng, math.ceil(load(0.0)))
    while pen.time < BEGIN + length:
        now = load((pen.time - BEGIN) / SECOND)
        if told:
            pen.demand(round(now, 3))
            pen.time += 1
        wanted = math.ceil(now)
        if abs(math.log(wanted / float(pen.value))) > band:
            pen.write("autoscaler", wanted)
        pen.wait(step, 0.02)
    return pen.events


def _diurnal(rng: random.Random, told: bool) -> list[Event]:
    base, swing, phase = rng.uniform(10, 60), rng.uniform(0.4, 1.0), rng.uniform(0, 6.28)
    noise = [rng.gauss(0, 0.02) for _ in range(5000)]

    def load(seconds: float) -> float:
        return base * math.exp(swing * math.sin(6.2832 * seconds / 86400 + phase) + noise[int(seconds // 60)])

    return follow(rng, load, 72 * HOUR, MINUTE, told)


def _bursty(rng: random.Random, told: bool) -> list[Event]:
    base, factor = rng.uniform(5, 30), rng.uniform(1.5, 4.0)
    edges, at = list[float](), 0.0
    while at < 6 * 3600:
        at += rng.expovariate(1 / rng.uniform(300, 1500)) + 60
        edges.append(at)

    def load(seconds: float) -> float:
        return base * (factor if sum(edge <= seconds for edge in edges) % 2 else 1.0)

    return follow(rng, load, 6 * HOUR, 30 * SECOND, told)


def _ramp(rng: random.Random) -> list[Event]:
    pen, up, agents = Pen(rng, rng.randint(2, 6)), rng.random() < 0.5, rng.randint(1, 3)
    if not up:
        pen.value = 400
    span = half_period(rng)
    for i in range(20):
        factor = rng.uniform(1.12, 1.35)
        pen.write(f"agent-{i % agents}", round(float(pen.value) * (factor if up else 1 / factor), 3))
        pen.wait(span)
    return pen.events


def _canary(rng: random.Random) -> list[Event]:
    """A declared experiment: the canary's own agent puts weight on and takes it back, each time under an intent that says so."""
    pen, span = Pen(rng, 0), max(half_period(rng), 30 * SECOND)
    for i in range(rng.randint(3, 6)):
        until = pen.time + int(4 * span)
        pen.write("canary", 5 * (i + 1), Clause(reason=rng.choice(("canary", "experiment")), until=until))
        pen.wait(span)
        pen.write("canary", 0, Clause(reason="canary", until=until))
        pen.wait(span)
    return pen.events


def _jitter(rng: random.Random) -> list[Event]:
    base, span = rng.uniform(10, 100), half_period(rng)
    pen = Pen(rng, base)
    for i in range(40):
        pen.write(f"agent-{i % rng.randint(1, 2)}", round(base * rng.uniform(0.97, 1.03), 3))
        pen.wait(span)
    return pen.events


FAMILIES: tuple[Family, ...] = (
    Family("fight, exact undo, no demand series", True, lambda rng: _fight(rng, True, False), 4),
    Family("fight, exact undo, demand steady", True, lambda rng: _fight(rng, True, True), 4),
    Family("fight, values vary, demand steady", True, lambda rng: _fight(rng, False, True), 4),
    Family("fight, values vary, no demand series", True, lambda rng: _fight(rng, False, False), 5),
    Family("fight of three, exact undo", True, lambda rng: _fight(rng, True, False, agents=3), 4),
    Family("fight over a name, exact undo", True, lambda rng: _fight(rng, True, False, kind="name"), 4),
    Family("one agent hunts, values vary", True, lambda rng: _fight(rng, False, False, agents=1), 5),
    Family("growing fight", True, _growing, 5),
    Family("damped", False, _damped),
    Family("diurnal, demand given", False, lambda rng: _diurnal(rng, True)),
    Family("diurnal, no demand series", False, lambda rng: _diurnal(rng, False)),
    Family("bursty, demand given", False, lambda rng: _bursty(rng, True)),
    Family("bursty, no demand series", False, lambda rng: _bursty(rng, False)),
    Family("ramp", False, _ramp),
    Family("canary", False, _canary),
    Family("jitter", False, _jitter),
)
