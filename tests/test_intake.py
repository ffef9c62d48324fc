"""Files into the analyzer while they are read: the same findings as all at once, late events counted, files side by side."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from histories import SETTINGS, history
from small_histories import turns

from models.analyzer import Analyzer
from models.configuration import Analysis
from models.events import Action, Event, Sample
from models.findings import Finding, Quality, encode_finding
from models.instants import HOUR, SECOND
from streams.intake import Intake

PLAIN = Quality()


def final(changes: Sequence[Finding]) -> list[bytes]:
    """The last revision of each finding, without `quality`, which tells how the data came."""
    from msgspec.structs import replace

    newest = {finding.finding_id: finding for finding in changes}
    return sorted(encode_finding(replace(finding, quality=PLAIN)) for finding in newest.values())


def at_once(events: Sequence[Event], settings: Analysis = SETTINGS) -> list[bytes]:
    analyzer = Analyzer(settings)
    for event in events:
        analyzer.feed(event)
    return final([change.finding for change in analyzer.finish()])


def streamed(events: Sequence[Event], hold: int, step: int = 3) -> tuple[list[bytes], Intake]:
    intake = Intake(Analyzer(SETTINGS), hold, step)
    changes = [change for event in events for change in intake.feed(event)]
    return final([change.finding for change in [*changes, *intake.finish()]]), intake


def analysed(seed: int) -> list[Event]:
    return [event for event in history(seed) if not isinstance(event, Sample)]


@pytest.mark.parametrize("seed", range(8))
def test_a_file_in_order_gives_what_all_at_once_gives(seed: int) -> None:
    events = sorted(analysed(seed), key=lambda event: event.time)
    found, intake = streamed(events, hold=5)
    assert found == at_once(events)
    assert intake.late == 0


@pytest.mark.parametrize("seed", range(8))
def test_disorder_within_what_waits_changes_nothing(seed: int) -> None:
    events, rng = analysed(seed), random.Random(seed)
    rng.shuffle(events)
    found, intake = streamed(events, hold=len(events))
    assert (found, intake.late) == (at_once(events), 0)
    nearly = [
        event
        for _, event in sorted(
            (place + rng.uniform(0, 20), event) for place, event in enumerate(sorted(events, key=lambda e: e.time))
        )
    ]
    found, intake = streamed(nearly, hold=25)
    assert (found, intake.late) == (at_once(events), 0)


def test_some_of_the_histories_find_something() -> None:
    assert sum(bool(at_once(analysed(seed))) for seed in range(8)) >= 6


def write(number: int, time_s: int) -> Action:
    return Action(id=f"a{number}", source="s", time=time_s * SECOND, resource="r", agent="a", verb="set", parameter="p", new=number)


def test_late_is_what_neither_the_held_events_nor_the_lateness_cover() -> None:
    lateness_s = SETTINGS.time.lateness // SECOND
    intake = Intake(Analyzer(SETTINGS), hold=10, step=1)
    for number in range(100):
        intake.feed(write(number, 1000 * (number + 1)))
    intake.feed(write(100, 91_000))  # the oldest that waits is at 91,000 s
    assert intake.late == 0
    intake.feed(write(101, 90_000))
    assert (intake.late, intake.counters()["late"]) == (1, 1)
    dense = Intake(Analyzer(SETTINGS), hold=10, step=1)
    for number in range(1000):
        dense.feed(write(number, 1000))
    dense.feed(write(1000, 1000 - lateness_s))
    assert dense.late == 0
    dense.feed(write(1001, 1000 - lateness_s - 1))
    assert dense.late == 1


def test_one_wild_clock_makes_nothing_else_late() -> None:
    intake = Intake(Analyzer(SETTINGS), hold=10, step=1)
    intake.feed(write(0, 9_000_000_000))
    for number in range(1, 200):
        intake.feed(write(number, 1000 * number))
    assert intake.late == 0


def test_what_waits_is_bounded() -> None:
    analyzer = Analyzer(SETTINGS)
    intake = Intake(analyzer, hold=50, step=10)
    for number in range(5000):
        intake.feed(write(number, 3600 * number))
        assert analyzer.timeline.pending <= 60
    assert len(analyzer.domains["default"].memory) <= SETTINGS.memory // HOUR + 1
    assert not analyzer.domains["default"].facts.changed or len(analyzer.domains["default"].facts) <= 2


def test_what_was_resolved_long_ago_is_not_remembered() -> None:
    analyzer = Analyzer()
    intake = Intake(analyzer, hold=50, step=10)
    opened = 0
    for day in range(60):
        for event in turns(["perf", "cost"], [8, 16] * 5, 10, 86_400.0 * day):
            assert isinstance(event, Action)
            opened += sum(change.verb == "opened" for change in intake.feed(event))
    assert opened > 40 and len(analyzer.episodes.resolved) < 10
