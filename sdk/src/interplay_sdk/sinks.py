"""Where events go: Kafka through a bounded queue and a thread of its own, or a JSONL file for tests. A sink never blocks or raises."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from collections import deque
from pathlib import Path
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

logger = logging.getLogger("interplay_sdk")

HEADERS = [("content-type", b"application/cloudevents+json")]
BATCH = 500
BACKOFF_MOST_S = 30.0


class Sink(Protocol):
    """Takes finished events. `sent`, `dropped` and `failed` count them by what became of them."""

    sent: int
    dropped: int
    failed: int

    def put(self, key: str, value: bytes) -> None:
        """Takes one event; at once."""

    def close(self, timeout_s: float = 2.0) -> None:
        """Sends what waits, for at most so long."""


class JsonlSink:
    """One event per line, flushed, appended. For tests, and for `interplay analyze`. Safe for threads of one process."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.sent = self.dropped = self.failed = 0
        self._lock = threading.Lock()
        self._file = Path(path).open("ab")  # noqa: SIM115

    def put(self, key: str, value: bytes) -> None:
        """Writes one line."""
        with self._lock:
            try:
                self._file.write(value + b"\n")
                self._file.flush()
                self.sent += 1
            except (OSError, ValueError) as error:  # disk full, or closed already
                self.failed += 1
                if self.failed == 1:
                    logger.warning("interplay: cannot write %s: %s; further errors are only counted", self._file.name, error)

    def close(self, timeout_s: float = 2.0) -> None:
        """Closes the file."""
        with self._lock:
            self._file.close()


class KafkaSink:
    """Kafka, at least once. The queue is bounded: when it is full the *newest* event is dropped and counted, since what is already queued
    may be its cause. While the broker is away events wait in the queue. `client` goes to aiokafka (security_protocol, sasl_*, ssl_context).

    The thread starts with the first event, in the process that emits it: after a fork the child starts its own, with an empty queue.
    """

    def __init__(self, bootstrap: str, topic: str = "interplay.events", *, queue: int = 10_000, **client: Any) -> None:
        self.sent = self.dropped = self.failed = 0
        self._bootstrap, self._topic, self._most, self._client = bootstrap, topic, queue, client
        self._reset()
        atexit.register(self.close)

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._queue: deque[tuple[bytes, bytes]] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._warned = False

    def put(self, key: str, value: bytes) -> None:
        """Queues one event."""
        if self._pid != os.getpid():
            self._reset()
        if len(self._queue) >= self._most or self._closing.is_set():
            self.dropped += 1
            self._warn(f"the queue of {self._most} events is full" if not self._closing.is_set() else "the sink is closed")
            return
        self._queue.append((key.encode(), value))
        if not self._wake.is_set():
            self._wake.set()
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="interplay-sdk", daemon=True)
                self._thread.start()

    def _warn(self, what: str) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "interplay: %s (broker %s, topic %s); further events are only counted", what, self._bootstrap, self._topic
            )

    def close(self, timeout_s: float = 2.0) -> None:
        """Sends what is queued, for at most so long; what is left then is dropped and counted."""
        if self._pid != os.getpid() or self._closing.is_set():
            return
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        left = len(self._queue)
        self._queue.clear()
        self.dropped += left
        if left:
            self._warn(f"{left} events were not sent before the end")

    def _run(self) -> None:
        try:
            asyncio.run(self._send_all())
        except Exception as error:  # the agent goes on, whatever a client library throws
            self.failed += 1
            self._warn(f"the sending thread ended: {error!r}")

    async def _send_all(self) -> None:
        wait = 0.2
        while True:
            producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all", linger_ms=5, **self._client)
            try:
                await producer.start()
                wait = 0.2
                await self._pump(producer)
                return
            except (KafkaError, OSError) as error:
                self._warn(f"cannot send: {error}")
                if self._closing.is_set():
                    return
                await asyncio.sleep(wait)
                wait = min(BACKOFF_MOST_S, wait * 2)
            finally:
                await producer.stop()

    async def _pump(self, producer: AIOKafkaProducer) -> None:
        while True:
            if not self._queue:
                if self._closing.is_set():
                    return
                self._wake.clear()
                if not self._queue:
                    await asyncio.to_thread(self._wake.wait, 0.5)
                continue
            batch = [self._queue[i] for i in range(min(BATCH, len(self._queue)))]
            pending = [await producer.send(self._topic, value, key=key, headers=HEADERS) for key, value in batch]
            results = await asyncio.gather(*pending, return_exceptions=True)
            # the queue keeps what is not acknowledged: sent again it is a repeat, which the analyzer drops by (source, id)
            for result in results:
                if isinstance(result, BaseException):
                    raise result
                self._queue.popleft()
                self.sent += 1
