"""OTLP over several partitions, by trace as the collector's exporter shares it out: the findings of one file of it, however it comes.

Records come out of order within the lateness, some twice, in polls of any size, to workers that die. Hypothesis draws all of that.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from otlp_records import as_json, as_protobuf, at, request, span, told
from reduced import reduced_by
from test_foreign_properties import findings
from test_opentelemetry import log, tool

from models.configuration import Analysis
from models.events import Event, Sample
from models.findings import decode_finding
from models.instants import SECOND
from models.panes import Panes
from models.reduction import ReduceProgress
from models.rejection import Rejection
from models.translation import TranslatingReducer
from streams.settings import Settings
from streams.sources.opentelemetry import OTLP
from streams.sources.source import Origin

ANALYSIS = Analysis()
SETTINGS = Settings(analysis=ANALYSIS)
AGENTS = (("perf-scaler", 8), ("cost-saver", 2), ("sre-bot", 5))
Item = tuple[int, int, bytes]  # end (ns), trace, record


@cache
def history(seed: int) -> tuple[Item, ...]:
    """Agents that turn knobs of two services, some against each other; servers that call each other, fail now and then, and log."""
    draw, found = random.Random(seed), list[Item]()
    fighting = draw.random() < 0.8
    for number in range(36):
        trace, begin = number + 1, 50.0 * number + draw.uniform(0, 20)
        agent, replicas = AGENTS[number % 2] if fighting else AGENTS[number // 12]
        length, ids = draw.uniform(0.2, 6), {"trace": trace}
        service = draw.choice(("cart", "cart", "cart", "pay"))
        call = tool(
            2, 1, arguments=f'{{"deployment": "{service}", "replicas": {replicas}}}', start=begin, end=begin + length, **ids
        )
        whole = span("invoke", 1, kind=1, start=begin, end=begin + length + 0.5, **ids)
        client = span("GET", 3, 2, kind=3, start=begin, end=begin + 0.9 * length, **ids)
        failed = {"status": {"code": 2}} if draw.random() < 0.5 else {}
        server = span("GET /", 4, 3, kind=2, start=begin, end=begin + 0.8 * length, **failed, **ids)
        line = log(f"slow {number % 3}", 13, begin + 0.5 * length, traceId=f"{trace:032x}", spanId=f"{4:016x}")
        for kind, item, process in (
            ("traces", call, agent), ("traces", whole, agent), ("traces", client, agent),
            ("traces", server, service), ("logs", line, service),
        ):  # fmt: skip
            time = int(item.get("endTimeUnixNano") or item["timeUnixNano"])
            found.append((time, trace, draw.choice((as_json, as_protobuf))(request(kind, [item], process))))
    return tuple(sorted(found))


@cache
def of_file(seed: int) -> tuple[bytes, ...]:
    events = told(*(record for _, _, record in history(seed)))
    assert not any(isinstance(event, Rejection) for event in events)
    return tuple(findings([event for event in events if not isinstance(event, Rejection | Sample)]))


def reduced(log: list[tuple[int, bytes]], rng: random.Random, crash: float) -> list[Event]:
    """One partition's records (append time, value) through reduce: polls of any size, workers that die."""

    def opened(progress: ReduceProgress | None) -> tuple[Any, TranslatingReducer]:
        source = OTLP.open(SETTINGS, Origin("prod", "shop"))
        return source, TranslatingReducer("otlp/0", ANALYSIS.time, Panes(source.fold, OTLP.pane(SETTINGS)), progress)

    return reduced_by(opened, log, rng, crash, 30)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 19),
    st.integers(1, 5),
    st.integers(0, 999),
    st.sampled_from([0.0, 9.0]),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([0.0, 0.3]),
)
def test_partitions_by_trace_have_the_findings_of_the_file(
    seed: int, partitions: int, arrival: int, disorder: float, doubled: float, crash: float
) -> None:
    rng = random.Random(arrival)
    parts: list[list[tuple[int, bytes]]] = [[] for _ in range(partitions)]
    for time, trace, record in history(seed):
        append = time + int(rng.uniform(0, disorder) * SECOND)
        parts[random.Random(trace).randrange(partitions)] += [(append, record)] * (1 + (rng.random() < doubled))
    events = [event for part in parts if part for event in reduced(sorted(part), rng, crash)]
    assert tuple(findings(events)) == of_file(seed)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 19), st.integers(0, 999))
def test_a_file_in_another_order_and_in_other_batches_has_the_same_findings(seed: int, arrival: int) -> None:
    rng = random.Random(arrival)
    items = sorted(history(seed), key=lambda item: item[0] + rng.uniform(0, 9) * SECOND)
    events = told(*(record for _, _, record in items))
    assert tuple(findings([event for event in events if not isinstance(event, Rejection | Sample)])) == of_file(seed)


def told_twice() -> list[bytes]:
    """One span as two exporters have it, one of which saw more; and so a log line, which is two, and a point."""
    calls = [tool(1, arguments=f'{{"deployment": "cart", "replicas": {n}}}', trace=7) for n in (3, 8, 5)]
    counts = [{"timeUnixNano": str(at(t)), "asInt": str(n)} for t, n in ((0, 1), (9, 5), (9, 6), (9, 4))]
    sums = [{"name": "m", "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [each]}} for each in counts]
    return [as_json(request("traces", [call])) for call in calls] + [as_json(request("metrics", [each])) for each in sums]


@pytest.mark.parametrize("seed", range(10))
def test_of_several_records_of_one_name_the_same_counts_whichever_came_first(seed: int) -> None:
    records = told_twice()
    wanted = told(*records)
    assert Counter(type(event).__name__ for event in wanted) == {"Action": 1, "Sample": 1}
    random.Random(seed).shuffle(records)
    assert told(*records) == wanted
    (action,) = reduced([(at(10), record) for record in records], random.Random(seed), 0)
    assert action in wanted


@pytest.mark.parametrize("seed", range(20))
def test_records_spread_by_chance_have_the_same_fights(seed: int) -> None:
    """What joins the spans of a trace is lost then (docs/opentelemetry.md), and what agents did to a knob is not."""
    rng = random.Random(seed)
    parts: list[list[tuple[int, bytes]]] = [[], [], []]
    for time, _, record in history(seed):
        rng.choice(parts).append((time, record))
    events = [event for part in parts for event in reduced(part, rng, 0)]
    assert fights(findings(events)) == fights(of_file(seed))


def fights(found: Sequence[bytes]) -> set[tuple[str, ...]]:
    told = map(decode_finding, found)
    return {
        (each.finding_id, each.pattern, each.kind, *each.agents, *each.parameters) for each in told if each.pattern == "thrashing"
    }


def test_these_histories_have_fights_and_quiet_and_every_kind_of_event() -> None:
    found = [fights(of_file(seed)) for seed in range(20)]
    assert sum(map(bool, found)) >= 10 and sum(not each for each in found) >= 2
    kinds = Counter(type(event).__name__ for seed in range(5) for event in told(*(record for _, _, record in history(seed))))
    assert all(kinds[kind] >= 40 for kind in ("Action", "Transition", "Dependency")), kinds
