"""No secret leaves a record in a name or a text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from otlp_records import at, attributes, both, request
from test_mapping import RECORD, TABLE, settings_of
from test_opentelemetry import tool

from models.events import Action, encode_signal
from models.rejection import Rejection
from streams.settings import ActionRule, Otlp, Settings
from streams.sources.cloudtrail.values import plain
from streams.sources.kinds import KINDS
from streams.sources.mapping.applying import unmet
from streams.sources.mapping.paths import parse_path
from streams.sources.mapping.rules import Condition
from streams.sources.opentelemetry.naming import entity_of, peer_of
from streams.sources.opentelemetry.values import Attributes
from streams.sources.secrets import is_secret, without_secrets
from streams.sources.source import Origin

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"401 for https://x/?token={SECRET}&a=1", "401 for https://x/?token=hidden&a=1"),
        (f"dial amqp://bot:{SECRET}@mq:5672/", "dial amqp://bot:hidden@mq:5672/"),
        (f"Authorization: Bearer {SECRET}", "Authorization: Bearer hidden"),
        (f'{{"password": "{SECRET}", "user": "bob"}}', '{"password": "hidden", "user": "bob"}'),
        (f"db_password={SECRET}; retry", "db_password=hidden; retry"),
        ("token expired after 3 s, see https://x/a:b", "token expired after 3 s, see https://x/a:b"),
    ],
)
def test_a_text_keeps_all_but_its_secrets(text: str, told: str) -> None:
    assert without_secrets(text) == told


def test_a_tool_that_is_guessed_tells_no_argument_that_is_named_like_a_secret() -> None:
    arguments = json.dumps({"user": "bob", "password": SECRET, "api_key": SECRET, "pin": 1234, "replicas": 3})
    names = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "set_account", "gen_ai.tool.call.arguments": arguments}
    span = {
        "traceId": "1" * 32, "spanId": "1" * 16, "name": "execute_tool set_account", "startTimeUnixNano": "1795514520000000000",
        "endTimeUnixNano": "1795514520000001000", "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in names.items()],
    }  # fmt: skip
    source = KINDS["otlp"].open(Settings(), Origin())
    fold = source.fold()
    found = []
    for record in source.parse(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode(), (), 1):
        found += fold.translate(record)  # type: ignore[arg-type]
    found += fold.passed(1 << 62)
    actions = [each for _, each in found if isinstance(each, Action)]
    assert [(each.resource, each.parameter, each.new) for each in actions] == [("tool/set_account/bob", "replicas", 3)]


def test_a_database_that_is_named_by_its_connection_string_is_named_without_the_password() -> None:
    entity = entity_of({"service.name": "cart"}, "prod")
    span: Attributes = {"db.system": "postgresql", "server.address": "db1", "db.namespace": f"postgres://app:{SECRET}@db1/orders"}
    assert peer_of(span, entity) == ("db/postgresql/db1/postgres://app:hidden@db1/orders", "calls")


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("password", SECRET, True), ("pin", 1234, True), ("api_key", SECRET, True), ("passwords", [SECRET], True),
        ("max_tokens", 4000, False), ("tokens_per_minute", 90_000.0, False), ("token", True, False), ("secretName", "db", False),
        ("replicas", 3, False), ("shipping", SECRET, False),
    ],
)  # fmt: skip
def test_which_fields_hold_secrets(name: str, value: object, secret: bool) -> None:
    assert is_secret(name, value) is secret


HOOK = {
    "at": "2026-11-24T10:00:00Z", "who": "bot", "replicas": "3", "password": SECRET, "max_tokens": "4000", "url": f"https://a:{SECRET}@db/x",
    "auth": {"token": {"value": SECRET}}, "message": f"login with password={SECRET} failed", "extra": {"user": "bob", "api_key": SECRET},
}  # fmt: skip


def mapped(**data: Any) -> list[bytes]:
    """What a rule with these fields makes of the hook, as it goes into the signals."""
    base = {"time": {"path": "at"}, "subject": "x/{auth.token.value}/{url}"}
    table = {"name": "r", "type": "action", "attributes": base, "data": {"agent": "{who}", "verb": "set", **data}}
    source = KINDS["json"].open(Settings(map=settings_of(table)), Origin())
    return [encode_signal(each) for each in source.parse(json.dumps(HOOK).encode(), (), 1)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        {"parameter": "p-{password}"},
        {"new": {"path": "password"}},
        {"new": {"path": "password", "type": "text"}},
        {"new": [{"path": "password"}, {"path": "url"}]},
        {"new": {"path": "auth.token.value"}},
        {"why": {"text": "{message}"}},
        {"why": {"text": {"path": "message"}}},
        {"new": "{url}"},
    ],
)
def test_no_rule_tells_what_is_named_like_a_secret(data: dict[str, Any]) -> None:
    (told,) = mapped(**data)
    assert SECRET.encode() not in told and b'"agent":"bot"' in told


def test_the_same_secret_is_the_same_hash_so_that_a_change_of_it_is_seen() -> None:
    rule = {"path": "password"}
    assert mapped(new=rule) == mapped(new={**rule, "type": "hash"})
    (told,) = mapped(parameter="max_tokens", new={"path": "max_tokens", "type": "number"})
    assert b"4000" in told  # a number is no secret, but one that people type


def test_neither_a_mistake_nor_a_condition_shows_a_secret() -> None:
    (why,) = wrongly(new={"path": "password", "type": "number"})
    assert why.reason == "wrong_type" and SECRET not in why.detail
    condition = Condition(parse_path("password"), among=("other",))
    assert unmet(condition, HOOK).startswith('password is "sha256:')


def wrongly(**data: Any) -> list[Rejection]:
    table = {
        "name": "r",
        "type": "action",
        "attributes": {"time": {"path": "at"}, "subject": "x"},
        "data": {"agent": "a", "verb": "v", **data},
    }
    source = KINDS["json"].open(Settings(map=settings_of(table)), Origin())
    return [each for each in source.parse(json.dumps(HOOK).encode(), (), 1) if isinstance(each, Rejection)]


def test_a_rule_of_opentelemetry_tells_none_either() -> None:
    rule = ActionRule(
        span="*", resource="db/{arguments.url}/{arguments.password}", parameter="{arguments.auth.token}", new="{arguments}",
        old="{result.secret}", why="{arguments}",
    )  # fmt: skip
    arguments = json.dumps({"password": SECRET, "url": f"https://a:{SECRET}@x", "auth": {"token": SECRET}, "max_tokens": 5})
    call = tool(
        1, arguments=arguments, values={"gen_ai.agent.name": "a", "gen_ai.tool.call.result": json.dumps({"secret": SECRET})}
    )
    (event,) = both(request("traces", [call]), settings=Otlp(action=(rule,)))
    assert SECRET.encode() not in encode_signal(event) and event.new.startswith('{"password": "hidden"')


def test_an_attribute_of_a_metric_that_is_named_like_a_secret_is_hashed_and_its_series_stay_apart() -> None:
    points = [
        {
            "timeUnixNano": str(at(1)),
            "asDouble": 1.0,
            "attributes": attributes({"api_key": f"{SECRET}{n}", "gen_ai.token.type": "input"}),
        }
        for n in range(2)
    ]
    found = both(request("metrics", [{"name": "m", "gauge": {"dataPoints": points}}]))
    assert len({each.metric for each in found}) == 2
    assert all(SECRET.encode() not in encode_signal(each) and "gen_ai.token.type=input" in each.metric for each in found)


@pytest.mark.parametrize("depth", [60, 300, 480, 900])
@pytest.mark.parametrize("leaf", ["4711471147", "123456789012345678901234567890"])
def test_a_value_that_is_nested_deeply_or_a_huge_number_stops_no_rule(depth: int, leaf: str) -> None:
    deep = '{"a":[' * (depth // 2) + leaf + "]}" * (depth // 2)
    for name in ("x", "password"):
        arguments = f'{{"{name}": {deep}, "password2": {leaf}}}'
        rule = ActionRule(resource="r {arguments.password2}", parameter="p", new=f"{{arguments.{name}}}")
        (action,) = both(request("traces", [tool(1, arguments=arguments)]), settings=Otlp(action=(rule,)))
        assert isinstance(action, Action) and isinstance(action.new, str) and action.resource.startswith("r sha256:")
        assert (leaf in action.new) == (name == "x" and depth == 60)
        assert ("nested too deeply" in action.new) == (name == "x" and depth > 60)


def test_a_mapped_value_that_is_nested_deeply_is_refused_or_cut_and_stops_nothing() -> None:
    (rule,) = settings_of({**TABLE, "data": {**TABLE["data"], "new": {"path": "size"}}})
    for depth in (100, 500, 900):
        raw = json.dumps({**RECORD, "size": 0}).replace('"size": 0', f'"size": {"[" * depth}1{"]" * depth}').encode()
        (found,) = KINDS["json"].open(Settings(map=(rule,)), Origin()).parse(raw, (), 1)
        assert isinstance(found, Rejection) or len(encode_signal(found)) < 2000


def test_a_secret_of_cloudtrail_is_one_by_the_same_rule() -> None:
    assert plain("x", name="sessionCookie") == plain("x", name="customAuthorization") == "hidden"
    assert plain(3600, name="tokenValidity") == 3600 and plain("a/b", name="kubernetesSecretName") == "a/b"
    assert plain({"dsn": "x", "size": 3}) == ("dsn=hidden", "size=3")
