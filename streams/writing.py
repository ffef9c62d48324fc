"""Writes records to chosen partitions in whole batches: a `send` for each record costs some 20 us, a place in a batch 2.

A write returns when everything is acknowledged. What fails is repeated, from the first record of the partition that failed on, so that a
partition never ends with an older revision than it was given; it goes on for as long as the caller still owns what it writes about.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from streams.kafka_client import explain
from streams.metrics import Metrics
from streams.settings import Kafka

Header = tuple[str, bytes]
Outgoing = tuple[int, bytes | None, bytes | None, list[Header]]  # partition, key, value, headers

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 3.0

log = logging.getLogger(__name__)


@lru_cache(maxsize=4096)
def partition_of(key: bytes, partitions: int) -> int:
    """Where Kafka's default partitioner puts a key. Remembered, since there are few domains and the hash is written in Python."""
    hashed: int = murmur2(key)
    return (hashed & 0x7FFFFFFF) % partitions


class TopicWriter:
    """Writes to one topic."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, kafka: Kafka, metrics: Metrics) -> None:
        self.topic = topic
        self._producer = producer
        self._kafka = kafka
        self._metrics = metrics

    async def write(self, records: Iterable[Outgoing], current: Callable[[], bool]) -> bool:
        """True when all are acknowledged; false where `current` said no before. Raises KafkaError where repeating cannot help."""
        waiting: dict[int, list[Outgoing]] = {}
        for record in records:
            waiting.setdefault(record[0], []).append(record)
        pause = FIRST_PAUSE_S
        while waiting:
            if not current():
                return False
            trouble = await self._attempt(waiting)
            if trouble is None:
                continue
            if not trouble.retriable and not isinstance(trouble, KafkaTimeoutError):  # which aiokafka does not count as retriable
                raise trouble
            if pause == FIRST_PAUSE_S:
                log.warning("writing to %s: %s; trying on", self.topic, explain(trouble, self._kafka))
            self._metrics.add("interplay_write_retries_total", 1, self.topic)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
        return True

    async def _attempt(self, waiting: dict[int, list[Outgoing]]) -> KafkaError | None:
        """Sends all; leaves in `waiting` what has to be sent again. Answers one of the errors."""
        outcomes = await asyncio.gather(*(self._send(partition, records) for partition, records in waiting.items()))
        trouble = None
        for partition, (acknowledged, error) in zip(list(waiting), outcomes, strict=True):
            trouble = error or trouble
            self._metrics.add("interplay_produced_total", acknowledged, self.topic)
            waiting[partition] = waiting[partition][acknowledged:]
            if not waiting[partition]:
                del waiting[partition]
        return trouble

    async def _send(self, partition: int, records: list[Outgoing]) -> tuple[int, KafkaError | None]:
        """Sends the records of one partition; answers how many of them, from the first on, are acknowledged, and what went wrong.

        A batch waits for the one before it: where that fails, nothing behind it is there.
        """
        acknowledged = 0
        try:
            for count, batch in self._batches(records):
                await (await self._producer.send_batch(batch, self.topic, partition=partition))
                acknowledged += count
        except KafkaError as error:
            return acknowledged, error
        return acknowledged, None

    def _batches(self, records: list[Outgoing]) -> Iterator[tuple[int, BatchBuilder]]:
        builder, count = self._producer.create_batch(), 0
        for _, key, value, headers in records:
            if builder.append(key=key, value=value, timestamp=None, headers=headers) is None:  # full
                yield count, builder
                builder, count = self._producer.create_batch(), 0
                builder.append(key=key, value=value, timestamp=None, headers=headers)
            count += 1
        if count:
            builder.close()
            yield count, builder
