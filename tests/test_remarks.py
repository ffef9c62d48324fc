"""Remarks: what is right as it is and worth knowing is counted and told, and is no finding."""

from __future__ import annotations

from collections import Counter

import pytest
from histories import SETTINGS, history
from msgspec import UNSET
from oracle import Oracle
from small_histories import became, declared, moment, wrote

from models.analyzer import Analyzer
from models.configuration import Analysis, Conflict
from models.events import Action, Clause, Condition, Event, Expectation, Read, Signal, Tick, Transition
from models.instants import HOUR
from models.recovery import Stage
from models.remarks import KINDS, SHOWN, Remark, Remarks

GUARDED = Analysis(conflict=Conflict(slo_guards=("slo-*", "keep the service level")))


def remarks(*events: Event, settings: Analysis | None = None) -> Remarks:
    """What is remarked at these events, none of which makes a finding."""
    analyzer = Analyzer(settings)
    for event in events:
        analyzer.feed(event)  # type: ignore[arg-type]
    assert analyzer.finish() == []
    assert {kind: analyzer.counters()[kind] for kind in analyzer.remarks.counts} == dict(analyzer.remarks.counts)
    return analyzer.remarks


def found(*events: Event, settings: Analysis | None = None) -> list[str]:
    analyzer = Analyzer(settings)
    for event in events:
        analyzer.feed(event)  # type: ignore[arg-type]
    changes = analyzer.finish()
    assert not any(analyzer.remarks.counts.values())
    return [change.finding.kind for change in changes if change.verb == "opened"]


def held(**clause: object) -> Action:
    more = {"reads": (Read("pool/1", "rps", 100),)}
    return wrote(0, "failover", "east", "west", "pool/1 primary", intent=Clause(reason="failover", **clause), **more)  # type: ignore[arg-type]


def back(agent: str = "router", **more: object) -> Action:
    return wrote(60, agent, "west", "east", "pool/1 primary", **more)


def broke(seconds: float = 30, state: str = "shop/checkout availability", **more: object) -> Transition:
    fields: dict[str, object] = {"slo": True, "severity": "critical", **more}
    return became(seconds, state, "ok", "burning", **fields)


def test_a_rollback_that_the_holder_allows_is_told_with_its_reason() -> None:
    made = remarks(held(abort_if=(Condition("pool/1", "errors", ">", 0.05),)), back(reads=(Read("pool/1", "errors", 0.2),)))
    assert made.counts["justified_rollback"] == 1
    assert list(made.sentences["justified_rollback"]) == [
        "02:01:00 router set pool/1 primary west -> east: errors was 0.2 (> 0.05), under which failover lets itself be undone."
    ]


def test_a_rollback_after_more_than_was_announced_is_told_with_its_reason() -> None:
    made = remarks(held(expects=(Expectation("pool/1", "rps", "up", 2.0),)), back(reads=(Read("pool/1", "rps", 300),)))
    assert list(made.sentences["justified_rollback"]) == [
        "02:01:00 router set pool/1 primary west -> east: rps was 300, more than 2 times what failover had found."
    ]


@pytest.mark.parametrize("guard", [{"agent": "slo-guard"}, {"mandate": "keep the service level"}])
def test_a_guard_of_the_configuration_may_answer_a_broken_service_level(guard: dict[str, str]) -> None:
    made = remarks(held(), broke(), back(**{"causes": ("monitor@30",), **guard}), settings=GUARDED)
    assert next(iter(made.sentences["justified_rollback"])).endswith(
        ": shop/checkout availability, a service level, went to burning, which failover had not announced."
    )


@pytest.mark.parametrize(
    ("settings", "transition", "writer"),
    [
        (None, broke(), {"agent": "slo-guard"}),  # nobody is a guard unless the configuration says so
        (GUARDED, broke(), {}),  # nor an agent that it does not name
        (GUARDED, broke(slo=False), {"agent": "slo-guard"}),
        (GUARDED, broke(severity="info"), {"agent": "slo-guard"}),  # it got well
        (GUARDED, broke(-30), {"agent": "slo-guard"}),  # it had broken before
    ],
)
def test_what_else_goes_against_an_intent_stays_a_conflict(
    settings: Analysis | None, transition: Transition, writer: dict[str, str]
) -> None:
    assert found(held(), transition, back(causes=(transition.id,), **writer), settings=settings) == ["override"]


def test_a_guard_that_cites_nothing_or_what_was_announced_overrides() -> None:
    assert found(held(), broke(), back("slo-guard"), settings=GUARDED) == ["override"]
    expected = held(expects=(Expectation("pool/1", "rps", "up"),))
    high = broke(state="pool/1 rps")
    undone = back("slo-guard", reads=(Read("pool/1", "rps", "burning"),))
    assert found(expected, high, undone, settings=GUARDED) == ["intent_read_as_fault"]


def test_another_instance_that_writes_what_stands_is_a_co_owner() -> None:
    assert remarks(wrote(0, "argo", 1, 2), wrote(5, "kubectl", 2, 2)).counts["reapplied"] == 1
    assert remarks(wrote(0, "argo", 1, 2), wrote(5, "argo", 2, 2, instance="2")).counts["reapplied"] == 1


