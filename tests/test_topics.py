"""`init_topics` against a broker: it creates, repeats, refuses, and pins the map."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from models.instants import MINUTE
from streams.kafka_client import KafkaTrouble, client_options
from streams.settings import Settings, SourceTopic, topic
from streams.topics import checked_map, init_topics

pytestmark = pytest.mark.kafka


async def create(settings: Settings, name: str, partitions: int, **config: str) -> None:
    admin = AIOKafkaAdminClient(**client_options(settings.kafka))
    await admin.start()
    await admin.create_topics(
        [NewTopic(topic(settings, name), partitions, 1, topic_configs={k.replace("_", "."): v for k, v in config.items()})]
    )
    await admin.close()


def test_it_creates_and_is_safe_to_repeat(kafka_settings: Settings) -> None:
    first = asyncio.run(init_topics(kafka_settings))
    assert sum("created" in line for line in first) == 9
    again = asyncio.run(init_topics(kafka_settings))
    assert not any("created" in line for line in again)
    assert "the map of 4 source partitions is pinned, version 1" in again
    pinned = asyncio.run(checked_map(kafka_settings))
    assert pinned.partitions() == tuple(
        sorted(f"{topic(kafka_settings, name)}/{n}" for name in ("events", "telemetry") for n in (0, 1))
    )


def test_unequal_partition_counts_are_refused(kafka_settings: Settings) -> None:
    asyncio.run(create(kafka_settings, "findings", 3, cleanup_policy="compact"))
    with pytest.raises(KafkaTrouble, match="findings has 3 partitions and signals has 2: they must be equal"):
        asyncio.run(init_topics(kafka_settings))


def test_what_is_there_with_other_partitions_and_what_was_created_are_told(kafka_settings: Settings) -> None:
    asyncio.run(create(kafka_settings, "telemetry", 1, message_timestamp_type="LogAppendTime"))
    asyncio.run(create(kafka_settings, "facts", 2, cleanup_policy="delete"))
    told: list[str] = []
    with pytest.raises(KafkaTrouble):
        asyncio.run(init_topics(kafka_settings, told))
    assert f"topic {topic(kafka_settings, 'telemetry')} is there, with 1 partition (topics.source_partitions = 2)" in told
    assert f"topic {topic(kafka_settings, 'facts')} is there" in told
    assert sum("created" in line for line in told) == 7


def test_a_topic_without_compaction_is_refused(kafka_settings: Settings) -> None:
    asyncio.run(create(kafka_settings, "facts", 2, cleanup_policy="delete"))
    with pytest.raises(KafkaTrouble, match=r"facts has cleanup.policy=delete, it must be compact"):
        asyncio.run(init_topics(kafka_settings))


def test_retention_below_the_memory_is_refused(kafka_settings: Settings) -> None:
    asyncio.run(create(kafka_settings, "signals", 2, retention_ms="60000", message_timestamp_type="LogAppendTime"))
    with pytest.raises(KafkaTrouble, match="keeps 1m, less than the memory of 2h"):
        asyncio.run(init_topics(kafka_settings))
    short = msgspec.structs.replace(kafka_settings.analysis, memory=MINUTE // 2, window=MINUTE // 4)
    assert asyncio.run(init_topics(msgspec.structs.replace(kafka_settings, analysis=short)))


def with_source(settings: Settings, name: str) -> Settings:
    return msgspec.structs.replace(settings, source=(SourceTopic(topic=topic(settings, name), kind="k8s-audit"),))


def test_a_topic_of_others_is_created_with_one_partition_and_pinned(kafka_settings: Settings) -> None:
    settings = with_source(kafka_settings, "audit")
    assert f"topic {topic(settings, 'audit')} created" in asyncio.run(init_topics(settings))
    assert f"{topic(settings, 'audit')}/0" in asyncio.run(checked_map(settings)).partitions()
    with pytest.raises(KafkaTrouble, match=r"audit has 1 partitions, the pinned map says 0"):
        asyncio.run(init_topics(kafka_settings))
        asyncio.run(checked_map(settings))


@pytest.mark.parametrize(
    ("config", "mistake"),
    [
        (
            {"message_timestamp_type": "CreateTime"},
            "has message.timestamp.type=CreateTime, it must be LogAppendTime: kafka-configs.sh .* --alter .*=LogAppendTime$",
        ),
        ({"message_timestamp_type": "LogAppendTime", "retention_ms": "10800000"}, "keeps 3h, less than the memory of 4h"),
    ],
)
def test_a_topic_of_others_is_checked(kafka_settings: Settings, config: dict[str, str], mistake: str) -> None:
    asyncio.run(create(kafka_settings, "audit", 2, **config))
    with pytest.raises(KafkaTrouble, match=mistake):
        asyncio.run(init_topics(with_source(kafka_settings, "audit")))


def test_a_map_that_no_longer_fits_is_refused_by_workers_and_renewed_by_init(kafka_settings: Settings) -> None:
    asyncio.run(init_topics(kafka_settings))
    topics = msgspec.structs.replace(kafka_settings.topics, sources=("events",))
    fewer = msgspec.structs.replace(kafka_settings, topics=topics)
    assert any("version 2; restart" in line for line in asyncio.run(init_topics(fewer)))
    with pytest.raises(
        KafkaTrouble, match=r"telemetry has 2 partitions, the pinned map says 0: drain, run interplay init, restart"
    ):
        asyncio.run(checked_map(kafka_settings))


def test_before_init_a_worker_says_so(kafka_settings: Settings) -> None:
    with pytest.raises(KafkaTrouble, match=r"has no topic .*events: run interplay init"):
        asyncio.run(checked_map(kafka_settings))
