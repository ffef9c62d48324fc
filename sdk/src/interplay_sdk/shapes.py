"""What the contract allows, as data: one shape per field, one record per type of event. Pure; no clock is read here.

A shape takes what the agent gave and answers what is sent. It raises `Unfit` where nothing valid can be made of it. Inside a record, an
unfit optional field is left out and noted; an unfit required field makes the whole record unfit. So what is sent is always valid.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from typing import Any
from uuid import UUID

from interplay_sdk.unknown import UNKNOWN

Note = Callable[[str], None]
Shape = Callable[[Any, Note], Any]

SECOND = 1_000_000_000
LATEST = 9_214_646_400 * SECOND  # 2262-01-01, in ns since the epoch
PROSE_MOST = 10_000  # characters of a text that is only shown
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d)(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_NAMED_BY_TEXT = (UUID, PurePath, date)  # objects whose text is their value; datetime is a date


class Unfit(ValueError):
    """What was given cannot be sent. The text says where and why."""


def text(given: Any, note: Note) -> str:
    """Any string; halves of surrogate pairs, which no JSON can carry, become question marks."""
    if type(given) is str and given.isascii():  # nearly always
        return given
    if isinstance(given, Enum):
        given = given.value
    if not isinstance(given, str):
        raise Unfit(f"a string is needed, not {type(given).__name__}")
    return given.encode("utf-8", "replace").decode()


def name(given: Any, note: Note) -> str:
    """A string that is not empty."""
    if not (said := text(given, note)):
        raise Unfit("must not be empty")
    return said


def prose(given: Any, note: Note) -> str:
    """Text for people, shortened."""
    return text(given, note)[:PROSE_MOST]


def flag(given: Any, note: Note) -> bool:
    """True or false."""
    if not isinstance(given, bool):
        raise Unfit(f"true or false is needed, not {type(given).__name__}")
    return given


def scalar(given: Any, note: Note) -> Any:
    """A number, string, boolean or null. Enums, decimals and numpy's scalars count as what they hold."""
    if given is None or isinstance(given, bool):
        return given
    if isinstance(given, Enum):
        return scalar(given.value, note)
    if isinstance(given, str):
        return text(given, note)
    if isinstance(given, int):
        return int(given) if -(1 << 63) <= given < 1 << 63 else _finite(given)
    if isinstance(given, (float, Decimal)):
        return _finite(given)
    if isinstance(given, _NAMED_BY_TEXT):
        return str(given)
    if type(given).__module__ == "numpy" and getattr(given, "ndim", None) == 0:
        return scalar(given.item(), note)
    raise Unfit(f"a number, string, boolean or null is needed, not {type(given).__name__}")


def _finite(given: Any) -> float:
    try:
        number = float(given)
    except OverflowError:
        raise Unfit("too large a number") from None
    if not math.isfinite(number):
        raise Unfit(f"{number} is no value")
    return number


def value(given: Any, note: Note) -> Any:
    """What a knob holds: a scalar, or a list of scalars. Sets are sorted, so that equal sets are sent equal."""
    if isinstance(given, (list, tuple)):
        return [scalar(member, note) for member in given]
    if isinstance(given, (set, frozenset)):
        return sorted((scalar(member, note) for member in given), key=lambda member: (type(member).__name__, member))
    return scalar(given, note)


def number(given: Any, note: Note) -> float:
    """A finite number; true and false count as 1 and 0."""
    plain = scalar(given, note)
    if not isinstance(plain, (int, float)):
        raise Unfit(f"a number is needed, not {type(given).__name__}")
    return float(plain)


def integer(given: Any, note: Note) -> int:
    """A whole number of at most 63 bits."""
    plain = scalar(given, note)
    if isinstance(plain, bool) or not isinstance(plain, int):
        raise Unfit(f"a whole number is needed, not {type(given).__name__}")
    return plain


def version(given: Any, note: Note) -> Any:
    """A number or a string."""
    plain = scalar(given, note)
    if plain is None or isinstance(plain, bool):
        raise Unfit(f"a number or a string is needed, not {type(given).__name__}")
    return plain


