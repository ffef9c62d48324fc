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

    async def assigned(self, partitions: set[TP]) -> Mapping[TP, int] | None:
        """Rebuilds the state of partitions that are ours from now on, answers where to read; None: at the committed offsets."""
        ...

    def held_back(self, partitions: set[TP]) -> set[TP]:
        """Those that are not to be read just now."""
        ...

    async def handle(self, batch: Batch) -> bool:
        """Takes a batch to where it is durable; false where it became stale on the way, and is not to be acknowledged."""
        ...

    async def stop(self) -> None:
        """Gives connections back."""
        ...
