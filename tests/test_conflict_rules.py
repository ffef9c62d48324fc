"""Conflicts beyond a knob's last write: stale decisions, destruction, invariants, objectives, guards. Each with its near misses."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET, UnsetType
from small_histories import became, declared, findings, kinds, moment, only, wrote

from models.configuration import Analysis, Conflict, Invariant
from models.events import Action, Clause, Event, Expectation, Read, Value, Verdict, Why

STALE = ["intent_conflict stale_overwrite"]
DESTROYED = ["intent_conflict destroy_in_use"]
SKEWED = ["intent_conflict write_skew"]
OPPOSED = ["intent_conflict opposing_objectives"]
BYPASSED = ["intent_conflict guard_bypass"]
OVERRIDDEN = ["intent_conflict override"]

# stale_overwrite


def raised(seconds: float = 60, **more: object) -> Action:
    return wrote(seconds, "perf", 8, 16, **more)


def lowered(seconds: float = 90, read: float = 30, value: Value = 0.3, rule: str = "cpu < 0.5", **more: object) -> Action:
    """The cost agent, on what it read of the resource's cpu, and why."""
    fields: dict[str, object] = {"reads": (Read("db/orders", "cpu", value, moment(read)),), "why": Why(rule=rule), **more}
    return wrote(seconds, "cost", 16, 4, **fields)  # type: ignore[arg-type]


def busy(seconds: float = 70, after: Value = 0.9) -> Event:
    return became(seconds, "db/orders cpu", 0.3, after)


def test_a_stale_decision_that_the_writers_own_rule_would_not_take_on_fresh_data_is_found() -> None:
    finding = only(raised(), busy(), lowered())
    assert (finding.kind, finding.severity, finding.basis, finding.confidence) == ("stale_overwrite", "error", "cited", 0.85)
    assert finding.title == "cost overwrote perf's db/orders replicas on a stale observation"
    assert finding.explanation[-1] == (
        "02:01:30 cost lowered db/orders replicas 16 -> 4 on cpu as read at 02:00:30, older than the value 16 that "
        "agents/perf/1 had set 30 s before. Its rule cpu < 0.5 held on the 0.3 that it had read, and not on the 0.9 that was there."
    )
    assert finding.metrics["observation_age_s"] == 60


def test_staleness_alone_is_never_found() -> None:
    assert kinds(raised(), lowered()) == []  # nothing newer is known of cpu
    assert kinds(raised(), busy(after=0.4), lowered()) == []  # the rule holds on fresh data too
    assert kinds(raised(), busy(), lowered(rule="it looked idle")) == []  # no rule that could be tried
    assert kinds(raised(), busy(), lowered(rule="p95 < 300")) == []  # a rule about something else


def test_what_was_read_after_the_write_is_not_stale() -> None:
    assert kinds(raised(), busy(80), lowered(read=61)) == []
    assert kinds(raised(), busy(), lowered(acknowledges=("perf@60",))) == []
    assert kinds(raised(), busy(), lowered(causes=("perf@60",))) == []


def test_another_resources_metric_is_stale_only_if_the_write_announced_to_move_it() -> None:
    read = (Read("svc/cart", "p95", 100, moment(30)),)
    later = became(70, "svc/cart p95", 100, 900)
    write = lowered(reads=read, rule="p95 < 300")
    assert kinds(raised(), later, write) == []
    announced = raised(intent=Clause(until=moment(65), expects=(Expectation("svc/cart", "p95", "down"),)))
    assert kinds(announced, later, write) == STALE


def test_a_stale_view_of_the_knob_itself_counts_by_time_or_version() -> None:
    for read in (Read("db/orders", "replicas", 8, moment(30)), Read("db/orders", "replicas", 8, version=7)):
        first = raised(version=9)
        write = wrote(90, "cost", UNSET, 4, reads=(read,), why=Why(rule="replicas <= 8"))
        assert kinds(first, write) == STALE
    fresh = Read("db/orders", "replicas", 16, version=9)
    assert kinds(raised(version=9), wrote(90, "cost", UNSET, 4, reads=(fresh,), why=Why(rule="replicas <= 8"))) == []


