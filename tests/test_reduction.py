"""Reduce: order, lateness, where to resume, what becomes of samples, and which records are refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
from small_histories import became, moment, wrote

from models.configuration import StreamTime
from models.events import AnyEvent, Sample
from models.instants import MINUTE, SECOND
from models.reduction import ReduceProgress, Reducer, decode_reduce_progress, encode_reduce_progress

SETTINGS = StreamTime(lateness=10 * SECOND, idle_timeout=MINUTE, ahead_limit=5 * MINUTE, series_limit=2, series_length=3)


def reducer(progress: ReduceProgress | None = None) -> Reducer:
    return Reducer("events/0", SETTINGS, progress)


def feed(reduce: Reducer, offset: int, appended: float, *events: AnyEvent) -> list[AnyEvent]:
    return reduce.feed(offset, moment(appended), events)


def released(reduce: Reducer, now: float, *, at_end: bool = True) -> list[str]:
    return [event.id for event in reduce.release(moment(now), at_end).events]


def sample(seconds: float, value: float, role: str = "demand", metric: str = "rps", **more: object) -> Sample:
    return Sample(
        time=moment(seconds), source="prom", id=f"{metric}@{seconds:g}", resource="svc/cart", metric=metric, value=value, role=role,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


# order


def test_events_leave_in_canonical_order_once_the_watermark_has_passed_them() -> None:
    reduce = reducer()
    feed(reduce, 0, 5, wrote(5, "a", 1, 2))
    feed(reduce, 1, 6, wrote(3, "a", 1, 2), wrote(4, "a", 1, 2))
    assert released(reduce, 16.5) == ["a@3"]  # known to 16.5 - 10 - 3, the largest delay
    assert reduce.pending == 2
    assert released(reduce, 30) == ["a@4", "a@5"]
    assert reduce.pending == 0


def test_an_event_at_the_watermark_still_waits() -> None:
    reduce = reducer()
    feed(reduce, 0, 0, wrote(0, "a", 1, 2))
    assert released(reduce, 10) == []
    assert released(reduce, 10.000000001) == ["a@0"]


def test_a_tick_says_how_far_the_partition_is_known() -> None:
    reduce = reducer()
    feed(reduce, 0, 2, wrote(0, "a", 1, 2))
    tick = reduce.release(moment(30), at_end=True).tick
    assert tick is not None
    assert (tick.partition, tick.mode, tick.delay, tick.now) == ("events/0", "clock", 2 * SECOND, moment(30))
    assert tick.watermark == moment(18)


def test_a_tick_that_says_nothing_new_is_not_written_unless_a_clock_stands_behind_it() -> None:
    reduce = reducer()
    feed(reduce, 0, 2, wrote(0, "a", 1, 2))
    assert reduce.release(moment(30), at_end=False).tick is not None
    assert reduce.release(moment(31), at_end=False).tick is None
    assert reduce.release(moment(31), at_end=True).tick is not None
    assert reduce.release(moment(31), at_end=True).tick is not None


@pytest.mark.parametrize(
    ("appended", "now", "at_end", "mode"),
    [(2, 30, True, "clock"), (2, 30, False, "live"), (7200, 7201, True, "data"), (7200, 7300, True, "silent")],
)
def test_ticks_name_the_mode(appended: float, now: float, at_end: bool, mode: str) -> None:
    reduce = reducer()
    feed(reduce, 0, appended, wrote(0, "a", 1, 2))
    tick = reduce.release(moment(now), at_end).tick
    assert tick is not None and tick.mode == mode


def test_a_partition_without_a_record_says_that_it_is_empty() -> None:
    tick = reducer().release(moment(0), at_end=True).tick
    assert tick is not None and tick.mode == "empty"


def test_a_backfill_keeps_its_newest_events_until_it_falls_silent() -> None:
    reduce = reducer()
    feed(reduce, 0, 7200, wrote(0, "a", 1, 2), wrote(60, "a", 2, 3))
    assert released(reduce, 7201) == ["a@0"]
    assert released(reduce, 7300) == ["a@60"]


# lateness


def test_late_events_are_stamped_counted_and_passed_on() -> None:
    reduce = reducer()
    feed(reduce, 0, 100, wrote(100, "a", 1, 2))
    feed(reduce, 1, 101, wrote(80, "b", 1, 2))
    events = reduce.release(moment(200), at_end=True).events
    assert [(event.id, event.late) for event in events] == [("b@80", True), ("a@100", False)]
    assert reduce.late == 1


def test_lateness_is_decided_by_what_was_read_before_and_not_by_when_it_was_read() -> None:
    records = [
        (100.0, wrote(100, "a", 1, 2)),
        (101.0, wrote(80, "b", 1, 2)),
        (115.0, wrote(89, "c", 1, 2)),
        (116.0, wrote(115, "d", 1, 2)),
    ]
    readings = []
    for polls in ([], [1], [1, 2, 3], [2]):  # releases after these records, by clocks that differ
        reduce, out = reducer(), []
        for offset, (appended, event) in enumerate(records):
            feed(reduce, offset, appended, event)
            if offset + 1 in polls:
                out += reduce.release(moment(appended + 40 * len(polls)), at_end=True).events
        out += reduce.release(moment(500), at_end=True).events
        readings.append({event.id: event.late for event in out})
    assert all(before == after for before, after in pairwise(readings))
    assert readings[0] == {"a@100": False, "b@80": True, "c@89": True, "d@115": False}


def test_an_event_too_far_ahead_is_a_dead_letter_and_moves_no_clock() -> None:
    reduce = reducer()
    ahead = wrote(301, "a", 1, 2)
    assert feed(reduce, 0, 0, ahead, wrote(1, "b", 1, 2)) == [ahead]
    assert reduce.clock.highest == moment(0)
    assert released(reduce, 400) == ["b@1"]


# where to resume


def test_the_resume_offset_stays_behind_everything_that_waits() -> None:
    reduce = reducer()
    feed(reduce, 7, 0, wrote(0, "a", 1, 2))
    feed(reduce, 8, 20, wrote(20, "a", 2, 3))
    feed(reduce, 9, 21, wrote(21, "a", 3, 4))
    assert reduce.progress().offset == 7
    assert released(reduce, 15) == ["a@0"]
    assert reduce.progress().offset == 8
    assert released(reduce, 60) == ["a@20", "a@21"]
    assert reduce.progress().offset == 10


def test_an_event_that_waits_holds_the_offset_though_newer_records_are_done() -> None:
    reduce = reducer()
    feed(reduce, 0, 30, wrote(30, "a", 1, 2))
    feed(reduce, 1, 31, wrote(22, "b", 1, 2))
    assert released(reduce, 31, at_end=False) == []
    feed(reduce, 2, 36, wrote(36, "c", 1, 2))
    assert released(reduce, 36, at_end=False) == ["b@22"]
    assert reduce.progress().offset == 0


def test_a_record_without_events_to_wait_for_is_passed() -> None:
    reduce = reducer()
    feed(reduce, 0, 0)
    feed(reduce, 1, 0, wrote(1000, "a", 1, 2))
    assert reduce.progress().offset == 2


def test_a_record_read_again_after_a_seek_changes_nothing() -> None:
    reduce = reducer()
    feed(reduce, 0, 0, wrote(0, "a", 1, 2))
    assert feed(reduce, 0, 0, wrote(0, "a", 1, 2)) == []
    assert reduce.pending == 1


def test_a_reducer_resumed_from_its_progress_goes_on_with_the_clock_as_it_was_there() -> None:
    records = [
        (10.0, wrote(10, "a", 1, 2)),
        (30.0, wrote(29, "b", 1, 2)),
        (31.0, wrote(12, "c", 1, 2)),
        (33.0, wrote(25, "d", 1, 2)),
    ]
    whole = reducer()
    for offset, (appended, event) in enumerate(records):
        feed(whole, offset, appended, event)
    expected = {event.id: event.late for event in whole.release(moment(100), at_end=True).events}
    for cut in range(1, 5):
        first = reducer()
        for offset, (appended, event) in enumerate(records[:cut]):
            feed(first, offset, appended, event)
        got = {event.id: event.late for event in first.release(moment(records[cut - 1][0] + 5), at_end=True).events}
        progress = decode_reduce_progress(encode_reduce_progress(first.progress()))
        second = reducer(progress)
        assert second.resume_offset == progress.offset
        for offset in range(progress.offset, 4):
            feed(second, offset, *records[offset])
        got |= {event.id: event.late for event in second.release(moment(100), at_end=True).events}
        assert got == expected


def test_progress_names_its_partition_and_its_newest_watermark() -> None:
    reduce = reducer()
    feed(reduce, 0, 0, wrote(0, "a", 1, 2))
    reduce.release(moment(30), at_end=True)
    progress = reduce.progress()
    assert (progress.partition, progress.watermark) == ("events/0", moment(20))


# samples


def test_samples_end_here_and_are_counted() -> None:
    reduce = reducer()
    feed(reduce, 0, 1, sample(0, 840.0, ""), became(1, "svc/cart health", "ok", "bad"), sample(1, 841.0, ""))
    assert released(reduce, 60) == ["monitor@1"]
    assert reduce.samples == 2


def test_only_samples_with_a_role_wait_and_hold_the_resume_offset() -> None:
    reduce = reducer()
    feed(reduce, 0, 3, sample(1, 840.0, ""), sample(2, 841.0, "", "cpu"))
    assert (reduce.pending, reduce.samples, reduce.progress().offset) == (0, 2, 1)
    assert reduce.clock.highest == moment(2)  # they move the clock all the same
    feed(reduce, 1, 3, sample(3, 20.0), sample(3, 842.0, ""), sample(3, 7.0, "capacity", "slots"))
    assert (reduce.pending, reduce.samples, reduce.progress().offset) == (2, 5, 1)
    reduce.release(moment(60), at_end=True)
    assert (reduce.pending, reduce.progress().offset) == (0, 2)


def test_demand_and_capacity_are_kept_as_series_and_other_samples_are_not() -> None:
    reduce = reducer()
    feed(reduce, 0, 3, sample(2, 20.0), sample(1, 10.0), sample(3, 99.0, "", "cpu"), sample(3, 7.0, "capacity", "slots"))
    reduce.release(moment(60), at_end=True)
    assert {name: list(series.points) for name, series in reduce.series.items()} == {
        ("default", "svc/cart", "rps"): [(moment(1), 10.0), (moment(2), 20.0)],
        ("default", "svc/cart", "slots"): [(moment(3), 7.0)],
    }


def test_a_repeated_sample_counts_once_and_shows_as_a_duplicate() -> None:
    reduce = reducer()
    feed(reduce, 0, 1, sample(1, 10.0))
    feed(reduce, 1, 1, sample(1, 10.0))
    reduce.release(moment(60), at_end=True)
    assert list(reduce.series["default", "svc/cart", "rps"].points) == [(moment(1), 10.0)]
    assert reduce.duplicates == 1


def test_a_series_keeps_its_newest_samples() -> None:
    reduce = reducer()
    feed(reduce, 0, 5, *(sample(i, float(i)) for i in range(5)))
    reduce.release(moment(60), at_end=True)
    assert [value for _, value in reduce.series["default", "svc/cart", "rps"].points] == [2.0, 3.0, 4.0]


def test_beyond_the_limit_the_oldest_series_goes_and_is_counted() -> None:
    reduce = reducer()
    feed(reduce, 0, 5, *(sample(i, 1.0, metric=f"m{i}") for i in range(3)))
    reduce.release(moment(60), at_end=True)
    assert [metric for _, _, metric in reduce.series] == ["m1", "m2"]
    assert reduce.shed == 1


def test_two_contents_under_one_name_in_one_record_wait_side_by_side() -> None:
    reduce = reducer()
    feed(reduce, 0, 0, wrote(0, "a", 1, 2), wrote(0, "a", 1, 3))
    assert [getattr(event, "new", None) for event in reduce.release(moment(60), at_end=True).events] == [2, 3]
