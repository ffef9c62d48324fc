"""What a tool call is guessed to write: which of its arguments name the resource, which are values, and which are neither."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET
from otlp_records import as_json, attributes, both, request, span, told
from test_opentelemetry import tool

from models.analyzer import Analyzer
from models.configuration import Analysis
from models.events import Action
from streams.settings import Otlp, Settings
from streams.sources.opentelemetry import Otlp as Source
from streams.sources.opentelemetry.guess import NAMING, PROSE, SETTING
from streams.sources.source import Origin


def guessed(arguments: dict[str, Any], name: str = "set_it", **values: str) -> list[Action]:
    call = tool(1, arguments=json.dumps(arguments), values={"gen_ai.tool.name": name, **values})
    found = both(request("traces", [call]))
    assert all(isinstance(event, Action) for event in found)
    return found  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("arguments", "resource", "values"),
    [
        ({"namespace": "shop", "service": "cart", "replicas": 5}, "shop/cart", {"replicas": 5}),
        ({"service": "cart", "mode": "eco"}, "cart", {"mode": "eco"}),  # a text that names nothing is a value
        ({"service": "cart", "version": "1.2.3", "force": True}, "cart", {"version": "1.2.3", "force": True}),
        ({"service": "cart", "replicas": 5, "reason": "p95 is 812 ms", "note": "cart"}, "cart", {"replicas": 5}),
        ({"accountId": 42, "quota": 7}, "42", {"quota": 7}),  # an id is no value, number or not
        ({"node": 3, "instances": 2}, "", {"node": 3, "instances": 2}),  # a node may be counted
        ({"target_replicas": 5, "app_name": "cart"}, "cart", {"target_replicas": 5}),
        ({"what": "cart", "replicas": 5}, "cart", {"replicas": 5}),  # nothing says what names it: texts of one word do,
        ({"mode": "eco"}, "", {"mode": "eco"}),  # but no setting
        ({"what": "all the carts of today", "replicas": 5}, "", {"replicas": 5}),
        ({"service": "llm", "max_tokens": 4000, "token": "hunter2"}, "llm", {"max_tokens": 4000}),
        ({"resource": "k8s/prod/shop/deployment/cart", "replicas": 5, "namespace": "x"}, None, {"replicas": 5}),
        ({}, "", {"set": UNSET}),
    ],
)  # fmt: skip
def test_which_arguments_name_and_which_are_values(arguments: dict[str, Any], resource: str | None, values: dict[str, Any]) -> None:
    found = guessed(arguments)
    want = arguments["resource"] if resource is None else "/".join(["tool/set_it", *filter(None, [resource])])
    assert {event.resource for event in found} == {want}
    assert {event.parameter: event.new for event in found} == values


@pytest.mark.parametrize(
    ("tool_name", "arguments", "resource", "parameter", "new"),
    [
        ("enable_flag", {"name": "beta"}, "tool/enable_flag/beta", "enable", True),
        ("disable_flag", {"name": "beta"}, "tool/enable_flag/beta", "enable", False),
        ("k8s.uncordonNode", {"node": "n1"}, "tool/k8s.cordonNode/n1", "cordon", False),
        ("stop", {"service": "cart"}, "tool/start/cart", "start", False),
        ("scale_up", {"service": "cart", "replicas": 8}, "tool/scale/cart", "replicas", 8),
        ("scaleDown", {"service": "cart", "replicas": 2}, "tool/scale/cart", "replicas", 2),
        ("scale_up", {"service": "cart"}, "tool/scale_up/cart", "scale", UNSET),  # by how much is not said
        ("set_backup", {"service": "cart", "hours": 2}, "tool/set_backup/cart", "hours", 2),
        ("restart_pod", {"pod": "p"}, "tool/restart_pod/p", "restart", UNSET),
    ],
)
def test_tools_that_undo_each_other_are_one(tool_name: str, arguments: dict, resource: str, parameter: str, new: object) -> None:
    (event,) = guessed(arguments, tool_name)
    assert (event.resource, event.parameter, event.new) == (resource, parameter, new)


def test_a_reason_is_why_and_tells_no_secret() -> None:
    (event,) = guessed({"service": "cart", "replicas": 5, "reason": "queue at https://a:hunter2@mq is 90 deep"})
    assert event.why is not None and event.why.text == "queue at https://a:hidden@mq is 90 deep"


def test_the_value_before_is_of_the_kind_of_the_new_one() -> None:
    result = json.dumps({"previous": "eco", "old_replicas": 2})
    found = guessed({"service": "cart", "replicas": 3, "mode": "turbo"}, **{"gen_ai.tool.call.result": result})
    assert {event.parameter: event.old for event in found} == {"mode": "eco", "replicas": 2}


def test_no_word_has_two_meanings() -> None:
    assert not NAMING & PROSE and not NAMING & SETTING and not PROSE & SETTING


def test_two_agents_with_a_reason_each_time_are_seen_to_fight() -> None:
    """The reasons were part of the resource's name, so that every call was of another one and no fight was ever found."""
    analyzer = Analyzer(Analysis())
    changes = []
    for n in range(8):
        agent, replicas = (("cost", 2), ("perf", 6))[n % 2]
        arguments = json.dumps({"service": "cart", "replicas": replicas, "reason": f"load is {n} now, so says p{n}"})
        values = {"gen_ai.tool.name": "scale_service", "gen_ai.agent.name": agent}
        call = tool(n + 1, arguments=arguments, values=values, start=60.0 * n, end=60.0 * n + 1)
        for event in both(request("traces", [call], agent)):
            changes += analyzer.feed(event)  # type: ignore[arg-type]
    found = {change.finding.pattern: change.finding for change in [*changes, *analyzer.finish()]}
    assert found["thrashing"].agents == ("cost", "perf") and found["thrashing"].resources == ("tool/scale_service/cart",)