def test_a_value_that_came_back_to_what_was_read_changes_nothing() -> None:
    read = (Read("db/orders", "replicas", 8, moment(10)),)
    history = (
        wrote(20, "perf", 8, 16),
        wrote(40, "perf", 16, 8),
        wrote(90, "cost", UNSET, 4, reads=read, why=Why(rule="replicas < 9")),
    )
    assert kinds(*history) == []


def test_what_is_a_lost_update_is_not_told_twice() -> None:
    write = wrote(90, "cost", 8, 4, reads=(Read("db/orders", "cpu", 0.3, moment(30)),), why=Why(rule="cpu < 0.5"))
    assert kinds(raised(), busy(), write) == ["intent_conflict lost_update"]


def usual(count: int, wait: float = 5) -> list[Event]:
    """The cost agent elsewhere, always so many seconds after what it read."""
    return [
        wrote(i, "cost", i, i + 1, f"app/{i} weight", reads=(Read(f"app/{i}", "cpu", 0.1, moment(i - wait)),)) for i in range(count)
    ]


def test_an_observation_far_older_than_this_agents_usually_are_is_found() -> None:
    stale = lowered(read=78, rule="")
    finding = only(*usual(20), raised(80), stale)
    assert (finding.kind, finding.severity, finding.basis, finding.confidence) == ("stale_overwrite", "warning", "statistical", 0.6)
    assert "A rule `metric op value` in `why` would settle whether it mattered." in finding.explanation[-1]
    assert kinds(*usual(19), raised(80), stale) == []  # too few to know what is usual
    assert kinds(*usual(20, wait=6), raised(80), stale) == []  # twice the longest is the bound


def test_a_stale_write_that_leads_to_harm_is_found_when_it_does() -> None:
    down = became(100, "db/orders health", "up", "down", severity="critical", causes=("cost@90",))
    finding = only(raised(), lowered(rule=""), down)
    assert (finding.kind, finding.confidence) == ("stale_overwrite", round(0.9 * 0.98, 6))
    assert [piece.role for piece in finding.evidence] == ["victim", "root", "effect"]
    assert finding.detected_at == "2026-11-23T02:01:40Z"
    assert finding.metrics["violations"] == 1
    for harmless in (
        became(100, "db/orders health", "up", "down", severity="critical"),
        became(100, "db/orders health", "up", "down", severity="warning", causes=("cost@90",)),
    ):
        assert kinds(raised(), lowered(rule=""), harmless) == []
    assert kinds(raised(), lowered(read=61, rule=""), down) == []


# destroy_in_use


def plan(seconds: float, enactor: str, number: str, **more: object) -> Action:
    return wrote(seconds, "enactor", UNSET, f"dns/plan/{number}", "dns/endpoint plan", instance=enactor, id=f"p{seconds:g}", **more)


def cleanup(seconds: float, *deleted: str, instance: str = "2", **more: object) -> Action:
    return wrote(
        seconds, "enactor", UNSET, UNSET, "dns/plans cleanup", instance=instance, id=f"c{seconds:g}", deletes=deleted, **more
    )


def test_deleting_what_another_instance_just_installed_is_found() -> None:
    finding = only(plan(0, "2", "148"), plan(10, "1", "100"), cleanup(14, "dns/plan/90", "dns/plan/100"))
    assert (finding.kind, finding.severity, finding.confidence) == ("destroy_in_use", "critical", 0.8)
    assert finding.title == "enactor deleted dns/plan/100, which dns/endpoint plan names"
    assert finding.explanation[-1] == (
        "02:00:14 enactor did set on dns/plans and deleted dns/plan/100, which dns/endpoint plan names: agents/enactor/1 had put it "
        "there 4 s before. A `time` on a read of dns/endpoint plan would settle whether it had seen that."
    )


def test_what_is_no_longer_named_may_be_deleted() -> None:
    assert kinds(plan(0, "1", "100"), plan(10, "1", "148"), cleanup(14, "dns/plan/100")) == []
    assert kinds(plan(0, "1", "100"), cleanup(14, "dns/plan/99")) == []
    assert kinds(plan(0, "1", "100", outcome="failed"), cleanup(14, "dns/plan/100")) == []


