"""The topics: what `interplay init` creates and checks, and the pinned map of source partitions that the analyzer waits for.

What is there and wrong is refused, never repaired: changing a live topic's partitions or retention is a decision of its owner.
"""

from __future__ import annotations

import asyncio

import msgspec
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from models.instants import format_duration
from streams.kafka_client import (
    MILLISECOND,
    KafkaTrouble,
    TopicsMissing,
    client_options,
    explain,
    producer,
    reach,
    read_all,
    trouble,
)
from streams.settings import Settings, source_topics, topic
from streams.sources.kinds import KINDS

MAP_KEY = b"map"
READERS_LAG_MS = 3_600_000  # every revision stays for so long: a backfill opens, resolves and tombstones within a second
SOURCE_RECORD_LIMITS = 16  # source topics take records so many times our limit, so that they can become dead letters
ENVELOPE = 64 * 1024  # a finding, a fact or a dead letter may be so much larger than the record it comes from
CREATED_WITHIN_MS = 30_000
EXISTS = 36  # Kafka's error code TOPIC_ALREADY_EXISTS


class PinnedMap(msgspec.Struct, frozen=True):
    """Which source partitions there are. Changing it: drain, `interplay init`, restart; `version` counts."""

    version: int
    sources: dict[str, int]  # full topic name -> partitions
    signals: int

    def partitions(self) -> tuple[str, ...]:
        """Names of all source partitions, "topic/number"."""
        return tuple(partition_name(name, number) for name in sorted(self.sources) for number in range(self.sources[name]))


class Spec(msgspec.Struct, frozen=True):
    """One topic as we want it."""

    name: str
    partitions: int
    config: dict[str, str]


_decode_map = msgspec.json.Decoder(PinnedMap).decode


def partition_name(name: str, number: int) -> str:
    """How ticks and progress records name a source partition."""
    return f"{name}/{number}"


