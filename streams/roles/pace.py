"""Keeps the source partitions together in event time while a backlog is read: none runs more than ten minutes ahead of the slowest.

What runs ahead waits in analyze's memory for what lies behind. The slowest is known of our own partitions from their reducers, of
others' from the progress they write; a partition at its end holds nobody up.
"""

from __future__ import annotations

import contextlib

from aiokafka import TopicPartition
from faust.types import TP

from models.instants import MINUTE
from models.reduction import decode_reduce_progress
from models.stream_time import BEFORE_ALL
from streams.kafka_client import reading
from streams.metrics import Metrics
from streams.retry import Retry
from streams.settings import Settings, topic
from streams.topics import partition_name

AHEAD_LIMIT = 10 * MINUTE
MODE = "mode"  # header of a progress record
AT_END = (b"clock", b"silent", b"empty")


class Pace:
    """Watermarks of all source partitions, and who has to wait for whom."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._retry = Retry(settings, metrics)
        self._mine: dict[TP, tuple[int, bool]] = {}  # watermark (ns), whether there is a backlog
        self._others: dict[str, tuple[int, bool]] = {}
        self._pinned: frozenset[str] = frozenset()

    def pin(self, partitions: tuple[str, ...]) -> None:
        """The source partitions there are: one that has been given up is not waited for."""
        self._pinned = frozenset(partitions)

    def own(self, partitions: set[TP]) -> None:
        """These are ours from now on, and nothing is known of them yet."""
        self._mine = dict.fromkeys(partitions, (BEFORE_ALL, True))

    def told(self, tp: TP, watermark: int, at_end: bool) -> None:
        """One of ours has moved."""
        self._mine[tp] = (watermark, not at_end)

    def held_back(self, partitions: set[TP]) -> set[TP]:
        """Those of `partitions` that are too far ahead of the slowest."""
        mine = {partition_name(tp.topic, tp.partition): state for tp, state in self._mine.items()}
        others = {name: state for name, state in self._others.items() if name in self._pinned}
        waited_for = [watermark for watermark, backlog in (others | mine).values() if backlog]
        if not waited_for:
            return set()
        limit = min(waited_for) + AHEAD_LIMIT
        return {tp for tp in partitions if self._mine.get(tp, (BEFORE_ALL, True))[0] > limit}

    async def follow(self) -> None:
        """Reads what other workers write, until it is cancelled."""
        async with contextlib.AsyncExitStack() as stack:
            source = [TopicPartition(topic(self._settings, "reduce-progress"), 0)]
            consumer = await self._retry.until_done(
                "follow", lambda: stack.enter_async_context(reading(self._settings.kafka, source))
            )
            async for record in consumer:
                progress = decode_reduce_progress(record.value)
                at_end = dict(record.headers).get(MODE) in AT_END
                self._others[progress.partition] = (progress.watermark, not at_end)
