"""Any request is the same events from protobuf and from JSON: drawn at random over every field that is read, and many that are not."""

from __future__ import annotations

import random
from base64 import b64encode
from collections import Counter
from typing import Any

import pytest
from otlp_records import any_value, as_json, as_protobuf, at, told

from models.events import AnyEvent, decode_signal, encode_signal
from models.rejection import Rejection
from streams.settings import ActionRule, LogRule, MetricRule, Otlp

RULES = Otlp(
    action=(ActionRule(span="act*", resource="{a|'r'}", new="{b}", old="{arguments.old}", version="{n}", why="{m}"),),
    metric=(MetricRule(metric="m1", attributes=["a"], resource="{service.name}/{b|'x'}", role="demand"),),
    log=(LogRule(body="*slow*", metric="{a|'log'}", after="{body}"), LogRule(event="e*", resource="{b}", after="{body.x}")),
    quantiles=("0.5", "0.99"),
)
TEXTS = ("", "x", "slow é", '{"old": 3}', "\u0000", "a b", "0", "NaN", "\U0001f600")
WHOLE = (0, 1, -1, 7, 2**53 + 1, 2**63 - 1, -(2**63))
REAL = (0.0, -0.0, 1.5, -2.25, 1e300, "NaN", "Infinity", "-Infinity")


def value(draw: random.Random, depth: int = 0) -> dict[str, Any]:
    kind = draw.randrange(8 if depth < 3 else 5)
    if kind == 0:
        return {"doubleValue": draw.choice(REAL)}
    if kind == 1:
        return {"bytesValue": b64encode(draw.randbytes(draw.randrange(5))).decode()}
    if kind == 2:
        return {}
    if kind in (3, 4):
        return any_value(draw.choice((draw.choice(TEXTS), draw.choice(WHOLE), True, False)))
    if kind == 5:
        return {"arrayValue": {"values": [value(draw, depth + 1) for _ in range(draw.randrange(3))]}}
    return {"kvlistValue": {"values": pairs(draw, depth + 1)}}


def pairs(draw: random.Random, depth: int = 0) -> list[dict[str, Any]]:
    """Attributes; a name may come twice, a value may be missing."""
    names = [
        draw.choice(("a", "b", "n", "m", "x", "error.type", "k8s.event.reason", "event.name", "peer.service", ""))
        for _ in range(draw.randrange(4))
    ]
    return [{"key": name, "value": value(draw, depth)} if draw.random() < 0.9 else {"key": name} for name in names]


def maybe(draw: random.Random, **fields: Any) -> dict[str, Any]:
    """Some of the fields."""
    return {name: each for name, each in fields.items() if draw.random() < 0.7}


def identifier(draw: random.Random, size: int) -> str:
    return draw.choice(("1", "2", "0", "ab")).rjust(2 * size, draw.choice("00f"))


def span(draw: random.Random) -> dict[str, Any]:
    begin = draw.uniform(0, 60)
    tool = [{"key": key, "value": {"stringValue": text}} for key, text in (
        ("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", draw.choice(("set_x", "get_x"))),
        ("gen_ai.tool.call.arguments", draw.choice(('{"name": "n", "count": 3}', '{"old": 1e400}', "no JSON", ""))),
    )]  # fmt: skip
    link = maybe(draw, traceId=identifier(draw, 16), spanId=identifier(draw, 8), attributes=pairs(draw))
    note = {"timeUnixNano": str(at(begin)), **maybe(draw, name=draw.choice(("agent.action", "e")), attributes=pairs(draw))}
    return {
        "traceId": identifier(draw, 16), "spanId": identifier(draw, 8), "endTimeUnixNano": str(at(begin + draw.uniform(0, 9))),
        "startTimeUnixNano": str(at(begin)), "attributes": pairs(draw) + tool * (draw.random() < 0.4),
        **maybe(
            draw, name=draw.choice(("act", "GET", "")), kind=draw.randrange(7), parentSpanId=identifier(draw, 8), flags=1,
            status=maybe(draw, code=draw.randrange(4), message=draw.choice(TEXTS)), links=[link] * draw.randrange(2),
            events=[note] * draw.randrange(2), traceState="a=b", droppedLinksCount=3,
        ),
    }  # fmt: skip


def line(draw: random.Random) -> dict[str, Any]:
    times = maybe(draw, timeUnixNano=draw.choice(("0", str(at(draw.uniform(0, 60))))), observedTimeUnixNano=str(at(61)))
    return times | maybe(
        draw, severityNumber=draw.randrange(26), severityText=draw.choice(("", "ERROR", "warn")), body=value(draw),
        attributes=pairs(draw), traceId=identifier(draw, 16), spanId=identifier(draw, 8), eventName=draw.choice(("", "e1", "agent.action")),
    )  # fmt: skip


