"""A domain's memory: events come in, are judged, installed, and leave it; what still holds stays as a fact."""

from __future__ import annotations

import pytest
from msgspec import UNSET
from small_histories import became, declared, moment, wrote

from models.configuration import Analysis, Limits
from models.domain import Domain
from models.events import Clause, Event, Read
from models.instants import HOUR, MINUTE

SETTINGS = Analysis(window=10 * MINUTE, memory=30 * MINUTE, facts_age=24 * HOUR)
KNOB = ("db/orders", "replicas")


def domain(*events: Event, settings: Analysis = SETTINGS) -> Domain:
    made = Domain("default", settings)
    for event in events:
        node = made.place(event)
        if node is not None:
            made.install(node)
    return made


def facts(made: Domain) -> list[tuple[str, str | None]]:
    return [(" ".join(name[1:]).strip(), None if event is None else event.id) for name, event in made.facts.take()]


def test_what_an_event_wrote_stands_only_once_it_is_installed() -> None:
    made = domain()
    node = made.place(wrote(0, "a", 1, 2))
    assert node is not None
    assert made.variables.current(KNOB, 0) is None
    made.install(node)
    assert made.variables.current(KNOB, 0) is not None


def test_a_repeat_is_dropped_and_counted_and_an_altered_one_too() -> None:
    made = domain(wrote(0, "a", 1, 2), wrote(0, "a", 1, 2), wrote(0, "a", 1, 3))
    assert (made.counters["duplicates"], made.counters["altered"], made.events) == (2, 1, 1)


def test_what_agents_tell_is_counted() -> None:
    made = domain(
        wrote(0, "a", 1, 2),
        wrote(1, "b", UNSET, 3, reads=(Read("x", "y"),)),
        wrote(2, "c", 3, 4, causes=("a@0",)),
        became(3, "x y", 1, 2),
    )
    assert (made.events, made.actions, made.with_old, made.with_reads, made.with_causes) == (4, 3, 2, 1, 1)


def test_a_last_write_that_leaves_the_memory_becomes_a_fact_and_still_stands() -> None:
    made = domain(wrote(0, "a", 1, 2), wrote(60, "b", 2, 3))
    made.age(moment(60) + SETTINGS.memory)
    assert (len(made.memory), facts(made)) == (0, [("write db/orders replicas", "b@60")])
    current = made.variables.current(KNOB, 0)
    assert current is not None and current.id == "b@60"


def test_what_is_younger_than_the_memory_stays() -> None:
    made = domain(wrote(0, "a", 1, 2))
    made.age(moment(0) + SETTINGS.memory - 1)
    assert len(made.memory) == 1 and facts(made) == []


def test_failed_actions_and_states_leave_no_fact() -> None:
    made = domain(wrote(0, "a", 1, 2, outcome="failed"), became(1, "svc/x health", "ok", "bad"))
    made.age(moment(HOUR / 1e9))
    assert facts(made) == []


def test_an_open_intent_becomes_a_fact_and_a_closed_one_is_given_up() -> None:
    made = domain(declared(0, "ann", "svc/cart", reason="freeze"))
    later = moment(0) + SETTINGS.memory
    made.age(later)
    made.expire(later)
    assert facts(made) == [("intent svc/cart  ann", "ann@0")]
    node = made.place(declared(2000, "ann", "svc/cart", closed=True))
    assert node is not None
    made.install(node)
    for now in (later + HOUR, later + 2 * HOUR):
        made.age(now)
        made.expire(now)
    assert facts(made) == [("intent svc/cart  ann", None)]
    assert made.intents.open(wrote(9000, "d", 1, 2, "svc/cart image"), MINUTE) == []


def test_an_intent_that_has_ended_is_given_up_a_memory_later() -> None:
    made = domain(wrote(0, "a", 1, 2, intent=Clause(until=moment(3600))))
    made.age(moment(3600))
    made.expire(moment(3600))
    assert facts(made) == [("intent db/orders replicas a", "a@0"), ("write db/orders replicas", "a@0")]
    made.expire(moment(3600) + SETTINGS.memory - 1)
    assert facts(made) == []
    made.expire(moment(3600) + SETTINGS.memory)
    assert facts(made) == [("intent db/orders replicas a", None)]


def test_a_last_write_is_forgotten_when_it_is_too_old() -> None:
    made = domain(wrote(0, "a", 1, 2))
    made.age(moment(0) + HOUR)
    made.expire(moment(0) + 24 * HOUR)
    assert made.variables.current(KNOB, 0) is not None
    made.expire(moment(0) + 24 * HOUR + 1)
    assert made.variables.current(KNOB, 0) is None
    assert facts(made) == [("write db/orders replicas", None)]


def test_facts_restored_stand_as_before() -> None:
    made = domain()
    made.restore(("default", "write", *KNOB, ""), wrote(0, "a", 1, 2))
    made.restore(("default", "intent", "svc/cart", "", "ann"), declared(1, "ann", "svc/cart"))
    assert made.variables.current(KNOB, 0) == wrote(0, "a", 1, 2)
    assert made.intents.open(wrote(9, "d", 1, 2, "svc/cart image"), MINUTE) == [declared(1, "ann", "svc/cart")]
    assert facts(made) == []


def test_beyond_the_limit_the_oldest_event_is_shed_and_the_domain_says_so() -> None:
    made = domain(*(wrote(i, "a", i, i + 1) for i in range(5)), settings=Analysis(limits=Limits(graph_events=3)))
    assert (len(made.memory), made.counters["shed"], made.degraded) == (3, 2, True)
    assert not domain(wrote(0, "a", 1, 2)).degraded


def test_after_the_window_an_event_has_no_causes_and_no_descent_any_more() -> None:
    made = domain(wrote(0, "a", 1, 2))
    node = made.place(wrote(1, "b", 2, 3))
    assert node is not None and node.parents
    made.install(node)
    made.age(moment(1) + SETTINGS.window)
    assert node.parents
    made.age(moment(1) + SETTINGS.window + 1)
    assert node.parents == () and node.descents() == ()


@pytest.mark.parametrize("limit", [0, 1])
def test_facts_beyond_their_limit_degrade_the_domain(limit: int) -> None:
    settings = Analysis(memory=30 * MINUTE, limits=Limits(facts=limit))
    made = domain(wrote(0, "a", 1, 2), wrote(1, "a", 1, 2, "db/orders cpu"), settings=settings)
    made.age(moment(0) + HOUR)
    made.expire(moment(0) + HOUR)
    assert (len(made.facts), made.facts.shed, made.degraded) == (limit, 2 - limit, True)


def test_an_intent_without_an_end_is_kept_as_a_fact() -> None:
    made = domain(declared(0, "ann", "svc/cart"), declared(1, "bob", "svc/cart", until=moment(60)))
    for hours in (1, 2, 20):
        made.age(moment(hours * 3600))
        made.expire(moment(hours * 3600))
    assert facts(made) == [("intent svc/cart  ann", "ann@0"), ("intent svc/cart  bob", None)]


def test_a_write_that_another_one_has_followed_within_a_memory_leaves_no_fact() -> None:
    made = domain(wrote(0, "a", 1, 2), wrote(1700, "b", 2, 3), wrote(1900, "c", 3, 4))
    assert facts(made) == []
    made.age(moment(1700) + SETTINGS.memory)
    assert facts(made) == []
    made.age(moment(1900) + SETTINGS.memory)
    assert facts(made) == [("write db/orders replicas", "c@1900")]
