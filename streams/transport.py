"""Faust's transport in micro-batches: one message is what one fetch brought of one partition, or the news that the partition has ended.

Faust's own path costs some 100 us a record (two tasks each); this one costs about 2. Kept from Faust: consumer thread with heartbeats,
rebalances, commit loop, streams and their back-pressure. Replaced: what a message is, where reading starts, and what is committed.

Rules, each against a loss that was seen:
- An offset is committed only when every batch before it is acknowledged (`_new_offset`).
- Every assignment and revocation begins a new epoch; a batch of an older epoch is stale, and whoever still works on it must stop.
- Partitions are never paused through Faust (that drops fetched records): `held_back` names those that are not to be polled now.
- Where reading starts is the role's to say (`start_offsets`); it is asked at every assignment, before anything is delivered.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.consumer.subscription_state import Assignment, TopicPartitionState
from aiokafka.protocol.fetch import FetchRequest
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.record import Record, record_of

StartOffsets = Callable[[set[TP]], Awaitable[Mapping[TP, int] | None]]
HeldBack = Callable[[set[TP]], set[TP]]

SCHEME = "interplay"
NOTHING_TO_POLL_S = 0.05
REQUEST_TIMEOUT_MS = 40_000


@dataclass(slots=True, eq=False)
class Batch:
    """Records of one partition in order; or none, with the clock (ns) as it was when the fetch went out that confirmed its end."""

    tp: TP
    records: list[Record]
    next: int  # the offset after it
    ended_ns: int | None
    epoch: int
    consumer: BatchConsumer
    done: bool = False

    def acknowledge(self) -> None:
        """It is durable: its offset may be committed, once those before it are acknowledged too."""
        self.done = True
        self.consumer.note_handled(self)

    @property
    def current(self) -> bool:
        """Whether the partition is still ours, since before this batch was read."""
        return self.epoch == self.consumer.epoch


class BatchSchema(faust.Schema):  # type: ignore[misc]
    """Hands a batch through: decoding is the role's."""

    def loads_key(self, app: faust.App, message: ConsumerMessage, *, loads: object = None, serializer: object = None) -> None:
        """Batches have no key."""

    def loads_value(self, app: faust.App, message: ConsumerMessage, *, loads: object = None, serializer: object = None) -> Batch:
        """The batch itself."""
        batch: Batch = message.value
        return batch


