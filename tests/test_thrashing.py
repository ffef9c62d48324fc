"""Thrashing: what counts as a fight or a hunt, what does not, and when an episode is over."""

from __future__ import annotations

import math

import msgspec
import pytest
from msgspec import UNSET
from small_histories import changes, findings, kinds, only, turns, until, wrote

from models.configuration import Analysis, Limits, Thrashing
from models.events import Event, Read, Value
from models.instants import MINUTE, SECOND, parse_time

BOTH = ["cost", "perf"]
EXACT = [8, 16, 8, 16, 8, 16, 8, 16]  # each puts back what the other had replaced
PLAIN = [8, 16, 8.1, 16.1, 8.2, 16.2, 8.3]  # back and forth, never to the same value


def test_an_exact_fight_opens_at_the_fourth_write() -> None:
    assert kinds(*turns(BOTH, EXACT, 10)[:3]) == []
    assert kinds(*turns(BOTH, EXACT, 10)[:4]) == ["thrashing sustained"]


def test_without_an_exact_undo_it_opens_at_the_fifth_write() -> None:
    assert kinds(*turns(BOTH, PLAIN, 10)[:4]) == []
    assert kinds(*turns(BOTH, PLAIN, 10)[:5]) == ["thrashing sustained"]


def test_one_agent_never_undoes_exactly_so_it_needs_a_fifth_write_too() -> None:
    assert kinds(*turns(["hpa"], EXACT, 10)[:4]) == []
    assert kinds(*turns(["hpa"], EXACT, 10)[:5]) == ["thrashing sustained"]


def test_the_finding_tells_what_happened() -> None:
    p95 = (Read("db/orders", "p95_latency_ms", 840),)
    fight = [*turns(["perf", "cost"], [8, 16, 8, 16], 10), wrote(30, "cost", 16, 8, reads=p95)]
    finding = only(*fight)
    assert finding.title == "cost and perf fight over db/orders replicas"
    assert finding.explanation == (
        "cost and perf fight over db/orders replicas: 3 reversals in 30 s, confidence 0.82.",
        "02:00:00 perf raised db/orders replicas 8 -> 16.",
        "02:00:10 cost lowered db/orders replicas 16 -> 8: put back what perf's 8 -> 16 had replaced, 10 s later.",
        "02:00:20 perf raised db/orders replicas 8 -> 16: put back what cost's 16 -> 8 had replaced, 10 s later.",
        "02:00:30 cost lowered db/orders replicas 16 -> 8 because p95_latency_ms was 840: "
        "put back what perf's 8 -> 16 had replaced, 10 s later.",
    )
    assert [(piece.role, piece.note) for piece in finding.evidence] == [
        ("trigger", "8 -> 16"),
        ("reversal", "16 -> 8"),
        ("reversal", "8 -> 16"),
        ("reversal", "16 -> 8"),
    ]
    assert [(edge.relation, edge.lag_s) for edge in finding.edges] == [("overwrites", 10.0)] * 3
    assert (finding.agents, finding.resources, finding.parameters) == (("cost", "perf"), ("db/orders",), ("replicas",))


def test_two_agents_that_fight_have_fight_index_one() -> None:
    assert only(*turns(BOTH, EXACT, 10)).metrics["fight_index"] == 1.0


def test_one_agent_that_hunts_has_fight_index_zero() -> None:
    hunt = only(*turns(["hpa"], EXACT, 10))
    assert hunt.metrics["fight_index"] == pytest.approx(0.0, abs=0.2)
    assert hunt.title == "hpa hunts on db/orders replicas"


def test_one_agent_alone_whose_demand_nobody_sends_is_doubted_unless_its_swings_grow() -> None:
    steady = only(*turns(["hpa"], [8, 32] * 20, 10))
    assert (steady.kind, steady.severity) == ("sustained", "warning") and steady.score > 0.4
    assert steady.confidence == pytest.approx(0.7, abs=0.01)
    assert "samples of role `demand` would tell whether it follows them" in steady.explanation[0]
    assert only(*turns(BOTH, [8, 32] * 20, 10)).severity in ("error", "critical")
    growing = only(*turns(["hpa"], [round(100 * 1.5**i) if i % 2 else 100 for i in range(16)], 10))
    assert (growing.kind, growing.severity) == ("growing", "error")


