"""What the fuzzers of sources share: the loop that mutates until the time is over, and their command line."""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path


def fuzz(draws: Callable[[random.Random], bytes], check: Callable[[bytes], Counter[str]], seconds: float, seed: int) -> int:
    """Draws and checks until the time is over. The exit code: 1 where one input crashed, which is written to a file."""
    draw, outcomes, runs = random.Random(seed), Counter[str](), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = draws(draw)
        runs += 1
        try:
            outcomes.update(check(data))
        except Exception:
            file = Path(f"crash-{hashlib.sha256(data).hexdigest()[:12]}")
            file.write_bytes(data)
            traceback.print_exc()
            print(f"{file}: python {sys.argv[0]} --repeat {file}", file=sys.stderr)
            return 1
    print(f"{runs:,} records, no crash, seed {seed}; what came of them: {dict(outcomes.most_common())}")
    return 0


def command(description: str, draws: Callable[[random.Random], bytes], check: Callable[[bytes], Counter[str]]) -> int:
    """`--seconds`, `--seed`, or `--repeat FILE` for one input alone."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=Path, metavar="FILE", help="run one file alone")
    arguments = parser.parse_args()
    if arguments.repeat:
        print(check(arguments.repeat.read_bytes()))
        return 0
    return fuzz(draws, check, arguments.seconds, arguments.seed)
