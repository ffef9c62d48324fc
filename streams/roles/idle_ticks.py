"""Thins the ticks of a partition where nothing happens but time: each goes to all signals partitions.

The end of a partition is asked for some times a second. While nobody writes, a tick every `EVERY` is enough for whoever waits for it.
"""

from __future__ import annotations

from faust.types import TP

from models.events import Tick
from models.instants import SECOND

EVERY = SECOND // 2


class IdleTicks:
    """The newest tick of each partition that was to be written."""

    def __init__(self) -> None:
        self._last: dict[TP, Tick] = {}

    def forget(self) -> None:
        """Another assignment has begun: the first tick of each partition is due at once."""
        self._last.clear()

    def due(self, tp: TP, tick: Tick | None, idle: bool) -> Tick | None:
        """The tick where it is due. `idle`: neither was a record read nor does an event leave."""
        if tick is None:
            return None
        last = self._last.get(tp)
        if idle and last is not None and tick.mode == last.mode and tick.now < last.now + EVERY:
            return None
        self._last[tp] = tick
        return tick
