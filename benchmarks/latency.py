"""From the record that completes a pattern to the row readable in ClickHouse and to the alert received: `python -m benchmarks.latency`.

Real worker processes, the embedded store, a producer that writes live: a fight of two agents begins every so often, among other events.
A small HTTP server stands for Alertmanager and notes when an alert arrives. `detected_at` of a finding is the event time of the record
that completed it, and events are stamped as they are sent; so latency is arrival minus `detected_at`.
"""

from __future__ import annotations

import asyncio
import http.server
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import msgspec
from aiokafka import TopicPartition

from benchmarks.load import cloudevent, fight
from benchmarks.rig import QUICK, ROOT, await_true, broker, columns, heading, row, settings_for
from models.decode import Rejection, decode_event
from models.events import Action
from models.instants import SECOND
from streams.broker import free_port
from streams.demo.parts import settings_text
from streams.kafka_client import MILLISECOND, producer, read_all
from streams.settings import ROLES, Alert, ClickHouse, Settings, topic

FIGHTS, WRITES = (10 if QUICK else 60), 5
FIGHT_EVERY_S, WRITE_EVERY_S = 1.0, 0.25
BESIDE = 20  # other events a second
LATENESS = (2 if QUICK else 10) * SECOND
ASK_EVERY_S = 0.1
ALLOWED_S = 2.0


class Seen:
    """When each finding was first seen somewhere (ns)."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}

    def note(self, name: str) -> None:
        self.at.setdefault(name, time.time_ns())


def alertmanager(seen: Seen) -> http.server.ThreadingHTTPServer:
    """Takes alerts, and notes their findings."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            alerts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            for alert in alerts:
                if "startsAt" in alert:
                    seen.note(alert["labels"]["finding_id"])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def ask(settings: Settings, sql: str) -> list[str]:
    """Rows of the embedded store, through the endpoint that people and Grafana use."""
    url = f"http://{settings.clickhouse.serve}/?{urllib.parse.urlencode({'query': sql, 'database': settings.clickhouse.database})}"
    with urllib.request.urlopen(url, timeout=5) as answer:
        return [line for line in answer.read().decode().splitlines() if line]


def watch(settings: Settings, seen: Seen, ended: threading.Event) -> None:
    """Asks for findings over and over."""
    while not ended.wait(ASK_EVERY_S):
        for name in ask(settings, "SELECT finding_id FROM findings FORMAT TSV"):
            seen.note(name)


async def live(settings: Settings) -> None:
    """Writes fights and other events as they happen, stamped when they are sent."""
    rng, name, began = random.Random(1), topic(settings, "events"), time.monotonic()
    plan = [(n * FIGHT_EVERY_S + step * WRITE_EVERY_S, n, step) for n in range(FIGHTS) for step in range(WRITES)]
    last = FIGHTS * FIGHT_EVERY_S + LATENESS / SECOND + 5  # others go on, so that time goes on
    plan += [(i / BESIDE, -1 - i, 0) for i in range(int(last * BESIDE))]
    async with producer(settings) as client:
        for due, number, step in sorted(plan):
            await asyncio.sleep(max(0.0, began + due - time.monotonic()))
            event = event_of(number, step)
            await client.send(name, cloudevent(event), partition=rng.randrange(settings.topics.source_partitions))


async def slowest_append(settings: Settings) -> float:
    """The longest time (s) between a record's event time and the broker's append: the watermark lies so much lower, from then on."""
    name, slowest = topic(settings, "events"), 0
    partitions = [TopicPartition(name, number) for number in range(settings.topics.source_partitions)]
    async for _, records, _ in read_all(settings.kafka, partitions):
        for record in records:
            event = decode_event(record.value)
            assert not isinstance(event, Rejection)
            slowest = max(slowest, record.timestamp * MILLISECOND - event.time)
    return slowest / SECOND


