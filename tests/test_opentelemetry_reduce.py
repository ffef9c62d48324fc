"""OTLP through reduce: any polls, crashes and refills give the events of one reading, also of what rests on records before and after it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import test_translation
from histories import SETTINGS as HISTORY
from live_path import LivePath, until
from otlp_records import as_json, as_protobuf, at, request, span, told
from simulation import revisions
from small_histories import moment
from test_foreign_path import end_others, letters, progress_of, write
from test_foreign_path import found as live
from test_opentelemetry import log, tool
from test_translation import TIME, Out, Record, played, whole

from models.analyzer import Analyzer
from models.demand import bucket
from models.events import Action, Dependency, Event, Sample, Transition
from models.instants import SECOND
from models.panes import Panes
from models.reduction import ReduceProgress
from models.translation import TranslatingReducer
from streams.settings import MetricRule, Otlp, Settings, SourceTopic
from streams.sources.opentelemetry import OTLP
from streams.sources.opentelemetry import Otlp as Source
from streams.sources.source import Origin
from streams.writing import Outgoing

SETTINGS = Settings(
    otlp=Otlp(wait=2 * SECOND, run=5 * SECOND, topology=40 * SECOND, metric=(MetricRule(metric="*", role="demand"),))
)
SHIFT = at(0) - moment(0)  # these records begin at another moment than `small_histories`


def reducer(progress: ReduceProgress | None = None) -> TranslatingReducer:
    source = Source(SETTINGS, Origin())
    return TranslatingReducer("otlp/0", TIME, Panes(source.fold, OTLP.pane(SETTINGS)), progress)


@pytest.fixture(autouse=True)
def _reduce_otlp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_translation, "reducer", reducer)


def episode(draw: random.Random, number: int, begin: float) -> list[tuple[float, dict]]:
    """(end in seconds, request): a run of an agent of a, in it a call, served by b with a call of its own, a failure now and then, a log
    line, two points."""
    length, failed = draw.uniform(0.1, 8), {"code": 2} if draw.random() < 0.3 else {}
    trace = {"trace": number + 1}
    said = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": f"agent {number % 3}"}
    run = span("invoke_agent", 5, start=begin, end=begin + 1.5 * length, values=said, **trace)  # names its calls if it is short
    outer = tool(1, 5, arguments=f'{{"d": "x", "n": {number % 5}}}', start=begin, end=begin + length, **trace)
    client = span("GET", 2, 1, kind=3, start=begin, end=begin + 0.9 * length, **trace)
    server = span("GET /", 3, 2, kind=2, start=begin, end=begin + 0.8 * length, status=failed, **trace)
    inner = tool(4, 3, arguments=f'{{"d": "y", "n": {number % 3}}}', start=begin, end=begin + 0.7 * length, **trace)
    line = log("slow", 13, begin + 0.5 * length, traceId=f"{number + 1:032x}", spanId=f"{3:016x}")
    point = {
        "name": "served",
        "sum": {
            "aggregationTemporality": 2, "isMonotonic": True,
            "dataPoints": [{"timeUnixNano": line["timeUnixNano"], "startTimeUnixNano": "1", "asInt": str(10 * number)}],
        },
    }  # fmt: skip
    made = [
        (1.5 * length, "traces", run, "a"),
        (length, "traces", outer, "a"),
        (0.9 * length, "traces", client, "a"),
        (0.8 * length, "traces", server, "b"),
    ]
    made += [(0.7 * length, "traces", inner, "b"), (0.5 * length, "logs", line, "b"), (0.5 * length, "metrics", point, "b")]
    return [(begin + end, request(kind, [item], service)) for end, kind, item, service in made]


def partition(seed: int, episodes: int = 40) -> list[Record]:
    """Records in the order of their arrival, some twice, each in one of the encodings."""
    draw, source, found = random.Random(seed), Source(SETTINGS, Origin()), []
    for number in range(episodes):
        for ended, document in episode(draw, number, 6.0 * number):
            encode = draw.choice((as_json, as_protobuf))
            for _ in range(1 + (draw.random() < 0.2)):
                items = source.parse(encode(document), (), None)
                found.append(Record(SHIFT + moment(ended + draw.uniform(0, 9)), tuple(items)))
    end = source.parse(as_json(request("traces", [span("end", 9, start=5000, end=5000)])), (), None)
    return [*sorted(found, key=lambda record: record.appended), Record(SHIFT + moment(5000), tuple(end))]


@pytest.mark.parametrize("seed", range(40))
def test_polls_crashes_and_refills_make_no_difference(seed: int) -> None:
    records = partition(seed)
    out, _ = played(records, seed, 0.2)
    wanted = whole(records)
    assert looked_at(out) == looked_at(wanted) and out.refused == wanted.refused


def looked_at(out: Out) -> dict[tuple[str, ...], Event]:
    """What analyze looks at: of demand, the first sample of a series in each bucket; a worker that restarts within one sends a second."""
    found: dict[tuple[str, ...], Event] = {}
    for event in sorted(out.events.values(), key=lambda event: event.time):
        name = ("", event.metric, str(bucket(event.time))) if isinstance(event, Sample) else (event.source, event.id)
        found.setdefault(name, event)
    return found


def test_the_property_sees_refills_and_every_kind_of_event() -> None:
    runs = [played(partition(seed), seed, 0.2) for seed in range(10)]
    assert sum(refilled > 0 for _, refilled in runs) > 5
    kinds = Counter(type(event) for out, _ in runs for event in out.events.values())
    assert all(kinds[kind] >= 20 for kind in (Action, Transition, Dependency, Sample)), kinds
    actions = [event for out, _ in runs for event in out.events.values() if isinstance(event, Action)]
    assert sum(bool(event.causes) for event in actions) > 200
    named = Counter(event.agent.partition(" ")[0] for event in actions)  # the run's agent, where it is short, and else the service
    assert named["agent"] > 100 and named["a"] > 50, named


def fight() -> list[bytes]:
    """Two agents that undo each other for half an hour, in either encoding; then a call of six hours later."""
    found = []
    for minute in range(30):
        agent, replicas = (("perf-scaler", 8), ("cost-saver", 2))[minute % 2]
        arguments = f'{{"deployment": "cart", "replicas": {replicas}}}'
        call = tool(1, arguments=arguments, trace=minute + 1, start=60 * minute, end=60 * minute + 1)
        found.append((as_json, as_protobuf)[minute // 3 % 2](request("traces", [call], agent)))
    last = 6 * 3600
    return [*found, as_json(request("traces", [tool(1, arguments="{}", trace=99, start=last, end=last)]))]


@pytest.mark.kafka
def test_real_workers_find_what_analyze_finds_and_a_bad_record_is_a_dead_letter(kafka_settings: Settings, tmp_path: Path) -> None:
    records = fight()
    analyzer = Analyzer(HISTORY)
    for event in told(*records):
        analyzer.feed(event)
    wanted = revisions([change.finding for change in analyzer.finish()])
    name = f"{kafka_settings.kafka.prefix}-otlp"
    table = SourceTopic(topic=name, kind="otlp", cluster="prod", domain="shop")
    with LivePath(msgspec.structs.replace(kafka_settings, source=(table,)), tmp_path) as path:
        sent: list[Outgoing] = [(0, None, record, []) for record in records]
        asyncio.run(write(path.settings, name, sent[:17]))
        (reduce, _) = path.start("reduce", "analyze")
        until(lambda: bool(progress_of(path.settings, name)), "reduce has written progress", 30)
        reduce.restart()
        asyncio.run(write(path.settings, name, [*sent[15:30], (0, None, b"\x0a\x05hello", []), *sent[30:]]))
        end_others(path, at(6 * 3600))
        until(lambda: wanted.keys() <= live(path).keys(), "all findings are there", 60, 0.3)
        assert live(path) == wanted and wanted
        (letter,) = asyncio.run(letters(path.settings))
        assert dict(letter)["reason"] == b"not_otlp"
