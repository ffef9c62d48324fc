"""What an alert target is: something that takes notices and says which of them it will never take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from streams.alerts.message import Notice


class Unreachable(Exception):
    """A target is away, too slow, or refusing us, and trying again is right. The text is one line: what, where, what to do."""


class Target(Protocol):
    """Where alerts go. A notice may be sent any number of times: a target tells repeats by `finding_id` alone."""

    @property
    def name(self) -> str:
        """Its key in TARGETS."""
        ...

    async def send(self, notices: Sequence[Notice], now_ns: int) -> dict[str, str]:
        """Delivers all, and answers why for each finding_id refused for good. Unreachable if any may still come through."""
        ...

    async def close(self) -> None:
        """Gives connections back. A later `send` opens them again."""
        ...
