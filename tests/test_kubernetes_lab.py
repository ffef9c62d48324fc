"""Recordings of `make e2e-kubernetes`, with the audit policy of docs/kubernetes.md: what a watch saw beside the log is what is found."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from audit_records import read

from scripts.kubernetes.__main__ import policy
from scripts.kubernetes.check import TOLERANCE, analyze, complaints, seconds

LAB = Path(__file__).parent / "data" / "k8s_audit_lab"
ROOT = LAB.parents[2]
RECORDINGS = sorted(file.name.removesuffix(".truth.json") for file in LAB.glob("*.truth.json"))


def truth(name: str) -> Any:
    """What the witness saw."""
    return json.loads((LAB / f"{name}.truth.json").read_text())


def test_there_are_fights_and_a_quiet_day() -> None:
    fights = {name for name in RECORDINGS if truth(name)["fight"]}
    assert fights == {"gitops", "editor", "evictions"} == set(RECORDINGS) - {"quiet"}


@pytest.mark.parametrize("name", RECORDINGS)
def test_what_was_seen_is_found_and_nothing_else(name: str) -> None:
    known = truth(name)
    assert complaints(analyze(LAB / f"{name}.jsonl.gz", known["cluster"]), known) == []


@pytest.mark.parametrize("name", ["gitops", "editor", "evictions"])
def test_every_turn_that_was_seen_is_an_action_and_no_other(name: str) -> None:
    fight = truth(name)["fight"]
    actions, _, _ = read(gzip.decompress((LAB / f"{name}.jsonl.gz").read_bytes()).splitlines())
    resource = fight["resource"].replace("/lab/", "/cluster/")
    writes = [action for action in actions if resource in (action.resource, action.owner) and action.parameter == fight["knobs"][0]]
    first = min(write.time for write in writes if write.agent in fight["agents"])
    told = [(write.time, write.old if write.verb == "evict" else write.new) for write in writes if write.time >= first]
    assert sorted(str(value) for _, value in told) == sorted(str(value) for _, value in fight["turns"])
    for (time, _), (seen, _) in zip(sorted(told), fight["turns"], strict=True):
        assert abs(time / 1e9 - seconds(seen)) < TOLERANCE


@pytest.mark.parametrize("wrong", ["kind", "agents", "knobs", "resource", "first", "last"])
def test_a_wrong_finding_is_complained_of(wrong: str) -> None:
    known = truth("gitops")
    findings = analyze(LAB / "gitops.jsonl.gz", known["cluster"])
    later = known["fight"]["turns"][3][0]
    assert abs(seconds(later) - seconds(known["fight"]["first"])) > TOLERANCE
    known["fight"][wrong] = later if wrong in ("first", "last") else "another"
    (complaint,) = complaints(findings, known)
    assert wrong.rstrip("s") in complaint or later in complaint or complaint.startswith(("started_at", "updated_at"))
    assert complaints([], known) and complaints(findings, {**known, "fight": None})


def test_the_policy_is_the_one_that_people_copy() -> None:
    assert policy().startswith("apiVersion: audit.k8s.io/v1\nkind: Policy\n")


def test_what_is_missing_is_said_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.kubernetes", "--cache", str(tmp_path), "run"]
    done = subprocess.run(command, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and re.fullmatch(r"e2e-kubernetes: go is not installed: .*\n", done.stderr)
