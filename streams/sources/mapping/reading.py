"""From a `[[map]]` table to a rule: every mistake is a line that says where it is and what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache
from typing import Literal, cast, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from models import wire
from models.instants import parse_time
from streams.sources.mapping.paths import Json, Path, parse_path
from streams.sources.mapping.rules import TYPES, UNITS, Condition, Fixed, Group, Part, Pick, Rule, Several, Template, Type, Unit

EVENTS: dict[str, type[msgspec.Struct]] = {
    "action": wire.ActionData,
    "sample": wire.SampleData,
    "transition": wire.TransitionData,
    "dependency": wire.DependencyData,
    "intent": wire.IntentData,
    "verdict": wire.VerdictData,
}
IGNORE = "ignore"
FIELDS = ("name", "type", "when", "each", "also", "attributes", "data")
ATTRIBUTES = ("id", "source", "time", "subject", "domain", "causationid", "traceparent")
CONDITIONS = ("path", "exists", "equals", "in", "matches")
PICKS = ("path", "type", "format", "words", "default")
UNIT_NAMES = ("rfc3339", "utc", *UNITS)
_HOLE = re.compile(r"\{([^{}]*)\}")


class Mistakes(Exception):
    """What is wrong with a rule, a line each."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


def read_rule(table: Mapping[str, Json]) -> Rule:
    """Raises Mistakes with all of them."""
    wrong: list[str] = _unknown("", table, FIELDS)
    name, kind = table.get("name"), table.get("type")
    if not isinstance(name, str) or not name.strip() or len(name) > 64:
        wrong.append("name must be a text of 1 to 64 characters: it names the rule in messages and in ids")
    if not isinstance(kind, str) or kind not in (*EVENTS, IGNORE):
        wrong.append(f"type must be one of {', '.join((*EVENTS, IGNORE))}, not {_shown(kind)}")
    also = table.get("also", False)
    if not isinstance(also, bool):
        wrong.append(f"also must be true or false, not {_shown(also)}")
    each = _path("each", table.get("each"), wrong) if "each" in table else None
    if each is not None and not each.many:
        wrong.append(f"each must lead to the elements of a list, such as {each.text}[*]")
    when = _conditions(table.get("when", []), wrong, table.get("each") is not None)
    attributes = _group("attributes", table.get("attributes", {}), wrong, table.get("each") is not None)
    data = _group("data", table.get("data", {}), wrong, table.get("each") is not None)
    if isinstance(kind, str) and kind in EVENTS:
        _check_event(kind, attributes, data, wrong)
    named = [part for field, part in attributes.fields if field in ("id", "source")]
    if each is not None and "id" in dict(attributes.fields) and not any(map(_of_element, named)):
        wrong.append("attributes.id is the same for every element, so that they would count as one: name @ in it, or leave it out")
    if wrong:
        raise Mistakes(wrong)
    of_record, of_each = ([one for one in when if one.path.element is which] for which in (False, True))
    return Rule(
        str(name), str(kind) if kind != IGNORE else "", tuple(of_record), tuple(of_each), each, bool(also), attributes, data
    )


def _check_event(kind: str, attributes: Group, data: Group, wrong: list[str]) -> None:
    given = dict(attributes.fields)
    wrong += _unknown("attributes", given, ATTRIBUTES)
    needed = ("time",) if kind == "dependency" else ("time", "subject")
    wrong += [
        f"attributes.{name} is missing: {'an' if kind[0] in 'ai' else 'a'} {kind} needs it" for name in needed if name not in given
    ]
    time = given.get("time")
    if isinstance(time, Fixed):
        try:
            parse_time(str(time.value))
        except ValueError:
            wrong.append(f'attributes.time: {_shown(time.value)} is no time; where it is a path, write {{ path = "{time.value}" }}')
    fields = _fields(kind)
    filled = dict(data.fields)
    wrong += _unknown("data", filled, tuple(fields))
    for name, field in fields.items():
        part = filled.get(name)
        if part is None and field.required:
            wrong.append(f"data.{name} is missing: {'an' if kind[0] in 'ai' else 'a'} {kind} needs it")
        elif isinstance(part, Fixed):
            try:
                msgspec.convert(part.value, field.type)
            except msgspec.ValidationError as error:
                known = _words(field.type)
                wrong.append(f"data.{name}: {_shown(part.value)}: {f'must be one of {known}' if known else error}")


@cache
def _fields(kind: str) -> dict[str, FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(EVENTS[kind])}


def _conditions(value: Json, wrong: list[str], each: bool) -> tuple[Condition, ...]:
    if not isinstance(value, list):
        wrong.append('when must be a list of conditions, such as [{ path = "kind", equals = "deploy" }]')
        return ()
    found = [_condition(f"when[{number}]", one, wrong, each) for number, one in enumerate(value)]
    return tuple(one for one in found if one is not None)


