"""Single clauses of OpenTelemetry's data model that exporters use and that are easily read otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from otlp_records import as_json, as_protobuf, at, attributes, both, request, span, told
from test_opentelemetry import log, tool
from test_opentelemetry_metrics import CUMULATIVE, DELTA, metric, point

from models.events import Action, Sample, Transition
from models.rejection import Rejection
from streams.settings import LogRule, MetricRule, Otlp

COUNTER = {"aggregationTemporality": CUMULATIVE, "isMonotonic": True}


def counted(number: int, first: int, **resource: str) -> dict[str, Any]:
    """A counter of one process that rises by 10 in the 10 s between its two points."""
    points = [point(0, asInt=str(first)), point(10, asInt=str(first + 10 * number))]
    return request("metrics", [metric("sum", *points, **COUNTER)], **resource)


def values(*documents: dict[str, Any], settings: Otlp | None = None) -> list[tuple[str, float]]:
    found = both(*documents, settings=settings)
    assert len({(each.source, each.id) for each in found if isinstance(each, Sample)}) == len(found), (
        "one would be a repeat of another"
    )
    return sorted((each.resource, each.value) for each in found if isinstance(each, Sample))


def test_two_processes_without_an_instance_id_do_not_count_on_one_counter() -> None:
    """Many SDKs write no service.instance.id: the replicas then differ in nothing but another attribute of their Resource."""
    assert values(counted(1, 1000, container_id="a"), counted(2, 5, container_id="b")) == [
        ("service/cart", 1.0),
        ("service/cart", 2.0),
    ]


@pytest.mark.parametrize(
    "scope", [{"name": "okhttp"}, {"name": "apache", "version": "2"}, {"name": "apache", "attributes": attributes({"a": 1})}]
)
def test_two_instrumentations_do_not_count_on_one_counter(scope: dict[str, Any]) -> None:
    documents = counted(1, 1000), counted(2, 5)
    documents[0]["resourceMetrics"][0]["scopeMetrics"][0]["scope"] = {"name": "apache"}
    documents[1]["resourceMetrics"][0]["scopeMetrics"][0]["scope"] = scope
    assert values(*documents) == [("service/cart", 1.0), ("service/cart", 2.0)]


def test_a_rule_looks_at_the_process_of_each_point_whatever_came_before() -> None:
    """Two containers of one pod have one source: the name of the second was that of the first."""
    rule = MetricRule(metric="*", resource="container/{k8s.container.name}")
    pods = [{"k8s_pod_name": "p", "k8s_container_name": name} for name in ("a", "b")]
    gauges = [request("metrics", [metric("gauge", point(1, asInt=str(n)))], **pod) for n, pod in enumerate(pods)]
    for documents in (gauges, gauges[::-1]):
        assert values(*documents, settings=Otlp(metric=(rule,))) == [("container/a", 0.0), ("container/b", 1.0)]


@pytest.mark.parametrize("kind", ["sum", "histogram", "exponentialHistogram"])
@pytest.mark.parametrize("temporality", [None, 0, 7, "AGGREGATION_TEMPORALITY_UNSPECIFIED"])
def test_what_says_neither_delta_nor_cumulative_is_refused(kind: str, temporality: int | str | None) -> None:
    data = {} if temporality is None else {"aggregationTemporality": temporality}
    documents = [request("metrics", [metric(kind, point(10), **data)])]
    for found in (told(as_json(documents[0])), told(as_protobuf(documents[0]))):
        (why,) = found
        assert isinstance(why, Rejection) and why.reason == "missing_field" and why.path.endswith(".aggregationTemporality")


def test_a_point_without_a_number_is_no_zero() -> None:
    assert values(request("metrics", [metric("gauge", point(1), point(2, asInt="0"), point(3, asDouble=0.0))])) == 2 * [
        ("service/cart", 0.0)
    ]
    points = [point(0, asInt="5"), point(10), point(15, asDouble="NaN"), point(20, asInt="25")]
    assert values(request("metrics", [metric("sum", *points, **COUNTER)])) == [("service/cart", 1.0)]
    assert values(request("metrics", [metric("sum", point(10), aggregationTemporality=DELTA, isMonotonic=True)])) == []


def test_a_log_record_without_a_time_has_that_of_its_observation_also_where_the_time_is_zero() -> None:
    for time in ({}, {"timeUnixNano": "0"}, {"timeUnixNano": 0}):
        record = {**time, "observedTimeUnixNano": str(at(3)), "severityNumber": 17, "body": {"stringValue": "x"}}
        (event,) = both(request("logs", [record]))
        assert isinstance(event, Transition) and event.time == at(3)


@pytest.mark.parametrize(
    ("number", "word", "severity"),
    [(0, "Error", "error"), (0, "WARNING", "warning"), (0, "crit", None), (9, "ERROR", None), (99, "", None),
     (-1, "", None), (-1, "FATAL", "critical")],
)  # fmt: skip
def test_a_severity_is_its_number_and_without_one_its_text(number: int, word: str, severity: str | None) -> None:
    record = {**log("x", 0, 1), "severityNumber": number, "severityText": word}
    found = both(request("logs", [record]))
    assert [each.severity for each in found if isinstance(each, Transition)] == ([severity] if severity else [])
    (event,) = both(request("logs", [record]), settings=Otlp(log=(LogRule(body="*"),)))  # a negative number ended the worker
    assert isinstance(event, Transition) and event.severity == (severity or "info")


def test_ids_of_zeros_are_none() -> None:
    for bad in ({"traceId": "0" * 32}, {"spanId": "0" * 16}):
        (why,) = both(request("traces", [{**span("GET", 1, kind=2, status={"code": 2}), **bad}]))
        assert isinstance(why, Rejection) and why.reason == "missing_field" and why.path.endswith(next(iter(bad)))
    for parent in ("0" * 16, "AAAAAAAAAAA="):  # hexadecimal, and base64 as protobuf's own JSON has it
        call = {**tool(1), "parentSpanId": parent}
        (action,) = told(as_json(request("traces", [call])))
        assert isinstance(action, Action) and action.causes == ()
    record = {**log("x", 17, 1), "traceId": "0" * 32, "spanId": "1" * 16}
    (event,) = both(request("logs", [record]))
    assert isinstance(event, Transition) and event.traceparent == ""


def test_a_link_to_nothing_costs_no_span() -> None:
    """The specification has exporters keep links without a context where they have attributes."""
    links = [{"attributes": attributes({"a": 1})}, {"traceId": "0" * 32, "spanId": "0" * 16}]
    (event,) = both(request("traces", [span("GET", 1, kind=2, status={"code": 2}, links=links)]))
    assert isinstance(event, Transition) and event.metric == "errors GET"


def test_a_kind_that_is_unknown_serves_nobody() -> None:
    spans = [span("GET", 1, kind=3, status={"code": 2}), span("?", 2, 1, kind=77), span("?", 3, 1, kind=-2)]
    assert (
        both({"resourceSpans": request("traces", spans[:1])["resourceSpans"] + request("traces", spans[1:], "b")["resourceSpans"]})
        == []
    )


def test_a_text_that_is_no_utf8_costs_only_its_bad_bytes() -> None:
    spans = [
        span("GOOD", 1, kind=2, status={"code": 2}),
        span(
            "BADX",
            2,
            kind=2,
            status={
                "code": 2,
                "message": "BADX",
            },
            values={"BADX": "BADX"},
        ),
    ]
    found = told(as_protobuf(request("traces", spans)).replace(b"BADX", b"B\xff\xfeX"))
    assert [each.metric for each in found if isinstance(each, Transition)] == ["errors GOOD", "errors B\ufffd\ufffdX"]
    (event,) = told(as_protobuf(request("logs", [log("BADX", 17, 1)])).replace(b"BADX", b"B\xff\xfeX"))
    assert isinstance(event, Transition) and event.text == "B\ufffd\ufffdX"


def test_the_name_of_an_event_may_be_an_attribute_as_before_log_records_had_a_field_for_it() -> None:
    said = {"event.name": "agent.action", "resource": "r", "parameter": "p", "new": 3}
    (event,) = both(request("logs", [{**log("x", 0, 1), "attributes": attributes(said)}, log("y", 0, 2)]))
    assert isinstance(event, Action) and (event.resource, event.parameter, event.new) == ("r", "p", 3)
