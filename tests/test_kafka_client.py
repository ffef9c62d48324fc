"""Kafka's troubles in one clear line each, and reading a partition to its end."""

from __future__ import annotations

import asyncio
import re
import ssl

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from models.instants import SECOND
from streams.broker import free_port
from streams.kafka_client import (
    KafkaTrouble,
    check_within,
    client_options,
    delivery_timeout_ms,
    explain,
    log_bounds,
    producer,
    reach,
    read_all,
    ssl_context,
)
from streams.settings import Kafka, Settings, topic
from streams.topics import init_topics

KAFKA = Kafka(bootstrap="kafka:9092", sasl_username="ann", sasl_password="secret", security="SASL_SSL")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (KafkaConnectionError("x"), "Kafka at kafka:9092 does not answer: is it running"),
        (TimeoutError(), "Kafka at kafka:9092 does not answer: is it running"),
        (AuthenticationFailedError("no"), "Kafka at kafka:9092 refuses user 'ann': check kafka.sasl_username"),
        (TopicAuthorizationFailedError("interplay.x"), "does not allow this to user 'ann'"),
        (UnknownTopicOrPartitionError(), "run interplay init"),
        (ssl.SSLError("certificate verify failed"), "TLS fails: .*certificate verify failed.*kafka.tls_ca"),
        (KafkaTrouble("a line of our own"), "^a line of our own$"),
    ],
)
def test_each_trouble_is_one_line_without_the_secret(error: Exception, line: str) -> None:
    told = explain(error, KAFKA)
    assert re.search(line, told) and "\n" not in told and "secret" not in told


def test_nobody_listening_is_told_with_the_address() -> None:
    kafka = Kafka(bootstrap=f"127.0.0.1:{free_port()}")
    with pytest.raises(KafkaTrouble, match=rf"Kafka at {kafka.bootstrap} does not answer"):
        asyncio.run(reach(kafka))


def test_a_certificate_that_is_not_there_names_its_setting() -> None:
    with pytest.raises(KafkaTrouble, match=r"TLS to Kafka: .*kafka.tls_ca"):
        ssl_context(Kafka(security="SSL", tls_ca="/nowhere/ca.pem"))


def test_security_reaches_the_client() -> None:
    options = client_options(Kafka(security="SASL_PLAINTEXT", sasl_mechanism="PLAIN", sasl_username="ann", sasl_password="secret"))
    assert options["security_protocol"] == "SASL_PLAINTEXT" and options["sasl_mechanism"] == "PLAIN"
    assert (options["sasl_plain_username"], options["sasl_plain_password"], options["ssl_context"]) == ("ann", "secret", None)


def test_a_write_gives_up_before_a_session_ends() -> None:
    assert delivery_timeout_ms(Kafka(session_timeout=30 * SECOND)) < 30_000


@pytest.mark.kafka
def test_partitions_are_read_to_their_ends_full_or_empty(kafka_settings: Settings) -> None:
    async def scenario() -> dict[int, tuple[list[bytes], int]]:
        await init_topics(kafka_settings)
        name = topic(kafka_settings, "facts")
        async with producer(kafka_settings) as client:
            for number in range(700):  # several batches: the last one's base offset is not the end
                await client.send(name, b"%d" % number, key=b"k", partition=0)
            await client.flush()
        found: dict[int, tuple[list[bytes], int]] = {}
        async for tp, records, end in read_all(kafka_settings.kafka, [TopicPartition(name, 0), TopicPartition(name, 1)]):
            before = found.get(tp.partition, ([], 0))[0]
            found[tp.partition] = (before + [record.value for record in records], end)
        return found

    assert asyncio.run(scenario()) == {0: ([b"%d" % n for n in range(700)], 700), 1: ([], 0)}
    tps = [TopicPartition(topic(kafka_settings, "facts"), number) for number in (0, 1)]
    assert asyncio.run(log_bounds(kafka_settings.kafka, tps)) == {tps[0]: (0, 700), tps[1]: (0, 0)}


def test_progress_beyond_the_log_is_refused_in_one_line() -> None:
    check_within(TopicPartition("interplay.signals", 1), 7, 7, "interplay.progress")
    with pytest.raises(
        KafkaTrouble, match=r"signals/1 ends at 7, but interplay.progress says that 8 records were read: .* made anew"
    ):
        check_within(TopicPartition("interplay.signals", 1), 8, 7, "interplay.progress")
