"""Opposing objectives across knobs: what an undo is, how evidence adds up and fades, when a pair is reported and when not."""

from __future__ import annotations

import random

import pytest
from msgspec import UNSET, structs

from models.analyzer import Analyzer
from models.configuration import Analysis
from models.events import Action, Clause, key
from models.findings import Finding
from models.instants import HOUR, MINUTE, SECOND
from models.ring import Install
from models.undos import Pressure, Undo, Undos
from models.variables import Variables

QUICK, WINDOW = 10 * MINUTE, HOUR
BEGIN = 1_800_000_000 * SECOND


def write(at: float, agent: str, knob: str, old: object, new: object, **more: object) -> Action:
    """One write, `at` minutes after the beginning."""
    return Action(
        time=BEGIN + int(at * MINUTE), source=agent, id=f"{knob}{at}", resource=knob, agent=agent, verb="set", parameter="p",
        old=old, new=new, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def undo_of(first: Action, second: Action) -> Undo | None:
    variables, undos = Variables(64), Undos(WINDOW, QUICK)
    variables.install(Install(first))
    return undos.seen_in(second, variables)


def findings(writes: list[Action], settings: Analysis | None = None) -> list[Finding]:
    analyzer = Analyzer(settings)
    for one in writes:
        analyzer.feed(one)
    return [change.finding for change in analyzer.finish() if change.finding.kind == "opposing_objectives"]


def war(knobs: int, apart: float = 0.5, rounds: int = 3, begin: float = 0.0, **more: object) -> list[Action]:
    """a writes, b puts back, a writes again, ... on one knob after the other."""
    made, at = [], begin
    for knob in range(knobs):
        for i in range(rounds):
            old, new = (1, 2) if i % 2 == 0 else (2, 1)
            made.append(write(at, "ab"[i % 2], f"k{knob}", old, new, **more))
            at += apart
    return made


# what an undo is


def test_an_undo_puts_back_the_old_of_the_others_write() -> None:
    first = write(0, "a", "k", 1, 2)
    undo = undo_of(first, write(0, "b", "k", 2, 1))
    assert undo is not None and (undo.undone, undo.evidence) == (first, 1000)


@pytest.mark.parametrize(("minutes", "evidence"), [(0, 1000), (10, 0), (20, -500), (30, -750), (40, -875)])
def test_evidence_falls_with_how_long_the_value_stood(minutes: float, evidence: int) -> None:
    undo = undo_of(write(0, "a", "k", 1, 2), write(minutes, "b", "k", 2, 1))
    assert undo is not None and undo.evidence == evidence


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (write(0, "a", "k", 1, 2), write(1, "a", "k", 2, 1)),  # its own
        (write(0, "a", "k", 1, 2), write(1, "b", "k", 2, 3)),  # another value
        (write(0, "a", "k", 1, 2), write(1, "b", "k", 2, True)),  # a boolean is no number
        (write(0, "a", "k", UNSET, 2), write(1, "b", "k", 2, 1)),  # nobody knows what it had replaced
        (write(0, "a", "k", 1, 1), write(1, "b", "k", 1, 1)),  # nothing moved
        (write(0, "a", "k", 1, 2), write(60, "b", "k", 2, 1)),  # a window ago
        (write(0, "a", "k", 1, 2), write(1, "b", "k", 2, 1, outcome="failed")),
        (write(0, "a", "k", 1, 2), write(1, "b", "j", 2, 1)),
        (write(0, "a", "k", 1, 2), write(1, "b", "k", 2, 1, acknowledges=("k0",))),
        (write(0, "a", "k", 1, 2, intent=Clause(handoff_to=("b",))), write(1, "b", "k", 2, 1)),
        (write(0, "a", "k", 1, 2, rollout="r"), write(1, "b", "k", 2, 1, rollout="r")),
    ],
)
def test_what_is_no_undo(first: Action, second: Action) -> None:
    assert undo_of(first, second) is None


# how evidence adds up


def test_pressure_is_the_largest_sum_over_the_newest_within_the_window() -> None:
    rng = random.Random(3)
    for _ in range(200):
        undos, past = Undos(WINDOW, QUICK), list[Undo]()
        at = 0.0
        for _ in range(rng.randrange(1, 40)):
            at += rng.choice([0, 0.1, 1, 15])
            event = write(at, rng.choice("ab"), rng.choice("klm"), 2, 1)
            undo = Undo(event, event, rng.randrange(-1000, 1001))
            mine = [u for u in past if u.event.agent == event.agent and u.event.time > event.time - WINDOW] + [undo]
            best = max(0, max(sum(u.evidence for u in mine[i:]) for i in range(len(mine))))
            assert undos.pressure(undo) == Pressure(best / 1000, len(mine), len({u.knob for u in mine}))
            on = any(u.knob == undo.knob for u in past if u.event.time > event.time - WINDOW)
            assert undos.contested(undo.knob, event.time) == on
            undos.install(undo)
            past.append(undo)


def test_nothing_is_kept_beyond_the_window() -> None:
    undos = Undos(WINDOW, QUICK)
    for i in range(100):
        event = write(i, f"agent-{i}", f"k{i}", 2, 1)
        undos.install(Undo(event, event, 1000))
    undos.age(BEGIN + 300 * MINUTE)
    assert not undos._order and not undos._tallies and not undos._on


# when a pair is reported


def test_two_agents_that_undo_each_other_on_several_knobs() -> None:
    found = findings(war(4))
    assert found[0].agents == ("a", "b")
    assert found[0].metrics["knobs"] >= 2 and found[0].metrics["evidence"] >= 3.0
    assert (found[0].basis, found[0].pattern) == ("cited", "intent_conflict")
    assert [e.role for e in found[0].evidence] == ["victim", "reversal"]


def test_each_undo_adds_and_the_newest_revision_says_so() -> None:
    early, late = findings(war(6))[0], findings(war(6))[-1]
    assert late.finding_id == early.finding_id
    assert late.metrics["undos"] > early.metrics["undos"] == 1
    assert late.score > early.score


def test_one_knob_is_thrashing_and_not_this() -> None:
    assert findings(war(1, rounds=12)) == []


def test_one_rollback_of_many_services_is_not_this() -> None:
    deployed = [write(i / 60, "deployer", f"k{i}", 1, 2) for i in range(20)]
    assert findings([*deployed, *(write(3 + i / 60, "guard", f"k{i}", 2, 1) for i in range(20))]) == []


def test_what_had_stood_for_long_takes_evidence_away() -> None:
    quick = war(4, begin=30)
    slow = [
        one
        for k in range(4)  # each ends between two quick undos
        for one in (write(2 + 1.5 * k, "b", f"s{k}", 1, 2), write(31.2 + 1.5 * k, "a", f"s{k}", 2, 1))
    ]
    assert findings(quick) and not findings(sorted([*quick, *slow], key=key))


def test_a_declared_common_rollout_is_not_this() -> None:
    assert findings(war(6, rollout="r1")) == []


def test_it_ends_when_they_stop() -> None:
    last = findings([*war(4), write(60, "c", "z", 1, 2)])[-1]
    assert last.status == "resolved"


def test_the_durations_are_settings() -> None:
    slow = war(4, apart=30.0)
    wide = Analysis(memory=48 * HOUR)
    assert findings(slow, wide) == []
    assert findings(slow, structs.replace(wide, conflict=structs.replace(wide.conflict, quick=4 * HOUR)))
