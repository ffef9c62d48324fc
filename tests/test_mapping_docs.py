"""docs/mapping.md: its rules make of its records what it says, and two bots in such records are found to fight."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from test_cli import interplay

TEXT = (Path(__file__).parent.parent / "docs" / "mapping.md").read_text()


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", TEXT, re.S)
    assert found
    return found[1]


def test_the_example_is_what_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "hooks.jsonl").write_text(block("json"))
    (tmp_path / "interplay.toml").write_text(block("toml"))
    done = interplay("map", "test", "hooks.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == block("text")


def deployments() -> str:
    """Six records of two bots that deploy one service back and forth."""
    record = json.loads(block("json").splitlines()[0])
    lines = []
    for turn in range(6):
        deployment = {**record["deployment"], "id": turn, "sha": ("9f2c1d0", "41aa7be")[turn % 2]}
        deployment |= {
            "created_at": f"2026-11-24T10:{5 * turn:02d}:00Z",
            "creator": {"login": ("release-bot", "rollback-bot")[turn % 2]},
        }
        lines.append(json.dumps({**record, "deployment": deployment}))
    return "\n".join(lines)


@pytest.mark.parametrize("source", [(), ("--source", "json")])
def test_two_bots_that_deploy_back_and_forth_are_found(source: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "hooks.jsonl").write_text(deployments())
    (tmp_path / "interplay.toml").write_text(block("toml"))
    done = interplay("analyze", "hooks.jsonl", *source, "--format", "json", cwd=tmp_path)
    (finding,) = map(json.loads, done.stdout.splitlines())
    assert (finding["pattern"], finding["agents"], finding["domain"]) == ("thrashing", ["release-bot", "rollback-bot"], "prod")
    assert "json: 6 records that became events." in done.stderr


def test_a_webhook_and_an_audit_log_are_analysed_together(tmp_path: Path) -> None:
    """Each file is what it holds: `--source json` would take both for webhooks, and without it the rules were not asked."""
    (tmp_path / "interplay.toml").write_text(block("toml"))
    (tmp_path / "hooks.jsonl").write_text('{"zen": "Keep it simple."}\n' + deployments())
    audit = Path(__file__).parent / "data" / "k8s_audit_lab" / "editor.jsonl.gz"
    done = interplay("analyze", "hooks.jsonl", str(audit), cwd=tmp_path)
    assert done.returncode == 0 and "2 findings " in done.stdout
    assert "json: 6 records that became events." in done.stdout and "k8s-audit: 96 requests" in done.stdout
    assert "1 bad line left out." in done.stdout and "hooks.jsonl:1: not_cloudevents" in done.stderr
