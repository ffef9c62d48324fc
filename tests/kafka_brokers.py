"""The brokers that tests run on: embedded, and Apache Kafka from Maven Central. INTERPLAY_TEST_BROKER=embedded|apache chooses."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from models.instants import SECOND
from streams.broker import EmbeddedBroker, free_port
from streams.settings import Kafka, Settings, Topics, Worker

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "apache-kafka.sh"
CHOSEN = os.environ.get("INTERPLAY_TEST_BROKER", "embedded")
FETCH_WITHIN_S = 600


class ApacheKafka:
    """A real broker process whose data outlives `stop`, so that it can be restarted on the same port."""

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.log_file = directory / "kafka.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        subprocess.run([SCRIPT, "jars"], check=True, timeout=FETCH_WITHIN_S)
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [SCRIPT, "run", self.directory, str(self.port)], stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                probe.settimeout(0.5)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Apache Kafka did not come up: {self.log_file.read_text()[-2000:]}")
            time.sleep(0.1)

    def stop(self, kill: bool = False) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


Broker = ApacheKafka | EmbeddedBroker


def chosen_broker(directory: Path) -> Broker:
    """A broker of the chosen kind, not yet started."""
    if CHOSEN == "apache":
        return ApacheKafka(directory / "apache")
    return EmbeddedBroker(directory / "tansu.log")


def settings_for(bootstrap: str, prefix: str, directory: Path) -> Settings:
    """What `kafka_settings` is made of, for tests that start a broker of their own."""
    return Settings(
        kafka=Kafka(
            bootstrap=bootstrap,
            prefix=prefix,
            session_timeout=2 * SECOND,
            heartbeat=SECOND // 2,
            commit_interval=SECOND // 2,
        ),
        topics=Topics(source_partitions=2, signals_partitions=2),
        worker=Worker(progress_interval=SECOND // 2, data_dir=str(directory / "data")),
    )
