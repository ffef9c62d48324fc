"""Sentences: what an action did and why, in words that hold for any value."""

from __future__ import annotations

import pytest
from msgspec import UNSET
from small_histories import became, declared, wrote

from models.events import Action, Read, Why
from models.explain import because, change, deed, did, event_told, lasting, list_names, told, turned_back

P95 = (Read("db/orders", "p95_latency_ms", 840),)


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        (wrote(0, "perf", 8, 16), "perf raised db/orders replicas 8 -> 16"),
        (wrote(0, "perf", 16, 8), "perf lowered db/orders replicas 16 -> 8"),
        (wrote(0, "perf", UNSET, 8), "perf set db/orders replicas -> 8"),
        (wrote(0, "perf", 8, 8), "perf set db/orders replicas 8 -> 8"),
        (wrote(0, "perf", None, 8), "perf set db/orders replicas nothing -> 8"),
        (wrote(0, "perf", False, True), "perf set db/orders replicas false -> true"),
        (wrote(0, "perf", "a", ("b", "c")), "perf set db/orders replicas a -> {b, c}"),
        (wrote(0, "perf", UNSET, UNSET, verb="restart"), "perf did restart on db/orders"),
    ],
)
def test_what_an_action_did(action: Action, sentence: str) -> None:
    assert deed(action) == sentence


def test_a_change_without_a_new_value_is_its_verb() -> None:
    assert change(wrote(0, "perf", 8, UNSET, verb="restart")) == "restart"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, ""),
        ({"reads": P95}, " because p95_latency_ms was 840"),
        ({"reads": P95, "why": Why("p95_latency_ms > 300")}, " because p95_latency_ms was 840 (p95_latency_ms > 300)"),
        ({"reads": (Read("svc/cart", "errors", 0.25),)}, " because errors of svc/cart was 0.25"),
        ({"reads": (Read("svc/cart"), Read("svc/cart", "errors"))}, ""),
        ({"why": Why("p95 > 300", "text")}, " (p95 > 300)"),
        ({"why": Why(text="looked slow")}, " (looked slow)"),
    ],
)
def test_why_an_action_was_taken(more: dict[str, object], reason: str) -> None:
    assert because(wrote(0, "perf", 8, 16, **more)) == reason


def test_the_whole_sentence_begins_with_the_time() -> None:
    assert (
        told(wrote(61, "perf", 8, 16, reads=P95))
        == "02:01:01 perf raised db/orders replicas 8 -> 16 because p95_latency_ms was 840."
    )


def test_a_reversal_tells_whose_change_it_turned_back() -> None:
    up, down = wrote(0, "perf", 8, 16), wrote(12.5, "cost", 16, 8)
    assert turned_back(down, up, True).endswith(": put back what perf's 8 -> 16 had replaced, 12.5 s later.")
    assert turned_back(down, up, False).endswith(": turned against perf's 8 -> 16, 12.5 s later.")
    assert turned_back(wrote(165, "cost", 16, 8), up, True).endswith(", 2 min 45 s later.")
    assert turned_back(wrote(5, "perf", 16, 9), up, False).endswith(": turned against its own 8 -> 16, 5 s later.")


def test_any_event_can_be_told() -> None:
    assert event_told(wrote(0, "perf", 8, 16)) == "02:00:00 perf raised db/orders replicas 8 -> 16."
    assert event_told(became(0, "svc/cart health", "ok", "bad")) == "02:00:00 svc/cart health went ok -> bad."
    assert event_told(declared(0, "ann", "svc/cart")) == "02:00:00 people/ann reported ann@0."


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        ((), "nobody"),
        (("a",), "a"),
        (("a", "b"), "a and b"),
        (("a", "b", "c"), "a, b and c"),
        (("a", "b", "c", "d", "e"), "a, b and 3 more"),
    ],
)
def test_names_are_listed_as_people_do(names: tuple[str, ...], listed: str) -> None:
    assert list_names(names) == listed


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (1.46, "1.46 s"),
        (119, "119 s"),
        (120, "2 min"),
        (128.9, "2 min 9 s"),
        (3600, "1 h"),
        (5700, "1 h 35 min"),
        (11_159, "3 h 5 min"),
        (93_600, "1 d 2 h"),
    ],
)
def test_spans_of_time_have_one_style(seconds: float, told: str) -> None:
    assert lasting(round(seconds * 1e9)) == told


@pytest.mark.parametrize(
    ("verb", "past"),
    [
        ("evict", "evicted"),
        ("schedule", "scheduled"),
        ("destroy", "destroyed"),
        ("retry", "retried"),
        ("stop", "stopped"),
        ("drain", "drained"),
        ("kill", "killed"),
        ("put", "put"),
        ("scale-down", "did scale-down on"),
        ("PATCH", "did PATCH on"),
    ],
)
def test_verbs_are_told_in_the_past(verb: str, past: str) -> None:
    assert did(verb) == past


def test_no_span_is_told_in_powers_of_ten() -> None:
    for nanos, text in (
        (29_600, "29.6 us"),
        (999_600, "1 ms"),
        (999_700_000, "1 s"),
        (688_000_000, "688 ms"),
        (90_000_000_000, "90 s"),
    ):
        assert lasting(nanos) == text