def _condition(place: str, value: Json, wrong: list[str], each: bool) -> Condition | None:
    if not isinstance(value, dict):
        wrong.append(f'{place} must be a table, such as {{ path = "kind", equals = "deploy" }}, not {_shown(value)}')
        return None
    before = len(wrong)
    wrong += _unknown(place, value, CONDITIONS)
    path = _path(f"{place}.path", value.get("path"), wrong, each)
    if not set(value) & {"exists", "equals", "in", "matches"}:
        wrong.append(f"{place} asks nothing: give it equals, in, exists or matches")
    exists, among, pattern = value.get("exists"), value.get("in"), value.get("matches")
    if exists is not None and not isinstance(exists, bool):
        wrong.append(f"{place}.exists must be true or false, not {_shown(exists)}")
    if among is not None and not isinstance(among, list):
        wrong.append(f"{place}.in must be a list, not {_shown(among)}")
    compiled = None
    if pattern is not None:
        try:
            compiled = re.compile(pattern if isinstance(pattern, str) else "(")
        except re.error as error:
            wrong.append(f"{place}.matches: {_shown(pattern)} is no regular expression: {error}")
    if len(wrong) > before or path is None:
        return None
    wanted = (value["equals"],) if "equals" in value else tuple(among) if isinstance(among, list) else None
    return Condition(path, exists if isinstance(exists, bool) else None, wanted, compiled)


def _group(place: str, value: Json, wrong: list[str], each: bool) -> Group:
    if not isinstance(value, dict):
        wrong.append(f"{place} must be a table, not {_shown(value)}")
        return Group(())
    return Group(tuple((name, _part(f"{place}.{name}", part, wrong, each)) for name, part in value.items()))


def _part(place: str, value: Json, wrong: list[str], each: bool) -> Part:
    if isinstance(value, str) and "{" in value:
        return _template(place, value, wrong, each)
    if isinstance(value, dict):
        return _pick(place, value, wrong, each) if "path" in value else _group(place, value, wrong, each)
    if isinstance(value, list) and any(isinstance(item, dict) or (isinstance(item, str) and "{" in item) for item in value):
        return Several(tuple(_part(f"{place}[{number}]", item, wrong, each) for number, item in enumerate(value)))
    if isinstance(value, str) and value.startswith(("@.", "@[", "$.", "$[")):
        wrong.append(f"{place}: {_shown(value)} would be told as it stands; where it is a path, write {{ path = {_shown(value)} }}")
    return Fixed(value)


def _of_element(part: Part) -> bool:
    paths = part.parts if isinstance(part, Template) else (part.path,) if isinstance(part, Pick) else ()
    return any(isinstance(path, Path) and path.element for path in paths)


def _template(place: str, text: str, wrong: list[str], each: bool) -> Template:
    parts: list[str | Path] = []
    at = 0
    for hole in _HOLE.finditer(text):
        parts.append(text[at : hole.start()])
        path = _path(place, hole[1], wrong, each)
        parts += [path] if path is not None else []
        at = hole.end()
    rest = text[at:]
    if any(brace in part for part in (*parts, rest) if isinstance(part, str) for brace in "{}"):
        wrong.append(f"{place}: {_shown(text)} has a brace without its other one")
    return Template(tuple(part for part in (*parts, rest) if part))


def _pick(place: str, table: dict[str, Json], wrong: list[str], each: bool) -> Part:
    wrong += _unknown(place, table, PICKS)
    path = _path(f"{place}.path", table.get("path"), wrong, each)
    kind, unit, words = table.get("type", ""), table.get("format", ""), table.get("words")
    if kind not in ("", *TYPES):
        wrong.append(f"{place}.type must be one of {', '.join(TYPES)}, not {_shown(kind)}")
    if unit not in ("", *UNIT_NAMES):
        wrong.append(f"{place}.format must be one of {', '.join(UNIT_NAMES)}, not {_shown(unit)}")
    if words is not None and not isinstance(words, dict):
        wrong.append(f'{place}.words must be a table of word for word, such as {{ Succeeded = "pass" }}, not {_shown(words)}')
    default = Fixed(table["default"]) if "default" in table else None
    if path is None:
        return Fixed(None)
    return Pick(path, cast("Type", kind), cast("Unit", unit), words if isinstance(words, dict) else None, default)


def _path(place: str, value: Json, wrong: list[str], each: bool = True) -> Path | None:
    if not isinstance(value, str):
        wrong.append(f"{place} must be a path in quotes, not {_shown(value)}")
        return None
    try:
        path = parse_path(value)
    except ValueError as error:
        wrong.append(f"{place}: {error}")
        return None
    if path.element and not each:
        wrong.append(f"{place}: {value} is of an element, and the rule has no `each`")
    return path


def _unknown(place: str, table: Mapping[str, object], known: tuple[str, ...]) -> list[str]:
    found = []
    for name in table:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            found.append(f"{place}.{name}: no such field; {hint}".lstrip("."))
    return found


def _words(kind: object) -> str:
    return ", ".join(str(word) for word in get_args(kind) if word != "") if get_origin(kind) is Literal else ""


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode()[:80] if value is not None else "nothing"
