"""The whole path as processes: topics, worker processes started as a user starts them, events in, findings out."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import TopicPartition
from histories import SETTINGS
from simulation import SENTINEL, revisions
from wire_events import cloudevent

from models.analyzer import Analyzer
from models.events import Action, Event, Sample
from models.findings import Finding, decode_finding
from models.instants import HOUR
from streams.broker import free_port
from streams.demo.parts import settings_text
from streams.kafka_client import producer, read_all
from streams.metrics import Metrics
from streams.settings import ROLES, ClickHouse, Role, Settings, topic
from streams.writing import Outgoing, TopicWriter

FINDINGS_WITHIN_S = 60.0


class Worker:
    """One role in one process, with a log."""

    def __init__(self, settings: Settings, role: Role, directory: Path) -> None:
        self.role = role
        self.port = free_port()
        name = f"{role}-{self.port}"
        placed = msgspec.structs.replace(settings.worker, http_port=self.port - ROLES.index(role), data_dir=str(directory / name))
        config = directory / f"{name}.toml"
        write_settings(msgspec.structs.replace(settings, worker=placed), config)
        self._environment = clean_environment(settings)
        self.log = directory / f"{name}.log"
        self._command = [sys.executable, "-m", "streams.cli", "worker", role, "--config", str(config)]
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment, start_new_session=True)

    def restart(self) -> None:
        """kill -9, and a new process at once."""
        self.kill()
        self.process = self._start()

    def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(20)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=2) as answer:
            return str(answer.read().decode())

    def healthy(self) -> bool:
        try:
            return self.get("health") in (
                f"{self.role}: ok\n",
                "store: waits for ClickHouse\n",
            )  # the store may be away from the start
        except OSError:
            return False


class LivePath:
    """Settings, topics and workers of one test; leaving the block ends the workers and shows their logs where the test failed."""

    def __init__(self, settings: Settings, directory: Path, **store: object) -> None:
        """`store` replaces settings of the store, which is embedded unless they say otherwise."""
        topics = msgspec.structs.replace(settings.topics, sources=("events",))  # an empty partition is waited for in a backfill
        embedded = ClickHouse(path=str(directory / "store"), serve=f"127.0.0.1:{free_port()}", retention_days=3650)
        self.settings = msgspec.structs.replace(
            settings, analysis=SETTINGS, topics=topics, clickhouse=msgspec.structs.replace(embedded, **store)
        )
        self.directory = directory
        self.workers: list[Worker] = []

    def __enter__(self) -> LivePath:
        self.interplay("init")
        return self

    def interplay(self, *arguments: str) -> str:
        """Runs one of our commands to its end, as a user does; what it prints."""
        config = self.directory / "interplay.toml"
        write_settings(self.settings, config)
        command = [sys.executable, "-m", "streams.cli", *arguments, "--config", str(config)]
        done = subprocess.run(command, env=clean_environment(self.settings), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Asks the store, wherever it is."""
        return [json.loads(line) for line in self.interplay("query", "--format", "json", sql).splitlines()]

    def await_rows(self, events: Sequence[Event], within: float = FINDINGS_WITHIN_S) -> None:
        """Waits until the store has every finding, revision and event once; fails on anything else."""
        wanted = expected(events, self.settings.topics.source_partitions)
        own = f"domain != '{SENTINEL}'"
        until(
            lambda: self.query(f"SELECT count() n FROM finding_revisions WHERE {own}")[0]["n"] >= len(wanted), "rows", within, 1.0
        )
        rows = self.query(f"SELECT finding_id, revision FROM finding_revisions WHERE {own}")
        assert sorted((row["finding_id"], row["revision"]) for row in rows) == sorted(wanted)
        newest = {name: max(revision for other, revision in wanted if other == name) for name, _ in wanted}
        rows = self.query(f"SELECT finding_id, revision FROM findings WHERE {own}")
        assert sorted((row["finding_id"], row["revision"]) for row in rows) == sorted(newest.items())
        passed_on = (
            f"FROM signals WHERE {own} AND kind != 'sample'"  # of samples reduce passes on the first of a bucket in each partition
        )
        count = sum(not isinstance(event, Sample) for event in events)
        until(lambda: self.query(f"SELECT count() n {passed_on}")[0]["n"] >= count, "signals", within, 1.0)
        assert self.query(f"SELECT count() n, uniqExact(event) u {passed_on}") == [{"n": count, "u": count}]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()
            if error is not None:
                print(f"== {worker.log}\n{worker.log.read_text(errors='replace')[-6000:]}")

    def start(self, *roles: Role) -> list[Worker]:
        started = [Worker(self.settings, role, self.directory) for role in roles]
        self.workers += started
        until(
            lambda: all(worker.healthy() or worker.process.poll() is not None for worker in started), "the workers are healthy", 30
        )
        assert [worker.role for worker in started if worker.process.poll() is not None] == []
        return started

    def records(self, events: Sequence[Event], seed: int = 0, duplicates: float = 0.1) -> list[Outgoing]:
        """What producers write of them: in random partitions, disordered within the lateness of each, some twice, and at the very end
        one event far in the future of each partition, so that everything before it is known."""
        rng, count = random.Random(seed), self.settings.topics.source_partitions
        disorder = self.settings.analysis.time.lateness * 0.9
        found: list[Outgoing] = []
        for event in sorted(events, key=lambda event: event.time + rng.uniform(0, disorder)):
            for _ in range(1 + (rng.random() < duplicates)):
                found.append((rng.randrange(count), None, cloudevent(event), []))
        return found + [(number, None, cloudevent(sentinel(events[-1].time, number)), []) for number in range(count)]

    def write(self, records: Sequence[Outgoing]) -> None:
        """Appends to the events topic."""
        asyncio.run(self._write(records))

    async def _write(self, records: Sequence[Outgoing]) -> None:
        async with producer(self.settings) as client:
            writer = TopicWriter(client, topic(self.settings, "events"), self.settings.kafka, Metrics())
            assert await writer.write(records, lambda: True)

    def findings(self) -> list[Finding]:
        """Every revision on the topic, in the order of its partitions."""
        return asyncio.run(self._findings())

    async def _findings(self) -> list[Finding]:
        tps = [TopicPartition(topic(self.settings, "findings"), n) for n in range(self.settings.topics.signals_partitions)]
        found: list[Finding] = []
        async for _, records, _ in read_all(self.settings.kafka, tps):
            found += [decode_finding(record.value) for record in records if record.value is not None]
        return found

    def await_findings(self, events: Sequence[Event], within: float = FINDINGS_WITHIN_S) -> None:
        """Waits until the topic holds what the core finds in the same events, every revision alike; fails on anything else."""
        wanted = expected(events, self.settings.topics.source_partitions)
        until(lambda: wanted.keys() <= revisions(self.findings()).keys(), "all findings are there", within, pause=0.3)
        assert revisions(self.findings()) == wanted


