"""What a tool call writes where no rule says it: guessed by the tool's name and by the names of its arguments.

    scale_service(namespace="shop", service="cart", replicas=5, reason="p95 is high")  ->  tool/scale_service/shop/cart  replicas -> 5
    set_mode(service="cart", mode="eco")                                               ->  tool/set_mode/cart            mode -> eco
    disable_flag(name="beta")                                                          ->  tool/enable_flag/beta         enable -> false

A tool whose name begins like a write is one. An argument whose name ends in one of `NAMING` names the resource, one of `PROSE` says why or
is left out, and the rest are parameters with their new values. Where none names the resource, texts do, but for those of `SETTING`.
Two tools that undo each other are one: those of `UNDOES`, and scale_up and scale_down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from models.events import Value, Version
from streams.sources.opentelemetry.conventions import AGENT, ARGUMENTS, RESULT, TOOL
from streams.sources.opentelemetry.naming import bounded, text
from streams.sources.opentelemetry.record import Span
from streams.sources.opentelemetry.templates import as_value, parsed, wrapped
from streams.sources.opentelemetry.values import Attributes, Json
from streams.sources.secrets import is_secret, without_secrets

WRITES = frozenset((
    "activate", "add", "apply", "assign", "attach", "block", "change", "close", "configure", "cordon", "create", "deactivate",
    "decrease", "delete", "demote", "deploy", "detach", "disable", "drain", "enable", "evict", "failover", "increase", "kill",
    "lock", "modify", "move", "mute", "open", "patch", "pause", "promote", "provision", "put", "reduce", "release", "remove",
    "replace", "reroute", "resize", "restart", "resume", "revert", "rollback", "rollout", "route", "scale", "set", "shift",
    "start", "stop", "suspend", "switch", "terminate", "throttle", "toggle", "unblock", "uncordon", "unlock", "unmute",
    "update", "upgrade", "write",
))  # fmt: skip
UNDOES = {  # a verb that takes back, by itself, what the other does
    "close": "open", "deactivate": "activate", "demote": "promote", "detach": "attach", "disable": "enable", "pause": "resume",
    "remove": "add", "stop": "start", "suspend": "resume", "unblock": "block", "uncordon": "cordon", "unlock": "lock",
    "unmute": "mute",
}  # fmt: skip
NAMING = frozenset((
    "account", "app", "application", "arn", "bucket", "channel", "cluster", "component", "container", "database", "db", "deployment",
    "device", "endpoint", "env", "environment", "function", "group", "host", "hostname", "id", "identifier", "instance", "job", "key",
    "name", "namespace", "node", "partition", "path", "pipeline", "pod", "pool", "project", "queue", "region", "repo", "repository",
    "resource", "route", "server", "service", "shard", "statefulset", "stream", "table", "target", "tenant", "topic", "uri", "url",
    "user", "vm", "workload", "zone",
))  # fmt: skip
NUMBERED = frozenset(("account", "id", "identifier", "partition", "shard", "tenant", "user"))  # of them, what a number may name
WHY = frozenset(("explanation", "intent", "justification", "rationale", "reason", "reasoning", "why"))
PROSE = WHY | frozenset((
    "body", "comment", "comments", "content", "context", "description", "message", "note", "notes", "prompt", "query", "summary", "text",
    "thought", "title",
))  # fmt: skip
SETTING = frozenset((
    "class", "color", "colour", "commit", "image", "level", "mode", "policy", "profile", "revision", "role", "sha", "size", "state",
    "status", "strategy", "tag", "tier", "value", "version",
))  # fmt: skip
READS = frozenset((  # of tools with words on both sides of a dash: get-open_orders opens nothing
    "check", "count", "describe", "diff", "explain", "fetch", "find", "get", "inspect", "list", "load", "lookup", "preview", "query",
    "read", "search", "show", "simulate", "validate", "view", "watch",
))  # fmt: skip
ALONE = "argument"  # what the only one is called of a call that says no more (LangChain's, by OpenInference)
NAMES, PARAMETERS = 8, 16  # of one tool call
WHY_LIMIT = 1000
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DIRECTION = re.compile(r"[-_]?(?:(?<=[-_])(?:up|down)|(?:Up|Down))$")
_FIRST_WORD = re.compile(r"[A-Za-z][a-z]*")


class Draft(NamedTuple):
    """An action but for what only the spans around it tell. `id` is unique in its source; `agent` "" is not known yet."""

    id: str
    time: int  # ns; 0: that of the span
    agent: str
    resource: str
    verb: str
    parameter: str
    old: Value | UnsetType
    new: Value | UnsetType
    version: Version
    outcome: str
    why: str


class _Told(NamedTuple):
    """A call's arguments by what they say."""

    names: list[str]  # parts of the resource's name
    values: dict[str, Json]  # new values, by parameter
    why: str