def test_ones_own_reference_an_acknowledged_one_and_a_replaced_one_may_go() -> None:
    assert kinds(plan(0, "2", "100"), cleanup(14, "dns/plan/100")) == []
    assert kinds(plan(0, "1", "100"), cleanup(14, "dns/plan/100", acknowledges=("p0",))) == []
    assert kinds(plan(0, "1", "100"), plan(14, "2", "148", deletes=("dns/plan/100",))) == []


@pytest.mark.parametrize(
    ("read", "found"),
    [
        (Read("dns/endpoint", "plan", time=moment(9)), 0.95),
        (Read("dns/endpoint", "plan", time=moment(10)), None),
        (Read("dns/endpoint", "plan", "dns/plan/148"), 0.95),
        (Read("dns/endpoint", "plan", "dns/plan/100"), None),
        (Read("dns/endpoint", "ttl", time=moment(10)), 0.8),
    ],
)
def test_whether_the_deleting_writer_had_seen_the_reference_decides(read: Read, found: float | None) -> None:
    seen = findings(plan(10, "1", "100"), cleanup(14, "dns/plan/100", reads=(read,)))
    assert [finding.confidence for finding in seen] == ([] if found is None else [found])


def test_members_of_sets_plain_numbers_and_whole_resources_are_names_too() -> None:
    pool = wrote(0, "router", UNSET, ("node/1", "node/2"), "pool/1 members")
    assert kinds(pool, cleanup(5, "node/2")) == DESTROYED
    assert kinds(pool, cleanup(5, "node/3")) == []
    assert kinds(pool, wrote(5, "reaper", UNSET, UNSET, "node/1 delete", verb="delete")) == DESTROYED
    assert kinds(pool, wrote(5, "reaper", UNSET, UNSET, "node/1 drain", verb="drain")) == []
    number = wrote(0, "enactor", UNSET, 100, "dns/endpoint plan", version=100)
    assert kinds(number, cleanup(5, "dns/plan/100")) == DESTROYED
    assert kinds(number, cleanup(5, "dns/replicas/100")) == []


def test_an_object_that_an_open_intent_is_about_to_install_is_in_use() -> None:
    coming = declared(0, "enactor-1", "dns/endpoint", "plan", desired="dns/plan/100", until=moment(60))
    assert kinds(coming, cleanup(14, "dns/plan/100")) == DESTROYED
    assert kinds(coming, cleanup(61, "dns/plan/100")) == []
    closed = declared(5, "enactor-1", "dns/endpoint", "plan", closed=True)
    assert kinds(coming, closed, cleanup(14, "dns/plan/100")) == []


def pooled(seconds: float = 0, **more: object) -> Action:
    return wrote(seconds, "router", UNSET, "node/2", "pool/1 primary", **more)


def switched(parameter: str, old: Value | UnsetType, new: Value | UnsetType, **more: object) -> Action:
    return wrote(5, "ops", old, new, f"node/2 {parameter}", **more)


def test_switching_off_what_another_writer_names_is_found_and_less_grave_than_deleting_it() -> None:
    finding = only(pooled(), switched("enabled", True, False))
    assert (finding.kind, finding.severity, finding.score, finding.confidence) == ("destroy_in_use", "error", 0.8, 0.8)
    assert finding.title == "ops switched off node/2, which pool/1 primary names"
    assert finding.explanation[-1].startswith(
        "02:00:05 ops set node/2 enabled true -> false and switched off node/2, which pool/1 primary names: "
    )


@pytest.mark.parametrize(
    ("action", "found"),
    [
        (switched("enabled", 1, 0), True),
        (switched("active", "on", "Off"), True),
        (switched("suspended", False, True), True),
        (switched("state", "enabled", "disabled"), True),
        (switched("enabled", UNSET, UNSET, verb="disable"), True),
        (switched("revoke", UNSET, UNSET, verb="revoke"), True),
        (switched("enabled", False, True), False),  # switched on
        (switched("enabled", False, False), False),  # it was off
        (switched("enabled", True, "maybe"), False),
        (switched("enabled", True, (False,)), False),
        (switched("state", "enabled", "busy"), False),
        (switched("tls", True, False, verb="disable"), False),  # a feature of the object, not the object
        (switched("tls", UNSET, UNSET, verb="disable"), False),
        (switched("enabled", True, False, outcome="rejected"), False),
        (switched("enabled", True, False, acknowledges=("router@0",)), False),
        (switched("enabled", True, False, reads=(Read("pool/1", "primary", "node/2"),)), False),  # it knew
        (switched("enabled", True, False, intent=Clause(reason="incident")), False),  # it can be switched on again
        (switched("enabled", True, False, source="agents/router/1"), False),  # its own
    ],
)
def test_what_switches_an_object_off(action: Action, found: bool) -> None:
    assert kinds(pooled(), action) == (DESTROYED if found else [])