def write_settings(settings: Settings, file: Path) -> None:
    """All but the secrets, which go through the environment."""
    store, kafka = (
        msgspec.structs.replace(settings.clickhouse, password=""),
        msgspec.structs.replace(settings.kafka, sasl_password=""),
    )
    file.write_text(settings_text(msgspec.structs.replace(settings, clickhouse=store, kafka=kafka)))


def clean_environment(settings: Settings) -> dict[str, str]:
    """Ours, without the settings of whoever runs the tests, and with the secrets of these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INTERPLAY_")}
    secrets = {"CLICKHOUSE__PASSWORD": settings.clickhouse.password, "KAFKA__SASL_PASSWORD": settings.kafka.sasl_password}
    return kept | {f"INTERPLAY_{name}": value for name, value in secrets.items() if value}


def sentinel(last: int, number: int) -> Event:
    return Action(
        time=last + 30 * HOUR, source=f"z{number}", id="end", domain=SENTINEL, agent="z", verb="z", parameter="z", resource="z"
    )


def expected(events: Sequence[Event], sources: int = 1) -> dict[tuple[str, int], bytes]:
    """What `interplay analyze` finds in them."""
    analyzer = Analyzer(SETTINGS)
    for event in [*events, *(sentinel(events[-1].time, number) for number in range(sources))]:
        analyzer.feed(event)
    return revisions([change.finding for change in analyzer.finish()])


def until(condition: Callable[[], bool], what: str, within: float, pause: float = 0.1) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"waited {within:.0f} s in vain until {what}"
        time.sleep(pause)
