"""CloudTrail and mapped webhooks through Kafka and real workers: what the files would give, over a kill -9."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from histories import SETTINGS
from live_path import LivePath, until
from simulation import revisions
from test_cloudtrail import launched
from test_foreign_path import end_others, found, letters, progress_of, write
from test_mapping import settings_of
from trail_records import AUTOSCALER, SCHEDULER, START, TERRAFORM, became, desired

from models.analyzer import Analyzer
from models.instants import HOUR, SECOND, format_time
from models.rejection import Rejection
from streams.settings import Settings, SourceTopic
from streams.sources.mapping.source import Mapped
from streams.sources.source import Origin

pytestmark = pytest.mark.kafka
LAST = START + 6 * HOUR
RULES = settings_of(
    {
        "name": "deployments",
        "type": "action",
        "when": [{"path": "action", "equals": "created"}],
        "attributes": {"time": {"path": "at"}, "subject": "service/{repo}"},
        "data": {"agent": "{by}", "verb": "deploy", "parameter": "revision", "new": {"path": "sha"}},
    },
    {"name": "other", "type": "ignore"},
)


def hook(at: int, by: str, sha: str) -> bytes:
    return json.dumps({"action": "created", "at": format_time(START + at * SECOND), "by": by, "repo": "cart", "sha": sha}).encode()


def sources(settings: Settings) -> Settings:
    names = [f"{settings.kafka.prefix}-{name}" for name in ("trail", "hooks")]
    tables = (
        SourceTopic(topic=names[0], kind="cloudtrail"),
        SourceTopic(topic=names[1], kind="json", rules=("deployments",)),
    )
    return msgspec.structs.replace(settings, source=tables, map=RULES)


def test_both_find_what_the_files_would_give(kafka_settings: Settings, tmp_path: Path) -> None:
    records: list[Any] = []
    for turn in range(16):
        records.append(desired(5 * turn, (AUTOSCALER, SCHEDULER)[turn % 2], (6, 2)[turn % 2]))
        records.append(launched(5 * turn + 2, f"i-{turn}"))
    files = [json.dumps({"Records": records[n : n + 2]}).encode() for n in range(0, len(records), 2)]
    files.append(json.dumps(desired(6 * 3600, TERRAFORM, 1, requestParameters={"autoScalingGroupName": "end"})).encode())
    hooks = [hook(5 * n, ("release-bot", "rollback-bot")[n % 2], ("9f2c", "41aa")[n % 2]) for n in range(12)]
    hooks.append(hook(6 * 3600, "end", "end"))
    settings = sources(kafka_settings)
    mapped = Mapped(settings, Origin(rules=("deployments",)))
    analyzer = Analyzer(SETTINGS)
    for event in (*became(files, pane=SETTINGS.memory)[0], *(each for value in hooks for each in mapped.parse(value, (), None))):
        assert not isinstance(event, Rejection)
        analyzer.feed(event)
    wanted = revisions([change.finding for change in analyzer.finish()])
    assert len({finding for finding, _ in wanted}) == 2
    trail, gateway = (table.topic for table in settings.source)
    with LivePath(settings, tmp_path) as path:
        asyncio.run(write(path.settings, trail, [(0, None, value, []) for value in files[:9]]))
        (reduce, _) = path.start("reduce", "analyze")
        until(lambda: bool(progress_of(path.settings, trail)), "reduce has written progress", 30)
        reduce.restart()
        asyncio.run(write(path.settings, trail, [(0, None, value, []) for value in [*files[9:-1], b"{", files[-1]]]))
        asyncio.run(
            write(path.settings, gateway, [(0, None, value, []) for value in [*hooks[:-1], b'{"action": "closed"}', hooks[-1]]])
        )
        end_others(path, LAST)
        until(lambda: wanted.keys() <= found(path).keys(), "all findings are there", 60, 0.3)
        assert found(path) == wanted
        (letter,) = asyncio.run(letters(path.settings))
        assert dict(letter)["reason"] == b"not_json" and dict(letter)["topic"] == trail.encode()
        metrics = reduce.get("metrics")
        assert 'why="no_rule"' in metrics and 'why="derived"' in metrics
