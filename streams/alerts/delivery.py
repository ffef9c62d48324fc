"""Bringing notices to one target: what is due, again and again while it is open, and for a while after it ended.

Memory is one notice per finding, however long the target is away: a newer revision replaces the one that waits.
"""

from __future__ import annotations

import asyncio
import logging

from models.instants import MINUTE, SECOND
from streams.alerts.message import Notice
from streams.alerts.target import Target, Unreachable

KEEP_RESOLVED = 15 * MINUTE  # the end is told so long, in case the target was away or forgot
BACKOFF_FIRST = SECOND
BACKOFF_LIMIT = 30 * SECOND

log = logging.getLogger(__name__)


class _Waiting:
    """A notice with when it is due next (ns) and whether the target has answered to this revision."""

    __slots__ = ("answered", "due_ns", "notice", "refused")

    def __init__(self, notice: Notice) -> None:
        self.notice = notice
        self.due_ns = 0
        self.answered = False
        self.refused = False


class Delivery:
    """The notices of one target. Not for use from two threads; two ticks at a time are one."""

    def __init__(self, target: Target, resend_ns: int) -> None:
        self.target = target
        self.counters = {"sent": 0, "refused": 0, "failed": 0}
        self.trouble = ""  # the line about what is wrong with the target now
        self._resend_ns = resend_ns
        self._notices: dict[str, _Waiting] = {}
        self._backoff = 0
        self._next_try_ns = 0
        self._busy = asyncio.Lock()

    def offer(self, notice: Notice) -> None:
        """Has it sent at the next tick."""
        self._notices[notice.finding_id] = _Waiting(notice)

    def forget(self, finding_id: str) -> None:
        """Sends nothing more of it: an alert that fires at the target ends there when its `endsAt` comes."""
        self._notices.pop(finding_id, None)

    def settled(self, finding_id: str, revision: int) -> bool:
        """Whether the target has answered to this revision or a newer one, or nothing of it was offered."""
        waiting = self._notices.get(finding_id)
        return waiting is None or waiting.answered or waiting.notice.revision < revision

    @property
    def firing(self) -> int:
        """How many alerts stand open at the target, or should."""
        return sum(1 for waiting in self._notices.values() if waiting.notice.ended_ns is None and not waiting.refused)

    @property
    def pending(self) -> int:
        """How many notices the target has not yet answered to."""
        return sum(1 for waiting in self._notices.values() if not waiting.answered)

    async def tick(self, now_ns: int) -> None:
        """Sends what is due at `now_ns`. Trouble with the target is logged once, counted, and tried again with backoff."""
        if self._busy.locked():
            return
        async with self._busy:
            due = [waiting for waiting in self._notices.values() if not waiting.refused and waiting.due_ns <= now_ns]
            if not due or now_ns < self._next_try_ns:
                return
            try:
                refused = await self.target.send([waiting.notice for waiting in due], now_ns)
            except Unreachable as error:
                self._failed(now_ns, str(error))
                return
            self._delivered(due, refused, now_ns)

    def _delivered(self, due: list[_Waiting], refused: dict[str, str], now_ns: int) -> None:
        if self.trouble:
            log.warning("%s: answers again", self.target.name)
        self.trouble, self._backoff = "", 0
        for waiting in due:
            finding_id, ended_ns = waiting.notice.finding_id, waiting.notice.ended_ns
            waiting.answered, waiting.due_ns = True, now_ns + self._resend_ns
            if finding_id in refused:
                # Not tried again before its next revision: it would make every resend a refused batch.
                waiting.refused = True
                self.counters["refused"] += 1
                log.error("%s: refuses finding %s: %s", self.target.name, finding_id, refused[finding_id])
            else:
                self.counters["sent"] += 1
            done = ended_ns is not None and (waiting.refused or now_ns >= ended_ns + KEEP_RESOLVED)
            # While we were sending, a newer revision may have taken its place: that one stays.
            if done and self._notices.get(finding_id) is waiting:
                del self._notices[finding_id]

    def _failed(self, now_ns: int, trouble: str) -> None:
        self.counters["failed"] += 1
        self._backoff = min(self._backoff * 2 or BACKOFF_FIRST, BACKOFF_LIMIT)
        self._next_try_ns = now_ns + self._backoff
        if trouble != self.trouble:
            log.warning("%s", trouble)
        self.trouble = trouble
