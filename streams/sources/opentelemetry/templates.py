"""Templates of rules: texts with `{fields}` that are filled from attributes, from JSON in attributes, and from a log record's body.

    {gen_ai.tool.name}        an attribute of the span (or event, or log record), else of its process
    {arguments.replicas}      a member of the JSON in gen_ai.tool.call.arguments; `result.` is gen_ai.tool.call.result,
                              or a member of what that wraps (MCP's content, a framework's message)
    {body.old}                a member of a log record's body
    {deployment|service|'x'}  the first that is there; a text in quotes always is

What a field holds is hashed where its last name is that of a secret (`password`).

A template that is one field keeps the field's type, so `{arguments.replicas}` is a number. One whose field is missing has no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from hashlib import blake2b

import msgspec

from models.events import Scalar, Value
from streams.sources.opentelemetry.values import Json
from streams.sources.secrets import hidden, written

VALUE_LIMIT = 4096  # characters
MEMBERS = 1000
WRAPPED = (
    "structuredContent",
    "output",
    "result",
    "data",
    "kwargs",
    "content",
    "response",
    "json",
    "text",
)  # of results: what is in them
WRAPPINGS = 8
_FIELD = re.compile(r"\{([^{}]*)\}")
_ALIASES = {"arguments": "gen_ai.tool.call.arguments", "result": "gen_ai.tool.call.result"}
_INTEGERS = 1 << 63


class Scope:
    """What fields are looked up in: the nearest first."""

    __slots__ = ("_levels",)

    def __init__(self, *levels: Mapping[str, Json]) -> None:
        self._levels = levels

    def get(self, name: str) -> Json:
        """An attribute by its whole name, else a member of the JSON in one; None where there is none."""
        for level in self._levels:
            if name in level:
                return level[name]
        head, dot, rest = name.partition(".")
        if not dot and head not in _ALIASES:
            return None
        if head in _ALIASES:
            found = self.get(_ALIASES[head] + dot + rest)
            return self._within(_ALIASES[head], rest.split(".")) if found is None and dot and head == "result" else found
        for level in self._levels:
            place = name.rfind(".")
            while place > 0:
                if name[:place] in level:
                    return _member(level[name[:place]], name[place + 1 :].split("."))
                place = name.rfind(".", 0, place)
        return None

    def _within(self, name: str, path: Sequence[str]) -> Json:
        """A member of what a result wraps."""
        for inner in wrapped(self.get(name)):
            if (found := _member(inner, path)) is not None:
                return found
        return None

    def matches(self, conditions: Sequence[tuple[str, str]]) -> bool:
        """Whether every attribute is there and its text fits its glob."""
        return all((value := self.get(name)) is not None and fnmatchcase(as_text(value), glob) for name, glob in conditions)


class Template:
    """A template, taken apart once. Raises ValueError where it cannot be."""

    def __init__(self, text: str) -> None:
        if _FIELD.sub("", text).count("{") or _FIELD.sub("", text).count("}"):
            raise ValueError(f"{text!r} has a bracket without its other")
        if any(not part.strip() for field in _FIELD.findall(text) for part in field.split("|")):
            raise ValueError(f"{text!r} has a field without a name")
        self.text = text
        self._pieces = _FIELD.split(text)  # text, field, text, field, ..., text

    def value(self, scope: Scope) -> Json:
        """Filled; None where a field has no value."""
        pieces = self._pieces
        if len(pieces) == 1:
            return pieces[0] or None
        if len(pieces) == 3 and not pieces[0] and not pieces[2]:
            return _field(pieces[1], scope)
        filled = []
        for place, piece in enumerate(pieces):
            if place % 2:
                value = _field(piece, scope)
                if value is None:
                    return None
                piece = as_text(value)
            filled.append(piece)
        return "".join(filled)

    def filled(self, scope: Scope) -> str:
        """As text; "" where a field has no value."""
        value = self.value(scope)
        return "" if value is None else as_text(value)


def _field(names: str, scope: Scope) -> Json:
    for name in map(str.strip, names.split("|")):
        if name.startswith("'"):
            return name.strip("'")
        value = scope.get(name)
        if value is not None:
            return hidden(name.rpartition(".")[2], value)
    return None


def _member(value: Json, path: Sequence[str]) -> Json:
    value = parsed(value)
    for name in path:
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def parsed(value: Json) -> Json:
    """JSON in a text as what it says; other values as they are."""
    if not isinstance(value, str):
        return value
    try:
        decoded: Json = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return decoded


def wrapped(value: Json) -> Iterator[dict[str, Json]]:
    """A tool's result, and the objects that it wraps, outermost first."""
    for _ in range(WRAPPINGS):
        value = parsed(value)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, dict):
            return
        yield value
        value = next((value[key] for key in WRAPPED if key in value), None)


def as_text(value: Json) -> str:
    """A value as part of a name or of a sentence."""
    if isinstance(value, str):
        return value
    return written(value).decode()


def as_value(value: Json) -> Value:
    """A value that a knob can hold: a list is a set of members, an object its JSON; what is too long ends in its hash."""
    if isinstance(value, list):
        return tuple(_scalar(item) for item in value[:MEMBERS])
    return _scalar(value)


def _scalar(value: Json) -> Scalar:
    if isinstance(value, dict | list):
        value = as_text(value)
    if isinstance(value, str) and len(value) > VALUE_LIMIT:
        digest = blake2b(value.encode(errors="surrogatepass"), digest_size=8).hexdigest()
        return f"{value[: VALUE_LIMIT - 17]}~{digest}"
    if isinstance(value, int) and not isinstance(value, bool) and not -_INTEGERS <= value < _INTEGERS:
        return float(value) if abs(value) < 1 << 1000 else str(value)[:VALUE_LIMIT]
    return value
