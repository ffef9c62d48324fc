"""The tables `[[otlp.action]]`, `[[otlp.read]]`, `[[otlp.metric]]` and `[[otlp.log]]` of the settings file: every mistake is a line."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from streams.settings import ActionRule, LogRule, MetricRule, ReadRule
from streams.sources.opentelemetry.templates import Template

Rule = TypeVar("Rule", ActionRule, ReadRule, MetricRule, LogRule)
Reader = Callable[[object], tuple[tuple[Rule, ...], list[str]]]

_PLAIN = ("span", "event", "body", "match", "attributes", "role", "ignore", "slo")  # fields that are no templates
_ROLES = ("", "demand", "capacity")


def _reader(name: str, rule: type[Rule], required: tuple[str, ...], subjects: tuple[str, ...]) -> Reader[Rule]:
    def read(value: object) -> tuple[tuple[Rule, ...], list[str]]:
        if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
            return (), [f"{name}: must be tables, each under its own [[{name}]]"]
        found, wrong = [], []
        for number, table in enumerate(value, 1):
            mistakes = _mistakes(table, rule.__struct_fields__, required, subjects)
            wrong += [f"{name} {number}: {mistake}" for mistake in mistakes]
            if not mistakes:
                found.append(msgspec.convert({**table, "match": tuple(table.get("match", {}).items())}, rule))
        return tuple(found), wrong

    return read


read_actions: Reader[ActionRule] = _reader("otlp.action", ActionRule, ("resource",), ("span", "event", "match"))
read_reads: Reader[ReadRule] = _reader("otlp.read", ReadRule, ("resource",), ("span", "match"))
read_metrics: Reader[MetricRule] = _reader("otlp.metric", MetricRule, ("metric",), ("metric",))
read_logs: Reader[LogRule] = _reader("otlp.log", LogRule, (), ("event", "body", "match"))


def written_rule(rule: ActionRule | ReadRule | MetricRule | LogRule) -> str:
    """The rule as the file would have it, without what is left at its default."""
    kind = {ActionRule: "action", ReadRule: "read", MetricRule: "metric", LogRule: "log"}[type(rule)]
    defaults = dict(zip(reversed(rule.__struct_fields__), reversed(rule.__struct_defaults__), strict=False))
    lines = [f"[[otlp.{kind}]]"]
    for field in rule.__struct_fields__:
        value = getattr(rule, field)
        if field == "match":
            pairs = ", ".join(f"{_toml(key)} = {_toml(glob)}" for key, glob in value)
            lines += [f"match = {{ {pairs} }}"] if value else []
        elif field not in defaults or value != defaults[field]:
            lines.append(f"{field} = {_toml(value)}")
    return "\n".join(lines)


def _toml(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _mistakes(
    table: Mapping[str, object], fields: tuple[str, ...], required: tuple[str, ...], subjects: tuple[str, ...]
) -> list[str]:
    found = [f"{name} is missing" for name in required if not table.get(name)]
    for name, value in table.items():
        if name not in fields:
            close = difflib.get_close_matches(name, fields, n=1)
            found.append(f"{name}: no such field; " + (f"did you mean {close[0]}?" if close else f"it has {', '.join(fields)}"))
        elif trouble := _trouble(name, value):
            found.append(f"{name} {trouble}")
    if not any(table.get(name) for name in subjects):
        found.append(f"says of nothing that it is meant: give it {' or '.join(subjects)}")
    return found


def _trouble(name: str, value: object) -> str:
    if name == "match":
        if not isinstance(value, dict) or not all(isinstance(glob, str) for glob in value.values()):
            return f'must be a table of globs by attribute, such as {{ "gen_ai.tool.name" = "scale_*" }}, not {value!r}'
        return ""
    if name == "attributes":
        good = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return "" if good else f"must be a list of attributes' names, not {value!r}"
    if name in ("ignore", "slo"):
        return "" if isinstance(value, bool) else f"must be true or false, not {value!r}"
    if not isinstance(value, str):
        return f"must be a text in quotes, not {value!r}"
    if name == "role":
        return "" if value in _ROLES else f"must be demand or capacity, not {value!r}"
    if name not in _PLAIN and not (name == "metric" and "*" in value):
        try:
            Template(value)
        except ValueError as error:
            return str(error)
    return ""
