"""A source partition in reduce: every kind opens as `[[source]]`; what cannot be used is a letter with reason and place."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from audit_records import GITOPS, audit, deployment
from faust.types import TP
from test_kubernetes_surroundings import happened, message
from test_mapping import settings_of

from models.instants import HOUR, parse_time
from models.reduction import Reducer
from models.translation import TranslatingReducer
from streams.kafka_client import MILLISECOND
from streams.metrics import Metrics
from streams.record import Record
from streams.roles.partition import SourcePartition, opened
from streams.settings import Mapping, Settings, SourceTopic
from streams.sources.kinds import KINDS

NOW = parse_time("2026-11-24T10:10:00Z")


def record(value: bytes | None, offset: int = 0) -> Record:
    return Record("other", 0, offset, NOW // MILLISECOND, None, value, [])


def partition(kind: str) -> tuple[SourcePartition, Metrics]:
    metrics = Metrics()
    table = SourceTopic(topic="other", kind=kind)
    return opened(TP("other", 0), Settings(source=(table,), map=rules()), metrics, None), metrics


def rules() -> tuple[Mapping, ...]:
    from test_mapping import TABLE

    return settings_of(TABLE)


def fed(kind: str, *values: Any) -> tuple[list[Any], list[dict[str, bytes]]]:
    """Events and the headers of letters."""
    opened_as, _ = partition(kind)
    letters = []
    for offset, value in enumerate(values):
        raw = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
        letters += opened_as.take_in(record(raw, offset))
    release = opened_as.reducer.release(NOW + HOUR, at_end=True)
    opened_as.measure()
    letters += opened_as.letters(release.refused)
    return release.events, [{name: value or b"" for name, value in headers} for *_, headers in letters]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_opens_and_refuses_what_is_nothing(kind: str) -> None:
    events, letters = fed(kind, None, b"", b"\xff{", b"x" * ((1 << 20) + 1))
    assert events == []
    assert [letter["reason"] for letter in letters][:2] == [b"not_json", b"not_json"]
    assert letters[-1]["reason"] == b"too_large" and [letter["offset"] for letter in letters] == [b"0", b"1", b"2", b"3"]


def test_a_topic_of_ours_is_read_as_events() -> None:
    ours = opened(TP("interplay.events", 0), Settings(), Metrics(), None)
    assert type(ours) is SourcePartition and type(ours.reducer) is Reducer


@pytest.mark.parametrize(("kind", "value"), [("k8s-events", happened("BackOff")), ("alertmanager", message("firing"))])
def test_what_stands_for_itself_goes_through(kind: str, value: Any) -> None:
    events, letters = fed(kind, value)
    assert len(events) == 1 and letters == []


def test_what_translation_refuses_is_a_letter_of_its_record() -> None:
    good = audit(0, GITOPS, "create", "deployments/cart", deployment(2, 10), code=201)
    bad = audit(1, GITOPS, "update", "deployments/cart")
    raw = json.dumps(bad).encode()[:-1] + b', "responseObject": ' + b'{"a":' * 1100 + b"1" + b"}" * 1100 + b"}"
    events, letters = fed("k8s-audit", good, raw)
    assert len(events) == 1
    assert [(letter["reason"], letter["offset"]) for letter in letters] == [(b"too_deep", b"1")]


def test_what_was_passed_over_is_measured() -> None:
    opened_as, metrics = partition("k8s-audit")
    opened_as.take_in(record(json.dumps(audit(0, GITOPS, "get", "deployments/cart")).encode()))
    opened_as.measure()
    assert 'interplay_passed_over_total{topic="other",partition="0",why="reads"} 1' in metrics.render()
    assert isinstance(opened_as.reducer, TranslatingReducer) and msgspec.structs.asdict(opened_as.reducer.progress())["offset"] == 1
