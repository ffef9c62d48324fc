"""The examples run as their readers would run them, and find what they are there to show."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from test_cli import interplay

from models.notation import parse, render
from streams.sources.traces import read_trace

ROOT = Path(__file__).parent.parent
TRACE = ROOT / "examples" / "incident.trace"


def test_feed_prints_findings_as_they_open() -> None:
    done = subprocess.run([sys.executable, ROOT / "examples" / "feed.py"], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    opened = [line for line in done.stdout.splitlines() if line.startswith("opened ")]
    assert any("cost-optimizer overrode perf-scaler's warm-up on db/orders replicas" in line for line in opened)
    assert any("router-1 and router-2 fight over route/orders share_a" in line for line in opened)
    assert any("perf-scaler's 8 -> 16 on db/orders replicas set off reactions" in line for line in opened)
    last = done.stdout.splitlines()[-1]
    assert not last.startswith("resolved"), "the fight goes on when the file ends"
    assert "resolved" in done.stdout


def test_feed_is_about_twenty_lines() -> None:
    code = [line for line in (ROOT / "examples" / "feed.py").read_text().split('"""')[2].splitlines() if line.strip()]
    assert len(code) <= 20


def test_analyze_reads_the_incident(tmp_path: Path) -> None:
    done = interplay("analyze", str(TRACE), "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = {(f["pattern"], f["kind"]): f for f in map(json.loads, done.stdout.splitlines())}
    assert found.keys() >= {("intent_conflict", "intent_read_as_fault"), ("thrashing", "growing"), ("cascade", "decision")}
    misread = found["intent_conflict", "intent_read_as_fault"]
    assert misread["detected_at"] == "2026-11-24T02:17:20Z"  # 100 s before the database is down
    assert misread["agents"] == ["cost-optimizer", "perf-scaler"]
    assert found["thrashing", "growing"]["metrics"]["fight_index"] == 1.0


def test_the_incident_says_that_it_is_made_up_and_is_valid(tmp_path: Path) -> None:
    assert "SYNTHETIC" in TRACE.read_text().splitlines()[0]
    done = interplay("validate", str(TRACE), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "17 good, 0 bad.\n")


def test_without_the_announcement_it_is_no_misreading(tmp_path: Path) -> None:
    events = [event for event in parse(TRACE.read_text()) if event.id in ("a1", "b1")]
    lines = [render(event, "2026-11-24") for event in events]
    assert " holds " in lines[0]
    bare = tmp_path / "bare.trace"
    bare.write_text("on 2026-11-24\n" + lines[0].split(" holds ")[0] + "\n" + lines[1] + "\n")
    done = interplay("analyze", "bare.trace", "--format", "json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")


def test_mistakes_in_a_trace_are_told_by_line(tmp_path: Path) -> None:
    (tmp_path / "bad.trace").write_bytes(b"on 2026-11-24\n02:17:06 a@s#1 scale db\n02:17:07 a@s#\xff scale db\n02:17:08 scale db\n")
    done = interplay("validate", "bad.trace", cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("bad.trace:3: not_json") and lines[1].startswith("bad.trace:4: not_notation: column ")
    assert lines[2] == "1 good, 2 bad."


def test_the_reader_of_traces_counts_lines_as_editors_do(tmp_path: Path) -> None:
    numbers = [number for number, _ in read_trace(str(TRACE))]
    lines = TRACE.read_text().split("\n")
    assert len(numbers) == 17 and all(lines[number - 1][:1] in "0123456789" for number in numbers)
