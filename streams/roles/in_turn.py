"""Writes of each partition one after another, beside the work on what comes next: who waits for an acknowledgement holds up nobody else.

A write of an older epoch stays before those of a newer one, and finds itself out of date; so an old owner never overtakes a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from faust.types import TP

AHEAD = 3  # writes at once, of all partitions: enough for both sides to be busy; more of them would outlast the delivery timeout

Write = Callable[[], Awaitable[object]]


class InTurn:
    """Made in a running event loop. The first error ends `run`, and nothing more is written to that partition."""

    def __init__(self) -> None:
        self._queues: dict[TP, asyncio.Queue[Write]] = {}
        self._room = asyncio.Semaphore(AHEAD)
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def put(self, tp: TP, write: Write) -> None:
        """Has `write` awaited after all that were put there for this partition; returns when there is room for it."""
        await self._room.acquire()
        queue = self._queues.get(tp)
        if queue is None:
            queue = self._queues[tp] = asyncio.Queue()
            self._tasks.append(asyncio.create_task(self._work(queue)))
        queue.put_nowait(write)

    async def _work(self, queue: asyncio.Queue[Write]) -> None:
        try:
            while True:
                write = await queue.get()
                await write()
                self._room.release()
        except Exception as error:
            if not self._failure.done():
                self._failure.set_exception(error)

    async def run(self) -> None:
        """Raises the first error of a write."""
        await asyncio.shield(self._failure)

    async def stop(self) -> None:
        """Ends at once. What was not written is not acknowledged either, and is read again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._failure.cancel()
