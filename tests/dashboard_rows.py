"""An hour in the store for the dashboard tests: a fight that is still on, a lost update, an agent that says little, one late event.

Events are built by hand, findings are what the real core makes of them, and the real store code writes both.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from models.configuration import Analysis
from models.events import Action, Event, Read, Tick, Why
from models.instants import MINUTE, SECOND
from models.recovery import Stage
from streams.store import Record
from streams.store.rows import Position

END = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)  # rows older than the tables' TTL would vanish
START = END - timedelta(hours=1)


def action(minute: float, agent: str, resource: str, old: int | None, new: int, **fields: object) -> Action:
    """One change of `replicas`, `minute` minutes after START."""
    said = {} if old is None else {"old": old}
    time = int(START.timestamp()) * SECOND + int(minute * 60 * SECOND)
    return Action(
        time=time, source=f"agents/{agent}/1", id=f"{agent}-{minute:g}", domain="prod-eu", resource=resource,
        agent=agent, verb="scale", parameter="replicas", new=new, **said, **fields,
    )  # fmt: skip


def events() -> list[Event]:
    """In the order in which they were written."""
    slow = {"reads": (Read(resource="db/orders", metric="p95_latency_ms", value=840),), "why": Why(rule="p95_latency_ms > 300")}
    told: list[Event] = []
    for turn in range(14):
        told.append(action(32 + 2 * turn, "perf-scaler", "db/orders", 8, 16, version=2 * turn + 2, **slow))
        told.append(
            action(33 + 2 * turn, "cost-optimizer", "db/orders", 16, 8, version=2 * turn + 3, why=Why(text="idle at night"))
        )
    seen = (Read(resource="svc/cart", metric="replicas", value=4, version=10),)
    told.append(action(30, "planner", "svc/cart", 4, 6, version=11, reads=seen))
    told.append(action(31, "rollout", "svc/cart", 4, 5, version=12, reads=seen, causes=("agents/planner/1 planner-30",)))
    told.append(action(32, "silent-one", "svc/search", None, 3))
    told.append(action(33, "silent-one", "svc/search", None, 4, outcome="failed"))
    told.append(action(5, "planner", "svc/cart", 3, 4, late=True))
    return told


def signals() -> list[Event | Tick]:
    """What reduce would make of the events: in order of time, a tick each minute, and two at the end."""
    found: list[Event | Tick] = []
    for event in sorted(events(), key=lambda event: event.time):
        found += [event, tick(event.time)]
    return [*found, tick(int(END.timestamp()) * SECOND - MINUTE)]


def tick(time: int) -> Tick:
    return Tick(partition="events/0", watermark=time, mode="clock", delay=SECOND, now=time + 12 * SECOND)


def records() -> list[Record]:
    """What the store role reads: the signals, and the findings that the real stage made of them."""
    stage = Stage(Analysis(), ["events/0"])
    read: list[Record] = []
    announced = 0
    for offset, signal in enumerate(signals()):
        read.append((Position("interplay.signals", 0, offset), signal))
        for change in stage.feed(offset, signal):
            read.append((Position("interplay.findings", 0, announced), change.finding))
            announced += 1
    return read