def test_what_is_off_already_or_named_no_longer_may_be_switched_off() -> None:
    assert kinds(switched("enabled", True, False), pooled(6), wrote(9, "ops", UNSET, False, "node/2 enabled")) == []
    moved = wrote(3, "router", "node/2", "node/3", "pool/1 primary")
    assert kinds(pooled(), moved, switched("enabled", True, False)) == []


# write_skew

ONE = Invariant(name="one replica serves", knobs=(("db/a", "serving"), ("db/b", "serving")), bound=1)
INVARIANT = Analysis(conflict=Conflict(invariant=(ONE,)))


def drained(seconds: float, agent: str, which: str, **more: object) -> Action:
    return wrote(seconds, agent, True, False, f"db/{which} serving", **more)


def saw(which: str, value: Value, at: float) -> dict[str, object]:
    return {"reads": (Read(f"db/{which}", "serving", value, moment(at)),)}


def test_two_writes_that_break_an_invariant_together_are_found() -> None:
    finding = only(
        drained(0, "patcher", "a", **saw("b", True, -1)), drained(5, "cost", "b", **saw("a", True, -1)), settings=INVARIANT
    )
    assert (finding.kind, finding.basis, finding.confidence) == ("write_skew", "certificate", 0.95)
    assert finding.title == 'cost and patcher together broke "one replica serves"'
    assert finding.resources == ("db/a", "db/b")


def test_without_a_declared_invariant_there_is_no_skew() -> None:
    assert kinds(drained(0, "patcher", "a"), drained(5, "cost", "b", **saw("a", True, -1))) == []


def test_a_writer_that_saw_the_other_breaks_it_alone() -> None:
    first = drained(0, "patcher", "a")
    assert kinds(first, drained(5, "cost", "b", **saw("a", False, 1)), settings=INVARIANT) == []
    assert kinds(first, drained(5, "cost", "b", acknowledges=("patcher@0",)), settings=INVARIANT) == []
    assert kinds(first, drained(5, "patcher", "b"), settings=INVARIANT) == []


def test_an_invariant_that_holds_or_was_broken_before_is_not_told() -> None:
    assert kinds(drained(0, "patcher", "a"), wrote(5, "cost", False, True, "db/b serving"), settings=INVARIANT) == []
    assert kinds(wrote(0, "patcher", False, False, "db/a serving"), drained(5, "cost", "b"), settings=INVARIANT) == []


def test_without_reads_a_near_write_counts_less_and_a_far_one_not_at_all() -> None:
    finding = only(drained(0, "patcher", "a"), drained(5, "cost", "b"), settings=INVARIANT)
    assert (finding.basis, finding.confidence) == ("inferred", 0.6)
    assert finding.explanation[-1].endswith("A read of db/a serving would settle whether it had seen that.")
    assert kinds(drained(0, "patcher", "a"), drained(601, "cost", "b"), settings=INVARIANT) == []


@pytest.mark.parametrize(
    ("function", "op", "bound", "found"), [("sum", ">=", 10, True), ("min", ">", 4, False), ("max", "<", 9, False)]
)
def test_invariants_are_sums_minima_and_maxima(function: str, op: str, bound: float, found: bool) -> None:
    knobs = (("db/a", "n"), ("db/b", "n"))
    rule = msgspec.convert({"name": "n", "knobs": knobs, "function": function, "op": op, "bound": bound}, Invariant)
    settings = Analysis(conflict=Conflict(invariant=(rule,)))
    history = wrote(0, "x", 8, 5, "db/a n"), wrote(5, "y", 8, 4 if function == "sum" else 5, "db/b n")
    assert kinds(*history, settings=settings) == (SKEWED if found else [])


