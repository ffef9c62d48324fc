"""What valid events leave out is counted and told with what it costs."""

from __future__ import annotations

import json

import pytest
from broken_records import TYPES, good

from models.decode import decode_event
from models.rejection import Rejection
from streams.validation import Misspellings, Omissions

BARE: dict[str, object] = {"agent": "a", "verb": "scale", "new": 16}
WRITE = {**BARE, "parameter": "replicas"}
READS = [{"resource": "db/orders", "metric": "p95"}]


def told(*events: dict[str, object]) -> list[str]:
    omissions = Omissions()
    for outside in events:
        event = decode_event(json.dumps(outside).encode())
        assert not isinstance(event, Rejection)
        omissions.add(event)
    return omissions.sentences()


def test_a_write_without_old_and_an_action_without_reasons_are_told() -> None:
    bare, whole = good(data=BARE), good(data={**BARE, "old": 8, "reads": READS})
    assert [sentence.partition(":")[0] for sentence in told(bare, whole, bare)] == [
        "2 of 3 writes carry no `old`",
        "3 of 3 writes name no `parameter`",
        "2 of 3 actions carry neither `reads` nor `causationid`",
    ]


@pytest.mark.parametrize(
    "event",
    [
        good(data={**WRITE, "old": None, "reads": READS}),  # null was sent: there was nothing
        good(data={**WRITE, "old": 8}, causationid="a0"),
        good(data={**WRITE, "outcome": "rejected", "reads": READS}),  # wrote nothing
        good(data={"agent": "a", "verb": "restart", "reads": READS}),
        *(good(kind) for kind in TYPES if kind != "action"),
    ],
)
def test_nothing_is_told_of_what_leaves_nothing_out(event: dict[str, object]) -> None:
    assert told(event) == []


def misspelt(*events: dict[str, object]) -> list[str]:
    misspellings = Misspellings()
    for line in (b"not json\n", *(json.dumps(event).encode() + b"\n" for event in events)):
        misspellings.look(line)
    return misspellings.sentences()


def test_a_field_that_looks_like_a_known_one_is_told_with_what_was_meant() -> None:
    action = good(data={**BARE, "paramter": "replicas"})
    transition = good("transition", data={"metric": "health", "form": "ok", "to": "bad"})
    assert misspelt(action, action, transition) == [
        "data.form is unknown; did you mean data.from? (1 event)",
        "data.paramter is unknown; did you mean data.parameter? (2 events)",
    ]


def test_other_fields_are_the_producers_own() -> None:
    own = good(data={**WRITE, "cluster": "eu-1", "parameters": ["replicas"]})  # unlike any; like one that is there
    assert misspelt(own, *(good(kind) for kind in TYPES)) == []


def test_a_byte_order_mark_and_what_is_no_event_are_passed_over() -> None:
    misspellings = Misspellings()
    misspellings.look(b"\xef\xbb\xbf" + json.dumps(good(data={**BARE, "olld": 8})).encode())
    misspellings.look(b"\x1f\x8b\xff")
    misspellings.look(b"[" * 100_000)
    assert misspellings.sentences() == ["data.olld is unknown; did you mean data.old? (1 event)"]
