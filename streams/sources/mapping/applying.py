"""One record through the rules: the first that applies makes an event of it, and with `also` those after it are asked as well.

What a rule makes is a CloudEvent, decoded like any other, so that what is wrong with it is told by the same reasons and places.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from models.decode import decode_event
from models.events import AnyEvent
from models.rejection import Rejection, clipped
from streams.sources.mapping.paths import Json, Path, find
from streams.sources.mapping.rules import Condition, Fixed, Group, Part, Pick, Rule, Template
from streams.sources.mapping.times import NUMERAL, lacks_zone, moment, unit_of
from streams.sources.secrets import hashed, hidden, is_secret, without_secrets

MOST = 10_000  # events of one record
_SWITCHES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_NO_TEXT = (UnsetType, dict, list)
_SCALARS = (str, int, float)
Element: TypeAlias = "Json | UnsetType"


class Made(NamedTuple):
    """What a rule made of a record, or of one element of it; None where it ignores it."""

    rule: str
    event: AnyEvent | Rejection | None


class Unmet(NamedTuple):
    """Why a rule did not apply."""

    rule: str
    why: str
    element: bool = False  # one of the elements: the rule may apply to others


class _Unfit(Exception):
    """A value that cannot be what a rule wants of it."""


def made_of(record: Json, raw: bytes, rules: Sequence[Rule], domain: str = "default") -> Iterator[Made | Unmet]:
    """What became of the record, rule by rule; ends with the first that applies without `also`. `raw` names events without an id."""
    for rule in rules:
        why = next((why for condition in rule.when if (why := unmet(condition, record))), "")
        if why:
            yield Unmet(rule.name, why)
            continue
        elements: Sequence[Element] = (UNSET,)
        if rule.each is not None:
            found = find(rule.each, record, UNSET)
            elements = found if isinstance(found, list) else ()
            if not elements:
                yield Unmet(rule.name, f"there is nothing at {rule.each.text}")
                continue
        fit = False
        for number, element in enumerate(elements):
            why = next((why for condition in rule.of_each if (why := unmet(condition, record, element))), "")
            if why or number >= MOST:
                why = why or f"there are more than {MOST:,}"
                yield Unmet(rule.name, f"element {number}: {why}", element=True)
                continue
            fit = True
            yield Made(rule.name, _event(rule, record, element, raw, number, domain) if rule.type else None)
        if not fit:
            continue
        if not rule.also:
            return


def unmet(condition: Condition, record: Json, element: Element = UNSET) -> str:
    """Why the condition does not hold; "" where it does."""
    path = condition.path
    value = find(path, record, element)
    there = value is not UNSET and value is not None and value != []
    if condition.exists is not None and condition.exists is not there:
        return f"{path.text} is {'not ' if condition.exists else ''}there"
    if condition.among is None and condition.matches is None:
        return ""
    if not there:
        return f"{path.text} is not there"
    values = value if path.many and isinstance(value, list) else [value]
    if condition.among is not None and not any(_equal(each, wanted) for each in values for wanted in condition.among):
        return clipped(f"{path.text} is {_shown(value, path.name)}, not {' or '.join(map(_shown, condition.among))}")
    pattern = condition.matches
    if pattern is not None and not any(isinstance(each, _SCALARS) and pattern.search(_text(each)) for each in values):
        return clipped(f"{path.text} is {_shown(value, path.name)}, which does not match {pattern.pattern!r}")
    return ""


def _equal(value: Json | UnsetType, wanted: Json) -> bool:
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _shown(value: Json | UnsetType, name: str = "") -> str:
    value = value if isinstance(value, UnsetType) else hidden(name, value)
    return msgspec.json.encode(value).decode()[:80] if not isinstance(value, UnsetType) else "nothing"


def _event(rule: Rule, record: Json, element: Element, raw: bytes, number: int, domain: str) -> AnyEvent | Rejection:
    try:
        attributes = _group(rule.attributes, record, element, "")
        data = _group(rule.data, record, element, "data")
    except _Unfit as unfit:
        place, _, detail = str(unfit).partition(": ")
        return Rejection(
            "time_out_of_range" if "1970-2262" in detail else "wrong_type", place, clipped(f"rule {rule.name}: {detail}")
        )
    identity = attributes.get("id") or hashlib.sha256(b"%s#%d#%s" % (rule.name.encode(), number, raw)).hexdigest()[:24]
    event = {
        "source": f"map/{rule.name}",
        "domain": domain,
        **attributes,
        "specversion": "1.0",
        "id": identity,
        "type": f"interplay.{rule.type}.v1",
        "data": data,
    }
    decoded = decode_event(msgspec.json.encode(event))
    if isinstance(decoded, Rejection):
        return msgspec.structs.replace(
            decoded, detail=clipped(f"rule {rule.name}: {decoded.detail}{_advice(rule, decoded, record, element)}")
        )
    return decoded


def _advice(rule: Rule, refused: Rejection, record: Json, element: Element) -> str:
    """What the rule could say instead: of a field that is missing which path found nothing, of another what its value needs."""
    where, _, name = refused.path.rpartition(".")
    part: Part | None = dict((rule.data if where == "data" else rule.attributes).fields).get(name)
    paths = (part.path,) if isinstance(part, Pick) else part.parts if isinstance(part, Template) else ()
    values = {path.text: find(path, record, element) for path in paths if isinstance(path, Path)}
    empty = [path for path, value in values.items() if value in (UNSET, None)]
    if empty:
        return f"; there is no {' and no '.join(empty)}"
    if refused.path == "time" and len(values) == 1:
        ((path, value),) = values.items()
        if lacks_zone(value):
            return f'; it says no zone: {{ path = "{path}", format = "utc" }} where it means UTC'
        return f'; a number needs its unit: {{ path = "{path}", format = "{unit}" }}' if (unit := unit_of(value)) else ""
    if refused.reason == "wrong_type" and isinstance(part, Pick) and any(isinstance(value, dict) for value in values.values()):
        return f'; an object needs a path into it, or its hash: {{ path = "{part.path.text}", type = "hash" }}'
    if refused.reason == "wrong_type" and isinstance(part, Template) and len(part.parts) == 1:
        return f'; braces make a text: {{ path = "{next(iter(values))}" }} leaves it as it is'
    return ""


def _found(path: Path, record: Json, element: Element) -> Json | UnsetType:
    """What is there; hashed where that is a secret, by its name."""
    value = find(path, record, element)
    return value if isinstance(value, UnsetType) else hidden(path.name, value)


def _group(group: Group, record: Json, element: Element, place: str) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, part in group.fields:
        value = _part(part, record, element, f"{place}.{name}" if place else name)
        if not isinstance(value, UnsetType):
            found[name] = value
    return found


def _part(part: Part, record: Json, element: Element, place: str) -> Json | UnsetType:
    if isinstance(part, Template | Pick):
        value = _picked(part, record, element, place) if isinstance(part, Pick) else _filled(part, record, element)
        if place == "time" and isinstance(part, Template) and isinstance(value, str):
            return moment(value, "")
        return without_secrets(value) if isinstance(value, str) and place.endswith(".text") else value
    if isinstance(part, Fixed):
        return part.value
    if isinstance(part, Group):
        return _group(part, record, element, place) or UNSET
    found = [_part(each, record, element, f"{place}[{number}]") for number, each in enumerate(part.parts)]
    return [each for each in found if not isinstance(each, UnsetType)]


def _filled(template: Template, record: Json, element: Element) -> str | UnsetType:
    """UNSET where one of its paths finds nothing, or something that is no text."""
    words = []
    for part in template.parts:
        value = _found(part, record, element) if isinstance(part, Path) else part
        if type(value) is not str:
            if value is None or isinstance(value, _NO_TEXT):
                return UNSET
            value = _text(value)
        if not value:
            return UNSET
        words.append(value)
    return "".join(words)


def _is_open(pick: Pick, place: str) -> bool:
    """Whether what is made of a value cannot tell a secret: its hash, another word, a time, a number that is none by its name."""
    harmless = pick.type in ("number", "boolean") and not is_secret(pick.path.name, 0)
    return harmless or pick.type == "hash" or pick.words is not None or place == "time"


def _picked(pick: Pick, record: Json, element: Element, place: str) -> Json | UnsetType:
    value = find(pick.path, record, element) if _is_open(pick, place) else _found(pick.path, record, element)
    if not isinstance(value, UnsetType) and pick.words is not None:
        value = pick.words.get(_text(value), UNSET) if isinstance(value, _SCALARS) else UNSET
    if pick.default is not None and (value is None or isinstance(value, UnsetType)):
        return pick.default.value
    if value is None or isinstance(value, UnsetType):
        return value
    if pick.unit or place == "time":
        try:
            return moment(value, pick.unit)
        except ValueError as error:
            outside = str(error).startswith("time outside")
            better = unit_of(value) if outside else ""
            hint = f", is it in {better}?" if better else ""
            raise _Unfit(f"{place}: {error}: {_shown(value)}{hint}" if outside else f"{place}: {_shown(value)} {error}") from error
    return _typed(value, pick, place) if pick.type else value


def _typed(value: Json, pick: Pick, place: str) -> Json:
    if pick.type == "hash":
        return hashed(value)
    if pick.type == "list":
        return (
            value if isinstance(value, list) else [word.strip() for word in value.split(",")] if isinstance(value, str) else [value]
        )
    if isinstance(value, dict | list):
        raise _Unfit(f"{place}: {_shown(value)} is no {pick.type}")
    if pick.type == "text":
        return _text(value)
    if pick.type == "boolean":
        switch = _SWITCHES.get(_text(value).lower())
        if switch is None:
            raise _Unfit(f"{place}: {_shown(value)} is neither true nor false")
        return switch
    return _number(value, place)


def _number(value: Json, place: str) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        number = Decimal(value.strip()) if isinstance(value, str) and len(value) <= NUMERAL else Decimal("nan")
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or abs(number) > 10**300:
        raise _Unfit(f"{place}: {_shown(value)} is no number")
    return int(number) if number == number.to_integral_value() and abs(number) < 10**18 else float(number)


def _text(value: Json) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


__all__ = ["Made", "Unmet", "made_of", "unmet"]
