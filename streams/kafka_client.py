"""Clients of Kafka as the settings want them, and its errors as one line: what is wrong, where, what to do."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.conn import create_conn
from aiokafka.errors import BrokerNotAvailableError, KafkaError, KafkaTimeoutError, KafkaUnavailableError

from streams.settings import Kafka, Settings

MILLISECOND = 1_000_000
REACH_WITHIN_MS = 10_000
BATCH_BYTES = 512 * 1024  # what reduce writes of one poll to one partition, mostly; half of what our topics take
POLL_RECORDS = 5000
SILENT_S = 30.0  # a broker that answers nothing for so long counts as away


class KafkaTrouble(Exception):
    """Kafka cannot be used as it is. The text is one line."""


class KafkaAway(KafkaTrouble):
    """Kafka does not answer, or not now: it may later."""


class TopicsMissing(KafkaTrouble):
    """Topics are not there. A broker that is just coming up may say so of those it has."""


def ssl_context(kafka: Kafka) -> ssl.SSLContext | None:
    """What TLS is to be spoken with, or None without TLS. Raises KafkaTrouble where a certificate cannot be used."""
    if kafka.security not in ("SSL", "SASL_SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=kafka.tls_ca or None)
        if kafka.tls_certificate:
            context.load_cert_chain(kafka.tls_certificate, kafka.tls_key or None)
    except (OSError, ssl.SSLError) as error:
        raise KafkaTrouble(f"TLS to Kafka: {error}; check kafka.tls_ca, kafka.tls_certificate and kafka.tls_key") from None
    return context


def client_options(kafka: Kafka) -> dict[str, object]:
    """Keyword arguments that every aiokafka client takes."""
    options: dict[str, object] = {"bootstrap_servers": kafka.bootstrap, **_security(kafka)}
    return options


def _security(kafka: Kafka) -> dict[str, object]:
    options: dict[str, object] = {"security_protocol": kafka.security, "ssl_context": ssl_context(kafka)}
    if kafka.security.startswith("SASL"):
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.sasl_username,
            "sasl_plain_password": kafka.sasl_password,
        }
    return options


def delivery_timeout_ms(kafka: Kafka) -> int:
    """How long a record may wait for its acknowledgement: less than a session, so that an old owner stops before a new one begins."""
    return int(kafka.session_timeout * 0.8) // MILLISECOND


def producer(settings: Settings) -> AIOKafkaProducer:
    """A producer, not yet started, whose records are acknowledged by all replicas or fail within a session."""
    return AIOKafkaProducer(
        **client_options(settings.kafka),
        acks="all",
        request_timeout_ms=delivery_timeout_ms(settings.kafka),
        max_batch_size=BATCH_BYTES,
        max_request_size=4 * settings.topics.record_limit,
    )


async def started(client: AIOKafkaProducer) -> AIOKafkaProducer:
    """The client, started; it leaves nothing behind where no broker can be reached (KafkaError)."""
    try:
        await client.start()
    except BaseException:
        await client.stop()
        raise
    return client


def reader(kafka: Kafka) -> AIOKafkaConsumer:
    """A consumer without a group, not yet started, for reading partitions from where one says."""
    return AIOKafkaConsumer(
        **client_options(kafka),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=kafka.fetch_wait // MILLISECOND,
        max_partition_fetch_bytes=4 << 20,
    )


def passing(error: BaseException) -> bool:
    """Whether a broker that restarts, or a network that fails for a while, may be the reason."""
    if isinstance(error, KafkaTrouble):
        return isinstance(error, KafkaAway)
    if isinstance(error, KafkaError):  # aiokafka does not count the last three as retriable
        return error.retriable or isinstance(error, KafkaTimeoutError | KafkaUnavailableError | BrokerNotAvailableError)
    if isinstance(error, ssl.SSLError):  # only a connection that was cut
        return isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return isinstance(error, OSError)


def trouble(error: BaseException, kafka: Kafka) -> KafkaTrouble:
    """An error of a client as ours: KafkaAway where it may pass."""
    return (KafkaAway if passing(error) else KafkaTrouble)(explain(error, kafka))


async def reach(kafka: Kafka) -> None:
    """Returns when one of the bootstrap brokers answers and lets us in. Raises KafkaTrouble with the reason otherwise.

    A client's own `start` says no more than "unable to bootstrap" where a password is wrong.
    """
    last: Exception | None = None
    for address in kafka.bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            connection = await create_conn(host.strip("[]"), int(port), request_timeout_ms=REACH_WITHIN_MS, **_security(kafka))
        except (KafkaError, OSError, TimeoutError) as error:
            last = error
        else:
            connection.close()
            return
    assert last is not None
    raise trouble(last, kafka)


def explain(error: BaseException, kafka: Kafka) -> str:
    """One line about an error of a Kafka client."""
    name, text = type(error).__name__, " ".join(str(error).split())
    where = f"Kafka at {kafka.bootstrap}"
    if type(error).__module__.startswith("streams."):  # our own errors say it themselves
        return str(error)
    if isinstance(error, ssl.SSLError) or "ssl" in text.lower():
        return f"{where}: TLS fails: {text}; check kafka.security and kafka.tls_ca"
    if "Authentication" in name or "Sasl" in name:
        return f"{where} refuses user {kafka.sasl_username!r}: check kafka.sasl_username, its password and kafka.sasl_mechanism"
    if "Authorization" in name:
        return f"{where} does not allow this to user {kafka.sasl_username!r}: {text}"
    if "UnknownTopic" in name:
        return f'{where} has no topics "{kafka.prefix}.*", or not all of them: run interplay init'
    if isinstance(error, OSError | TimeoutError) or any(
        part in name for part in ("Connection", "NoBrokers", "Timeout", "NotReady")
    ):
        return f"{where} does not answer: is it running, and are kafka.bootstrap and kafka.security right?"
    return f"{where}: {name}: {text}"


async def read_all(
    kafka: Kafka, partitions: list[TopicPartition]
) -> AsyncIterator[tuple[TopicPartition, list[ConsumerRecord], int]]:
    """Everything in these partitions as (partition, records in order, next offset); the last one of each tells where it ends.

    The end is the high-water mark of a fetch: the embedded broker's list of offsets answers with the beginning of its last batch.
    Raises KafkaAway where nothing comes for `SILENT_S`, KafkaError where no broker can be reached.
    """
    async with reading(kafka, partitions) as consumer:
        waiting, heard = set(partitions), time.monotonic()
        while waiting:
            async with _in_time(kafka, heard):
                batches = await consumer.getmany(*waiting, timeout_ms=kafka.fetch_wait // MILLISECOND, max_records=POLL_RECORDS)
                positions = {tp: await consumer.position(tp) for tp in waiting}
            for tp, position in positions.items():
                end = consumer.highwater(tp)
                ended = end is not None and position >= end
                if ended or tp in batches:
                    yield tp, batches.get(tp, []), position
                    heard = time.monotonic()
                if ended:
                    waiting.discard(tp)


async def log_bounds(kafka: Kafka, partitions: list[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
    """The oldest offset that each partition still holds, and the next one it will give. Raises as `read_all` does."""
    async with reading(kafka, partitions) as consumer, _in_time(kafka, time.monotonic()):
        starts = await consumer.beginning_offsets(partitions) if partitions else {}
        while any(consumer.highwater(tp) is None for tp in partitions):  # known from the first fetch
            await consumer.getmany(timeout_ms=kafka.fetch_wait // MILLISECOND, max_records=1)
        return {tp: (starts[tp], consumer.highwater(tp)) for tp in partitions}


@contextlib.asynccontextmanager
async def reading(kafka: Kafka, partitions: list[TopicPartition]) -> AsyncIterator[AIOKafkaConsumer]:
    """A started reader at the beginning of these partitions, to its end. Raises KafkaError where no broker can be reached."""
    consumer = reader(kafka)
    try:
        await consumer.start()
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        yield consumer
    finally:
        await consumer.stop()


@contextlib.asynccontextmanager
async def _in_time(kafka: Kafka, heard: float) -> AsyncIterator[None]:
    """Ends with KafkaAway what takes longer than `SILENT_S` since a broker was `heard` (s, monotonic): clients wait for ever."""
    try:
        async with asyncio.timeout(heard + SILENT_S - time.monotonic()):
            yield
    except TimeoutError as error:
        raise trouble(error, kafka) from None


def check_within(tp: TopicPartition, offset: int, end: int, progress: str) -> None:
    """Raises KafkaTrouble where progress lies beyond the log: the topic is not the one that was read."""
    if offset > end:
        raise KafkaTrouble(
            f"{tp.topic}/{tp.partition} ends at {end}, but {progress} says that {offset} records were read: the topic was made anew; "
            f"use another kafka.prefix, or delete all topics of this one and run interplay init"
        )
