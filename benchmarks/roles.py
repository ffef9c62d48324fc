"""Reduce and analyze from Kafka beside the same work fed from memory; samples beside decoding alone; two workers beside one.

`python -m benchmarks.roles` (`make bench`). Every run has topics of its own, filled beforehand, and a process of its own.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.load import mixed_records, mixed_signals, samples
from benchmarks.rig import (
    QUICK,
    Broker,
    Runner,
    await_true,
    broker,
    columns,
    cost,
    fill,
    heading,
    measured,
    rate,
    row,
    settings_for,
    spread,
    verdict,
)
from streams.settings import topic
from streams.writing import Outgoing

EVENTS = 40_000 if QUICK else 150_000
SAMPLES = 100_000 if QUICK else 400_000
PAIRS = 1 if QUICK else 3
RATE = 500.0  # events a second of event time
TARGET, SAMPLES_TARGET, SAMPLES_RATIO, TWO_TARGET = 0.85, 150_000, 0.6, 1.8


def from_kafka(place: Broker, directory: Path, role: str, records: list[Outgoing]) -> float:
    """The rows of one role; the median ratio."""
    ours, floor, input_topic = [], [], {"reduce": "events", "analyze": "signals"}[role]
    for number in range(PAIRS):
        signals, sources = (4, 4) if role == "reduce" else (1, 1)
        settings = settings_for(place, f"{role}-{number}", directory, signals, sources)
        filled = records if role == "reduce" else mixed_signals(EVENTS, f"{topic(settings, 'events')}/0", RATE)
        fill(settings, input_topic, filled)
        floor.append(measured(f"{role} from memory", settings))
        ours.append(measured(role, settings))
    ratios = [rate(a) / rate(b) for a, b in zip(ours, floor, strict=True)]
    for who, runs in (("fed from memory", floor), ("from Kafka", ours)):
        shown = "" if runs is floor else spread(ratios)
        row(f"{role}, {who}", spread([rate(run) / 1000 for run in runs], 0), f"{statistics.median(map(cost, runs)):.1f}", shown)
    return statistics.median(ratios)


def shared_out(runners: list[Runner]) -> bool:
    """Whether each has some of the four partitions, and together they have all."""
    counts = [runner.last("ready") or 0 for runner in runners]
    return all(counts) and sum(counts) == 4


def one_and_two(place: Broker, directory: Path, records: list[Outgoing]) -> float:
    """Rows for one worker of reduce and for two; how many times faster two are."""
    speeds: dict[int, list[float]] = {1: [], 2: []}
    for number in range(1 if QUICK else 2):
        for count in (1, 2):
            settings = settings_for(place, f"workers-{count}-{number}", directory)
            fill(settings, "events", records)
            runners = [Runner("reduce", settings) for _ in range(count)]
            await_true(partial(shared_out, runners), "all partitions to be shared out")
            before = place.cpu()
            for runner in runners:
                runner.go()
            done = sum(runner.await_figure("records") for runner in runners)
            used = place.cpu() - before
            took = max(r.last("ended") or 0 for r in runners) - min(r.last("began") or 0 for r in runners)
            own = sum(runner.last("cpu") or 0 for runner in runners)
            for runner in runners:
                runner.end()
            speeds[count].append(done / took)
            row(f"{count} worker{'s'[: count - 1]}", f"{done / took / 1000:.0f}", f"{own / took:.2f}", f"{used / took:.2f}")
    return statistics.median(speeds[2]) / statistics.median(speeds[1])


def samples_table(place: Broker, directory: Path) -> None:
    """Samples through reduce, per core, beside decoding alone."""
    columns(
        "samples",
        "decoding alone, k/s",
        "through Reducer, k/s",
        "ratio",
        "from Kafka, k/s per core",
        "ratio",
        "from Kafka, k/s of wall time",
    )
    for together in (1, 100):
        settings = settings_for(place, f"samples-{together}", directory)
        fill(settings, "events", samples(SAMPLES, 4, together))
        memory, role = measured("samples from memory", settings), measured("reduce", settings)
        alone, through = (SAMPLES / (memory.last(name) or 1) for name in ("alone", "through"))
        core, wall = SAMPLES / (role.last("cpu") or 1), SAMPLES / (role.last("seconds") or 1)
        name = "one a record" if together == 1 else f"{together} a record"
        row(
            name,
            *(f"{v / 1000:.0f}" for v in (alone, through)),
            f"{through / alone:.2f}",
            f"{core / 1000:.0f}",
            f"{core / alone:.2f}",
            f"{wall / 1000:.0f}",
        )
        verdict(f"{name}: samples/s per core, from Kafka, in thousands", core / 1000, SAMPLES_TARGET / 1000)
        verdict(f"{name}: through Reducer to decoding alone", through / alone, SAMPLES_RATIO)


def main() -> None:
    """Prints the tables."""
    with tempfile.TemporaryDirectory() as folder, broker(Path(folder)) as place:
        directory = Path(folder)
        heading(f"Samples through reduce: {SAMPLES:,}, {place.kind}")
        samples_table(place, directory)
        heading(
            f"Roles from Kafka and from memory: {EVENTS:,} events of mix.toml, {place.kind}, median of {PAIRS} [lowest .. highest]"
        )
        columns("", "thousand records/s", "us CPU each, all threads", "to memory")
        records = list(mixed_records(EVENTS, 4, RATE))
        ratios = {role: from_kafka(place, directory, role, records) for role in ("reduce", "analyze")}
        for role, ratio in ratios.items():
            verdict(f"{role} from Kafka, to the same fed from memory", ratio, TARGET)
        heading(f"Workers of reduce on 4 preloaded partitions: {EVENTS:,} events, {place.kind}")
        columns("", "thousand records/s", "cores of the workers", "cores of the broker")
        gain = one_and_two(place, directory, records)
    verdict(
        f"two workers to one (the target is for machines with a core for each and for the broker; here are {os.cpu_count()})",
        gain,
        TWO_TARGET,
    )


if __name__ == "__main__":
    main()
