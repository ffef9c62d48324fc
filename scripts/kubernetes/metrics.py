"""The metric that an autoscaler asks for: a server of `external.metrics.k8s.io` whose number the scenario sets. It writes nothing."""

from __future__ import annotations

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

GROUP = "external.metrics.k8s.io"
METRIC = "requests_per_second"


class Metrics:
    """A context manager; `demand` is the total, requests a second, and may be set at any time."""

    def __init__(self, port: int, certificate: Path, key: Path) -> None:
        self.demand = 0.0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Metrics:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> dict[str, Any] | None:
        """The object at a path; None where there is none."""
        parts = path.partition("?")[0].strip("/").split("/")
        version = f"{GROUP}/v1beta1"
        if parts == ["apis", *version.split("/")]:
            resource = {"name": METRIC, "singularName": "", "namespaced": True, "kind": "ExternalMetricValueList", "verbs": ["get"]}
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": [resource]}
        if parts[-1] == METRIC:
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            item = {"metricName": METRIC, "metricLabels": {}, "timestamp": now, "value": f"{round(self.demand * 1000)}m"}
            return {"kind": "ExternalMetricValueList", "apiVersion": version, "metadata": {}, "items": [item]}
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        metrics = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: object) -> None:
                """Silent: what the autoscaler asks is in the API server's log."""

            def do_GET(self) -> None:
                found = metrics.answer(self.path)
                body = json.dumps(found or {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}).encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler
