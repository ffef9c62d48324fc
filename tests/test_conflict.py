"""Intent conflicts: each kind fires on the write that proves it, and not on its near misses."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET
from small_histories import changes, declared, findings, kinds, moment, only, turns, until, wrote

from models.configuration import Analysis, Conflict
from models.events import Action, Clause, Condition, Event, Expectation, Read
from models.instants import MINUTE

PLAN = "dns/plan active"


def test_an_older_version_over_a_newer_one_is_a_regression_even_between_instances_of_one_agent() -> None:
    finding = only(
        wrote(0, "enactor", UNSET, "b", PLAN, version=110), wrote(14, "enactor", UNSET, "a", PLAN, instance="2", version=97)
    )
    assert (finding.kind, finding.severity, finding.basis) == ("version_regression", "error", "certificate")
    assert finding.title == "enactor took dns/plan active back from version 110 to 97"
    assert finding.explanation[-1] == (
        "02:00:14 enactor set dns/plan active -> a with version 97, 14 s after agents/enactor/1 had installed version 110."
    )
    assert finding.metrics["versions_back"] == 13


def test_one_instance_may_go_back_on_its_own_word() -> None:
    assert kinds(wrote(0, "enactor", UNSET, "b", PLAN, version=110), wrote(14, "enactor", UNSET, "a", PLAN, version=97)) == []


@pytest.mark.parametrize(("first", "second"), [(None, 97), (110, None), (None, None), ("r-110", "r-97"), (97, 97), (97, 110)])
def test_without_two_ordered_versions_there_is_no_regression(first: int | str | None, second: int | str | None) -> None:
    history = wrote(0, "a", UNSET, "b", PLAN, version=first), wrote(14, "b", UNSET, "a", PLAN, version=second)
    assert kinds(*history) == []


def test_a_regression_on_another_knob_is_none() -> None:
    history = wrote(0, "a", UNSET, "b", PLAN, version=110), wrote(14, "b", UNSET, "a", "dns/plan draft", version=97)
    assert kinds(*history) == []


def test_a_failed_write_takes_nothing_back() -> None:
    history = wrote(0, "a", UNSET, "b", PLAN, version=110), wrote(14, "b", UNSET, "a", PLAN, version=97, outcome="failed")
    assert kinds(*history) == []


def test_a_writer_that_replaced_something_else_than_it_saw_loses_an_update() -> None:
    finding = only(wrote(0, "cost", 16, 8), wrote(5, "perf", 16, 32))
    assert (finding.kind, finding.severity) == ("lost_update", "warning")
    assert finding.title == "perf overwrote cost's db/orders replicas without having seen it"
    assert finding.explanation[-1] == (
        "02:00:05 perf raised db/orders replicas 16 -> 32, but agents/cost/1 had set it to 8 (5 s before): that update is lost."
    )


def test_what_stands_was_seen_and_is_no_lost_update() -> None:
    assert kinds(wrote(0, "cost", 16, 8), wrote(5, "perf", 8, 32)) == []


def test_a_writer_that_does_not_tell_what_it_saw_loses_nothing() -> None:
    assert kinds(wrote(0, "cost", 16, 8), wrote(5, "perf", UNSET, 32)) == []


def test_writing_what_stands_already_is_agreement() -> None:
    assert kinds(wrote(0, "cost", 16, 8), wrote(5, "perf", 16, 8)) == []


def test_one_instance_cannot_lose_its_own_update_but_two_of_one_agent_can() -> None:
    assert kinds(wrote(0, "perf", 16, 8), wrote(5, "perf", 16, 32)) == []
    assert kinds(wrote(0, "perf", 16, 8), wrote(5, "perf", 16, 32, instance="2")) == ["intent_conflict lost_update"]


def test_a_value_within_the_dead_band_of_what_stands_counts_as_seen() -> None:
    assert kinds(wrote(0, "cost", 200, 100), wrote(5, "perf", 105, 200)) == []


@pytest.mark.parametrize(("skew", "confidence"), [(5, 0.95), (5.1, 0.8), (10, 0.8)])
def test_a_source_whose_clock_is_off_makes_a_lost_update_less_certain(skew: float, confidence: float) -> None:
    effect = wrote(100, "perf", 1, 2, "app/a weight", causes=("cause",))
    cause = wrote(100 + skew, "other", 1, 2, "app/b weight", id="cause")
    assert only(effect, cause, wrote(200, "cost", 16, 8), wrote(205, "perf", 16, 32)).confidence == confidence


# override: a declared intent undone inside its window


def held(**clause: object) -> Action:
    """The failover agent moved the pool from east to west and holds it there."""
    return wrote(0, "failover", "east", "west", "pool/1 primary", intent=Clause(reason="failover", **clause))  # type: ignore[arg-type]


def back(seconds: float, **more: object) -> Action:
    """The router moves it back."""
    return wrote(seconds, "router", "west", "east", "pool/1 primary", **more)


def test_undoing_what_another_agent_holds_is_an_override() -> None:
    finding = only(held(), back(60))
    assert (finding.kind, finding.severity) == ("override", "error")
    assert finding.title == "router overrode failover's failover on pool/1 primary"
    assert finding.explanation[0] == f"{finding.title}: 1 violation, confidence 0.90."
    assert finding.explanation[1:] == (
        "02:00:00 failover set pool/1 primary east -> west.",
        "02:01:00 router set pool/1 primary west -> east, while failover holds pool/1 primary at west (failover) until 02:10:00.",
    )
    assert finding.metrics["window_left_s"] == 540


def test_the_window_that_the_intent_names_counts_before_the_default() -> None:
    assert kinds(held(until=moment(30)), back(60)) == []
    assert kinds(held(until=moment(3600)), back(1800)) == ["intent_conflict override"]


def test_an_intent_that_has_expired_binds_nobody() -> None:
    assert kinds(held(), back(599)) == ["intent_conflict override"]
    assert kinds(held(), back(600)) == []


@pytest.mark.parametrize("name", ["failover@0", "agents/failover/1 failover@0"])
def test_an_acknowledged_intent_is_not_overridden(name: str) -> None:
    assert kinds(held(), back(60, acknowledges=(name,))) == []


def test_acknowledging_something_else_does_not_help() -> None:
    assert kinds(held(), back(60, acknowledges=("failover@1",))) == ["intent_conflict override"]


def test_an_agent_that_was_handed_over_to_may_write() -> None:
    assert kinds(held(handoff_to=("router",)), back(60)) == []
    assert kinds(held(handoff_to=("painter",)), back(60)) == ["intent_conflict override"]


def test_steps_of_one_rollout_do_not_override_each_other() -> None:
    first = wrote(0, "canary", 0, 5, "app/x weight", intent=Clause(reason="canary"), rollout="r1")
    assert kinds(first, wrote(60, "deployer", 5, 50, "app/x weight", rollout="r1")) == []
    assert kinds(first, wrote(60, "deployer", 5, 50, "app/x weight", rollout="r2")) == ["intent_conflict override"]
    assert kinds(first, wrote(60, "deployer", 5, 50, "app/x weight")) == ["intent_conflict override"]


def test_the_holder_closes_its_own_intent_by_acting_without_one() -> None:
    closing = wrote(30, "failover", "west", "north", "pool/1 primary")
    assert kinds(held(), closing, wrote(60, "router", "north", "east", "pool/1 primary")) == []


def test_the_holder_may_change_what_it_holds() -> None:
    assert kinds(held(), wrote(30, "failover", "west", "north", "pool/1 primary")) == []


def test_the_holders_own_abort_condition_justifies_a_rollback() -> None:
    clause = {"abort_if": (Condition("pool/1", "error_rate", ">", 0.05),)}
    assert kinds(held(**clause), back(60, reads=(Read("pool/1", "error_rate", 0.2),))) == []
    assert kinds(held(**clause), back(60, reads=(Read("pool/1", "error_rate", 0.01),))) == ["intent_conflict override"]
    assert kinds(held(**clause), back(60, reads=(Read("pool/2", "error_rate", 0.2),))) == ["intent_conflict override"]
    assert kinds(held(**clause), back(60)) == ["intent_conflict override"]


@pytest.mark.parametrize(
    ("op", "met", "not_met"),
    [(">", 6, 5), (">=", 5, 4), ("<", 4, 5), ("<=", 5, 6), ("==", 5, 6), ("!=", 6, 5)],
)
def test_abort_conditions_compare_as_they_are_written(op: str, met: float, not_met: float) -> None:
    clause = {"abort_if": (Condition("pool/1", "n", op, 5),)}
    assert kinds(held(**clause), back(60, reads=(Read("pool/1", "n", met),))) == []
    assert kinds(held(**clause), back(60, reads=(Read("pool/1", "n", not_met),))) == ["intent_conflict override"]


def test_an_abort_condition_can_be_a_word() -> None:
    clause = {"abort_if": (Condition("pool/1", "health", "==", "down"),)}
    assert kinds(held(**clause), back(60, reads=(Read("pool/1", "health", "down"),))) == []
    assert kinds(held(**clause), back(60, reads=(Read("pool/1", "health", "up"),))) == ["intent_conflict override"]


def test_writing_what_the_holder_wants_is_no_override() -> None:
    assert kinds(held(), wrote(60, "router", "west", "west", "pool/1 primary")) == []


def test_an_intent_on_another_knob_binds_nobody_here() -> None:
    assert kinds(held(), wrote(60, "router", 1, 2, "pool/1 weight")) == []


def test_an_attempt_that_failed_overrides_nothing() -> None:
    assert kinds(held(), back(60, outcome="failed")) == []


def test_an_intent_whose_own_action_failed_holds_nothing() -> None:
    failed = wrote(0, "failover", "east", "west", "pool/1 primary", intent=Clause(reason="failover"), outcome="failed")
    assert kinds(failed, back(60)) == []


def test_undoing_because_of_the_announced_effect_is_an_intent_read_as_fault() -> None:
    clause = {"expects": (Expectation("pool/1", "cpu", "down", 0.5),)}
    holder = msgspec.structs.replace(held(**clause), reads=(Read("pool/1", "cpu", 0.8),))
    finding = only(holder, back(60, reads=(Read("pool/1", "cpu", 0.1),)))
    assert (finding.kind, finding.severity, finding.basis, finding.confidence) == ("intent_read_as_fault", "error", "cited", 0.9)
    assert finding.explanation[-1].endswith(" It acted on cpu, which failover had announced.")


def test_undoing_because_of_something_else_is_an_override() -> None:
    clause = {"expects": (Expectation("pool/1", "cpu", "down", 0.5),)}
    for read in (Read("pool/1", "p95", 900), Read("pool/2", "cpu", 0.1)):
        assert kinds(held(**clause), back(60, reads=(read,))) == ["intent_conflict override"]


# freezes: intents without an action


def deploy(seconds: float = 60, resource: str = "svc/cart", parameter: str = "image", **more: object) -> Action:
    return wrote(seconds, "deployer", "v1", "v2", f"{resource} {parameter}", **more)


def test_a_freeze_without_a_parameter_covers_all_of_them() -> None:
    freeze = declared(0, "ann", "svc/cart", reason="freeze")
    assert kinds(freeze, deploy()) == ["intent_conflict override"]
    assert kinds(freeze, deploy(parameter="replicas")) == ["intent_conflict override"]
    finding = only(freeze, deploy())
    assert finding.explanation[1:] == (
        "02:00:00 ann declared that svc/cart should stay as it is (freeze).",
        "02:01:00 deployer set svc/cart image v1 -> v2, while ann holds svc/cart image (freeze).",
    )


def test_a_freeze_of_one_parameter_covers_no_other() -> None:
    freeze = declared(0, "ann", "svc/cart", "image", reason="freeze")
    assert kinds(freeze, deploy()) == ["intent_conflict override"]
    assert kinds(freeze, deploy(parameter="replicas")) == []


def test_a_freeze_covers_its_resource_and_not_what_lies_below_it() -> None:
    freeze = declared(0, "ann", "svc", reason="freeze")
    assert kinds(freeze, deploy(resource="svc/cart")) == []
    assert kinds(declared(0, "ann", "svc/cart", reason="freeze"), deploy(resource="svc/cart/eu")) == []


def test_a_write_that_knows_a_freeze_ends_it_on_that_knob_alone() -> None:
    freeze = declared(0, "ann", "svc/cart", reason="freeze")
    knows = wrote(30, "ann-approved", "v0", "v1", "svc/cart image", acknowledges=("ann@0",))
    assert kinds(freeze, knows, deploy()) == []
    assert kinds(freeze, knows, deploy(parameter="replicas")) == ["intent_conflict override"]
    again = declared(40, "ann", "svc/cart", reason="freeze")
    assert kinds(freeze, knows, again, deploy()) == ["intent_conflict override"]
    failed = wrote(30, "ann-approved", "v0", "v1", "svc/cart image", acknowledges=("ann@0",), outcome="failed")
    assert kinds(freeze, failed, deploy()) == ["intent_conflict override"]


def test_a_closed_freeze_is_over() -> None:
    freeze = declared(0, "ann", "svc/cart", reason="freeze")
    assert kinds(freeze, declared(30, "ann", "svc/cart", closed=True), deploy()) == []
    assert kinds(freeze, declared(30, "bob", "svc/cart", closed=True), deploy()) == ["intent_conflict override"]
    assert kinds(freeze, declared(90, "ann", "svc/cart", closed=True), deploy()) == ["intent_conflict override"]


def test_a_freeze_with_an_end_ends_then_and_one_without_holds_on() -> None:
    assert kinds(declared(0, "ann", "svc/cart", until=moment(60)), deploy(60)) == []
    assert kinds(declared(0, "ann", "svc/cart", until=moment(61)), deploy(60)) == ["intent_conflict override"]
    assert kinds(declared(0, "ann", "svc/cart"), deploy(10 * 3600)) == ["intent_conflict override"]


def test_a_freeze_binds_others_and_not_who_declared_it() -> None:
    assert kinds(declared(0, "deployer", "svc/cart"), deploy()) == []


def test_a_freeze_that_is_acknowledged_is_not_overridden() -> None:
    assert kinds(declared(0, "ann", "svc/cart"), deploy(acknowledges=("people/ann ann@0",))) == []


def test_a_freeze_declared_afterwards_binds_nothing_before() -> None:
    assert kinds(deploy(), declared(61, "ann", "svc/cart")) == []


def test_a_desired_value_may_be_written_and_another_may_not() -> None:
    off = declared(0, "ann", "svc/cart", "autoscale", desired=False, reason="maintenance")
    assert kinds(off, wrote(60, "hpa", True, False, "svc/cart autoscale")) == []
    assert kinds(off, wrote(60, "hpa", False, True, "svc/cart autoscale")) == ["intent_conflict override"]


def test_a_grave_reason_weighs_more() -> None:
    for why, severity in (("freeze", "error"), ("maintenance", "error"), ("incident", "error"), ("experiment", "warning")):
        assert only(declared(0, "ann", "svc/cart", reason=why), deploy()).severity == severity


def test_violations_of_one_pair_on_one_knob_are_one_episode() -> None:
    freeze = declared(0, "ann", "svc/cart", reason="freeze")
    again: list[Event] = [wrote(60 + 60 * i, "deployer", f"v{i}", f"v{i + 1}", "svc/cart image") for i in range(3)]
    assert only(freeze, *again).metrics["violations"] == 3


def test_a_conflict_resolves_after_its_hold_time() -> None:
    history = wrote(0, "cost", 16, 8), wrote(5, "perf", 16, 32), until(1000)
    verbs = [(change.verb, change.finding.resolved_at) for change in changes(*history)]
    assert verbs == [("opened", None), ("resolved", "2026-11-23T02:10:05Z")]
    short = Analysis(conflict=Conflict(hold=MINUTE))
    assert only(*history, settings=short).resolved_at == "2026-11-23T02:01:05Z"


def test_one_write_can_break_several_rules() -> None:
    first = wrote(0, "failover", "east", "west", "pool/1 primary", version=9, intent=Clause(reason="failover"))
    second = wrote(5, "router", "north", "east", "pool/1 primary", version=3)
    assert {finding.kind for finding in findings(first, second)} == {"version_regression", "lost_update", "override"}


def test_conflicts_stay_within_their_domain() -> None:
    assert kinds(wrote(0, "cost", 16, 8, domain="eu"), wrote(5, "perf", 16, 32, domain="us")) == []


def test_agents_that_see_each_others_values_do_not_conflict() -> None:
    assert kinds(*turns(["cost", "perf", "hpa"], [8, 16, 24, 48, 96], 60)) == []


def test_writing_what_a_knob_holds_by_the_writers_own_word_is_no_override() -> None:
    assert kinds(declared(0, "ann", "svc/cart", reason="freeze"), wrote(60, "d", "v1", "v1", "svc/cart image")) == []


def test_putting_back_what_stood_when_the_freeze_was_declared_is_no_override() -> None:
    history = (
        declared(0, "ann", "svc/cart", reason="freeze"),
        wrote(60, "deployer", "v1", "v2", "svc/cart image"),
        wrote(70, "guard", "v2", "v1", "svc/cart image"),
    )
    assert only(*history).agents == ("ann", "deployer")