@pytest.mark.parametrize(
    ("case", "values"),
    [
        ("a ramp", [1, 2, 4, 8, 16, 32, 64]),
        ("a canary", [5, 20, 40, 100]),
        ("a settling knob", [10, 20, 14, 17, 15.5, 16.2, 15.9, 16]),
        ("jitter within 5 %", [100, 105, 100, 105, 100, 105, 100, 105]),
        ("jitter within 5 % on the way up", [100, 105, 101, 120, 115, 140, 135, 160]),
        ("the same value again and again", [8, 16, 16, 16, 16, 16, 16]),
        ("steps down after steps up", [2, 4, 8, 16, 8, 4, 2]),
        ("values that are all new", ["a", "b", "c", "d", "e", "f"]),
        ("one switch on and off", [False, True, False]),
    ],
)
@pytest.mark.parametrize("agents", [BOTH, ["hpa"]], ids=["two agents", "one agent"])
def test_what_is_no_thrashing(case: str, values: list[Value], agents: list[str]) -> None:
    assert kinds(*turns(agents, values, 10)) == []


def test_an_autoscaler_that_goes_up_and_300_s_later_down_is_no_thrashing() -> None:
    assert kinds(*turns(["hpa"], [4, 12, 4], 300)) == []


def test_failed_and_rejected_actions_move_no_knob() -> None:
    for outcome in ("failed", "rejected", "considered"):
        assert kinds(*turns(BOTH, EXACT, 10, outcome=outcome)) == []


def test_an_action_without_a_new_value_moves_no_knob() -> None:
    assert kinds(*(wrote(10 * i, BOTH[i % 2], UNSET, UNSET, "db/orders restart") for i in range(8))) == []


def test_repeats_in_between_do_not_count_and_do_not_hide_a_fight() -> None:
    fight = turns(BOTH, EXACT, 10)[:4]
    repeats = [wrote(10 * i + 5, BOTH[i % 2], None, EXACT[i + 1]) for i in range(4)]
    finding = only(*fight, *repeats)
    assert finding.metrics["reversals"] == 3


def test_two_knobs_of_one_resource_are_two_subjects() -> None:
    half = turns(BOTH, EXACT, 10)[:3] + turns(BOTH, EXACT, 10, 2, knob="db/orders cpu")[:3]
    assert kinds(*half) == []


def test_swings_that_widen_are_growing_and_others_sustained() -> None:
    widening = [100 * math.exp(0.2 * 1.5**i * (-1) ** i) for i in range(8)]
    assert kinds(*turns(BOTH, widening, 10)) == ["thrashing growing"]
    assert only(*turns(BOTH, widening, 10)).metrics["growth"] == pytest.approx(1.5**2, rel=1e-3)
    steady = [100 * math.exp(0.2 * (-1) ** i) for i in range(8)]
    assert kinds(*turns(BOTH, steady, 10)) == ["thrashing sustained"]


def test_an_open_fight_that_begins_to_grow_says_so() -> None:
    widening = [8, 16, 8, 16, 8, *[12 * math.exp(0.5 * 1.8**i * (-1) ** i) for i in range(6)]]
    told = [change.finding.kind for change in changes(*turns(BOTH, widening, 10))]
    assert told[0] == "sustained" and told[-1] == "growing"


@pytest.mark.parametrize(
    ("low", "high"),
    [("east", "west"), (False, True), (None, "blue"), (("a", "b"), ("a", "b", "c")), (0, 3), (-5, 5)],
    ids=["strings", "booleans", "null", "sets", "zero", "signs"],
)
def test_any_kind_of_value_can_be_fought_over(low: Value, high: Value) -> None:
    finding = only(*turns(BOTH, [low, high, low, high, low], 10))
    assert (finding.pattern, finding.metrics["fight_index"]) == ("thrashing", 1.0)


