"""The connection to the store: a ClickHouse server, or chDB embedded in this process, behind one client; and its errors in two kinds.

`StoreAway`: waiting and doing the same again can help. `StoreRefused`: it cannot; somebody has to put something right.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from models.instants import SECOND
from streams.settings import ClickHouse

CONNECT_TIMEOUT_S = 10
ENGINE_FAILED = "Error initializing EmbeddedServer"  # mostly: another process has it open

NOT_CLICKHOUSE = "Unexpected response to server version query"
_HTTP_REFUSAL = re.compile(r"HTTP status 40[13]\b")  # without a code of ClickHouse's, as from a proxy before it

# An insert is durable and deduplicated by its token when it is answered; said here because the server's defaults changed over versions.
WRITING = {"async_insert": 0, "insert_deduplicate": 1, "max_partitions_per_insert_block": 0}
READING: dict[str, int | str] = {"final": 1, "session_timezone": "UTC"}

_REFUSALS = {  # ClickHouse's error codes that do not go away by waiting, and what to do
    60: "has `interplay init` been run?",
    81: "has `interplay init` been run?",
    16: "its schema is not this program's: run `interplay init`",
    36: "",
    43: "",
    46: "",
    47: "",
    53: "its schema is not this program's: run `interplay init`",
    62: "",
    164: "the store is read here, not changed",
    192: "check clickhouse.username and clickhouse.password",
    193: "check clickhouse.username and clickhouse.password",
    194: "check clickhouse.username and clickhouse.password",
    497: "grant it to clickhouse.username",
    516: "check clickhouse.username and clickhouse.password",
}


class StoreAway(Exception):
    """The store does not answer, or not now. The text is one line: where, what."""


class StoreRefused(Exception):
    """The store will not do it however often it is asked. The text is one line: where, what, what to do."""


def where(settings: ClickHouse) -> str:
    """How sentences name the store."""
    return f"the store in {settings.path}" if settings.path else f"ClickHouse at {settings.host}:{settings.port}"


def connect(settings: ClickHouse, *, database: bool = True) -> Client:
    """A client; its calls may be made from any thread, one at a time. Without `database`, none is chosen (it need not exist yet).

    Raises StoreAway or StoreRefused.
    """
    chosen = settings.database if database else None
    with telling(settings):
        if settings.path:
            return _embedded(settings, chosen)
        return clickhouse_connect.get_client(
            host=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password,
            database=chosen,
            secure=settings.secure,
            verify=True,
            ca_cert=settings.tls_ca or None,
            compress="lz4",
            connect_timeout=min(CONNECT_TIMEOUT_S, settings.timeout / SECOND),
            send_receive_timeout=settings.timeout / SECOND,
            autogenerate_session_id=False,  # a session forbids parallel use
            client_name="interplay",
        )


@contextmanager
def telling(settings: ClickHouse) -> Iterator[None]:
    """Errors of the client as ours."""
    try:
        yield
    except ClickHouseError as error:
        raise _translated(error, settings) from error
    except ImportError as error:
        raise StoreRefused(
            "the embedded store needs chDB, which is not installed: pip install '.[embedded]' in the checkout of interplay"
        ) from error


def in_use(path: str) -> bool:
    """Whether another process has the embedded store open. False where there is none."""
    status = Path(path) / "status"
    if not status.exists():
        return False
    with status.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _embedded(settings: ClickHouse, database: str | None) -> Client:
    path = Path(settings.path).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreRefused(f"the store in {path} cannot be: {error.strerror}; check clickhouse.path") from error
    return clickhouse_connect.get_client(interface="chdb", path=str(path), database=database)


def _translated(error: ClickHouseError, settings: ClickHouse) -> StoreAway | StoreRefused:
    place, code = where(settings), getattr(error, "code", None)
    said = " ".join(str(error).split())
    if ENGINE_FAILED in said:
        return StoreAway(
            f"{place} cannot be opened: most likely another process has it open, such as a worker; else see whether it can be written to"
        )
    if "already initialized with path" in said:
        return StoreRefused(f"{place} cannot be opened: this process has another embedded store open, and only one is possible")
    if code in (192, 193, 194, 516) or (code is None and _HTTP_REFUSAL.search(said)):
        return StoreRefused(f"{place} refuses user {settings.username!r}: {_REFUSALS[516]}")
    if code == 81 or code == 60:
        return StoreRefused(f"{place}: {_own_words(said)}; {_REFUSALS[code]}")
    if code in _REFUSALS:
        advice = _REFUSALS[code]
        return StoreRefused(f"{place}: {_own_words(said)}" + (f"; {advice}" if advice else ""))
    if isinstance(error, OperationalError) and code is None:
        if "CERTIFICATE_VERIFY_FAILED" in said or "WRONG_VERSION_NUMBER" in said:
            return StoreRefused(f"{place}: TLS fails; check clickhouse.secure, clickhouse.port and clickhouse.tls_ca")
        if NOT_CLICKHOUSE in said:
            return StoreAway(f"{place} answers, but not as ClickHouse does: is clickhouse.port its HTTP port?")
        return StoreAway(f"{place} does not answer: is it running, and are clickhouse.host, port and secure right?")
    return StoreAway(f"{place}: {_own_words(said)}")


def _own_words(said: str) -> str:
    """ClickHouse's own sentence, without codes, version and stack trace."""
    said = said.split("(version", 1)[0].split("(for url", 1)[0].split("Stack trace", 1)[0]
    return said.rsplit("DB::Exception:", 1)[-1].strip().rstrip(".")[:400]
