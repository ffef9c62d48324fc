"""Declared intents: who holds which knob, until when, and what releases it."""

from __future__ import annotations

from msgspec import UNSET
from small_histories import became, declared, moment, wrote

from models.events import Clause, Event
from models.instants import MINUTE
from models.intents import Intents, desired, open_until, reason, released

WINDOW = 10 * MINUTE
HOLD = wrote(0, "cost", 16, 8, intent=Clause(reason="canary"))
TRY = wrote(60, "perf", 8, 16)


def held(*events: Event) -> list[str]:
    """Ids of the intents that are open on db/orders replicas for perf at 60 s."""
    intents = Intents()
    for event in events:
        intents.declare(event)
    return [event.id for event in intents.open(TRY, WINDOW)]


def test_an_action_with_an_intent_and_an_intent_event_open_one() -> None:
    assert held(HOLD) == ["cost@0"]
    assert held(declared(0, "ann", "db/orders")) == ["ann@0"]
    assert held(wrote(0, "cost", 16, 8)) == []
    assert held(became(0, "db/orders health", "ok", "bad")) == []


def test_intents_are_told_in_canonical_order() -> None:
    assert held(declared(5, "ann", "db/orders"), HOLD) == ["cost@0", "ann@5"]


def test_ones_own_intent_does_not_bind_oneself() -> None:
    assert held(declared(0, "perf", "db/orders")) == []


def test_the_last_word_of_a_holder_counts() -> None:
    assert held(HOLD, wrote(30, "cost", 8, 9)) == []
    assert held(HOLD, wrote(30, "cost", 8, 9, intent=Clause())) == ["cost@30"]
    assert held(declared(0, "ann", "db/orders"), declared(5, "ann", "db/orders", closed=True)) == []


def test_an_older_word_never_replaces_a_newer_one() -> None:
    assert held(declared(5, "ann", "db/orders", closed=True), declared(0, "ann", "db/orders")) == []


def test_the_holders_failed_action_closes_nothing() -> None:
    assert held(HOLD, wrote(30, "cost", 8, 9, outcome="failed")) == ["cost@0"]


def test_an_acknowledged_write_to_the_knob_closes_the_intent_for_everybody() -> None:
    for name in ("cost@0", "agents/cost/1 cost@0"):
        assert held(HOLD, wrote(30, "router", 8, 9, acknowledges=(name,))) == []
    named = declared(0, "ann", "db/orders", "replicas")
    assert held(named, wrote(30, "router", 8, 9, acknowledges=("ann@0",))) == []


def test_what_closes_nothing_for_others() -> None:
    assert held(HOLD, wrote(30, "router", 8, 9)) == ["cost@0"]
    assert held(HOLD, wrote(30, "router", 8, 9, acknowledges=("cost@7",))) == ["cost@0"]
    assert held(HOLD, wrote(30, "router", 8, 9, acknowledges=("cost@0",), outcome="rejected")) == ["cost@0"]
    assert held(HOLD, wrote(30, "router", 8, 9, "db/orders limit", acknowledges=("cost@0",))) == ["cost@0"]
    everything = declared(0, "ann", "db/orders")
    assert held(everything, wrote(30, "router", 8, 9, acknowledges=("ann@0",))) == ["ann@0"]


def test_the_acknowledging_writers_own_intent_opens_and_the_holder_may_declare_again() -> None:
    taken = wrote(30, "router", 8, 9, acknowledges=("cost@0",), intent=Clause(reason="failover"))
    assert held(HOLD, taken) == ["router@30"]
    assert held(HOLD, taken, wrote(40, "cost", 9, 8, intent=Clause())) == ["router@30", "cost@40"]


def test_when_an_intent_ends() -> None:
    assert open_until(HOLD, WINDOW) == moment(600)
    assert open_until(wrote(0, "a", 1, 2, intent=Clause(until=moment(5))), WINDOW) == moment(5)
    assert open_until(wrote(0, "a", 1, 2), WINDOW) == moment(0)
    assert open_until(declared(0, "ann", "x", until=moment(5)), WINDOW) == moment(5)
    assert open_until(declared(0, "ann", "x"), WINDOW) is None


def test_what_a_holder_wants_and_why() -> None:
    assert (desired(HOLD), reason(HOLD)) == (8, "canary")
    freeze = declared(0, "ann", "x", reason="freeze")
    assert (desired(freeze), reason(freeze)) == (UNSET, "freeze")
    assert desired(declared(0, "ann", "x", desired=3)) == 3
    assert reason(wrote(0, "a", 1, 2)) == ""


def test_a_fact_that_was_given_up_leaves_and_a_newer_word_stays() -> None:
    intents = Intents()
    old, new = declared(0, "ann", "db/orders"), declared(5, "ann", "db/orders")
    intents.declare(old)
    (register,) = intents.declare(new)
    assert register == ("db/orders", "", "ann")
    intents.drop(register, old)
    assert intents.open(TRY, WINDOW) == [new]
    intents.drop(register, new)
    assert intents.open(TRY, WINDOW) == []


def test_what_releases_an_action_from_an_intent() -> None:
    assert not released(HOLD, TRY)
    assert released(HOLD, wrote(60, "perf", 8, 16, acknowledges=("cost@0",)))
    assert released(HOLD, wrote(60, "perf", 8, 16, acknowledges=("agents/cost/1 cost@0",)))
    assert released(wrote(0, "cost", 16, 8, intent=Clause(handoff_to=("perf",))), TRY)
    assert released(wrote(0, "cost", 16, 8, intent=Clause(), rollout="r"), wrote(60, "perf", 8, 16, rollout="r"))
    assert not released(wrote(0, "cost", 16, 8, intent=Clause(), rollout=""), wrote(60, "perf", 8, 16, rollout=""))
