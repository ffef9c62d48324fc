"""What the roles' work costs without Kafka in front of it: the floors of `benchmarks.roles`. Run by `benchmarks.runner`."""

from __future__ import annotations

import time

from aiokafka import ConsumerRecord, TopicPartition

from benchmarks.clock import Clock, Task, decode, gate, say
from models.analyzer import Analyzer
from models.events import decode_signal, encode_signal
from models.reduction import Reducer
from streams.kafka_client import MILLISECOND, producer, read_all
from streams.metrics import Metrics
from streams.settings import topic
from streams.sources.cloudevents import decode_record
from streams.writing import Outgoing, TopicWriter, partition_of


async def held(task: Task, name: str, partitions: int) -> list[list[ConsumerRecord]]:
    """A topic in memory, in polls."""
    size, found = task.settings.kafka.poll_records, []
    async for _, records, _ in read_all(task.settings.kafka, [TopicPartition(name, number) for number in range(partitions)]):
        found += [records[at : at + size] for at in range(0, len(records), size)]
    say(ready=1)
    await gate()
    return found


async def reduce_from_memory(task: Task) -> None:
    """Decode, order, batch produce."""
    settings, clock = task.settings, Clock()
    reducers: dict[int, Reducer] = {}
    signals = settings.topics.signals_partitions
    async with producer(settings) as client:
        writer = TopicWriter(client, topic(settings, "signals"), settings.kafka, Metrics())
        polls = await held(task, topic(settings, "events"), settings.topics.source_partitions)
        clock.start()
        for records in polls:
            reducer = reducers.setdefault(records[0].partition, Reducer(str(records[0].partition), settings.analysis.time))
            take_in(reducer, records)
            out: list[Outgoing] = []
            for event in reducer.release(time.time_ns(), False).events:
                domain = event.domain.encode()
                out.append((partition_of(domain, signals), domain, encode_signal(event), []))  # type: ignore[arg-type]
            await writer.write(out, lambda: True)
            clock.count(len(records))
    clock.tell()


def take_in(reducer: Reducer, records: list[ConsumerRecord]) -> None:
    """Decodes records and orders what is in them."""
    for record in records:
        reducer.feed(record.offset, record.timestamp * MILLISECOND, decode_record(record.value, record.headers, 1 << 20))


async def samples_from_memory(task: Task) -> None:
    """Decoding alone, and through the reducer: CPU seconds of each, the best of three."""
    polls = await held(task, topic(task.settings, "events"), task.settings.topics.source_partitions)
    alone, through = [], []
    for _ in range(3):
        began = time.process_time()
        for records in polls:
            for record in records:
                decode(record)
        reducers: dict[int, Reducer] = {}
        middle = time.process_time()
        for records in polls:
            number = records[0].partition
            reducer = reducers.setdefault(number, Reducer(str(number), task.settings.analysis.time))
            take_in(reducer, records)
            reducer.release(time.time_ns(), False)
        alone.append(middle - began)
        through.append(time.process_time() - middle)
    say(records=sum(map(len, polls)), alone=min(alone), through=min(through))


async def analyze_from_memory(task: Task) -> None:
    """The core, fed with the same records."""
    polls, clock = await held(task, topic(task.settings, "signals"), 1), Clock()
    analyzer = Analyzer(task.settings.analysis, (f"{topic(task.settings, 'events')}/0",))
    clock.start()
    for records in polls:
        for record in records:
            analyzer.feed(decode_signal(record.value))
        clock.count(len(records))
    clock.tell()
