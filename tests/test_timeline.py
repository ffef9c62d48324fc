"""The timeline: events wait for the watermark and leave in canonical order; what comes below it is counted."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from small_histories import moment, wrote

from models.configuration import StreamTime
from models.events import Tick
from models.timeline import Timeline

END = 1 << 62


def timeline(*seconds: float) -> Timeline:
    made = Timeline(("e/0",), StreamTime())
    for at in seconds:
        made.admit(wrote(at, "a", 1, 2))
    return made


def passed(made: Timeline, seconds: float) -> bool:
    return made.tick(Tick(partition="e/0", watermark=moment(seconds), mode="live"))


def ids(made: Timeline, until: int = END) -> list[str]:
    return [event.id for event in made.ready(until)]


def test_nothing_leaves_before_the_watermark_has_passed_it() -> None:
    made = timeline(3, 1, 2)
    assert ids(made) == []
    assert passed(made, 2)
    assert ids(made) == ["a@1"]
    assert (made.pending, made.oldest_pending) == (2, moment(2))


def test_events_leave_by_time_then_source_then_id() -> None:
    made = Timeline(("e/0",), StreamTime())
    names = [("b", "1"), ("a", "2"), ("a", "1")]
    for source, name in names:
        made.admit(wrote(1, "x", 1, 2, source=source, id=name))
    made.admit(wrote(0, "x", 1, 2, source="z", id="9"))
    passed(made, 5)
    assert [(event.source, event.id) for event in made.ready(END)] == [("z", "9"), ("a", "1"), ("a", "2"), ("b", "1")]


def test_a_timer_comes_before_the_events_of_its_time() -> None:
    made = timeline(1, 2, 3)
    passed(made, 10)
    assert ids(made, moment(2)) == ["a@1"]
    assert ids(made) == ["a@2", "a@3"]


def test_what_comes_below_the_watermark_goes_no_further_and_is_counted() -> None:
    made = timeline(5)
    passed(made, 4)
    made.admit(wrote(3, "a", 1, 2))
    made.admit(wrote(4, "a", 1, 2))
    passed(made, 9)
    assert ids(made) == ["a@4", "a@5"]
    assert made.below == 1


def test_events_of_one_key_leave_in_the_order_of_their_content_also_after_a_pause() -> None:
    least, middle, most = (wrote(1, "a", 1, new) for new in (2, 3, 4))
    for arrival in itertools.permutations((least, middle, most)):
        made = Timeline(("e/0",), StreamTime())
        for event in arrival:
            made.admit(event)
        passed(made, 2)
        assert next(made.ready(END)) == least  # a timer may be set by it, and the rest is asked for again
        assert list(made.ready(END)) == [middle, most]


def test_a_source_that_repeats_one_event_costs_one_comparison_by_content_each(monkeypatch: pytest.MonkeyPatch) -> None:
    made, encoded, encode = Timeline(("e/0",), StreamTime()), [], msgspec.json.encode

    def counting(event: object) -> bytes:
        encoded.append(1)
        return encode(event)

    monkeypatch.setattr("msgspec.json.encode", counting)
    for _ in range(1_000):
        made.admit(wrote(1, "a", 1, 2))
    passed(made, 2)
    assert (len(ids(made)), len(encoded)) == (1_000, 1_000)


def test_the_newest_event_time_is_remembered_whatever_the_order() -> None:
    assert timeline(3, 9, 4).newest == moment(9)
