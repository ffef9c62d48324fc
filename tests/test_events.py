"""Events: their order, their names, and the bytes in which they travel on the signals topic."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET
from small_histories import became, declared, moment, wrote

from models.events import (
    Alternative,
    Clause,
    Condition,
    Constraint,
    Dependency,
    Event,
    Expectation,
    Read,
    Signal,
    Tick,
    Verdict,
    Why,
    decode_signal,
    encode_signal,
    intern_names,
    key,
    ref,
)

EVERYTHING = wrote(
    1,
    "perf",
    8,
    (1, "a", None, True, 0.5),
    causes=("x y", "z"),
    reads=(Read("db/orders", "p95", 840, moment(0), "17"),),
    why=Why("p95 > 300", "as told"),
    intent=Clause(moment(9), (Expectation("a", "b", "down", 0.5),), (Condition("a", "b", ">", 1),), "canary", ("router",)),
    constraints=(Constraint("cost", 2, 40),),
    alternatives=(Alternative("throttle", "no"),),
    acknowledges=("x",),
    deletes=("y",),
    rollout="r",
    version=3,
    late=True,
)
SIGNALS: list[Signal] = [
    EVERYTHING,
    wrote(1, "perf", UNSET, None),
    became(1, "svc/cart health", "ok", "bad", slo=True),
    declared(1, "ann", "svc/cart", desired=None),
    declared(1, "ann", "svc/cart"),
    Dependency(time=1, source="s", id="d", dependent="svc/cart", dependency="db/orders", removed=True),
    Verdict(time=1, source="s", id="v", agent="canary", rollout="r", verdict="pass"),
    Tick(partition="events/0", watermark=-(1 << 62) - 1, mode="empty"),
]


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: type(signal).__name__)
def test_a_signal_reads_back_as_it_was(signal: Signal) -> None:
    again = decode_signal(encode_signal(signal))
    assert again == signal and type(again) is type(signal)
    assert encode_signal(again) == encode_signal(signal)


def test_a_value_that_was_not_sent_differs_from_a_null_that_was() -> None:
    sent, unsent = wrote(1, "a", None, 1), wrote(1, "a", UNSET, 1)
    assert encode_signal(sent) != encode_signal(unsent)
    again = decode_signal(encode_signal(unsent))
    assert getattr(again, "old", None) is UNSET


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"kind":"sample"}', b'{"kind":"action","time":"1"}'])
def test_anything_else_is_no_signal(raw: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_signal(raw)


def test_a_record_with_a_field_of_a_later_version_is_read() -> None:
    raw = encode_signal(SIGNALS[-1])[:-1] + b',"later":1}'
    assert decode_signal(raw) == SIGNALS[-1]


def test_the_canonical_order_is_time_then_source_then_id() -> None:
    events: list[Event] = [
        wrote(t, "x", 1, 2, source=s, id=i) for t, s, i in [(2, "a", "1"), (1, "b", "1"), (1, "a", "2"), (1, "a", "1")]
    ]
    assert sorted(events, key=key) == events[::-1]


def test_an_event_is_named_by_source_and_id() -> None:
    assert ref(wrote(1, "perf", 1, 2)) == "agents/perf/1 perf@1"


def test_equal_names_become_one_object_and_nothing_else_changes() -> None:
    raw = encode_signal(EVERYTHING)
    first, second = decode_signal(raw), decode_signal(raw)
    assert not isinstance(first, Tick) and not isinstance(second, Tick)
    assert intern_names(first) is first
    intern_names(second)
    assert first == EVERYTHING
    assert first.resource is second.resource and first.source is second.source
    assert getattr(first, "reads")[0].metric is getattr(second, "reads")[0].metric  # noqa: B009
