"""Topics of `[[source]]` with several partitions in the worker: of different pace, empty, silent for an hour, and not there at first."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
import pytest
import test_translation
from histories import SETTINGS as HISTORY
from live_path import LivePath, Worker, until
from otlp_records import as_json, at, request, told
from simulation import revisions
from test_foreign_path import end_others, progress_of, write
from test_foreign_path import found as live
from test_opentelemetry import tool
from test_opentelemetry_reduce import looked_at, partition, reducer
from test_translation import Record, played, whole

from models.analyzer import Analyzer
from models.instants import HOUR
from streams.settings import Settings, SourceTopic
from streams.writing import Outgoing

AGENTS = (("perf-scaler", 8), ("cost-saver", 2))


def call(minute: int) -> bytes:
    """Two agents that undo each other, minute by minute."""
    agent, replicas = AGENTS[minute % 2]
    arguments = f'{{"deployment": "cart", "replicas": {replicas}}}'
    return as_json(
        request("traces", [tool(1, arguments=arguments, trace=minute + 1, start=60 * minute, end=60 * minute + 1)], agent)
    )


def end(number: int) -> bytes:
    """A call of six hours later, so that everything before it is known."""
    return as_json(request("traces", [tool(1, arguments="{}", trace=99, start=6 * 3600, end=6 * 3600)], f"end-{number}"))


def of_file(records: list[bytes]) -> dict[tuple[str, int], bytes]:
    analyzer = Analyzer(HISTORY)
    for event in sorted((each for record in records for each in told(record)), key=lambda event: event.time):
        analyzer.feed(event)
    return revisions([change.finding for change in analyzer.finish()])


def with_topic(settings: Settings, partitions: int) -> tuple[Settings, str]:
    name = f"{settings.kafka.prefix}-otlp"
    table = SourceTopic(topic=name, kind="otlp", cluster="prod", domain="shop", partitions=partitions)
    return msgspec.structs.replace(settings, source=(table,)), name


def sent(minutes: range, partition: int) -> list[Outgoing]:
    return [(partition, None, call(minute), []) for minute in minutes]


@pytest.mark.kafka
def test_partitions_of_different_pace_are_waited_for_and_an_empty_one_is_not_for_ever(
    kafka_settings: Settings, tmp_path: Path
) -> None:
    """Each agent in a partition of its own: the first is read to its end before the other has begun; a third stays empty."""
    calls = [call(minute) for minute in range(30)]
    wanted = of_file([*calls, end(0), end(1)])
    assert wanted
    short = msgspec.structs.replace(HISTORY, time=msgspec.structs.replace(HISTORY.time, idle_timeout=12_000_000_000))
    placed, name = with_topic(kafka_settings, 3)
    with LivePath(placed, tmp_path) as path:
        path.settings = msgspec.structs.replace(path.settings, analysis=short)
        asyncio.run(write(path.settings, name, [*sent(range(0, 30, 2), 0), (0, None, end(0), [])]))
        end_others(path, at(6 * 3600))
        path.start("reduce", "analyze")
        until(lambda: bool(progress_of(path.settings, name)), "reduce has read the first", 30)
        asyncio.run(write(path.settings, name, sent(range(1, 15, 2), 1)))
        time.sleep(2)
        assert not live(path)  # the second is known up to a quarter of an hour, and lateness
        asyncio.run(write(path.settings, name, [*sent(range(15, 30, 2), 1), (1, None, end(1), [])]))
        until(lambda: wanted.keys() <= live(path).keys(), "all findings are there", 90, 0.3)
        assert live(path) == wanted


def later(record: Record) -> Record:
    """The same an hour later."""
    return Record(record.appended + HOUR, tuple(msgspec.structs.replace(item, time=item.time + HOUR) for item in record.items))


@pytest.mark.parametrize("seed", range(20))
def test_a_partition_that_is_silent_for_an_hour_and_returns(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live: its watermark goes on with the clock; what comes after is translated as if the fold had just begun, restarts or not."""
    monkeypatch.setattr(test_translation, "reducer", reducer)
    records = partition(seed, 12)
    begun = records[: len(records) // 2]
    before = {(item.id, item.time) for each in begun for item in each.items}
    log = [
        *begun,
        *(later(each) for each in records[len(begun) :] if before.isdisjoint((item.id, item.time) for item in each.items)),
    ]
    out, _ = played(log, seed, 0.2)
    wanted = whole(log)
    assert looked_at(out) == looked_at(wanted) and out.refused == wanted.refused
    reduce, told_again, position = reducer(), test_translation.Out({}, set()), 0
    now = log[0].appended
    while position < len(log):  # looked at every ten seconds, all through the silence
        while position < len(log) and log[position].appended <= now:
            reduce.feed(position, log[position].appended, log[position].items)
            position += 1
        release = reduce.release(now, at_end=True)
        told_again.take(release.events, release.refused)
        now += 10_000_000_000
    release = reduce.release(now + 60_000_000_000, at_end=True)
    told_again.take(release.events, release.refused)
    assert told_again.refused == wanted.refused and reduce.late == 0
    assert set(looked_at(told_again)) == set(looked_at(wanted))


@pytest.mark.kafka
def test_a_topic_that_is_not_there_is_named_and_begun_once_it_is(kafka_settings: Settings, tmp_path: Path) -> None:
    calls = [call(minute) for minute in range(30)]
    wanted = of_file([*calls, end(0)])
    with LivePath(kafka_settings, tmp_path) as path:  # `init` without the topic
        path.settings, name = with_topic(path.settings, 1)
        refused = Worker(path.settings, "reduce", tmp_path)
        path.workers.append(refused)
        assert refused.process.wait(60) != 0
        assert f"has no topic {name}: run interplay init" in refused.log.read_text()
        assert f"topic {name} created" in path.interplay("init")
        path.start("reduce", "analyze")
        asyncio.run(write(path.settings, name, [*((0, None, each, []) for each in calls), (0, None, end(0), [])]))
        end_others(path, at(6 * 3600))
        until(lambda: wanted.keys() <= live(path).keys(), "all findings are there", 60, 0.3)
        assert live(path) == wanted
