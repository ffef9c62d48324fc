"""Store: signals and findings in, rows out. One writer thread behind a bounded queue: while the store is away the queue fills, Faust stops
fetching, heartbeats go on in their own thread, and Kafka keeps what waits.

An offset is committed when its rows are durable. What is written again after a restart, the store recognises.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

from faust.types import TP

from models.events import decode_signal
from models.findings import decode_finding
from models.instants import SECOND, clock_time
from streams.metrics import Metrics
from streams.settings import Settings, topic
from streams.store import Record, Store, StoreAway, Written, open_store
from streams.store.rows import Position
from streams.topics import checked_map
from streams.transport import Batch

QUEUED_BATCHES = 8
GATHER_S = 0.4  # rows of so long go into one insert: a row costs little, an insert does not
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
SILENT_S = 5.0  # an attempt that takes longer counts as refusing or silent
LOOK_S = 1.0
REMIND_S = 60.0  # how often the log says that the store is still away

log = logging.getLogger(__name__)

T = TypeVar("T")


class Storing:
    """See the module."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._findings = topic(settings, "findings")
        self.topics = (topic(settings, "signals"), self._findings)
        self._settings = settings
        self._metrics = metrics
        self._queue: asyncio.Queue[Batch] = asyncio.Queue(QUEUED_BATCHES)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._open = ExitStack()
        self._store: Store
        self._attempt_began: float | None = None
        metrics.add("interplay_store_failures_total", 0)
        self._blocked_since: float | None = None
        self._told: float | None = None  # when the log last said that nothing is stored

    async def start(self) -> None:
        """Raises StoreRefused where the store will never take anything; one that is away is waited for later."""
        await checked_map(self._settings)
        self._store = self._open.enter_context(open_store(self._settings))
        try:
            await self._in_thread(lambda: self._store.client)
        except StoreAway as error:
            log.warning("what arrives waits in Kafka, the store is tried again: %s", error)

    async def run(self) -> None:
        """Writes what is queued."""
        await asyncio.gather(self._write_on(), self._look())

    async def assigned(self, partitions: set[TP]) -> None:
        """Reading starts at the committed offsets."""

    def held_back(self, partitions: set[TP]) -> set[TP]:
        """None: the queue's bound is enough."""
        return set()

    @property
    def waiting(self) -> bool:
        """Whether the store is away and still asked. An attempt that never ends is a stall."""
        began, limit = self._attempt_began, self._settings.worker.stall_timeout / 1e9
        return self._blocked_since is not None and (began is None or time.monotonic() - began < limit)

    async def handle(self, batch: Batch) -> None:
        """Queues a batch; returns when there is room for it."""
        if batch.records:
            await self._queue.put(batch)

    async def _write_on(self) -> None:
        while True:
            batches = [batch for batch in await self._gather() if batch.current]
            if batches:
                await self._write(batches)

    async def _gather(self) -> list[Batch]:
        """What comes within a moment, up to an insert's worth."""
        batches = [await self._queue.get()]
        count, deadline = len(batches[0].records), time.monotonic() + GATHER_S
        while count < self._settings.clickhouse.batch and (left := deadline - time.monotonic()) > 0:
            try:
                batch = await asyncio.wait_for(self._queue.get(), left)
            except TimeoutError:
                break
            batches.append(batch)
            count += len(batch.records)
        return batches

    async def _write(self, batches: list[Batch]) -> None:
        """Tries until the store has taken them, or they are no longer ours."""
        pause = FIRST_PAUSE_S
        while any(batch.current for batch in batches):
            self._attempt_began = time.monotonic()
            try:
                written = await self._in_thread(lambda: self._store.write(self._records(batches)))
            except StoreAway as error:
                self._blocked_since = self._blocked_since or self._attempt_began
                self._attempt_began = None
                self._tell_of(error, self._blocked_since)
                self._metrics.add("interplay_store_failures_total", 1)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
                continue
            if pause > FIRST_PAUSE_S:
                log.warning("the store takes rows again")
            self._attempt_began = self._blocked_since = self._told = None
            self._done(batches, written)
            return

    def _tell_of(self, error: StoreAway, since: float) -> None:
        now = time.monotonic()
        if self._told is None or now - self._told >= REMIND_S:
            self._told = now
            began = clock_time(time.time_ns() - int((now - since) * SECOND))
            log.warning("nothing is stored since %s UTC, it waits in Kafka: %s", began, error)

    def _records(self, batches: list[Batch]) -> list[Record]:
        found: list[Record] = []
        for batch in batches:
            decode = decode_finding if batch.tp.topic == self._findings else decode_signal
            for record in batch.records:
                if record.value is not None:
                    found.append((Position(record.topic, record.partition, record.offset), decode(record.value)))
        return found

    def _done(self, batches: list[Batch], written: Written) -> None:
        for batch in batches:
            batch.acknowledge()
        for table, count in written.rows.items():
            self._metrics.add("interplay_store_rows_total", count, table)
        self._metrics.add("interplay_store_expired_total", written.expired)

    async def _look(self) -> None:
        while True:
            now = time.monotonic()
            if self._blocked_since is None and self._attempt_began is not None and now - self._attempt_began > SILENT_S:
                self._blocked_since = self._attempt_began
            self._metrics.set("interplay_store_blocked_seconds", 0 if self._blocked_since is None else now - self._blocked_since)
            self._metrics.set("interplay_store_backlog_batches", self._queue.qsize())
            await asyncio.sleep(LOOK_S)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def stop(self) -> None:
        """Waits for the attempt that is under way, and closes the store."""
        await self._in_thread(lambda: None)
        self._open.close()
        self._thread.shutdown()