def event_of(number: int, step: int) -> Action:
    """One write of a fight, or a lone write that quarrels with nobody."""
    resource = f"service-{number}" if number >= 0 else f"other-{number}"
    made = list(fight(number, WRITES, 0, 1, resource))[step]
    return msgspec.structs.replace(made, time=time.time_ns())


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def measure(settings: Settings, rows: Seen) -> dict[str, int]:
    """Lets it happen; answers the findings with their `detected_at` (ns)."""
    ended = threading.Event()
    watcher = threading.Thread(target=watch, args=(settings, rows, ended))
    watcher.start()
    asyncio.run(live(settings))
    time.sleep(3)
    ended.set()
    watcher.join()
    lines = ask(settings, "SELECT finding_id, toUnixTimestamp64Nano(min(detected_at)) FROM findings GROUP BY finding_id FORMAT TSV")
    return {name: int(at) for name, at in (line.split("\t") for line in lines)}


def run(directory: Path, settings: Settings) -> tuple[dict[str, int], Seen, Seen]:
    """All roles as a user starts them."""
    rows, alerts = Seen(), Seen()
    server = alertmanager(alerts)
    alert = Alert(alertmanager=f"http://127.0.0.1:{server.server_port}")
    settings = msgspec.structs.replace(settings, alert=alert)
    config = directory / "interplay.toml"
    config.write_text(settings_text(settings))
    command = [sys.executable, "-m", "streams.cli"]
    subprocess.run([*command, "init", "--config", config], cwd=ROOT, check=True, capture_output=True)
    with (directory / "worker.log").open("wb") as log:
        workers = subprocess.Popen([*command, "worker", *ROLES, "--config", config], cwd=ROOT, stdout=log, stderr=log)
    try:
        await_true(lambda: all(healthy(settings, number) for number in range(len(ROLES))), "healthy workers", 60)
        return measure(settings, rows), rows, alerts
    except (OSError, TimeoutError):
        print((directory / "worker.log").read_text(errors="replace")[-6000:], file=sys.stderr)
        raise
    finally:
        workers.terminate()
        workers.wait(30)
        server.shutdown()


def healthy(settings: Settings, number: int) -> bool:
    """Whether a role has joined its group."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.worker.http_port + number}/health", timeout=1):
            return True
    except OSError:
        return False


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder, broker(Path(folder)) as place:
        directory = Path(folder)
        settings = settings_for(place, "latency", directory)
        time_of = msgspec.structs.replace(settings.analysis.time, lateness=LATENESS)
        settings = msgspec.structs.replace(
            settings,
            analysis=msgspec.structs.replace(settings.analysis, time=time_of),
            clickhouse=ClickHouse(path=str(directory / "store"), serve=f"127.0.0.1:{free_port()}"),
        )
        heading(f"Latency: {FIGHTS} fights, one a {FIGHT_EVERY_S:g} s, {BESIDE} other events/s, {place.kind}")
        found, rows, alerts = run(directory, settings)
        slowest = asyncio.run(slowest_append(settings))
    lateness = LATENESS / SECOND
    print(f"Lateness {lateness:g} s; the store is asked every {ASK_EVERY_S:g} s, the alert role sends twice a second.")
    print(f"The slowest record reached the broker after {slowest:.2f} s: that counts as disorder and is waited for. Seconds:\n")
    columns(
        "from the completing record to",
        "findings",
        "p50",
        "p99",
        "p50 - lateness",
        "p99 - lateness",
        f"target: p99 < lateness + {ALLOWED_S:g}",
    )
    for what, seen in (("the row is readable in ClickHouse", rows), ("the alert is received", alerts)):
        waits = [(seen.at[name] - at) / SECOND for name, at in found.items() if name in seen.at]
        middle, high = percentiles(waits)
        reached = "reached" if high < lateness + ALLOWED_S else "NOT reached"
        row(what, len(waits), *(f"{v:.2f}" for v in (middle, high, middle - lateness, high - lateness)), reached)


if __name__ == "__main__":
    main()
