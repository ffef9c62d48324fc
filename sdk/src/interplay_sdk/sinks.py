"""Where events go: what a sink is, and the JSONL file for tests. `kafka` has the real one. Sinks neither raise nor wait."""

from __future__ import annotations

import io
import logging
import os
import threading
from pathlib import Path
from typing import Protocol

from interplay_sdk.lifetime import survives_fork

logger = logging.getLogger("interplay_sdk")


class Sink(Protocol):
    """Takes finished events, and counts them by what became of them."""

    @property
    def sent(self) -> int:
        """Written, or acknowledged by the broker."""

    @property
    def dropped(self) -> int:
        """Gone for want of room or time."""

    @property
    def failed(self) -> int:
        """Refused for good: too large, or the file cannot be written."""

    def put(self, key: str, value: bytes, sample: bool = False) -> None:
        """Takes one event, at once. A sample is the first to go when there is too much."""

    def flush(self, timeout_s: float = 2.0) -> bool:
        """Waits, at most so long, until nothing waits to be sent; False where something still does."""

    def close(self, timeout_s: float = 2.0) -> None:
        """Sends what waits, for at most so long; what is put later is dropped."""


class JsonlSink:
    """One event per line, appended, each written at once. For tests, and for `interplay analyze`. Threads and forks may share it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.sent = self.dropped = self.failed = 0
        self._path = Path(path)
        self._file: io.RawIOBase | None = None
        self._closed = False
        survives_fork(self)
        self.after_fork()

    def after_fork(self) -> None:
        """Another thread may have held the parent's lock."""
        self._lock = threading.Lock()

    def put(self, key: str, value: bytes, sample: bool = False) -> None:
        """Writes one line."""
        with self._lock:
            if self._closed:
                self.dropped += 1
                return
            try:
                self._write(value + b"\n")
                self.sent += 1
            except OSError as error:  # no such directory, disk full
                self.failed += 1
                if self.failed == 1:
                    logger.warning("interplay: cannot write %s: %s; further errors are only counted", self._path, error)

    def _write(self, line: bytes) -> None:
        if self._file is None:
            self._file = self._path.open("ab", buffering=0)
        rest = memoryview(line)
        while rest:  # an unbuffered file may take less than it is given
            rest = rest[self._file.write(rest) or 0 :]

    def flush(self, timeout_s: float = 2.0) -> bool:
        """Nothing ever waits."""
        return True

    def close(self, timeout_s: float = 2.0) -> None:
        """Closes the file."""
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()