def test_the_order_of_a_sets_members_is_no_change() -> None:
    assert kinds(*turns(BOTH, [("a", "b"), ("b", "a")] * 4, 10)) == []


@pytest.mark.parametrize("period", [10, 25 * 60])
def test_the_defaults_find_a_fight_of_ten_seconds_and_one_of_25_minutes(period: float) -> None:
    finding = only(*turns(BOTH, EXACT, period / 2))
    assert finding.metrics["period_s"] == period


def test_a_full_swing_takes_as_long_where_one_side_answers_at_once() -> None:
    sync, answer = turns(BOTH, EXACT, 60)[::2], turns(BOTH, EXACT, 60)[1::2]
    quick = [msgspec.structs.replace(event, time=event.time - 55 * SECOND) for event in answer]
    finding = only(*sorted([*sync, *quick], key=lambda event: event.time))
    assert finding.metrics["period_s"] == 120


def test_the_shortest_half_life_that_suffices_is_the_fights_own() -> None:
    assert only(*turns(BOTH, EXACT, 5)).metrics["half_life_s"] == 120
    assert only(*turns(BOTH, EXACT, 750)[:4]).metrics["half_life_s"] == 3600


def test_writes_further_apart_than_the_memory_holds_together_are_no_fight() -> None:
    assert kinds(*turns(BOTH, EXACT, 39 * 60)[:4]) == ["thrashing sustained"]
    assert kinds(*turns(BOTH, EXACT, 41 * 60)) == []


def test_it_resolves_when_the_pressure_has_fallen_below_the_lower_threshold() -> None:
    opened, resolved = changes(*turns(BOTH, EXACT, 10)[:4], until(4000))
    assert (opened.verb, resolved.verb) == ("opened", "resolved")
    pressure, half_life = opened.finding.metrics["pressure"], opened.finding.metrics["half_life_s"]
    quiet = half_life * math.log2(pressure / 0.75)  # P * 2^-(t / H) = 0.75
    assert resolved.finding.resolved_at is not None
    lasted = parse_time(resolved.finding.resolved_at) - parse_time(opened.finding.detected_at)
    assert lasted / SECOND == pytest.approx(quiet, abs=0.001)
    assert resolved.finding.metrics["reversals"] == 3


def test_it_is_still_open_until_then() -> None:
    assert [change.verb for change in changes(*turns(BOTH, EXACT, 10)[:4], until(30 + 225))] == ["opened"]


def test_a_fight_that_pauses_within_its_scale_is_one_episode() -> None:
    fight = turns(BOTH, EXACT, 10)[:4] + turns(BOTH, EXACT, 10, 30 + 200)[:4]
    finding = only(*fight)
    assert finding.metrics["reversals"] == 7


def test_a_fight_that_comes_back_after_its_end_is_another_episode() -> None:
    fight = turns(BOTH, EXACT, 10)[:4] + turns(BOTH, EXACT, 10, 3000)[:4]
    first, second = findings(*fight)
    assert (first.status, second.status) == ("resolved", "open")
    assert first.finding_id != second.finding_id


def test_after_an_end_a_fight_has_to_build_up_anew() -> None:
    again = turns(BOTH, EXACT, 10)[:4] + turns(BOTH, EXACT, 10, 3000)[:2]
    assert len(findings(*again)) == 1


def test_evidence_is_told_once_and_counted_always() -> None:
    many = turns(BOTH, [8, 16] * 40, 10)
    finding = only(*many, settings=Analysis(limits=Limits(evidence=8)))
    assert finding.metrics["reversals"] == len(many) - 1
    assert len(finding.evidence) == 8
    assert finding.evidence[0].event == "agents/cost/1 cost@0"


