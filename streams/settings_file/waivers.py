"""The tables `[[waiver]]` of the settings file: each field checked, every mistake a line that names the waiver and the field.

Only the file has them: a list of tables with owners and reasons has no form that anybody would write into an environment variable.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import UTC, date, datetime

import msgspec

from models.findings import KINDS
from models.instants import format_time, parse_time
from streams.settings import Waiver

FIELDS = ("pattern", "agents", "resource", "owner", "reason", "expires")
_MEANING = {
    "pattern": 'which pattern, such as "thrashing" or "thrashing/sustained"',
    "agents": 'whom it is for, such as ["hpa-up", "hpa-down"]',
    "resource": 'a glob, such as "k8s/prod/*"; "*" is every resource',
    "owner": "who answers for it",
    "reason": "why it is intended",
    "expires": "until when it holds, such as 2027-01-31",
}


def read_waivers(value: object) -> tuple[tuple[Waiver, ...], list[str]]:
    """The waivers of a file, and what is wrong with them, a line each."""
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        return (), ["waiver: must be tables, each under its own [[waiver]]"]
    waivers, wrong = [], []
    for number, table in enumerate(value, 1):
        mistakes = _mistakes(table)
        wrong += [f"waiver {number}: {mistake}" for mistake in mistakes]
        if not mistakes:
            waivers.append(_waiver(table))
    return tuple(waivers), wrong


def written_waiver(waiver: Waiver) -> str:
    """The waiver as the file would have it."""
    fields = [f"{name} = {msgspec.json.encode(getattr(waiver, name)).decode()}" for name in FIELDS if name != "expires"]
    return "\n".join(["[[waiver]]", *fields, f"expires = {format_time(waiver.expires)}"])


def _waiver(table: Mapping[str, object]) -> Waiver:
    return Waiver(
        pattern=str(table["pattern"]),
        agents=tuple(_texts(table["agents"])),
        resource=str(table["resource"]),
        owner=str(table["owner"]),
        reason=str(table["reason"]),
        expires=_moment(table["expires"]),
    )


def _mistakes(table: Mapping[str, object]) -> list[str]:
    found = []
    for name in table:
        if name not in FIELDS:
            close = difflib.get_close_matches(name, FIELDS, n=1)
            found.append(f"{name}: no such field; " + (f"did you mean {close[0]}?" if close else f"it has {', '.join(FIELDS)}"))
    for name in FIELDS:
        if name not in table:
            found.append(f"{name} is missing: {_MEANING[name]}")
            continue
        try:
            _check(name, table[name])
        except ValueError as error:
            found.append(f"{name}: {error}")
    return found


def _check(name: str, value: object) -> None:
    """Raises ValueError with what is wrong with one field."""
    if name == "expires":
        _moment(value)
    elif name == "agents":
        agents = _texts(value)
        if not agents:
            raise ValueError(f"is empty; it says {_MEANING[name]}")
        for agent in agents:
            _check_glob(agent)
    elif not isinstance(value, str):
        raise ValueError(f"must be a text in quotes, not {value!r}")
    elif not value.strip():
        raise ValueError(f"is empty; it says {_MEANING[name]}")
    elif name == "resource":
        _check_glob(value)
    elif name == "pattern":
        _check_pattern(value)


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError(f"must be a list of names, {_MEANING['agents']}, not {value!r}")
    return list(value)


def _check_glob(glob: str) -> None:
    """`fnmatch` takes an unclosed bracket for itself, which nobody means: a waiver must not miss for a slip."""
    rest = glob
    while "[" in rest:
        rest = rest.split("[", 1)[1]
        closing = rest.find("]", 2 if rest.startswith("!") else 1)  # "[]a]" and "[!]a]" hold the bracket itself
        if closing < 0:
            raise ValueError(f'{glob!r} opens a "[" and never closes it; write "[[]" for the bracket itself')
        rest = rest[closing + 1 :]


def _check_pattern(text: str) -> None:
    pattern, slash, kind = text.partition("/")
    if pattern not in KINDS:
        raise ValueError(f"no pattern {pattern!r}; choose from {', '.join(KINDS)}")
    if slash and kind not in KINDS[pattern]:
        raise ValueError(f"{pattern} has no kind {kind!r}; choose from {', '.join(KINDS[pattern])}")


def _moment(value: object) -> int:
    """A TOML date (its first moment, UTC), a TOML time with offset, or either in quotes -> ns. ValueError with what is wrong."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"must be a date such as 2027-01-31 or a time such as 2027-01-31T18:00:00Z, not {value!r}") from None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} names no zone; write {value.isoformat()}Z for UTC")
        try:
            value = value.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"time outside 1970-2262: {value.isoformat()!r}") from None
        return parse_time(value.isoformat())
    if isinstance(value, date):
        return parse_time(f"{value.isoformat()}T00:00:00Z")
    raise ValueError(f"must be a date such as 2027-01-31 or a time such as 2027-01-31T18:00:00Z, not {value!r}")
