"""Analyze: signals in, findings out. One `Stage` for each signals partition, rebuilt at every assignment from what the topics hold.

What is written, in this order: findings, facts, progress, then tombstones of findings that ended long ago; Kafka's offsets follow. Facts,
findings and progress go to the partition number of their signals partition.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from faust.types import TP

from models.events import Event, Tick, decode_signal, encode_signal, key
from models.findings import Change, Finding, decode_finding, encode_finding
from models.recovery import Progress, Stage, decode_progress, encode_progress
from models.remarks import KINDS
from streams.kafka_client import KafkaTrouble, check_within, log_bounds, producer, read_all, started
from streams.metrics import Metrics
from streams.record import Record
from streams.roles.in_turn import InTurn
from streams.roles.measures import measure_watermark
from streams.settings import Settings, topic
from streams.topics import PinnedMap, checked_map
from streams.transport import Batch
from streams.writing import Outgoing, TopicWriter

SLICE = 500  # records that are analysed before others have their turn: some 10 ms

Step = tuple[TopicWriter, list[Outgoing], list[str]]  # where to, what, and the verbs of the findings among it

log = logging.getLogger(__name__)


class Remembered:
    """What the topics hold of one signals partition: each finding at its highest revision, the last facts, the furthest progress."""

    def __init__(self) -> None:
        self.findings: dict[str, Finding] = {}
        self.facts: dict[str, Event] = {}
        self.progress: Progress | None = None

    def take_finding(self, name: str, value: bytes | None) -> None:
        """One record of the findings topic."""
        if value is None:
            self.findings.pop(name, None)
            return
        finding = decode_finding(value)
        if name not in self.findings or self.findings[name].revision < finding.revision:
            self.findings[name] = finding

    def take_fact(self, name: str, value: bytes | None) -> None:
        """One record of the facts topic."""
        if value is None:
            self.facts.pop(name, None)
            return
        fact = decode_signal(value)
        assert isinstance(fact, Event)
        if name not in self.facts or key(self.facts[name]) <= key(fact):  # an old owner may have written after a new one
            self.facts[name] = fact

    def take_progress(self, name: str, value: bytes | None) -> None:
        """One record of the progress topic. An old owner may have written after a new one: the furthest counts."""
        if value is not None:
            progress = decode_progress(value)
            if self.progress is None or self.progress.next <= progress.next:
                self.progress = progress


class Analyze:
    """See the module."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.topics = (topic(settings, "signals"),)
        self._settings = settings
        self._metrics = metrics
        self._stages: dict[TP, Stage] = {}
        self._saved: dict[TP, tuple[int, int]] = {}  # when progress was written (ns, monotonic), and its `next`
        self._map: PinnedMap
        self._writes: InTurn
        self._producer: AIOKafkaProducer

    async def start(self) -> None:
        """Connects. Raises KafkaTrouble where the topics are not those of the pinned map."""
        self._map = await checked_map(self._settings)
        self._writes = InTurn()
        self._producer = await started(producer(self._settings))
        self._findings, self._facts, self._progress = (
            TopicWriter(self._producer, topic(self._settings, name), self._settings.kafka, self._metrics)
            for name in ("findings", "facts", "progress")
        )

    async def run(self) -> None:
        """Nothing besides; an error of a write ends it."""
        await self._writes.run()

    async def assigned(self, partitions: set[TP]) -> Mapping[TP, int]:
        """Rebuilds a stage for each partition; answers the offsets of their checkpoints."""
        began = time.monotonic()
        remembered = await self._remember(partitions)
        bounds = await log_bounds(self._settings.kafka, [TopicPartition(*tp) for tp in partitions])
        self._stages.clear()
        self._saved.clear()
        for tp in partitions:
            held = remembered[tp.partition]
            stage = Stage(
                self._settings.analysis, self._map.partitions(), held.findings.values(), held.facts.items(), held.progress
            )
            begin, end = bounds[TopicPartition(*tp)]
            check_within(TopicPartition(*tp), stage.next, end, self._progress.topic)
            if held.progress is not None:
                stage.begin_at(begin)
            self._stages[tp] = stage
            self._tell(tp, stage)
        self._metrics.set("interplay_recovery_seconds", time.monotonic() - began)
        return {tp: stage.start for tp, stage in self._stages.items()}

    async def _remember(self, partitions: set[TP]) -> dict[int, Remembered]:
        found = {tp.partition: Remembered() for tp in partitions}
        takers: dict[str, Callable[[Remembered], Callable[[str, bytes | None], None]]] = {
            self._findings.topic: lambda held: held.take_finding,
            self._facts.topic: lambda held: held.take_fact,
            self._progress.topic: lambda held: held.take_progress,
        }
        wanted = [TopicPartition(name, number) for name in takers for number in found]
        if wanted:
            async for tp, records, _ in read_all(self._settings.kafka, wanted):
                take = takers[tp.topic](found[tp.partition])
                for record in records:
                    take(record.key.decode(), record.value)
        return found

    def _tell(self, tp: TP, stage: Stage) -> None:
        if stage.degraded:
            log.warning(
                "%s/%s: the log no longer reaches back to the checkpoint: findings may miss what was before; raise topics.retention",
                *tp,
            )
        if stage.config_changed:
            log.warning("%s/%s: another configuration or version than before: findings may differ from here on", *tp)
        self._metrics.set("interplay_degraded", stage.degraded, tp.topic, str(tp.partition))

    waiting = False

    def held_back(self, partitions: set[TP]) -> set[TP]:
        """None: what is ahead waits in the timeline."""
        return set()

    async def handle(self, batch: Batch) -> None:
        """One batch of signals."""
        stage, steps, changes = self._stages[batch.tp], list[Step](), list[Change]()
        for count, record in enumerate(batch.records, 1):
            changes += self._feed(stage, record)
            if stage.progress_due and not stage.refilling:
                steps += self._told(batch, changes) + self._saved_state(batch, stage)
                changes = []
            if count % SLICE == 0:
                await asyncio.sleep(0)  # what is being written goes on
                if not batch.current:
                    return
        steps += self._told(batch, changes)
        at, offset = self._saved.get(batch.tp, (0, stage.start))
        due = time.monotonic_ns() > at + self._settings.worker.progress_interval
        if due and stage.next != offset and not stage.refilling:
            steps += self._saved_state(batch, stage)
        self._measure(batch.tp, stage)
        await self._writes.put(batch.tp, partial(self._write, batch, steps))

    async def _write(self, batch: Batch, steps: list[Step]) -> None:
        """Step by step, and each only when all of the one before is acknowledged."""
        for writer, records, verbs in steps:
            if not await writer.write(records, lambda: batch.current):
                return
            for verb in verbs:
                self._metrics.add("interplay_findings_total", 1, verb)
        if batch.current:
            batch.acknowledge()

    def _feed(self, stage: Stage, record: Record) -> list[Change]:
        try:
            signal = decode_signal(record.value or b"")
        except msgspec.MsgspecError as error:  # not ours, or of a newer version: it must not stop the partition for ever
            self._metrics.add("interplay_undecodable_total", 1, record.topic)
            log.warning(
                "%s/%s offset %s is no signal and was passed over: %s", record.topic, record.partition, record.offset, error
            )
            return []
        try:
            return stage.feed(record.offset, signal)
        except KeyError:
            assert isinstance(signal, Tick)
            if signal.map_version < self._map.version:
                return []  # of a partition that has been given up since
            raise KafkaTrouble(
                f"{record.topic}/{record.partition} tells of {signal.partition}, which is not in the pinned map: "
                "another worker reads other topics; run interplay init, and restart all workers"
            ) from None

    def _told(self, batch: Batch, changes: list[Change]) -> list[Step]:
        """Findings, to be written."""
        number = batch.tp.partition
        records: list[Outgoing] = [(number, c.finding.finding_id.encode(), encode_finding(c.finding), []) for c in changes]
        return [(self._findings, records, [change.verb for change in changes])] if records else []

    def _saved_state(self, batch: Batch, stage: Stage) -> list[Step]:
        """Facts, progress and tombstones as they are now, to be written behind the findings."""
        number = batch.tp.partition
        facts: list[Outgoing] = [
            (number, name.encode(), None if fact is None else encode_signal(fact), [])  # type: ignore[arg-type]
            for name, fact in stage.take_facts()
        ]
        progress = stage.progress()
        tombstones: list[Outgoing] = [(number, name.encode(), None, []) for name in stage.take_tombstones()]
        self._saved[batch.tp] = (time.monotonic_ns(), progress.next)
        return [
            (self._facts, facts, []),
            (self._progress, [(number, str(number).encode(), encode_progress(progress), [])], []),
            (self._findings, tombstones, []),
        ]

    def _measure(self, tp: TP, stage: Stage) -> None:
        labels, counters, put = (tp.topic, str(tp.partition)), stage.counters, self._metrics.set
        put("interplay_open_findings", counters["open"], *labels)
        put("interplay_pending_events", counters["pending"], *labels)
        put("interplay_late_total", counters["late"] + counters["below"], *labels)
        put("interplay_duplicates_total", counters.get("duplicates", 0), *labels)
        for what in ("shed", "facts_shed", "episodes_shed", "cycles", "unrepaired"):
            put("interplay_dropped_total", counters.get(what, 0), *labels, what)
        for kind in KINDS:
            put("interplay_remarks_total", counters.get(kind, 0), *labels, kind)
        put("interplay_refilling", stage.refilling, *labels)
        measure_watermark(self._metrics, tp, stage.watermark)

    async def stop(self) -> None:
        """Ends the connections."""
        await self._writes.stop()
        await self._producer.stop()
