"""What the tables about Kafka stand on: a broker, topics that are filled beforehand, measured processes, and how a table looks."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import msgspec

from streams.broker import EmbeddedBroker, free_port
from streams.kafka_client import producer
from streams.metrics import Metrics
from streams.settings import Kafka, Settings, Topics, topic
from streams.topics import init_topics
from streams.writing import Outgoing, TopicWriter

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "apache-kafka.sh"
UP_WITHIN_S, ANSWER_WITHIN_S = 90, 300
FILL_AT_ONCE = 50_000
QUICK = "--quick" in sys.argv[1:]


class Broker(msgspec.Struct, frozen=True):
    """A running broker."""

    kind: str
    bootstrap: str
    pid: int

    def cpu(self) -> float:
        """Seconds of CPU that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def broker(directory: Path) -> Iterator[Broker]:
    """Apache Kafka where there is Java; else the embedded broker. INTERPLAY_TEST_BROKER=embedded chooses that too."""
    if shutil.which("java") and os.environ.get("INTERPLAY_TEST_BROKER") != "embedded":
        with _apache(directory) as found:
            yield found
        return
    with EmbeddedBroker(directory / "broker.log") as embedded:
        pid = max(int(name) for task in Path("/proc/self/task").iterdir() for name in (task / "children").read_text().split())
        yield Broker(
            "the embedded broker (no Java here, or it was asked for): not what the targets speak of", embedded.bootstrap, pid
        )


@contextmanager
def _apache(directory: Path) -> Iterator[Broker]:
    subprocess.run([SCRIPT, "jars"], check=True)
    port = free_port()
    with (directory / "broker.log").open("wb") as log:
        process = subprocess.Popen([SCRIPT, "run", directory / "kafka", str(port)], stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + UP_WITHIN_S
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((directory / "broker.log").read_text()[-2000:])
            time.sleep(0.1)
        yield Broker("Apache Kafka 4 on the same machine", f"127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(30)


def settings_for(broker: Broker, prefix: str, directory: Path, signals: int = 4, sources: int = 4) -> Settings:
    """Defaults but for the sessions, which are short, and the counts of partitions."""
    kafka = Kafka(bootstrap=broker.bootstrap, prefix=prefix, session_timeout=6_000_000_000, heartbeat=1_000_000_000)
    topics = Topics(sources=("events",), source_partitions=sources, signals_partitions=signals)
    settings = Settings(kafka=kafka, topics=topics)
    return msgspec.structs.replace(settings, worker=msgspec.structs.replace(settings.worker, data_dir=str(directory / prefix)))


def fill(settings: Settings, name: str, records: Iterable[Outgoing], create: bool = True) -> None:
    """Creates the topics and writes records to one of them."""
    asyncio.run(_fill(settings, name, iter(records), create))


async def _fill(settings: Settings, name: str, records: Iterator[Outgoing], create: bool) -> None:
    if create:
        await init_topics(settings)
    async with producer(settings) as client:
        writer = TopicWriter(client, topic(settings, name), settings.kafka, Metrics())
        while chunk := list(islice(records, FILL_AT_ONCE)):
            await writer.write(chunk, lambda: True)


class Runner:
    """A measured process (`benchmarks.runner`). It says what happens, a line of JSON each, and waits for `go` before it reads records."""

    def __init__(self, case: str, settings: Settings, **task: object) -> None:
        self.case = case
        self.said: list[dict[str, float]] = []
        command = [sys.executable, "-m", "benchmarks.runner", case]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._tell(json.dumps({"settings": msgspec.to_builtins(settings), **task}))
        threading.Thread(target=self._listen, daemon=True).start()

    def _tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def go(self) -> None:
        """Opens the gate."""
        self._tell("go")

    def last(self, name: str) -> float | None:
        """The newest figure of this name."""
        return next((said[name] for said in reversed(self.said) if name in said), None)

    def await_figure(self, name: str) -> float:
        """Waits until it has said that."""
        await_true(lambda: self.last(name) is not None or self.process.poll() is not None, f"{self.case}: {name}")
        figure = self.last(name)
        if figure is None:
            raise RuntimeError(f"the runner {self.case!r} has ended without saying {name!r}")
        return figure

    def end(self) -> None:
        """kill -9: what it has measured, it has said."""
        self.process.kill()
        self.process.wait()


def measured(case: str, settings: Settings, **task: object) -> Runner:
    """Runs one runner from its gate to its end."""
    runner = Runner(case, settings, **task)
    try:
        runner.await_figure("ready")
        runner.go()
        runner.await_figure("records")
    finally:
        runner.end()
    return runner


def rate(runner: Runner) -> float:
    """Records a second, from the first record in hand to the last one done."""
    records, seconds = runner.last("records"), runner.last("seconds")
    assert records and seconds
    return records / seconds


def cost(runner: Runner) -> float:
    """CPU of the process in us per record, all its threads."""
    records, cpu = runner.last("records"), runner.last("cpu")
    assert records and cpu
    return cpu / records * 1e6


def await_true(condition: Callable[[], bool], what: str, within: float = ANSWER_WITHIN_S) -> None:
    """Raises TimeoutError when it does not come true in time."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {within:.0f} s in vain for {what}")
        time.sleep(0.02)


def spread(figures: Sequence[float], digits: int = 2) -> str:
    """ "median [lowest .. highest]"."""
    return f"{statistics.median(figures):.{digits}f} [{min(figures):.{digits}f} .. {max(figures):.{digits}f}]"


def heading(text: str) -> None:
    """One line above a table: what, and on what machine."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    load = os.getloadavg()[0]
    print(
        f"\n## {text}\n{time.strftime('%Y-%m-%d %H:%M')}, {platform.machine()}, {os.cpu_count()} cores (load {load:.1f} at the start), ",
        end="",
    )
    print(f"CPython {platform.python_version()}, commit {commit or 'unknown'}\n", flush=True)


def row(*cells: object) -> None:
    """One line of a table in Markdown."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def columns(*names: str) -> None:
    """The head of a table."""
    row(*names)
    row(*("---" for _ in names))


def verdict(what: str, figure: float, target: float) -> None:
    """The line under a table."""
    print(f"\n{what}: {figure:.2f}, target {target:g}: {'reached' if figure >= target else 'NOT reached'}", flush=True)
