"""Workers that die, join and leave in mid-stream: the findings stay those of the core, every revision, none twice with other words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from histories import history
from live_path import LivePath, expected

from models.events import Event
from streams.settings import Settings

pytestmark = pytest.mark.kafka

EVENTS: list[Event] = history(11, events=600)


@pytest.fixture
def path(kafka_settings: Settings, tmp_path: Path) -> Iterator[LivePath]:
    assert len(expected(EVENTS)) > 30
    with LivePath(kafka_settings, tmp_path) as live:
        yield live


def in_pieces(path: LivePath, count: int, seed: int = 0) -> Iterator[None]:
    """Writes the events in `count` pieces, and hands over after each but the last."""
    records = path.records(EVENTS, seed)
    for number in range(count):
        path.write(records[number * len(records) // count : (number + 1) * len(records) // count])
        if number < count - 1:
            time.sleep(0.5)
            yield


def test_workers_that_are_killed_in_mid_stream_lose_and_double_nothing(path: LivePath) -> None:
    workers = path.start("reduce", "analyze")
    for _, victim in zip(in_pieces(path, 3), workers, strict=False):  # the pieces first: zip must come to their end
        victim.restart()
    path.await_findings(EVENTS)


def test_a_second_worker_of_each_role_joins_and_leaves(path: LivePath) -> None:
    path.start("reduce", "analyze")
    pieces = in_pieces(path, 3)
    next(pieces)
    second = path.start("reduce", "analyze")
    next(pieces)
    assert [worker.stop() for worker in second] == [0, 0]
    assert list(pieces) == []
    path.await_findings(EVENTS)


@pytest.mark.faults
@pytest.mark.parametrize("seed", [1, 2])
def test_two_workers_of_each_role_are_killed_again_and_again(path: LivePath, seed: int) -> None:
    workers = path.start("reduce", "analyze", "reduce", "analyze")
    for number, _ in enumerate(in_pieces(path, 7, seed)):
        workers[number % 4].restart()
        time.sleep(seed)
    path.await_findings(EVENTS)
