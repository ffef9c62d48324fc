"""Lists of tables of the settings file, `[[waiver]]` and the like: who reads each, who writes it, and where it stands in the settings.

Only the file has them: what consists of several fields has no form that anybody would write into an environment variable. A new one is a
field of `Settings` (or of a struct within), a name in `values.TABLES`, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

import msgspec

from streams.settings import Settings
from streams.settings_file.calls import read_calls
from streams.settings_file.invariants import read_invariants, written_invariant
from streams.settings_file.maps import read_maps, written_map
from streams.settings_file.otlp_rules import read_actions, read_logs, read_metrics, read_reads, written_rule
from streams.settings_file.sources import read_agents, read_sources, written_table
from streams.settings_file.values import AGENTS, CALLS, INVARIANTS, MAPS, OTLP_RULES, SOURCES, WAIVERS
from streams.settings_file.waivers import read_waivers, written_waiver

Rows: TypeAlias = tuple[msgspec.Struct, ...]


class Tables(NamedTuple):
    """How a list of tables is read (rows, and what is wrong with them, a line each), and how one of them is written."""

    read: Callable[[object], tuple[Rows, list[str]]]
    written: Callable[..., str]


LISTS: dict[str, Tables] = {
    INVARIANTS: Tables(read_invariants, written_invariant),
    MAPS: Tables(read_maps, written_map),
    OTLP_RULES[0]: Tables(read_actions, written_rule),
    OTLP_RULES[1]: Tables(read_reads, written_rule),
    OTLP_RULES[2]: Tables(read_metrics, written_rule),
    OTLP_RULES[3]: Tables(read_logs, written_rule),
    WAIVERS: Tables(read_waivers, written_waiver),
    SOURCES: Tables(read_sources, partial(written_table, SOURCES)),
    AGENTS: Tables(read_agents, partial(written_table, AGENTS)),
    CALLS: Tables(read_calls, partial(written_table, CALLS)),
}


def rows(settings: Settings, name: str) -> Rows:
    """The tables of that name."""
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    assert isinstance(value, tuple)
    return value


def with_rows(settings: Settings, name: str, value: Rows) -> Settings:
    """The same settings with these tables."""
    replaced = _replaced(settings, name.split("."), value)
    assert isinstance(replaced, Settings)
    return replaced


def written_tables(settings: Settings) -> list[str]:
    """All lists of tables as the file would have them."""
    return [tables.written(row) for name, tables in LISTS.items() for row in rows(settings, name)]


def _replaced(struct: msgspec.Struct, path: list[str], value: Rows) -> msgspec.Struct:
    name, *rest = path
    return msgspec.structs.replace(struct, **{name: _replaced(getattr(struct, name), rest, value) if rest else value})
