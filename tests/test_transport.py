"""The transport: the private names it rests on are there, and nothing is lost or committed early, on a real broker."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping

import aiokafka
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.consumer.subscription_state import TopicPartitionState
from faust.transport.consumer import Consumer as FaustConsumer
from faust.transport.consumer import ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.kafka_client import client_options, producer
from streams.metrics import Metrics
from streams.record import Record
from streams.roles.application import RoleApp, application
from streams.settings import Settings, topic
from streams.transport import Batch

PARTITIONS = 2


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (
            FaustConsumer,
            "_add_gap _new_offset _filter_tps_with_pending_acks _wait_next_records perform_seek getmany flow_active",
        ),
        (ThreadDelegateConsumer, "_getmany _new_consumer_thread assignment"),
        (driver.Consumer, "on_partitions_revoked verify_event_path"),
        (driver.AIOKafkaConsumerThread, "_create_worker_consumer _ensure_consumer _fetch_records call_thread on_start"),
        (Fetcher, "_proc_fetch_request"),
        (FetchResult, "has_more"),
        (PartitionRecords, "_consumer_record _unpack_records"),
        (TopicPartitionState, "has_valid_position position"),
        (aiokafka.AIOKafkaConsumer, "seek committed beginning_offsets"),
    ],
)
def test_the_private_names_are_there(owner: type, names: str) -> None:
    assert [name for name in names.split() if not hasattr(owner, name)] == []


def test_the_private_attributes_are_used_as_we_take_them() -> None:
    """Attributes made in constructors cannot be asked for on the class: the source must still speak of them."""
    for owner, names in [
        (FaustConsumer.__init__, "_committed_offset _read_offset"),
        (FaustConsumer._should_commit, "_committed_offset"),
        (aiokafka.AIOKafkaConsumer.__init__, "_fetch_max_wait_ms _request_timeout_ms _client"),
        (AIOKafkaClient.__init__, "_request_timeout_ms"),
        (AIOKafkaClient._get_conn, "_request_timeout_ms"),
        (aiokafka.AIOKafkaConsumer.start, "_fetch_max_wait_ms _fetcher"),
        (Fetcher._proc_fetch_request, "highwater timestamp request.topics self._records[tp] = FetchResult("),
        (FetchResult.__init__, "_partition_records"),
        (PartitionRecords._unpack_records, "self._consumer_record(tp, record)"),
    ]:
        source = inspect.getsource(owner)
        assert [name for name in names.split() if name not in source] == []


class Recorder:
    """A role that keeps what it is handed."""

    def __init__(self, name: str, starts: Callable[[set[TP]], Awaitable[Mapping[TP, int] | None]]) -> None:
        self.topics = (name,)
        self.assigned = starts
        self.seen: dict[int, list[int]] = {n: [] for n in range(PARTITIONS)}
        self.ended: dict[int, tuple[int, int]] = {}
        self.held: set[int] = set()
        self.refuse_from: int | None = None

    def held_back(self, partitions: set[TP]) -> set[TP]:
        return {tp for tp in partitions if tp.partition in self.held}

    async def start(self) -> None: ...

    async def run(self) -> None: ...

    async def stop(self) -> None: ...

    async def handle(self, batch: Batch) -> None:
        assert batch.tp.topic == self.topics[0]
        assert all(type(record) is Record and record.topic == self.topics[0] for record in batch.records)
        offsets = [record.offset for record in batch.records]
        if batch.ended_ns is not None:
            assert not offsets
            self.ended[batch.tp.partition] = (batch.next, batch.ended_ns)
        self.seen[batch.tp.partition] += offsets
        if self.refuse_from is None or batch.next <= self.refuse_from:
            batch.acknowledge()


async def at_the_committed(partitions: set[TP]) -> None:
    return None


async def make_topic(settings: Settings) -> str:
    name = topic(settings, "numbers")
    admin = AIOKafkaAdminClient(**client_options(settings.kafka))
    await admin.start()
    await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    await admin.close()
    return name


async def fill(settings: Settings, name: str, count: int) -> None:
    async with producer(settings) as client:
        for number in range(PARTITIONS):
            for _ in range(0, count, 100):
                batch = client.create_batch()
                for value in range(100):
                    assert batch.append(key=None, value=b"%d" % value, timestamp=None)
                batch.close()
                await (await client.send_batch(batch, name, partition=number))


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    for _ in range(int(seconds * 50)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come true in time")


async def run(settings: Settings, work: Recorder, body: Callable[[RoleApp], Awaitable[None]]) -> None:
    failures: list[BaseException] = []
    app = application(settings, "store", work, Metrics(), failures.append)
    await app.start()
    try:
        await body(app)
    finally:
        await app.stop()
    assert failures == []


@pytest.mark.kafka
def test_everything_arrives_in_order_and_the_end_is_told(kafka_settings: Settings) -> None:
    async def scenario() -> None:
        name = await make_topic(kafka_settings)
        await fill(kafka_settings, name, 1000)
        work = Recorder(name, at_the_committed)

        async def body(app: RoleApp) -> None:
            await until(lambda: all(work.ended.get(n, (0, 0))[0] == 1000 for n in range(PARTITIONS)))
            assert work.seen == {n: list(range(1000)) for n in range(PARTITIONS)}
            first = work.ended[0][1]
            await until(lambda: work.ended[0][1] > first)  # it goes on being told, of later moments
            await fill(kafka_settings, name, 100)
            await until(lambda: all(len(work.seen[n]) == 1100 for n in range(PARTITIONS)))

        await run(kafka_settings, work, body)

    asyncio.run(scenario())


@pytest.mark.kafka
def test_what_is_not_acknowledged_is_read_again_and_the_rest_is_not(kafka_settings: Settings) -> None:
    async def scenario() -> None:
        name = await make_topic(kafka_settings)
        await fill(kafka_settings, name, 300)
        work = Recorder(name, at_the_committed)

        async def first(app: RoleApp) -> None:
            await until(lambda: all(len(work.seen[n]) == 300 for n in range(PARTITIONS)))
            work.refuse_from = 300
            await fill(kafka_settings, name, 200)
            await until(lambda: all(len(work.seen[n]) == 500 for n in range(PARTITIONS)))
            work.refuse_from = None
            await fill(kafka_settings, name, 100)  # acknowledged, but not contiguous with what was
            await until(lambda: all(len(work.seen[n]) == 600 for n in range(PARTITIONS)))

        await run(kafka_settings, work, first)
        again = Recorder(name, at_the_committed)

        async def second(app: RoleApp) -> None:
            await until(lambda: all(again.seen[n][-1:] == [599] for n in range(PARTITIONS)))

        await run(kafka_settings, again, second)
        assert again.seen == {n: list(range(300, 600)) for n in range(PARTITIONS)}

    asyncio.run(scenario())


@pytest.mark.kafka
def test_reading_starts_where_the_role_says_and_not_where_it_holds_back(kafka_settings: Settings) -> None:
    async def scenario() -> None:
        name = await make_topic(kafka_settings)
        await fill(kafka_settings, name, 300)

        async def starts(partitions: set[TP]) -> Mapping[TP, int]:
            return {tp: 250 if tp.partition else 0 for tp in partitions}

        work = Recorder(name, starts)
        work.held = {0}

        async def body(app: RoleApp) -> None:
            await until(lambda: len(work.seen[1]) == 50)
            assert work.seen == {0: [], 1: list(range(250, 300))}
            work.held = set()
            await until(lambda: len(work.seen[0]) == 300)

        await run(kafka_settings, work, body)

    asyncio.run(scenario())


@pytest.mark.kafka
def test_committed_offsets_never_pass_what_is_acknowledged(kafka_settings: Settings) -> None:
    async def scenario() -> None:
        name = await make_topic(kafka_settings)
        await fill(kafka_settings, name, 300)
        work = Recorder(name, at_the_committed)
        work.refuse_from = 0

        async def body(app: RoleApp) -> None:
            await until(lambda: all(len(work.seen[n]) == 300 for n in range(PARTITIONS)))
            await asyncio.sleep(1.2)  # two commit intervals

        await run(kafka_settings, work, body)
        admin = AIOKafkaAdminClient(**client_options(kafka_settings.kafka))
        await admin.start()
        committed = await admin.list_consumer_group_offsets(topic(kafka_settings, "store"), partitions=[TopicPartition(name, 0)])
        await admin.close()
        assert all(meta.offset <= 0 for meta in committed.values())

    asyncio.run(scenario())
