"""What was written where: the newest writes of each knob and state, what a read refers to, and a quick sign of reversals."""

from __future__ import annotations

import random

import pytest
from msgspec import UNSET
from small_histories import became, declared, moment, wrote

from models.events import Action, Event, Read, Value
from models.graph import Node
from models.ring import BY_TIME, BY_VERSION
from models.variables import Variables, variable
from models.zigzag import zigzag

KNOB = ("db/orders", "replicas")


def holding(*events: Event, most: int = 64) -> Variables:
    variables = Variables(most)
    for event in events:
        variables.install(Node(event))
    return variables


def read(
    variables: Variables, *reads: Read, seconds: float = 100, earliest: float = 0, old: object = UNSET
) -> list[tuple[str, float]]:
    """What an action at 100 s that made these reads has read: event ids with their probability."""
    action = wrote(seconds, "reader", old, 99, "other/x knob" if reads else "db/orders replicas", reads=reads)  # type: ignore[arg-type]
    return [(install.event.id, probability) for install, probability in variables.read_from(action, moment(earliest))]


def test_applied_actions_write_knobs_and_transitions_write_states() -> None:
    assert variable(wrote(0, "a", 1, 2)) == KNOB
    assert variable(wrote(0, "a", 1, 2, outcome="failed")) is None
    assert variable(became(0, "db/orders health", "ok", "bad")) == ("db/orders", "health")
    assert variable(declared(0, "ann", "db/orders")) is None


def test_the_last_write_of_a_knob_is_current() -> None:
    variables = holding(wrote(0, "a", 1, 2), wrote(1, "b", 2, 3), wrote(2, "c", 1, 9, "db/orders cpu"))
    assert variables.current(KNOB, 0) == wrote(1, "b", 2, 3)
    assert [action.new for action in variables.actions(KNOB)] == [2, 3]
    assert variables.current(("db/orders", "disk"), 0) is None


def test_what_left_the_memory_is_current_as_a_fact_until_it_is_too_old_or_given_up() -> None:
    write = wrote(0, "a", 1, 2)
    variables = holding(write)
    variables.forget(write)
    assert variables.current(KNOB, 0) is None
    variables.remember(write)
    variables.remember(wrote(-5, "a", 0, 1))  # an older fact replaces nothing
    assert variables.current(KNOB, moment(0)) == write
    assert variables.current(KNOB, moment(1)) is None
    variables.drop(KNOB)
    assert variables.current(KNOB, 0) is None


def test_a_write_in_the_memory_counts_before_the_fact() -> None:
    variables = holding(wrote(5, "b", 2, 3))
    variables.remember(wrote(0, "a", 1, 2))
    assert variables.current(KNOB, 0) == wrote(5, "b", 2, 3)


def test_only_so_many_writes_of_a_knob_are_kept() -> None:
    variables = holding(*(wrote(i, "a", i, i + 1) for i in range(9)), most=3)
    assert [action.new for action in variables.actions(KNOB)] == [7, 8, 9]


def test_a_read_that_names_the_version_names_the_write() -> None:
    variables = holding(wrote(0, "a", 1, 2, version=7), wrote(1, "b", 2, 3, version=8))
    assert read(variables, Read("db/orders", "replicas", version=7)) == [("a@0", BY_VERSION)]


def test_a_value_that_was_written_once_names_the_write_and_one_written_twice_less_surely() -> None:
    variables = holding(wrote(0, "a", 1, 2), wrote(1, "b", 2, 3), wrote(2, "a", 3, 2))
    assert read(variables, Read("db/orders", "replicas", 3)) == [("b@1", BY_VERSION)]
    assert read(variables, Read("db/orders", "replicas", 2)) == [("a@2", BY_TIME)]


def test_a_value_that_nobody_wrote_was_not_read_from_the_knob() -> None:
    assert read(holding(wrote(0, "a", 1, 2)), Read("db/orders", "replicas", 77)) == []


def test_a_read_without_a_value_is_of_the_last_write_before_it() -> None:
    variables = holding(wrote(0, "a", 1, 2), wrote(50, "b", 2, 3))
    assert read(variables, Read("db/orders", "replicas")) == [("b@50", BY_TIME)]
    assert read(variables, Read("db/orders", "replicas", time=moment(20))) == [("a@0", BY_TIME)]


def test_a_metric_need_not_be_what_its_transition_said() -> None:
    variables = holding(became(0, "db/orders p95", "ok", "high"))
    assert read(variables, Read("db/orders", "p95", 840)) == [("monitor@0", BY_TIME)]


def test_writes_before_the_window_were_not_read() -> None:
    variables = holding(wrote(0, "a", 1, 2))
    assert read(variables, Read("db/orders", "replicas", 2), earliest=0) == [("a@0", BY_VERSION)]
    assert read(variables, Read("db/orders", "replicas", 2), earliest=1) == []


def test_the_old_value_that_an_action_found_is_an_implicit_read_of_anothers_write() -> None:
    assert read(holding(wrote(0, "a", 1, 2)), old=2) == [("a@0", BY_VERSION)]
    assert read(holding(wrote(0, "a", 1, 2)), old=5) == []
    assert read(holding(wrote(0, "reader", 1, 2)), old=2) == []


def test_forgetting_the_oldest_leaves_the_newer_writes() -> None:
    first, second = wrote(0, "a", 1, 2), wrote(1, "b", 2, 3)
    variables = holding(first, second)
    variables.forget(first)
    assert variables.actions(KNOB) == [second]
    variables.forget(second)
    assert variables.actions(KNOB) == []


@pytest.mark.parametrize("values", [[1, 2, 4, 8, 16], [64, 32, 16, 8]])
def test_a_knob_that_keeps_its_direction_is_told_in_constant_time(values: list[Value]) -> None:
    variables = holding(*(wrote(i, "a", None, value) for i, value in enumerate(values[:-1])))
    assert not variables.may_reverse(wrote(9, "a", None, values[-1]), 0.1, 0)


def test_no_reversal_lacks_the_quick_sign() -> None:
    """`may_reverse` may say yes too often, never no where the zigzag finds a reversal."""
    for seed in range(300):
        rng = random.Random(seed)
        pool: list[Value] = rng.choice(
            [[1, 2, 4, 8, 8.5, 9, 16], [0, 1, 2, 3], [-3, -1, 0, 2, 5], ["a", "b", "c", "d"], [True, False]]
        )
        writes: list[Action] = []
        variables = Variables(64)
        before: object = rng.choice(pool)
        for i in range(14):
            new = rng.choice(pool)
            write = wrote(i, "ab"[i % 2], before if rng.random() < 0.7 or i == 0 else UNSET, new)  # type: ignore[arg-type]
            writes.append(write)
            found = zigzag(writes, 0.1).reversals
            if found and found[-1].event is write:
                assert variables.may_reverse(write, 0.1, 0), (seed, i)
                if len(found) > 2:
                    assert variables.may_reverse(write, 0.1, 1), (seed, i)
            variables.install(Node(write))
            before = new
