"""Times and durations: RFC 3339 to the nanosecond, and "15m" there and back."""

from __future__ import annotations

import pytest

from models.instants import HOUR, LATEST, MINUTE, SECOND, clock_time, format_duration, format_time, parse_duration, parse_time

MOMENT = 1_795_400_226 * SECOND  # 2026-11-23T02:17:06Z


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T02:17:06Z", MOMENT),
        ("2026-11-23t02:17:06z", MOMENT),
        ("2026-11-23 02:17:06Z", MOMENT),
        ("2026-11-23T03:17:06+01:00", MOMENT),
        ("2026-11-22T20:47:06-05:30", MOMENT),
        ("2026-11-23T02:17:06.5Z", MOMENT + SECOND // 2),
        ("2026-11-23T02:17:06.123456789Z", MOMENT + 123_456_789),
        ("2026-11-23T02:17:06.123456789999Z", MOMENT + 123_456_789),
        ("2026-11-23T02:16:60Z", MOMENT - 6 * SECOND),
        ("2261-12-31T23:59:59.999999999Z", LATEST - 1),
    ],
)
def test_a_time_is_read_to_the_nanosecond(text: str, nanos: int) -> None:
    assert parse_time(text) == nanos


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23",
        "2026-11-23T02:17Z",
        "2026-11-23T02:17:06",
        "2026-11-23T02:17:61Z",
        "2026-11-23T02:60:06Z",
        "2026-11-23T24:17:06Z",
        "2026-13-23T02:17:06Z",
        "2026-02-30T02:17:06Z",
        "2026-11-23T02:17:06.Z",
        "2026-11-23T02:17:06+24:00",
        "1969-12-31T23:59:59Z",
        "2262-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        " 2026-11-23T02:17:06Z",
        "1764036000",
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text)


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (MOMENT, "2026-11-23T02:17:06Z"),
        (MOMENT + 500_000_000, "2026-11-23T02:17:06.500Z"),
        (MOMENT + 1_000, "2026-11-23T02:17:06.000001Z"),
        (MOMENT + 1, "2026-11-23T02:17:06.000000001Z"),
    ],
)
def test_a_time_is_shown_with_as_many_digits_as_it_needs_and_reads_back(nanos: int, text: str) -> None:
    assert format_time(nanos) == text
    assert parse_time(text) == nanos


def test_sentences_show_the_time_of_day() -> None:
    assert clock_time(MOMENT + 999_999_999) == "02:17:06"


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("15m", 15 * MINUTE),
        ("2h", 2 * HOUR),
        ("30d", 720 * HOUR),
        ("1h30m", 90 * MINUTE),
        ("200ms", SECOND // 5),
        ("1.5s", 3 * SECOND // 2),
        ("0s", 0),
    ],
)
def test_a_duration_is_read(text: str, nanos: int) -> None:
    assert parse_duration(text) == nanos


@pytest.mark.parametrize("text", ["", "15", "m", "15 m", "-15m", "15m ", "15min", "1h-30m", "1e3s", ".5s"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration like"):
        parse_duration(text)


@pytest.mark.parametrize("nanos", [0, 1, 1_500, 2_000_000, SECOND, 90 * MINUTE, 30 * 24 * HOUR + 1, 123_456_789_012])
def test_a_duration_is_shown_so_that_it_reads_back(nanos: int) -> None:
    assert parse_duration(format_duration(nanos)) == nanos


def test_a_duration_is_shown_short() -> None:
    assert [format_duration(n) for n in (90 * MINUTE, 48 * HOUR, SECOND // 5, 0)] == ["1h30m", "2d", "200ms", "0s"]
