"""What every kind of source promises, whatever it reads: `streams.sources.source`. A new kind needs a row in CASES, and no more here."""

from __future__ import annotations

import json
import lzma
import random
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from fuzz_otlp import mutated
from test_kubernetes_surroundings import happened, message
from test_mapping import RECORD, TABLE, settings_of
from trail_records import AUTOSCALER, SCHEDULER, TERRAFORM, call, desired

from models.events import AnyEvent, Sample, decode_signal, encode_signal
from models.foreign import Foreign
from models.instants import HOUR
from models.panes import Panes
from models.rejection import Rejection
from streams.cli.lines import Sourcing, read
from streams.settings import Settings
from streams.sources.in_order import translated
from streams.sources.kinds import KINDS
from streams.sources.source import Origin, Source

DATA = Path(__file__).parent / "data"


class Case(NamedTuple):
    """Good records of one kind, whether a file of them says by itself what it is, and what is refused with which reason."""

    good: list[bytes]
    refused: dict[bytes, str]
    recognised: bool = True
    settings: Settings = Settings()


def _audit() -> list[bytes]:
    return lzma.decompress((DATA / "k8s_audit" / "a_gitops_hpa.jsonl.xz").read_bytes()).splitlines()[:400]


def _alerts() -> list[bytes]:
    found = []
    for name in "abc":
        for state in ("firing", "resolved"):
            told = message(state, alertname="Down", service=name)
            told["alerts"][0]["fingerprint"] = name
            found.append(json.dumps(told).encode())
    return found


def _trail() -> list[bytes]:
    calls = [desired(30 * n, (AUTOSCALER, SCHEDULER)[n % 2], n % 5) for n in range(40)]
    calls += [
        call(7, TERRAFORM, "ec2:DescribeInstances"),
        call(8, TERRAFORM, "lambda:DeleteFunctionConcurrency20171031", {"functionName": "f"}),
    ]
    return [json.dumps({"Records": calls[n : n + 7]}).encode() for n in range(0, len(calls), 7)]


CASES: dict[str, Case] = {
    "k8s-audit": Case(
        _audit(),
        {b"{": "not_json", b'{"kind": "Event", "apiVersion": "apps/v1"}': "unknown_type"},
    ),
    "k8s-events": Case(
        [json.dumps(happened("FailedScheduling", metadata={"name": "x.1", "uid": f"u{n}"})).encode() for n in range(5)],
        {b"{": "not_json"},
    ),
    "alertmanager": Case(_alerts(), {b"{": "not_json"}),
    "cloudtrail": Case(
        _trail(),
        {
            b"{": "not_json",
            b"{}": "unknown_type",
            json.dumps({**desired(0, AUTOSCALER, 1), "eventTime": "soon"}).encode(): "bad_time",
        },
    ),
    "otlp": Case(
        [(DATA / "otlp" / f"json_{name}.json").read_bytes() for name in ("spans", "metrics", "logs")],
        {b"{": "not_json", b"\xff\xff\xff": "not_otlp"},
    ),
    "json": Case(
        [json.dumps({**RECORD, "at": f"2026-11-24T10:00:{n:02d}Z", "size": n}).encode() for n in range(20)],
        {b"{": "not_json", json.dumps({**RECORD, "at": "soon"}).encode(): "bad_time"},
        recognised=False,
        settings=Settings(map=settings_of({**TABLE, "attributes": {**TABLE["attributes"], "id": "{at}"}})),
    ),
}


def opened(kind: str, domain: str = "default") -> Source:
    return KINDS[kind].open(CASES[kind].settings, Origin(domain=domain))


def events(kind: str, records: list[bytes], domain: str = "default") -> tuple[list[AnyEvent | Rejection], Counter[str]]:
    counts: Counter[str] = Counter()
    source = opened(kind, domain)
    numbered = ((number, record) for number, record in enumerate(records, 1))
    return [found for _, found in translated(numbered, source, KINDS[kind].pane(CASES[kind].settings), counts)], counts


