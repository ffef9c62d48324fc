"""Collects a report from Kafka, without the workers. Each part may fail alone; what failed becomes a sentence of the report."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from msgspec import UNSET, MsgspecError

from models.events import Action, Tick, decode_signal
from models.findings import Finding, decode_finding
from models.instants import MINUTE, parse_time
from models.recovery import Progress, decode_progress
from models.stream_time import BEFORE_ALL
from models.stream_time import Watermark as Minimum
from streams.kafka_client import client_options, reach
from streams.settings import ROLES, Role, Settings, source_topics, topic
from streams.status.facts import Coverage, DeadLetters, OpenFindings, Report, RoleLag, Source, Watermark
from streams.status.log import Log, MissingTopic

TAILS = (5_000, 100_000)  # newest signals read per partition; the longer one where the shorter holds few actions
ENOUGH_ACTIONS = 200
PROGRESS_TAIL = 20
LETTERS_TAIL = 100
PATIENCE_S = 15.0
RECENT = 15 * MINUTE
TITLES = 10
MILLISECOND = 1_000_000

T = TypeVar("T")


async def read_report(settings: Settings, now: int) -> Report:
    """Everything that Kafka tells at `now` (ns). Raises KafkaTrouble where no broker answers or lets us in."""
    await reach(settings.kafka)
    options = client_options(settings.kafka)
    consumer = AIOKafkaConsumer(**options, enable_auto_commit=False, fetch_max_wait_ms=100, request_timeout_ms=10_000)
    admin = AIOKafkaAdminClient(**options, request_timeout_ms=10_000)
    try:
        await asyncio.wait_for(consumer.start(), PATIENCE_S)
        await asyncio.wait_for(admin.start(), PATIENCE_S)
        log = Log(consumer, admin)
        await log.look()
        return await _collect(log, settings, now)
    finally:
        await admin.close()
        await consumer.stop()


async def _collect(log: Log, settings: Settings, now: int) -> Report:
    troubles: dict[str, list[str]] = {}  # reason -> what cannot be told because of it

    async def part(name: str, reading: Awaitable[T], otherwise: T) -> T:
        try:
            return await asyncio.wait_for(reading, PATIENCE_S)
        except MissingTopic as missing:
            troubles.setdefault(str(missing), []).append(name)
        except (KafkaError, TimeoutError, MsgspecError) as error:
            troubles.setdefault(f"{type(error).__name__} {error}".strip() + ".", []).append(name)
        return otherwise

    nothing: tuple[tuple[Source, ...], Coverage | None] = ((), None)
    lags = [await part(f"how far the role {role} is", _lag(log, settings, role, now), None) for role in ROLES]
    watermarks = await part("the watermark", _watermarks(log, settings), ())
    sources, coverage = await part("what the events carry", _signals(log, settings), nothing)
    return Report(
        now=now,
        lags=tuple(lag for lag in lags if lag is not None),
        watermarks=watermarks,
        sources=sources,
        coverage=coverage,
        dead_letters=await part("what was refused", _dead_letters(log, settings, now), None),
        findings=await part("what was found", _findings(log, settings), None),
        store=_store(settings),
        troubles=tuple(_untold(names, reason) for reason, names in troubles.items()),
    )


def _untold(names: list[str], reason: str) -> str:
    said = ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
    return f"{said[0].upper()}{said[1:]} cannot be told: {reason}"


def _store(settings: Settings) -> str:
    store = settings.clickhouse
    return f"the store in {store.path}" if store.path else f"ClickHouse at {store.host}:{store.port}"


async def _lag(log: Log, settings: Settings, role: Role, now: int) -> RoleLag | None:
    reads = {"analyze": ("signals",), "store": ("signals", "findings"), "alert": ("findings",)}
    names = source_topics(settings) if role == "reduce" else [topic(settings, name) for name in reads[role]]
    ends, begins = await log.ends(names), await log.begins(names)
    group = topic(settings, role)
    committed = await log.committed(group, names)
    unread = {tp: max(begins[tp], committed.get(tp, 0)) for tp in ends if ends[tp] > max(begins[tp], committed.get(tp, 0))}
    oldest = [record.timestamp * MILLISECOND for record in await log.first_at(unread)]
    return RoleLag(
        role=role,
        partitions=len(ends),
        begun=sum(tp in committed for tp in ends),
        lag=sum(ends[tp] - at for tp, at in unread.items()),
        oldest=max(0, now - min(oldest)) if oldest else None,
        members=await log.members(group),
    )


async def _watermarks(log: Log, settings: Settings) -> tuple[Watermark, ...]:
    name = topic(settings, "progress")
    newest: dict[int, tuple[Progress, int]] = {}
    missing = {tp.partition for tp in log.partitions(name)}
    for length in (PROGRESS_TAIL, None):  # compaction leaves gaps: where the tail is empty, the record lies further back
        async for record in log.tail([name], length):
            if record.value is not None:
                newest[record.partition] = decode_progress(record.value), record.timestamp * MILLISECOND
        missing -= newest.keys()
        if not missing:
            break
    return tuple(_watermark(settings, number, *newest[number]) for number in sorted(newest))


def _watermark(settings: Settings, partition: int, progress: Progress, written: int) -> Watermark:
    state = progress.watermark
    minimum = Minimum(tuple(state.partitions), settings.analysis.time, state)
    held = None if state.held == BEFORE_ALL else state.held
    return Watermark(partition=partition, held=held, holding=minimum.holding(), written=written)


class _Signals:
    """Counts what the newest signals carry."""

    def __init__(self) -> None:
        self.ticks: dict[str, Tick] = {}
        self.counts: Counter[str] = Counter()
        self.agents: set[str] = set()
        self.newest: int | None = None

    def add(self, raw: bytes) -> None:
        signal = decode_signal(raw)
        self.counts["signals"] += 1
        if isinstance(signal, Tick):
            known = self.ticks.get(signal.partition)
            if known is None or signal.now >= known.now:
                self.ticks[signal.partition] = signal
            return
        self.counts["events"] += 1
        self.counts["late"] += signal.late
        self.newest = signal.time if self.newest is None else max(self.newest, signal.time)
        if isinstance(signal, Action):
            self.agents.add(signal.agent)
            self.counts["actions"] += 1
            self.counts["with_old"] += signal.old is not UNSET
            self.counts["with_reads"] += bool(signal.reads)
            self.counts["with_causes"] += bool(signal.causes)


async def _signals(log: Log, settings: Settings) -> tuple[tuple[Source, ...], Coverage | None]:
    name = topic(settings, "signals")
    seen = _Signals()
    for length in TAILS:
        seen = _Signals()
        async for record in log.tail([name], length):
            if record.value is not None:
                seen.add(record.value)
        if seen.counts["actions"] >= ENOUGH_ACTIONS or seen.counts["signals"] < length:
            break
    sources = tuple(
        Source(partition=tick.partition, mode=tick.mode, watermark=tick.watermark, delay=tick.delay, told=tick.now)
        for tick in sorted(seen.ticks.values(), key=lambda tick: tick.partition)
    )
    return sources, Coverage(**seen.counts, agents=len(seen.agents), newest=seen.newest)


async def _findings(log: Log, settings: Settings) -> OpenFindings | None:
    latest: dict[str, Finding] = {}
    gone: set[str] = set()
    async for record in log.tail([topic(settings, "findings")], None):
        if record.value is None:
            gone.add(key := (record.key or b"").decode())
            latest.pop(key, None)
            continue
        finding = decode_finding(record.value)
        known = latest.get(finding.finding_id)
        if known is None or finding.revision >= known.revision:
            latest[finding.finding_id] = finding
    current = sorted((f for f in latest.values() if f.status == "open"), key=lambda f: parse_time(f.started_at), reverse=True)
    return OpenFindings(
        open=dict(Counter(f"{finding.pattern}/{finding.kind}" for finding in current)),
        titles=tuple(finding.title for finding in current[:TITLES]),
        resolved=len(latest) - len(current),
        gone=len(gone - latest.keys()),
    )


async def _dead_letters(log: Log, settings: Settings, now: int) -> DeadLetters | None:
    name = topic(settings, "dead-letters")
    ends, begins = await log.ends([name]), await log.begins([name])
    reasons: Counter[str] = Counter()
    async for record in log.tail([name], LETTERS_TAIL):
        reasons[dict(record.headers).get("reason", b"without a reason").decode("utf-8", "replace")] += 1
    return DeadLetters(
        kept=sum(ends[tp] - begins[tp] for tp in ends),
        recent=await log.since(name, (now - RECENT) // MILLISECOND),
        reasons=dict(reasons),
    )
