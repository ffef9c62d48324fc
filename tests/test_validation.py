"""What valid events leave out is counted and told with what it costs."""

from __future__ import annotations

import json

import pytest
from broken_records import TYPES, good

from models.decode import decode_event
from models.rejection import Rejection
from streams.validation import Omissions

WRITE: dict[str, object] = {"agent": "a", "verb": "scale", "new": 16}
READS = [{"resource": "db/orders", "metric": "p95"}]


def told(*events: dict[str, object]) -> list[str]:
    omissions = Omissions()
    for outside in events:
        event = decode_event(json.dumps(outside).encode())
        assert not isinstance(event, Rejection)
        omissions.add(event)
    return omissions.sentences()


def test_a_write_without_old_and_an_action_without_reasons_are_told() -> None:
    bare, whole = good(data=WRITE), good(data={**WRITE, "old": 8, "reads": READS})
    assert [sentence.partition(":")[0] for sentence in told(bare, whole, bare)] == [
        "2 of 3 writes carry no `old`",
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
