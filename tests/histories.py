"""Random histories for the property tests: agents that fight, regress, overwrite, ignore freezes and guards, react in chains, among noise.

`history(seed)` is deterministic. The scaled settings keep a history short while everything else stays in proportion.
"""

from __future__ import annotations

import random

from held_histories import PLAYS as HELD
from restless_histories import PLAYS

from models.configuration import Analysis, Cascade, Conflict, Invariant, StreamTime, Thrashing
from models.events import Action, Clause, Event, Expectation, Intent, Read, Transition, Verdict, Why
from models.instants import MINUTE, SECOND

BEGIN = 1_760_000_000 * SECOND
MEMORY = 10 * MINUTE
SETTINGS = Analysis(
    window=3 * MINUTE,
    memory=MEMORY,
    coalesce=5 * SECOND,
    tombstone=60 * MINUTE,
    time=StreamTime(lateness=10 * SECOND),
    thrashing=Thrashing(half_lives=(30 * SECOND, 3 * MINUTE, 6 * MINUTE), hold=MINUTE, noise_window=10 * MINUTE, noise_reversals=6),
    conflict=Conflict(
        hold=2 * MINUTE,
        intent_window=3 * MINUTE,
        quick=MINUTE,
        slo_guards=("guardian",),
        invariant=(
            Invariant(name="one serves", knobs=(("disk/a", "serving"), ("disk/b", "serving")), bound=1),
            Invariant(name="spare", knobs=(("disk/a", "spare"), ("disk/b", "spare")), bound=8, margin=3),
        ),
    ),
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
    frozen = pen.events[-1].id
    if rng.random() < 0.3:  # with leave: the freeze is over for this image, and for no other
        at += rng.choice([10, 0.9 * MEMORY / SECOND])
        pen.action(at, domain, "release", resource, "image", old="v0", new="v1", acknowledges=(frozen,))
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


def _across(pen: _Pen, at: float, domain: str) -> float:
    """Two agents undo each other on several knobs, a few times on each; some undos come too slowly to count."""
    rng = pen.rng
    gap = rng.choice([3, 10, 50, 130])
    for i in range(rng.choice([2, 3, 5])):
        knob, told, value = f"page/{i}", rng.random() < 0.9, 0
        for k in range(rng.choice([2, 3, 4])):
            new = 1 - value
            more: dict[str, object] = {"old": value} if told else {}
            pen.action(at, domain, ("left", "right")[k % 2], knob, "text", new=new, **more)
            value = new
            at += gap * rng.uniform(0.8, 1.2)
    return at


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


LATER = (5, 60, 1.3 * MEMORY / SECOND)  # seconds: at once, within the memory, and when what was before is a fact


def _stale(pen: _Pen, at: float, domain: str) -> float:
    rng = pen.rng
    knob = f"svc/{rng.randrange(2)}"
    for i in range(rng.choice([0, 0, 21])):  # so that it is known how long after its observations the agent usually acts
        read = (Read(f"job/{i}", "cpu", 0.1, pen.time(at - 1)),)
        pen.action(at, domain, "cost", f"job/{i}", "weight", new=i, reads=read)
        at += 1
    pen.action(at, domain, "perf", knob, "size", old=8, new=rng.choice([16, 32]))
    metric = Transition(
        time=pen.time(at + 5), source="monitor", id=f"e{len(pen.events)}", domain=domain, resource=knob, metric="cpu", before=0.3,
        after=rng.choice([0.4, 0.9]),
    )  # fmt: skip
    pen.events.append(metric)
    read = (Read(knob, "cpu", 0.3, pen.time(at - rng.choice([3, 30, -2]))),)
    write = pen.action(at + 10, domain, "cost", knob, "size", new=4, reads=read, why=Why(rule=rng.choice(["cpu < 0.5", "idle"])))
    if rng.random() < 0.5:
        pen.events.append(
            Transition(
                time=pen.time(at + 20),
                source="monitor",
                id=f"e{len(pen.events)}",
                domain=domain,
                resource=knob,
                metric="health",
                before="up",
                after="down",
                severity="critical",
                causes=(write.id,),
            )
        )
    return at + 30


def _destroy(pen: _Pen, at: float, domain: str) -> float:
    rng = pen.rng
    name = f"dns/plan/{rng.randrange(3)}"
    if rng.random() < 0.3:
        pen.events.append(
            Intent(
                time=pen.time(at),
                source="agents/enactor/0",
                id=f"e{len(pen.events)}",
                domain=domain,
                resource="dns/0",
                agent="enactor",
                parameter="plan",
                desired=name,
                until=pen.time(at + rng.choice([30, 4000])),
            )
        )
    else:
        pen.action(at, domain, "enactor", f"dns/{rng.randrange(2)}", "plan", new=rng.choice([name, (name, "dns/plan/9")]))
    at += rng.choice(LATER)
    more: dict[str, object] = {"reads": (Read("dns/0", "plan", time=pen.time(at - 7)),)} if rng.random() < 0.3 else {}
    pen.action(at, domain, "cleaner", "dns/plans", "cleanup", deletes=(name, "dns/plan/8"), **more)
    return at + 10


def _skew(pen: _Pen, at: float, domain: str) -> float:
    rng = pen.rng
    for which in "ab":
        pen.action(at, domain, "ops", f"disk/{which}", "serving", old=False, new=True)
    at += rng.choice(LATER)
    pen.action(at, domain, "patcher", "disk/a", "serving", old=True, new=False)
    reads = (Read("disk/a", "serving", True, pen.time(at - rng.choice([3, -3]))),) if rng.random() < 0.7 else ()
    pen.action(at + 5, domain, "cost", "disk/b", "serving", old=True, new=rng.random() < 0.2, reads=reads)
    pen.action(at + 6, domain, "patcher", "disk/a", "spare", old=8, new=rng.choice([5, 6]))
    pen.action(at + 9, domain, "cost", "disk/b", "spare", old=8, new=rng.choice([2, 5, 8]))
    return at + 20


def _cancel(pen: _Pen, at: float, domain: str) -> float:
    """An announced effect, read and sent back by another knob; now and then with leave, beyond what was announced, or after the window."""
    rng = pen.rng
    site = f"site/{rng.randrange(2)}"
    will = Expectation(site, "rps", "up", rng.choice([None, 2.0]))
    read = (Read(site, "rps", 100),) if rng.random() < 0.7 else ()
    mine = pen.action(at, domain, "failover", "lb/1", "region", old="e", new="w", reads=read, intent=Clause(expects=(will,)))
    if rng.random() < 0.4:  # it is over, and with it the announcement
        pen.action(at + 10, domain, "failover", "lb/1", "region", old="w", new="e")
    at += rng.choice([20, 200, 1.2 * MEMORY / SECOND])
    more = {"acknowledges": (mine.id,)} if rng.random() < 0.2 else {}
    back = Clause(expects=(Expectation(site, "rps", "down"),))
    pen.action(
        at,
        domain,
        "shedder",
        site,
        "share",
        old=1,
        new=0.5,
        reads=(Read(site, "rps", rng.choice([150, 300])),),
        intent=back,
        **more,
    )
    return at + 30


def _oppose(pen: _Pen, at: float, domain: str) -> float:
    rng = pen.rng
    metric, told = f"site/{rng.randrange(2)}", rng.random() < 0.5
    for i in range(rng.choice([6, 8])):
        who = i % 2
        clause = Clause(until=pen.time(at), expects=(Expectation(metric, "p95", ("down", "up")[who]),)) if told else None
        read = (Read(metric, "p95", (400, 100)[who]),)
        pen.action(at, domain, ("fast", "cheap")[who], f"lever/{who}", "level", new=i, mandate=f"m{who}", reads=read, intent=clause)
        at += rng.choice([10, 40])
    return at + 20


def _wish(pen: _Pen, at: float, domain: str) -> float:
    for i, agent in enumerate(("perf", "cost")):
        pen.events.append(
            Intent(
                time=pen.time(at + i),
                source=f"agents/{agent}/0",
                id=f"e{len(pen.events)}",
                domain=domain,
                resource="db/9",
                agent=agent,
                parameter="replicas",
                desired=pen.rng.randrange(1, 4),
                until=pen.time(at + 100),
            )
        )
    return at + 30


def _guard(pen: _Pen, at: float, domain: str) -> float:
    rng = pen.rng
    rollout, site = f"r{rng.randrange(3)}", f"edge/{rng.randrange(2)}"
    pen.action(at, domain, "pusher", site, "share", old=0, new=5, rollout=rollout)
    for _ in range(rng.choice([1, 2])):
        at += 3
        pen.events.append(
            Verdict(
                time=pen.time(at),
                source="guards/canary",
                id=f"e{len(pen.events)}",
                domain=domain,
                resource=site,
                agent="canary",
                rollout=rollout,
                verdict=rng.choice(["fail", "block", "pass"]),
                payload=rng.choice(["", "v2", "build-4711"]),
            )
        )
    at += rng.choice(LATER)
    pen.action(at, domain, "pusher", rng.choice([site, "edge/9"]), "share", old=5, new=rng.choice([0, 20]), rollout=rollout)
    pen.action(at + 1, domain, "cleaner", rng.choice([site, "edge/9"]), "image", new=rng.choice(["v2", "build-4711"]))
    return at + 20


def _hazard(pen: _Pen, at: float, domain: str) -> float:
    return pen.rng.choice([_stale, _destroy, _skew, _cancel, _cancel, _oppose, _wish, _guard])(pen, at, domain)


def _held(pen: _Pen, at: float, domain: str) -> float:
    return pen.rng.choice(HELD)(pen, at, domain)


def _restless(pen: _Pen, at: float, domain: str) -> float:
    return pen.rng.choice(PLAYS)(pen, at, domain)


OFTEN = {_fight: 3, _chain: 2, _freeze: 3, _hold: 2, _held: 2, _hazard: 3, _across: 1, _restless: 2}
STORIES = [story for story, times in OFTEN.items() for _ in range(times)]


def history(seed: int, events: int = 90) -> list[Event]:
    """About `events` events over three domains and a good hour, in canonical order."""
    rng = random.Random(seed)
    pen = _Pen(rng)
    at = {domain: rng.uniform(0, 100) for domain in ("d0", "d1", "d2")}
    while len(pen.events) < events:
        domain = min(at, key=lambda name: at[name]) if rng.random() < 0.7 else rng.choice(sorted(at))
        play = rng.choice(STORIES)
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
