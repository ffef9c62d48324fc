"""Audit logs through reduce and analyze, however they come: the findings of `interplay analyze` (Hypothesis).

One partition, or one per cluster: every finding alike. Keyed by object over several partitions, as a shipper may do: what one object's own
history tells is the same; what joins objects (why an autoscaler scaled, which node was cordoned) is not.
"""

from __future__ import annotations

import json
import random
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from audit_records import became
from hypothesis import given, settings
from hypothesis import strategies as st
from reduced import reduced_by
from test_kubernetes import FIGHTS, QUIET, lines

from models.analyzer import Analyzer
from models.configuration import Analysis
from models.events import Event, Sample, key
from models.findings import Finding, Quality, encode_finding
from models.instants import MINUTE, SECOND, parse_time
from models.panes import Panes
from models.reduction import ReduceProgress
from models.rejection import Rejection
from models.translation import TranslatingReducer
from streams.settings import Settings
from streams.sources.kinds import KINDS
from streams.sources.source import Origin

ANALYSIS = Analysis()
PANE = MINUTE  # the recordings have some minutes, so folds begin anew several times


def findings(events: list[Event]) -> list[bytes]:
    """All revisions, without their quality."""
    analyzer = Analyzer(ANALYSIS)
    changes = [change for event in sorted(events, key=key) for change in analyzer.feed(event)]  # type: ignore[arg-type]
    changes += analyzer.finish()
    told: dict[tuple[str, int], Finding] = {(c.finding.finding_id, c.finding.revision): c.finding for c in changes}
    return [encode_finding(msgspec.structs.replace(told[name], quality=Quality())) for name in sorted(told)]


@cache
def of_file(name: str, pane: int = PANE) -> tuple[bytes, ...]:
    """What `analyze` finds."""
    found = became(lines(name), pane=pane)[0]
    return tuple(findings([each for each in found if not isinstance(each, Rejection | Sample)] + demand(found)))


def demand(found: list[Any]) -> list[Event]:
    return [each for each in found if isinstance(each, Sample) and each.role == "demand"]


def reduced(log: list[tuple[int, bytes]], rng: random.Random, crash: float) -> list[Event]:
    """One partition's records (append time, value) through reduce: polls of any size, workers that die."""
    kind = KINDS["k8s-audit"]

    def opened(progress: ReduceProgress | None) -> tuple[Any, TranslatingReducer]:
        source = kind.open(Settings(), Origin())
        return source, TranslatingReducer("audit/0", ANALYSIS.time, Panes(source.fold, PANE), progress)

    return reduced_by(opened, log, rng, crash, 400)


def appended(log: list[bytes], rng: random.Random, disorder: float, doubled: float) -> list[tuple[int, bytes]]:
    found = []
    for line in log:
        at = parse_time(json.loads(line)["stageTimestamp"]) + int(rng.uniform(0, disorder) * SECOND)
        found += [(at, line)] * (1 + (rng.random() < doubled))
    return sorted(found)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([*FIGHTS, *QUIET]), st.integers(0, 999), st.sampled_from([0.0, 9.0]), st.sampled_from([0.0, 0.2]),
    st.sampled_from([0.0, 0.3]),
)  # fmt: skip
def test_one_partition_gives_the_findings_of_the_file(name: str, seed: int, disorder: float, doubled: float, crash: float) -> None:
    rng = random.Random(seed)
    log = appended(lines(name), rng, disorder, doubled)
    assert tuple(findings(reduced(log, rng, crash))) == of_file(name)


@pytest.mark.parametrize("name", [*FIGHTS, *QUIET])
def test_a_log_keyed_by_object_has_the_same_fights(name: str) -> None:
    parts: list[list[bytes]] = [[], [], []]
    for line in lines(name):
        ref = json.loads(line).get("objectRef", {})
        place = f"{ref.get('namespace')} {ref.get('resource')} {ref.get('name')}"
        parts[random.Random(place).randrange(3)].append(line)
    assert all(parts)
    events = [
        event
        for number, part in enumerate(parts)
        for event in reduced(appended(part, random.Random(number), 5, 0), random.Random(number), 0)
    ]
    analyzer, found = Analyzer(ANALYSIS), dict[str, Finding]()
    for event in sorted(events, key=key):
        found.update({change.finding.finding_id: change.finding for change in analyzer.feed(event)})  # type: ignore[arg-type]
    found.update({change.finding.finding_id: change.finding for change in analyzer.finish()})
    told = [(f"{each.pattern}/{each.kind}", each.agents, each.parameters) for each in found.values()]
    assert told == ([(FIGHTS[name][0], FIGHTS[name][1], (FIGHTS[name][3],))] if name in FIGHTS else [])


def test_the_panes_of_these_properties_are_crossed_and_the_defaults_are_not() -> None:
    for name in FIGHTS:
        times = [parse_time(json.loads(line)["stageTimestamp"]) for line in lines(name)]
        assert sum(a // PANE != b // PANE for a, b in pairwise(sorted(times))) >= 3
        assert of_file(name) and of_file(name, ANALYSIS.memory)
