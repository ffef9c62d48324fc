"""docs/pipeline.md: its steps are YAML, and the commands in them run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import yaml
from test_analyze_command import fight
from test_cli import interplay

TEXT = (Path(__file__).parent.parent / "docs" / "pipeline.md").read_text()


def test_the_steps_are_yaml_and_their_commands_fail_on_a_fight(tmp_path: Path) -> None:
    github, gitlab = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.S))
    (tmp_path / "events.jsonl").write_text("".join(fight()))
    for command in (github[0]["run"], *gitlab["interplay"]["script"]):
        words = shlex.split(command.partition(" > ")[0])
        done = interplay(*words[1:], cwd=tmp_path)
        assert done.returncode == 1 and "Fails: --fail-on any:warning" in done.stderr, done.stderr
