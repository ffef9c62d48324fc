"""Workers that die, join and leave in mid-stream, a broker that restarts, a store that fails: the findings stay those of the core, every
revision, and the store has each row once. The long ones are marked `faults`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_standin import PASSWORD, Standin
from histories import history
from kafka_brokers import CHOSEN, ApacheKafka, settings_for
from live_path import LivePath, expected, until

from models.events import Event
from models.instants import SECOND
from streams.broker import free_port
from streams.settings import Settings

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
    assert workers[2].healthy()
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
