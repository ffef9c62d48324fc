"""What agents hold, for the random histories: rollbacks that an intent allows, values that came back, effects undone elsewhere."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from models.events import Action, Clause, Condition, Event, Expectation, Read, Transition


class Pen(Protocol):
    """What `histories` writes with."""

    rng: random.Random
    events: list[Event]

    def time(self, seconds: float) -> int: ...

    def action(self, at: float, domain: str, agent: str, resource: str, parameter: str, **more: object) -> Action: ...


LATER = (5, 60, 200, 780)  # seconds: at once, within the window, beyond it, and when what was before is a fact


def allowed(pen: Pen, at: float, domain: str) -> float:
    """An intent that names its bounds, and somebody who undoes it on what was read."""
    rng = pen.rng
    pool = f"pool/{rng.randrange(2)}"
    clause = Clause(
        until=pen.time(at + 900) if rng.random() < 0.5 else None,
        reason="canary",
        abort_if=(Condition(pool, "errors", ">", 10),),
        expects=(Expectation(pool, "load", "up", 2.0),),
    )
    reads = (Read(pool, "load", 10, pen.time(at - 1)),) if rng.random() < 0.7 else ()
    pen.action(at, domain, "shifter", pool, "weight", old=1, new=2, intent=clause, reads=reads)
    at += rng.choice(LATER)
    seen = Read(pool, rng.choice(["errors", "load"]), rng.choice([5, 25]), pen.time(at - 1))
    pen.action(at, domain, "healer", pool, "weight", old=2, new=1, reads=(seen,))
    return at + 10


def came_back(pen: Pen, at: float, domain: str) -> float:
    """A value goes and comes back, somebody sets it again, and somebody acts on what was read long before."""
    rng = pen.rng
    knob = f"ab/{rng.randrange(2)}"
    told = rng.random() < 0.5
    for i, value in enumerate(("a", "b", "a", rng.choice(["a", "b"]))):
        old: dict[str, object] = {"old": "ab"[i % 2 == 1]} if told else {}
        pen.action(at + 3 * i, domain, ("left", "right")[i % 2], knob, "side", new=value, **old)
    at += rng.choice(LATER)
    read = Read(knob, "side", "a", pen.time(at - rng.choice([1, 50, 100])))
    pen.action(at + 10, domain, "late", knob, "side", new="c", reads=(read,))
    return at + 20


def guarded(pen: Pen, at: float, domain: str) -> float:
    """A service level breaks after a failover; somebody who may (or may not) answers it."""
    rng = pen.rng
    pool = f"pool/{rng.randrange(2)}"
    moved = pen.action(at, domain, "failover", pool, "primary", old="east", new="west", intent=Clause(reason="failover"))
    broke = Transition(
        time=pen.time(at + rng.choice([-5, 5])), source="monitor", id=f"e{len(pen.events)}", domain=domain, resource="shop",
        metric="availability", before="ok", after="burning", severity=rng.choice(["critical", "info"]), slo=rng.random() < 0.8,
    )  # fmt: skip
    pen.events.append(broke)
    agent, causes = rng.choice(["guardian", "router"]), rng.choice([(broke.id,), (moved.id,), ()])
    pen.action(at + rng.choice([10, 170]), domain, agent, pool, "primary", old="west", new="east", causes=causes)
    return at + 200


def switched(pen: Pen, at: float, domain: str) -> float:
    """What one agent's knob names is switched off by another, now and then after it was off already or is named no longer."""
    rng = pen.rng
    gate, lb = f"gate/{rng.randrange(2)}", f"lb/{rng.randrange(2)}"
    if rng.random() < 0.3:
        pen.action(at - 5, domain, "ops", gate, "enabled", new=rng.random() < 0.5)
    pen.action(at, domain, "router", lb, "origin", new=gate)
    at += rng.choice(LATER)
    if rng.random() < 0.2:
        pen.action(at - 2, domain, "router", lb, "origin", old=gate, new="gate/9")
    reads = (Read(lb, "origin", gate),) if rng.random() < 0.3 else ()
    parameter, new = rng.choice([("enabled", False), ("suspended", True), ("state", "disabled"), ("enabled", True)])
    pen.action(at, domain, "ops", gate, parameter, new=new, reads=reads)
    return at + 10


PLAYS: tuple[Callable[[Pen, float, str], float], ...] = (allowed, came_back, guarded, switched)
