"""Writes records as rows. Every insert may be repeated, at once or after a restart: the store recognises it by its token, and rows that
were cut into other inserts are replaced by their sorting keys.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import msgspec
from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.driver.client import Client

from models.events import Signal
from models.findings import Finding
from models.instants import HOUR, SECOND
from streams.settings import ClickHouse
from streams.store.clickhouse import WRITING, connect, telling
from streams.store.rows import COLUMNS, SCHEMA, Position, Row, rows
from streams.store.schema import check

Record: TypeAlias = tuple[Position, Signal | Finding]

_EVENT_TIME = {"signals": (1, 1), "watermarks": (1, SECOND)}  # tables whose rows expire by event time: its column, its unit in ns


class Written(msgspec.Struct, frozen=True):
    """What became of a batch: rows stored by table, and rows left out because they are older than the store keeps."""

    rows: dict[str, int]
    expired: int


class Store:
    """The store, for one writer. It connects at the first use, so that it can be made while the store is away."""

    def __init__(self, settings: ClickHouse) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._types: dict[str, Sequence[ClickHouseType]] = {}

    @property
    def client(self) -> Client:
        """The connection. Raises StoreAway, StoreRefused."""
        if self._client is None:
            client = connect(self._settings)
            try:
                check(client, self._settings)
            except BaseException:
                client.close()
                raise
            self._client = client
        return self._client

    def write(self, records: Sequence[Record]) -> Written:
        """Stores records, in the order of their offsets within a partition. All are stored when it returns.

        Raises StoreAway (any part may be stored; write the same again) or StoreRefused.
        """
        stored = dict.fromkeys(COLUMNS, 0)
        expired, horizon = 0, time.time_ns() - self._settings.retention_days * 24 * HOUR
        for part in _cut(records, self._settings.batch):
            for table, made in _tables(part).items():
                for start in range(0, len(made), self._settings.batch):
                    piece = made[start : start + self._settings.batch]
                    kept = [row for row in piece if not _is_older(table, row, horizon)]
                    expired += len(piece) - len(kept)
                    stored[table] += len(kept)
                    if kept:
                        self._insert(table, kept, _token(table, part, piece))
        return Written(stored, expired)

    def close(self) -> None:
        """Gives the connection back; an embedded store is free for others then."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _insert(self, table: str, made: list[Row], token: str) -> None:
        client, names = self.client, COLUMNS[table]
        with telling(self._settings):
            if table not in self._types:
                self._types[table] = client.create_insert_context(table, names, database=self._settings.database).column_types
            client.insert(
                f"{self._settings.database}.{table}",
                list(zip(*made, strict=True)),
                column_names=names,
                column_types=self._types[table],
                column_oriented=True,
                settings={**WRITING, "insert_deduplication_token": token},
            )


def _cut(records: Sequence[Record], size: int) -> Iterator[list[Record]]:
    """By partition, and there at multiples of `size` offsets: a replay is then cut as it was the first time."""
    parts: dict[tuple[str, int, int], list[Record]] = {}
    for record in records:
        place = record[0]
        parts.setdefault((place.topic, place.partition, place.offset // size), []).append(record)
    yield from parts.values()


def _tables(part: Iterable[Record]) -> dict[str, list[Row]]:
    made: dict[str, list[Row]] = {table: [] for table in COLUMNS}
    ticks: dict[Row, Row] = {}
    for place, record in part:
        for table, row in rows(record, place):
            if table == "watermarks":
                ticks[row[:2]] = row  # the last of its ten seconds
            else:
                made[table].append(row)
    made["watermarks"] = list(ticks.values())
    return made


def _is_older(table: str, row: Row, horizon: int) -> bool:
    if table not in _EVENT_TIME:
        return False
    column, unit = _EVENT_TIME[table]
    at = row[column]
    return isinstance(at, int) and at * unit < horizon


def _token(table: str, part: list[Record], piece: list[Row]) -> str:
    """From the content, because a token that was seen before makes the store drop the rows, whatever they are.

    Offsets alone are not enough: they begin again when a topic is made anew.
    """
    digest = hashlib.sha256()
    for row in piece:
        digest.update(repr(row[-4:]).encode())  # of signals and findings: all of it as JSON, and its place
    first, last = part[0][0], part[-1][0]
    return f"{table}/{SCHEMA}/{first.topic}/{first.partition}/{first.offset}-{last.offset}/{len(piece)}/{digest.hexdigest()}"
