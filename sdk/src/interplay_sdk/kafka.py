"""The sink that agents use: a bounded queue, and a thread of its own that sends what waits to Kafka.

An agent's call ends when its event is in the queue. The thread starts with the first event, in the process that emits it, so servers may
fork before; the child of a process that has emitted starts its own, with an empty queue and counters at zero.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import threading
import time
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from interplay_sdk.lifetime import closes_at_exit, survives_fork
from interplay_sdk.waiting import Record, Waiting

logger = logging.getLogger("interplay_sdk")

HEADERS = [("content-type", b"application/cloudevents+json")]
BATCH = 500  # records under way at a time
BACKOFF_LEAST_S, BACKOFF_MOST_S = 0.1, 10.0
DEFAULTS = {"acks": "all", "linger_ms": 5}
NEVER_SENT = (MessageSizeTooLargeError, RecordListTooLargeError)  # of this record, by any broker at any time


class _Loop(asyncio.SelectorEventLoop):
    """Looks names up in its own thread: an executor would refuse once the interpreter shuts down, when a short-lived agent still sends."""

    async def getaddrinfo(self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        return socket.getaddrinfo(host, port, family, type, proto, flags)


class KafkaSink:
    """Kafka, at least once: a record sent twice is a repeat, which the analyzer drops by (source, id).

    While the broker is away events wait in the queue (`queue` of them), and are tried again with growing pauses. When it is full the
    oldest sample is dropped and counted, and where there is none the oldest event. `samples_topic` takes samples apart from the rest.
    `client` goes to aiokafka's producer (security_protocol, sasl_mechanism, sasl_plain_username, ssl_context, ...).
    """

    def __init__(
        self, bootstrap: str, topic: str = "interplay.events", *, samples_topic: str = "", queue: int = 10_000, **client: Any
    ) -> None:
        self._bootstrap, self._topic, self._samples_topic = bootstrap, topic, samples_topic or topic
        self._most, self._client = queue, {**DEFAULTS, **client}
        self._inherited: object = None
        survives_fork(self)
        closes_at_exit(self)
        self._begin()

    def _begin(self) -> None:
        self.sent = self.dropped = self.failed = 0
        self._lock = threading.Lock()  # guards everything below
        self._waiting = Waiting(self._most)
        self._under_way: list[Record] = []
        self._thread: threading.Thread | None = None
        self._loop: _Loop | None = None
        self._idle = self._closed = self._away = False
        self._deadline = float("inf")

    def after_fork(self) -> None:
        """The parent sends what the parent queued. Its loop is kept, not used: closing it here would unregister the parent's sockets."""
        self._inherited = (self._inherited, self._loop, self._thread)
        self._begin()

    # -- in the agent's threads

    def put(self, key: str, value: bytes, sample: bool = False) -> None:
        """Queues one event."""
        with self._lock:
            if self._closed:
                self.dropped += 1
                return
            shed = self._waiting.put(Record(key.encode("utf-8", "replace"), value, sample))
            first_shed = shed > 0 and self.dropped == 0
            self.dropped += shed
            if self._thread is None:
                self._start()
            wake, self._idle = self._idle, False
        if wake:
            self._call(self._wake.set)
        if first_shed:
            logger.warning(
                "interplay: the queue of %d events for %s is full; what is dropped is only counted", self._most, self._bootstrap
            )

    def _start(self) -> None:
        if self._loop is None:
            self._loop, self._wake = _Loop(), asyncio.Event()
        thread = threading.Thread(target=self._run, args=(self._loop,), name="interplay-sdk", daemon=True)
        with contextlib.suppress(RuntimeError):  # the interpreter is shutting down: no more threads
            thread.start()
            self._thread = thread

    def _call(self, function: Any, *args: Any) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended in this moment
                loop.call_soon_threadsafe(function, *args)

    def flush(self, timeout_s: float = 2.0) -> bool:
        """Waits, at most so long, until everything queued so far is acknowledged."""
        deadline = time.monotonic() + timeout_s
        while self._pending():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.005)
        return True

    def _pending(self) -> int:
        with self._lock:
            return len(self._waiting) + len(self._under_way)

    def finish_by(self, deadline: float) -> None:
        """Takes no more; what waits is sent until `deadline` (time.monotonic())."""
        with self._lock:
            if self._closed:
                return
            self._closed, self._deadline = True, deadline
        self._call(self._give_up_in_time)

    def close(self, timeout_s: float = 2.0) -> None:
        """Sends what waits, for at most so long. What is left then is dropped and counted, though the broker may have got some of it."""
        self.finish_by(time.monotonic() + timeout_s)
        if self._thread is not None:
            self._thread.join(max(0.0, self._deadline - time.monotonic()) + 0.1)
        with self._lock:
            left = len(self._waiting) + len(self._under_way)
            self._waiting, self._under_way = Waiting(self._most), []
            self.dropped += left
        if left:
            logger.warning("interplay: %d events were not sent to %s before the end", left, self._bootstrap)

    # -- in the sending thread

    def _run(self, loop: _Loop) -> None:
        asyncio.set_event_loop(loop)
        self._sending = loop.create_task(self._send_all())
        try:
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(self._sending)
            rest = asyncio.all_tasks(loop)
            for task in rest:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        finally:
            loop.close()

    def _give_up_in_time(self) -> None:
        self._wake.set()
        self._sending.get_loop().call_later(max(0.0, self._deadline - time.monotonic()), self._sending.cancel)

    async def _send_all(self) -> None:
        producer: AIOKafkaProducer | None = None
        pause = BACKOFF_LEAST_S
        try:
            while batch := await self._next():
                try:
                    producer = producer or await self._connect()
                    trouble = await self._send(producer, batch)
                except Exception as error:  # whatever a client library throws: the agent goes on, and the events wait
                    trouble = error
                    self._settle(batch, batch)
                self._report(trouble)
                if trouble is None:
                    pause = BACKOFF_LEAST_S
                else:
                    await asyncio.sleep(pause * random.uniform(0.5, 1))
                    pause = min(BACKOFF_MOST_S, pause * 2)
        finally:
            if producer is not None:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(producer.stop(), 1.0)

    async def _next(self) -> list[Record]:
        """The next records to send, when there are some; none when the sink is closed and empty."""
        while True:
            with self._lock:
                self._under_way = batch = self._waiting.take(BATCH)
                if batch or self._closed:
                    return batch
                self._wake.clear()
                self._idle = True
            await self._wake.wait()

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, **self._client)
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _send(self, producer: AIOKafkaProducer, batch: list[Record]) -> Exception | None:
        """Sends a batch; what did not arrive waits again. Answers what went wrong, if anything did."""
        unsent: list[Record] = []
        trouble: Exception | None = None
        refused: list[Record] = []
        futures = []
        for record in batch:
            topic = self._samples_topic if record.sample else self._topic
            try:
                futures.append((record, await producer.send(topic, record.value, key=record.key, headers=HEADERS)))
            except NEVER_SENT as error:
                self._refuse(refused, record, error)
            except KafkaError as error:
                trouble = error
                unsent.append(record)
        for record, future in futures:
            try:
                await future
            except NEVER_SENT as error:
                self._refuse(refused, record, error)
            except Exception as error:
                trouble = error
                unsent.append(record)
        self._settle(batch, unsent, len(refused))
        return trouble

    def _refuse(self, refused: list[Record], record: Record, error: Exception) -> None:
        refused.append(record)
        if self.failed == 0 and len(refused) == 1:
            logger.warning(
                "interplay: an event of %d bytes is refused: %s; further ones are only counted", len(record.value), error
            )

    def _settle(self, batch: list[Record], unsent: list[Record], refused: int = 0) -> None:
        with self._lock:
            if self._under_way is not batch:  # close() has given up on it, and counted it
                return
            self._under_way = []
            self.failed += refused
            self.sent += len(batch) - len(unsent) - refused
            self.dropped += self._waiting.put_back(unsent)

    def _report(self, trouble: Exception | None) -> None:
        if trouble is not None and not self._away:
            logger.warning("interplay: cannot send to %s, topic %s: %r; trying on", self._bootstrap, self._topic, trouble)
        elif trouble is None and self._away:
            logger.info("interplay: sending to %s again", self._bootstrap)
        self._away = trouble is not None
