"""Where nothing happens but time, ticks are due twice a second; whatever happens is told at once."""

from __future__ import annotations

from itertools import pairwise

from faust.types import TP

from models.configuration import StreamTime
from models.events import Tick
from models.instants import MINUTE, SECOND
from models.reduction import Reducer
from streams.roles.idle_ticks import EVERY, IdleTicks

A, B = TP("events", 0), TP("events", 1)
POLL = SECOND // 5  # how often the end of a partition is confirmed
BEGIN = 1_760_000_000 * SECOND


def tick(now: int, mode: str = "clock") -> Tick:
    return Tick(partition="events/0", watermark=BEGIN, mode=mode, now=BEGIN + now)


def test_an_idle_partition_tells_of_its_end_every_half_second_and_not_at_every_poll() -> None:
    reducer, ticks = Reducer("events/0", StreamTime(idle_timeout=MINUTE)), IdleTicks()
    for silence in range(2):  # of a partition that was never written to, then of one that was
        due = []
        for poll in range(100):
            release = reducer.release(BEGIN + (100 * silence + poll) * POLL, True)
            assert release.tick is not None  # each poll has one to tell
            if (told := ticks.due(A, release.tick, not release.events)) is not None:
                due.append(told.now)
        gaps = {later - earlier for earlier, later in pairwise(due)}
        assert gaps == {3 * POLL}  # the first poll at which half a second is over
        assert EVERY <= 3 * POLL < EVERY + POLL
        reducer.feed(0, BEGIN + 100 * POLL, ())
        reducer.clock.observe(BEGIN + 100 * POLL, BEGIN + 100 * POLL)


def test_what_happens_is_told_at_once() -> None:
    ticks = IdleTicks()
    assert ticks.due(A, tick(0), True) is not None
    assert ticks.due(A, tick(POLL), True) is None
    assert ticks.due(A, tick(2 * POLL), False) is not None  # a record, or events that leave
    assert ticks.due(A, tick(3 * POLL), True) is None
    assert ticks.due(A, tick(3 * POLL, "silent"), True) is not None  # another mode
    assert ticks.due(A, None, False) is None
    assert ticks.due(B, tick(3 * POLL), True) is not None  # each partition has a pace of its own


def test_after_an_assignment_the_first_tick_is_due() -> None:
    ticks = IdleTicks()
    assert ticks.due(A, tick(0), True) is not None
    ticks.forget()
    assert ticks.due(A, tick(POLL), True) is not None
