"""The tables `[[source]]` and `[[agent]]` of the settings file: every mistake is a line that names the table and the field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

import msgspec

from streams.settings import AgentName, SourceTopic
from streams.sources.kinds import KINDS

T = TypeVar("T", SourceTopic, AgentName)
CLUSTER_LIMIT, NAME_LIMIT, MOST_PARTITIONS = 64, 256, 10_000
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


class _Field(NamedTuple):
    meaning: str
    check: Callable[[object], str]  # what is wrong with a value, or ""
    needed: bool = False


def check_cluster(value: object) -> str:
    """What is wrong with a cluster's name: it is a part of the name of every resource."""
    if not isinstance(value, str) or not 0 < len(value) <= CLUSTER_LIMIT or "/" in value or any(each.isspace() for each in value):
        return f"must be a name of at most {CLUSTER_LIMIT} characters without spaces and slashes, not {value!r}"
    return ""


def _check_topic(value: object) -> str:
    if not isinstance(value, str) or not _TOPIC.fullmatch(value):
        return f"must be a topic's full name (letters, digits, dots, dashes and underscores), not {value!r}"
    return ""


def _check_kind(value: object) -> str:
    if isinstance(value, str) and value in KINDS:
        return ""
    close = difflib.get_close_matches(str(value), KINDS, n=1)
    return f"no kind {value!r}; " + (f"did you mean {close[0]}?" if close else f"choose from {', '.join(KINDS)}")


def _check_text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= NAME_LIMIT:
        return f"must be a text of 1 to {NAME_LIMIT} characters in quotes, not {value!r}"
    return ""


def _check_partitions(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_PARTITIONS:
        return f"must lie between 1 and {MOST_PARTITIONS}, not {value!r}"
    return ""


def _check_names(value: object) -> str:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        return f'must be a list of names of [[map]] rules, such as ["deployments"], not {value!r}'
    return ""


_SOURCE = {
    "topic": _Field('the full name of the topic, such as "audit"', _check_topic, needed=True),
    "kind": _Field(f"what its records are: {', '.join(KINDS)}", _check_kind, needed=True),
    "cluster": _Field("begins the names of its resources", check_cluster),
    "domain": _Field("of all its events", _check_text),
    "partitions": _Field("with which `interplay init` creates it", _check_partitions),
    "rules": _Field("of kind json: the names of the [[map]] rules for it", _check_names),
}
_AGENT = {
    "name": _Field("what the agent is called", _check_text, needed=True),
    "user": _Field("a glob over who asked", _check_text),
    "user_agent": _Field("a glob over the program that asked", _check_text),
}


def read_sources(value: object) -> tuple[tuple[SourceTopic, ...], list[str]]:
    """The sources of a file, and what is wrong with them, a line each."""
    found, wrong = _read("source", value, _SOURCE, SourceTopic)
    names = [source.topic for source in found]
    return found, wrong + [f"source: topic {name!r} is given twice" for name in sorted({n for n in names if names.count(n) > 1})]


def read_agents(value: object) -> tuple[tuple[AgentName, ...], list[str]]:
    """The names of agents of a file, and what is wrong with them, a line each."""
    found, wrong = _read("agent", value, _AGENT, AgentName)
    bare = [number for number, agent in enumerate(found, 1) if agent.user == agent.user_agent == "*"]
    return found, wrong + [f"agent {number}: would be everybody's name; give user or user_agent" for number in bare]


def written_table(name: str, table: msgspec.Struct) -> str:
    """A table of such plain values as the file would have it."""
    fields = msgspec.to_builtins(table)
    return "\n".join([f"[[{name}]]", *(f"{field} = {msgspec.json.encode(value).decode()}" for field, value in fields.items())])


def _read(name: str, value: object, fields: Mapping[str, _Field], struct: type[T]) -> tuple[tuple[T, ...], list[str]]:
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        return (), [f"{name}: must be tables, each under its own [[{name}]]"]
    found: list[T] = []
    wrong: list[str] = []
    for number, table in enumerate(value, 1):
        mistakes = list(_mistakes(table, fields))
        wrong += [f"{name} {number}: {mistake}" for mistake in mistakes]
        if not mistakes:
            found.append(msgspec.convert(table, struct))
    return tuple(found), wrong


def _mistakes(table: Mapping[str, object], fields: Mapping[str, _Field]) -> Iterator[str]:
    for name in table:
        if name not in fields:
            close = difflib.get_close_matches(name, fields, n=1)
            yield f"{name}: no such field; " + (f"did you mean {close[0]}?" if close else f"it has {', '.join(fields)}")
    for name, field in fields.items():
        if name not in table:
            if field.needed:
                yield f"{name} is missing: {field.meaning}"
        elif trouble := field.check(table[name]):
            yield f"{name}: {trouble}"
