"""A simulated Kafka around the real reduce and analyze code: append-only logs, workers that crash anywhere, old owners that write on.

`Arrangement` says how one history reaches the log: how many source and signals partitions, who writes when, which faults. `play` runs it
and answers every revision that the findings topic ever held.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from models.configuration import Analysis
from models.events import Action, Event, Sample, Signal, decode_signal, encode_signal
from models.findings import Finding, Quality, decode_finding, encode_finding
from models.instants import HOUR, SECOND
from models.recovery import Progress, Stage, decode_progress, encode_progress
from models.reduction import ReduceProgress, Reducer

LATENESS = 10 * SECOND
SENTINEL = "sentinel"  # its last event pushes every watermark past the history


@dataclass(frozen=True)
class Arrangement:
    """How a history is written and read."""

    sources: int = 1
    signals: int = 1
    mode: str = "live"  # live | flush | slow | fast
    skew: float = 0.0  # chance that a poll of a partition reads only part of what is there
    crash: float = 0.0  # chance that a worker dies before a write
    zombie: float = 0.0  # chance that a dead worker's old self goes on writing for a while
    duplicates: float = 0.0
    altered: float = 0.0  # chance that an event is written again under the same time and id with other content
    empty: int = 0  # further source partitions that never get a record
    late: float = 0.0  # chance that an event comes a minute or more after its partition has moved on
    written: int = 0  # seed of what the source partitions hold
    seed: int = 0  # seed of how they are read
    step: float = 7.0  # seconds of the workers' clock between polls


@dataclass
class Log:
    """The topics."""

    sources: list[list[tuple[int, Event]]]
    signals: list[list[bytes]]
    findings: list[list[tuple[str, bytes | None]]] = field(default_factory=list)
    facts: list[list[tuple[str, bytes | None]]] = field(default_factory=list)
    progress: list[list[bytes]] = field(default_factory=list)
    reduced: dict[int, ReduceProgress] = field(default_factory=dict)
    begin: int = 0
    end: int = 0


def write(history: list[Event], plan: Arrangement) -> Log:
    """The source partitions: every event appended within the lateness of its partition, by the plan's mode."""
    rng = random.Random(plan.written)
    parts: list[list[Event]] = [[] for _ in range(plan.sources)]
    for event in history:
        part = rng.randrange(plan.sources)
        if isinstance(event, Sample):  # keyed by subject: a series stays in one partition
            part = random.Random(f"{plan.written} {event.resource}").randrange(plan.sources)
        parts[part].append(event)
        if rng.random() < plan.duplicates:
            parts[rng.randrange(plan.sources)].append(event)
        if rng.random() < plan.altered and isinstance(event, Action):
            parts[rng.randrange(plan.sources)].append(msgspec.structs.replace(event, new="altered"))
    begin, last = history[0].time, history[-1].time
    log = Log([], [[] for _ in range(plan.signals)], begin=begin)
    for number, part in enumerate(parts):
        end = Action(
            time=last + 30 * HOUR, source=f"z{number}", id="end", domain=SENTINEL, agent="z", verb="z", parameter="z", resource="z"
        )
        appended = sorted(((_append_time(event.time, begin, plan, rng), event) for event in [*part, end]), key=lambda item: item[0])
        if appended[0][0] - appended[0][1].time > LATENESS and plan.mode == "live":
            # a partition whose very first record is a straggler counts as a backfill; what comes back from a backfill's silence is
            # decided when reduce reads it (README, limits), so this is no subject for these properties
            appended[0] = (appended[0][1].time + SECOND, appended[0][1])
        log.sources.append(appended)
    log.sources += [[] for _ in range(plan.empty)]
    times = [at for part in log.sources for at, _ in part]
    log.begin, log.end = min(times), max(times)
    for topic in (log.findings, log.facts, log.progress):
        topic += [[] for _ in range(plan.signals)]  # type: ignore[arg-type]
    return log


