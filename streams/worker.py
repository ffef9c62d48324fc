"""Runs roles as processes: one in this process, or several, each in one of its own (spawned, never forked: there are threads).

Exit codes: 0 ended when asked; 1 a role gave up and wants to be started again; 2 something is away, or wrong, at the start.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess

from aiokafka.errors import KafkaError

from models.analyzer import VERSION
from streams.kafka_client import KafkaTrouble, explain, reach
from streams.log_filter import OncePerMinute
from streams.metrics import Metrics
from streams.retry import Retry
from streams.roles.alert import Alert
from streams.roles.analyze import Analyze
from streams.roles.application import RoleApp, application
from streams.roles.monitor import Monitor, PortTaken
from streams.roles.reduce import Reduce
from streams.roles.store import Storing
from streams.roles.work import Work
from streams.settings import Role, Settings
from streams.store import StoreRefused
from streams.topics import checked_map

STOP_WITHIN_S = 15.0
ENDED = {0, -signal.SIGTERM, -signal.SIGKILL}  # as asked, before it could heed the signal, and by us because it took too long
GIVEN_UP, AWAY = 1, 2
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET = (
    "faust",
    "mode",
    "aiokafka",
    "asyncio",
    "streams.transport",
    "streams.roles.application",
)  # the last two: what Faust says through them
RETRYING = ("urllib3", "clickhouse_connect")  # they warn of every attempt; the store role itself says it once a minute

WORK: dict[Role, Callable[[Settings, Metrics], Work]] = {"reduce": Reduce, "analyze": Analyze, "store": Storing, "alert": Alert}

log = logging.getLogger(__name__)


def run_roles(settings: Settings, roles: Sequence[Role]) -> int:
    """Runs one role here, or several in processes of their own; returns when all have ended. A role that ends by itself ends the others."""
    if len(roles) == 1:
        return run_role(settings, roles[0])
    try:
        asyncio.run(checked_map(settings))
    except (KafkaTrouble, KafkaError, OSError) as error:  # what each role would say in a line of its own
        print(f"interplay worker: not started: {', '.join(roles)}: {explain(error, settings.kafka)}", file=sys.stderr)
        return AWAY
    spawn = multiprocessing.get_context("spawn")
    # the settings travel through a pipe: nothing secret appears among the arguments
    processes = {role: spawn.Process(target=_child, args=(settings, role), name=role) for role in dict.fromkeys(roles)}
    asked: list[int] = []

    def forward(number: int, frame: object) -> None:
        asked.append(number)
        _end(processes.values())

    previous = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        for process in processes.values():
            process.start()
        return _await(processes, lambda: bool(asked))
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _await(processes: dict[Role, SpawnProcess], asked: Callable[[], bool]) -> int:
    ended = wait([process.sentinel for process in processes.values()])
    if not asked():
        for role, process in processes.items():
            if process.sentinel in ended:
                process.join()
                ended_with = f"the role {role} has ended with exit code {process.exitcode}; ending the others"
                print(f"interplay: {ended_with} (run one process a role to keep analysis going)", file=sys.stderr)
    _end(processes.values())
    for role, process in processes.items():
        process.join(STOP_WITHIN_S + 5)
        if process.exitcode is None:
            print(
                f"interplay: the role {role} does not end within {STOP_WITHIN_S + 5:.0f} s: killed, which is safe", file=sys.stderr
            )
            process.kill()
            process.join()
    codes = {process.exitcode for process in processes.values()}
    if AWAY in codes:
        return AWAY
    return 0 if asked() and codes <= ENDED else GIVEN_UP


def _end(processes: Iterable[SpawnProcess]) -> None:
    for process in processes:
        if process.pid is not None and process.exitcode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)


def _child(settings: Settings, role: Role) -> None:
    sys.exit(run_role(settings, role))


def run_role(settings: Settings, role: Role) -> int:
    """Runs one role in this process until SIGTERM or SIGINT, or until it gives up; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(OncePerMinute("aiokafka"))
    for name in RETRYING:
        logging.getLogger(name).setLevel(logging.ERROR)
    # nearly everything made here is a tuple or a struct without cycles: the collector's default rhythm costs a third of the speed
    gc.set_threshold(100_000, 50, 100)
    try:
        return asyncio.run(_Runner(settings, role).run())
    except (KafkaTrouble, StoreRefused, PortTaken, ValueError) as error:  # each is a line of its own
        trouble = str(error)
    except (KafkaError, OSError) as error:
        trouble = explain(error, settings.kafka)
    print(f"interplay worker {role}: {trouble}", file=sys.stderr)
    return AWAY


class _Runner:
    """One role from its start to its end."""

    def __init__(self, settings: Settings, role: Role) -> None:
        self._settings = settings
        self._role = role
        self._metrics = Metrics()
        self._ended = asyncio.Event()
        self._reason = ""

    def _failed(self, error: BaseException) -> None:
        if not self._ended.is_set():  # what breaks while we are ending is no reason
            known = isinstance(error, KafkaTrouble | KafkaError | StoreRefused)
            self._reason = explain(error, self._settings.kafka) if known else f"{type(error).__name__}: {error}"
            log.error("%s gives up: %s", self._role, self._reason, exc_info=None if known else error)
        self._ended.set()

    def _stalled(self, reason: str) -> None:
        # Whatever hangs may hang the clean end too; every write is safe to repeat.
        log.error("%s: %s", self._role, reason)
        logging.shutdown()
        os._exit(GIVEN_UP)

    async def run(self) -> int:
        """Raises one of the errors that `run_role` tells where it cannot start."""
        self._heed_signals()
        await reach(self._settings.kafka)
        work = WORK[self._role](self._settings, self._metrics)
        await Retry(self._settings, self._metrics).until_done("start", work.start)
        app = application(self._settings, self._role, work, self._metrics, self._failed)
        monitor = Monitor(self._settings, self._role, work, app, self._metrics)
        try:
            await monitor.start()
        except BaseException:
            await work.stop()
            raise
        self._metrics.set("interplay_info", 1, self._role, VERSION)
        log.info("%s: /metrics and /health on %s:%d", self._role, self._settings.worker.http_host, monitor.port)
        tasks = [asyncio.create_task(coroutine) for coroutine in (app.start(), work.run(), monitor.watch(self._stalled))]
        for task in tasks:
            task.add_done_callback(self._task_ended)
        await self._ended.wait()
        try:
            await asyncio.wait_for(self._close(app, work, monitor, tasks), STOP_WITHIN_S)
        except TimeoutError:
            log.error("%s does not end in %.0f s: ended hard, which is safe", self._role, STOP_WITHIN_S)
            logging.shutdown()
            os._exit(GIVEN_UP if self._reason else 0)
        log.info("%s: ended", self._role)
        return GIVEN_UP if self._reason else 0

    async def _close(self, app: RoleApp, work: Work, monitor: Monitor, tasks: list[asyncio.Task[None]]) -> None:
        await app.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await work.stop()
        await monitor.stop()

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        parent = multiprocessing.parent_process()
        if parent is not None:  # a parent that was killed cannot forward its signal
            loop.add_reader(parent.sentinel, self._parent_died, loop, parent.sentinel)

    def _parent_died(self, loop: asyncio.AbstractEventLoop, sentinel: int) -> None:
        loop.remove_reader(sentinel)
        log.warning("%s: the process that started this one is gone; ending", self._role)
        self._ended.set()