def test_the_thresholds_are_settings() -> None:
    fight: list[Event] = turns(BOTH, EXACT, 10)[:4]
    assert kinds(*fight, settings=Analysis(thrashing=Thrashing(open_exact=3.0))) == []
    assert kinds(*fight, settings=Analysis(thrashing=Thrashing(deadband=0.7))) == []
    slow = turns(BOTH, EXACT, 40 * 60)[:4]
    months = Thrashing(half_lives=(24 * 60 * MINUTE,))
    assert kinds(*slow, settings=Analysis(memory=10 * 60 * MINUTE, thrashing=months)) == ["thrashing sustained"]


def test_confidence_is_lower_where_nothing_says_that_one_write_answers_another() -> None:
    cited = only(*turns(BOTH, EXACT, 10)[:5])
    silent = only(*(wrote(10 * i, BOTH[i % 2], UNSET, EXACT[i + 1]) for i in range(5)))
    assert (cited.basis, silent.basis) == ("cited", "inferred")
    assert silent.confidence < cited.confidence


def test_a_reversal_that_names_or_reads_what_it_turns_back_is_cited() -> None:
    named: list[Event] = [wrote(0, "cost", UNSET, 16)]
    read: list[Event] = [wrote(0, "cost", UNSET, 16)]
    for i in range(1, 6):
        agent, new = BOTH[i % 2], EXACT[i + 1]
        named.append(wrote(10 * i, agent, UNSET, new, causes=(named[-1].id,)))
        read.append(wrote(10 * i, agent, UNSET, new, reads=(Read("db/orders", "replicas", EXACT[i]),)))
    assert {edge.probability for edge in only(*named).edges} == {0.98}
    assert {edge.probability for edge in only(*read).edges} == {0.95}


def test_a_wider_swing_scores_higher() -> None:
    narrow, wide = only(*turns(BOTH, [8, 10, 8, 10, 8], 10)), only(*turns(BOTH, [8, 16, 8, 16, 8], 10))
    assert narrow.score < wide.score and narrow.severity in ("info", "warning")


@pytest.mark.parametrize(
    "read", [Read("db/other", "replicas", 16), Read("db/orders", "cpu", 16), Read("db/orders", "replicas", 17)]
)
def test_reading_something_else_is_no_citation(read: Read) -> None:
    blind = [wrote(10 * i, BOTH[i % 2], UNSET, EXACT[i + 1], reads=(read,)) for i in range(5)]
    assert {edge.probability for edge in only(*blind).edges} == {0.7}


def ringing(ratio: float) -> list[Event]:
    """A knob whose half-cycles, from e^8 on, are each so much of the one before."""
    levels = [0.0]
    for i in range(9):
        levels.append(levels[-1] + 8 * ratio**i * (-1) ** i)
    return turns(["hpa"], [math.exp(level) for level in levels], 10)


def test_a_ringing_that_loses_more_than_half_in_a_full_cycle_settles_however_often_it_turns() -> None:
    assert kinds(*ringing(0.7)) == []  # 0.49 of the swing is left after a full cycle
    assert kinds(*ringing(0.75)) == ["thrashing sustained"]


def test_a_knob_that_swings_over_hundreds_of_decades_is_a_fight_like_any_other() -> None:
    assert kinds(*turns(BOTH, [5e-324, 1.0] * 4, 10)) == ["thrashing sustained"]


def test_who_only_made_what_two_others_then_fight_over_is_not_named() -> None:
    fight = turns(["b", "a"], [8, 4, 8, 4, 8, 4], 10, 10)
    assert only(wrote(0, "admin", 4, 8), *fight).agents == ("a", "b")


def test_whoever_is_put_back_by_one_agent_is_named_each_time_another_one() -> None:
    people = [wrote(20 * i, f"person{i}", "v1", f"v{i + 2}", "shop/cart image") for i in range(3)]
    undone = [wrote(20 * i + 10, "gitops", f"v{i + 2}", "v1", "shop/cart image") for i in range(3)]
    finding = only(*sorted([*people, *undone], key=lambda event: event.time))
    assert finding.agents == ("gitops", "person0", "person1", "person2")
