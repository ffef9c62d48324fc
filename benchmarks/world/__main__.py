"""`python -m benchmarks.world [--seeds N]`: accuracy in a simulated closed-loop system, with labels by counterfactual replay."""

from __future__ import annotations

import argparse
import sys

from benchmarks.world import tables


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.world", description="Accuracy in a simulated system.")
    parser.add_argument("--seeds", type=int, default=tables.SEEDS, help=f"scenarios (default {tables.SEEDS})")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (default 0)")
    parser.add_argument("--wrong", type=int, default=0, help="also print so many misses and false alarms with their writes")
    given = parser.parse_args()
    tables.report(given.seeds, given.first, given.wrong)
    return 0


if __name__ == "__main__":
    sys.exit(main())
