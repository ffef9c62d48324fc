"""Stream time: what a source partition's clock says in each mode, and what the watermark over all of them waits for."""

from __future__ import annotations

import pytest

from models.configuration import StreamTime
from models.events import Tick
from models.instants import HOUR, MINUTE, SECOND
from models.stream_time import BEFORE_ALL, PartitionClock, Watermark

SETTINGS = StreamTime(lateness=10 * SECOND, idle_timeout=MINUTE, ahead_limit=5 * MINUTE)
NOON = 1_764_000_000 * SECOND


def clock(*records: tuple[float, float]) -> PartitionClock:
    """A clock that has seen events at (event time, append time), in seconds after noon."""
    made = PartitionClock(SETTINGS)
    for time, appended in records:
        made.observe(NOON + int(time * SECOND), NOON + int(appended * SECOND))
    return made


def tick(partition: str, watermark: float, mode: str = "live", *, delay: float = 0, now: float = 0) -> Tick:
    return Tick(
        partition=partition,
        watermark=NOON + int(watermark * SECOND),
        mode=mode,
        delay=int(delay * SECOND),
        now=NOON + int(now * SECOND),
    )


# one partition


def test_at_its_end_a_live_partition_follows_the_clock() -> None:
    partition = clock((0, 2))  # learned: 2 s from event to log
    assert partition.advance(NOON + 30 * SECOND, at_end=True) == "clock"
    assert partition.watermark == NOON + (30 - 10 - 2) * SECOND


def test_with_records_still_waiting_it_follows_its_data_alone() -> None:
    partition = clock((0, 2))
    assert partition.advance(NOON + 30 * SECOND, at_end=False) == "live"
    assert partition.watermark == NOON - 10 * SECOND


def test_a_backfill_follows_its_data_even_at_the_end() -> None:
    partition = clock((0, 7200))
    assert partition.advance(NOON + 7210 * SECOND, at_end=True) == "data"
    assert partition.watermark == NOON - 10 * SECOND


def test_a_backfill_to_which_nothing_was_appended_for_the_timeout_is_silent() -> None:
    partition = clock((0, 7200))
    assert partition.advance(NOON + 7260 * SECOND, at_end=True) == "data"
    assert partition.advance(NOON + 7261 * SECOND, at_end=True) == "silent"
    assert partition.advance(NOON + 9000 * SECOND, at_end=False) == "data"


def test_a_partition_without_a_record_is_empty_at_its_end_and_unknown_before() -> None:
    assert PartitionClock(SETTINGS).advance(NOON, at_end=True) == "empty"
    assert PartitionClock(SETTINGS).advance(NOON, at_end=False) == "data"
    assert PartitionClock(SETTINGS).watermark == BEFORE_ALL


def test_the_watermark_of_a_partition_never_goes_back() -> None:
    partition = clock((0, 0))
    partition.advance(NOON + 100 * SECOND, at_end=True)
    reached = partition.watermark
    partition.advance(NOON + 50 * SECOND, at_end=True)
    partition.advance(NOON + 50 * SECOND, at_end=False)
    assert partition.watermark == reached


def test_an_event_is_late_beyond_the_lateness_behind_the_newest() -> None:
    partition = clock((100, 100))
    assert not partition.observe(NOON + 90 * SECOND, NOON + 100 * SECOND)
    assert partition.observe(NOON + 89 * SECOND, NOON + 100 * SECOND)


def test_an_event_is_late_where_a_reader_at_the_end_would_have_passed_it_by_the_clock() -> None:
    partition = clock((0, 0))
    assert partition.observe(NOON + 80 * SECOND, NOON + 100 * SECOND)
    assert not clock((0, 0)).observe(NOON + 91 * SECOND, NOON + 100 * SECOND)


def test_the_first_event_is_never_late() -> None:
    assert not clock().observe(NOON - 40 * 24 * HOUR, NOON)


def test_a_slow_exporter_is_learned_so_its_next_events_are_on_time() -> None:
    partition = clock((0, 30))
    assert partition.delay == 30 * SECOND
    assert not partition.observe(NOON + 60 * SECOND, NOON + 95 * SECOND)


def test_one_straggler_of_hours_makes_no_backfill_of_a_live_partition() -> None:
    partition = clock((0, 0))
    assert partition.observe(NOON - 3 * HOUR, NOON + SECOND)
    assert partition.advance(NOON + 2 * SECOND, at_end=True) == "clock"


def test_a_clock_that_runs_ahead_moves_the_partition_only_to_its_append_time() -> None:
    partition = clock((200, 0))
    assert partition.highest == NOON


@pytest.mark.parametrize(("ahead", "refused"), [(299, False), (300, False), (301, True)])
def test_an_event_too_far_ahead_of_its_append_time_is_refused(ahead: int, refused: bool) -> None:
    partition = clock((0, 0))
    assert (partition.observe(NOON + ahead * SECOND, NOON) is None) is refused
    assert partition.highest == NOON


# all partitions


def test_nothing_moves_before_every_partition_has_been_heard_of() -> None:
    watermark = Watermark(("e/0", "e/1"), SETTINGS)
    assert not watermark.apply(tick("e/0", 50))
    assert watermark.held == BEFORE_ALL
    assert watermark.holding() == "e/1 has not been heard of"
    assert watermark.apply(tick("e/1", 30))
    assert watermark.held == NOON + 30 * SECOND


