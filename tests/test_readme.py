"""The README is run: every command is in the table below, with where it is run; every file it names exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```", TEXT, re.S | re.M)
COMMAND = re.compile(r"^(?:make|docker|cp|interplay|\.venv/bin/interplay) ")

# command, as the README has it (comments cut) -> where it is run
ELSEWHERE = {
    "make demo": "test_demo.py",
    "make test": "scripts/run-tests.sh",  # what runs this test
    "make bench": "test_benchmarks.py",
    "make bench-accuracy": "test_accuracy.py",
    "cp .env.example .env": "test_compose.py",
    "docker compose up": "test_compose.py",  # read by Compose's own loader: no engine here
    "interplay status": "test_status.py",
    "interplay init": "test_cli.py",
    "interplay worker [ROLE...]": "test_end_to_end.py",
    "interplay worker": "test_end_to_end.py",
    'interplay query "SELECT pattern, kind, title FROM findings"': "test_demo.py",
    "interplay validate FILE": "test_cli.py",
    "interplay analyze audit.log --cluster prod": "test_kubernetes.py",
    "interplay config": "test_cli.py",
    "interplay analyze FILE": "test_analyze_command.py",
    "interplay analyze traces.json": "test_opentelemetry_files.py",
    "interplay analyze trail.json": "test_cloudtrail.py",
    "interplay map test FILE": "test_mapping_docs.py",
    "interplay schema": "test_cli.py",
    "interplay scenario list": "test_scenarios.py",
    "interplay scenario run --all": "test_scenarios.py",
}
HERE = ("interplay analyze examples/incident.trace",)


def commands() -> set[str]:
    lines = [line.split("  #")[0].strip() for block in BLOCKS for line in block.splitlines()]
    inline = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.S))
    found = {" ".join(text.split()) for text in (*lines, *inline) if COMMAND.match(text)}
    return {text.removeprefix(".venv/bin/") for text in found if not text.startswith("make dashboards")}


def test_every_command_is_run_somewhere() -> None:
    assert commands() - set(HERE) == set(ELSEWHERE)
    for where in ELSEWHERE.values():
        assert (ROOT / "tests" / where).exists() or (ROOT / where).exists(), where


@pytest.mark.parametrize("command", HERE)
def test_the_command_runs(command: str) -> None:
    words = [sys.executable, "-m", "streams.cli", *command.split()[1:]]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert "fight over" in ran.stdout


def test_every_file_and_folder_it_names_exists() -> None:
    named = set(re.findall(r"\]\(([^)#:]+)\)", TEXT)) | set(
        re.findall(r"`((?:models|streams|sdk|tests|dashboards|examples|docs)/[\w./-]*)`", TEXT)
    )
    assert len(named) > 15
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_dependency_is_named_with_its_reason() -> None:
    section = TEXT.split("## What it stands on")[1].split("##")[0]
    declared = re.findall(r'^  "([a-z-]+)[<>=]', (ROOT / "pyproject.toml").read_text(), re.M)
    assert len(declared) > 5
    assert [name for name in declared if name not in section] == []
