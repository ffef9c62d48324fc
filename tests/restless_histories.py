"""Plays of restless agents for the random histories: sets that flap, short lives, ratchets, routers, and one that follows its demand."""

from __future__ import annotations

import random
from typing import Protocol

from models.events import Action, Dependency, Event, Read, Sample


class Pen(Protocol):
    """What writes the events: see `histories`."""

    rng: random.Random
    events: list[Event]

    def time(self, seconds: float) -> int: ...

    def action(self, at: float, domain: str, agent: str, resource: str, parameter: str, **more: object) -> Action: ...


def flap(pen: Pen, at: float, domain: str) -> float:
    rng = pen.rng
    members, gap = {"a", "b"}, rng.choice([5, 20])
    told = rng.random() < 0.7
    for i in range(rng.choice([4, 7, 12])):
        old = tuple(sorted(members))
        members ^= {"b"} if rng.random() < 0.8 else {rng.choice("acde")}
        more = {"old": old} if told else {}
        pen.action(at, domain, ("checker", "launcher")[i % 2], "lb/0", "targets", new=tuple(sorted(members)), **more)
        at += gap * rng.uniform(0.9, 1.1)
    return at


def churn(pen: Pen, at: float, domain: str) -> float:
    rng = pen.rng
    gap, first = rng.choice([10, 30]), len(pen.events)
    for i in range(rng.choice([4, 8, 12])):
        new = i % 2 == 1
        agent = ("descheduler", "replicaset")[i % 2] if rng.random() < 0.9 else "nodepool"
        owner = {"owner": "deployment/app"} if rng.random() < 0.95 else {}
        values = {"old": None, "new": "up"} if new else {"old": "up", "new": None}
        pen.action(at, domain, agent, f"pod/app-{first + (i + 1) // 2}", "phase", **owner, **values)
        at += gap * rng.uniform(0.9, 1.1)
    return at


def ladder(pen: Pen, at: float, domain: str) -> float:
    rng = pen.rng
    price, last = {"a": 20.0, "b": 20.0}, None
    other = rng.choice([1.27, 1.27, 1.0])
    for i in range(rng.choice([7, 9, 12])):
        me, you, factor = (("a", "b", 0.998), ("b", "a", other))[i % 2]
        price[me] = price[you] * factor + pen.rng.random() / 1000
        links: dict[str, object] = {}
        if last is not None:
            links = (
                {"causes": (last.id,)} if rng.random() < 0.5 else {"reads": (Read(f"book/{you}", "price", price[you], last.time),)}
            )
        last = pen.action(at, domain, f"bot-{me}", f"book/{me}", "price", new=price[me], **links)
        at += 10 * rng.uniform(0.9, 1.1)
    return at


def router(pen: Pen, at: float, domain: str) -> float:
    rng = pen.rng
    two = "router" if rng.random() < 0.5 else "other-router"
    if rng.random() < 0.5:
        for queue in "ab":
            gone = rng.random() < 0.2
            pen.events.append(
                Dependency(
                    time=pen.time(at), source="mesh", id=f"e{len(pen.events)}", domain=domain, resource="router/0", dependent="router/0",
                    dependency=f"queue/{queue}", removed=gone, until=pen.time(at + 60) if rng.random() < 0.2 else None,
                )
            )  # fmt: skip
        at += rng.choice((1, 50, 800))  # within the memory, and when it is a fact
    opposed, gap = rng.random() < 0.7, rng.choice([10, 40])
    for i in range(rng.choice([4, 6, 9])):
        one, other = ((70, 30), (30, 70))[i % 2]
        pen.action(at, domain, "router", "queue/a", "weight", old=other, new=one)
        pen.action(
            at + rng.uniform(0, 3), domain, two, "queue/b", "weight", **({"old": one, "new": other} if opposed else {"new": one})
        )
        at += gap * rng.uniform(0.9, 1.1)
    return at


def follow(pen: Pen, at: float, domain: str) -> float:
    rng = pen.rng
    swing, gap = rng.choice([(1000, 500), (1000, 980)]), rng.choice([15, 40])
    for i in range(rng.choice([6, 16, 26])):
        load = swing[i % 2]
        pen.events.append(
            Sample(
                time=pen.time(at),
                source="gateway",
                id=f"e{len(pen.events)}",
                domain=domain,
                resource="web/0",
                metric="requests",
                value=load * rng.uniform(0.99, 1.01),
                role="demand" if rng.random() < 0.95 else "",
            )
        )
        more = {"rollout": "r1"} if rng.random() < 0.1 else {}
        pen.action(at + rng.uniform(0.5, 9), domain, "hpa", "web/0", "replicas", new=(10, 6)[i % 2], **more)
        at += gap * rng.uniform(0.9, 1.1)
    return at


PLAYS = (flap, churn, ladder, router, follow)
