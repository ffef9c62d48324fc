"""Alert: findings in, on-call told. One `Notifier` for each findings partition; what it knows, the partition itself holds."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping

from aiokafka import TopicPartition
from faust.types import TP

from models.findings import Finding, decode_finding
from streams.alerts import configured_targets
from streams.alerts.notifier import Notifier
from streams.kafka_client import MILLISECOND, read_all
from streams.metrics import Metrics
from streams.settings import Settings, topic
from streams.topics import checked_map
from streams.transport import Batch

TICK_S = 0.5

log = logging.getLogger(__name__)


class Unsettled:
    """A batch whose findings have not all reached the targets."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.revisions: dict[str, int] = {}

    def settled(self, notifier: Notifier) -> bool:
        """Whether every target has answered to all of them, or nothing of them is to be sent."""
        return all(notifier.settled(name, revision) for name, revision in self.revisions.items())


class Alert:
    """See the module."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.topics = (topic(settings, "findings"),)
        self._settings = settings
        self._metrics = metrics
        self._targets = configured_targets(settings.alert)
        self._notifiers: dict[TP, Notifier] = {}
        self._waiting: dict[TP, deque[Unsettled]] = {}

    async def start(self) -> None:
        """Raises KafkaTrouble where the topics are not there."""
        await checked_map(self._settings)

    async def assigned(self, partitions: set[TP]) -> Mapping[TP, int]:
        """Reads each partition to its end, and goes on from there."""
        held: dict[TP, list[tuple[Finding, int]]] = {tp: [] for tp in partitions}
        ends: dict[TP, int] = {}
        if partitions:
            async for atp, records, end in read_all(self._settings.kafka, [TopicPartition(*tp) for tp in partitions]):
                tp = TP(*atp)
                ends[tp] = end
                held[tp] += [(decode_finding(r.value), r.timestamp * MILLISECOND) for r in records if r.value is not None]
        self._notifiers = {tp: Notifier(self._settings.alert, self._targets, self._settings.waiver) for tp in partitions}
        self._waiting = {tp: deque() for tp in partitions}
        for tp, notifier in self._notifiers.items():
            notifier.load(held[tp], time.time_ns())
        return ends

    waiting = False

    def held_back(self, partitions: set[TP]) -> set[TP]:
        """None: a newer revision takes the place of the one that waits."""
        return set()

    async def handle(self, batch: Batch) -> None:
        """Takes note of findings; they go out with the next tick."""
        notifier, unsettled = self._notifiers[batch.tp], Unsettled(batch)
        for record in batch.records:
            name = (record.key or b"").decode()
            if record.value is None:
                notifier.forget(name)
                unsettled.revisions.pop(name, None)
                continue
            finding = decode_finding(record.value)
            notifier.observe(finding, record.timestamp * MILLISECOND)
            unsettled.revisions[name] = finding.revision
        self._waiting[batch.tp].append(unsettled)
        self._settle(batch.tp)

    def _settle(self, tp: TP) -> None:
        waiting = self._waiting[tp]
        while waiting and waiting[0].settled(self._notifiers[tp]):
            waiting.popleft().batch.acknowledge()

    async def run(self) -> None:
        """Sends what is due, twice a second."""
        while True:
            for tp, notifier in list(self._notifiers.items()):
                await notifier.tick(time.time_ns())
                if self._notifiers.get(tp) is notifier:
                    self._settle(tp)
            self._measure()
            await asyncio.sleep(TICK_S)

    def _measure(self) -> None:
        states = [notifier.snapshot() for notifier in self._notifiers.values()]
        self._metrics.set("interplay_alerts_firing", sum(state.firing for state in states))
        self._metrics.set("interplay_alerts_pending", sum(state.pending for state in states))
        outcomes: dict[str, int] = {}
        for state in states:
            for name, count in state.counters.items():
                outcomes[name] = outcomes.get(name, 0) + count
        for name, count in outcomes.items():
            self._metrics.set("interplay_alerts_total", count, name)

    async def stop(self) -> None:
        """Ends the sending."""
        for target in self._targets:
            await target.close()
