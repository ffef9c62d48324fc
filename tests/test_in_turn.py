"""Writes of a partition go one after another, those of others beside them; an error ends the worker and the writes behind it."""

from __future__ import annotations

import asyncio

import pytest
from faust.types import TP

from streams.roles.in_turn import AHEAD, InTurn

A, B = TP("e", 0), TP("e", 1)


def test_writes_of_a_partition_keep_their_order_and_wait_for_each_other() -> None:
    async def run() -> list[str]:
        turns, said = InTurn(), list[str]()

        async def write(name: str, seconds: float) -> None:
            said.append(f"{name} begins")
            await asyncio.sleep(seconds)
            said.append(f"{name} ends")

        await turns.put(A, lambda: write("slow", 0.05))
        await turns.put(A, lambda: write("next", 0))
        await turns.put(B, lambda: write("other", 0))
        await asyncio.sleep(0.2)
        await turns.stop()
        return said

    said = asyncio.run(run())
    assert said == ["slow begins", "other begins", "other ends", "slow ends", "next begins", "next ends"]


def test_only_so_many_writes_wait() -> None:
    async def run() -> int:
        turns, gate, put = InTurn(), asyncio.Event(), 0
        with pytest.raises(TimeoutError):
            while True:
                await asyncio.wait_for(turns.put((A, B)[put % 2], gate.wait), 0.05)
                put += 1
        await turns.stop()
        return put

    assert asyncio.run(run()) == AHEAD


def test_the_first_error_is_told_and_nothing_behind_it_is_written() -> None:
    async def run() -> list[str]:
        turns, said = InTurn(), list[str]()

        async def fail() -> None:
            raise OSError("the broker refuses this")

        async def write() -> None:
            said.append("written")

        await turns.put(A, fail)
        await turns.put(A, write)
        with pytest.raises(OSError, match="refuses"):
            await turns.run()
        await asyncio.sleep(0.01)
        await turns.stop()
        return said

    assert asyncio.run(run()) == []