def test_every_kind_is_tried() -> None:
    assert CASES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_good_records_become_events_that_survive_the_signals_topic(kind: str) -> None:
    found, counts = events(kind, CASES[kind].good, domain="eu")
    assert found and not [each for each in found if isinstance(each, Rejection)]
    assert counts[KINDS[kind].taken] > 0
    for event in found:
        assert not isinstance(event, Rejection)
        assert event.domain == "eu" and event.id and event.source and len(event.id) <= 512 and len(event.source) <= 512
        assert 0 <= len(event.resource) <= 512
        if not isinstance(event, Sample):
            assert decode_signal(encode_signal(event)) == event


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_twice_or_in_another_order_is_the_same(kind: str) -> None:
    records = CASES[kind].good
    ordered = {(each.source, each.id): each for each in events(kind, records)[0] if not isinstance(each, Rejection)}
    for seed in range(3):
        shuffled = [*records, *records[::3]]
        random.Random(seed).shuffle(shuffled)
        found = {(each.source, each.id): each for each in events(kind, shuffled)[0] if not isinstance(each, Rejection)}
        assert found == ordered


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, case in CASES.items() for value in case.refused])
def test_bad_input_is_refused_with_its_reason_and_costs_no_other_record(kind: str, value: bytes) -> None:
    good = CASES[kind].good
    found, _ = events(kind, [good[0], value, *good[1:]])
    bad = [each for each in found if isinstance(each, Rejection)]
    assert [each.reason for each in bad] == [CASES[kind].refused[value]] and all(each.detail for each in bad)
    assert [each for each in found if not isinstance(each, Rejection)] == events(kind, good)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_parsing_looks_at_the_record_alone_hands_back_its_place_and_never_raises(kind: str) -> None:
    draw, source = random.Random(5), opened(kind)
    records = [*CASES[kind].good[:20], *[mutated(draw, CASES[kind].good) for _ in range(300)]]
    for record in records:
        place = object()
        found = source.parse(record, (), place)
        again = opened(kind).parse(record, (), place)
        assert list(found) == list(again)
        assert all(each.place is place for each in found if isinstance(each, Foreign))


@pytest.mark.parametrize("kind", KINDS)
def test_a_fold_is_empty_when_it_is_new_and_begins_anew_in_panes(kind: str) -> None:
    source = opened(kind)
    fold = source.fold()
    assert fold.delay >= 0 and not fold.counts and list(fold.passed(0)) == []
    foreign = [each for record in CASES[kind].good for each in source.parse(record, (), 1) if isinstance(each, Foreign)]
    whole, paned = source.fold(), Panes(source.fold, 1000 * HOUR)
    for each in sorted(foreign, key=lambda each: (each.time, each.source, each.id)):
        assert list(whole.translate(each)) == list(paned.translate(each))
    end = max((each.time for each in foreign), default=0) + 10 * HOUR
    assert list(whole.passed(end)) == list(paned.passed(end))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_says_itself_what_it_is_and_is_nothing_else(kind: str, tmp_path: Path) -> None:
    case = CASES[kind]
    file = tmp_path / "log"
    file.write_bytes(b"\n".join(case.good) + b"\n")
    wanted = events(kind, case.good)[0]
    insisted = Sourcing(case.settings, kind)
    assert [each for _, each in read([str(file)], insisted)] == wanted and insisted.logs.keys() == {kind}
    sourcing = Sourcing(case.settings)
    found = [each for _, each in read([str(file)], sourcing)]
    if case.recognised:
        assert found == wanted and sourcing.logs.keys() == {kind}
    else:
        assert not sourcing.logs and all(isinstance(each, Rejection) for each in found)


@pytest.mark.parametrize("kind", KINDS)
def test_two_files_are_the_one_that_they_were(kind: str, tmp_path: Path) -> None:
    case = CASES[kind]
    whole, *parts = [tmp_path / name for name in ("whole", "even", "odd")]
    whole.write_bytes(b"\n".join(case.good) + b"\n")
    for number, part in enumerate(parts):
        part.write_bytes(b"\n".join(case.good[number::2]) + b"\n")
    sourcing = Sourcing(case.settings, kind)
    found = [str(event) for _, event in read([str(part) for part in parts], sourcing)]
    expected = Sourcing(case.settings, kind)
    assert sorted(found) == sorted(str(event) for _, event in read([str(whole)], expected)) != []
    assert sourcing.logs == expected.logs


def test_the_settings_of_a_case_are_the_defaults_but_for_what_it_needs() -> None:
    assert [kind for kind, case in CASES.items() if msgspec.structs.replace(case.settings, map=()) != Settings()] == []
