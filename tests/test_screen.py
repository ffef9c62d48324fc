"""What the demo tells of findings: where they go, who did what to whom, each at its gravest; and that it starts with an empty store."""

from __future__ import annotations

import asyncio
import fcntl
import io
from pathlib import Path

import pytest
from fights import finding, resolved

from models.findings import CausalEdge
from streams.demo.parts import DemoFailed, Parts, plan, settings_text
from streams.demo.run import Story
from streams.demo.screen import Screen, linked
from streams.terminal import Terminal


def test_severity_says_where_a_finding_goes() -> None:
    out = io.StringIO()
    screen = Screen(Terminal(out, {}), 16.0)
    severities = ("warning", "error", "error", "info")
    for revision, severity in enumerate(severities, 1):
        screen.finding(finding(revision, severity=severity))
    screen.finding(resolved(5, 1_764_036_060 * 10**9))
    heads = [line.split(":")[0] for line in out.getvalue().splitlines() if line.startswith(">>>")]
    assert heads == [">>> FOUND", ">>> GROWS", ">>> CHANGES", ">>> EASES", ">>> RESOLVED"]


def test_an_edge_names_agents_and_no_ids() -> None:
    edge = CausalEdge("agents/perf-scaler/pod-3 5f0c", "agents/cost-optimizer/job-1 77aa", "overwrites", 0.95, 1.3)
    assert linked(finding(), edge) == "cost-optimizer overwrote perf-scaler's value"
    seen = CausalEdge("monitor/1 5f0c", "agents/cost-optimizer/job-1 77aa", "reads", 0.95, 1.3)
    assert linked(finding(), seen) == "cost-optimizer acted on what it read of monitor/1's action"


def test_a_story_remembers_the_gravest_revision_and_of_equals_the_later() -> None:
    story = Story({})
    for revision, severity in enumerate(("warning", "error", "error", "warning"), 1):
        story.take(finding(revision, severity=severity))
    assert (story.findings["f_1"].revision, story.gravest["f_1"].revision) == (4, 3)


def test_a_demo_starts_with_an_empty_store_and_touches_none_that_is_not_its_own(tmp_path: Path) -> None:
    kept = tmp_path / "store" / "status"
    kept.parent.mkdir()
    kept.write_text("rows")

    async def start() -> None:
        async with Parts(tmp_path, plan(tmp_path, 16.0), lambda: None):
            pass

    with pytest.raises(DemoFailed, match="no demo has made it"):
        asyncio.run(start())
    assert kept.exists() and not (tmp_path / "demo.toml").exists()
    (tmp_path / "demo.toml").write_text(settings_text(plan(tmp_path, 16.0)))
    with kept.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DemoFailed, match="another process has"):
            asyncio.run(start())
    assert kept.exists()
    asyncio.run(start())
    assert not kept.parent.exists()
