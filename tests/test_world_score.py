"""The simulated benchmark counts right: reversals, stretches and matching against cases worked out by hand. Figures are no assertions."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks.world import turns
from benchmarks.world.baselines import naive
from benchmarks.world.draw import REPLICAS, WEB
from benchmarks.world.replay import Record, Write
from benchmarks.world.score import Truth, match, stale
from models.findings import Finding
from models.instants import SECOND, format_time

BEGIN = 1_790_000_000 * SECOND


# turns


def test_reversals_count_turns_beyond_the_band() -> None:
    assert turns.reversals(10.0, [20.0, 10.0, 20.0, 30.0, 29.0, 10.0]) == [1, 2, 5]
    assert turns.reversals("a", ["b", "a", "a", "b", "c"]) == [1, 3]


def write(t: float, new: float, before: float) -> Write:
    return Write(f"x-{t}-0", "x", "scale", REPLICAS, before, new, before, int(t), t, 1, 1, (), "", None)


def zigzag(times: list[float]) -> list[Write]:
    values = [10.0, 20.0] * len(times)
    return [write(t, values[i + 1], values[i]) for i, t in enumerate(times)]


def test_stretches_are_split_by_calm() -> None:
    turned = turns.turning(zigzag([0, 100, 200, 300, 9000, 9100]))
    assert [[w.t for w in part] for part in turns.stretches(turned)] == [[100, 200, 300], [9000, 9100]]
    assert turns.usual_swing(zigzag([0, 100, 200, 300]), turned[:3]) == pytest.approx(0.6931, abs=1e-4)


def test_the_naive_baseline_needs_four_within_half_an_hour() -> None:
    assert naive(zigzag([0, 100, 200, 300, 400])) == 4
    assert naive(zigzag([0, 1000, 2000, 3000, 4000])) is None
    assert naive([]) is None


# matching


def finding(number: int, agents: tuple[str, ...], resource: str, start: float, end: float) -> Finding:
    def at(t: float) -> str:
        return format_time(BEGIN + int(t * SECOND))

    return Finding(
        finding_id=f"f_{number}", revision=1, status="open", pattern="thrashing", kind="sustained", domain="default",
        severity="warning", score=0.5, confidence=0.5, basis="cited", title="", agents=agents, resources=(resource,),
        parameters=("replicas",), roots=(), started_at=at(start), detected_at=at(start + 5), updated_at=at(end),
        as_of=(0, "", ""),
    )  # fmt: skip


TRUTH = Truth("thrashing", "sustained", frozenset("ab"), frozenset({WEB}), 100.0, 200.0)


def test_matching_by_hand() -> None:
    right = finding(1, ("a", "b"), WEB, 90.0, 150.0)
    again = finding(2, ("a", "b"), WEB, 180.0, 300.0)
    early = finding(3, ("a", "b"), WEB, 10.0, 60.0)
    others = finding(4, ("c", "d"), WEB, 90.0, 150.0)
    elsewhere = finding(5, ("a", "b"), "db/orders", 90.0, 150.0)
    score = match([TRUTH], [elsewhere, others, early, again, right], ())
    assert [(m.finding.finding_id, m.delay) for m in score.matches] == [("f_1", -5.0)]
    assert [f.finding_id for f in score.repeats] == ["f_2"] and not score.missed
    assert {f.finding_id for f in score.false} == {"f_3", "f_4", "f_5"}


def test_half_the_participants_suffice_and_less_does_not() -> None:
    assert match([TRUTH], [finding(1, ("a",), WEB, 90.0, 150.0)], ()).matches
    assert match([TRUTH], [finding(1, ("a", "c", "d"), WEB, 90.0, 150.0)], ()).missed == (TRUTH,)


def test_what_is_ambiguous_is_left_out() -> None:
    score = match([], [finding(1, ("a",), WEB, 90.0, 150.0), finding(2, ("a",), WEB, 300.0, 400.0)], [TRUTH])
    assert [f.finding_id for f in score.left_out] == ["f_1"] and [f.finding_id for f in score.false] == ["f_2"]


def test_a_stale_write_is_one_that_replaces_what_it_had_not_seen() -> None:
    def by(agent: str, t: float, old: float, before: float, new: float) -> Write:
        return msgspec.structs.replace(write(t, new, before), agent=agent, old=old)

    seen = [by("a", 0, 10.0, 10.0, 20.0), by("b", 10, 20.0, 20.0, 30.0)]  # b saw a's value
    unseen = [by("a", 20, 20.0, 30.0, 40.0), by("b", 30, 30.0, 40.0, 60.0), by("a", 900, 40.0, 60.0, 80.0)]
    agreed = [by("b", 1000, 60.0, 80.0, 80.0)]  # changes nothing
    truths = stale(Record((*seen, *unseen, *agreed), 0.0, {}, {}))
    assert [(sorted(truth.agents), truth.first, truth.last) for truth in truths] == [(["a", "b"], 20, 30), (["a", "b"], 900, 900)]
