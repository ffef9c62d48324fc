"""Writing in batches: order, acknowledgement, repetition from the first record that failed, and an end when it is no longer ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError
from aiokafka.partitioner import DefaultPartitioner

from streams.kafka_client import BATCH_BYTES, producer, read_all
from streams.metrics import Metrics
from streams.settings import Settings, topic
from streams.topics import init_topics
from streams.writing import Outgoing, TopicWriter, partition_of

Send = Callable[..., Awaitable[object]]


def test_keys_go_where_kafkas_own_partitioner_puts_them() -> None:
    partitioner = DefaultPartitioner()
    for count in (1, 2, 4, 7):
        for key in (b"default", b"prod-eu", "ü".encode(), b"x" * 300):
            assert partition_of(key, count) == partitioner(key, list(range(count)), list(range(count)))


async def write(settings: Settings, records: list[Outgoing], disturb: Callable[[AIOKafkaProducer], None]) -> dict[int, list[bytes]]:
    await init_topics(settings)
    name, metrics = topic(settings, "signals"), Metrics()
    async with producer(settings) as client:
        disturb(client)
        assert await TopicWriter(client, name, settings.kafka, metrics).write(records, lambda: True)
    assert metrics.value("interplay_produced_total", name) == len(records)
    found: dict[int, list[bytes]] = {}
    async for tp, batch, _ in read_all(settings.kafka, [TopicPartition(name, 0), TopicPartition(name, 1)]):
        found.setdefault(tp.partition, []).extend(record.value for record in batch)
    return found


@pytest.mark.kafka
def test_records_arrive_in_order_also_where_they_fill_many_batches(kafka_settings: Settings) -> None:
    size = BATCH_BYTES // 10
    records = [(n % 2, b"k", b"%d " % n + b"x" * size, []) for n in range(100)]
    records.append((0, None, b"large" + b"x" * (2 * BATCH_BYTES), [("h", b"v")]))  # more than a batch holds
    found = asyncio.run(write(kafka_settings, records, lambda client: None))
    assert found == {n: [value for place, _, value, _ in records if place == n] for n in (0, 1)}


@pytest.mark.kafka
def test_what_follows_a_failure_waits_for_it_so_that_a_tick_never_comes_before_its_events(kafka_settings: Settings) -> None:
    def second_batch_fails(client: AIOKafkaProducer) -> None:
        send, calls = client.send_batch, []

        async def failing(batch: object, name: str, *, partition: int) -> object:
            calls.append(partition)
            if len(calls) == 2:
                future = asyncio.get_running_loop().create_future()
                future.set_exception(KafkaTimeoutError())
                return future
            return await send(batch, name, partition=partition)

        client.send_batch = failing

    records: list[Outgoing] = [(0, b"k", b"%d " % n + b"x" * (BATCH_BYTES // 2), []) for n in range(4)]
    found = asyncio.run(write(kafka_settings, records, second_batch_fails))
    assert [int(value.split()[0]) for value in found[0]] == [0, 1, 2, 3]


@pytest.mark.kafka
def test_it_stops_when_the_partition_is_no_longer_ours_and_tells_what_cannot_be_helped(kafka_settings: Settings) -> None:
    async def scenario() -> None:
        await init_topics(kafka_settings)
        async with producer(kafka_settings) as client:
            writer = TopicWriter(client, topic(kafka_settings, "signals"), kafka_settings.kafka, Metrics())
            assert not await writer.write([(0, None, b"x", [])], lambda: False)

            async def refusing(*args: object, **kwargs: object) -> object:
                raise MessageSizeTooLargeError

            client.send_batch = refusing
            with pytest.raises(MessageSizeTooLargeError):
                await writer.write([(0, None, b"x", [])], lambda: True)

    asyncio.run(scenario())
