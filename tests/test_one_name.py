"""One scheme of names: what different sources tell of one deployment, or of one ECS service, meets under one name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from audit_records import HPA, audit, scale
from otlp_records import at, request
from test_kubernetes_surroundings import happened, message
from test_mapping import settings_of
from trail_records import ACCOUNT, SCALER, call

from models.analyzer import Analyzer
from models.configuration import Analysis
from models.events import key
from models.instants import SECOND
from models.rejection import Rejection
from streams.settings import MetricRule, Otlp, Settings
from streams.sources.in_order import translated
from streams.sources.kinds import KINDS
from streams.sources.source import Origin

CART, ECS = "k8s/prod/shop/deployment/cart", f"aws/{ACCOUNT}/eu-west-1/ecs/service/prod/cart"
POD = "cart-5756bfb997-6qd4n"
RULE = {
    "name": "r", "type": "action", "attributes": {"time": {"path": "at"}, "subject": "k8s/{cluster}/{ns}/deployment/{name}"},
    "data": {"agent": "a", "verb": "v"},
}  # fmt: skip


def gauge(**resource: str) -> dict[str, Any]:
    """A metric of a process with these attributes."""
    points = [{"timeUnixNano": str(at(1)), "asInt": "7"}]
    document = request("metrics", [{"name": "queue.depth", "gauge": {"dataPoints": points}}])
    values = [{"key": key.replace("__", "."), "value": {"stringValue": value}} for key, value in resource.items()]
    document["resourceMetrics"][0]["resource"]["attributes"] = values
    return document


def events(kind: str, records: list[dict[str, Any]], settings: Settings) -> list[Any]:
    """What records of one kind become."""
    source = KINDS[kind].open(settings, Origin("prod"))
    written = [(number, json.dumps(record).encode()) for number, record in enumerate(records, 1)]
    return [event for _, event in translated(written, source, KINDS[kind].pane(settings), source.counts)]


@pytest.mark.parametrize(
    ("kind", "record", "resource"),
    [
        ("k8s-audit", audit(1, HPA, "update", "deployments/cart/scale", scale(4, 2, 2), scale(4, 1, 2)), CART),
        ("k8s-events", happened("BackOff", name=POD), CART),
        ("alertmanager", message("firing", namespace="shop", pod=POD), CART),
        ("alertmanager", message("firing", namespace="shop", deployment="cart"), CART),
        ("otlp", gauge(k8s__namespace__name="shop", k8s__deployment__name="cart", service__name="c"), CART),
        ("otlp", gauge(k8s__cluster__name="prod", k8s__namespace__name="shop", k8s__pod__name=POD), CART),
        ("json", {"at": "2026-11-24T10:00:00Z", "cluster": "prod", "ns": "shop", "name": "cart"}, CART),
        ("cloudtrail", call(1, SCALER, "ecs:UpdateService", {"cluster": "prod", "service": "cart", "desiredCount": 8}), ECS),
        (
            "otlp",
            gauge(
                cloud__provider="aws", cloud__account__id=ACCOUNT, cloud__region="eu-west-1", aws__ecs__service__name="cart",
                aws__ecs__cluster__arn=f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/prod",
            ),
            ECS,
        ),
        (
            "otlp",
            gauge(cloud__provider="aws", cloud__resource_id=f"arn:aws:ecs:eu-west-1:{ACCOUNT}:service/prod/cart", service__name="c"),
            ECS,
        ),
    ],
)  # fmt: skip
def test_all_sources_name_alike(kind: str, record: dict[str, Any], resource: str) -> None:
    found = events(kind, [record], Settings(map=settings_of(RULE)))
    assert not [event for event in found if isinstance(event, Rejection)]
    assert {event.resource for event in found} == {resource}


def load(since: int, rounds: int) -> dict[str, Any]:
    """Requests to the deployment, 800 and 400 a second in turn for five minutes each, as OpenTelemetry counts them; `since` in ns."""
    points = [
        {
            "startTimeUnixNano": str(since + (seconds - 10) * SECOND), "timeUnixNano": str(since + seconds * SECOND),
            "asInt": str(4000 if seconds < 0 or seconds // 300 % 2 else 8000),
        }
        for seconds in range(-60, 300 * rounds, 10)
    ]  # fmt: skip
    document = gauge(k8s__namespace__name="shop", k8s__deployment__name="cart")
    data = {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": points}
    document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"] = [{"name": "http.requests", "unit": "1", "sum": data}]
    return document


def test_a_metric_of_one_source_is_the_demand_that_an_audit_logs_writes_followed() -> None:
    rounds, log, ran = 24, [], 4
    for n in range(rounds):
        new = (8, 4)[n % 2]
        log.append(
            audit(300 * n + 30, HPA, "update", "deployments/cart/scale", scale(new, 2 * n + 2, ran), scale(ran, 2 * n + 1, ran))
        )
        ran = new
    settings = Settings(otlp=Otlp(metric=(MetricRule(metric="http.requests", role="demand"),)))
    writes = events("k8s-audit", log, settings)
    demand = events("otlp", [load(writes[0].time - 30 * SECOND, rounds)], settings)
    kinds = []
    for known in (writes, [*writes, *demand]):
        analyzer = Analyzer(Analysis())
        changes = [change for event in sorted(known, key=key) for change in analyzer.feed(event)]
        kinds.append({change.finding.kind for change in [*changes, *analyzer.finish()]})
    assert "sustained" in kinds[0] and "sustained" not in kinds[1]
