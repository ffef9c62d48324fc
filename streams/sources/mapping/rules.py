"""A `[[map]]` rule, read: when it applies, and what each field of its event is made of."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

from streams.sources.mapping.paths import Json, Path

Type: TypeAlias = Literal["", "number", "text", "boolean", "list", "hash"]
Unit: TypeAlias = Literal["", "rfc3339", "utc", "s", "ms", "us", "ns"]
TYPES: tuple[str, ...] = ("number", "text", "boolean", "list", "hash")
UNITS: dict[str, int] = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}  # ns


class Condition(NamedTuple):
    """One of `when`: all of those that are given must hold of what is at the path; with `[*]`, of one of the elements."""

    path: Path
    exists: bool | None = None
    among: tuple[Json, ...] | None = None  # `equals` and `in`
    matches: re.Pattern[str] | None = None


class Fixed(NamedTuple):
    """A constant."""

    value: Json


class Template(NamedTuple):
    """Text with paths in it: "db/{cluster.name}"."""

    parts: tuple[str | Path, ...]


class Pick(NamedTuple):
    """What is at a path, made into a type, a time, or another word."""

    path: Path
    type: Type = ""
    unit: Unit = ""
    words: dict[str, Json] | None = None
    default: Fixed | None = None


class Group(NamedTuple):
    """An object of fields."""

    fields: tuple[tuple[str, Part], ...]


class Several(NamedTuple):
    """A list, one part each."""

    parts: tuple[Part, ...]


Part: TypeAlias = Fixed | Template | Pick | Group | Several


class Rule(NamedTuple):
    """One rule. `type` is the event's, such as "action", or "" where the record is ignored on purpose."""

    name: str
    type: str
    when: tuple[Condition, ...]
    of_each: tuple[Condition, ...]  # those of `when` that are asked of each element
    each: Path | None
    also: bool
    attributes: Group
    data: Group
