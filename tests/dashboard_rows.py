"""An hour in the store for the dashboard tests: a fight that is still on, a lost update, an agent that says little, one late event.

Events are built by hand, findings are what the real core makes of them, and the real store code writes both.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.configuration import Analysis
from models.events import Action, Event, Read, Tick, Why
from models.instants import MINUTE, SECOND
from models.recovery import Stage
from streams.store.rows import COLUMNS, Position, Row, rows

MIGRATIONS = Path(__file__).parent.parent / "streams" / "store" / "migrations"

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


def fill(client) -> None:
    """Creates the tables with the real migrations, and writes the signals and the findings that the real stage made of them."""
    for path in sorted(MIGRATIONS.glob("*.sql")):
        text = path.read_text().replace("{database}", "interplay").replace("{days}", "30")
        for statement in text.split(";\n"):
            if statement.strip():
                client.command(statement)
    stage = Stage(Analysis(), ["events/0"])
    tables: dict[str, list[Row]] = defaultdict(list)
    announced = 0
    for offset, signal in enumerate(signals()):
        for table, row in rows(signal, Position("interplay.signals", 0, offset)):
            tables[table].append(row)
        for change in stage.feed(offset, signal):
            announced += 1
            for table, row in rows(change.finding, Position("interplay.findings", 0, announced)):
                tables[table].append(row)
    for table, columns in COLUMNS.items():
        client.insert(f"interplay.{table}", tables[table], column_names=columns)
