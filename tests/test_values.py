"""Knob values: how far apart two are, which are the same, on which scale a list moves, and how sentences show them."""

from __future__ import annotations

import math

import pytest
from msgspec import UNSET, UnsetType

from models.events import Value
from models.values import category, distance, number, same, scale, text

VALUES: list[Value | UnsetType] = [UNSET, None, True, False, 0, 1, 1.0, -3, 2.5, "", "a", "1", (), ("a",), ("a", "b")]


def test_booleans_and_texts_are_no_numbers() -> None:
    assert [number(value) for value in (True, "8", None, ("a",), UNSET)] == [None] * 5
    assert (number(8), number(-2.5), number(10**400)) == (8.0, -2.5, None)


@pytest.mark.parametrize(
    ("a", "b", "apart"),
    [
        (8, 16, math.log(2)),
        (1000, 1100, math.log(1.1)),
        (0, 3, math.log(4)),
        (-4, 4, 2.0),
        (-4, -2, 0.5),
        (8, 8.0, 0.0),
        ("a", "b", 1.0),
        ("a", "a", 0.0),
        (1, True, 1.0),
        (1, "1", 1.0),
        (None, 0, 1.0),
        (("a", "b"), ("b", "a"), 0.0),
        (("a", "b"), ("a",), 1.0),
        (UNSET, None, 1.0),
        (UNSET, UNSET, 0.0),
    ],
)
def test_the_distance_of_two_values(a: Value, b: Value, apart: float) -> None:
    assert distance(a, b) == pytest.approx(apart)


def test_distance_is_symmetric_and_zero_for_equal_values() -> None:
    for a in VALUES:
        assert distance(a, a) == 0.0
        for b in VALUES:
            assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-12)


def test_same_agrees_with_a_distance_of_zero() -> None:
    for a in VALUES:
        for b in VALUES:
            assert same(a, b) == (distance(a, b) == 0.0), (a, b)


def test_a_list_is_a_set_of_members_and_says_so_as_a_category() -> None:
    assert category(("b", "a", "a")) == category(("a", "b"))
    assert category(("a",)) != category("a")
    assert category(UNSET) is None and category(None) is not None


def test_positive_numbers_move_on_a_logarithmic_scale() -> None:
    assert scale([8, 16, 32]) == pytest.approx([math.log(8), math.log(16), math.log(32)])


def test_numbers_that_touch_zero_move_on_log_of_one_more() -> None:
    assert scale([0, 3]) == pytest.approx([0, math.log(4)])


def test_numbers_below_zero_move_linearly_against_the_largest() -> None:
    assert scale([-5, 10, 5]) == pytest.approx([-0.5, 1.0, 0.5])


def test_one_value_that_is_no_number_makes_the_knob_categorical() -> None:
    assert scale([8, "auto", 16]) is None
    assert scale([False, True]) is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (UNSET, "?"),
        (None, "nothing"),
        (True, "true"),
        (False, "false"),
        (16, "16"),
        (0.1 + 0.2, "0.3"),
        (("a", 1), "{a, 1}"),
        (tuple(range(9)), "{0, 1, 2, 3, 4, 5, ...}"),
        ("x" * 70, "x" * 57 + "..."),
    ],
)
def test_how_a_sentence_shows_a_value(value: Value, shown: str) -> None:
    assert text(value) == shown


def test_values_of_one_category_are_the_same_and_no_others() -> None:
    values: list[Value] = [*(v for v in VALUES if v is not UNSET), (1,), (True,), (1.0,), ("1",), ("a\nb",), ("a", "b", "a")]  # type: ignore[misc]
    for a in values:
        for b in values:
            assert same(a, b) == (category(a) == category(b)), (a, b)
