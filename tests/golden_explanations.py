"""The findings of the scenarios as prose, kept in tests/golden/scenarios so that a changed sentence is read by somebody.

`make golden` (python tests/golden_explanations.py) writes them anew; `test_scenarios.py` compares. Pending scenarios have none.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "golden" / "scenarios"

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from models.scenarios import final  # noqa: E402
from streams import library  # noqa: E402


def prose(played: library.Played) -> str:
    """Every finding: a line with severity, kind and title, then its explanation."""
    told = []
    for finding in final(played.changes):
        told.append(f"{finding.severity} {finding.pattern}/{finding.kind}: {finding.title}\n")
        told += [f"  {sentence}\n" for sentence in finding.explanation]
        told.append("\n")
    return "".join(told)


def write() -> int:
    """Writes all files anew; answers how many."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    count = 0
    for name in library.names():
        scenario = library.scenario(name)
        if scenario.fires and not scenario.pending:
            file = FOLDER / f"{name}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(prose(library.run(scenario)))
            count += 1
    return count


if __name__ == "__main__":
    print(f"{write()} files in {FOLDER.relative_to(ROOT)}")
