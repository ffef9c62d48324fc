"""Times as records write them: RFC 3339 and what is nearly that, or numbers of some unit since 1970. All become RFC 3339.

2026-11-24 10:00:00 +0200 (GitLab), 2026-11-24 10:00:00 UTC, 2026-11-24T10:00:00,5Z     as they are meant
2026-11-24T10:00:00                                                                     by `format = "utc"` alone: no zone is guessed
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from msgspec import UnsetType

from models.instants import EARLIEST, LATEST, SECOND, format_time
from streams.sources.mapping.paths import Json
from streams.sources.mapping.rules import UNITS, Unit

NUMERAL = 64  # characters of a text that may say a number
EARLY, LATE = 1_000_000_000 * SECOND, 2_500_000_000 * SECOND  # 2001 to 2049: in no two units is one number a time between them
_WRITTEN = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,12}))? ?(?:([Zz]|UTC|GMT)|([+-]\d\d):?(\d\d)?)?", re.ASCII
)


def moment(value: Json, unit: Unit) -> Json:
    """RFC 3339, where the value says a time. Raises ValueError where it is no number of its unit; what is no time stays as it is."""
    if unit in ("", "rfc3339", "utc"):
        return _respelled(value, unit == "utc") if isinstance(value, str) else value
    number, scale = number_of(value), UNITS[unit]
    if number is None:
        raise ValueError(f"is no number of {unit} since 1970")
    if not Decimal(EARLIEST) / scale <= number < Decimal(LATEST) / scale:
        raise ValueError("time outside 1970-2262")
    return format_time(int(number * scale))


def unit_of(value: Json | UnsetType) -> str:
    """The unit in which a number of some twenty years around now counts since 1970; "" of what is no such number."""
    number = number_of(value)
    return "" if number is None else next((unit for unit, nanos in UNITS.items() if EARLY // nanos <= number < LATE // nanos), "")


def lacks_zone(value: Json | UnsetType) -> bool:
    """Whether it is a time but for the zone."""
    match = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    return match is not None and not match[4] and not match[5]


def number_of(value: Json | UnsetType) -> Decimal | None:
    """The number that a value is or says. Nothing is computed with it before it is known to be small: "1e999999" is a number too."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or (isinstance(value, str) and len(value) > NUMERAL):
        return None
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):  # of an integer with thousands of digits
        return None
    return number if number.is_finite() else None


def _respelled(text: str, utc: bool) -> str:
    if text[10:11] == "T" and text[-1:] == "Z" and "," not in text:  # as most are
        return text
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return text
    day, time, fraction, zulu, hours, minutes = match.groups()
    zone = "Z" if zulu else f"{hours}:{minutes or '00'}" if hours else "Z" if utc else ""
    return f"{day}T{time}{f'.{fraction}' if fraction else ''}{zone}" if zone else text


__all__ = ["lacks_zone", "moment", "number_of", "unit_of"]
