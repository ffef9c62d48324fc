"""Turning points of one knob: which writes are reversals, how much each weighs, who pushes which way."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from msgspec import UNSET
from small_histories import turns, wrote

from models.events import Action, Value
from models.zigzag import Zigzag, zigzag

DEADBAND = 0.1
BOTH = ["a", "b"]


def of(values: Sequence[Value], agents: Sequence[str] = BOTH) -> Zigzag:
    return zigzag([write for write in turns(agents, values, 10) if isinstance(write, Action)], DEADBAND)


def reversed_to(swings: Zigzag) -> list[object]:
    return [reversal.event.new for reversal in swings.reversals]


def test_no_writes_no_reversals() -> None:
    assert zigzag([], DEADBAND) == Zigzag((), 0.0, True)
    assert zigzag([wrote(0, "a", 1, UNSET)], DEADBAND).reversals == ()


def test_a_write_that_turns_back_is_a_reversal_and_one_that_goes_on_is_not() -> None:
    assert reversed_to(of([8, 16, 24, 8])) == [8]
    assert of([8, 16, 24, 48]).reversals == ()


def test_a_turn_within_the_dead_band_is_none_until_it_adds_up() -> None:
    assert of([8, 100, 95]).reversals == ()
    assert reversed_to(of([8, 100, 95, 92, 88])) == [88]


def test_the_first_old_value_tells_where_the_knob_came_from() -> None:
    assert reversed_to(of([8, 16, 8])) == [8]
    blind = [wrote(0, "a", UNSET, 16), wrote(10, "b", UNSET, 8)]
    assert zigzag(blind, DEADBAND).reversals == ()


def test_a_reversal_names_the_last_write_of_the_run_that_it_turned_back() -> None:
    (reversal,) = of([8, 16, 24, 8]).reversals
    assert reversal.undone.new == 24


def test_putting_back_what_the_other_had_replaced_is_exact() -> None:
    assert [reversal.exact for reversal in of([8, 16, 8, 16]).reversals] == [True, True]
    assert [reversal.exact for reversal in of([8, 16, 8.1, 16.1]).reversals] == [False, False]
    assert [reversal.exact for reversal in of([8, 16, 8], ["a"]).reversals] == [False]


def test_a_whole_run_put_back_is_exact() -> None:
    assert [reversal.exact for reversal in of([8, 12, 16, 8], ["a", "a", "b"]).reversals] == [True]


def test_steady_swings_weigh_one_each() -> None:
    assert [reversal.weight for reversal in of([8, 16] * 4).reversals] == pytest.approx([1.0] * 6)


def test_shrinking_swings_weigh_less_by_the_ratio_over_a_full_cycle() -> None:
    halves = [math.exp(x) for x in (0, 1, 0.5, 0.75, 0.55)]  # half-cycles of 1, 1/2, 1/4, then 0.2
    assert [reversal.weight for reversal in of(halves).reversals] == pytest.approx([1.0, 0.25, 0.25])


def test_growing_swings_weigh_no_more_than_one_and_tell_their_growth() -> None:
    doubling = [math.exp(x) for x in (0, 1, -1, 3, -5)]
    reversals = of(doubling).reversals
    assert [reversal.weight for reversal in reversals] == [1.0, 1.0, 1.0]
    assert [reversal.growth for reversal in reversals] == pytest.approx([1.0, 4.0, 4.0])


def test_the_amplitude_is_that_of_the_half_cycle_that_ended() -> None:
    assert [reversal.amplitude for reversal in of([8, 16, 4, 16]).reversals] == pytest.approx([math.log(2), math.log(4)])


@pytest.mark.parametrize(
    ("agents", "index"),
    [(["a", "b"], 1.0), (["a"], 0.0), (["a", "a", "b", "b"], 0.0)],
    ids=["one up and one down", "one alone", "both up and down"],
)
def test_the_fight_index_tells_who_pushes_which_way(agents: list[str], index: float) -> None:
    assert of([8, 16, 8, 16, 8], agents).fight_index == pytest.approx(index)


def test_a_knob_of_names_reverses_by_coming_back() -> None:
    swings = of(["a", "b", "a", "b"])
    assert (swings.numeric, reversed_to(swings)) == (False, ["a", "b"])
    assert of(["a", "b", "c", "d"]).reversals == ()
    assert reversed_to(of(["a", "b", "c", "a"])) == ["a"]


def test_a_repeat_of_the_standing_name_is_no_return() -> None:
    assert of(["a", "b", "b", "b"]).reversals == ()


def test_a_name_not_seen_among_the_last_eight_is_new() -> None:
    nine = [str(i) for i in range(9)]
    assert reversed_to(of([*nine[:8], "0"])) == ["0"]
    assert of([*nine, "0"]).reversals == ()


def test_names_give_a_fight_index_by_who_turned_whom_back() -> None:
    assert of([False, True, False, True]).fight_index == 1.0
    assert of([False, True, False, True], ["a"]).fight_index == 0.0