SPARE = Invariant(name="spare disks", knobs=(("db/a", "n"), ("db/b", "n")), bound=8, margin=3)


def shrunk(seconds: float, agent: str, which: str, to: int, **more: object) -> Action:
    return wrote(seconds, agent, 8, to, f"db/{which} n", **more)


def test_two_writes_that_use_up_the_margin_together_are_a_warning_and_an_error_once_they_break_it() -> None:
    settings = Analysis(conflict=Conflict(invariant=(SPARE,)))
    seen = {"reads": (Read("db/a", "n", 8, moment(-1)),)}
    first = shrunk(0, "x", "a", 5)
    finding = only(first, shrunk(5, "y", "b", 5, **seen), settings=settings)
    assert (finding.kind, finding.severity, finding.basis, finding.score) == ("write_skew", "warning", "certificate", 0.4)
    assert finding.title == 'y and x together used up the margin of "spare disks"'
    assert '"spare disks" (sum >= 8) still holds, and each alone kept its margin of 3' in finding.explanation[-1]
    assert only(first, shrunk(5, "y", "b", 2, **seen), settings=settings).severity == "error"


@pytest.mark.parametrize(
    ("first", "then", "margin"),
    [
        (5, 6, 3),  # the margin is kept to the unit
        (2, 8, 3),  # the first used it up alone
        (8, 2, 3),  # the second did
        (5, 5, 0),  # none is declared
    ],
)
def test_a_margin_that_is_kept_or_that_one_writer_used_up_is_not_told(first: int, then: int, margin: float) -> None:
    settings = Analysis(conflict=Conflict(invariant=(msgspec.structs.replace(SPARE, margin=margin),)))
    assert kinds(shrunk(0, "x", "a", first), shrunk(5, "y", "b", then), settings=settings) == []


def test_the_margin_of_an_upper_bound_lies_below_it() -> None:
    most = Invariant(name="most", knobs=(("db/a", "n"), ("db/b", "n")), op="<=", bound=25, margin=3)
    settings = Analysis(conflict=Conflict(invariant=(most,)))
    assert kinds(shrunk(0, "x", "a", 12), shrunk(5, "y", "b", 11), settings=settings) == SKEWED
    assert kinds(shrunk(0, "x", "a", 11), shrunk(5, "y", "b", 11), settings=settings) == []


# opposing_objectives


def test_intents_that_ask_for_different_values_are_opposed_before_anybody_writes() -> None:
    mine = declared(0, "perf", "db/orders", "replicas", desired=16, until=moment(600))
    finding = only(mine, declared(60, "cost", "db/orders", "replicas", desired=8))
    assert (finding.kind, finding.severity, finding.basis) == ("opposing_objectives", "warning", "certificate")
    assert finding.title == "cost and perf want different values of db/orders replicas"


def test_intents_that_agree_or_do_not_meet_are_not_opposed() -> None:
    mine = declared(0, "perf", "db/orders", "replicas", desired=16, until=moment(600))
    for other in (
        declared(60, "cost", "db/orders", "replicas", desired=16),
        declared(60, "cost", "db/orders", "size", desired=8),
        declared(600, "cost", "db/orders", "replicas", desired=8),
        declared(60, "cost", "db/orders", "replicas"),
        declared(60, "perf", "db/orders", "replicas", desired=8),
        declared(60, "cost", "db/orders", "replicas", desired=8, closed=True),
        declared(60, "ann", "db/orders", "replicas", desired=8, reason="incident"),
    ):
        assert kinds(mine, other) == []


def pushes(count: int, *, mandates: bool = True, expects: bool = False, knobs: str = "xy", swing: float = 4) -> list[Event]:
    """Two agents by turns on different knobs, each after it has read the same metric."""
    history: list[Event] = []
    for i in range(count):
        who = i % 2
        clause = Clause(until=moment(i), expects=(Expectation("svc/cart", "p95", ("down", "up")[who]),)) if expects else None
        history.append(
            wrote(
                60 * i,
                ("perf", "cost")[who],
                i,
                i + 1,
                f"svc/{knobs[who]} level",
                mandate=("fast", "cheap")[who] if mandates else "",
                reads=(Read("svc/cart", "p95", 100 * (swing if who == 0 else 1)),),
                intent=clause,
            )
        )
    return history