def moment(given: Any, note: Note) -> str:
    """ns since the epoch, a datetime with a time zone, or RFC 3339 text -> RFC 3339."""
    if isinstance(given, datetime):
        if given.tzinfo is None:
            raise Unfit("a datetime without a time zone names no moment")
        given = given.astimezone(timezone.utc).isoformat()
    if isinstance(given, int) and not isinstance(given, bool):
        return rfc3339(given)
    if not isinstance(given, str):
        raise Unfit(f"ns since the epoch (a whole number), a datetime or RFC 3339 is needed, not {type(given).__name__}")
    match = _RFC3339.fullmatch(given)
    if match is None or int(match[3]) > 60:
        raise Unfit(f"not an RFC 3339 time: {given[:40]!r}")
    day, minute, second, _, zone = match.groups()
    try:
        whole = datetime.fromisoformat(f"{day}T{minute}00{'+00:00' if zone in 'Zz' else zone}").timestamp() + int(second)
    except (ValueError, OverflowError):
        raise Unfit(f"not an RFC 3339 time: {given[:40]!r}") from None
    if not 0 <= whole < LATEST // SECOND:
        raise Unfit(f"outside the years 1970 to 2262: {given[:40]!r}")
    return given


def rfc3339(nanos: int) -> str:
    """ns since the epoch -> RFC 3339 in UTC. Raises Unfit outside the years 1970 to 2262."""
    if not 0 <= nanos < LATEST:
        raise Unfit(f"outside the years 1970 to 2262: {nanos} ns")
    seconds, rest = divmod(nanos, SECOND)
    return f"{_second(seconds)}.{rest:09d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def _under(place: str, note: Note) -> Note:
    """Notes from inside a field or member get its place before theirs: `reads[0].metric: ...`."""
    return lambda detail: note(f"{place}{'' if detail[0] in '[:' else '.'}{detail}")


def one_of(*words: str) -> Shape:
    """One of these words."""

    def fit(given: Any, note: Note) -> str:
        if (said := text(given, note)) not in words:
            raise Unfit(f"must be one of {', '.join(words)}, not {said[:40]!r}")
        return said

    return fit


def outcome(given: Any, note: Note) -> str:
    """Something else than the four words counts as `failed`: leaving it out would say `applied`, which nobody claimed."""
    try:
        return str(_OUTCOME(given, note))
    except Unfit as unfit:
        note(f": {unfit}; sent as failed")
        return "failed"


_OUTCOME = one_of("applied", "failed", "rejected", "considered")


def listed(member: Shape) -> Shape:
    """A list; unfit members are left out and noted. One string counts as a list of one."""

    def fit(given: Any, note: Note) -> list[Any]:
        if type(given) is not list and isinstance(given, (str, Mapping)):
            given = [given]
        out = []
        try:
            members = list(given)
        except TypeError:
            raise Unfit(f"a list is needed, not {type(given).__name__}") from None
        for i, item in enumerate(members):
            try:
                out.append(member(item, _under(f"[{i}]", note)))
            except Unfit as unfit:
                note(f"[{i}]: {unfit}")
        return out

    return fit


def record(required: Mapping[str, Shape], optional: Mapping[str, Shape], alone: str = "") -> Shape:
    """An object with these fields. Where a bare string is given, it is the field `alone`; a tuple gives the fields in their order."""
    order = (*required, *optional)

    def fit(given: Any, note: Note) -> dict[str, Any]:
        if alone and isinstance(given, str):
            given = {alone: given}
        elif isinstance(given, tuple):
            given = dict(zip(order, given))  # noqa: B905 (fewer than all is meant)
        if type(given) is not dict and not isinstance(given, Mapping):  # the first is quick, the second is not
            raise Unfit(f"an object is needed, not {type(given).__name__}")
        out = {}
        for field, shape in required.items():
            try:
                out[field] = shape(given.get(field), _under(field, note))
            except Unfit as unfit:
                raise Unfit(f"{field}: {unfit}") from None
        for field, said in given.items():
            if field not in required:
                _add(out, field, optional.get(field), said, note)
        return out

    return fit


def _add(out: dict[str, Any], field: Any, shape: Shape | None, said: Any, note: Note) -> None:
    if shape is None:
        note(f"{str(field)[:40]}: no such field")
        return
    absent = said is None or (isinstance(said, str) and not said)  # for a knob, null and "" are values
    if said is UNKNOWN or (absent and shape is not value):
        return
    try:
        out[field] = shape(said, _under(field, note))
    except Unfit as unfit:
        note(f"{field}: {unfit}")