def is_write(span: Span) -> bool:
    """Whether a tool call's name begins like a write."""
    return first_word(text(span.attributes.get(TOOL))) in WRITES


def guessed(span: Span, outcome: str) -> Iterator[Draft]:
    """The writes of a tool call, one a parameter; none where its name does not begin like one."""
    attributes = span.attributes
    tool = text(attributes.get(TOOL))
    verb = first_word(tool)
    if not is_write(span) or ARGUMENTS not in attributes:
        return  # without its arguments a call is one of many, on who knows what
    given = parsed(attributes[ARGUMENTS])
    if given is None:
        given = attributes[ARGUMENTS]
    arguments = dict(sorted(given.items())) if isinstance(given, dict) else {ALONE: given}
    named = arguments.pop("resource", None)
    told = _told({key: value for key, value in arguments.items() if not is_secret(key, value)})
    writes = list(told.values.items())[:PARAMETERS] or [_switched(verb)]
    label = tool
    if told.values:
        label = _DIRECTION.sub("", tool)
    elif verb in UNDOES:
        label = tool[: len(tool) - len(_last(tool))] + _FIRST_WORD.sub(UNDOES[verb], _last(tool), count=1)
    resource = named if isinstance(named, str) and named else "/".join(["tool", label, *told.names[:NAMES]])
    for place, (parameter, new) in enumerate(writes):
        yield Draft(
            id=f"{span.id}.{parameter}"[:500] if place else span.id,
            time=0,
            agent=bounded(text(attributes.get(AGENT))),
            resource=bounded(without_secrets(resource)),
            verb=verb,
            parameter=bounded(parameter) or verb,
            old=_previous(attributes, parameter, new),
            new=UNSET if new is None else as_value(new),
            version=None,
            outcome=outcome,
            why=told.why,
        )


def _switched(verb: str) -> tuple[str, Json]:
    """(parameter, new value) of a call without values: a switch where another verb takes it back."""
    if verb in UNDOES:
        return UNDOES[verb], False
    return verb, True if verb in UNDOES.values() else None


def _told(arguments: dict[str, Json]) -> _Told:
    last = {key: (_WORD.findall(key) or [""])[-1].lower() for key in arguments}
    names: list[str] = []
    values: dict[str, Json] = {}
    rest: dict[str, str] = {}
    why = ""
    for key, value in arguments.items():
        word = last[key]
        if isinstance(value, str):
            if word in WHY and not why:
                why = without_secrets(value[:WHY_LIMIT])[:WHY_LIMIT]
            if not value or word in PROSE:
                continue
            if word in NAMING:
                names.append(value)
            elif not re.search(r"\s", value):  # a sentence is neither a name nor a setting
                rest[key] = value
        elif isinstance(value, int) and not isinstance(value, bool) and word in NUMBERED:
            names.append(str(value))
        elif isinstance(value, int | float):
            values[key] = value
    settings = {key: value for key, value in rest.items() if names or last[key] in SETTING}
    names += [value for key, value in rest.items() if key not in settings]
    return _Told(names, dict(sorted({**values, **settings}.items())), why)


def _previous(attributes: Attributes, parameter: str, new: Json) -> Value | UnsetType:
    """What the result says the value was before; of the same kind as the new one."""
    for result in wrapped(attributes.get(RESULT)):
        for key in (f"old_{parameter}", f"previous_{parameter}", "old", "previous"):
            found = result.get(key)
            if isinstance(found, str) if isinstance(new, str) else isinstance(found, int | float):
                return as_value(found)
    return UNSET


def first_word(tool: str) -> str:
    """The verb of a tool's name: scale_replicas, scaleReplicas and scale-replicas all scale."""
    word = _FIRST_WORD.search(_last(tool))
    return word[0].lower() if word else ""


def _last(tool: str) -> str:
    """A tool's name without what groups tools: k8s.scale, deploy/scale, mcp__deploy__scale, and Semantic Kernel's deploy-scale_service."""
    name = tool.rpartition(".")[2].rpartition("/")[2].rpartition("__")[2]
    group, dash, rest = name.partition("-")
    if dash and "_" in rest and "-" not in rest and "_" not in group and group.lower() not in WRITES | READS:
        return rest
    return name
