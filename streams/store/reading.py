"""What `interplay query` does: asks the store one question, read-only, wherever the store is.

An embedded store that no worker has open is opened here; one that a worker has open is asked through that worker's endpoint.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import clickhouse_connect
import msgspec
from clickhouse_connect.driver.client import Client

from models.instants import SECOND
from streams.settings import ClickHouse, Settings
from streams.store.clickhouse import READING, StoreAway, StoreRefused, connect, in_use, telling, where
from streams.store.guard import Denied, guarded

Table: TypeAlias = tuple[list[str], list[tuple[object, ...]]]


class _Column(msgspec.Struct):
    name: str


class _Compact(msgspec.Struct):
    """ClickHouse's format JSONCompact."""

    meta: list[_Column]
    data: list[tuple[object, ...]]


def query(settings: Settings, sql: str) -> Table:
    """The names of the columns, and the rows. Superseded rows are left out (FINAL). Raises StoreAway, StoreRefused."""
    answer = msgspec.json.decode(raw(settings, sql, "JSONCompact") or b'{"meta":[],"data":[]}', type=_Compact)
    return [column.name for column in answer.meta], answer.data


def raw(settings: Settings, sql: str, format: str) -> bytes:
    """The answer in one of ClickHouse's formats, such as CSVWithNames. Raises as `query` does."""
    store = settings.clickhouse
    sql = _one_question(store, sql)
    if not store.path:
        return _asked(connect(store), store, sql, format, {**READING, "readonly": 2})
    if not (Path(store.path) / "metadata").exists():
        raise StoreRefused(f"there is no store in {store.path}: check clickhouse.path, or run `interplay init`")
    if in_use(store.path):
        return _asked(_over_http(store), store, sql, format, {})
    return _opened(store, sql, format)


def _one_question(store: ClickHouse, sql: str) -> str:
    try:
        question = guarded(sql, {}, frozenset())
    except Denied as denied:
        raise StoreRefused(f"{where(store)} is only read here: {denied}") from denied
    if question.format:
        raise StoreRefused(f"{where(store)}: leave out FORMAT {question.format}: --format says how it is shown")
    return sql.strip().rstrip(";")


def _asked(client: Client, store: ClickHouse, sql: str, format: str, settings: dict[str, int | str]) -> bytes:
    try:
        with telling(store):
            answer: bytes = client.raw_query(f"{sql}\n", fmt=format, settings=settings)
            return answer
    finally:
        client.close()


def _opened(store: ClickHouse, sql: str, format: str) -> bytes:
    from streams.store.engine import Engine, QueryFailed  # only here: a server needs no chDB

    try:
        return Engine(store).ask(sql, {}, format, {}).body
    except Denied as denied:
        raise StoreRefused(f"{where(store)} is only read here: {denied}") from denied
    except QueryFailed as failed:
        raise StoreRefused(f"{where(store)}: {failed}") from failed


def _over_http(store: ClickHouse) -> Client:
    if not store.serve:
        raise StoreAway(f"{where(store)} is open in a worker, and clickhouse.serve is off: set it, or stop the worker")
    host, _, port = store.serve.rpartition(":")
    try:
        return clickhouse_connect.get_client(
            host="127.0.0.1" if host in ("0.0.0.0", "[::]") else host.strip("[]"),
            port=int(port),
            password=store.serve_password,
            database=store.database,
            autogenerate_session_id=False,
            send_receive_timeout=store.timeout / SECOND,
        )
    except clickhouse_connect.driver.exceptions.OperationalError as error:
        raise StoreAway(
            f"{where(store)} is open in another process, which does not answer on {store.serve}: is its clickhouse.serve the same?"
        ) from error
