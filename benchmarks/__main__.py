"""All tables, each in a process of its own, one after another: `python -m benchmarks [--quick]` (`make bench`).

A quick round shows that everything runs; its figures are of too few records to quote.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLES = ("core", "decode", "sources", "store", "sdk", "transport", "roles", "latency", "recovery")
QUICK_TABLES = ("decode", "sources", "transport", "roles", "latency", "recovery")  # the others have no short version


def main() -> int:
    """The exit code: 1 when a table could not be made, or said that a floor was missed by ending so."""
    quick = "--quick" in sys.argv[1:]
    failed = []
    for name in QUICK_TABLES if quick else TABLES:
        began = time.monotonic()
        print(f"\n# {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *(["--quick"] if quick else [])], cwd=ROOT, check=False)
        print(f"\n({time.monotonic() - began:.0f} s)", flush=True)
        if done.returncode:
            failed.append(name)
    if failed:
        print(f"\nended with an error: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
