"""Looks into topics without a consumer group: the newest records, the ends, the group offsets.

Ends are the high-water marks of fetches: the embedded broker's list of offsets answers with the beginning of the last batch.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

POLL_MS = 100
POLL_RECORDS = 5000


class MissingTopic(Exception):
    """A topic is not there. The text says what to do."""


class Log:
    """The broker's topics, to look into. Both clients are started."""

    def __init__(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> None:
        self._consumer = consumer
        self._admin = admin
        self._counts: dict[str, int] = {}
        self._ends: dict[TopicPartition, int] = {}

    async def look(self) -> None:
        """Learns which topics there are."""
        self._counts = {topic["topic"]: len(topic["partitions"]) for topic in await self._admin.describe_topics()}

    def partitions(self, name: str) -> list[TopicPartition]:
        """All partitions of a topic. Raises MissingTopic."""
        if name not in self._counts:
            raise MissingTopic(f"the topic {name} does not exist; run interplay init.")
        return [TopicPartition(name, number) for number in range(self._counts[name])]

    async def tail(self, names: Sequence[str], length: int | None) -> AsyncIterator[ConsumerRecord]:
        """The newest `length` records of each partition (None: all), up to the end as it is now."""
        partitions = [tp for name in names for tp in self.partitions(name)]
        starts = await self._consumer.beginning_offsets(partitions)
        if length is not None:
            ends = await self._consumer.end_offsets(partitions)
            starts = {tp: max(starts[tp], ends[tp] - length) for tp in partitions}
        async for record in self._read(starts):
            yield record

    async def ends(self, names: Sequence[str]) -> dict[TopicPartition, int]:
        """The offset that the next record of each partition had when this was first asked."""
        partitions = [tp for name in names for tp in self.partitions(name)]
        unknown = [tp for tp in partitions if tp not in self._ends]
        if unknown:
            async for _ in self._read(await self._consumer.end_offsets(unknown)):
                pass
            self._ends |= {tp: self._consumer.highwater(tp) or 0 for tp in unknown}
        return {tp: self._ends[tp] for tp in partitions}

    async def begins(self, names: Sequence[str]) -> dict[TopicPartition, int]:
        """The oldest offset that each partition still has."""
        begins: dict[TopicPartition, int] = await self._consumer.beginning_offsets(
            [tp for name in names for tp in self.partitions(name)]
        )
        return begins

    async def since(self, name: str, instant_ms: int) -> int:
        """How many records were appended to a topic at `instant_ms` or later."""
        partitions, ends = self.partitions(name), await self.ends([name])
        found = await self._consumer.offsets_for_times(dict.fromkeys(partitions, instant_ms))
        return sum(ends[tp] - at.offset for tp, at in found.items() if at is not None)

    async def first_at(self, offsets: dict[TopicPartition, int]) -> list[ConsumerRecord]:
        """The first record at or after each offset, where there is one."""
        first: dict[TopicPartition, ConsumerRecord] = {}
        async for record in self._read(offsets, one=True):
            first.setdefault(TopicPartition(record.topic, record.partition), record)
        return list(first.values())

    async def committed(self, group: str, names: Sequence[str]) -> dict[TopicPartition, int]:
        """What a consumer group has committed for topics; partitions without a commit are left out."""
        partitions = [tp for name in names for tp in self.partitions(name)]  # asked for all, the embedded broker hangs up
        found = await self._admin.list_consumer_group_offsets(group, partitions=partitions)
        return {tp: meta.offset for tp, meta in found.items() if meta.offset >= 0}

    async def members(self, group: str) -> int | None:
        """How many workers are in a group; None where the broker does not tell."""
        try:
            (response,) = await self._admin.describe_consumer_groups([group])
        except (KafkaError, ValueError, IndexError):
            return None
        described = response.to_object()["groups"]
        return len(described[0]["members"]) if described and not described[0]["error_code"] else None

    async def _read(self, starts: dict[TopicPartition, int], one: bool = False) -> AsyncIterator[ConsumerRecord]:
        consumer = self._consumer
        consumer.assign(list(starts))
        for tp, offset in starts.items():
            consumer.seek(tp, offset)
        waiting, targets = set(starts), dict[TopicPartition, int]()
        while waiting:
            batches = await consumer.getmany(*waiting, timeout_ms=POLL_MS, max_records=POLL_RECORDS)
            for tp, records in batches.items():
                for record in records:
                    yield record
                if one and records:
                    waiting.discard(tp)
            for tp in list(waiting):
                end = consumer.highwater(tp)
                if end is not None and await consumer.position(tp) >= targets.setdefault(tp, end):
                    waiting.discard(tp)
