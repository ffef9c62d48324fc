"""What a measured process shares with whoever measures: the task, what it says, the gate, and the clock."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import msgspec
from aiokafka import ConsumerRecord

from streams.settings import Settings
from streams.sources.cloudevents import decode_record


class Task(msgspec.Struct, frozen=True):
    """What to measure with."""

    settings: Settings
    topic: str = ""  # full name, where it is not the role's own
    partitions: int = 4
    records: int = 0  # how many there are, or are to be read
    refill_to: int = 0  # tell when the record before this offset is handled


def say(**figures: float) -> None:
    """One line to whoever measures."""
    print(json.dumps(figures), flush=True)


async def gate() -> None:
    """Returns when the second line comes."""
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


class Clock:
    """From the first record in hand to the last one done: time, and CPU of all threads."""

    def __init__(self) -> None:
        self.records = 0
        self._began: tuple[float, float] | None = None
        self._ended = (0.0, 0.0)

    def start(self) -> None:
        if self._began is None:
            self._began = (time.monotonic(), time.process_time())

    def count(self, records: int) -> None:
        self.records += records
        self._ended = (time.monotonic(), time.process_time())

    def tell(self) -> None:
        began = self._began or self._ended
        say(
            records=self.records, seconds=self._ended[0] - began[0], cpu=self._ended[1] - began[1], began=began[0], ended=self._ended[0]
        )  # fmt: skip


def decode(record: ConsumerRecord) -> object:
    """What reduce does with a record first."""
    return decode_record(record.value, record.headers, 1 << 20)
