"""The real parts that the demo stands on: the embedded broker, topics and store, and one worker process a role, all on free loopback ports.

Every part is a process of its own group with a log file; leaving the block ends them all, however it is left.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import msgspec

from models.configuration import Analysis
from models.instants import SECOND
from streams.broker import BrokerError, EmbeddedBroker
from streams.demo.compressed import compress
from streams.settings import ROLES, ClickHouse, Kafka, Settings, Topics, Worker
from streams.settings_file.tables import written_tables
from streams.settings_file.values import FORMS, lookup, written
from streams.store.clickhouse import in_use

GRACE = 8.0  # seconds that a part has to end after SIGTERM
PATIENCE = 45.0  # seconds that a part has to get ready
HEADER = "# Written by `interplay demo`"  # by this line a demo knows what an earlier one left


class DemoFailed(Exception):
    """One line: what went wrong, and the log that tells more."""


class Part(msgspec.Struct, frozen=True):
    """A process and where it writes."""

    name: str
    process: asyncio.subprocess.Process
    log: Path


def plan(directory: Path, factor: float) -> Settings:
    """Settings for one machine: free ports, the store under `directory`, the analysis `factor` times faster."""
    broker, serve, *http = free_ports(2 + len(ROLES))
    return Settings(
        kafka=Kafka(bootstrap=f"127.0.0.1:{broker}", session_timeout=3 * SECOND, heartbeat=SECOND // 2, commit_interval=SECOND),
        topics=Topics(source_partitions=2, signals_partitions=2),
        clickhouse=ClickHouse(path=str(directory / "store"), serve=f"127.0.0.1:{serve}"),
        worker=Worker(http_port=http[0], data_dir=str(directory)),
        analysis=compress(Analysis(), factor),
    )


def free_ports(count: int) -> list[int]:
    """So many neighbouring free ports of the loopback interface. Raises DemoFailed if there are none."""
    for first in range(18600, 32000, count):
        if all(_is_free(port) for port in range(first, first + count)):
            return list(range(first, first + count))
    raise DemoFailed(f"no {count} neighbouring free ports on 127.0.0.1 between 18600 and 32000: end whatever holds them")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def settings_text(settings: Settings) -> str:
    """The settings as a TOML file: what differs from the defaults."""
    return "\n".join(_settings_lines(settings)) + "\n"


def _settings_lines(settings: Settings) -> Iterator[str]:
    yield f"{HEADER}: its ports, its store, and an analysis as much faster as its world."
    for name, form in FORMS.items():
        value = lookup(settings, name)
        if value != form.default:
            yield f"{name} = {written(name, value)}"
    yield from written_tables(settings)


class Parts:
    """The running parts; `log` files and the settings file lie in `directory`."""

    def __init__(self, directory: Path, settings: Settings, dot: Callable[[], None]) -> None:
        self.directory, self.settings, self._dot = directory, settings, dot
        self.config = directory / "demo.toml"
        self._broker = EmbeddedBroker(directory / "broker.log", int(settings.kafka.bootstrap.rsplit(":", 1)[1]))
        self._parts: list[Part] = []

    async def __aenter__(self) -> Self:
        self._clear()
        self.config.write_text(settings_text(self.settings))
        return self

    def _clear(self) -> None:
        """Removes the store of the demo before, whose rows would stand among ours. Raises DemoFailed for one that is not a demo's."""
        store = self.directory / "store"
        if not store.exists():
            return
        if not self.config.exists() or not self.config.read_text().startswith(HEADER):
            raise DemoFailed(f"{store} is there and no demo has made it: give --directory another place")
        if in_use(str(store)):
            raise DemoFailed(f"another process has {store} open: end it, or give --directory another place")
        shutil.rmtree(store)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await asyncio.gather(*(_end(part) for part in self._parts))
        self._parts.clear()
        await asyncio.to_thread(self._broker.stop)  # last: workers commit on their way out

    async def start_broker(self) -> None:
        """Start the embedded broker. Raises DemoFailed where it cannot run here."""
        starting = asyncio.create_task(asyncio.to_thread(self._broker.start))
        try:
            await asyncio.shield(starting)
        except BrokerError as error:
            raise DemoFailed(str(error)) from None
        except asyncio.CancelledError:
            await asyncio.wait({starting})  # a thread cannot be cancelled, and what it starts must be known before it is stopped
            raise

    async def start(self, name: str, *command: str) -> Part:
        """Start a process that stays."""
        log = self.directory / f"{name}.log"
        part = Part(name, await self._spawn(log, command), log)
        self._parts.append(part)
        return part

    async def run(self, name: str, *command: str) -> None:
        """Run a process to its end. Raises DemoFailed unless it succeeds."""
        log = self.directory / f"{name}.log"
        process = await self._spawn(log, command)
        try:
            await self.until(f"{name} ends", lambda: _ended(process))
        finally:
            await _end(Part(name, process, log))
        if process.returncode:
            raise DemoFailed(f"{name} failed: {_last_line(log)}; log: {log}")

    async def ask(self, sql: str) -> list[dict[str, object]]:
        """What `interplay query` answers. Raises DemoFailed where it cannot."""
        command = self.command("query", "--format", "json", sql)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, env=_environment())
        try:
            out, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            raise DemoFailed(
                f"the store does not answer: {errors.decode(errors='replace').strip()[-200:]}; log: {self.directory}/store.log"
            )
        return [msgspec.json.decode(line, type=dict[str, object]) for line in out.splitlines()]

    async def _spawn(self, log: Path, command: tuple[str, ...]) -> asyncio.subprocess.Process:
        with log.open("wb") as out:
            return await asyncio.create_subprocess_exec(
                *command, stdout=out, stderr=out, env=_environment(), start_new_session=True
            )

    async def interplay(self, name: str, *arguments: str) -> None:
        """Run one of our own commands with the demo's settings."""
        await self.run(name, *self.command(*arguments))

    def command(self, *arguments: str) -> tuple[str, ...]:
        """How one of our own commands is called from here, with the demo's settings."""
        return (sys.executable, "-m", "streams.cli", *arguments, "--config", str(self.config))

    def check(self) -> None:
        """Raises DemoFailed if a part has ended by itself."""
        if not self._broker.running:
            raise DemoFailed(f"the broker has ended: {_last_line(self._broker.log_file)}; log: {self._broker.log_file}")
        for part in self._parts:
            if part.process.returncode is not None:
                raise DemoFailed(
                    f"{part.name} ended with exit code {part.process.returncode}: {_last_line(part.log)}; log: {part.log}"
                )

    async def until(self, what: str, ready: Callable[[], Awaitable[bool]]) -> None:
        """Wait with dots until `ready`. Raises DemoFailed after too long, or when a part ends."""
        loop = asyncio.get_running_loop()
        latest, dotted = loop.time() + PATIENCE, loop.time()
        while not await ready():
            self.check()
            if loop.time() > latest:
                raise DemoFailed(f"waited {PATIENCE:.0f} s in vain until {what}; logs: {self.directory}/*.log")
            if loop.time() - dotted >= 0.5:
                self._dot()
                dotted = loop.time()
            await asyncio.sleep(0.1)


def _environment() -> dict[str, str]:
    """Ours without settings: the demo's file alone shall count."""
    return {name: value for name, value in os.environ.items() if not name.startswith("INTERPLAY_")}


async def _ended(process: asyncio.subprocess.Process) -> bool:
    return process.returncode is not None


async def healthy(host: str, port: int) -> bool:
    """True if a worker says there that it is ready."""
    try:
        limit = aiohttp.ClientTimeout(total=2.0)
        async with aiohttp.ClientSession(timeout=limit) as client, client.get(f"http://{host}:{port}/health") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _end(part: Part) -> None:
    """SIGTERM, then SIGKILL to the part's whole group."""
    if part.process.returncode is None:
        part.process.terminate()
        try:
            await asyncio.wait_for(part.process.wait(), GRACE)
        except TimeoutError:
            part.process.kill()
            await part.process.wait()
    try:
        os.killpg(part.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # nothing of the group is left


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it wrote nothing"
