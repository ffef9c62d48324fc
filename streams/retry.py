"""Waits for a Kafka that is away: what fails for a while is tried again, what is wrong for good is told at once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import KafkaError

from streams.kafka_client import KafkaTrouble, TopicsMissing, explain, passing
from streams.metrics import Metrics
from streams.settings import Settings
from streams.topics import checked_map

RECOVERY_S = 300.0  # what a role has to rebuild its state at an assignment, with a Kafka that is away in between
CONFIRM_S = 10.0  # topics that are missing for so long are not those of a broker that is coming up
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 3.0

log = logging.getLogger(__name__)

T = TypeVar("T")


class Retry:
    """Repeats what a broker's restart interrupts. Usable from any thread; whoever cancels it ends it."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics

    async def until_done(self, what: str, attempt: Callable[[], Awaitable[T]], within_s: float = RECOVERY_S) -> T:
        """What `attempt` answers, which is made again after errors that pass. `what` labels the metric.

        Raises the error of an attempt that repeating cannot help, KafkaTrouble where the topics are not what they must be, and
        KafkaTrouble after `within_s` seconds.
        """
        last: BaseException | None = None
        missing_since: float | None = None
        pause = FIRST_PAUSE_S
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        if last is not None:
                            await checked_map(self._settings)  # a client's own error does not tell a wrong password from a restart
                        return await attempt()
                    except (KafkaError, KafkaTrouble, OSError) as error:  # TimeoutError is an OSError
                        if isinstance(error, TopicsMissing) and last is not None:
                            missing_since = missing_since or time.monotonic()
                            if time.monotonic() - missing_since > CONFIRM_S:
                                raise
                        elif passing(error):
                            missing_since = None
                        else:
                            raise
                        if last is None:
                            log.warning("%s: %s; trying on for up to %.0f s", what, explain(error, self._settings.kafka), within_s)
                        last = error
                    self._metrics.add("interplay_kafka_retries_total", 1, what)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_S)
        except TimeoutError:
            reason = "it took too long" if last is None else explain(last, self._settings.kafka)
            raise KafkaTrouble(f"{what}: not done within {within_s:.0f} s: {reason}") from None
