"""Thins what a client says again and again while a broker is away: hundreds of lines a second otherwise."""

from __future__ import annotations

import logging
import time

AGAIN_S = 60.0


class OncePerMinute(logging.Filter):
    """Lets one line of each kind, which is its place in the source, through in a minute, from the loggers below `names`."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self._names = names
        self._told: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is to be said."""
        if record.name.partition(".")[0] not in self._names:
            return True
        kind, now = (record.pathname, record.lineno), time.monotonic()
        if now - self._told.get(kind, -AGAIN_S) < AGAIN_S:
            return False
        self._told[kind] = now
        return True