def test_two_agents_that_push_one_metric_back_by_turns_are_opposed() -> None:
    finding = only(*pushes(6))
    assert (finding.kind, finding.basis, finding.confidence) == ("opposing_objectives", "inferred", 0.6)
    assert finding.title == "cost and perf push svc/cart p95 in opposite directions"
    assert (finding.metrics["moves"], finding.metrics["opposition"]) == (6, 1.0)
    assert only(*pushes(8)).metrics["moves"] == 8


def test_announced_directions_make_it_surer_and_sooner() -> None:
    finding = only(*pushes(5, expects=True, mandates=False))
    assert (finding.basis, finding.confidence, finding.metrics["moves"]) == ("cited", 0.8, 5)


def test_agents_are_not_opposed_without_enough_turns_objectives_or_swings() -> None:
    assert kinds(*pushes(5)) == []
    assert kinds(*pushes(4, expects=True)) == []
    assert kinds(*pushes(8, mandates=False)) == []
    assert kinds(*pushes(8, swing=1.05)) == []
    assert kinds(*pushes(8, knobs="xx")) == []  # one knob: that is thrashing's


# guard_bypass


def said(
    seconds: float, word: str, rollout: str = "r1", payload: str = "", resource: str = "edge/ams", agent: str = "canary"
) -> Verdict:
    return Verdict(
        time=moment(seconds), source=f"guards/{agent}", id=f"v{seconds:g}", agent=agent, resource=resource, rollout=rollout,
        verdict=word, payload=payload,
    )  # fmt: skip


def step(seconds: float, old: Value, new: Value, where: str = "edge/ams", **more: object) -> Action:
    return wrote(seconds, "pusher", old, new, f"{where} share", **{"rollout": "r1", **more})  # type: ignore[arg-type]


def test_a_rollout_that_goes_on_after_a_negative_verdict_is_found() -> None:
    for word in ("fail", "block"):
        finding = only(step(0, 0, 5), said(60, word), step(90, 5, 20), step(120, 0, 20, "edge/lon"))
        assert (finding.kind, finding.severity, finding.basis, finding.confidence) == ("guard_bypass", "error", "certificate", 0.95)
        assert finding.title == f"pusher went on with r1 on edge/lon although canary had said {word}"
        assert finding.metrics["violations"] == 2
        assert finding.resources == ("edge/ams", "edge/lon")


def test_a_passed_step_an_earlier_one_and_another_rollout_go_on() -> None:
    assert kinds(step(0, 0, 5), said(60, "pass"), step(90, 5, 20), step(120, 20, 40)) == []
    assert kinds(step(0, 0, 5), step(30, 5, 20), said(60, "fail")) == []
    assert kinds(said(60, "fail"), step(90, 5, 20, rollout="r2")) == []
    assert kinds(said(60, "fail"), step(90, 5, 20, outcome="rejected")) == []


def test_a_later_pass_of_the_same_guard_clears_a_verdict_and_another_guards_does_not() -> None:
    assert kinds(said(60, "fail"), said(70, "pass"), step(90, 0, 20)) == []
    assert kinds(said(60, "fail"), said(70, "pass", agent="lint"), step(90, 0, 20)) == BYPASSED


def test_going_back_is_what_a_guard_asks_for() -> None:
    before = (step(0, 0, 5), step(30, 5, 20), said(60, "fail"))
    assert kinds(*before, step(90, 20, 5), step(100, 5, 0)) == []
    assert kinds(*before, step(90, 20, 0), step(100, 0, 20)) == BYPASSED
    assert kinds(*before, step(90, 20, 40, verb="pause")) == []
    named = (wrote(0, "pusher", "v1", "v2", "edge/ams image", rollout="r1"), said(60, "fail"))
    assert kinds(*named, wrote(90, "pusher", "v2", "v1", "edge/ams image", rollout="r1")) == []
    assert kinds(*named, wrote(90, "pusher", "v2", "v3", "edge/ams image", rollout="r1")) == BYPASSED


