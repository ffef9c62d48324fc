"""Facts: the newest event per key, what changed since the last look, and what is given up."""

from __future__ import annotations

import msgspec
import pytest
from small_histories import declared, moment, wrote

from models.facts import FactKey, Facts, decode_fact_key, encode_fact_key

WRITE: FactKey = ("default", "write", "db/orders", "replicas", "")
OTHER: FactKey = ("default", "write", "db/orders", "cpu", "")
FREEZE: FactKey = ("default", "intent", "svc/cart", "", "ann")


def test_what_leaves_the_memory_is_told_once() -> None:
    facts = Facts(9)
    facts.age(WRITE, wrote(0, "a", 1, 2))
    assert facts.take() == [(WRITE, wrote(0, "a", 1, 2))]
    assert facts.take() == []
    assert len(facts) == 1


def test_of_several_changes_the_last_is_told() -> None:
    facts = Facts(9)
    facts.age(WRITE, wrote(0, "a", 1, 2))
    facts.age(WRITE, wrote(1, "b", 2, 3))
    assert facts.take() == [(WRITE, wrote(1, "b", 2, 3))]


def test_an_older_or_the_same_event_changes_nothing() -> None:
    facts = Facts(9)
    facts.load(WRITE, wrote(5, "a", 1, 2))
    facts.age(WRITE, wrote(5, "a", 1, 2))
    facts.age(WRITE, wrote(4, "b", 1, 3))
    assert facts.take() == []


def test_a_fact_given_up_is_told_as_nothing() -> None:
    facts = Facts(9)
    facts.load(WRITE, wrote(0, "a", 1, 2))
    facts.give_up(WRITE)
    facts.give_up(OTHER)  # was never there
    assert facts.take() == [(WRITE, None)]


def test_facts_that_are_too_old_are_given_up() -> None:
    facts = Facts(9)
    facts.age(WRITE, wrote(0, "a", 1, 2))
    facts.age(OTHER, wrote(5, "a", 1, 2, "db/orders cpu"))
    assert facts.expire(moment(0)) == []
    assert facts.expire(moment(1)) == [(WRITE, wrote(0, "a", 1, 2))]
    assert facts.take() == [(OTHER, wrote(5, "a", 1, 2, "db/orders cpu")), (WRITE, None)]
    assert facts.shed == 0


def test_beyond_the_limit_the_oldest_goes_and_is_counted() -> None:
    facts = Facts(1)
    facts.age(WRITE, wrote(0, "a", 1, 2))
    assert [name for name, _ in facts.age(OTHER, wrote(5, "a", 1, 2, "db/orders cpu"))] == [WRITE]
    assert (facts.shed, len(facts)) == (1, 1)


def test_a_renewed_fact_is_no_longer_the_oldest() -> None:
    facts = Facts(2)
    facts.age(WRITE, wrote(0, "a", 1, 2))
    facts.age(OTHER, wrote(1, "a", 1, 2, "db/orders cpu"))
    facts.age(WRITE, wrote(2, "a", 2, 3))
    assert [name for name, _ in facts.age(FREEZE, declared(3, "ann", "svc/cart"))] == [OTHER]


def test_only_intents_end() -> None:
    facts = Facts(9)
    freeze = declared(0, "ann", "svc/cart")
    facts.load(FREEZE, freeze)
    facts.load(WRITE, wrote(1, "a", 1, 2))
    assert list(facts.ended(lambda event: True)) == [(FREEZE, freeze)]
    assert list(facts.ended(lambda event: False)) == []


@pytest.mark.parametrize("fact", [WRITE, FREEZE, ('a"b', "write", "c,d", "é\n", "")])
def test_a_key_reads_back(fact: FactKey) -> None:
    assert decode_fact_key(encode_fact_key(fact)) == fact


@pytest.mark.parametrize("raw", ["[]", '["a"]', "{}", '["a","b","c","d",1]'])
def test_anything_else_is_no_key(raw: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_fact_key(raw)