def run(length: float, at: float) -> list[dict[str, Any]]:
    """An agent's run of so long (s), with a call at its beginning and one at its end."""
    calls = [
        tool(number, 9, start=begin, end=begin + 0.1, trace=int(at) + 1)
        for number, begin in ((1, at + 0.1), (2, at + length - 0.2))
    ]
    top = span("invoke_agent", 9, start=at, end=at + length, trace=int(at) + 1, values={"gen_ai.agent.name": "scaler"})
    return [*calls, top]


@pytest.mark.parametrize(("length", "agent"), [(4.0, "scaler"), (60.0, "ops")])
def test_all_calls_of_one_run_are_of_one_agent(length: float, agent: str) -> None:
    """The run's span is told at its end: of a long one only the last calls would bear its agent's name, and the two would seem to fight."""
    found = both(request("traces", run(length, 0.0), "ops"))
    assert [event.agent for event in found if isinstance(event, Action)] == [agent, agent]
    named = [
        {**each, "attributes": [*each["attributes"], *attributes({"gen_ai.agent.name": "scaler"})]} for each in run(length, 0.0)
    ]
    assert {event.agent for event in both(request("traces", named, "ops")) if isinstance(event, Action)} == {"scaler"}


def test_of_more_spans_than_are_remembered_the_newest_are() -> None:
    """The first were, so that for the rest of five minutes no span had an agent, a cause or a server."""
    settings = Otlp(spans=8)
    spans = [each for n in range(10) for each in run(3.0, 30.0 * n)]
    found = [event for event in told(as_json(request("traces", spans, "ops")), settings=settings) if isinstance(event, Action)]
    assert [event.agent for event in found] == ["scaler"] * 20
    fold = Source(Settings(otlp=settings), Origin()).fold()
    for n in range(100):
        (record,) = Source(Settings(), Origin()).parse(as_json(request("traces", [pair(n)[n % 2]])), (), n)
        fold.translate(record)  # type: ignore[arg-type]
    assert fold.counts["forgotten_spans"] == 92
    slowly = Source(Settings(otlp=settings), Origin()).fold()
    for n in range(0, 1000, 10):  # nothing waits any more for what is forgotten
        (record,) = Source(Settings(), Origin()).parse(as_json(request("traces", [pair(n)[0]])), (), n)
        slowly.translate(record)  # type: ignore[arg-type]
    assert +slowly.counts == {}
    around = fold._around
    assert max(len(each) for each in (around._known, around._served, around._reads, around._oldest)) <= 8


def pair(n: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return span("GET", 1, kind=3, trace=n + 1, start=n, end=n + 1), span("GET", 2, 1, kind=2, trace=n + 1, start=n, end=n + 1)
