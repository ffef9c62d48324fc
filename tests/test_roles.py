"""The parts of the roles that need no broker: dead letters, and the pace of source partitions. The rest: test_end_to_end, test_faults."""

from __future__ import annotations

import pytest
from aiokafka import ConsumerRecord
from faust.types import TP
from histories import history
from live_path import cloudevent

from models.instants import MINUTE
from models.rejection import Rejection
from models.stream_time import BEFORE_ALL
from streams.metrics import Metrics
from streams.roles.dead_letters import HEAD, HEADER_ROOM, KEY_ROOM, MOST, Letters
from streams.roles.pace import AHEAD_LIMIT, Pace
from streams.settings import Settings
from streams.writing import Outgoing

LIMIT = 1000


def record(value: bytes | None, headers: tuple[tuple[str, bytes], ...] = (), key: bytes | None = b"k") -> ConsumerRecord:
    return ConsumerRecord("interplay.events", 3, 17, 0, 0, key, value, None, 0, 0, headers)


def dead_letter(record: ConsumerRecord, reason: str, path: str, detail: str, limit: int) -> Outgoing:
    (letter,) = Letters(limit).rejected(record, Rejection(reason, path, detail))
    return letter


def test_a_letter_is_the_record_unchanged_with_reason_and_place() -> None:
    letter = dead_letter(record(b"junk", (("ce_id", b"1"), ("reason", b"theirs"))), "not_json", "data.x", "why", LIMIT)
    assert letter[:3] == (0, b"k", b"junk") and letter[3][:2] == [("ce_id", b"1"), ("reason", b"theirs")]
    assert dict(letter[3]) == {
        "ce_id": b"1", "reason": b"not_json", "path": b"data.x", "detail": b"why",
        "topic": b"interplay.events", "partition": b"3", "offset": b"17",
    }  # fmt: skip


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1, 10 * HEAD])
def test_above_the_limit_stay_head_length_and_hash(size: int) -> None:
    _, _, value, headers = dead_letter(record(b"x" * size), "too_large", "", "", LIMIT)
    assert value == b"x" * (size if size <= LIMIT else min(size, HEAD))
    assert dict(headers).get("length") == (None if size == LIMIT else b"%d" % size)


def test_a_letter_always_fits_its_topic() -> None:
    headers = tuple((f"h{n}", b"v" * 1000) for n in range(1000))
    _, key, value, kept = dead_letter(record(None, headers, key=b"k" * 10 * HEAD), "x", "p" * 10_000, "d" * 10_000, LIMIT)
    assert value == b"" and len(key or b"") == KEY_ROOM
    assert sum(len(name) + len(text) for name, text in kept) < HEADER_ROOM + 2000


def test_of_a_batch_only_the_bad_element_goes() -> None:
    assert dead_letter(record(b'[1, {"a": 2} , 3]'), "missing_field", "[1].id", "", LIMIT)[2] == b'{"a": 2}'
    assert (
        dead_letter(record(b'{"kind": "EventList", "items": [1, {"a": 2}]}'), "wrong_type", "items[1].verb", "", LIMIT)[2]
        == b'{"a": 2}'
    )
    assert dead_letter(record(b'{"Records": [1, 2]}'), "wrong_type", "Records[0]", "", LIMIT)[2] == b"1"


def test_a_record_of_many_bad_items_goes_on_but_once() -> None:
    """Each of a thousand spans of a host whose clock is wrong took the whole record along: a gigabyte of one megabyte."""
    letters, bad = Letters(LIMIT), record(b"x" * 900, (("h", b"v"),))
    first, *others = [
        letter
        for n in range(9)
        for letter in letters.rejected(bad, Rejection("wrong_type", f"resourceSpans[0].scopeSpans[0].spans[{n}]", "no"))
    ]
    assert first[:3] == (0, b"k", b"x" * 900) and all(other[:3] == (0, None, b"") for other in others)
    assert [dict(each[3])["path"][-3:] for each in (first, *others)] == [b"[%d]" % n for n in range(9)]
    assert all(dict(other[3])["offset"] == b"17" and "h" not in dict(other[3]) for other in others)
    assert dead_letter(bad, "wrong_type", "", "no", LIMIT)[2] == b"x" * 900
    batch = record(b'[1, {"a": 2} , 3]')
    assert [letters.rejected(batch, Rejection("x", f"[{n}].id", ""))[0][2] for n in (0, 1, 1)] == [b"1", b'{"a": 2}', b'{"a": 2}']


def test_a_flood_within_one_record_ends_with_the_record() -> None:
    flood = record(b"[" + b",".join([b"7"] * 3 * MOST) + b"]")
    letters = Letters(1 << 20)
    found = [letter for n in range(3 * MOST) for letter in letters.rejected(flood, Rejection("wrong_type", f"[{n}]", "no"))]
    assert [letter[2] for letter in found] == [b"7"] * (MOST - 1) + [flood.value]
    assert dict(found[-1][3])["path"] == b"" and b"1,000 items" in (dict(found[-1][3])["detail"] or b"")


@pytest.mark.parametrize("value", [b'{"resourceLogs": [1]}', b"junk", b"{}", b'{"items": 3}', b'{"items": [1]}', b"[1]"])
@pytest.mark.parametrize("path", ["resourceLogs[0]", "items[7]", "[7].id"])
def test_where_no_element_stands_alone_the_record_goes(value: bytes, path: str) -> None:
    assert dead_letter(record(value), "wrong_type", path, "", LIMIT)[2] == value
    event = history(1)[0]
    raw = cloudevent(event)
    (letter,) = Letters(LIMIT).ahead(record(b"[1," + raw + b"]"), event, "[1].")
    assert (letter[2], dict(letter[3])["path"], dict(letter[3])["reason"]) == (raw, b"[1].time", b"time_ahead")


TPS = [TP("interplay.events", number) for number in range(3)]


def test_who_is_far_ahead_waits_for_the_slowest_that_has_a_backlog() -> None:
    pace = Pace(Settings(), Metrics())
    pace.own(set(TPS))
    pace.told(TPS[0], 100 * MINUTE, at_end=False)
    assert pace.held_back(set(TPS)) == {TPS[0]}  # nothing is known of the others yet
    pace.told(TPS[1], 100 * MINUTE - AHEAD_LIMIT, at_end=False)
    pace.told(TPS[2], BEFORE_ALL, at_end=True)  # empty: holds nobody up
    assert pace.held_back(set(TPS)) == set()
    pace.told(TPS[0], 100 * MINUTE + 1, at_end=False)
    assert pace.held_back(set(TPS)) == {TPS[0]}
    pace.told(TPS[1], 0, at_end=True)
    assert pace.held_back(set(TPS)) == set()


def test_alone_nobody_waits_and_a_new_assignment_forgets() -> None:
    pace = Pace(Settings(), Metrics())
    assert pace.held_back(set()) == set()
    pace.own({TPS[0]})
    pace.told(TPS[0], 100 * MINUTE, at_end=False)
    assert pace.held_back({TPS[0]}) == set()
    pace.own({TPS[1]})
    pace.told(TPS[1], 500 * MINUTE, at_end=False)
    assert pace.held_back({TPS[1]}) == set()
