"""Causes that were named before they came: answered once, forgotten with the memory, and nothing is kept of what was answered."""

from __future__ import annotations

from small_histories import moment, wrote

from models.awaited import Awaited
from models.ring import Install


def waiting(*seconds: int) -> tuple[Awaited[Install], list[Install]]:
    """Effects at these seconds that all name "c", the last one as "agents/x c"."""
    awaited: Awaited[Install] = Awaited()
    effects = [Install(wrote(second, "a", 1, 2)) for second in seconds]
    for effect in effects:
        awaited.name("c" if effect is not effects[-1] else "agents/x c", effect)
    return awaited, effects


def test_who_named_it_in_either_way_is_answered_once() -> None:
    awaited, effects = waiting(1, 2, 3)
    cause = wrote(9, "x", 1, 2, id="c", source="agents/x")
    assert awaited.by(cause) == effects
    assert awaited.by(cause) == []
    assert not awaited.effects and not awaited._order


def test_what_has_left_the_memory_waits_no_more() -> None:
    awaited, effects = waiting(1, 2, 3)
    awaited.forget(moment(1))
    assert awaited.effects["c"] == effects[1:2]
    awaited.forget(moment(3))
    assert not awaited.effects and not awaited._order
