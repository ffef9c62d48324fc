"""Times and durations as integers of nanoseconds, to and from the text that people and RFC 3339 use. No clock is read here."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND

# 1970-01-01 to 2262-01-01: what fits into a signed 64-bit count of nanoseconds, and the range the contract allows
EARLIEST = 0
LATEST = 9_214_646_400 * SECOND

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d):(\d\d)(?:\.(\d{1,12}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)")
_SCALE: list[int] = [10 ** (9 - digits) for digits in range(10)]
_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": 24 * HOUR}


@lru_cache(maxsize=4096)
def _minute_ns(minute: str, offset: str) -> int:
    zone = "+00:00" if offset in "Zz" else offset
    moment = datetime.fromisoformat(minute.upper().replace(" ", "T") + ":00" + zone)
    return int(moment.timestamp()) * SECOND


def _parse(text: str) -> int:
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"not an RFC 3339 time: {text[:40]!r}")
    minute, second, fraction, offset = match.groups()
    if int(second) > 60:  # 60 is a leap second; it counts as the next minute's first, as POSIX time has it
        raise ValueError(f"not an RFC 3339 time: {text[:40]!r}")
    nanos = _minute_ns(minute, offset) + int(second) * SECOND + (int(fraction[:9].ljust(9, "0")) if fraction else 0)
    if not EARLIEST <= nanos < LATEST:
        raise ValueError(f"time outside 1970-2262: {text[:40]!r}")
    return nanos


@lru_cache(maxsize=4096)
def _second_ns(second: str) -> int:
    return _parse(second + "Z")


def parse_time(text: str) -> int:
    """RFC 3339 -> ns since the epoch, to the nanosecond (finer digits are cut). Raises ValueError with what is wrong."""
    fraction = text[20:-1]
    if text[19:20] == "." and text[-1] == "Z" and fraction.isdigit() and len(fraction) < 10 and fraction.isascii():
        return _second_ns(text[:19]) + int(fraction) * _SCALE[len(fraction)]  # how telemetry writes it, at a quarter of the cost
    return _second_ns(text[:19]) if len(text) == 20 and text[19] == "Z" else _parse(text)


@lru_cache(maxsize=64)
def _date(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")


def format_time(nanos: int) -> str:
    """ns since the epoch -> RFC 3339 in UTC, with as many digits as are needed of 0, 3, 6 or 9."""
    rest = nanos % SECOND
    text = f"{_date(nanos // (24 * HOUR))}T{clock_time(nanos)}"
    if rest == 0:
        return text + "Z"
    digits = f"{rest:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{text}.{digits}Z"


def clock_time(nanos: int) -> str:
    """ns since the epoch -> "02:17:06", UTC: how sentences name a moment."""
    minutes, second = divmod(nanos // SECOND, 60)
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}:{second:02d}"


def parse_duration(text: str) -> int:
    """ "15m", "2h", "30d", "1h30m", "200ms" -> ns. Raises ValueError with what is wrong."""
    position, total = 0, 0.0
    for match in _DURATION.finditer(text):
        if match.start() != position:
            break
        total += float(match[1]) * _UNITS[match[2]]
        position = match.end()
    if position == 0 or position != len(text):
        raise ValueError(f'not a duration like "15m", "2h" or "30d": {text!r}')
    return int(total)


def format_duration(nanos: int) -> str:
    """ns -> the shortest exact text that `parse_duration` reads back, such as "1h30m"."""
    if nanos == 0:
        return "0s"
    parts = []
    for unit in ("d", "h", "m", "s", "ms", "us", "ns"):
        count, nanos = divmod(nanos, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
