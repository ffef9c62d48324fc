"""The API server as a program without kubectl sees it: a few requests over TLS with a token."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Api:
    """`name` becomes the user agent, by which the audit log tells tools apart."""

    def __init__(self, server: str, certificate: Path, token: str, name: str) -> None:
        self.server, self.token, self.name = server, token, name
        self.trust = ssl.create_default_context(cafile=str(certificate))

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's object. Raises urllib.error.HTTPError, whose `code` says why."""
        with self._open(method, path, body, timeout=30) as answer:
            return json.load(answer)

    def ready(self) -> bool:
        """Whether the server serves."""
        try:
            with self._open("GET", "/readyz", None, timeout=2):
                return True
        except OSError:
            return False

    def watch(self, path: str) -> Iterator[tuple[str, Any]]:
        """(ADDED, MODIFIED or DELETED; the object) as they happen, until the server ends or is killed."""
        try:
            with self._open("GET", f"{path}?watch=1&timeoutSeconds=3600", None, timeout=3600) as lines:
                for line in lines:
                    event = json.loads(line)
                    yield event["type"], event["object"]
        except (urllib.error.URLError, ConnectionError, ssl.SSLError):
            return

    def _open(self, method: str, path: str, body: Any, timeout: float) -> Any:
        request = urllib.request.Request(
            self.server + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "User-Agent": f"{self.name}/v1.0", "Content-Type": "application/json"},
            method=method,
        )
        return urllib.request.urlopen(request, context=self.trust, timeout=timeout)
