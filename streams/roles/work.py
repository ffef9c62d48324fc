"""What a role is, seen from the Faust app around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from faust.types import TP

from streams.transport import Batch


class Work(Protocol):
    """One role in one process. All methods are called from one event loop; `handle` never twice at a time."""

    @property
    def topics(self) -> tuple[str, ...]:
        """Full names of the topics it reads."""
        ...

    async def start(self) -> None:
        """Connects. Raises an error that ends the process where it cannot."""
        ...

    async def run(self) -> None:
        """What it does besides handling batches, until it is cancelled. Returning early is no end; an error is."""
        ...

    async def assigned(self, partitions: set[TP]) -> Mapping[TP, int] | None:
        """Rebuilds the state of partitions that are ours from now on, answers where to read; None: at the committed offsets."""
        ...

    @property
    def waiting(self) -> bool:
        """Whether it waits for something that it names itself: no stall."""
        ...

    def held_back(self, partitions: set[TP]) -> set[TP]:
        """Those that are not to be read just now."""
        ...

    async def handle(self, batch: Batch) -> None:
        """Takes a batch in, and has it acknowledged once it is durable. Stops working on it when it is no longer current."""
        ...

    async def stop(self) -> None:
        """Gives connections back."""
        ...
