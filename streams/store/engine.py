"""Asks the embedded engine one guarded question: on a handle of its own, read-only, with limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import chdb
import msgspec

from streams.settings import ClickHouse
from streams.store.guard import OTHER_WAYS_OUT, SAFE_TABLE_FUNCTIONS, guarded


class QueryFailed(Exception):
    """The engine's own words; `code` is ClickHouse's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Answer(msgspec.Struct, frozen=True):
    """What the engine answered, and what it took."""

    body: bytes
    format: str
    rows: int
    bytes: int
    elapsed_ns: int


class Engine:
    """Reads the store in settings.path; opens the engine where this process has not yet. `ask` may be called from any thread."""

    def __init__(self, settings: ClickHouse) -> None:
        self._path = str(Path(settings.path).absolute())
        self._database = settings.database

    def ask(self, sql: str, settings: Mapping[str, str], default_format: str, values: dict[str, str]) -> Answer:
        """Answers in the format that the text names, or the default. Raises Denied, QueryFailed."""
        question = guarded(sql, settings, self._banned)
        if not re.fullmatch(r"\w+", default_format):
            raise QueryFailed(73, f"Unknown format {default_format}. (UNKNOWN_FORMAT)")
        handle = self._open()
        try:
            handle.query(f"USE {self._database}")
            for name, value in question.settings.items():
                handle.query(f"SET {name} = {value}")
            handle.query("SET readonly = 1")  # last: it forbids the rest
            result = handle.query(question.sql, default_format, params=values)
            return Answer(
                result.bytes() or b"", question.format or default_format, result.rows_read(), result.bytes_read(),
                int(result.elapsed() * 1e9),
            )  # fmt: skip
        except RuntimeError as error:
            raise _failed(error) from error
        finally:
            handle.close()

    @cached_property
    def _banned(self) -> frozenset[str]:
        """Words that reach beyond the store: this engine's table functions and functions that call services, but for harmless ones."""
        handle = self._open()
        try:
            names = "SELECT name FROM system.table_functions UNION ALL SELECT name FROM system.functions WHERE name ILIKE 'ai%'"
            known = handle.query(names, "TabSeparated").bytes().decode().lower().split()
        finally:
            handle.close()
        return frozenset(set(known) - SAFE_TABLE_FUNCTIONS | OTHER_WAYS_OUT)

    def _open(self) -> chdb.Connection:
        try:
            return chdb.connect(self._path)
        except RuntimeError as error:
            raise _failed(error) from error


def _failed(error: RuntimeError) -> QueryFailed:
    said = str(error)
    code = re.search(r"Code: (\d+)", said)
    text = said.split("DB::Exception: ", 1)[-1].split("Stack trace", 1)[0].strip()
    return QueryFailed(int(code[1]) if code else 1002, text)