def test_a_person_who_acknowledges_the_verdict_may_go_on() -> None:
    assert kinds(said(60, "fail"), step(90, 0, 20, acknowledges=("v60",))) == []
    assert kinds(said(60, "fail"), step(90, 0, 20, why=Why(rule="incident"))) == []


def test_a_blocked_payload_that_is_applied_by_another_path_is_found() -> None:
    blocked = said(0, "block", payload="profile-4711")
    finding = only(blocked, wrote(60, "cleanup", "empty", "profile-4711", "edge/ams config"))
    assert (finding.kind, finding.title) == (
        "guard_bypass",
        "cleanup applied profile-4711 on edge/ams although canary had said block",
    )
    far = only(blocked, wrote(60, "cleanup", "empty", "profile-4711", "edge/lon config"))
    assert (far.confidence, far.basis) == (0.8, "inferred")
    assert kinds(blocked, wrote(60, "cleanup", "empty", "profile-4712", "edge/ams config")) == []
    assert kinds(said(0, "pass", payload="profile-4711"), wrote(60, "cleanup", "empty", "profile-4711", "edge/ams config")) == []


def test_a_common_word_as_a_payload_counts_on_the_guards_resource_only() -> None:
    blocked = said(0, "block", payload="v2")
    assert kinds(blocked, wrote(60, "ci", "v1", "v2", "edge/ams image")) == BYPASSED
    assert kinds(blocked, wrote(60, "ci", "v1", "v2", "edge/ams/cell image")) == BYPASSED
    assert kinds(blocked, wrote(60, "ci", "v1", "v2", "edge/lon image")) == []


def test_a_payload_that_passed_in_another_rollout_is_free() -> None:
    history = (said(0, "block", payload="v2"), said(30, "pass", rollout="r2", payload="v2"))
    assert kinds(*history, wrote(60, "ci", "v1", "v2", "edge/ams image", rollout="r2")) == []
    assert kinds(*history, wrote(60, "ci", "v1", "v2", "edge/ams image", rollout="r3")) == BYPASSED


def test_a_verdict_outlives_the_memory() -> None:
    assert kinds(said(0, "fail"), step(20 * 3600, 0, 20)) == BYPASSED


# what overrules, what justifies, and what a reason alone declares


def test_a_reason_given_as_a_rule_declares_an_intent() -> None:
    off = wrote(0, "ann", True, False, "scaler/app enabled", why=Why(rule="maintenance"))
    back = wrote(60, "puppet", False, True, "scaler/app enabled")
    assert kinds(off, back) == OVERRIDDEN
    assert kinds(msgspec.structs.replace(off, why=Why(rule="it was slow")), back) == []
    assert kinds(off, wrote(601, "puppet", False, True, "scaler/app enabled")) == []


def test_a_person_who_stops_a_fight_in_an_incident_overrides_nobody() -> None:
    held = wrote(0, "perf", 8, 16, intent=Clause(reason="warm-up"), version=5)
    stop = wrote(60, "ann", 8, 12, why=Why(rule="incident"), version=4)
    assert kinds(held, stop) == []
    assert kinds(held, msgspec.structs.replace(stop, why=None)) != []
    assert kinds(held, stop, wrote(90, "perf", 12, 16)) == OVERRIDDEN


def test_who_goes_back_to_an_older_version_knowingly_regresses_nothing() -> None:
    new = wrote(0, "ci", "a", "b", "svc/cart image", version=148)
    old = wrote(60, "ann", "b", "a", "svc/cart image", version=147)
    assert kinds(new, old) == ["intent_conflict version_regression"]
    for field in (
        {"acknowledges": ("ci@0",)},
        {"reads": (Read("svc/cart", "image", "b", version=148),)},
        {"why": Why(rule="rollback")},
        {"causes": ("ci@0",)},
    ):
        assert kinds(new, msgspec.structs.replace(old, **field)) == []


