"""The benchmarks run: each can be imported, and the core's has figures on a part of the mix. Numbers are no assertions."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TABLES = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if not path.stem.startswith("__"))


@pytest.mark.parametrize("name", TABLES)
def test_each_can_be_imported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    assert importlib.import_module(f"benchmarks.{name}").__doc__


def test_the_cores_table_has_figures() -> None:
    case = [sys.executable, "benchmarks/core.py", "1", "1", "50", "3000", "1000"]
    ran = subprocess.run(case, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    speed, floor, live, *_ = (float(figure) for figure in ran.stdout.split())
    assert floor > speed > 0 and 1000 < live <= 3000