def test_the_same_instance_that_repeats_itself_or_the_first_write_is_no_remark() -> None:
    assert not any(remarks(wrote(0, "argo", 1, 2), wrote(5, "argo", 2, 2)).counts.values())
    assert not any(remarks(wrote(0, "argo", 2, 2)).counts.values())


def test_a_value_that_went_away_and_came_back_unseen_is_remarked() -> None:
    away, again = wrote(10, "other", 8, 4), wrote(20, "other", 4, 8)
    made = remarks(away, again, wrote(30, "cost", 8, 6, reads=(Read("db/orders", "replicas", 8, moment(0)),)))
    assert list(made.sentences["aba"]) == [
        "02:00:30 cost lowered db/orders replicas 8 -> 6; since it had read db/orders replicas, that had changed and come back."
    ]
    assert not remarks(away, again, wrote(30, "cost", 8, 6, reads=(Read("db/orders", "replicas", 8, moment(25)),))).counts["aba"]


@pytest.mark.parametrize(
    ("writes", "read", "more"),
    [
        ([wrote(10, "other", 8, 8)], 0, {}),  # it never went away
        ([wrote(10, "other", 8, 4), wrote(20, "other", 4, 8)], 0, {"acknowledges": ("other@20",)}),
        ([wrote(10, "other", 8, 4), wrote(20, "other", 4, 8)], 20, {}),  # read what came back
        ([wrote(10, "other", 8, 4), wrote(20, "cost", 4, 8)], 0, {}),  # put back by itself
    ],
)
def test_what_did_not_come_back_unseen(writes: list[Event], read: float, more: dict[str, object]) -> None:
    acted = wrote(30, "cost", 8, 6, reads=(Read("db/orders", "replicas", 8, moment(read)),), **more)
    assert not remarks(*writes, acted).counts["aba"]


def test_a_value_that_came_back_by_writes_that_tell_no_old() -> None:
    writes = [wrote(10, "other", UNSET, 4), wrote(20, "other", UNSET, 8)]
    acted = wrote(30, "cost", UNSET, 6, reads=(Read("db/orders", "replicas", 8, moment(0)),))
    assert remarks(*writes, acted).counts["aba"] == 1


def test_a_write_that_is_justified_against_two_intents_is_remarked_on_once() -> None:
    aborts = (Condition("pool/1", "errors", ">", 0.05),)
    also = wrote(5, "sre", "west", "west", "pool/1 primary", intent=Clause(abort_if=aborts))
    made = remarks(held(abort_if=aborts), also, back(reads=(Read("pool/1", "errors", 0.2),)))
    assert dict(made.counts) == {"justified_rollback": 1, "reapplied": 1, "aba": 0}


def test_what_is_remarked_on_is_a_function_of_the_events() -> None:
    total: Counter[str] = Counter()
    for seed in range(40):
        events, oracle, analyzer = history(seed), Oracle(SETTINGS), Analyzer(SETTINGS)
        oracle.run(events, events[-1].time + HOUR)
        for event in reversed(events):
            analyzer.feed(event)  # type: ignore[arg-type]
        analyzer.finish()
        assert +analyzer.remarks.counts == oracle.remarks, seed
        total.update(oracle.remarks)
    assert set(total) == set(KINDS), total  # each of them was met


def test_a_refill_counts_nothing_twice() -> None:
    signals: list[Signal] = [
        wrote(0, "cost", 16, 8),
        wrote(60, "perf", 8, 8),
        Tick(partition="p", watermark=moment(61), mode="live"),
    ]
    stage = Stage(SETTINGS, ("p",))
    for offset, signal in enumerate(signals):
        stage.feed(offset, signal)
    assert stage.counters["reapplied"] == 1
    facts = [(name, fact) for name, fact in stage.take_facts() if fact is not None]
    again = Stage(SETTINGS, ("p",), (), facts, stage.progress())
    assert (again.start, again.refilling) == (0, True)
    later: list[Signal] = [wrote(100, "ann", 8, 8), Tick(partition="p", watermark=moment(190), mode="live")]
    for offset, signal in enumerate([*signals, *later]):
        again.feed(offset, signal)
    assert again.counters["reapplied"] == 1  # the one that is new


def test_the_newest_sentences_are_kept_and_all_are_counted() -> None:
    made = Remarks()
    for number in range(10):
        made.add(Remark("aba", f"number {number}"))
    assert made.counts["aba"] == 10
    assert list(made.sentences["aba"]) == [f"number {number}" for number in range(10 - SHOWN, 10)]


def test_what_is_undone_with_leave_or_by_rank_is_no_rollback_to_remark() -> None:
    freeze = declared(0, "ann", "pool/1", "primary", reason="freeze")
    assert not any(remarks(freeze, back(acknowledges=("ann@0",))).counts.values())
    assert not any(remarks(freeze, back(intent=Clause(reason="incident"))).counts.values())
