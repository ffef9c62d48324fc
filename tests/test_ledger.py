"""What the conflict rules look up: who names an object, what guards said last, how agents act on what they read. And what it forgets."""

from __future__ import annotations

import pytest
from msgspec import UNSET
from small_histories import declared, moment, wrote

from models import observers, references, verdicts
from models.configuration import Analysis
from models.domain import Domain
from models.events import Action, Event, Read, Value, Verdict
from models.instants import HOUR, MINUTE
from models.ledger import Ledger
from models.observers import Observers, delay
from models.references import References
from models.verdicts import Verdicts


def sets(seconds: float, value: Value, knob: str = "dns/a plan", **more: object) -> Action:
    return wrote(seconds, "enactor", UNSET, value, knob, **more)


def index(*events: Action) -> References:
    found = References()
    for event in events:
        found.install(event)
    return found


def test_only_current_values_are_names() -> None:
    first, second = sets(0, "p/1"), sets(1, "p/2")
    found = index(first, second)
    assert (found.to("p/1"), found.to("p/2")) == ([], [second])
    assert index(second, first).to("p/2") == [second]  # an older fact changes nothing
    assert index(first, sets(2, 7)).to("p/1") == []


def test_members_of_a_set_are_names_up_to_a_limit() -> None:
    many = sets(0, tuple(f"n/{i:03}" for i in range(references.MEMBERS + 1)))
    assert index(many).to("n/000") == [many]
    assert index(many).to(f"n/{references.MEMBERS:03}") == []
    found = index(many, sets(1, ("n/001",)))
    assert found.to("n/000") == [] and len(found.to("n/001")) == 1


def test_the_newest_users_of_a_name_are_answered_in_order() -> None:
    writes = [sets(i, "p/1", f"dns/{i} plan") for i in range(20)]
    assert index(*writes).to("p/1") == writes[-references.MOST :]


def test_a_fact_given_up_is_gone_and_a_newer_write_stays() -> None:
    first, second = sets(0, "p/1"), sets(1, "p/1")
    found = index(first)
    found.drop(first)
    assert found.to("p/1") == []
    found = index(first, second)
    found.drop(first)
    assert found.to("p/1") == [second]


def test_an_agents_own_action_ends_its_declared_wish() -> None:
    ledger = Ledger()
    ledger.remember(declared(0, "enactor", "dns/a", "plan", desired="p/1"))
    assert len(ledger.references.to("p/1")) == 1
    ledger.remember(sets(1, "p/2"))
    assert ledger.references.to("p/1") == []


def said(seconds: float, word: str, *, guard: str = "canary", rollout: str = "r", payload: str = "v2") -> Verdict:
    return Verdict(
        time=moment(seconds), source=f"guards/{guard}", id=f"{guard}@{seconds:g}", resource="edge", agent=guard, rollout=rollout,
        verdict=word, payload=payload,
    )  # fmt: skip


def test_a_guards_last_word_on_a_rollout_counts() -> None:
    known = Verdicts()
    for verdict in (said(0, "fail"), said(1, "block", guard="lint")):
        known.declare(verdict)
    assert [v.agent for v in known.on_rollout("r")] == ["canary", "lint"]
    known.declare(said(2, "pass"))
    known.declare(said(1, "fail"))  # older: it changes nothing
    assert [v.agent for v in known.on_rollout("r")] == [v.agent for v in known.on_payload("v2")] == ["lint"]
    known.drop(said(1, "block", guard="lint"))
    assert known.on_rollout("r") == [] and not known.payloads


def test_no_more_verdicts_than_the_limit_are_answered() -> None:
    known = Verdicts()
    for i in range(20):
        known.declare(said(i, "fail", guard=f"g{i}"))
    assert [v.agent for v in known.on_rollout("r")] == [f"g{i}" for i in range(20 - verdicts.MOST, 20)]
    assert known.on_rollout("") == []


def read(seconds: float, age: float | None, agent: str = "cost") -> Action:
    reads = (Read("db", "cpu", 1, None if age is None else moment(seconds - age)), Read("db", "p95", 1))
    return wrote(seconds, agent, 1, 2, id=f"{agent}@{seconds:g}", reads=reads)


def test_delays_are_those_of_the_newest_observation() -> None:
    assert delay(read(10, 4)) == 4_000_000_000
    assert delay(read(10, None)) is None and delay(wrote(0, "x", 1, 2)) is None


def test_observers_keep_the_newest_within_the_memory() -> None:
    known = Observers()
    actions = [read(i, i % 3) for i in range(observers.NEWEST + 6)]
    for action in actions:
        known.install(action)
    assert list(known.on(("db", "p95"))) == actions[6:]
    assert len(known.delays("cost")) == observers.NEWEST
    known.forget(actions[9])
    assert list(known.on(("db", "cpu"))) == actions[10:] and len(known.delays("cost")) == len(actions) - 10
    for action in actions:
        known.forget(action)
    assert not known.on(("db", "cpu")) and known.delays("cost") == []


SHORT = Analysis(window=MINUTE, memory=3 * MINUTE, facts_age=HOUR)


@pytest.mark.parametrize(
    "event", [said(0, "fail"), said(0, "pass"), sets(0, "p/1"), declared(0, "ann", "dns/a", "plan", desired="p/1")]
)
def test_what_leaves_the_memory_stays_as_a_fact_and_comes_back_from_it(event: Event) -> None:
    domain = Domain("default", SHORT)
    node = domain.place(event)
    assert node is not None
    domain.install(node)
    domain.age(moment(600))
    (fact, kept), *_ = domain.facts.take()
    assert kept == event
    again = Domain("default", SHORT)
    again.restore(fact, event)
    known = [(d.ledger.verdicts.on_rollout("r"), d.ledger.references.to("p/1")) for d in (domain, again)]
    assert known[0] == known[1]
    assert any(known[0]) == (event != said(0, "pass"))
    for one in (domain, again):
        one.expire(moment(2 * 3600))
        assert one.empty and not one.ledger.verdicts.on_rollout("r") and not one.ledger.references.to("p/1")
