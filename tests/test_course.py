"""Which way a knob is going: wherever a zigzag that begins later turns, this one turns too."""

from __future__ import annotations

import math
import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from small_histories import wrote

from models.course import Course
from models.zigzag import zigzag


def followed(values: list[float]) -> Course:
    course = Course(values[0], 0.1)
    for value in values[1:]:
        course.note(value)
    return course


def test_it_turns_a_dead_band_away_from_the_extreme() -> None:
    assert not followed([10, 12]).turns(11.5)
    assert followed([10, 12]).turns(10.8)
    assert not followed([10, 10.5]).turns(10.2)  # no way yet
    assert followed([10, 9, 8]).turns(9)


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 10**6), begin=st.integers(0, 40), spread=st.sampled_from([0.02, 0.06, 0.15, 0.5]))
def test_no_later_zigzag_turns_where_this_one_does_not(seed: int, begin: int, spread: float) -> None:
    rng = random.Random(seed)
    values = [10.0]
    for _ in range(80):
        values.append(values[-1] * math.exp(rng.gauss(0, spread)) if rng.random() < 0.8 else rng.choice(values))
    course = Course(values[0], 0.1)
    writes = [wrote(i, "ab"[i % 2], old, new) for i, (old, new) in enumerate(pairwise(values))]
    for i, write in enumerate(writes):
        assert isinstance(write.new, float)
        if i > begin:
            found = zigzag(writes[begin : i + 1], 0.1).reversals
            if found and found[-1].event is write:
                assert course.turns(write.new)
        course.note(write.new)
