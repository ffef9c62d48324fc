"""Stands in for a ClickHouse server where none can be had: chDB behind ClickHouse's HTTP interface, written to as clickhouse-connect does,
in a process of its own that can be killed, with faults that a test orders. Run: python clickhouse_standin.py PATH PORT

POST /fault?what=reset|hang|error&count=N: the next N inserts are carried out, and then the connection breaks, nothing is answered, or the
answer is 503. What a real server does beyond that (users, quotas, replication) is not here.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
import urllib.request
from base64 import b64decode
from pathlib import Path

import lz4.frame
from aiohttp import web

PASSWORD = "right"
TRANSPORT = {"query", "database", "default_format", "query_id", "session_id", "client_protocol_version", "wait_end_of_query"}
TRANSPORT |= {"enable_http_compression", "send_progress_in_http_headers", "http_headers_progress_interval_ms", "compress"}
TRANSPORT |= {"cancel_http_readonly_queries_on_client_close"}


class Standin:
    """The process, seen from a test."""

    def __init__(self, path: Path, port: int) -> None:
        self.path, self.port = path, port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, __file__, str(self.path), str(self.port)]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ping", timeout=1)
                return
            except OSError:
                assert time.monotonic() < deadline and self.process.poll() is None, "the stand-in does not start"
                time.sleep(0.05)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def fault(self, what: str, count: int = 1) -> None:
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/fault?what={what}&count={count}", data=b"", timeout=5)


class Server:
    """The server itself."""

    def __init__(self, path: str) -> None:
        import chdb  # only here: the test's own process must be free to open another path

        self.connect = lambda: chdb.connect(path)
        self.keep = self.connect()
        self.what, self.count = "", 0

    async def order(self, request: web.Request) -> web.Response:
        self.what, self.count = request.query["what"], int(request.query["count"])
        return web.Response()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if b64decode(request.headers.get("Authorization", "Basic Og==").split()[1]).decode().partition(":")[2] != PASSWORD:
            return failed(516, "default: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)")
        body = await request.read()
        if request.headers.get("Content-Encoding") == "lz4":
            body = lz4.frame.decompress(body)
        body = request.query.get("query", "").encode() + body
        try:
            payload, kind = await asyncio.to_thread(self.run, body, dict(request.query))
        except RuntimeError as error:
            said = str(error).split("Code: ", 1)[-1]
            return failed(int(said.split(".")[0]), said.split("DB::Exception: ", 1)[-1])
        if body.startswith(b"INSERT") and self.count:
            self.count -= 1
            if self.what == "hang":
                await asyncio.sleep(60)
            if self.what == "reset":
                request.transport.abort()
            if self.what == "error":
                return web.Response(status=503, text="Service Unavailable")
        return web.Response(body=payload, headers={"X-ClickHouse-Format": kind, "X-ClickHouse-Timezone": "UTC"})

    def run(self, body: bytes, parameters: dict[str, str]) -> tuple[bytes, str]:
        handle = self.connect()
        try:
            if parameters.get("database"):
                handle.query(f"USE {parameters['database']}")
            for name, value in parameters.items():
                if name not in TRANSPORT and not name.startswith("param_"):
                    handle.query(f"SET {name} = '{value}'")
            if body.startswith(b"INSERT"):
                return self.insert(handle, body), "Null"
            values = {name[6:]: value for name, value in parameters.items() if name.startswith("param_")}
            kind = parameters.get("default_format", "TabSeparated")
            return handle.query(body.decode(), kind, params=values).bytes() or b"", kind
        finally:
            handle.close()

    def insert(self, handle, body: bytes) -> bytes:
        head, _, block = body.partition(b"\n")
        with tempfile.NamedTemporaryFile(suffix=".native") as file:
            file.write(block)
            file.flush()
            into = head.decode().removesuffix(" FORMAT Native")
            handle.query(f"{into} FROM INFILE '{file.name}' FORMAT Native")
        return b""


def failed(code: int, text: str) -> web.Response:
    headers = {"X-ClickHouse-Exception-Code": str(code)}
    return web.Response(status=500, text=f"Code: {code}. DB::Exception: {text}", headers=headers)


async def ping(request: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


def main(path: str, port: int) -> None:
    Path(path).mkdir(parents=True, exist_ok=True)
    server = Server(path)
    app = web.Application(client_max_size=1 << 30)
    app.router.add_get("/ping", ping)
    app.router.add_post("/fault", server.order)
    app.router.add_route("*", "/", server.answer)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
