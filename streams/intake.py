"""Events from files into the analyzer while they are read, so that memory does not grow with the files.

A file is not the log of a broker: it says nothing of when its lines came, so how far it is known can only be guessed from its order.
The newest HOLD events wait, whatever their times are, and so does everything within the lateness of the newest. So any file of up to
HOLD events is analysed as if all of it were known at once, in whatever order it is; in a longer one an event is late, is counted, and
is left out only if it is older than the lateness allows *and* older than all of the HOLD events that wait.

    order of the file     ... e7 e8 e9 [ e10 e11 ... e(HOLD+9) ] <- read next
    known, analysed ----------------^    waiting, sorted by time

Several files are read side by side (`streams.sources.together`), so that each has to be in order only by itself.
"""

from __future__ import annotations

import heapq
from typing import TypeAlias

from msgspec.structs import replace

from models.analyzer import Analyzer
from models.events import Action, Dependency, Intent, Sample, Tick, Transition, Verdict
from models.findings import Change
from models.remarks import Remarks
from models.stream_time import BEFORE_ALL

HOLD = 100_000  # events that wait; about 100 MB
STEP = 5_000  # events between two moves of the watermark

Analysed: TypeAlias = Action | Sample | Transition | Dependency | Intent | Verdict


class Intake:
    """Feeds one analyzer, whose only partition is `partition`."""

    def __init__(self, analyzer: Analyzer, hold: int = HOLD, step: int = STEP, partition: str = "file/0") -> None:
        self.late = 0
        self._analyzer = analyzer
        self._hold = hold
        self._step = step
        self._partition = partition
        self._times: list[int] = []  # of the events that wait, a heap
        self._highest = self._known = BEFORE_ALL

    def feed(self, event: Analysed) -> list[Change]:
        """Takes in one event; answers what changed if the watermark moved."""
        if event.time < self._known:
            self.late += 1
            return self._analyzer.feed(replace(event, late=True))
        self._highest = max(self._highest, event.time)
        heapq.heappush(self._times, event.time)
        self._analyzer.feed(event)
        return self._advance() if len(self._times) >= self._hold + self._step else []

    def finish(self) -> list[Change]:
        """The input has ended."""
        return self._analyzer.finish()

    @property
    def remarks(self) -> Remarks:
        """What is right as it is, and worth knowing."""
        return self._analyzer.remarks

    def counters(self) -> dict[str, int]:
        """The analyzer's."""
        return self._analyzer.counters()

    def _advance(self) -> list[Change]:
        for _ in range(self._step):
            oldest = heapq.heappop(self._times)
        known = min(oldest, self._highest - self._analyzer.settings.time.lateness)
        if known <= self._known:
            return []
        self._known = known
        changes = self._analyzer.feed(Tick(partition=self._partition, watermark=known, mode="data"))
        for domain in self._analyzer.domains.values():
            domain.facts.take()  # nobody writes them down here: what they changed must not pile up
        self._analyzer.episodes.take_resolved(known)  # nor is there a topic that findings leave
        return changes