def _append_time(time: int, begin: int, plan: Arrangement, rng: random.Random) -> int:
    disorder = int(rng.uniform(0, 0.9) * LATENESS)
    if rng.random() < plan.late:
        disorder += int(rng.uniform(30, 300) * SECOND)
    if plan.mode == "live":
        return time + disorder
    if plan.mode == "flush":  # an exporter that flushes every 8 s
        return (time // (8 * SECOND) + 1) * 8 * SECOND + rng.randrange(1000)
    later = begin + 40 * 24 * HOUR
    if plan.mode == "slow":  # days-old events, one second takes two to write
        return later + 2 * (time - begin) + disorder
    return later + (time - begin + disorder) // 500


class ReduceWorker:
    """One source partition's reducer, one write at a time."""

    def __init__(self, log: Log, number: int, settings: Analysis, progress: ReduceProgress | None) -> None:
        self.log, self.number = log, number
        self.reducer = Reducer(f"events/{number}", settings.time, progress)
        self.position = self.reducer.resume_offset

    def poll(self, now: int, part: float, rng: random.Random) -> Iterator[None]:
        records = self.log.sources[self.number]
        there = self.position
        while there < len(records) and records[there][0] <= now:
            there += 1
        take = there if rng.random() >= part else rng.randrange(self.position, there + 1)
        for offset in range(self.position, take):
            appended, event = records[offset]
            assert not self.reducer.feed(offset, appended, [event])
        self.position = take
        release = self.reducer.release(now, at_end=take == there)
        for event in release.events:
            yield
            self.log.signals[partition_of(event.domain, len(self.log.signals))].append(encode_signal(event))  # type: ignore[arg-type]
        if release.tick is not None:
            for signals in self.log.signals:
                yield
                signals.append(encode_signal(release.tick))
        if rng.random() < 0.4:
            yield
            self.log.reduced[self.number] = self.reducer.progress()


class AnalyzeWorker:
    """One signals partition's stage, recovered from the topics as they are now, one write at a time."""

    def __init__(self, log: Log, number: int, settings: Analysis, partitions: list[str]) -> None:
        self.log, self.number = log, number
        best: dict[str, Finding] = {}
        for name, raw in log.findings[number]:
            if raw is None:
                best.pop(name, None)
                continue
            finding = decode_finding(raw)
            if name not in best or best[name].revision < finding.revision:
                best[name] = finding
        facts: dict[str, Event] = {}
        for name, raw in log.facts[number]:
            if raw is None:
                facts.pop(name, None)
            else:
                signal = decode_signal(raw)
                assert isinstance(signal, Event)
                facts[name] = signal
        records = [decode_progress(raw) for raw in log.progress[number]]
        progress: Progress | None = max(records, key=lambda record: record.next, default=None)
        self.stage = Stage(settings, partitions, best.values(), facts.items(), progress)
        self.position = self.stage.start

    def poll(self, limit: int, rng: random.Random) -> Iterator[None]:
        records = self.log.signals[self.number]
        until = min(len(records), self.position + limit)
        while self.position < until:
            signal: Signal = decode_signal(records[self.position])
            for change in self.stage.feed(self.position, signal):
                yield
                self.log.findings[self.number].append((change.finding.finding_id, encode_finding(change.finding)))
            self.position += 1
            if self.stage.progress_due and not self.stage.refilling:
                yield from self.save()
        if rng.random() < 0.3 and not self.stage.refilling:
            yield from self.save()

    def save(self) -> Iterator[None]:
        for name, event in self.stage.take_facts():
            yield
            self.log.facts[self.number].append((name, None if event is None else encode_signal(event)))  # type: ignore[arg-type]
        yield
        self.log.progress[self.number].append(encode_progress(self.stage.progress()))
        for name in self.stage.take_tombstones():
            yield
            self.log.findings[self.number].append((name, None))


def partition_of(domain: str, count: int) -> int:
    return sum(domain.encode()) % count


class World:
    """All workers of one arrangement, stepped by one seeded hand."""

    def __init__(self, history: list[Event], plan: Arrangement, settings: Analysis) -> None:
        self.plan, self.settings = plan, settings
        self.rng = random.Random(plan.seed)
        self.log = write(history, plan)
        self.count = len(self.log.sources)
        self.names = [f"events/{number}" for number in range(self.count)]
        self.reducers = [ReduceWorker(self.log, number, settings, None) for number in range(self.count)]
        self.analyzers = [AnalyzeWorker(self.log, number, settings, self.names) for number in range(plan.signals)]
        self.zombies: list[tuple[Iterator[None], int]] = []
        self.crashes = 0

    def run(self) -> list[Finding]:
        plan, now = self.plan, self.log.begin
        step = int((plan.step if plan.mode in ("live", "flush") else 13 if plan.mode == "slow" else 0.05) * SECOND)
        while now < self.log.end:
            # a clock that jumps over quiet hours keeps the run short: nothing is appended in them
            upcoming = [
                part[w.position][0] for w, part in zip(self.reducers, self.log.sources, strict=True) if w.position < len(part)
            ]
            now = max(now + step, min(upcoming, default=0) - 2 * step)
            self._turn(now, plan.crash)
        for _ in range(3):
            now += 200 * SECOND
            self._turn(now, 0.0)
        self._drain(now)
        return self._findings()

    def _turn(self, now: int, crash: float) -> None:
        for number in range(self.count):
            worker = self.reducers[number]
            if not self._survives(worker.poll(now, self.plan.skew if crash or self.plan.skew else 0.0, self.rng), crash):
                self.reducers[number] = ReduceWorker(self.log, number, self.settings, self.log.reduced.get(number))
        for number in range(self.plan.signals):
            if self.rng.random() < 0.7:
                worker2 = self.analyzers[number]
                if not self._survives(worker2.poll(self.rng.choice([1, 20, 200]), self.rng), crash):
                    self.analyzers[number] = AnalyzeWorker(self.log, number, self.settings, self.names)
        for steps, _ in [self.zombies.pop() for _ in range(min(len(self.zombies), 1))]:
            for _ in zip(range(self.rng.randrange(1, 6)), steps, strict=False):
                pass

    def _survives(self, steps: Iterator[None], crash: float) -> bool:
        """Runs a worker's writes; false where it died before one of them. Its old self may write on later, beside the new one."""
        for _ in steps:
            if crash and self.rng.random() < crash:
                self.crashes += 1
                if self.rng.random() < self.plan.zombie:
                    self.zombies.append((steps, self.crashes))
                return False
        return True

    def _drain(self, now: int) -> None:
        everything = Arrangement(seed=1)
        for number in range(self.count):
            for _ in self.reducers[number].poll(now + 400 * SECOND, everything.skew, self.rng):
                pass
        for _ in range(2):
            for number in range(self.count):
                for _ in self.reducers[number].poll(now + 900 * SECOND, 0.0, self.rng):
                    pass
        for worker in self.analyzers:
            for _ in worker.poll(10**9, self.rng):
                pass

    def _findings(self) -> list[Finding]:
        return [decode_finding(raw) for part in self.log.findings for _, raw in part if raw is not None]


def revisions(findings: list[Finding]) -> dict[tuple[str, int], bytes]:
    """Every revision, without `quality`; asserts that a revision written twice says the same."""
    out: dict[tuple[str, int], bytes] = {}
    for finding in findings:
        if finding.domain == SENTINEL:
            continue
        raw = encode_finding(msgspec.structs.replace(finding, quality=Quality()))
        name = (finding.finding_id, finding.revision)
        assert out.setdefault(name, raw) == raw, f"{name} was written with two contents"
    return out