class Polled(dict[TopicPartition, list[Record]]):
    """What a poll brought, and the epoch in which it left the consumer."""

    epoch = 0


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread that fetches, as our records. Notes which fetches confirmed the end of a partition: nothing else tells an empty answer
    from none."""

    def _create_worker_consumer(self, transport: Transport) -> object:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = self.app.fetch_wait_ms  # Faust has 1500 written into it
        consumer._request_timeout_ms = consumer._client._request_timeout_ms = REQUEST_TIMEOUT_MS  # Faust's also bounds recovery
        return consumer

    async def on_start(self) -> None:
        """Starts the consumer, when a broker lets it, and listens in on its fetches."""
        await self.app.retry.until_done("join", self._connect)
        fetcher = self._consumer._fetcher
        send = fetcher._proc_fetch_request

        async def listening(assignment: Assignment, node: int, request: FetchRequest) -> object:
            asked = time.time_ns()
            states = {tp: (state, offset) for tp, state, offset in _requested(assignment, request)}
            for state, _ in states.values():
                state.timestamp = None
            woken = await send(assignment, node, request)
            for tp, (state, offset) in states.items():
                result = fetcher._records.get(tp)
                if isinstance(result, FetchResult) and result.has_more():
                    result._partition_records._consumer_record = record_of  # none has been made yet: they are when they are polled
                if (
                    state.timestamp is not None
                    and offset >= state.highwater
                    and state.has_valid_position
                    and state.position == offset
                ):
                    self.consumer.ends[tp] = (offset, asked)
            return woken

        fetcher._proc_fetch_request = listening

    async def _connect(self) -> None:
        try:
            await super().on_start()
        except BaseException:
            await self._consumer.stop()
            raise

    async def _fetch_records(self, *args: object, **kwargs: object) -> Polled:
        polled = Polled(await super()._fetch_records(*args, **kwargs))
        polled.epoch = self.consumer.epoch  # no await since the records left the consumer: a seek lies before both or after both
        return polled


def _requested(assignment: Assignment, request: FetchRequest) -> Iterable[tuple[TP, TopicPartitionState, int]]:
    for topic, partitions in request.topics:
        for number, offset, *_ in partitions:
            state = assignment.state_value(TopicPartition(topic, number))
            if state is not None:
                yield TP(topic, number), state, offset


class BatchConsumer(driver.Consumer):  # type: ignore[misc]
    """See the module. The app carries `fetch_wait_ms`, `retry`, `start_offsets`, `placed` and `held_back`."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        self.epoch = 0
        self.joined = False
        self.ends: dict[TP, tuple[int, int]] = {}  # partition -> its end, and when that was asked for (ns); written by the thread
        self.handled: Counter[TP] = Counter()  # records, since the process began
        self.last_handled = 0.0  # seconds since the epoch
        self._reached: dict[TP, int] = {}
        self._told: dict[TP, int] = {}  # the `asked` that was delivered last
        self._inflight: defaultdict[TP, deque[Batch]] = defaultdict(deque)
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Polled:
        wanted = set(active_partitions or ()) - self.app.held_back(set(active_partitions or ()))
        if not wanted:  # aiokafka takes an empty set for "all"
            await asyncio.sleep(NOTHING_TO_POLL_S)
            return Polled()
        polled: Polled = await super()._getmany(wanted, timeout)
        return polled

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """What one poll brought, a message for each partition; called by Faust in a loop."""
        records, active = await self._wait_next_records(min(timeout, self.app.fetch_wait_ms / 2000))
        if records is None or self.should_stop or not self.flow_active or (records and records.epoch != self.epoch):
            return  # a rebalance: what was fetched is read again from where `start_offsets` says
        epoch = self.epoch
        for atp, found in records.items():
            tp, last = ensure_TP(atp), found[-1]
            batch = Batch(tp, found, last.offset + 1, None, epoch, self)
            self._inflight[tp].append(batch)
            yield tp, self._message(batch, last.offset)
        fetched = {ensure_TP(atp) for atp in records}
        for tp in (active or set()) - fetched:
            end = self.ends.get(tp)
            if end is not None and epoch == self.epoch and end[1] > self._told.get(tp, 0):
                self._told[tp] = end[1]
                yield tp, self._message(Batch(tp, [], end[0], end[1], epoch, self), end[0])

    def _message(self, batch: Batch, offset: int) -> ConsumerMessage:
        tp = batch.tp
        return ConsumerMessage(
            tp.topic, tp.partition, offset, time.time(), 0, [], None, batch, None, 0, len(batch.records), tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    def _filter_tps_with_pending_acks(self, topics: Iterable[object] | None = None) -> list[TP]:
        return [tp for tp, queue in self._inflight.items() if queue and queue[0].done]

    def _new_offset(self, tp: TP) -> int | None:
        """The end of the contiguous run of acknowledged batches."""
        queue, offset = self._inflight[tp], None
        while queue and queue[0].done:
            offset = queue.popleft().next
        return offset

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """A batch spans the offsets that compaction or transactions left out."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Everything read so far is stale."""
        self.epoch += 1
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """We are in the group, with partitions or without."""
        self.joined = True
        await super().on_partitions_assigned(assigned, generation_id)

    async def perform_seek(self) -> None:
        """Goes to where reading starts; Faust calls this at every assignment, sometimes twice."""
        self.epoch += 1  # before the role's state is made anew: nothing read before may reach it
        epoch = self.epoch

        async def place() -> None:
            starts = await self.app.start_offsets(set(self.assignment()))
            # On the consumer's own thread: beside a poll that is just being answered, a seek from here could be overwritten.
            await self._thread.call_thread(self._seek_all, starts, epoch)

        await self.app.placed(place)

    async def _seek_all(self, starts: Mapping[TP, int] | None, epoch: int) -> None:
        consumer = self._thread._ensure_consumer()
        if starts is None:
            starts = await self._committed_starts(consumer)
        if epoch != self.epoch:
            return  # of an assignment that has been given up while the thread was at it
        mine = self.assignment()
        self._begin()
        for tp, offset in starts.items():
            if tp in mine:
                consumer.seek(TopicPartition(*tp), offset)
                self._reached[tp] = offset
                self._read_offset[tp] = offset or None
                self._committed_offset[tp] = None

    async def _committed_starts(self, consumer: AIOKafkaConsumer) -> dict[TP, int]:
        partitions = [TopicPartition(*tp) for tp in self.assignment()]
        oldest = await consumer.beginning_offsets(partitions)
        found = {tp: await consumer.committed(tp) for tp in partitions}
        return {TP(*tp): oldest[tp] if found[tp] is None else max(oldest[tp], found[tp]) for tp in partitions}

    def note_handled(self, batch: Batch) -> None:
        """A batch is acknowledged."""
        self.handled[batch.tp] += len(batch.records)
        self.last_handled = time.time()
        if batch.current:
            self._reached[batch.tp] = batch.next

    def lags(self) -> dict[TP, int]:
        """How many records of each of our partitions are not yet handled, as far as the fetches have told."""
        marks = {tp: (self.highwater(tp), self._reached.get(tp)) for tp in self.assignment()}
        return {tp: max(0, end - at) if end is not None and at is not None else 0 for tp, (end, at) in marks.items()}

    def _begin(self) -> None:
        self.epoch += 1
        self._inflight.clear()
        self.ends.clear()
        self._told.clear()
        self._reached.clear()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust compares a monotonic clock with records' timestamps here; `streams.watchdog` does this job."""


class Transport(driver.Transport):  # type: ignore[misc]
    """What the URL scheme "interplay" means to Faust."""

    Consumer = BatchConsumer


TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