def point(draw: random.Random, kind: str) -> dict[str, Any]:
    second = draw.choice((0, 10, 10, 20, 30))
    made: dict[str, Any] = {"attributes": pairs(draw) if draw.random() < 0.3 else [], **maybe(draw, timeUnixNano=str(at(second)))}
    made |= maybe(draw, startTimeUnixNano=str(at(draw.choice((-5, 0, second)))), flags=draw.choice((0, 0, 0, 1)))
    exemplar = maybe(draw, traceId=identifier(draw, 16), spanId=identifier(draw, 8), timeUnixNano=str(at(1)), asDouble=1.0)
    made |= {"exemplars": [exemplar]} if kind != "summary" and draw.random() < 0.3 else {}
    if kind in ("gauge", "sum"):
        return made | draw.choice(({"asInt": str(draw.choice(WHOLE))}, {"asDouble": draw.choice(REAL)}, {}))
    counts = [draw.randrange(4) for _ in range(draw.randrange(5))]
    made |= {"count": str(sum(counts)), **maybe(draw, sum=draw.choice(REAL))}
    if kind == "histogram":
        bounds = [-1.0, 0.0, 2.5, 10.0][: max(len(counts) - 1, 0)]
        return made | maybe(draw, bucketCounts=[str(each) for each in counts], explicitBounds=bounds, min=0.5, max=9.0)
    if kind == "summary":
        return made | {"quantileValues": [maybe(draw, quantile=draw.choice((0.0, 0.5, 0.999)), value=draw.choice(REAL))]}
    sides = ({"offset": draw.randrange(-3, 3), "bucketCounts": [str(each) for each in counts]} for _ in range(2))
    return made | maybe(
        draw,
        scale=draw.randrange(-2, 3),
        zeroCount=str(draw.randrange(3)),
        positive=next(sides),
        negative=next(sides),
        zeroThreshold=0.1,
    )


def metric(draw: random.Random) -> dict[str, Any]:
    kind = draw.choice(("gauge", "sum", "histogram", "exponentialHistogram", "summary"))
    data = {"dataPoints": [point(draw, kind) for _ in range(draw.randrange(1, 5))]}
    if kind not in ("gauge", "summary"):
        data |= maybe(draw, aggregationTemporality=draw.randrange(4))
    data |= maybe(draw, isMonotonic=draw.random() < 0.5) if kind == "sum" else {}
    return maybe(draw, name=draw.choice(("m1", "m2")), unit=draw.choice(("", "s", "{r}")), description="d") | {kind: data}


def request(draw: random.Random) -> dict[str, Any]:
    group, scope, items, one = draw.choice((
        ("resourceSpans", "scopeSpans", "spans", span), ("resourceMetrics", "scopeMetrics", "metrics", metric),
        ("resourceLogs", "scopeLogs", "logRecords", line),
    ))  # fmt: skip
    name = {"key": "service.name", "value": {"stringValue": draw.choice(("cart", "pay"))}}
    about = maybe(draw, name=draw.choice(("s1", "s2")), version="1", attributes=pairs(draw))
    scopes = [
        {**maybe(draw, scope=about, schemaUrl="u"), items: [one(draw) for _ in range(draw.randrange(1, 6))]} for _ in range(2)
    ]
    return {group: [{**maybe(draw, resource={"attributes": [name, *pairs(draw)]}, schemaUrl="u"), scope: scopes}]}


def seen(records: list[bytes], settings: Otlp) -> list[AnyEvent | tuple[str, str]]:
    """A rejection by its reason and place: how it is worded may differ."""
    return [(each.reason, each.path) if isinstance(each, Rejection) else each for each in told(*records, settings=settings)]


@pytest.mark.parametrize("seed", range(150))
def test_any_request_is_the_same_from_either_encoding(seed: int) -> None:
    draw = random.Random(seed)
    drawn = [request(draw) for _ in range(8)]
    documents = [
        each for each in drawn if not all(isinstance(item, Rejection) for item in told(as_json(each)))
    ]  # protobuf may not tell what
    for settings in (Otlp(), RULES):
        assert seen([as_protobuf(each) for each in documents], settings) == seen([as_json(each) for each in documents], settings)


@pytest.mark.parametrize("seed", range(80))
def test_what_any_request_becomes_survives_the_signals_topic(seed: int) -> None:
    """A version that was true was written, and passed over by whoever read it."""
    draw = random.Random(seed)
    for event in told(*(as_json(request(draw)) for _ in range(8)), settings=RULES):
        assert isinstance(event, Rejection) or decode_signal(encode_signal(event)) == event


def test_these_requests_become_everything_there_is() -> None:
    kinds: Counter[str] = Counter()
    for seed in range(60):
        draw = random.Random(seed)
        found = told(*(as_json(request(draw)) for _ in range(8)), settings=RULES)
        kinds.update(each.reason if isinstance(each, Rejection) else type(each).__name__ for each in found)
    assert all(kinds[kind] >= 10 for kind in ("Action", "Sample", "Transition", "Dependency", "missing_field")), kinds
