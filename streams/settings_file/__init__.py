"""Loads the settings: one TOML file and the environment above it, typed and checked. All mistakes are told at once, a line each.

The file is `--config FILE`, else $INTERPLAY_CONFIG, else ./interplay.toml if there is one. A setting "analysis.thrashing.close" is the
key `close` of the table `[analysis.thrashing]` in the file, and INTERPLAY_ANALYSIS__THRASHING__CLOSE in the environment, which wins.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from streams.settings import Settings, SettingsError
from streams.settings_file.keys import FILE_KEYS, variable
from streams.settings_file.rules import broken_rules
from streams.settings_file.tables import LISTS, Rows, with_rows
from streams.settings_file.values import FORMS, TABLES, Leaf, checked, did_you_mean, from_text

__all__ = ["Loaded", "SettingsError", "load"]

DEFAULT_FILE = "interplay.toml"
PREFIX = "INTERPLAY_"
NOT_SETTINGS = ("INTERPLAY_CONFIG",)


class Loaded(msgspec.Struct, frozen=True):
    """The settings, and where each value came from: "default", the file's path, or the variable's name."""

    settings: Settings
    origins: dict[str, str]


class _Mistakes:
    """What is wrong so far, and in which tables: rules between settings are not asked about a table that has mistakes already."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.tables: set[str] = set()

    def add(self, where: str, name: str, trouble: str) -> None:
        self.lines.append(f"{where}: {trouble}")
        self.tables.add(name.split(".")[0])


class _Given(msgspec.Struct, frozen=True):
    """A value as it was written, before its type is known to be right."""

    value: object
    origin: str
    where: str  # how a mistake names the place


def load(path: str | None, environment: Mapping[str, str]) -> Loaded:
    """Reads the file and the environment. Raises SettingsError with every mistake that it finds."""
    mistakes = _Mistakes()
    given = {**_from_file(path, environment, mistakes), **_from_environment(environment, mistakes)}
    tables = {name: _rows(given, name, mistakes) for name in LISTS}
    values: dict[str, Leaf] = {}
    for name, item in given.items():
        try:
            values[name] = checked(name, item.value)
        except ValueError as error:
            mistakes.add(item.where, name, str(error))
    settings = msgspec.convert(_nested(values), Settings)
    for name, found in tables.items():
        settings = with_rows(settings, name, found)
    for name, trouble in broken_rules(settings):
        if name.split(".")[0] not in mistakes.tables:
            mistakes.lines.append(f"{given[name].where if name in given else name}: {trouble}")
    if mistakes.lines:
        raise SettingsError(mistakes.lines)
    return Loaded(settings, {name: given[name].origin if name in given else "default" for name in FORMS})


def _rows(given: dict[str, _Given], name: str, mistakes: _Mistakes) -> Rows:
    """Takes a list of tables out of what was given."""
    item = given.pop(name, None)
    if item is None:
        return ()
    found, wrong = LISTS[name].read(item.value)
    for trouble in wrong:
        mistakes.add(item.origin, name, trouble)
    return found


def _from_file(path: str | None, environment: Mapping[str, str], mistakes: _Mistakes) -> dict[str, _Given]:
    named = path or environment.get("INTERPLAY_CONFIG")
    if not named and not Path(DEFAULT_FILE).exists():
        return {}
    file = named or DEFAULT_FILE
    try:
        document = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        mistakes.add(file, "", f"cannot be read: {error.strerror}")
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        mistakes.add(file, "", f"not valid TOML: {error}")
        return {}
    given: dict[str, _Given] = {}
    for name, value in _flat(document, ""):
        where = f"{file}: {name}"
        if name in FORMS or name in FILE_KEYS or name in TABLES:
            _put(given, name, _Given(value, file, where), mistakes)
        else:
            mistakes.add(where, name, f"no such setting{did_you_mean(name, (*FORMS, *FILE_KEYS, *TABLES))}")
    return given


def _from_environment(environment: Mapping[str, str], mistakes: _Mistakes) -> dict[str, _Given]:
    known = {variable(name): name for name in (*FORMS, *FILE_KEYS)}
    squeezed = {name.replace("_", ""): name for name in known}
    given: dict[str, _Given] = {}
    for name in sorted(name for name in environment if name.startswith(PREFIX) and name not in NOT_SETTINGS):
        if name in known:
            _put(given, known[name], _Given(from_text(known[name], environment[name]), name, name), mistakes)
        elif environment[name].startswith(("tcp://", "udp://")):
            continue  # Kubernetes' own: a Service interplay-clickhouse gives every pod INTERPLAY_CLICKHOUSE_PORT=tcp://10.0.0.1:8123
        elif name.upper().replace("_", "") in squeezed:
            right = squeezed[name.upper().replace("_", "")]
            mistakes.add(name, known[right], f"no such setting; did you mean {right}?")
        elif "__" in name:
            mistakes.add(name, name[len(PREFIX) :].lower().replace("__", "."), f"no such setting{did_you_mean(name, tuple(known))}")
    return given


def _put(given: dict[str, _Given], name: str, item: _Given, mistakes: _Mistakes) -> None:
    """Keeps a value; a `..._file` key stands for the secret that the file holds."""
    target = FILE_KEYS.get(name, name)
    if target in given:
        mistakes.add(item.where, target, f"{target} is given twice, also as {given[target].where}; keep one")
        return
    if name not in FILE_KEYS:
        given[target] = item
        return
    try:
        secret = Path(str(item.value)).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        mistakes.add(item.where, target, f"{item.value} cannot be read: {reason}")
        return
    given[target] = _Given(secret, f"{item.origin} ({item.value})", item.where)


def _flat(table: Mapping[str, object], path: str) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        name = f"{path}{key}"
        if isinstance(value, dict) and name not in (*FORMS, *TABLES):
            yield from _flat(value, f"{name}.") if value else ()
        else:
            yield name, value


def _nested(values: Mapping[str, Leaf]) -> dict[str, object]:
    root: dict[str, object] = {}
    for name, value in values.items():
        *tables, last = name.split(".")
        table = root
        for part in tables:
            inner = table.setdefault(part, {})
            assert isinstance(inner, dict)
            table = inner
        table[last] = value
    return root
