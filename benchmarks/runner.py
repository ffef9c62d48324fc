"""One measured process: `python -m benchmarks.runner CASE`. Its first line of input is the task (JSON), the second opens its gate.

It says what happens on standard output, a line of JSON each. The gate lets consumers join, and several workers share out the partitions,
before the clock begins.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Mapping

import faust
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.types import TP

from benchmarks.clock import Clock, Task, decode, gate, say
from benchmarks.memory import analyze_from_memory, reduce_from_memory, samples_from_memory
from streams.kafka_client import MILLISECOND, client_options
from streams.metrics import Metrics
from streams.roles.analyze import Analyze
from streams.roles.application import FETCH_BYTES, application
from streams.roles.reduce import Reduce
from streams.roles.work import Work
from streams.transport import Batch, BatchConsumer


class Reading:
    """A role that only reads, and decodes where it is to."""

    waiting = False

    def __init__(self, name: str, decoding: bool) -> None:
        self.topics = (name,)
        self._decoding = decoding

    async def start(self) -> None: ...

    async def run(self) -> None: ...

    async def stop(self) -> None: ...

    async def assigned(self, partitions: set[TP]) -> None:
        """From the beginning: the group is new."""

    def held_back(self, partitions: set[TP]) -> set[TP]:
        return set()

    async def handle(self, batch: Batch) -> None:
        if self._decoding:
            for record in batch.records:
                decode(record)
        batch.acknowledge()


class Measured:
    """A role with a gate before it and a clock around it."""

    def __init__(self, work: Work, refill_to: int) -> None:
        self.topics = work.topics
        self.open = False
        self.finished = asyncio.Event()
        self._work = work
        self._clock = Clock()
        self._refill_to = refill_to
        self._mine: set[TP] = set()
        self._ended: set[TP] = set()
        self.start, self.run, self.stop = work.start, work.run, work.stop

    @property
    def waiting(self) -> bool:
        return self._work.waiting

    async def assigned(self, partitions: set[TP]) -> Mapping[TP, int] | None:
        began = time.monotonic()
        self._mine = set(partitions)
        starts = await self._work.assigned(partitions)
        say(ready=len(partitions), assigned_at=began, rebuilt_at=time.monotonic(), start=min((starts or {}).values(), default=0))
        return starts

    def held_back(self, partitions: set[TP]) -> set[TP]:
        return self._work.held_back(partitions) if self.open else partitions

    async def handle(self, batch: Batch) -> None:
        if batch.records:
            self._clock.start()
        batch.consumer = Listening(batch.consumer, self.done)  # type: ignore[assignment]
        await self._work.handle(batch)

    def done(self, batch: Batch) -> None:
        """A batch is acknowledged: written, and that is confirmed."""
        if batch.records:
            self._clock.count(len(batch.records))
            if self._refill_to and batch.next >= self._refill_to:
                say(refilled_at=time.monotonic())
                self._refill_to = 0
        else:
            self._ended.add(batch.tp)
        if self._ended >= self._mine and self._clock.records:
            self._clock.tell()
            self._clock.records, self._ended = 0, set()
            self.finished.set()


class Listening:
    """A consumer, and somebody who hears what is acknowledged."""

    def __init__(self, consumer: BatchConsumer, heard: Callable[[Batch], None]) -> None:
        self._consumer = consumer
        self._heard = heard

    @property
    def epoch(self) -> int:
        return self._consumer.epoch

    def note_handled(self, batch: Batch) -> None:
        self._consumer.note_handled(batch)
        self._heard(batch)


async def run_work(task: Task, role: str, work: Work) -> None:
    """A role under Faust until it is killed."""
    measured, failure = Measured(work, task.refill_to), asyncio.get_running_loop().create_future()
    await measured.start()
    app = application(task.settings, role, measured, Metrics(), failure.set_exception)  # type: ignore[arg-type]
    running = asyncio.create_task(measured.run())
    await app.start()
    await gate()
    measured.open = True
    await failure  # an error ends the process
    running.cancel()


async def plain(task: Task, decoding: bool) -> None:
    """aiokafka alone."""
    kafka, clock = task.settings.kafka, Clock()
    consumer = AIOKafkaConsumer(
        **client_options(kafka), enable_auto_commit=False, fetch_max_wait_ms=kafka.fetch_wait // MILLISECOND,
        max_partition_fetch_bytes=FETCH_BYTES,
    )  # fmt: skip
    await consumer.start()
    partitions = [TopicPartition(task.topic, number) for number in range(task.partitions)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    await asyncio.sleep(1.5)  # the other side has fetched ahead as well when its gate opens
    say(ready=task.partitions)
    await gate()
    clock.start()
    while clock.records < task.records:
        polled = await consumer.getmany(timeout_ms=kafka.fetch_wait // MILLISECOND, max_records=kafka.poll_records)
        for records in polled.values():
            if decoding:
                for record in records:
                    decode(record)
            clock.count(len(records))
    clock.tell()
    await asyncio.sleep(60)


async def stock(task: Task) -> None:
    """A trivial agent of stock Faust."""
    say(ready=task.partitions)
    await gate()
    clock, done = Clock(), asyncio.Event()
    app = faust.App(
        f"{task.settings.kafka.prefix}.stock", broker=f"kafka://{task.settings.kafka.bootstrap}", store="memory://", web_enabled=False,
        datadir=task.settings.worker.data_dir, topic_disable_leader=True, topic_allow_declare=False, consumer_auto_offset_reset="earliest",
    )  # fmt: skip

    @app.agent(app.topic(task.topic, key_serializer="raw", value_serializer="raw"))  # type: ignore[untyped-decorator]
    async def take(stream: faust.Stream) -> None:
        async for _ in stream:
            clock.start()
            clock.count(1)
            if clock.records == task.records:
                clock.tell()
                done.set()

    await app.start()
    await done.wait()
    await asyncio.sleep(60)


CASES: dict[str, Callable[[Task], Awaitable[None]]] = {
    "plain": lambda task: plain(task, False),
    "plain, decoding": lambda task: plain(task, True),
    "ours": lambda task: run_work(task, "store", Reading(task.topic, False)),
    "ours, decoding": lambda task: run_work(task, "store", Reading(task.topic, True)),
    "stock": stock,
    "reduce": lambda task: run_work(task, "reduce", Reduce(task.settings, Metrics())),
    "analyze": lambda task: run_work(task, "analyze", Analyze(task.settings, Metrics())),
    "reduce from memory": reduce_from_memory,
    "analyze from memory": analyze_from_memory,
    "samples from memory": samples_from_memory,
}


if __name__ == "__main__":
    gc.set_threshold(100_000, 50, 100)  # as workers have it
    asyncio.run(CASES[sys.argv[1]](msgspec.json.decode(sys.stdin.readline(), type=Task)))  # type: ignore[arg-type]
