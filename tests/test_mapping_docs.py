"""docs/mapping.md: its rules make of its records what it says, and two bots in such records are found to fight."""

from __future__ import annotations

import json
import re
from pathlib import Path

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


def test_two_bots_that_deploy_back_and_forth_are_found(tmp_path: Path) -> None:
    record = json.loads(block("json").splitlines()[0])
    lines = []
    for turn in range(6):
        deployment = {**record["deployment"], "id": turn, "sha": ("9f2c1d0", "41aa7be")[turn % 2]}
        deployment |= {
            "created_at": f"2026-11-24T10:{5 * turn:02d}:00Z",
            "creator": {"login": ("release-bot", "rollback-bot")[turn % 2]},
        }
        lines.append(json.dumps({**record, "deployment": deployment}))
    (tmp_path / "hooks.jsonl").write_text("\n".join(lines))
    (tmp_path / "interplay.toml").write_text(block("toml"))
    done = interplay("analyze", "hooks.jsonl", "--source", "json", "--format", "json", cwd=tmp_path)
    (finding,) = map(json.loads, done.stdout.splitlines())
    assert (finding["pattern"], finding["agents"], finding["domain"]) == ("thrashing", ["release-bot", "rollback-bot"], "prod")
    assert "json: 6 records that became events." in done.stderr
