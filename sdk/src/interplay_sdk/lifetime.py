"""What the process does to living sinks and recorders: after a fork the child gets fresh locks, at exit what waits is sent.

The child of `multiprocessing` leaves without running exit handlers: close the recorder there.
"""

from __future__ import annotations

import atexit
import os
import time
from typing import Protocol
from weakref import WeakSet

EXIT_WITHIN_S = 2.0  # for all sinks together


class Forked(Protocol):
    """Something with a lock, which another thread may have held while the process forked."""

    def after_fork(self) -> None:
        """Runs in the child, before anything else does."""


class Closing(Protocol):
    """Something that sends what waits before the process ends."""

    def finish_by(self, deadline: float) -> None:
        """Takes no more; what waits is sent until `deadline` (time.monotonic()). Does not wait."""

    def close(self, timeout_s: float = 2.0) -> None:
        """The same, and waits."""


_forked: WeakSet[Forked] = WeakSet()
_closing: WeakSet[Closing] = WeakSet()


def survives_fork(thing: Forked) -> None:
    """`thing.after_fork` runs in every child from now on."""
    _forked.add(thing)


def closes_at_exit(thing: Closing) -> None:
    """`thing` is closed when the process ends."""
    _closing.add(thing)


def _after_fork() -> None:
    for thing in list(_forked):
        thing.after_fork()


def _at_exit() -> None:
    deadline = time.monotonic() + EXIT_WITHIN_S
    for sink in list(_closing):
        sink.finish_by(deadline)
    for sink in list(_closing):
        sink.close(max(0.0, deadline - time.monotonic()))


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