def test_the_slowest_partition_holds_the_others() -> None:
    watermark = Watermark(("e/0", "e/1"), SETTINGS)
    watermark.apply(tick("e/0", 50))
    watermark.apply(tick("e/1", 30))
    assert not watermark.apply(tick("e/0", 90))
    assert watermark.holding() == "e/1 (live)"
    assert watermark.apply(tick("e/1", 70))
    assert watermark.held == NOON + 70 * SECOND


def test_the_watermark_never_goes_back() -> None:
    watermark = Watermark(("e/0",), SETTINGS)
    watermark.apply(tick("e/0", 50))
    assert not watermark.apply(tick("e/0", 20))
    assert watermark.held == NOON + 50 * SECOND


def test_a_silent_partition_is_left_out_while_others_are_not() -> None:
    watermark = Watermark(("e/0", "e/1"), SETTINGS)
    watermark.apply(tick("e/0", 10, "data"))
    watermark.apply(tick("e/1", 500, "live"))
    assert watermark.held == NOON + 10 * SECOND
    watermark.apply(tick("e/0", 10, "silent"))
    assert watermark.held == NOON + 500 * SECOND


def test_a_silence_that_is_no_longer_confirmed_is_waited_for() -> None:
    """The reducer may be down, and what is written there meanwhile unread."""
    watermark = Watermark(("e/0", "e/1"), SETTINGS)
    watermark.apply(tick("e/0", 10, "silent", now=0))
    watermark.apply(tick("e/1", 500, now=9))
    assert watermark.held == NOON + 500 * SECOND
    watermark.apply(tick("e/1", 600, now=11))
    assert watermark.held == NOON + 500 * SECOND and watermark.holding() == "e/0 (silent)"
    watermark.apply(tick("e/0", 10, "silent", now=12))
    assert watermark.held == NOON + 600 * SECOND


def test_where_all_are_silent_the_one_furthest_behind_counts() -> None:
    watermark = Watermark(("e/0", "e/1"), SETTINGS)
    watermark.apply(tick("e/0", 10, "silent"))
    watermark.apply(tick("e/1", 500, "silent"))
    assert watermark.held == NOON + 10 * SECOND


def test_a_partition_that_comes_back_from_silence_does_not_take_the_watermark_back() -> None:
    watermark = Watermark(("e/0", "e/1"), SETTINGS)
    watermark.apply(tick("e/0", 10, "silent"))
    watermark.apply(tick("e/1", 500, "live"))
    watermark.apply(tick("e/0", 20, "data"))
    assert watermark.held == NOON + 500 * SECOND


def test_an_empty_partition_follows_the_live_ones_by_its_own_clock() -> None:
    watermark = Watermark(("e/0", "e/1"), SETTINGS)
    watermark.apply(tick("e/0", 500, "clock", delay=2))
    watermark.apply(tick("e/1", 0, "empty", now=300))
    assert watermark.held == NOON + (300 - 10 - 2) * SECOND
    assert watermark.holding() == "e/1 (empty)"


def test_in_a_backfill_an_empty_partition_is_waited_for_and_then_left_out() -> None:
    watermark = Watermark(("e/0", "e/1"), SETTINGS)
    watermark.apply(tick("e/1", 0, "empty", now=1000))
    assert watermark.holding() == "e/0 has not been heard of"
    watermark.apply(tick("e/0", 50, "data", delay=9000))
    assert watermark.held == BEFORE_ALL
    assert watermark.holding() == "old records have come, and partitions that are still empty are given 1m to begin as well"
    watermark.apply(tick("e/1", 0, "empty", now=1060))
    assert watermark.held == BEFORE_ALL
    watermark.apply(tick("e/1", 0, "empty", now=1061))
    assert watermark.held == NOON + 50 * SECOND


def test_where_all_are_empty_nothing_moves() -> None:
    watermark = Watermark(("e/0", "e/1"), SETTINGS)
    for now in (0, 1000):
        watermark.apply(tick("e/0", 0, "empty", now=now))
        watermark.apply(tick("e/1", 0, "empty", now=now))
    assert watermark.held == BEFORE_ALL


def test_a_partition_that_is_not_in_the_map_is_an_error() -> None:
    with pytest.raises(KeyError):
        Watermark(("e/0",), SETTINGS).apply(tick("e/1", 1))


def test_a_watermark_goes_on_from_its_state() -> None:
    first = Watermark(("e/0", "e/1"), SETTINGS)
    first.apply(tick("e/0", 10, "silent"))
    first.apply(tick("e/1", 500, "live"))
    again = Watermark(("e/0", "e/1"), SETTINGS, first.state())
    assert again.state() == first.state()
    assert again.apply(tick("e/1", 501, "live"))


def test_a_delay_of_just_the_timeout_is_still_live_and_beyond_it_a_backfill() -> None:
    for delay, mode in ((60, "clock"), (60.1, "data")):
        assert clock((0, delay)).advance(NOON + 61 * SECOND, at_end=True) == mode
    assert clock((0, 60)).observe(NOON + 929 * SECOND, NOON + 1000 * SECOND)  # 1000 - 10 - 60 is where a reader at the end stood
    assert not clock((0, 60.1)).observe(NOON + 1 * SECOND, NOON + 1000 * SECOND)
