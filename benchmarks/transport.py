"""Faust in micro-batches beside plain aiokafka and beside a stock Faust agent: `python -m benchmarks.transport` (`make bench`).

The same records, poll size, fetch size and GC threshold; a process for each run, both of a pair right after one another.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks.load import samples
from benchmarks.rig import QUICK, Broker, broker, columns, cost, fill, heading, measured, rate, row, settings_for, spread, verdict
from streams.settings import topic

RECORDS = 100_000 if QUICK else 400_000
PAIRS = 2 if QUICK else 5
STOCK_RECORDS = 30_000
TARGET = 0.8


def compare(place: Broker, directory: Path, name: str, kind: str) -> float:
    """The rows of one pair of runners; the median ratio."""
    ours, floor = [], []
    for number in range(PAIRS):
        own = settings_for(place, f"{kind.strip(', ') or 'no-op'}-{number}", directory)  # a group of its own
        floor.append(measured(f"plain{kind}", own, topic=name, records=RECORDS))
        ours.append(measured(f"ours{kind}", own, topic=name))
    assert {runner.last("records") for runner in ours} == {RECORDS}
    ratios = [rate(a) / rate(b) for a, b in zip(ours, floor, strict=True)]
    cpu = [cost(a) / cost(b) for a, b in zip(ours, floor, strict=True)]
    what = "decode_record each" if kind else "no-op"
    for who, runs in (("aiokafka getmany", floor), ("ours", ours)):
        speeds = [rate(runner) / 1000 for runner in runs]
        shown = ("", "") if runs is floor else (spread(ratios), spread(cpu))
        row(f"{who}, {what}", spread(speeds, 0), f"{statistics.median(map(cost, runs)):.1f}", *shown)
    return statistics.median(ratios)


def main() -> None:
    """Prints the table."""
    heading(f"Transport: {RECORDS:,} samples in 4 partitions, median of {PAIRS} pairs [lowest .. highest]")
    with tempfile.TemporaryDirectory() as folder, broker(Path(folder)) as place:
        print(f"{place.kind}; records are preloaded\n")
        settings = settings_for(place, "preloaded", Path(folder))
        fill(settings, "events", samples(RECORDS, 4))
        columns("", "thousand records/s", "us CPU each, all threads", "speed to plain", "CPU to plain")
        name = topic(settings, "events")
        compare(place, Path(folder), name, "")
        ratio = compare(place, Path(folder), name, ", decoding")
        agent = measured("stock", settings_for(place, "stock", Path(folder)), topic=name, records=STOCK_RECORDS)
        row("stock Faust agent, no-op", f"{rate(agent) / 1000:.1f}", f"{cost(agent):.1f}", "", "")
    verdict("transport with decoding, to plain aiokafka with decoding", ratio, TARGET)


if __name__ == "__main__":
    main()
