"""Workers that die, join and leave in mid-stream, a broker that restarts, a store that fails: the findings stay those of the core, every
revision, and the store has each row once. The long ones are marked `faults`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from clickhouse_standin import PASSWORD, Standin
from histories import history
from kafka_brokers import CHOSEN, ApacheKafka, settings_for
from live_path import LivePath, expected, until
from simulation import SENTINEL, revisions

from models.events import Event
from models.findings import decode_finding
from models.instants import SECOND
from streams.broker import free_port
from streams.kafka_client import client_options, read_all
from streams.settings import Settings, topic

pytestmark = pytest.mark.kafka

EVENTS: list[Event] = history(11, events=600)


@pytest.fixture
def path(kafka_settings: Settings, tmp_path: Path) -> Iterator[LivePath]:
    assert len(expected(EVENTS)) > 30
    with LivePath(kafka_settings, tmp_path) as live:
        yield live


def in_pieces(path: LivePath, count: int, seed: int = 0) -> Iterator[None]:
    """Writes the events in `count` pieces, and hands over after each but the last."""
    records = path.records(EVENTS, seed)
    for number in range(count):
        path.write(records[number * len(records) // count : (number + 1) * len(records) // count])
        if number < count - 1:
            time.sleep(0.5)
            yield


def test_workers_that_are_killed_in_mid_stream_lose_and_double_nothing(path: LivePath) -> None:
    workers = path.start("reduce", "analyze")
    for _, victim in zip(in_pieces(path, 3), workers, strict=False):  # the pieces first: zip must come to their end
        victim.restart()
    path.await_findings(EVENTS)


def test_a_second_worker_of_each_role_joins_and_leaves(path: LivePath) -> None:
    path.start("reduce", "analyze")
    pieces = in_pieces(path, 3)
    next(pieces)
    second = path.start("reduce", "analyze")
    next(pieces)
    assert [worker.stop() for worker in second] == [0, 0]
    assert list(pieces) == []
    path.await_findings(EVENTS)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Standin]:
    standin = Standin(tmp_path / "clickhouse", free_port())
    standin.start()
    yield standin
    standin.kill()


@pytest.fixture
def stored(kafka_settings: Settings, tmp_path: Path, server: Standin) -> Iterator[LivePath]:
    """A path whose store is a server that can fail."""
    with LivePath(kafka_settings, tmp_path, path="", port=server.port, password=PASSWORD, timeout=2 * SECOND) as live:
        yield live


def test_a_store_that_fails_after_writing_hangs_and_goes_away_gets_every_row_once(stored: LivePath, server: Standin) -> None:
    workers = stored.start("reduce", "analyze", "store")
    for number, _ in enumerate(in_pieces(stored, 4)):
        server.fault(("reset", "hang", "error")[number])
    server.kill()
    stored.await_findings(EVENTS)  # analysis goes on without the store
    until(lambda: "interplay_store_blocked_seconds 0\n" not in workers[2].get("metrics"), "the store role says so", 20)
    assert workers[2].get("health") == "store: waits for ClickHouse\n"
    log = workers[2].log.read_text()
    assert "nothing is stored since " in log and "urllib3" not in log
    server.start()
    stored.await_rows(EVENTS)


@pytest.mark.faults
def test_a_store_that_is_away_for_a_minute_is_waited_for(stored: LivePath, server: Standin) -> None:
    (store,) = stored.start("store")
    server.kill()
    workers = stored.start("reduce", "analyze", "store")
    began = time.monotonic()
    assert list(in_pieces(stored, 3)) == [None, None]
    stored.await_findings(EVENTS)
    store.restart()  # and one of its two workers dies meanwhile
    time.sleep(max(0.0, 60 - (time.monotonic() - began)))
    assert all(worker.process.poll() is None for worker in workers)
    server.start()
    stored.await_rows(EVENTS)


@pytest.mark.faults
def test_every_role_is_killed_in_mid_stream(path: LivePath) -> None:
    workers = path.start("reduce", "analyze", "store", "alert")
    for number, _ in enumerate(in_pieces(path, 9, seed=5)):
        workers[number % 4].restart()
        time.sleep(0.5)
    path.await_findings(EVENTS)
    path.await_rows(EVENTS)


@pytest.mark.faults
@pytest.mark.skipif(CHOSEN == "embedded", reason="the embedded broker keeps nothing over a restart")
@pytest.mark.parametrize("kill", [False, True])
def test_a_broker_that_restarts_is_waited_for(tmp_path: Path, kill: bool) -> None:
    broker = ApacheKafka(tmp_path / "broker")
    broker.start()
    try:
        with LivePath(settings_for(broker.bootstrap, "restart", tmp_path), tmp_path) as live:
            workers = live.start("reduce", "analyze", "store", "alert")
            for _ in in_pieces(live, 3):
                broker.stop(kill=kill)
                time.sleep(4)
                broker.start()
            live.await_findings(EVENTS)
            live.await_rows(EVENTS)
            assert [worker.process.poll() for worker in workers] == [None] * 4
    finally:
        broker.stop()


@pytest.mark.faults
@pytest.mark.parametrize("seed", [1, 2])
def test_two_workers_of_each_role_are_killed_again_and_again(path: LivePath, seed: int) -> None:
    workers = path.start("reduce", "analyze", "reduce", "analyze")
    for number, _ in enumerate(in_pieces(path, 7, seed)):
        workers[number % 4].restart()
        time.sleep(seed)
    path.await_findings(EVENTS)


async def compact_at_once(settings: Settings) -> None:
    """Small segments that are cleaned within a second, so that recovery reads what compaction has left."""
    admin = AIOKafkaAdminClient(**client_options(settings.kafka))
    await admin.start()
    eager = {"cleanup.policy": "compact", "segment.ms": "200", "min.cleanable.dirty.ratio": "0.01", "min.compaction.lag.ms": "0"}
    names = [topic(settings, name) for name in ("findings", "facts", "progress", "reduce-progress")]
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, eager) for name in names])
    await admin.close()


async def kept(settings: Settings, name: str) -> int:
    found = 0
    async for _, records, _ in read_all(settings.kafka, [TopicPartition(topic(settings, name), n) for n in (0, 1)]):
        found += len(records)
    return found


@pytest.mark.faults
@pytest.mark.skipif(CHOSEN == "embedded", reason="the embedded broker does not compact")
def test_recovery_from_compacted_topics_ends_at_the_same_findings(path: LivePath) -> None:
    asyncio.run(compact_at_once(path.settings))
    workers = path.start("reduce", "analyze", "store")
    wanted = expected(EVENTS, path.settings.topics.source_partitions)
    for number, _ in enumerate(in_pieces(path, 6, seed=3)):
        time.sleep(3)  # for the cleaner
        workers[number % 2].restart()
    newest = {name: max(revision for other, revision in wanted if other == name) for name, _ in wanted}
    own = f"SELECT finding_id, revision, json FROM findings WHERE domain != '{SENTINEL}'"
    until(
        lambda: {row["finding_id"]: row["revision"] for row in path.query(own)} == newest, "the store has them all", 60, pause=1.0
    )
    stored_ones = [decode_finding(row["json"].encode()) for row in path.query(own)]
    assert revisions(stored_ones) == {place: wanted[place] for place in newest.items()}
    assert asyncio.run(kept(path.settings, "findings")) < len(wanted)  # compaction did happen


@pytest.mark.faults
def test_a_worker_that_hangs_is_ended_by_its_watchdog_and_goes_on_when_started_again(
    kafka_settings: Settings, tmp_path: Path, server: Standin
) -> None:
    impatient = msgspec.structs.replace(kafka_settings.worker, stall_timeout=4 * SECOND)
    settings = msgspec.structs.replace(kafka_settings, worker=impatient)
    with LivePath(settings, tmp_path, path="", port=server.port, password=PASSWORD, timeout=50 * SECOND) as path:
        path.write(path.records(EVENTS))
        server.fault("hang")
        _, _, store = path.start("reduce", "analyze", "store")
        until(lambda: store.process.poll() == 1, "the watchdog ends the store role", 30)
        assert "this worker has stalled and ends, to be started again" in store.log.read_text()
        path.start("store")
        path.await_rows(EVENTS)
