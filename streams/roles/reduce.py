"""Reduce: records of the source topics in, events in order and ticks out. One `Reducer` for each source partition.

What is written, in this order: dead letters; to each signals partition its events (keyed by domain) and behind them the tick;
progress. A tick speaks of the events of its own signals partition, and `TopicWriter` writes each partition in order: so it goes
with them, and never promises what is not there. Only when all sends of one step are acknowledged does the next begin. While they
are awaited the next batch is taken in already.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from functools import partial

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from faust.types import TP

from models.events import Event, Tick, encode_signal
from models.reduction import ReduceProgress, Reducer, decode_reduce_progress, encode_reduce_progress
from streams.kafka_client import check_within, log_bounds, producer, read_all, started
from streams.metrics import Metrics
from streams.roles.idle_ticks import IdleTicks
from streams.roles.in_turn import InTurn
from streams.roles.measures import measure_watermark
from streams.roles.pace import AHEAD_LIMIT, MODE, Pace
from streams.roles.partition import SourcePartition, opened
from streams.settings import Settings, source_topics, topic
from streams.topics import PinnedMap, checked_map, partition_name
from streams.transport import Batch
from streams.writing import Outgoing, TopicWriter, partition_of

SLICE = 500  # records that are taken in before others have their turn: some milliseconds


class Reduce:
    """See the module."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.topics = source_topics(settings)
        self._settings = settings
        self._metrics = metrics
        self._partitions: dict[TP, SourcePartition] = {}
        self._saved: dict[TP, tuple[int, ReduceProgress]] = {}  # when (ns, monotonic), and what
        self._pace = Pace(settings, metrics)
        self._idle = IdleTicks()
        self._map: PinnedMap
        self._writes: InTurn
        self._producer: AIOKafkaProducer

    async def start(self) -> None:
        """Connects. Raises KafkaTrouble where the topics are not as `interplay init` leaves them."""
        self._map = await checked_map(self._settings)
        self._pace.pin(self._map.partitions())
        self._writes = InTurn()
        self._producer = await started(producer(self._settings))
        kafka = self._settings.kafka
        self._signals, self._letters, self._progress = (
            TopicWriter(self._producer, topic(self._settings, name), kafka, self._metrics)
            for name in ("signals", "dead-letters", "reduce-progress")
        )

    async def run(self) -> None:
        """Follows the pace of other workers."""
        await asyncio.gather(self._pace.follow(), self._writes.run())

    async def assigned(self, partitions: set[TP]) -> Mapping[TP, int]:
        """Makes a reducer for each partition, where its last one stood."""
        known: dict[str, ReduceProgress] = {}
        async for _, records, _ in read_all(self._settings.kafka, [TopicPartition(self._progress.topic, 0)]):
            for record in records:
                progress = decode_reduce_progress(record.value)
                if progress.partition not in known or progress.offset >= known[progress.partition].offset:
                    known[progress.partition] = progress
        self._saved.clear()
        self._idle.forget()
        self._partitions = {
            tp: opened(tp, self._settings, self._metrics, known.get(partition_name(tp.topic, tp.partition))) for tp in partitions
        }
        for atp, (_, end) in (await log_bounds(self._settings.kafka, [TopicPartition(*tp) for tp in partitions])).items():
            check_within(atp, self._partitions[TP(*atp)].reducer.resume_offset, end, self._progress.topic)
        self._pace.own(set(partitions))
        return {tp: partition.reducer.resume_offset for tp, partition in self._partitions.items()}

    waiting = False

    def held_back(self, partitions: set[TP]) -> set[TP]:
        """Those far ahead in event time wait for the slowest."""
        held = self._pace.held_back(partitions)
        self._metrics.set("interplay_held_back_partitions", len(held))
        return held

    async def handle(self, batch: Batch) -> None:
        """One batch, to its tick."""
        partition, at_end, letters = self._partitions[batch.tp], batch.ended_ns is not None, list[Outgoing]()
        for first in range(0, len(batch.records), SLICE):
            for record in batch.records[first : first + SLICE]:
                letters += partition.take_in(record)
            await asyncio.sleep(0)  # what is being written goes on
            if not batch.current:
                return
        reducer = partition.reducer
        release = reducer.release(batch.ended_ns or time.time_ns(), at_end)
        letters += partition.letters(release.refused)
        self._pace.told(batch.tp, reducer.watermark, at_end)
        self._measure(batch.tp, reducer)
        partition.measure()
        tick = self._idle.due(batch.tp, release.tick, not batch.records and not release.events)
        signals = list(self._addressed(release.events))
        await self._writes.put(batch.tp, partial(self._write, batch, letters, signals, tick, reducer.progress()))

    async def _write(
        self, batch: Batch, letters: list[Outgoing], signals: list[Outgoing], tick: Tick | None, progress: ReduceProgress
    ) -> None:
        def current() -> bool:
            return batch.current

        if (
            await self._letters.write(letters, current)
            and await self._signals.write([*signals, *self._ticks(tick)], current)
            and await self._save(batch, progress)
        ):
            batch.acknowledge()

    def _addressed(self, events: list[Event]) -> Iterator[Outgoing]:
        for event in events:
            domain = event.domain.encode()
            yield partition_of(domain, self._map.signals), domain, encode_signal(event), []  # type: ignore[arg-type]

    def _ticks(self, tick: Tick | None) -> Iterator[Outgoing]:
        if tick is not None:
            value = encode_signal(msgspec.structs.replace(tick, map_version=self._map.version))
            for number in range(self._map.signals):
                yield number, tick.partition.encode(), value, []

    async def _save(self, batch: Batch, progress: ReduceProgress) -> bool:
        """Writes progress when it is due: after a while, or after a stretch of event time that others may wait for."""
        now = time.monotonic_ns()
        saved_at, saved = self._saved.get(batch.tp, (0, None))
        hurry = saved is None or progress.watermark > saved.watermark + AHEAD_LIMIT // 4
        if progress == saved or (now < saved_at + self._settings.worker.progress_interval and not hurry):
            return True
        mode = b"data" if batch.ended_ns is None else b"clock"
        record = (0, progress.partition.encode(), encode_reduce_progress(progress), [(MODE, mode)])
        if not await self._progress.write([record], lambda: batch.current):
            return False
        if batch.current:
            self._saved[batch.tp] = (now, progress)
        return True

    def _measure(self, tp: TP, reducer: Reducer) -> None:
        labels = (tp.topic, str(tp.partition))
        put = self._metrics.set
        put("interplay_late_total", reducer.late, *labels)
        put("interplay_duplicates_total", reducer.duplicates, *labels)
        put("interplay_samples_total", reducer.samples, *labels)
        put("interplay_pending_events", reducer.pending, *labels)
        put("interplay_dropped_total", reducer.shed, *labels, "series")
        measure_watermark(self._metrics, tp, reducer.watermark)

    async def stop(self) -> None:
        """Ends the connections."""
        await self._writes.stop()
        await self._producer.stop()
