"""Events in Kafka, findings out of Kafka, through real worker processes: the same as the core alone finds in the same events."""

from __future__ import annotations

from pathlib import Path

import pytest
from histories import history
from live_path import LivePath, expected
from wire_events import cloudevent

from models.decode import decode_event
from models.events import Event
from streams.settings import Settings

pytestmark = pytest.mark.kafka


def test_the_events_of_these_tests_survive_the_wire() -> None:
    for event in history(3, events=200):
        assert decode_event(cloudevent(event)) == event


def test_a_backfill_gives_the_findings_of_the_core(kafka_settings: Settings, tmp_path: Path) -> None:
    events: list[Event] = history(7, events=400)
    assert len(expected(events)) > 20
    with LivePath(kafka_settings, tmp_path) as path:
        path.write(path.records(events))
        workers = path.start("reduce", "analyze", "store", "alert")
        path.await_findings(events)
        path.await_rows(events)  # through the endpoint of the worker that has the store open
        assert [worker.stop() for worker in workers] == [0, 0, 0, 0]
        path.await_rows(events)
