"""`python -m benchmarks.accuracy [--data DIR] [--seeds N] [--first N] [--only PART]`: all tables of accuracy.

A part without its data says so.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.accuracy import autoscalers, open_loop, pairs, wikibots

PARTS = ("families", "wikibots", "hpa_real")


def main() -> int:
    """The exit code: 0, or 2 for a folder that is not there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description="Tables of accuracy.")
    parser.add_argument(
        "--data", default="", help="folder with wikibots/ and hpa_real/ (docs/accuracy.md says where they come from)"
    )
    parser.add_argument("--seeds", type=int, default=open_loop.SEEDS, help="histories per family (default 60)")
    parser.add_argument("--first", type=int, default=0, help="number of the first history (default 0)")
    parser.add_argument("--only", choices=PARTS, action="append", default=[], help="this part; may be given several times")
    given = parser.parse_args()
    chosen = given.only or list(PARTS)
    if given.data and not Path(given.data).is_dir():
        print(f"--data {given.data}: no such folder; docs/accuracy.md says how to make it", file=sys.stderr)
        return 2
    if "families" in chosen:
        open_loop.report(given.seeds, given.first)
    for name, module, report in (("wikibots", wikibots, pairs.report), ("hpa_real", autoscalers, autoscalers.report)):
        if name not in chosen:
            continue
        folder = Path(given.data or "data") / name
        gone = module.missing(folder)
        if gone:
            print(
                f'\n## {name}: left out\n\nnot there: {", ".join(gone)}. docs/accuracy.md, "The data", says how to get them; then'
            )
            print("make bench-accuracy DATA=FOLDER", flush=True)
        else:
            report(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
