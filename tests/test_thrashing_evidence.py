"""What a few writes are worth: swings that vary or settle, demand that explains two agents, what a fight is called, two knobs in step."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest
from small_histories import findings, moment, only, turns, wrote
from test_thrashing_kinds import demand

from benchmarks.accuracy.families import Pen, follow
from models.events import Action, Event
from models.instants import MINUTE, SECOND

BOTH = ["cost", "perf"]


def swings(*points: float) -> list[float]:
    """Values at these distances from 10, ln units."""
    return [round(10 * math.exp(point), 3) for point in points]


def first_told(events: Sequence[Event]) -> str:
    return only(*events).detected_at


def test_swings_that_vary_but_do_not_settle_are_known_at_the_fifth_write() -> None:
    vary = turns(BOTH, swings(0, 0.43, 0.04, 0.27, 0.01, 0.27), 100)
    assert first_told(vary) == "2026-11-23T02:06:40Z"


def test_swings_that_settle_are_not_however_slowly() -> None:
    for ratio in (0.3, 0.5, 0.65):
        assert findings(*turns(BOTH, swings(*((-ratio) ** i for i in range(12))), 30)) == []


def test_the_swing_that_has_just_begun_tells_that_it_does_not_settle() -> None:
    """The third and fourth half-cycles are little more than half of the first two; the fifth, in progress, is larger again."""
    again = swings(0, 0.408, -0.048, 0.214, -0.057, 0.276, -0.04)
    assert first_told(turns(BOTH, again, 80)) == "2026-11-23T02:05:20Z"
    assert findings(*turns(BOTH, again[:-2] + swings(0.04, 0.0), 80)) == []


def test_three_agents_that_take_turns_fight_as_two_do() -> None:
    slow = only(*turns(["a", "b", "c"], [6, 9, 6, 9, 6], 540))
    assert slow.severity == "warning"
    assert slow.metrics["fight_index"] < 0.8  # one of them has pushed both ways already


def test_a_small_fight_is_a_warning_and_a_small_hunt_is_not() -> None:
    small = [20, 24.5] * 3
    assert only(*turns(BOTH, small, 60)).severity == "warning"
    assert only(*turns(["hpa"], small, 60)).severity == "info"


def wobbling(writes: Sequence[Event], step: float) -> list[Event]:
    """The writes, with a sample of demand that wobbles by so much every ten seconds."""
    last = int((writes[-1].time - moment(0)) / 1e9)
    samples = [demand(float(second), 100 * (1 + step * (-1) ** (second // 10))) for second in range(0, last, 10)]
    return sorted([*samples, *writes], key=lambda event: (event.time, event.source))


def test_a_wobble_of_demand_within_the_dead_band_excuses_no_fight_of_two() -> None:
    fight = turns(BOTH, [16, 12.1, 15.8, 12.3, 16.2, 12.2], 65)
    assert first_told(wobbling(fight, 0.02)) == "2026-11-23T02:03:15Z"


def test_two_that_step_against_one_another_are_held_against_the_whole_swing() -> None:
    """Each turns the other back in steps of 12 %, by half in all, while demand wobbles by 8 %, enough for one such step."""
    down = [64.0, 57.0, 50.0, 44.0, 39.0, 35.0]
    values = (down + down[-2:0:-1]) * 3
    writes = [turns(["a" if new < old else "b"], [old, new], 1, 35.0 * i)[0] for i, (old, new) in enumerate(pairwise(values))]
    assert [finding.agents for finding in findings(*wobbling(writes, 0.04))] == [("a", "b")]


def test_whether_a_lone_agent_hunts_or_follows_demand_that_nobody_sends_is_not_in_its_writes() -> None:
    """The same list of events under both labels: docs/accuracy.md says what follows."""
    low, high, half = 10, 15, 300
    follower = follow(random.Random(0), lambda s: high if (s // half) % 2 else low, 60 * MINUTE, SECOND, told=False)
    hunter = Pen(random.Random(1), low)
    for event, value in zip(follower, [high, low] * 20, strict=False):
        hunter.time = event.time
        hunter.write("autoscaler", value)
    assert hunter.events == follower
    assert len(follower) > 8


@pytest.mark.parametrize("first", ["a", "z"])  # by a millisecond: the one before by name, or the one after
@pytest.mark.parametrize("share", [[50, 60, 70, 80, 90], [5, 25, 45, 65, 85, 95]])
def test_a_transfer_in_many_steps_is_told_once(first: str, share: list[int]) -> None:
    steps = (share + share[-2:0:-1]) * 4
    writes: list[Event] = []
    for i, (old, new) in enumerate(pairwise(steps)):
        pair = [(f"queue/{first} weight", old, new), ("queue/m weight", 100 - old, 100 - new)]
        writes += [wrote(40 * i + 0.001 * n, "router", was, now, knob, id=f"w{i}-{n}") for n, (knob, was, now) in enumerate(pair)]
    (found,) = [finding for finding in findings(*writes) if finding.pattern == "thrashing"]
    assert (found.kind, found.metrics["opposition"]) == ("transfer", -1.0)
    assert found.resources == tuple(sorted(["queue/m", f"queue/{first}"]))


@pytest.mark.parametrize(
    ("lag", "kinds"),
    [
        (-20, {"transfer"}),  # the second knob goes the other way, a little before or after
        (0.001, {"transfer"}),
        (60, {"transfer"}),
        (110, {"sustained"}),  # in the middle of the plateau it goes neither with the first knob nor against it
        (150, {"sustained"}),
        (190, {"sustained"}),
        (300, {"sustained"}),  # together
    ],
)
def test_knobs_that_swing_at_the_same_pace_are_a_transfer_only_where_they_turn_together(lag: float, kinds: set[str]) -> None:
    first = turns(["a", "b"], [8, 16] * 6, 300)
    second = turns(["a", "b"], [50, 5] * 6, 300, 0.5 + lag, knob="fn/resize concurrency")
    second = [msgspec.structs.replace(event, id=f"second {event.id}") for event in second if isinstance(event, Action)]
    found = [finding for finding in findings(*first, *second) if finding.pattern == "thrashing"]
    assert {finding.kind for finding in found} == kinds
    assert len(found) == (1 if kinds == {"transfer"} else 2)
