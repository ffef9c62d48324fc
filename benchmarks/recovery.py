"""kill -9 of analyze: how long until findings again, and how fast the memory is refilled: `python -m benchmarks.recovery`.

A log that fills the memory is analysed; the worker is killed; a new fight is written; another worker starts. A finding counts when it
is acknowledged by the findings topic, which is read afterwards to see that it is there.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from aiokafka import TopicPartition

from benchmarks.core import BEGIN
from benchmarks.load import DOMAIN, LATENESS, fight, mixed_signals, tick
from benchmarks.rig import QUICK, Runner, broker, columns, cost, fill, heading, rate, row, settings_for, verdict
from models.events import encode_signal
from models.findings import decode_finding
from models.instants import SECOND
from streams.kafka_client import read_all
from streams.settings import Settings, topic
from streams.writing import Outgoing

RATE = 10.0 if QUICK else 40.0  # events a second of event time
SPAN_S = 3 * 3600  # longer than the memory of 2 h
RESOURCE = "k8s/prod/shop/deployment/after-the-kill"
WITHIN_S, REFILL_TARGET = 5.0, 200_000


def new_fight(source: str) -> Iterator[Outgoing]:
    """A fight after everything else, and the tick that says so."""
    begin = BEGIN + (SPAN_S + 60) * SECOND
    writes = list(fight(0, 6, begin, 10 * SECOND, RESOURCE))
    for write in writes:
        yield 0, DOMAIN, encode_signal(write), []
    yield 0, source.encode(), encode_signal(tick(source, writes[-1].time + LATENESS)), []


async def findings(settings: Settings) -> tuple[int, set[str]]:
    """How many records the findings topic holds, and ids of those that tell of the new fight."""
    count, told = 0, set()
    async for _, records, _ in read_all(settings.kafka, [TopicPartition(topic(settings, "findings"), 0)]):
        count += len(records)
        found = [decode_finding(record.value) for record in records if record.value is not None]
        told |= {finding.finding_id for finding in found if RESOURCE in finding.resources}
    return count, told


def main() -> None:
    """Prints the table."""
    events = int(RATE * SPAN_S)
    with tempfile.TemporaryDirectory() as folder, broker(Path(folder)) as place:
        settings = settings_for(place, "recovery", Path(folder), signals=1, sources=1)
        source = f"{topic(settings, 'events')}/0"
        heading(f"Recovery of analyze: {events:,} events of mix.toml over {SPAN_S / 3600:g} h in one partition, {place.kind}")
        fill(settings, "signals", mixed_signals(events, source, RATE))
        first = Runner("analyze", settings)
        first.await_figure("ready")
        first.go()
        handled = int(first.await_figure("records"))
        first.end()
        killed = time.monotonic()
        before, told = asyncio.run(findings(settings))
        assert not told
        fill(settings, "signals", new_fight(source), create=False)
        second = Runner("analyze", settings, refill_to=handled)
        second.go()
        second.await_figure("records")
        second.end()
        after, told = asyncio.run(findings(settings))
        assert told, "the new fight was not found"
    report(killed, handled, rate(first), before, after, second)


def report(killed: float, handled: int, speed: float, before: int, after: int, second: Runner) -> None:
    """The table."""
    at = {name: second.last(name) or 0.0 for name in ("assigned_at", "rebuilt_at", "began", "refilled_at", "ended", "start")}
    refilled, seconds = handled - int(at["start"]), at["refilled_at"] - at["began"]
    columns("after kill -9 of analyze", "s", "")
    row(
        "kill to partition assignment",
        f"{at['assigned_at'] - killed:.1f}",
        "start of the process, and what is left of the dead one's session (6 s here, 30 s by default)",
    )
    row(
        "assignment to state read",
        f"{at['rebuilt_at'] - at['assigned_at']:.2f}",
        f"{before:,} records of findings, the facts, progress",
    )
    row("state read to first record in hand", f"{at['began'] - at['rebuilt_at']:.2f}", "seek and first fetch")
    speeds = f"{refilled / max(seconds, 1e-9):,.0f} a second (the first reading, which judged and wrote: {speed:,.0f})"
    row("refill", f"{seconds:.2f}", f"{refilled:,} records: {speeds}; {cost(second):.0f} us CPU each")
    row(
        "refilled to the new finding acknowledged",
        f"{max(0.0, at['ended'] - at['refilled_at']):.2f}",
        f"{after - before} records written to the findings topic since the kill",
    )
    row(
        "**assignment to findings again, without refill**",
        f"{at['ended'] - at['assigned_at'] - seconds:.2f}",
        f"target < {WITHIN_S:g} s",
    )
    verdict("refill rate in thousand records/s", refilled / max(seconds, 1e-9) / 1000, REFILL_TARGET / 1000)


if __name__ == "__main__":
    main()
