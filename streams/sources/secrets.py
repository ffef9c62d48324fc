"""What a secret looks like from outside: by the name of its field, or within a text. For names and texts that are copied out of records."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import TypeAlias

import msgspec

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

DEPTH = 64  # levels of a value that are told; JSON may have a thousand, which no function that calls itself survives
TOO_DEEP = "nested too deeply"
_INTEGERS = 1 << 63
NAMED = re.compile(
    r"passw|passphrase|secret|token|credential|authorization|cookie|dsn|\bpin\b|(?:api|access|private|account)[-_]?key",
    re.IGNORECASE,
)
POINTERS = "Name", "Names", "Ref", "Path", "Namespace", "Class", "name", "path"  # fields that only say where a secret is
_TYPED = re.compile(r"passw|passphrase|secret|\bpin\b", re.IGNORECASE)
_WITHIN = re.compile(
    r"(?P<user>://[^/\s:@]{0,100}:)[^/\s@]+(?=@)"  # https://user:...@host
    r"|(?P<field>(?:passw|secret|token|api[-_]?key|access[-_]?key)[\w-]{0,20}[\"']?\s{0,3}[=:]\s{0,3}[\"']?)[^\s&\"',;]+"  # token=...
    r"|(?P<bearer>\b(?:Bearer|Basic)\s+)[\w.~+/=-]+",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """The text, with `hidden` for each password in a URL, value of a field named like a secret, and bearer's token."""
    return _WITHIN.sub(lambda found: f"{found['user'] or found['field'] or found['bearer']}hidden", text)


def is_secret(name: str, value: object) -> bool:
    """Whether a field holds a secret, by its name. A switch is none, and a number only where people type one: `pin`, not `max_tokens`."""
    if not _is_named(name) or isinstance(value, bool) or value is None:
        return False
    return not isinstance(value, int | float) or _TYPED.search(name) is not None


@lru_cache(maxsize=4096)  # the names of rules and attributes are few
def _is_named(name: str) -> bool:
    return NAMED.search(name) is not None and not name.endswith(POINTERS)


def hashed(value: object) -> str:
    """A value's hash, the same for the same content whatever the order of its keys."""
    return "sha256:" + hashlib.sha256(written(value)).hexdigest()[:16]


def written(value: object) -> bytes:
    """A value that JSON was read into, as JSON again, keys in order. Numbers beyond 64 bits are texts then, and what lies deeper than DEPTH
    is left out, of a value that cannot be written otherwise."""
    try:
        return msgspec.json.encode(value, order="deterministic")
    except (OverflowError, RecursionError):
        return msgspec.json.encode(_writable(value, DEPTH), order="deterministic")


def _writable(value: object, depth: int) -> object:
    if isinstance(value, dict | list):
        if not depth:
            return TOO_DEEP
        if isinstance(value, dict):
            return {key: _writable(inner, depth - 1) for key, inner in value.items()}
        return [_writable(inner, depth - 1) for inner in value]
    return str(value) if isinstance(value, int) and not -_INTEGERS <= value < 2 * _INTEGERS else value


def hidden(name: str, value: Json, depth: int = DEPTH) -> Json:
    """A field's value: hashed where its name, or that of a field within, says a secret; JSON as text and URLs without theirs; TOO_DEEP
    where it is."""
    if is_secret(name, value):
        return hashed(value)
    if isinstance(value, str):
        return without_secrets(value) if value[:1] in ("{", "[") or "://" in value else value
    if not isinstance(value, dict | list):
        return value
    if not depth:
        return TOO_DEEP
    if isinstance(value, dict):
        return {inner: hidden(inner, each, depth - 1) for inner, each in value.items()}
    return [hidden(name, each, depth - 1) for each in value]
