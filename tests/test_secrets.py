"""No secret leaves a record in a name or a text."""

from __future__ import annotations

import json

import pytest

from models.events import Action
from streams.settings import Settings
from streams.sources.kinds import KINDS
from streams.sources.opentelemetry.naming import entity_of, peer_of
from streams.sources.opentelemetry.values import Attributes
from streams.sources.secrets import without_secrets
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
