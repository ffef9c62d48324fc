"""Random histories for the property tests: agents that fight, regress, overwrite, ignore freezes and react in chains, among noise.

`history(seed)` is deterministic. The scaled settings keep a history short while everything else stays in proportion.
"""

from __future__ import annotations

import random

from models.configuration import Analysis, Cascade, Conflict, StreamTime, Thrashing
from models.events import Action, Clause, Event, Intent, Read, Transition, Why
from models.instants import MINUTE, SECOND

BEGIN = 1_760_000_000 * SECOND
MEMORY = 10 * MINUTE
SETTINGS = Analysis(
    window=3 * MINUTE,
    memory=MEMORY,
    coalesce=5 * SECOND,
    tombstone=60 * MINUTE,
    time=StreamTime(lateness=10 * SECOND),
    thrashing=Thrashing(half_lives=(30 * SECOND, 3 * MINUTE, 6 * MINUTE)),
    conflict=Conflict(hold=2 * MINUTE, intent_window=3 * MINUTE),
    cascade=Cascade(hold=MINUTE),
)


class _Pen:
    """Writes events with fresh ids."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.events: list[Event] = []

    def time(self, seconds: float) -> int:
        return BEGIN + int(seconds * 1000) * 1_000_000

    def action(self, at: float, domain: str, agent: str, resource: str, parameter: str, **more: object) -> Action:
        instance = f"agents/{agent}/{self.rng.randrange(2)}"
        event = Action(
            time=self.time(at),
            source=instance,
            id=f"e{len(self.events)}",
            domain=domain,
            agent=agent,
            verb="set",
            resource=resource,
            parameter=parameter,
            **more,  # type: ignore[arg-type]
        )
        self.events.append(event)
        return event


def _fight(pen: _Pen, at: float, domain: str) -> float:
    rng = pen.rng
    knob = f"db/{rng.randrange(3)}"
    low, high = rng.choice([(8, 16), ("a", "b"), (False, True), (3, 30), (0, 3)])
    told, exact = rng.random() < 0.8, rng.random() < 0.6
    gap, n = rng.choice([4, 15, 40, 70]), rng.choice([3, 5, 8, 14])
    if rng.random() < 0.08:
        gap, n = 70, int(3.2 * MEMORY / SECOND / 70)  # three times the memory
    value: object = low
    for i in range(n):
        new: object = high if i % 2 == 0 else low
        if not exact and isinstance(new, int) and not isinstance(new, bool):
            new = new + rng.randrange(2)
        agent = ("perf", "cost")[i % 2] if rng.random() < 0.95 else "third"
        more: dict[str, object] = {"old": value} if told else {}
        if rng.random() < 0.2:
            more["why"] = Why(rule="p95 > 300")
        pen.action(at, domain, agent, knob, "replicas", new=new, version=i if rng.random() < 0.9 else max(0, i - 4), **more)
        value = new
        at += gap * rng.uniform(0.9, 1.1)
    return at


def _freeze(pen: _Pen, at: float, domain: str) -> float:
    rng = pen.rng
    resource = f"svc/{rng.randrange(2)}"
    long = rng.random() < 0.5
    until = None if long else pen.time(at + 300)
    pen.events.append(
        Intent(
            time=pen.time(at),
            source="people/ann",
            id=f"e{len(pen.events)}",
            domain=domain,
            resource=resource,
            agent="ann",
            parameter="" if rng.random() < 0.5 else "image",
            reason="freeze",
            until=until,
        )
    )
    at += rng.choice([30, 200, 1.3 * MEMORY / SECOND])  # often declared before the memory begins
    pen.action(at, domain, "deployer", resource, "image", old="v1", new=f"v{rng.randrange(2, 9)}")
    return at + 20


def _hold(pen: _Pen, at: float, domain: str) -> float:
    rng = pen.rng
    knob = f"pool/{rng.randrange(2)}"
    mine = pen.action(at, domain, "failover", knob, "primary", old="east", new="west", intent=Clause(reason="failover"))
    more = {"acknowledges": (mine.id,)} if rng.random() < 0.3 else {}
    pen.action(
        at + rng.choice([20, 100, 400]), domain, "router", knob, "primary", old=rng.choice(["west", "north"]), new="east", **more
    )
    return at + 420


def _chain(pen: _Pen, at: float, domain: str) -> float:
    rng = pen.rng
    cause: Event = pen.action(at, domain, "seed", "app/0", "weight", old=1, new=rng.randrange(2, 9))
    for i in range(rng.choice([3, 6, 9])):
        at += rng.uniform(1, 25)
        by_id = rng.random() < 0.6
        links: dict[str, object] = {"causes": (cause.id if rng.random() < 0.5 else f"{cause.source} {cause.id}",)} if by_id else {}
        if not by_id and isinstance(cause, Action):
            links = {"reads": (Read(cause.resource, cause.parameter, cause.new, cause.time),)}
        if rng.random() < 0.2:
            cause = Transition(
                time=pen.time(at), source="monitor", id=f"e{len(pen.events)}", domain=domain, resource=f"app/{i + 1}", metric="health",
                before="ok", after="bad", causes=(cause.id,),
            )  # fmt: skip
            pen.events.append(cause)
            continue
        early = rng.uniform(0, 2) if rng.random() < 0.15 and by_id else 0.0  # an effect whose clock runs before its cause's
        cause = pen.action(
            at - 25 * (early > 1.8) - early, domain, f"agent{i % 4}", f"app/{i + 1}", "weight", new=1000 + len(pen.events), **links
        )
    return at + 60


def history(seed: int, events: int = 90) -> list[Event]:
    """About `events` events over three domains and a good hour, in canonical order."""
    rng = random.Random(seed)
    pen = _Pen(rng)
    at = {domain: rng.uniform(0, 100) for domain in ("d0", "d1", "d2")}
    while len(pen.events) < events:
        domain = min(at, key=lambda name: at[name]) if rng.random() < 0.7 else rng.choice(sorted(at))
        play = rng.choice([_fight, _fight, _chain, _chain, _freeze, _hold])
        at[domain] = play(pen, at[domain], domain) + rng.choice([1, 30, 400])
    for _ in range(events // 6):
        moment = rng.uniform(0, max(at.values()))
        pen.action(
            moment,
            rng.choice(sorted(at)),
            "noise",
            f"n/{rng.randrange(9)}",
            "x",
            old=1,
            new=rng.randrange(5),
            outcome=rng.choice(["applied", "failed"]),
        )
    return sorted(pen.events, key=lambda e: (e.time, e.source, e.id))
