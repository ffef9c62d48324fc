"""Decoding: every rule of the contract, a corpus of broken records, and bytes nobody thought of."""

from __future__ import annotations

import json
from datetime import datetime

import msgspec
import pytest
from broken_records import DATA, LIMIT, TYPES, broken, good
from hypothesis import given, settings
from hypothesis import strategies as st

from models.decode import decode_batch, decode_event
from models.events import Action, Dependency, Sample
from models.instants import SECOND, parse_time
from models.rejection import DETAIL_LIMIT, Rejection
from streams.sources.cloudevents import decode_record

CORPUS = list(broken())
decode = decode_record
FIELDS = ("missing_field", "wrong_type", "bad_time", "time_out_of_range", "unknown_type")


def test_the_corpus_is_large_and_has_every_reason() -> None:
    assert len({name for name, *_ in CORPUS}) == len(CORPUS) >= 200
    assert {reason for *_, reason in CORPUS} == {
        "not_json", "too_deep", "not_cloudevents", "unknown_type", "missing_field", "wrong_type", "bad_time", "time_out_of_range",
        "batch_not_array", "too_large", "too_long",
    }  # fmt: skip


def test_every_broken_record_gets_its_reason() -> None:
    wrong = []
    for name, value, headers, reason in CORPUS:
        found = decode(value, headers, LIMIT)
        if len(found) != 1 or not isinstance(found[0], Rejection) or found[0].reason != reason or not found[0].detail:
            wrong.append((name, reason, found[0]))
    assert wrong == []


def test_good_ones_among_broken_ones_are_unharmed() -> None:
    elements = [value for _, value, headers, reason in CORPUS if reason in FIELDS and len(headers) == 1 and value[:1] == b"{"]
    mixed = [element for i, bad in enumerate(elements) for element in (json.dumps(good(id=f"g{i}")).encode(), bad)]
    found = decode_batch(b"[" + b",".join(mixed) + b"]")
    assert [event.id for event in found if not isinstance(event, Rejection)] == [f"g{i}" for i in range(len(elements))]
    assert [event.path.split("]")[0] + "]" for event in found if isinstance(event, Rejection)] == [
        f"[{2 * i + 1}]" for i in range(len(elements))
    ]


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_decodes_in_every_mode(kind: str) -> None:
    event = good(kind)
    value = json.dumps(event).encode()
    headers = [(f"ce_{name}", str(text).encode()) for name, text in event.items() if name != "data"]
    structured = decode(value, [("Content-Type", b"application/cloudevents+json; charset=UTF-8")], LIMIT)
    binary = decode(json.dumps(DATA[kind]).encode(), [*headers, ("content-type", b"application/json")], LIMIT)
    batch = decode(json.dumps([event]).encode(), [("content-type", b"application/cloudevents-batch+json")], LIMIT)
    bare = decode(value, [], LIMIT)
    assert structured == binary == batch == bare
    assert not isinstance(structured[0], Rejection)


def test_missing_and_null_are_told_apart_and_lists_are_tuples() -> None:
    data = {
        "agent": "a",
        "verb": "v",
        "old": None,
        "reads": [{"resource": "r", "value": ["x", 1], "time": "2026-11-24T02:17:06.000000001Z"}],
    }
    event = decode_event(json.dumps(good(data=data, causationid=["s a0", "a1"])).encode())
    assert isinstance(event, Action)
    assert event.old is None and event.new is msgspec.UNSET
    assert event.reads[0].value == ("x", 1) and event.reads[0].time is not None and event.reads[0].time % 1_000_000_000 == 1
    assert event.parameter == "v" and event.causes == ("s a0", "a1")


def test_a_dependency_needs_no_subject_and_unknown_fields_are_ignored() -> None:
    event = good("dependency", futureattribute={"a": [1]})
    del event["subject"]
    assert isinstance(decode_event(json.dumps(event).encode()), Dependency)


def test_an_integer_beyond_64_bits_becomes_a_float() -> None:
    for digits in (19, 25, 300):
        found = decode_event(json.dumps(good()).replace("16", "9" * digits).encode())
        assert isinstance(found, Action) and found.new == pytest.approx(10.0**digits)
    found = decode_event(json.dumps(good()).replace("16", str((1 << 63) - 1)).encode())
    assert isinstance(found, Action) and found.new == (1 << 63) - 1


def test_details_and_paths_are_bounded_and_cannot_be_forged() -> None:
    for name, value, headers, _ in CORPUS:
        found = decode(value, headers, LIMIT)[0]
        assert isinstance(found, Rejection)
        assert len(found.detail) <= DETAIL_LIMIT + 200 and len(found.path) < 60, name
    forged = decode_event(json.dumps(good("sample", data={"metric": "m", "value": 1, "role": " - at `$.id`"})).encode())
    assert isinstance(forged, Rejection) and forged.path == "data.role"


def test_a_key_that_occurs_twice_counts_as_its_last() -> None:
    found = decode_event(json.dumps(good()).encode()[:-1] + b', "id": "second"}')
    assert isinstance(found, Action) and found.id == "second"


def test_a_nul_is_a_character_like_any_other() -> None:
    found = decode_event(json.dumps(good(id="a\0b")).encode())
    assert isinstance(found, Action) and found.id == "a\0b"


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2261, 12, 30)),
    st.integers(0, 12),
    st.text("0123456789", min_size=12, max_size=12),
    st.sampled_from(("Z", "z", "+00:00", "-07:30", "+23:59")),
)
def test_times_are_exact_in_every_spelling(moment: datetime, digits: int, fraction: str, zone: str) -> None:
    text = moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction[:digits]}" if digits else "") + zone
    whole = int(datetime.fromisoformat(moment.strftime("%Y-%m-%dT%H:%M:%S") + zone.replace("z", "Z")).timestamp())
    assert parse_time(text) == whole * SECOND + int(fraction[: min(digits, 9)].ljust(9, "0"))


def test_the_position_of_a_bad_field_is_named() -> None:
    found = decode_event(json.dumps(good(data={"agent": "a", "verb": "v", "reads": [{"resource": "r"}, {"metric": "m"}]})).encode())
    assert found == Rejection("missing_field", "data.reads[1].resource", "`data.reads[1].resource` is required")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_crash_the_decoder(raw: bytes) -> None:
    assert all(isinstance(found, Rejection) for found in decode(raw, [], LIMIT)) or raw.strip() == b"[]"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TYPES), st.data())
def test_no_mutation_crashes_the_decoder(kind: str, data: st.DataObject) -> None:
    raw = bytearray(json.dumps(good(kind)).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for found in decode(bytes(raw), [], LIMIT):
        assert isinstance(found, Rejection) or msgspec.json.encode(found)


def test_samples_decode_to_floats() -> None:
    event = decode_event(json.dumps(good("sample", data={"metric": "rps", "value": 3, "role": "demand"})).encode())
    assert isinstance(event, Sample) and event.value == 3.0 and event.role == "demand"
