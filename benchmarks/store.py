"""Rows per second into the store, and what reading beside it costs: `python benchmarks/store.py` (`make bench`).

On chDB in this process; on a ClickHouse server instead with INTERPLAY_TEST_CLICKHOUSE=host:port. The floor is making the rows alone.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from models.events import Action, Read, Why
from models.findings import CausalEdge, Evidence, Finding
from models.instants import SECOND, format_time
from streams.broker import free_port
from streams.settings import ClickHouse, Settings
from streams.store import Record, init_store, open_store
from streams.store.rows import Position, rows

NOW = time.time_ns()
BATCHES = 9
READER = "import sys; sys.path.insert(0, '.'); from streams.settings import *; from streams.store import query\n"
READER += "s = Settings(clickhouse=ClickHouse(path=sys.argv[1], serve=sys.argv[2]))\n"
READER += "while True: query(s, 'SELECT agent, count() FROM signals GROUP BY agent')"


def signals(batch: int, size: int) -> list[Record]:
    """Actions with what agents usually say."""
    made: list[Record] = []
    for number in range(batch * size, (batch + 1) * size):
        action = Action(
            time=NOW + number * 1000, source=f"agents/scaler/{number % 200}", id=f"a{number}", domain="prod-eu",
            agent=f"scaler-{number % 200}",
            resource=f"k8s/prod/team/deployment/service-{number % 5000}", verb="scale", parameter="replicas", old=8, new=16, version=number,
            reads=(Read(resource="db/orders", metric="p95_latency_ms", value=840.5, time=NOW),), why=Why(rule="p95_latency_ms > 300"),
        )  # fmt: skip
        made.append((Position("interplay.signals", 0, number), action))
    return made


def findings(batch: int, size: int) -> list[Record]:
    """Findings with 20 pieces of evidence and 19 edges."""
    at = format_time(NOW)
    evidence = tuple(Evidence(f"s {n}", format_time(NOW + n * SECOND), "reversal", "8 -> 16") for n in range(20))
    edges = tuple(CausalEdge(f"s {n}", f"s {n + 1}", "overwrites", 0.9, 1.0) for n in range(19))
    return [
        (
            Position("interplay.findings", 0, number),
            Finding(
                finding_id=f"f_{number}", revision=1, status="open", pattern="thrashing", kind="sustained", domain="prod-eu",
                severity="error",
                score=0.8, confidence=0.9, basis="cited", title="a and b fight", agents=("a", "b"), resources=("db",), parameters=("p",),
                roots=(), started_at=at, detected_at=at, updated_at=at, as_of=(NOW, "s", "1"), evidence=evidence, edges=edges,
            ),
        )
        for number in range(batch * size, (batch + 1) * size)
    ]  # fmt: skip


def median_of(name: str, make, size: int, store) -> None:
    """One line of the table: the median batch; the first is left out."""
    floor, whole, count = [], [], 0
    for batch in range(BATCHES):
        records = make(batch, size)
        began = time.perf_counter()
        count = sum(1 for place, record in records for _ in rows(record, place))
        made = time.perf_counter()
        store.write(records)
        whole.append(time.perf_counter() - made)
        floor.append(made - began)
    took, alone = statistics.median(whole[1:]), statistics.median(floor[1:])
    print(
        f"{name:<44} {len(records):>7,} {count:>7,} {took * 1000:>8.0f} {count / took:>10,.0f} {count / alone:>12,.0f} {alone / took:>6.2f}"
    )


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        server = os.environ.get("INTERPLAY_TEST_CLICKHOUSE", "")
        place = ClickHouse(path=folder, serve=f"127.0.0.1:{free_port()}")
        if server:
            password = os.environ.get("INTERPLAY_TEST_CLICKHOUSE_PASSWORD", "")
            place = ClickHouse(
                host=server.rpartition(":")[0], port=int(server.rpartition(":")[2]), password=password, database="bench"
            )
        settings = Settings(clickhouse=place)
        init_store(settings)
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; median of {BATCHES - 1} batches")
        print(f"{'':<52} {'records':>7} {'rows':>7} {'ms':>8} {'rows/s':>10} {'floor rows/s':>12} {'ratio':>6}")
        with open_store(settings) as store:
            median_of("signals, batches of 10,000", signals, 10_000, store)
            median_of("signals, batches of 1,000", lambda batch, size: signals(1000 + batch, size), 1_000, store)
            median_of("findings with 20 pieces of evidence", findings, 250, store)
            if place.path:
                reader = subprocess.Popen([sys.executable, "-c", READER, folder, place.serve], cwd=Path(__file__).parent.parent)
                time.sleep(2)
                median_of(
                    "signals, 10,000, beside a reader that never stops",
                    lambda batch, size: signals(2000 + batch, size),
                    10_000,
                    store,
                )
                reader.kill()
                reader.wait()


if __name__ == "__main__":
    main()
