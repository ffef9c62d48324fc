"""One signals partition with its recovery: what is kept in Kafka, and how an analyzer is rebuilt from it after a crash.

Durable are the findings (open episodes with their counts), the facts (what has left the memory and still holds) and one progress record:
the next offset, and a *checkpoint*: an earlier offset before which no event was as new as anything still needed, with the watermarks as
they stood there. Recovery restores findings and facts, sets the checkpoint's watermarks, and feeds checkpoint to next silently: the
indexes fill, nothing opens, and open episodes fold what had been seen and not yet announced; what is older was judged with all of the
memory at hand, and is not judged again with the little that the refill has so far.

Writing order: findings, facts, progress, then Kafka offsets. Every write is safe to repeat. After a crash between the last two, facts may
be newer than where reading goes on, if event time has leapt by more than the memory: who is judged then would see the future. But such a
fact proves that all before it plus the memory had been judged, and that its findings are durable: that is not judged again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec

from models.analyzer import VERSION, Analyzer
from models.configuration import Analysis, fingerprint
from models.events import Event, Signal, Tick, key
from models.facts import decode_fact_key, encode_fact_key
from models.findings import Change, Finding
from models.stream_time import BEFORE_ALL, WatermarkState

MARKS = 32  # possible checkpoints within the horizon


class Checkpoint(msgspec.Struct, frozen=True):
    """An offset, the watermarks as they stood there, and the highest event time before it (ns)."""

    offset: int
    watermark: WatermarkState
    newest: int


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """One compacted record a partition: go on at `next`, after a refill from the checkpoint."""

    next: int
    checkpoint: Checkpoint
    watermark: WatermarkState  # as it stands at `next`, for people and for `interplay status`
    config: str
    version: str


_encode = msgspec.json.Encoder(order="deterministic").encode
_decoder: msgspec.json.Decoder[Progress] = msgspec.json.Decoder(Progress)


def encode_progress(progress: Progress) -> bytes:
    """One record of the progress topic; its key is the partition number."""
    return _encode(progress)


def decode_progress(raw: bytes) -> Progress:
    """The inverse of `encode_progress`. Raises msgspec.ValidationError or msgspec.DecodeError on anything else."""
    return _decoder.decode(raw)


class Stage:
    """An analyzer that can be rebuilt. `findings`, `facts` and `progress` are what the topics hold: the highest revision of each id,
    the last value of each key, the record with the highest `next`."""

    def __init__(
        self,
        settings: Analysis,
        partitions: Iterable[str],
        findings: Iterable[Finding] = (),
        facts: Iterable[tuple[str, Event]] = (),
        progress: Progress | None = None,
    ) -> None:
        self.settings = settings
        self.config = fingerprint(settings)
        checkpoint = progress.checkpoint if progress else None
        self.start = checkpoint.offset if checkpoint else 0
        self.next = progress.next if progress else 0
        self.config_changed = progress is not None and (progress.config, progress.version) != (self.config, VERSION)
        self.degraded = False
        self.analyzer = Analyzer(settings, tuple(partitions), checkpoint.watermark if checkpoint else None)
        if checkpoint:
            self.analyzer.timeline.newest = checkpoint.newest
        self._ring: deque[Checkpoint] = deque([self._mark(self.start)])
        self._written = self._marked = self.analyzer.timeline.watermark.held
        self._between = self._horizon() // MARKS  # ns between two marks
        self.analyzer.episodes.silent = self.start < self.next
        if progress:
            self.analyzer.episodes.announced = progress.watermark.held
        for name, event in sorted(facts, key=lambda item: key(item[1])):
            self.analyzer.domain(event.domain).restore(decode_fact_key(name), event)
            if progress is None or event.time > progress.watermark.held:
                self.analyzer.episodes.judged = event.time + settings.memory
        for finding in sorted(findings, key=lambda f: f.as_of):
            self.analyzer.episodes.restore(finding)

    def begin_at(self, offset: int) -> None:
        """The log starts later than the checkpoint (retention): what was between is gone, and the stage says so."""
        if offset > self.start:
            self.degraded = True
            self.start = offset
            self.next = max(self.next, offset)

    @property
    def refilling(self) -> bool:
        """Whether what is fed was already read before the restart."""
        return self.analyzer.episodes.silent

    def feed(self, offset: int, signal: Signal) -> list[Change]:
        """Takes in the record at `offset`; answers what is to be written to the findings topic."""
        if self.analyzer.episodes.silent and offset >= self.next:
            self.analyzer.episodes.silent = False
        changes = self.analyzer.feed(signal)
        if offset >= self.next:
            self.next = offset + 1
        if not isinstance(signal, Tick):
            return changes
        held = self.analyzer.timeline.watermark.held
        if held > self._marked + self._between:
            self._ring.append(self._mark(offset + 1))  # while refilling too, or every restart would reach further back
            self._marked = held
        return changes

    @property
    def watermark(self) -> int | None:
        """How far this partition is known (ns); None before anything is."""
        held = self.analyzer.timeline.watermark.held
        return None if held == BEFORE_ALL else held

    @property
    def holding(self) -> str:
        """What the watermark waits for."""
        return self.analyzer.timeline.watermark.holding()

    @property
    def counters(self) -> dict[str, int]:
        """See `Analyzer.counters`."""
        return self.analyzer.counters()

    @property
    def progress_due(self) -> bool:
        """A quarter of the shorter horizon has passed in event time: a backfill runs through hours in a second."""
        horizon = min(self.settings.window, self.settings.memory)
        return self.analyzer.timeline.watermark.held > self._written + horizon // 4

    def take_facts(self) -> list[tuple[str, Event | None]]:
        """Facts that changed since the last call, to be written before the progress record; None = tombstone."""
        return [
            (encode_fact_key(name), event)
            for domain in sorted(self.analyzer.domains)
            for name, event in self.analyzer.domains[domain].facts.take()
        ]

    def take_tombstones(self) -> list[str]:
        """Ids of findings that have been resolved for long enough to leave the topic."""
        return self.analyzer.episodes.take_resolved(self.analyzer.timeline.watermark.held - self.settings.tombstone)

    def progress(self) -> Progress:
        """The record to write once everything answered so far, and the facts, are durable."""
        timeline = self.analyzer.timeline
        needed = timeline.watermark.held - self._horizon()
        if timeline.oldest_pending is not None:
            needed = min(needed, timeline.oldest_pending)
        while len(self._ring) > 1 and self._ring[1].newest < needed:
            self._ring.popleft()
        self._written = timeline.watermark.held
        return Progress(
            next=self.next,
            checkpoint=self._ring[0],
            watermark=timeline.watermark.state(),
            config=self.config,
            version=VERSION,
        )

    def _horizon(self) -> int:
        """How far below the watermark a judgement may still look: the memory, the late link's effect a window before it, what is not yet
        announced, and the disorder."""
        settings = self.settings
        return (
            settings.memory
            + settings.window
            + max(0, settings.window - settings.memory)
            + 2 * settings.coalesce
            + settings.time.lateness
        )

    def _mark(self, offset: int) -> Checkpoint:
        timeline = self.analyzer.timeline
        return Checkpoint(offset, timeline.watermark.state(), timeline.newest)
