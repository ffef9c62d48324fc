"""Records from Kafka and lines from files: every mode, every compression, and what is cut short."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import random
import sys
from collections.abc import Callable
from pathlib import Path

import cramjam
import pytest
from broken_records import LIMIT, TYPES, good

from models.configuration import StreamTime
from models.reduction import Reducer
from models.rejection import Rejection
from streams.sources.cloudevents import decode_record
from streams.sources.files import LINE_LIMIT, read_events


def lines(count: int) -> bytes:
    """Events that compress badly, so that a packed file is longer than any buffer."""
    rng = random.Random(1)
    return b"".join(json.dumps(good(id=f"e{i}", note=rng.randbytes(40).hex())).encode() + b"\n" for i in range(count))


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "xz": lzma.compress,
    "zst": lambda raw: bytes(cramjam.zstd.compress(raw)),
}


def ids(path: Path) -> list[str]:
    return ["" if isinstance(event, Rejection) else event.id for _, event in read_events(str(path))]


@pytest.mark.parametrize("packing", PACKINGS)
def test_every_compression_is_known_by_its_content(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(PACKINGS[packing](lines(6000)))
    assert path.stat().st_size > 100_000
    assert ids(path) == [f"e{i}" for i in range(6000)]


@pytest.mark.parametrize("packing", ["gz", "xz", "zst"])
@pytest.mark.parametrize("kept", [0.5, 0.999])
def test_a_file_that_is_cut_short_says_so(packing: str, kept: float, tmp_path: Path) -> None:
    path, packed = tmp_path / "events", PACKINGS[packing](lines(3000))
    path.write_bytes(packed[: int(len(packed) * kept)])
    with pytest.raises((EOFError, OSError, cramjam.DecompressionError)):
        ids(path)


def test_files_one_after_the_other_in_one(tmp_path: Path) -> None:
    for packing in ("gz", "xz", "zst"):
        path = tmp_path / packing
        path.write_bytes(PACKINGS[packing](lines(2)) * 2)
        assert ids(path) == ["e0", "e1"] * 2


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(lines(3)))))
    assert [line for line, _ in read_events("-")] == [1, 2, 3]


def test_lines_keep_their_numbers(tmp_path: Path) -> None:
    path, line = tmp_path / "events", json.dumps(good()).encode()
    long = json.dumps(good(note="x" * LINE_LIMIT)).encode()
    path.write_bytes(b"\xef\xbb\xbf" + line + b"\r\n\n  \nnot json\n" + long + b"\n" + line)
    found = list(read_events(str(path)))
    assert [number for number, _ in found] == [1, 4, 5, 6]
    assert [event.reason if isinstance(event, Rejection) else "" for _, event in found] == ["", "not_json", "too_large", ""]
    assert isinstance(found[2][1], Rejection) and found[2][1].detail == f"{len(long) + 1:,} bytes, at most {LINE_LIMIT:,}"


def test_a_line_at_the_limit_is_good(tmp_path: Path) -> None:
    path, shell = tmp_path / "events", len(json.dumps(good(note="")).encode())
    for over in (0, 1):
        path.write_bytes(json.dumps(good(note="x" * (LINE_LIMIT - shell + over))).encode() + b"\n")
        assert ids(path) == [""] * over + ["a1"] * (1 - over)


@pytest.mark.parametrize("kind", TYPES)
def test_the_name_of_the_content_type_and_its_parameters_do_not_matter(kind: str) -> None:
    value = json.dumps(good(kind)).encode()
    for name, content in (
        ("content-type", b"application/cloudevents+json"),
        ("Content-Type", b"Application/CloudEvents+JSON; charset=utf-8"),
        ("CONTENT-TYPE", b" application/cloudevents+json ;charset=UTF-8"),
    ):
        found = decode_record(value, [("traceparent", b"00-\xff"), (name, content)], LIMIT)
        assert len(found) == 1 and not isinstance(found[0], Rejection)
    assert decode_record(value, [("retries", b"1")], LIMIT) == found
    assert decode_record(b" \n[" + value + b"," + value + b"]", [("retries", b"1")], LIMIT) == found * 2


def test_structured_mode_wins_over_attributes_in_headers() -> None:
    headers = [("ce_id", b"other"), ("content-type", b"application/cloudevents+json")]
    found = decode_record(json.dumps(good()).encode(), headers, LIMIT)[0]
    assert not isinstance(found, Rejection) and found.id == "a1"


def test_binary_mode_takes_causes_as_text_or_as_a_list() -> None:
    event = good()
    headers = [("CE_" + name, str(event[name]).encode()) for name in ("specversion", "id", "source", "type", "time", "subject")]
    for causes, expected in ((b"a0", ("a0",)), (b'["a0", "s b1"]', ("a0", "s b1")), (b"", ())):
        found = decode_record(json.dumps(event["data"]).encode(), [*headers, ("ce_causationid", causes)], LIMIT)[0]
        assert not isinstance(found, Rejection) and found.causes == expected


def test_a_tombstone_is_no_event() -> None:
    assert [found.reason for found in decode_record(None, [], LIMIT) if isinstance(found, Rejection)] == ["not_json"]


def test_a_batch_with_one_id_and_two_contents_passes_through_reduce_in_its_order() -> None:
    batch = json.dumps([good(), good(data={"agent": "b", "verb": "x"}), good()]).encode()
    events = [event for event in decode_record(batch, [], LIMIT) if not isinstance(event, Rejection)]
    reducer = Reducer("events/0", StreamTime(), None)
    assert reducer.feed(0, events[0].time, events) == []
    later = decode_record(json.dumps(good(id="later", time="2026-11-24T03:00:00Z")).encode(), [], LIMIT)[0]
    assert not isinstance(later, Rejection)
    reducer.feed(1, later.time, [later])
    assert reducer.release(later.time, True).events == events