@pytest.mark.parametrize(("now", "found"), [(0.3, "intent_read_as_fault"), (0.4, "intent_read_as_fault"), (0.41, None)])
def test_an_effect_beyond_what_was_announced_justifies_a_rollback(now: float, found: str | None) -> None:
    clause = Clause(expects=(Expectation("pool/1", "errors", "up", 4),))
    held = wrote(0, "failover", "east", "west", "pool/1 primary", intent=clause, reads=(Read("pool/1", "errors", 0.1),))
    back = wrote(60, "router", "west", "east", "pool/1 primary", reads=(Read("pool/1", "errors", now),))
    assert kinds(held, back) == ([] if found is None else [f"intent_conflict {found}"])


def test_what_a_metric_was_before_is_known_from_transitions_too() -> None:
    clause = Clause(expects=(Expectation("pool/1", "errors", "up", 4),))
    held = wrote(0, "failover", "east", "west", "pool/1 primary", intent=clause)
    back = wrote(60, "router", "west", "east", "pool/1 primary", reads=(Read("pool/1", "errors", 0.5),))
    assert only(held, back).confidence == 0.8
    assert kinds(became(-5, "pool/1 errors", 0.2, 0.1), held, back) == []
    assert kinds(held, became(5, "pool/1 errors", 0.1, 0.5), back) == []


def test_acting_on_a_transition_that_the_holder_caused_is_a_misreading() -> None:
    held = wrote(0, "failover", "east", "west", "pool/1 primary", intent=Clause(reason="failover"))
    effect = became(20, "svc/cart latency", "ok", "high", causes=("failover@0",))
    back = wrote(60, "router", "west", "east", "pool/1 primary", reads=(Read("svc/cart", "latency", "high"),))
    finding = only(held, effect, back)
    assert (finding.kind, finding.basis) == ("intent_read_as_fault", "cited")
    assert "It acted on latency of svc/cart, which failover's own action had changed." in finding.explanation[-1]
    assert kinds(held, msgspec.structs.replace(effect, causes=()), back) == OVERRIDDEN


def test_an_override_says_which_field_would_settle_it() -> None:
    clause = Clause(expects=(Expectation("pool/1", "cpu", "down"),))
    held = wrote(0, "failover", "east", "west", "pool/1 primary", intent=clause)
    told = only(held, wrote(60, "router", "west", "east", "pool/1 primary")).explanation[-1]
    assert told.endswith("Its `reads` would settle whether it took the announced effect for a fault.")
    restart = only(held, wrote(60, "router", UNSET, UNSET, "pool/1 primary", reads=(Read("pool/1", "memory", 1),)))
    assert restart.confidence == 0.7 and "A `new` value would settle" in restart.explanation[-1]


# incidents that must not be found


def test_canary_steps_and_planned_failover_and_failback_are_quiet() -> None:
    steps = [step(60 * i, old, new) for i, (old, new) in enumerate([(0, 5), (5, 20), (20, 40)])]
    assert kinds(steps[0], said(30, "pass"), steps[1], said(90, "pass"), steps[2]) == []
    over = wrote(0, "ops", "east", "west", "db primary", intent=Clause(until=moment(3600), reason="maintenance"))
    assert kinds(over, wrote(3000, "ops", "west", "east", "db primary")) == []
    assert kinds(over, wrote(4000, "scheduler", "west", "east", "db primary")) == []


def test_automation_that_people_disable_and_enable_hours_later_is_quiet() -> None:
    off = wrote(0, "ann", True, False, "nlb/az failover", why=Why(rule="incident"))
    assert kinds(off, wrote(4.5 * 3600, "bob", False, True, "nlb/az failover")) == []
    assert kinds(off, wrote(300, "bob", False, True, "nlb/az failover", acknowledges=("ann@0",))) == []


def test_a_good_file_over_a_bad_newer_one_in_an_incident_is_quiet() -> None:
    bad = wrote(0, "generator", "f1", "f2", "bot features", version=2)
    assert kinds(bad, wrote(600, "ann", "f2", "f1", "bot features", version=1, why=Why(rule="incident"))) == []


def test_one_autoscaler_up_and_down_is_quiet() -> None:
    assert kinds(wrote(0, "hpa", 4, 8, intent=Clause(reason="load")), wrote(400, "hpa", 8, 4)) == []
