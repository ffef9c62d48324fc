"""What a write costs as writes go on: ten million over a hundred thousand knobs, through the whole analyzer in one process.

`python -m benchmarks.accuracy.cost [--writes N] [--knobs N] [--memory-minutes M]` (`make bench-writes`). The cost of a write must stay
flat and the memory bounded; both are printed at every tenth. Most knobs climb and fall slowly, one in a hundred is fought over.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.rig import columns, heading, row
from models.analyzer import Analyzer
from models.configuration import Analysis
from models.events import Action, Tick
from models.instants import HOUR, MINUTE, SECOND, format_duration

SEED = 20_261_125
BEGIN = 1_790_000_000 * SECOND
RATE = 1_000  # writes a second of event time
BATCH = 2_000
STEP = 1.15  # of a knob that climbs or falls, at a write
FIGHTS = 0.01  # share of the knobs on which two agents alternate
PAGE = 4096


def writes(count: int, knobs: int, rate: int) -> Iterator[Action]:
    """One write after the other, each on a knob drawn at random, `rate` a second."""
    rng = random.Random(SEED)
    values = [10.0] * knobs
    falling = bytearray(knobs)
    names = [f"k8s/shop/deployment/d{k}" for k in range(knobs)]
    agents = [f"agents/agent-{a}/0" for a in range(200)]
    for i in range(count):
        knob = rng.randrange(knobs)
        old = values[knob]
        fight = knob < knobs * FIGHTS
        if fight:
            values[knob] = 20.0 if old == 10.0 else 10.0
        else:
            values[knob] = round(old / STEP if falling[knob] else old * STEP, 3)
            falling[knob] ^= not 10.0 <= values[knob] <= 80.0
        agent = (knob + (old == 10.0 if fight else 0)) % 200
        yield Action(
            time=BEGIN + i * SECOND // rate, source=agents[agent], id=f"w{i}", resource=names[knob], agent=f"agent-{agent}", verb="set",
            parameter="replicas", old=old, new=values[knob],
        )  # fmt: skip


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def settings(memory: int) -> Analysis:
    """The default configuration, but for how long writes are remembered (ns)."""
    return msgspec.structs.replace(Analysis(), memory=memory, window=min(Analysis().window, memory // 3))


def report(count: int, knobs: int, memory: int) -> None:
    """Prints a line for every tenth of the writes."""
    heading(f"Cost per write: {count:,} writes over {knobs:,} knobs at {RATE:,}/s of event time, memory {format_duration(memory)}")
    columns(
        "writes",
        "us of CPU each, analyzer",
        "us each, making the writes",
        "resident MB",
        "live events",
        "findings open",
        "changes told",
    )
    gc.set_threshold(100_000, 50, 100)  # as workers have it
    analyzer, told, made, judged, began = Analyzer(settings(memory)), 0, 0.0, 0.0, time.process_time()
    batch: list[Action] = []
    tenth = max(1, count // 10)
    for i, write in enumerate(writes(count, knobs, RATE), 1):
        batch.append(write)
        if len(batch) < BATCH and i % tenth and i < count:
            continue
        now = time.process_time()
        made += now - began
        for one in batch:
            analyzer.feed(one)
        told += len(analyzer.feed(Tick(partition="file/0", watermark=batch[-1].time + 1, mode="live")))
        batch = []
        began = time.process_time()
        judged += began - now
        if i % tenth == 0:
            live = len(analyzer.domain("default").memory)
            row(
                f"{i:,}", f"{1e6 * judged / tenth:.1f}", f"{1e6 * made / tenth:.1f}", resident() >> 20, f"{live:,}",
                f"{analyzer.counters()['open']:,}", f"{told:,}",
            )  # fmt: skip
            made = judged = 0.0
    print(
        "\nshed, by reason: "
        + (", ".join(f"{k} {v:,}" for k, v in sorted(analyzer.counters().items()) if "shed" in k) or "nothing")
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--writes", type=int, default=10_000_000, help="how many, in all (default 10,000,000)")
    parser.add_argument("--knobs", type=int, default=100_000)
    parser.add_argument("--memory-minutes", type=float, default=10.0, help="how long writes are remembered (default 10)")
    given = parser.parse_args()
    report(given.writes, given.knobs, min(int(given.memory_minutes * MINUTE), 24 * HOUR))


if __name__ == "__main__":
    main()
