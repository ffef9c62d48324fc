"""A broker that goes away while a worker starts, joins or rebuilds its state is waited for; what is wrong for good is told at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from faust.types import TP
from histories import history
from kafka_brokers import CHOSEN, ApacheKafka, settings_for
from live_path import LivePath, Worker, until

from models.events import Event
from streams.kafka_client import KafkaTrouble, read_all
from streams.metrics import Metrics
from streams.retry import CONFIRM_S, Retry
from streams.roles.application import application
from streams.settings import ROLES, Settings, topic
from streams.topics import init_topics
from streams.transport import Batch

pytestmark = pytest.mark.kafka

EVENTS: list[Event] = history(11, events=600)
restarts = pytest.mark.skipif(CHOSEN == "embedded", reason="the embedded broker keeps nothing over a restart")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ApacheKafka]:
    found = ApacheKafka(tmp_path / "broker")
    found.start()
    yield found
    found.stop()


class Interrupted:
    """A role whose broker is killed each time it begins to rebuild its state, `times` times, and comes back some seconds later."""

    def __init__(self, settings: Settings, broker: ApacheKafka, times: int, committed: bool) -> None:
        self.topics = (topic(settings, "findings"),)
        self._settings, self._broker, self._times, self._committed = settings, broker, times, committed
        self._coming: asyncio.Task[None] | None = None
        self.seen: set[int] = set()
        self.rebuilt = False
        self.waiting = False

    async def assigned(self, partitions: set[TP]) -> Mapping[TP, int] | None:
        if self._times:
            self._times -= 1
            await asyncio.to_thread(self._broker.stop, kill=True)
            self._coming = asyncio.create_task(self.come_back())
        if not self._committed:
            ends = {TP(*tp): end async for tp, _, end in read_all(self._settings.kafka, [TopicPartition(*tp) for tp in partitions])}
            self.rebuilt = True
            return ends
        self.rebuilt = True
        return None

    async def come_back(self) -> None:
        """The broker, after a while; at once where it is there."""
        if not self._broker.running:
            await asyncio.sleep(5)
            await asyncio.to_thread(self._broker.start)

    def held_back(self, partitions: set[TP]) -> set[TP]:
        return set()

    async def start(self) -> None: ...

    async def run(self) -> None: ...

    async def stop(self) -> None: ...

    async def handle(self, batch: Batch) -> None:
        self.seen.add(batch.tp.partition)
        batch.acknowledge()


@pytest.mark.faults
@restarts
@pytest.mark.parametrize("committed", [False, True])
def test_a_broker_that_dies_while_the_state_is_rebuilt_is_waited_for(broker: ApacheKafka, tmp_path: Path, committed: bool) -> None:
    settings = settings_for(broker.bootstrap, "rebuilt", tmp_path)

    async def scenario() -> None:
        await init_topics(settings)
        work, metrics, failures = Interrupted(settings, broker, 2, committed), Metrics(), list[BaseException]()
        app = application(settings, "store", work, metrics, failures.append)
        await app.start()
        deadline = time.monotonic() + 60
        while len(work.seen) < 2 and not failures and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        crashed = app.crashed
        await work.come_back()
        await asyncio.wait_for(app.stop(), 20)
        assert failures == [] and work.rebuilt and work.seen == {0, 1} and not crashed
        if not committed:  # there the consumer of the group is itself patient
            assert metrics.value("interplay_kafka_retries_total", "rebuild") > 0

    asyncio.run(scenario())


@pytest.mark.faults
@restarts
def test_every_role_waits_for_a_broker_that_goes_away_before_it_joins(broker: ApacheKafka, tmp_path: Path) -> None:
    with LivePath(settings_for(broker.bootstrap, "before", tmp_path), tmp_path) as live:
        live.workers = [Worker(live.settings, role, tmp_path) for role in ROLES]
        until(
            lambda: all("/metrics and /health on" in worker.log.read_text() for worker in live.workers),
            "they are about to join",
            30,
        )
        broker.stop(kill=True)
        time.sleep(20)
        broker.start()
        live.write(live.records(EVENTS))
        live.await_findings(EVENTS, 90)
        live.await_rows(EVENTS)
        assert [worker.process.poll() for worker in live.workers] == [None] * 4


@pytest.mark.faults
@restarts
def test_every_role_waits_for_a_broker_that_dies_again_and_again_while_they_rejoin(broker: ApacheKafka, tmp_path: Path) -> None:
    with LivePath(settings_for(broker.bootstrap, "again", tmp_path), tmp_path) as live:
        workers = live.start(*ROLES)
        records = live.records(EVENTS)
        for number, pause in enumerate((0.2, 0.7, 1.5, 2.5)):
            live.write(records[number * len(records) // 4 : (number + 1) * len(records) // 4])
            broker.stop(kill=True)
            broker.start()
            time.sleep(pause)  # they are on their way back in
            broker.stop(kill=True)
            broker.start()
        live.await_findings(EVENTS, 90)
        live.await_rows(EVENTS)
        assert [worker.process.poll() for worker in workers] == [None] * 4


def test_topics_that_stay_missing_are_told_within_seconds(kafka_settings: Settings) -> None:
    """No reason to try again, whatever the attempt itself has met; but a broker that is coming up denies for a moment what it has."""

    async def attempt() -> None:
        raise KafkaConnectionError("the connection is closed")

    metrics = Metrics()
    began = time.monotonic()
    with pytest.raises(KafkaTrouble, match="run interplay init"):
        asyncio.run(Retry(kafka_settings, metrics).until_done("rebuild", attempt))
    assert CONFIRM_S < time.monotonic() - began < CONFIRM_S + 10


def test_topics_that_appear_are_waited_for(kafka_settings: Settings) -> None:
    attempts: list[float] = []

    async def attempt() -> bool:
        attempts.append(time.monotonic())
        if len(attempts) == 1:
            raise KafkaConnectionError("the connection is closed")
        return True

    async def scenario() -> None:
        trying = asyncio.create_task(Retry(kafka_settings, Metrics()).until_done("rebuild", attempt))
        await asyncio.sleep(2)
        assert len(attempts) == 1 and not trying.done()
        await init_topics(kafka_settings)
        assert await asyncio.wait_for(trying, 15)

    asyncio.run(scenario())


def test_an_error_that_repeating_cannot_help_is_not_repeated(kafka_settings: Settings) -> None:
    async def attempt() -> None:
        raise KafkaTrouble("the pinned map says otherwise")

    metrics = Metrics()
    with pytest.raises(KafkaTrouble, match="says otherwise"):
        asyncio.run(Retry(kafka_settings, metrics).until_done("rebuild", attempt))
    assert metrics.value("interplay_kafka_retries_total", "rebuild") == 0
