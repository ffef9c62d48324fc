"""What each setting's value may be, and its two written forms: as a TOML file has it, and as the environment does."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec
from msgspec import inspect

from models.instants import format_duration, parse_duration
from streams.settings import Settings
from streams.settings_file.keys import KEYS

MASK = "******"
WAIVERS = "waiver"
INVARIANTS = "analysis.conflict.invariant"
OTLP_RULES = ("otlp.action", "otlp.read", "otlp.metric", "otlp.log")
SOURCES = "source"
CALLS = "cloudtrail.call"
AGENTS = "agent"
MAPS = "map"
TABLES = (WAIVERS, INVARIANTS, MAPS, SOURCES, AGENTS, CALLS, *OTLP_RULES)  # lists of tables: `tables` of this package reads them
_SWITCHES = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}

Leaf: TypeAlias = str | int | float | bool | tuple[str, ...] | tuple[int, ...]
Kind: TypeAlias = Literal["text", "number", "whole number", "switch", "list", "choice"]


class Form(msgspec.Struct, frozen=True):
    """How one setting is written: its kind, the choices where it has some, and its default."""

    kind: Kind
    default: Leaf
    choices: tuple[str, ...] = ()


def _forms(struct: type[msgspec.Struct], instance: msgspec.Struct, path: str) -> Iterator[tuple[str, Form]]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        name, default = f"{path}{field.name}", getattr(instance, field.name)
        if name in TABLES:  # not values
            continue
        match field.type:
            case inspect.StructType():
                yield from _forms(type(default), default, f"{name}.")
            case inspect.BoolType():
                yield name, Form("switch", default)
            case inspect.IntType():
                yield name, Form("whole number", default)
            case inspect.FloatType():
                yield name, Form("number", default)
            case inspect.LiteralType(values=values):
                yield name, Form("choice", default, tuple(str(value) for value in values))
            case inspect.VarTupleType():
                yield name, Form("list", default)
            case _:
                yield name, Form("text", default)


FORMS: dict[str, Form] = dict(_forms(Settings, Settings(), ""))


def lookup(settings: Settings, name: str) -> Leaf:
    """The value of a setting by its dotted name. Raises AttributeError on an unknown one."""
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    assert isinstance(value, str | int | float | bool | tuple)
    return value


def written(name: str, value: Leaf) -> str:
    """The value as the file would have it; a secret is masked."""
    if KEYS[name].secret:
        return f'"{MASK}"' if value else '""'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(_scalar(name, item) for item in value) + "]"
    return _scalar(name, value)


def _scalar(name: str, value: str | int | float) -> str:
    if KEYS[name].duration and isinstance(value, int):
        return f'"{format_duration(value)}"'
    return msgspec.json.encode(value).decode()


def did_you_mean(name: str, known: tuple[str, ...]) -> str:
    """The end of a sentence about an unknown name."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    if not close and "." in name:  # the right name under the wrong table
        close = [other for other in known if other.rsplit(".", 1)[-1] == name.rsplit(".", 1)[-1]][:1]
    return f"; did you mean {close[0]}?" if close else "; `interplay config` lists them all"


def from_text(name: str, text: str) -> object:
    """The value that a file would have; the text itself where it is none, so that the mistake can name it."""
    kind = FORMS[name].kind if name in FORMS else "text"
    if kind == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind == "switch":
        return _SWITCHES.get(text.lower(), text)
    if kind in ("number", "whole number") and not KEYS[name].duration:
        try:
            return int(text) if kind == "whole number" else float(text)
        except ValueError:
            return text
    return text


def checked(name: str, value: object) -> Leaf:
    """The value in its type and range. Raises ValueError with what is wrong; a secret is not repeated."""
    form, key = FORMS[name], KEYS[name]
    if form.kind == "list":
        if not isinstance(value, list):
            raise ValueError(f"must be a list, not {value!r}")
        if key.duration:
            return tuple(_duration(name, part) for part in value)
        if not all(isinstance(part, str) for part in value):
            raise ValueError(f"must be a list of texts, not {value!r}")
        return tuple(value)
    if key.duration:
        return _duration(name, value)
    if form.kind == "switch":
        return _switch(value)
    if form.kind in ("number", "whole number"):
        return _number(name, value)
    if not isinstance(value, str):
        raise ValueError("must be a text in quotes" + ("" if key.secret else f", not {value!r}"))
    if form.choices and value not in form.choices:
        raise ValueError(f"must be one of {', '.join(form.choices)}, not {value!r}{_nearest_choice(value, form.choices)}")
    return value


def _nearest_choice(value: str, choices: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(value.upper(), [choice.upper() for choice in choices], n=1)
    return f"; did you mean {next(choice for choice in choices if choice.upper() == close[0])}?" if close else ""


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r}")
    return value


def _number(name: str, value: object) -> int | float:
    whole = FORMS[name].kind == "whole number"
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise ValueError(f"must be a {'whole ' if whole else ''}number, not {value!r}")
    low, high = KEYS[name].low, KEYS[name].high
    if low is None or high is None or not low <= value <= high:
        raise ValueError(f"must lie between {low} and {high}, not {value!r}")
    return value


def _duration(name: str, value: object) -> int:
    if not isinstance(value, str):
        raise ValueError(f'must be a duration in quotes like "15m", "2h" or "30d", not {value!r}')
    nanos = parse_duration(value)
    low, high = int(KEYS[name].low or 0), int(KEYS[name].high or 0)
    if not low <= nanos <= high:
        raise ValueError(f"must lie between {format_duration(low)} and {format_duration(high)}, not {value!r}")
    return nanos
