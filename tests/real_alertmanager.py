"""A real Alertmanager and a receiver behind it: Debian's 0.25 with the routes and inhibitions of deploy/alertmanager.yml."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "deploy" / "alertmanager.yml"
BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
MISSING = "no Alertmanager here: sudo scripts/install-system-parts.sh (Debian, Ubuntu), or put `alertmanager` into PATH"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(reached: Callable[[], object], seconds: float = 8.0) -> bool:
    """Waits for it; tells whether it came."""
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class Receiver:
    """What on-call gets: every webhook, in order of arrival."""

    def __init__(self) -> None:
        self.messages: list[dict] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages.append(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def rings(self, domain: str) -> list[tuple[str, list[str]]]:
        """(status of the message, finding ids in it that fire) of one domain."""
        return [
            (message["status"], [alert["labels"]["finding_id"] for alert in message["alerts"] if alert["status"] == "firing"])
            for message in self.messages
            if message["commonLabels"].get("domain") == domain
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class RealAlertmanager:
    """The process. `start` may follow `stop`: it comes back on the same port, as empty as after a crash of its host."""

    def __init__(self, folder: Path, receiver: Receiver, extra: list[str] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder, self._extra = folder, extra or []
        text = EXAMPLE.read_text().replace("http://127.0.0.1:9095/", receiver.url)
        for name, short in (("group_wait: 30s", "group_wait: 600ms"), ("group_interval: 2m", "group_interval: 300ms")):
            assert name in text
            text = text.replace(name, short)
        (folder / "alertmanager.yml").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert BINARY is not None
        files = [f"--config.file={self._folder}/alertmanager.yml", f"--storage.path={self._folder}/data"]
        listen = [f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address="]
        self._process = subprocess.Popen([BINARY, *files, *listen, *self._extra], stderr=subprocess.DEVNULL)
        assert until(self._listening), "Alertmanager did not start"

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def alerts(self, domain: str) -> list[dict]:
        """What it holds open of one domain, inhibited or not."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts?filter=domain%3D%22{domain}%22", timeout=5) as answer:
            return json.load(answer)

    def _listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
