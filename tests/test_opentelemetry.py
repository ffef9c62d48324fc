"""OTLP as a source: both encodings give the same events, spans become actions with their causes, bad input is refused with its place."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_records import T, as_json, as_protobuf, at, attributes, both, request, span, told
from test_kubernetes import lines

from models.events import Action, Dependency, Read, Transition, decode_signal, encode_signal
from models.instants import SECOND
from models.rejection import Rejection
from streams.settings import ActionRule, LogRule, Otlp, ReadRule, Settings
from streams.sources.kinds import KINDS
from streams.sources.opentelemetry import naming
from streams.sources.opentelemetry.decoder import Decoder
from streams.sources.opentelemetry.protobuf import signal_of
from streams.sources.opentelemetry.record import Line
from streams.sources.source import Origin, unquoted

DATA = Path(__file__).parent / "data" / "otlp"
EXAMPLES = Path(__file__).parent / "data" / "otlp_examples"
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "scale_replicas"}


def tool(number: int, parent: int = 0, arguments: str = '{"deployment":"db","replicas":3}', **fields):
    values = {**TOOL, "gen_ai.tool.call.arguments": arguments, **fields.pop("values", {})}
    return span("execute_tool scale_replicas", number, parent, values=values, **fields)


def name(number: int, trace: int = 1) -> str:
    return f"{trace:032x}-{number:016x}"


# --- decoding ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("file", "signal"), [("spans", "traces"), ("metrics", "metrics"), ("logs", "logs")])
def test_nothing_in_a_record_says_what_it_holds_and_it_is_found_out(file: str, signal: str) -> None:
    assert signal_of((DATA / f"otlp_{file}.bin").read_bytes()) == signal


@pytest.mark.parametrize("file", ["logs", "metrics"])
def test_the_collectors_two_encodings_of_the_same_are_the_same_events(file: str) -> None:
    by_json, by_protobuf = told((DATA / f"json_{file}.json").read_bytes()), told((DATA / f"otlp_{file}.bin").read_bytes())
    assert len(by_json) >= 15 and not any(isinstance(event, Rejection) for event in by_json)
    assert by_protobuf == by_json


def test_the_collectors_spans_are_actions_in_either_encoding() -> None:
    for file in ("json_spans.json", "otlp_spans.bin"):
        found = told((DATA / file).read_bytes())
        assert [type(event) for event in found] == [Action] * 15
        assert {(event.agent, event.resource, event.old, event.new) for event in found} == {
            (agent, "k8s/prod/deployment/db", 3, new)
            for agent in ("cost-optimizer", "autoscaler", "traffic-router")
            for new in (3, 4)
        }


def test_the_examples_of_the_specification_decode() -> None:
    for file in sorted(EXAMPLES.glob("*.json")):
        document = json.loads(file.read_text())
        found = told(file.read_bytes(), as_protobuf(document))
        assert not any(isinstance(event, Rejection) for event in found), file.name
    assert len(told((EXAMPLES / "metrics.json").read_bytes())) == 1  # the gauge; the rest says an interval of no length


def test_protobufs_own_json_mapping_is_understood_too() -> None:
    """Ids in base64, enumerations by name: not OTLP/JSON, and what a generic printer writes."""
    record = as_protobuf(request("traces", [tool(1, kind=3), tool(2, 1, arguments="{}", status={"code": 2})]))
    document = json_format.MessageToDict(ExportTraceServiceRequest.FromString(record))
    assert document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["kind"] == "SPAN_KIND_CLIENT"
    found = told(as_json(document))
    assert found == told(record) and [event.outcome for event in found] == ["applied", "failed"]


def test_a_raw_log_record_is_told_what_to_do() -> None:
    (why,) = told((DATA / "raw_logs.bin").read_bytes())
    assert isinstance(why, Rejection) and why.reason == "not_otlp" and "otlp_json" in why.detail


def test_the_lines_of_a_log_that_the_collector_ships_raw_are_those_of_their_own_kind() -> None:
    source = KINDS["k8s-audit"].open(Settings(), Origin())
    assert b'"auditID":"a1"' in unquoted((DATA / "raw_logs.bin").read_bytes())  # as a real collector wrote it
    for line in lines("a_gitops_hpa")[:200]:
        assert source.parse(unquoted(json.dumps(line.decode()).encode()), (), None) == source.parse(line, (), None)


@pytest.mark.parametrize("value", [b"", b"{}", b'"hello"', b'"{', b'"\\ud800"', b"\x0a\x02"])
def test_other_records_are_left_as_they_are(value: bytes) -> None:
    assert unquoted(value) == value


def test_an_event_that_was_logged_comes_out_of_a_raw_record() -> None:
    event = {
        "specversion": "1.0", "id": "1", "source": "a", "type": "interplay.action.v1", "time": "2026-01-01T00:00:00Z",
        "subject": "db", "data": {"agent": "a", "verb": "scale"},
    }  # fmt: skip
    (found,) = told(json.dumps(json.dumps(event)).encode())
    assert isinstance(found, Action) and found.resource == "db"


BROKEN = [
    (b"", None),  # an empty message is an empty request
    (b"{}", None),
    (b'{"a": 1}', ("not_otlp", "")),
    (b"[1]", ("not_otlp", "")),
    (b"hello", ("not_otlp", "")),
    (b'{"resourceSpans": 3}', ("wrong_type", "resourceSpans")),
    (b'{"resourceSpans": [', ("not_json", "")),
    (
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 1}]}]}]}',
        ("wrong_type", "resourceSpans[0].scopeSpans[0].spans[0].name"),
    ),
    (b"\x0a\x05\xff\xff\xff\xff\xff", ("not_otlp", "")),
    (b"\xff" * 40, ("not_otlp", "")),
    (b'"half', ("not_otlp", "")),
]


@pytest.mark.parametrize(("record", "why"), BROKEN)
def test_what_is_no_request_is_refused_with_its_reason(record: bytes, why: tuple[str, str] | None) -> None:
    found = told(record)
    assert [(event.reason, event.path) for event in found if isinstance(event, Rejection)] == ([] if why is None else [why])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"traceId": ""}, ("missing_field", "traceId")),
        ({"traceId": "zz" * 16}, ("wrong_type", "traceId")),
        ({"traceId": "ab " * 10 + "cd"}, ("wrong_type", "traceId")),  # spaces are nothing to bytes.fromhex
        ({"spanId": "0102"}, ("wrong_type", "spanId")),
        ({"endTimeUnixNano": "0"}, ("missing_field", "endTimeUnixNano")),
        ({"endTimeUnixNano": "soon"}, ("bad_time", "endTimeUnixNano")),
        ({"endTimeUnixNano": str(10**19)}, ("time_out_of_range", "endTimeUnixNano")),
        ({"attributes": [{"key": "a", "value": {"intValue": "x"}}]}, ("wrong_type", "")),
        ({"attributes": [{"key": 3}]}, ("wrong_type", "")),
        ({"events": [{"name": "e"}]}, ("missing_field", "events[0].timeUnixNano")),
    ],
)
def test_a_bad_span_is_refused_alone_with_its_place(change: dict, why: tuple[str, str]) -> None:
    found = told(as_json(request("traces", [tool(1), {**tool(2), **change}, tool(3)])))
    reason, path = why
    place = f"resourceSpans[0].scopeSpans[0].spans[1].{path}".rstrip(".")
    assert [(event.reason, event.path) for event in found if isinstance(event, Rejection)] == [(reason, place)]
    assert [event.id for event in found if isinstance(event, Action)] == [name(1), name(3)]


def test_a_bad_first_item_does_not_hide_what_a_record_holds() -> None:
    record = as_protobuf(request("traces", [{**tool(1), "spanId": ""}, tool(2)]))
    (why, event) = told(record)
    assert (why.reason, why.path) == ("missing_field", "resourceSpans[0].scopeSpans[0].spans[0].spanId") and event.id == name(2)


def test_no_bytes_crash_and_the_same_bytes_say_the_same() -> None:
    draw = random.Random(7)
    seeds = [file.read_bytes() for file in sorted(DATA.glob("*.*")) if file.suffix in (".bin", ".json")]
    kinds: Counter[str] = Counter()
    for _ in range(1500):
        data = bytearray(draw.choice(seeds)[: draw.choice((60, 400, 4000, 40_000))])
        for _ in range(draw.randint(0, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        found = told(bytes(data))
        assert found == told(bytes(data))
        kinds.update(type(event).__name__ for event in found)
    assert kinds["Rejection"] > 100 and kinds["Action"] > 100  # the draw reaches both


def test_what_is_remembered_changes_nothing() -> None:
    record = (DATA / "otlp_spans.bin").read_bytes()
    decoder = Decoder("prod")
    assert decoder.decode(record) == decoder.decode(record) == Decoder("prod").decode(record)


# --- actions ----------------------------------------------------------------------------------------------------------------------


def test_a_tool_call_that_begins_like_a_write_is_an_action_without_any_rule() -> None:
    (event,) = both(request("traces", [tool(1, start=2, end=3)], "scaler", service_instance_id="0"))
    assert (event.agent, event.verb, event.resource, event.parameter, event.new) == (
        "scaler", "scale", "tool/scale_replicas/db", "replicas", 3,
    )  # fmt: skip
    assert (event.time, event.source, event.id, event.domain) == (at(2), "otel/scaler/0", name(1), "shop")
    assert event.traceparent == f"00-{name(1)}-01"


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ({"gen_ai.tool.name": "get_replicas"}, 0),
        ({"gen_ai.operation.name": "chat"}, 0),
        ({"gen_ai.tool.name": "restart-pod"}, 1),
        ({"gen_ai.tool.name": "k8s.scaleDeployment"}, 1),
        ({"gen_ai.operation.name": "other", "mcp.method.name": "tools/call"}, 1),
    ],
)
def test_which_tool_calls_are_writes(values: dict, count: int) -> None:
    assert len(both(request("traces", [tool(1, values=values)]))) == count
    assert both(request("traces", [tool(1, values=values)]), settings=Otlp(tools="rules")) == []


def test_a_rule_says_what_a_call_writes() -> None:
    rule = ActionRule(
        span="execute_tool *",
        match=(("gen_ai.tool.name", "set_*"),),
        agent="{team}/{gen_ai.agent.name}",
        resource="k8s/{k8s.cluster.name|'prod'}/{arguments.ns}/deployment/{arguments.name}",
        verb="scale",
        parameter="spec.replicas",
        old="{result.before}",
        new="{arguments.spec.replicas}",
        version="{result.version}",
        why="{arguments.reason}",
    )
    values = {
        "gen_ai.tool.name": "set_scale",
        "gen_ai.agent.name": "hpa",
        "gen_ai.tool.call.result": '{"before": 2, "version": "17"}',
    }
    arguments = '{"ns": "shop", "name": "cart", "spec": {"replicas": 5}, "reason": "load"}'
    (event,) = both(request("traces", [tool(1, arguments=arguments, values=values)], team="ops"), settings=Otlp(action=(rule,)))
    assert (event.agent, event.resource, event.parameter) == ("ops/hpa", "k8s/prod/shop/deployment/cart", "spec.replicas")
    assert (event.old, event.new, event.version, event.why.text) == (2, 5, "17", "load")


HUGE = [
    "1" + "0" * 30,
    "-" + "9" * 400,
    '"' + "x" * 9000 + '"',
    "[" * 400 + "]" * 400,
    '{"a":{"b":[1e308,{"c":' + "9" * 25 + "}]}}",
]


@pytest.mark.parametrize("value", HUGE)
def test_no_argument_of_a_call_is_too_much(value: str) -> None:
    rule = ActionRule(
        span="*", resource="r/{arguments.x}", verb="{arguments.x}", new="{arguments.x}", version="{arguments.x}", why="{arguments}"
    )
    call = tool(1, arguments=f'{{"x": {value}}}', values={"gen_ai.agent.name": "a"})
    for settings in (Otlp(), Otlp(action=(rule,))):
        for event in both(request("traces", [call]), settings=settings):
            assert isinstance(event, Action) and len(event.resource) <= 512
            assert decode_signal(encode_signal(event)) == event


def test_a_number_beyond_64_bits_is_refused() -> None:
    attribute = {"key": "a", "value": {"intValue": "9" * 30}}
    (why,) = told(as_json(request("traces", [{**tool(1), "attributes": [attribute]}])))
    assert why.reason == "wrong_type" and "64 bits" in why.detail


def test_a_failed_call_failed_and_a_refused_one_was_rejected() -> None:
    spans = [
        tool(1, status={"code": 2, "message": "boom"}),
        tool(2, status={"code": 2}, values={"error.type": "409"}),
        tool(3, status={"code": 1}),
    ]
    assert [event.outcome for event in both(request("traces", spans))] == ["failed", "rejected", "applied"]


def test_a_span_event_and_a_log_record_that_say_the_same_write_are_one() -> None:
    said = {"resource": "db/orders", "parameter": "replicas", "old": 2, "new": 4}
    event = {"timeUnixNano": str(at(0.5)), "name": "agent.action", "attributes": attributes(said)}
    record = {
        "timeUnixNano": str(at(0.6)), "eventName": "agent.action", "body": {"kvlistValue": {"values": attributes(said)}},
        "traceId": name(1)[:32], "spanId": name(1)[33:], "severityNumber": 9,
    }  # fmt: skip
    by_span, by_log = both(request("traces", [span("work", 1, events=[event])]), request("logs", [record]))
    assert (by_span.resource, by_span.old, by_span.new) == ("db/orders", 2, 4) == (by_log.resource, by_log.old, by_log.new)
    assert (by_span.source, by_span.id) == (by_log.source, by_log.id)


def test_log_records_that_can_tell_nothing_are_not_decoded_and_change_nothing() -> None:
    """A rule that any record might fit has all of them decoded: the same must become of them."""
    rng, kinds = random.Random(7), Counter[type]()
    said = {"resource": "db/orders", "parameter": "replicas", "old": 2, "new": 4}
    for _ in range(20):
        records = [
            {
                "timeUnixNano": str(at(rng.uniform(0, 5))),
                "eventName": rng.choice(["", "", "agent.action", "deploy.done", "other"]),
                "body": {"kvlistValue": {"values": attributes({**said, "new": rng.randint(1, 3)})}},
                "severityNumber": rng.choice([5, 9, 9, 13, 17, "SEVERITY_NUMBER_INFO", "SEVERITY_NUMBER_ERROR"]),
                "attributes": attributes({"k8s.event.reason": "BackOff"} if rng.random() < 0.05 else {"line": rng.randint(0, 9)}),
            }
            for _ in range(rng.randint(1, 30))
        ]
        document, (few, all_of_them) = request("logs", records), (Counter[str](), Counter[str]())
        rule = LogRule(event="deploy.*", after="done")
        decoded_all = LogRule(match=(("no.such", "*"),), after="never")
        found = told(as_json(document), settings=Otlp(log=(rule,)), counts=few)
        assert found == told(as_json(document), settings=Otlp(log=(rule, decoded_all)), counts=all_of_them)
        assert found == told(as_protobuf(document), settings=Otlp(log=(rule,)))
        assert few == all_of_them and few["items"] == len(records)
        kinds.update(type(event) for event in found)
    assert kinds[Action] > 20 and kinds[Transition] > 50


def test_the_newest_log_record_says_how_far_a_log_is_known() -> None:
    records = [{"timeUnixNano": str(at(second)), "severityNumber": 9, "body": {"stringValue": "ok"}} for second in (1, 9, 3)]
    source = KINDS["otlp"].open(Settings(), Origin("prod", "shop"))
    (line,) = source.parse(as_json(request("logs", records)), (), 0)
    assert isinstance(line, Line) and line.time == at(9)
    bad = {"timeUnixNano": "soon", "severityNumber": 9}
    assert [type(each) for each in source.parse(as_json(request("logs", [*records, bad])), (), 0)] == [Rejection, Line]


def test_a_call_within_a_call_of_the_same_write_is_told_once() -> None:
    found = both(request("traces", [tool(2, 1, start=0.1, end=0.9, kind=3), tool(1, end=1.0)]))
    assert [event.id for event in found] == [name(1)]


# --- causes -----------------------------------------------------------------------------------------------------------------------


def nested() -> list[dict]:
    """Agent a calls agent b: what b does ends before all that it is within."""
    front = request("traces", [tool(1, arguments='{"queue": "q", "workers": 9}', end=2), span("POST", 2, 1, kind=3, end=1.8)], "a")
    back = request(
        "traces",
        [
            span("POST /", 3, 2, kind=2, end=1.7),
            span("invoke_agent b", 4, 3, values={"gen_ai.agent.name": "b-planner"}, end=1.6),
            tool(5, 4, start=1.0, end=1.5),
        ],
        "b",
    )
    return [back, front]


def test_a_cause_is_found_through_the_spans_in_between() -> None:
    by_id = {event.id: event for event in both(*nested())}
    assert by_id[name(5)].causes == (name(1),) and by_id[name(1)].causes == ()
    assert by_id[name(5)].agent == "b-planner" and by_id[name(1)].agent == "a"


def test_a_cause_that_ends_after_the_wait_is_named_by_its_span() -> None:
    spans = [tool(5, 1, start=1, end=2), tool(1, arguments='{"n": 1}', end=60)]
    found = both(request("traces", spans))
    assert [event.causes for event in found] == [(name(1),), ()]
    assert found[1].time == at(55)  # told at most `wait` before its end, so that it is not late


def test_links_are_causes_too() -> None:
    linked = tool(2, trace=2, links=[{"traceId": name(1)[:32], "spanId": name(1)[33:]}], arguments='{"n": 2}')
    found = both(request("traces", [tool(1), linked]))
    assert {event.id: event.causes for event in found}[name(2, 2)] == (name(1),)


def test_neither_batches_nor_their_order_change_what_is_told() -> None:
    groups = nested()
    spans = [(group["resourceSpans"][0], one) for group in groups for one in group["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    want = told(*map(as_json, groups))
    for seed in range(20):
        order = spans[:]
        random.Random(seed).shuffle(order)
        records = [{"resourceSpans": [{"resource": part["resource"], "scopeSpans": [{"spans": [one]}]}]} for part, one in order]
        assert told(*map(as_json, records)) == want


def test_what_a_run_looked_at_before_it_acted_is_what_the_action_rests_on() -> None:
    rule = ReadRule(
        match=(("gen_ai.tool.name", "get_*"),), resource="svc/{arguments.of}", metric="{arguments.metric}", value="{result.value}"
    )

    def look(number: int, end: float, value: int, trace: int = 1) -> dict:
        values = {
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_metric",
            "gen_ai.tool.call.arguments": '{"of": "cart", "metric": "p95"}', "gen_ai.tool.call.result": f'{{"value": {value}}}',
        }  # fmt: skip
        return span("execute_tool get_metric", number, 1, values=values, start=end - 0.1, end=end, trace=trace)

    spans = [
        look(2, 1, 840),
        look(3, 4, 300),
        look(4, 1.5, 7, trace=2),
        tool(5, 1, start=2, end=3),
        span("invoke_agent a", 1, end=5),
    ]
    (event,) = both(request("traces", spans), settings=Otlp(read=(rule,)))
    assert event.reads == (Read("svc/cart", "p95", 840, at(1)),)
    assert both(request("traces", spans))[0].reads == ()
    early = [span("step", 6 + n, 1, start=n / 10, end=n / 10) for n in range(4)]  # forgotten long before the read is
    (event,) = both(request("traces", [*early, *spans]), settings=Otlp(read=(rule,), spans=4))
    assert event.reads == (Read("svc/cart", "p95", 840, at(1)),)


# --- topology, failures, log records --------------------------------------------------------------------------------------------


def test_a_client_and_its_server_are_a_dependency_told_once_in_a_while() -> None:
    spans = [(span("GET", 2 * n, kind=3, end=n), span("GET /", 2 * n + 1, 2 * n, kind=2, end=n - 0.1)) for n in range(1, 20)]
    found = both(request("traces", [a for a, _ in spans], "web"), request("traces", [b for _, b in spans], "cart"))
    assert [(type(event), event.dependent, event.dependency, event.relation) for event in found] == [
        (Dependency, "service/web", "service/cart", "calls")
    ]


@pytest.mark.parametrize(
    ("kind", "values", "pair"),
    [
        (
            3,
            {"db.system.name": "postgresql", "server.address": "pg", "db.namespace": "orders"},
            ("service/cart", "db/postgresql/pg/orders"),
        ),
        (3, {"peer.service": "billing"}, ("service/cart", "service/billing")),
        (3, {"server.address": "pay.shop.svc.cluster.local"}, ("service/cart", "k8s/prod/shop/service/pay")),
        (3, {"server.address": "api.example.com"}, ("service/cart", "host/api.example.com")),
        (4, {"messaging.system": "kafka", "messaging.destination.name": "orders"}, ("service/cart", "messaging/kafka/orders")),
        (5, {"messaging.system": "kafka", "messaging.destination.name": "orders"}, ("messaging/kafka/orders", "service/cart")),
        (3, {}, None),
        (1, {"peer.service": "billing"}, None),
    ],
)
def test_what_a_span_says_of_its_other_side(kind: int, values: dict, pair: tuple[str, str] | None) -> None:
    found = both(request("traces", [span("x", 1, kind=kind, values=values)]))
    assert [(event.dependent, event.dependency) for event in found] == ([] if pair is None else [pair])


def test_a_failed_request_is_a_transition_of_who_served_it_with_its_cause() -> None:
    failed = {"code": 2, "message": "out of stock"}
    spans = [
        tool(1, end=3, kind=3),
        span("GET /", 2, 1, kind=2, end=1, status=failed),
        span("GET /", 3, 1, kind=2, end=2, status=failed),
    ]
    (transition,) = [event for event in both(request("traces", spans)) if isinstance(event, Transition)]
    assert (transition.resource, transition.metric, transition.before, transition.after) == (
        "service/cart",
        "errors GET /",
        "ok",
        "error",
    )
    assert transition.causes == (name(1),) and transition.text == "GET /: out of stock"


def log(text: str, severity: int, seconds: float = 0.0, **fields) -> dict:
    return {"timeUnixNano": str(at(seconds)), "severityNumber": severity, "body": {"stringValue": text}, **fields}


def test_log_records_from_a_severity_on_are_transitions_and_repeats_are_told_once() -> None:
    records = [log("fine", 9), log("slow", 13, 1), log("slow", 13, 2), log("slow", 13, 30), log("down", 17, 31)]
    found = both(request("logs", records, k8s_deployment_name="cart", k8s_namespace_name="shop"))
    assert [(event.resource, event.severity, event.text, event.time) for event in found] == [
        ("k8s/prod/shop/deployment/cart", "warning", "slow", at(1)),
        ("k8s/prod/shop/deployment/cart", "warning", "slow", at(30)),
        ("k8s/prod/shop/deployment/cart", "error", "down", at(31)),
    ]


def test_a_rule_says_of_what_state_a_log_record_tells() -> None:
    rule = LogRule(body="breaker *", resource="svc/{peer}", metric="breaker", before="{from}", after="{to}", slo=True)
    record = log("breaker moved", 9, attributes=attributes({"peer": "pay", "from": "closed", "to": "open"}))
    (event,) = both(request("logs", [record]), settings=Otlp(log=(rule, LogRule(body="*", ignore=True))))
    assert (event.resource, event.metric, event.before, event.after, event.slo) == ("svc/pay", "breaker", "closed", "open", True)
    assert both(request("logs", [log("down", 17)]), settings=Otlp(log=(LogRule(body="d*", ignore=True),))) == []


def test_what_several_partitions_tell_first_is_one_event_of_which_the_earliest_counts() -> None:
    """So findings do not depend on how many partitions there are."""
    spans = [
        span("GET", n, kind=3, trace=n, start=n - 1, end=n, status={"code": 2}, values={"peer.service": "pay"}) for n in range(1, 9)
    ]
    records = [log("slow", 13, n / 10) for n in range(1, 9)]
    documents = [(request("traces", [each]), request("logs", [line])) for each, line in zip(spans, records, strict=True)]
    whole = {(event.source, event.id): event for event in both(*(one for pair in documents for one in pair))}
    assert {type(event) for event in whole.values()} == {Dependency, Transition} and len(whole) == 3
    for parts in (2, 3):
        found = [event for part in range(parts) for event in both(*(one for pair in documents[part::parts] for one in pair))]
        assert len(found) == 3 * parts
        earliest = {(event.source, event.id): event for event in sorted(found, key=lambda event: event.time, reverse=True)}
        assert earliest == whole


# --- names ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "want"),
    [
        ({"service.name": "cart"}, "service/cart"),
        ({"service.name": "cart", "service.namespace": "shop"}, "service/shop/cart"),
        ({"service.name": "cart", "k8s.deployment.name": "cart", "k8s.namespace.name": "shop"}, "k8s/prod/shop/deployment/cart"),
        (
            {"k8s.cluster.name": "eu", "k8s.pod.name": "cart-6bfd9c7d8-x2x9k", "k8s.namespace.name": "shop"},
            "k8s/eu/shop/deployment/cart",
        ),
        ({"k8s.node.name": "worker-3"}, "k8s/prod/-/node/worker-3"),
        (
            {"cloud.provider": "aws", "cloud.resource_id": "arn:aws:lambda:eu-west-1:123:function:cart"},
            "aws/123/eu-west-1/lambda/function/cart",
        ),
        (
            {"cloud.provider": "aws", "cloud.account.id": "123", "cloud.region": "eu-west-1", "faas.name": "cart"},
            "aws/123/eu-west-1/lambda/function/cart",
        ),
        ({"host.name": "h1"}, "host/h1"),
        ({"k8s.hpa.name": "cart", "k8s.namespace.name": "shop"}, "k8s/prod/shop/horizontalpodautoscaler/cart"),
        ({"k8s.replicaset.name": "cart-6bfd9c7d8", "k8s.namespace.name": "shop"}, "k8s/prod/shop/deployment/cart"),
        ({"k8s.replicaset.name": "by-hand", "k8s.namespace.name": "shop"}, "k8s/prod/shop/replicaset/by-hand"),
        ({"k8s.namespace.name": "shop"}, "k8s/prod/-/namespace/shop"),
        ({}, "service/unknown_service"),
    ],
)
def test_names_follow_the_scheme_of_all_sources(values: dict, want: str) -> None:
    assert naming.entity_of(values, "prod").resource == want


def test_a_name_that_is_too_long_ends_in_its_hash() -> None:
    one, other = naming.bounded("x" * 600), naming.bounded("x" * 601)
    assert len(one) == len(other) == 512 and one != other


def test_the_pieces_of_time_are_those_of_the_tests() -> None:
    assert at(1) - T == SECOND
