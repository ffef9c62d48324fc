"""Decides whether a worker has stalled: it has lag and hands on nothing. Then it is better ended and started again.

A kill is safe at any moment, so this needs no cure but the end. A store that is away is no stall: its role waits, and says so.
"""

from __future__ import annotations

from models.instants import SECOND


class Watchdog:
    """Fed with the time (ns, monotonic), how many records wait, and a number that grows with each one handled."""

    def __init__(self, timeout: int) -> None:
        self._timeout = timeout
        self._seen: int | None = None
        self._since = 0

    def stalled(self, now: int, lag: int, handled: int, excused: bool = False) -> str | None:
        """The reason to end the worker, in one line; None while it is well. `excused`: it waits for something that it names itself."""
        if handled != self._seen or lag == 0 or excused:
            self._seen, self._since = handled, now
            return None
        idle = now - self._since
        if idle < self._timeout:
            return None
        return (
            f"{lag} records wait and none was handled for {idle // SECOND} s: this worker has stalled and ends, to be started again"
        )
