"""Audit logs through Kafka and real workers: what `interplay analyze` finds in the file, also over kill -9 and a refill."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition
from audit_records import audit, became
from histories import SETTINGS
from live_path import LivePath, clean_environment, until
from simulation import SENTINEL, revisions
from test_kubernetes import FIGHTS, QUIET, lines
from wire_events import cloudevent

from models.analyzer import Analyzer
from models.events import Action, Sample
from models.instants import HOUR, SECOND, format_time, parse_time
from models.reduction import decode_reduce_progress
from models.rejection import Rejection
from streams.kafka_client import producer, read_all
from streams.metrics import Metrics
from streams.settings import Settings, SourceTopic, topic
from streams.writing import Outgoing, TopicWriter

pytestmark = pytest.mark.kafka
LAB = Path(__file__).parent / "data" / "k8s_audit_lab"


def expected(log: list[bytes]) -> dict[tuple[str, int], bytes]:
    """What `analyze` finds in the file."""
    analyzer = Analyzer(SETTINGS)
    for event in became(log, pane=SETTINGS.memory)[0]:
        assert not isinstance(event, Rejection)
        if not isinstance(event, Sample) or event.role == "demand":
            analyzer.feed(event)
    return revisions([change.finding for change in analyzer.finish()])


def end_of(log: list[bytes]) -> tuple[int, bytes]:
    """A line of six hours later (ns), so that everything before it is known."""
    times = [json.loads(line)["stageTimestamp"] for line in log]
    last = max(parse_time(time) for time in times) + 6 * HOUR
    event = audit(0, "end", "delete", "configmaps/end", auditID="end", stageTimestamp=format_time(last))
    return last, json.dumps(event).encode()


async def write(settings: Settings, name: str, records: list[Outgoing]) -> None:
    async with producer(settings) as client:
        assert await TopicWriter(client, name, settings.kafka, Metrics()).write(records, lambda: True)


def end_others(path: LivePath, at: int) -> None:
    """The partitions of our own topics are known up to there as well."""
    end = Action(time=at, source="z", id="end", domain=SENTINEL, agent="z", verb="z", parameter="z", resource="z")
    numbers = range(path.settings.topics.source_partitions)
    path.write([(number, None, cloudevent(msgspec.structs.replace(end, source=f"z{number}")), []) for number in numbers])


def found(path: LivePath) -> dict[tuple[str, int], bytes]:
    return revisions(path.findings())


def with_audit(settings: Settings, partitions: int = 1) -> Settings:
    name = f"{settings.kafka.prefix}-audit"
    return msgspec.structs.replace(settings, source=(SourceTopic(topic=name, kind="k8s-audit", partitions=partitions),))


@pytest.mark.parametrize("name", FIGHTS)
def test_what_reduce_translates_has_the_findings_of_the_file(kafka_settings: Settings, tmp_path: Path, name: str) -> None:
    log = lines(name)
    last, end = end_of(log)
    wanted = expected([*log, end])
    assert wanted
    rng = random.Random(7)
    by_time = sorted(log, key=lambda line: parse_time(json.loads(line)["stageTimestamp"]) + rng.uniform(0, 8) * SECOND)
    sent = [line for line in by_time for _ in range(1 + (rng.random() < 0.1))]
    with LivePath(with_audit(kafka_settings), tmp_path) as path:
        into = path.settings.source[0].topic
        half = len(sent) // 2
        asyncio.run(write(path.settings, into, [(0, None, line, []) for line in sent[:half]]))
        (reduce, _) = path.start("reduce", "analyze")
        until(lambda: bool(progress_of(path.settings, into)), "reduce has written progress", 30)
        reduce.restart()
        asyncio.run(write(path.settings, into, [(0, None, line, []) for line in [*sent[half:], b"{", end]]))
        end_others(path, last)
        until(lambda: wanted.keys() <= found(path).keys(), "all findings are there", 60, 0.3)
        assert found(path) == wanted
        (letter,) = asyncio.run(letters(path.settings))
        assert dict(letter)["reason"] == b"not_json" and dict(letter)["topic"] == into.encode()
        until(lambda: reduce.healthy(), "reduce is healthy", 30)
        metrics = reduce.get("metrics")
        assert "interplay_passed_over_total" in metrics and 'why="changes"' in metrics
        assert f"topic {into} is there" in path.interplay("init")
        assert told_of_reduce(path)[2] == f"{path.settings.topics.source_partitions + 1}"  # partitions


def test_all_recordings_the_quiet_ones_too_come_through_one_topic(kafka_settings: Settings, tmp_path: Path) -> None:
    recorded = [line for name in (*FIGHTS, *QUIET) for line in lines(name)]
    recorded += [line for file in sorted(LAB.glob("*.jsonl.gz")) for line in gzip.decompress(file.read_bytes()).splitlines()]
    log = sorted(recorded, key=lambda line: parse_time(json.loads(line)["stageTimestamp"]))
    last, end = end_of(log)
    wanted = expected([*log, end])
    assert len({name for name, _ in wanted}) >= len(FIGHTS) + 3  # those of our own lab
    with LivePath(with_audit(kafka_settings), tmp_path) as path:
        asyncio.run(write(path.settings, path.settings.source[0].topic, [(0, None, line, []) for line in [*log, end]]))
        path.start("reduce", "analyze")
        end_others(path, last)
        until(lambda: wanted.keys() <= found(path).keys(), "all findings are there", 90, 0.5)
        assert found(path) == wanted


def told_of_reduce(path: LivePath) -> list[str]:
    """The row of `status` on reduce; it exits 1, since store and alert do not run here."""
    config = str(path.directory / "interplay.toml")
    command = [sys.executable, "-m", "streams.cli", "status", "--config", config]
    done = subprocess.run(command, env=clean_environment(path.settings), capture_output=True, text=True, timeout=60)
    return next(line.split() for line in done.stdout.splitlines() if line.startswith("reduce "))


def progress_of(settings: Settings, name: str) -> list[Any]:
    async def read() -> list[Any]:
        seen = []
        async for _, records, _ in read_all(settings.kafka, [TopicPartition(topic(settings, "reduce-progress"), 0)]):
            seen += [decode_reduce_progress(record.value) for record in records]
        return [each for each in seen if each.partition.startswith(name) and each.watermark > 0]

    return asyncio.run(read())


async def letters(settings: Settings) -> list[Any]:
    seen = []
    async for _, records, _ in read_all(settings.kafka, [TopicPartition(topic(settings, "dead-letters"), 0)]):
        seen += [record.headers for record in records]
    return seen
