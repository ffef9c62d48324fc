"""The tables `[[analysis.conflict.invariant]]` of the settings file: every mistake is a line that names the table and the field."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from models.configuration import Invariant

FIELDS = ("name", "knobs", "function", "op", "bound", "margin")
MOST_KNOBS = 16
_FUNCTIONS, _OPERATORS = ("sum", "min", "max"), (">", ">=", "<", "<=")


def read_invariants(value: object) -> tuple[tuple[Invariant, ...], list[str]]:
    """The invariants of a file, and what is wrong with them, a line each."""
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        return (), ["analysis.conflict.invariant: must be tables, each under its own [[analysis.conflict.invariant]]"]
    found, wrong = [], []
    for number, table in enumerate(value, 1):
        mistakes = list(_mistakes(table))
        wrong += [f"analysis.conflict.invariant {number}: {mistake}" for mistake in mistakes]
        if not mistakes:
            knobs = [_knob(text) for text in table["knobs"]]
            found.append(msgspec.convert({"op": ">=", **table, "knobs": knobs}, Invariant))
    names = [invariant.name for invariant in found]
    wrong += [f"analysis.conflict.invariant: {name!r} is given twice" for name in sorted({n for n in names if names.count(n) > 1})]
    return tuple(found), wrong


def written_invariant(invariant: Invariant) -> str:
    """The invariant as the file would have it."""
    fields = {name: getattr(invariant, name) for name in FIELDS} | {"knobs": [" ".join(knob) for knob in invariant.knobs]}
    lines = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in fields.items()]
    return "\n".join(["[[analysis.conflict.invariant]]", *lines])


def _mistakes(table: Mapping[str, object]) -> list[str]:
    found = [f"{name}: no such field; it has {', '.join(FIELDS)}" for name in table if name not in FIELDS]
    name, knobs, bound = table.get("name"), table.get("knobs"), table.get("bound")
    if not isinstance(name, str) or not name.strip():
        found.append('name must say what holds, such as "one replica serves"')
    texts = [text for text in knobs if isinstance(text, str) and all(_knob(text))] if isinstance(knobs, list) else []
    if not isinstance(knobs, list) or len(texts) != len(knobs) or not 2 <= len(set(texts)) == len(texts) <= MOST_KNOBS:
        found.append(f'knobs must be 2 to {MOST_KNOBS} different texts "RESOURCE PARAMETER", such as "db/a serving", not {knobs!r}')
    for field, choices in (("function", _FUNCTIONS), ("op", _OPERATORS)):
        if table.get(field, choices[0]) not in choices:
            found.append(f"{field} must be one of {', '.join(choices)}, not {table[field]!r}")
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        found.append(f"bound must be a number, not {bound!r}")
    margin = table.get("margin", 0)
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 <= margin < math.inf:
        found.append(f"margin must be a number of at least 0, not {margin!r}")
    return found


def _knob(text: str) -> tuple[str, str]:
    resource, _, parameter = text.rpartition(" ")
    return resource.strip(), parameter
