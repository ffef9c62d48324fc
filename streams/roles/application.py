"""The Faust app around a role: which settings, which group, and the one agent that hands batches to the work."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import faust
from aiokafka.errors import IllegalStateError
from faust.types import TP

from models.instants import SECOND
from streams.kafka_client import MILLISECOND, ssl_context
from streams.metrics import Metrics
from streams.retry import RECOVERY_S, Retry
from streams.roles.work import Work
from streams.settings import Kafka, Role, Settings
from streams.transport import SCHEME, BatchSchema, StartOffsets

MONTH_S = 30 * 24 * 3600.0
BUFFERED_BATCHES = 8
FETCH_BYTES = 4 << 20
METADATA_AGE_MS = (
    5_000  # a group that shares out partitions while a broker comes back may see none: it looks again, not in five minutes
)


class RoleApp(faust.App):  # type: ignore[misc]
    """A Faust app that reads in batches from where its role says."""

    class BootStrategy(faust.App.BootStrategy):  # type: ignore[misc]
        """Without Faust's own producer: roles write in batches, through their own."""

        enable_kafka_producer = False

    fetch_wait_ms: int
    retry: Retry
    start_offsets: StartOffsets
    placed: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
    held_back: Callable[[set[TP]], set[TP]]
    in_hand_since: float | None = None  # monotonic: since when a batch is being handled


def application(settings: Settings, role: Role, work: Work, metrics: Metrics, failed: Callable[[BaseException], None]) -> RoleApp:
    """The app of a role, not yet started. `failed` is told the error that ends it."""
    app = _app(settings, role)
    app.fetch_wait_ms = settings.kafka.fetch_wait // MILLISECOND
    app.held_back = work.held_back
    app.start_offsets = work.assigned
    app.retry = Retry(settings, metrics)

    async def placed(attempt: Callable[[], Awaitable[None]]) -> None:
        """Runs in Faust's task, which the next rebalance cancels."""
        try:
            await app.retry.until_done("rebuild", attempt)
        except IllegalStateError:  # no longer ours: another assignment is on its way
            raise
        except Exception as error:
            failed(error)
            raise

    app.placed = placed
    topic = app.topic(*work.topics, schema=BatchSchema())

    @app.agent(topic, name=role)  # type: ignore[untyped-decorator]
    async def hand_over(stream: faust.Stream) -> None:
        async for event in stream.noack().events():
            batch = event.value
            if not batch.current:
                continue
            try:
                app.in_hand_since = time.monotonic()
                await work.handle(batch)
                app.in_hand_since = None
            except Exception as error:
                failed(error)  # Faust would go on with the next one
                raise

    return app


def _app(settings: Settings, role: Role) -> RoleApp:
    kafka = settings.kafka
    directory = Path(settings.worker.data_dir) / f"faust-{role}"  # Faust wants one, and stores nothing there
    directory.mkdir(parents=True, exist_ok=True)
    return RoleApp(
        f"{kafka.prefix}.{role}",
        broker=_urls(kafka, "kafka"),
        broker_consumer=_urls(kafka, SCHEME),
        broker_producer=_urls(kafka, "kafka"),
        broker_credentials=_credentials(kafka),
        broker_session_timeout=kafka.session_timeout / SECOND,
        broker_heartbeat_interval=kafka.heartbeat / SECOND,
        broker_commit_interval=kafka.commit_interval / SECOND,
        broker_max_poll_records=kafka.poll_records,
        broker_max_poll_interval=MONTH_S,  # a worker that was put out for slow polling never comes back; the watchdog does this job
        broker_request_timeout=2 * RECOVERY_S,  # beyond it Faust would read on without a place; the retry ends before
        consumer_max_fetch_size=FETCH_BYTES,
        consumer_metadata_max_age_ms=METADATA_AGE_MS,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,  # else a rebalance waits for as long as the store is away
        stream_buffer_maxsize=BUFFERED_BATCHES,
        store="memory://",
        datadir=str(directory),
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
    )


def _urls(kafka: Kafka, scheme: str) -> list[str]:
    return [f"{scheme}://{address.strip()}" for address in kafka.bootstrap.split(",")]


def _credentials(kafka: Kafka) -> faust.types.auth.CredentialsT | None:
    context = ssl_context(kafka)
    if kafka.security == "SSL":
        return faust.SSLCredentials(context)
    if kafka.security.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.sasl_username, password=kafka.sasl_password, mechanism=kafka.sasl_mechanism, ssl_context=context
        )
    return None
