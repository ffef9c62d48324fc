"""What a call into the SDK costs an agent: `python benchmarks/sdk.py` (`make bench`).

The floor is json.dumps of the same event. The Kafka sink runs twice: without a broker, where the call is alone with the queue, and with the
embedded one, where the sending thread takes its share of the interpreter and of the machine. On a busy machine believe the CPU column.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from interplay_sdk import JsonlSink, KafkaSink, Recorder
from interplay_sdk.sinks import Sink

from streams.broker import EmbeddedBroker

CALLS = 5_000
PACE_S = 0.001  # between calls of an agent that is not in a hurry
WHY = "p95_latency_ms > 300"


def microseconds(call: Callable[[int], object], calls: int = CALLS, pace_s: float = 0.0) -> tuple[float, float, float, float]:
    """µs per call: CPU time of the calling thread, and on the clock the median, the 99th percentile and the worst."""
    taken, cpu = [], 0
    for i in range(calls):
        began, worked = time.perf_counter_ns(), time.thread_time_ns()
        call(i)
        cpu += time.thread_time_ns() - worked
        taken.append((time.perf_counter_ns() - began) / 1000)
        if pace_s:
            time.sleep(pace_s)
    return cpu / calls / 1000, statistics.median(taken), statistics.quantiles(taken, n=100)[98], max(taken)


def recorded(rec: Recorder) -> Callable[[int], object]:
    """The call that is measured: an action with one read and a reason."""

    def call(i: int) -> str:
        return rec.act("scale", "db/orders", "replicas", old=i, new=i + 1, reads=[("db/orders", "p95_latency_ms", 840)], why=WHY)

    return call


def floor(path: Path) -> Callable[[int], object]:
    """json.dumps of an event such as `recorded` makes, read back from a file so that it is the same."""
    Recorder(agent="perf-scaler", sink=JsonlSink(path)).act(
        "scale", "db/orders", "replicas", old=1, new=2, reads=[("db/orders", "p95_latency_ms", 840)], why=WHY
    )
    event = json.loads(path.read_bytes())
    return lambda i: json.dumps(event)


@contextlib.contextmanager
def recorder(sink: Sink) -> Iterator[Recorder]:
    """A recorder for one row."""
    rec = Recorder(agent="perf-scaler", sink=sink)
    yield rec
    rec.close(20.0)


def row(name: str, measured: tuple[float, float, float, float], rec: Recorder | None = None) -> None:
    """One line of the table."""
    fate = f"{rec.sent:>7} {rec.dropped:>8} {rec.failed:>7}" if rec else f"{'-':>7} {'-':>8} {'-':>7}"
    print(f"{name:<50} {measured[0]:>6.1f} {measured[1]:>8.1f} {measured[2]:>8.1f} {measured[3]:>9.1f} {fate}")


def main() -> None:
    """Prints the table."""
    logging.disable(logging.CRITICAL)
    print(f"act() with one read and a reason, {CALLS} calls; Python {platform.python_version()}, {os.cpu_count()} cores")
    columns = f"{'cpu':>6} {'median':>8} {'p99':>8} {'worst':>9} {'sent':>7} {'dropped':>8} {'failed':>7}"
    print(f"{'µs per call':<50} {columns}")
    with tempfile.TemporaryDirectory() as directory, EmbeddedBroker(Path(directory) / "broker.log") as broker:
        dumps = floor(Path(directory) / "floor.jsonl")
        row("json.dumps of the same event (floor)", microseconds(dumps))
        row("the same, a call a millisecond (cold caches)", microseconds(dumps, CALLS // 5, PACE_S))
        with recorder(JsonlSink(Path(directory) / "events.jsonl")) as rec:
            row("JsonlSink (one write per event)", microseconds(recorded(rec)), rec)
        rec = Recorder(agent="perf-scaler", sink=KafkaSink("127.0.0.1:1"))
        row("KafkaSink, no broker", microseconds(recorded(rec)), rec)
        rec.close(0.1)
        for name, calls, pace_s in (("in a burst", CALLS, 0.0), ("a call a millisecond", CALLS // 5, PACE_S)):
            with recorder(KafkaSink(broker.bootstrap, topic="interplay.events")) as rec:
                rec.act("warm", "db/orders")
                rec.flush(10.0)
                measured = microseconds(recorded(rec), calls, pace_s)
                rec.flush(20.0)
                row(f"KafkaSink, embedded broker, {name}", measured, rec)


if __name__ == "__main__":
    main()
