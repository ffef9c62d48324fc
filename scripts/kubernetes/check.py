"""Holds what `interplay analyze` finds in a recording against what the witness saw."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

TOLERANCE = 2.0  # seconds between the witness's clock and the audit log's


def analyze(log: Path, cluster: str) -> list[Any]:
    """The findings, as the command line tells them. Raises CalledProcessError."""
    command = [str(Path(sys.executable).with_name("interplay")), "analyze", str(log), "--cluster", cluster, "--format", "json"]
    return [json.loads(line) for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()]


def complaints(findings: list[Any], truth: Any) -> list[str]:
    """What is wrong with the findings; nothing where all is as it was seen. `truth` is a recording's NAME.truth.json."""
    fight = truth["fight"]
    if fight is None:
        return [f"a quiet day, but: {finding['title']}" for finding in findings]
    if len(findings) != 1:
        return [f"one fight, but {len(findings)} findings: {[finding['title'] for finding in findings]}"]
    (finding,) = findings
    found = []
    for what, told in (
        ("kind", f"{finding['pattern']}/{finding['kind']}"),
        ("agents", finding["agents"]),
        ("knobs", finding["parameters"]),
    ):
        if told != fight[what]:
            found.append(f"{what}: {told} instead of {fight[what]}")
    if fight["resource"] not in finding["resources"]:
        found.append(f"resource: {finding['resources']} without {fight['resource']}")
    for what, field in (("first", "started_at"), ("last", "updated_at")):
        apart = seconds(finding[field]) - seconds(fight[what])
        if abs(apart) > TOLERANCE:
            found.append(f"{field}: {finding[field]}, {apart:+.1f} s from {fight[what]}")
    return found


def seconds(instant: str) -> float:
    """Seconds since 1970."""
    return datetime.fromisoformat(instant).timestamp()
