"""Rewrites requirements.lock and requirements-test.lock with the versions that are installed beside this interpreter: `make lock`.

Names and environment markers stay as they are; a package in neither file is listed, to be put into the right one by hand.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parent.parent
OURS = {"pip", "interplay", "interplay-sdk"}
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^;\s]+)(.*)$")


def plain(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Rewrites both files; 1 if a package is in neither or a pinned one is not installed."""
    installed = {plain(d.metadata["Name"]): d.version for d in distributions()}
    named: set[str] = set()
    for path in (ROOT / "requirements.lock", ROOT / "requirements-test.lock"):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if pin := PIN.match(line):
                named.add(plain(pin[1]))
                lines[number] = f"{pin[1]}=={installed.get(plain(pin[1]), pin[2])}{pin[3]}"
        path.write_text("\n".join(lines) + "\n")
    unnamed, absent = sorted(set(installed) - named - OURS), sorted(named - set(installed))
    if unnamed or absent:
        print(f"in neither lock file: {unnamed}; pinned and not installed here: {absent}", file=sys.stderr)
    return 1 if unnamed or absent else 0


if __name__ == "__main__":
    sys.exit(main())
