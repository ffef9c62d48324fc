"""A read-only ClickHouse HTTP endpoint over the embedded store, in the process that writes it: only one process can open the store, and
`interplay query`, Grafana and other ClickHouse clients want to read it meanwhile.

It speaks what clickhouse-connect and clickhouse-go need of ClickHouse's HTTP interface. What may be asked is `guard`'s to say, and each
question gets a handle of its own that is set to `readonly = 1` before it. It listens on loopback; elsewhere only with a password.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import logging
import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from ipaddress import ip_address

from aiohttp import web

from streams.settings import ClickHouse
from streams.store.clickhouse import StoreRefused
from streams.store.engine import Answer, Engine, QueryFailed
from streams.store.guard import Denied

READERS = 4
BODY_LIMIT = 4 << 20
ACCESS_DENIED, READONLY, WRONG_PASSWORD = 497, 164, 516
HELLO = "SELECT displayName(), version(), revision(), timezone()"  # clickhouse-go's first question, see `_hello`
_STATUS = {60: 404, 81: 404, 62: 400, 47: 400, READONLY: 403, WRONG_PASSWORD: 401, ACCESS_DENIED: 403}
_OF_TRANSPORT = {  # parameters of the protocol, not settings
    "query", "database", "user", "password", "default_format", "query_id", "session_id", "session_timeout", "session_check", "quota_key",
    "compress", "decompress", "wait_end_of_query", "buffer_size", "client_protocol_version", "role", "enable_http_compression",
    "send_progress_in_http_headers", "http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close",
}  # fmt: skip

log = logging.getLogger(__name__)


class Endpoint:
    """Listens between `start` and `stop`, on a thread of its own."""

    def __init__(self, settings: ClickHouse) -> None:
        host, _, port = settings.serve.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._settings = settings
        self._local = _is_loopback(self._host)
        self._engine = Engine(settings)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="store-endpoint", daemon=True)
        self._runner: web.AppRunner | None = None

    def start(self) -> None:
        """Begins to listen. Raises StoreRefused where it cannot, or must not."""
        if not self._local and not self._settings.serve_password:
            raise StoreRefused(
                f"clickhouse.serve: {self._settings.serve} can be reached from elsewhere: set clickhouse.serve_password, or use 127.0.0.1"
            )
        self._thread.start()
        try:
            self._run(self._listen()).result()
        except OSError as error:
            self.stop()
            raise StoreRefused(
                f"clickhouse.serve: cannot listen on {self._settings.serve}: {error.strerror}; choose another port"
            ) from error

    def stop(self) -> None:
        """Ends; questions under way are answered first."""
        if self._thread.is_alive():
            if self._runner is not None:
                self._run(self._runner.cleanup()).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._threads.shutdown(wait=True)
        self._loop.close()

    def _run(self, work: object) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)  # type: ignore[arg-type]

    async def _listen(self) -> None:
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_get("/ping", _ping)
        app.router.add_route("GET", "/", self._answer)
        app.router.add_route("POST", "/", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def _answer(self, request: web.Request) -> web.Response:
        query_id = request.query.get("query_id") or str(uuid.uuid4())
        try:
            self._admit(request)
            parameters, sql = await _question(request)
            if not sql.strip():
                return web.Response(text="Ok.\n")
            if sql.strip() == HELLO and "client_protocol_version" in parameters:
                return web.Response(body=_hello(await self._ask(HELLO, {}, "JSONCompact", {})))
            settings = {k: v for k, v in parameters.items() if k not in _OF_TRANSPORT and not k.startswith("param_")}
            values = {k[len("param_") :]: v for k, v in parameters.items() if k.startswith("param_")}
            self._check_database(parameters)
            answer = await self._ask(sql, settings, parameters.get("default_format", "TabSeparated"), values)
        except Denied as denied:
            return _trouble(READONLY, f"{denied} (READONLY)")
        except _Stranger as stranger:
            return _trouble(WRONG_PASSWORD, str(stranger))
        except QueryFailed as failed:
            return _trouble(failed.code, str(failed))
        response = web.Response(body=answer.body, headers=_headers(answer, query_id))
        if parameters.get("enable_http_compression") == "1" and "gzip" in request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    async def _ask(self, sql: str, settings: Mapping[str, str], default: str, values: dict[str, str]) -> Answer:
        return await self._loop.run_in_executor(self._threads, self._engine.ask, sql, settings, default, values)

    def _check_database(self, parameters: Mapping[str, str]) -> None:
        """One database is served; what clients say when they mean none is taken for it."""
        chosen = parameters.get("database", "")
        if chosen not in ("", "default", "system", self._settings.database):
            raise QueryFailed(81, f"Database {chosen} does not exist. (UNKNOWN_DATABASE)")

    def _admit(self, request: web.Request) -> None:
        if self._settings.serve_password:
            if not hmac.compare_digest(_password(request).encode(), self._settings.serve_password.encode()):
                raise _Stranger("Authentication failed: the password is clickhouse.serve_password. (AUTHENTICATION_FAILED)")
        elif not _is_loopback(request.url.host or ""):  # a page in a browser that had its own name resolved to this machine
            raise _Stranger(f"{request.host} is not this machine's loopback name. (AUTHENTICATION_FAILED)")


class _Stranger(Exception):
    """Whoever asks may not."""


async def _ping(request: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


async def _question(request: web.Request) -> tuple[dict[str, str], str]:
    """Parameters, and the SQL: from the parameter `query`, then the body."""
    parameters = dict(request.query)
    if request.content_type == "multipart/form-data":
        parameters |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        return parameters, parameters.get("query", "")
    try:
        body = (await request.read()).decode()
    except UnicodeDecodeError:
        raise Denied("the body is not UTF-8 text") from None
    return parameters, "\n".join(part for part in (parameters.get("query", ""), body) if part)


def _headers(answer: Answer, query_id: str) -> dict[str, str]:
    summary = {"read_rows": str(answer.rows), "read_bytes": str(answer.bytes), "elapsed_ns": str(answer.elapsed_ns)}
    return {
        "X-ClickHouse-Query-Id": query_id.replace("\r", "").replace("\n", ""),
        "X-ClickHouse-Format": answer.format,
        "X-ClickHouse-Timezone": "UTC",
        "X-ClickHouse-Server-Display-Name": "interplay",
        "X-ClickHouse-Summary": json.dumps(summary),
    }


def _trouble(code: int, text: str) -> web.Response:
    line = f"Code: {code}. DB::Exception: {text}\n"
    return web.Response(status=_STATUS.get(code, 500), text=line, headers={"X-ClickHouse-Exception-Code": str(code)})


def _password(request: web.Request) -> str:
    if key := request.headers.get("X-ClickHouse-Key"):
        return key
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return request.query.get("password", "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _hello(answer: Answer) -> bytes:
    """clickhouse-go reads the first block as its own protocol revision has it, and all later ones as the revision that this block tells.

    Revision 0 is what the engine's Native format is written in.
    """
    name, version, _, timezone = json.loads(answer.body)["data"][0]
    columns = [("displayName()", "String", _text(name)), ("version()", "String", _text(version))]
    columns += [("revision()", "UInt32", bytes(4)), ("timezone()", "String", _text(timezone))]
    block = b"\x01\x00\x02\xff\xff\xff\xff\x00" + bytes([len(columns), 1])  # block info; columns; one row
    return block + b"".join(_text(title) + _text(kind) + b"\x00" + data for title, kind, data in columns)


def _text(text: str) -> bytes:
    raw = text.encode()[:127]  # the length fits one byte
    return bytes([len(raw)]) + raw