def specs(settings: Settings) -> list[Spec]:
    """All topics. Those that follow the signals topic have its number of partitions."""
    topics = settings.topics
    retained = {"cleanup.policy": "delete", "retention.ms": str(topics.retention // MILLISECOND)}
    appended = {**retained, "message.timestamp.type": "LogAppendTime"}  # old event times must not trip retention
    compacted = {"cleanup.policy": "compact"}
    room = str(topics.record_limit + ENVELOPE)
    source = {**appended, "max.message.bytes": str(SOURCE_RECORD_LIMITS * topics.record_limit)}
    found = [Spec(topic(settings, name), topics.source_partitions, source) for name in topics.sources]
    found += [Spec(each.topic, each.partitions, source) for each in settings.source]
    found.append(Spec(topic(settings, "signals"), topics.signals_partitions, {**appended, "max.message.bytes": room}))
    for name in ("findings", "facts", "progress"):
        config = {**compacted, "max.message.bytes": room}
        if name == "findings":
            config["min.compaction.lag.ms"] = str(READERS_LAG_MS)
        found.append(Spec(topic(settings, name), topics.signals_partitions, config))
    found.append(Spec(topic(settings, "reduce-progress"), 1, compacted))
    found.append(Spec(topic(settings, "map"), 1, compacted))
    found.append(Spec(topic(settings, "dead-letters"), 1, {**retained, "max.message.bytes": room}))
    return found


async def init_topics(settings: Settings, told: list[str] | None = None) -> list[str]:
    """Creates what is missing, checks what is there, pins the map; safe to repeat. Answers what was done, a line each.

    `told` takes these lines as things are done, for who wants them where it raises KafkaTrouble, with a line for each thing wrong.
    """
    told = [] if told is None else told
    await reach(settings.kafka)
    admin = AIOKafkaAdminClient(**client_options(settings.kafka), request_timeout_ms=CREATED_WITHIN_MS)
    try:
        await admin.start()
        await _create(admin, settings, told)
        counts = await _partition_counts(admin)
        configs, unknown = await _configs(admin, [spec.name for spec in specs(settings)])
    except KafkaError as error:
        raise KafkaTrouble(explain(error, settings.kafka)) from error
    finally:
        await admin.close()
    wrong = _mismatches(settings, counts, configs)
    if wrong:
        raise KafkaTrouble("\n".join(wrong))
    if unknown:
        told.append(f"this broker does not tell the configuration of {len(unknown)} topics: retention and compaction are unchecked")
    told.append(await _pin(settings, counts))
    return told


async def _create(admin: AIOKafkaAdminClient, settings: Settings, told: list[str]) -> None:
    existing = await _partition_counts(admin)
    missing = [spec for spec in specs(settings) if spec.name not in existing]
    told += [_there(settings, spec, existing[spec.name]) for spec in specs(settings) if spec.name in existing]
    if missing:
        new = [NewTopic(s.name, s.partitions, settings.topics.replication, topic_configs=s.config) for s in missing]
        response = await admin.create_topics(new, timeout_ms=CREATED_WITHIN_MS)
        for name, code, *reason in response.topic_errors:
            if code not in (0, EXISTS):
                raise KafkaTrouble(f"topic {name} cannot be created: {for_code(code).__name__} {' '.join(map(str, reason))}")
            told.append(f"topic {name} created")
        await _wait_for(admin, {spec.name for spec in missing})


def _there(settings: Settings, spec: Spec, there: int) -> str:
    if there == spec.partitions or spec.partitions == 1 or spec.name in {source.topic for source in settings.source}:
        return f"topic {spec.name} is there"
    sources = {topic(settings, name) for name in settings.topics.sources}
    name = "source_partitions" if spec.name in sources else "signals_partitions"
    return f"topic {spec.name} is there, with {_partitions(there)} (topics.{name} = {spec.partitions})"


def _partitions(count: int) -> str:
    return f"{count} partition{'' if count == 1 else 's'}"


async def _wait_for(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """A created topic appears in the brokers' metadata a moment later."""
    for _ in range(100):
        if names <= set(await admin.list_topics()):
            return
        await asyncio.sleep(0.1)
    raise KafkaTrouble(f"topics were created and do not appear: {', '.join(sorted(names))}; is the cluster healthy?")


async def _partition_counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    return {found["topic"]: len(found["partitions"]) for found in await admin.describe_topics()}


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    """The configuration of each topic, and the topics of which the broker does not tell it (the embedded one may not)."""
    found: dict[str, dict[str, str]] = {}
    try:
        responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    except KafkaError:
        return {}, names
    for response in responses:
        for code, _, _, name, entries in response.resources:
            if code == 0:
                found[name] = {entry[0]: entry[1] for entry in entries if entry[1] is not None}
    return found, [name for name in names if not found.get(name)]


def _mismatches(settings: Settings, counts: dict[str, int], configs: dict[str, dict[str, str]]) -> list[str]:
    wrong = []
    followers = {topic(settings, name) for name in ("findings", "facts", "progress")}
    signals = counts[topic(settings, "signals")]
    analysis = settings.analysis
    horizon = max(analysis.memory, 2 * analysis.window) // MILLISECOND
    looked_back = {each.topic: 2 * KINDS[each.kind].pane(settings) // MILLISECOND for each in settings.source}  # as `models.panes`
    for spec in specs(settings):
        there, config = counts[spec.name], configs.get(spec.name, {})
        if spec.name in followers and there != signals:
            wrong.append(f"topic {spec.name} has {_partitions(there)} and signals has {signals}: they must be equal; recreate it")
        if spec.name.endswith((".reduce-progress", ".map")) and there != 1:
            wrong.append(f"topic {spec.name} has {_partitions(there)}, it must have 1: recreate it")
        for name, wanted in spec.config.items():
            value = config.get(name)
            if value is None or value == wanted or name == "min.compaction.lag.ms":
                continue
            if name == "retention.ms":
                needed = max(horizon, looked_back.get(spec.name, 0))
                if 0 <= int(value) < needed:
                    wrong.append(
                        f"topic {spec.name} keeps {_span(int(value))}, less than the memory of {_span(needed)}: raise retention.ms"
                    )
            elif name == "max.message.bytes":
                if int(value) < settings.topics.record_limit:
                    wrong.append(f"topic {spec.name} takes {value} bytes, less than topics.record_limit: raise max.message.bytes")
            else:
                wrong.append(
                    f"topic {spec.name} has {name}={value}, it must be {wanted}: kafka-configs.sh --bootstrap-server "
                    f"{settings.kafka.bootstrap} --alter --entity-type topics --entity-name {spec.name} --add-config {name}={wanted}"
                )
    return wrong


def _span(milliseconds: int) -> str:
    return format_duration(milliseconds * MILLISECOND)


async def _pin(settings: Settings, counts: dict[str, int]) -> str:
    sources = {name: counts[name] for name in source_topics(settings)}
    old = await read_map(settings)
    wanted = PinnedMap(old.version if old else 1, sources, counts[topic(settings, "signals")])
    if old == wanted:
        return f"the map of {len(wanted.partitions())} source partitions is pinned, version {wanted.version}"
    if old is not None:
        wanted = msgspec.structs.replace(wanted, version=old.version + 1)
    async with producer(settings) as client:
        await client.send_and_wait(topic(settings, "map"), msgspec.json.encode(wanted), key=MAP_KEY, partition=0)
    return f"pinned the map of {len(wanted.partitions())} source partitions, version {wanted.version}; restart the workers"


async def read_map(settings: Settings) -> PinnedMap | None:
    """The newest pinned map, or None before `interplay init`."""
    found: PinnedMap | None = None
    async for _, records, _ in read_all(settings.kafka, [TopicPartition(topic(settings, "map"), 0)]):
        for record in records:
            found = found if record.value is None else _decode_map(record.value)
    return found


async def checked_map(settings: Settings) -> PinnedMap:
    """The pinned map, as the topics stand now. Raises KafkaTrouble, in one line, where there is none or the topics have changed."""
    await reach(settings.kafka)
    admin = AIOKafkaAdminClient(**client_options(settings.kafka))
    try:
        await admin.start()
        counts = await _partition_counts(admin)
    except KafkaError as error:
        raise trouble(error, settings.kafka) from error
    finally:
        await admin.close()
    missing = [spec.name for spec in specs(settings) if spec.name not in counts]
    if missing:
        raise TopicsMissing(f"Kafka at {settings.kafka.bootstrap} has no topic {missing[0]}: run interplay init")
    found = await read_map(settings)
    if found is None:
        raise KafkaTrouble(f"the map of source partitions is not pinned in {topic(settings, 'map')}: run interplay init")
    for name in sorted({*source_topics(settings), *found.sources}):
        pinned, there = found.sources.get(name, 0), counts.get(name, 0)
        if pinned != there:
            raise KafkaTrouble(
                f"topic {name} has {there} partitions, the pinned map says {pinned}: drain, run interplay init, restart"
            )
    signals = counts[topic(settings, "signals")]
    if signals != found.signals:
        raise KafkaTrouble(
            f"topic {topic(settings, 'signals')} has {signals} partitions, the pinned map says {found.signals}: recreate it"
        )
    return found
