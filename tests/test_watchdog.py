"""When a worker counts as stalled."""

from __future__ import annotations

from models.instants import SECOND
from streams.watchdog import Watchdog


def test_lag_without_progress_for_the_timeout_is_a_stall() -> None:
    dog = Watchdog(10 * SECOND)
    assert dog.stalled(0, lag=5, handled=1) is None
    assert dog.stalled(9 * SECOND, lag=5, handled=1) is None
    assert dog.stalled(10 * SECOND, lag=5, handled=1) == (
        "5 records wait and none was handled for 10 s: this worker has stalled and ends, to be started again"
    )


def test_progress_idleness_and_an_excuse_each_begin_the_time_anew() -> None:
    for kept in ({"lag": 5, "handled": 2}, {"lag": 0, "handled": 1}, {"lag": 5, "handled": 1, "excused": True}):
        dog = Watchdog(10 * SECOND)
        dog.stalled(0, lag=5, handled=1)
        assert dog.stalled(9 * SECOND, **kept) is None
        assert dog.stalled(18 * SECOND, lag=5, handled=kept["handled"]) is None
        assert dog.stalled(19 * SECOND, lag=5, handled=kept["handled"]) is not None
