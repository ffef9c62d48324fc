"""The tables `[[map]]` of the settings file: every mistake is a line that names the rule and the field (docs/mapping.md)."""

from __future__ import annotations

import re
from datetime import date, datetime, time

import msgspec

from streams.settings import Mapping
from streams.sources.mapping.reading import FIELDS, Mistakes, read_rule

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def read_maps(value: object) -> tuple[tuple[Mapping, ...], list[str]]:
    """The rules of a file, and what is wrong with them, a line each."""
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        return (), ["map: must be tables, each under its own [[map]]"]
    found, wrong = [], []
    for number, table in enumerate(value, 1):
        name = table.get("name")
        where = f"map {number} ({name})" if isinstance(name, str) and name else f"map {number}"
        if _has_dates(table):
            wrong.append(f"{where}: a date stands without quotes; JSON has none, so write it in quotes")
            continue
        try:
            read_rule(table)
            found.append(
                Mapping(name=table["name"], table=msgspec.json.encode({key: table[key] for key in FIELDS if key in table}).decode())
            )
        except Mistakes as mistakes:
            wrong += [f"{where}: {line}" for line in mistakes.lines]
    names = [rule.name for rule in found]
    wrong += [f"map: {name!r} is given twice" for name in sorted({name for name in names if names.count(name) > 1})]
    return tuple(found), wrong


def written_map(rule: Mapping) -> str:
    """The rule as the file would have it."""
    table = msgspec.json.decode(rule.table, type=dict[str, object])
    return "\n".join(["[[map]]", *(f"{name} = {_toml(table[name])}" for name in FIELDS if name in table)])


def _toml(value: object) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(name)} = {_toml(each)}" for name, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return msgspec.json.encode(value).decode()


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else msgspec.json.encode(name).decode()


def _has_dates(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_dates, value.values()))
    if isinstance(value, list):
        return any(map(_has_dates, value))
    return isinstance(value, datetime | date | time)
