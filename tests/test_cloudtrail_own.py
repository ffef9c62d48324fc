"""`[[cloudtrail.call]]`: calls that the operator adds, what becomes of them, and each mistake in one line."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from test_cli import interplay
from test_cloudtrail import DOCS
from test_source_tables import loaded
from trail_records import SCHEDULER, TERRAFORM, call, desired

from models.events import Action
from models.findings import decode_finding
from models.instants import HOUR
from streams.settings import CallRule, Settings
from streams.settings_file import SettingsError
from streams.settings_file.tables import written_tables
from streams.sources.cloudtrail import CloudTrail
from streams.sources.cloudtrail.values import UNSET
from streams.sources.in_order import translated
from streams.sources.source import Origin

GOOD = """
[[cloudtrail.call]]
service = "apigateway.amazonaws.com"
calls = ["UpdateStage"]
resource = "restapis/{restApiId}/stages/{stageName/=default}"
parameters = ["patchOperations:path:value", "deploymentId<deployment.id=deployment", "apiKey.value=key", "state:=updated"]
"""
PAGE = DOCS.partition("## Calls of your own choice")[2].partition("```toml\n")[2].partition("```")[0]


def of(settings: Settings, *records: dict[str, Any]) -> list[Action]:
    written = [(number, json.dumps(each).encode()) for number, each in enumerate(records)]
    found = [each for _, each in translated(written, CloudTrail(settings, Origin()), 2 * HOUR, Counter())]
    return [each for each in found if isinstance(each, Action)]


def values(found: list[Action]) -> list[tuple[str, object, object]]:
    return [(each.parameter, each.old, each.new) for each in found]


def test_a_call_is_read_as_its_line_says(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD)
    request = {
        "restApiId": "r1",
        "patchOperations": [{"op": "replace", "path": "/throttle", "value": "10"}, {"path": "/x/clientSecret", "value": "hunter2"}],
        "deploymentId": "latest",
        "apiKey": {"value": "hunter2"},
    }
    found = of(settings, call(0, TERRAFORM, "apigateway:UpdateStage", request, {"deployment": {"id": "d7"}}))
    assert {each.resource.split("/", 2)[2] for each in found} == {"eu-west-1/apigateway/restapis/r1/stages/default"}
    assert values(found) == [
        ("/throttle", UNSET, "10"),
        ("/x/clientSecret", UNSET, "hidden"),
        ("deployment", UNSET, "d7"),
        ("key", UNSET, "hidden"),
        ("state", UNSET, "updated"),
    ]
    assert "hunter2" not in repr(found)


def test_the_lines_of_the_page_and_what_they_say(tmp_path: Path) -> None:
    settings = loaded(tmp_path, PAGE)
    found = of(
        settings,
        call(
            0,
            TERRAFORM,
            "cloudfront:UpdateDistribution",
            {"id": "E1", "distributionConfig": {"enabled": True, "priceClass": "all"}},
        ),
        call(1, SCHEDULER, "cloudfront:UpdateDistribution2020_05_31", {"id": "E1", "distributionConfig": {"enabled": False}}),
        call(
            2,
            TERRAFORM,
            "wafv2:AssociateWebACL",
            {
                "resourceArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/1",
                "webACLArn": "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/strict/2",
            },
        ),
    )
    assert values(found)[:3] == [("enabled", UNSET, True), ("price", UNSET, "all"), ("enabled", True, False)]
    assert found[0].resource == "aws/123456789012/-/cloudfront/distribution/E1"
    assert found[3].resource == "aws/123456789012/eu-west-1/elasticloadbalancing/loadbalancer/app/web/1"


@pytest.mark.parametrize(
    ("change", "request_", "expected"),
    [
        ("add", {"to": "x", "members": ["a", "b"]}, [("members", (), ("a", "b"))]),
        ("remove", {"to": "x", "members": {"items": ["a"]}}, [("members", ("a",), ())]),
        ("make", {"to": "x", "members": 4}, [("exists", False, True)]),
        ("unmake", {"to": "x"}, [("exists", True, False)]),
        ("act", {"to": "x", "members": "b"}, [("members", UNSET, "b")]),
    ],
)
def test_each_change(change: Any, request_: dict[str, Any], expected: list[tuple[str, object, object]]) -> None:
    rule = CallRule(service="new", calls=("Do",), resource="thing/{to}", change=change, parameters=("members",))
    settings = Settings(cloudtrail=type(Settings().cloudtrail)(call=(rule,)))
    assert values(of(settings, call(0, TERRAFORM, "new:Do", request_))) == expected


def test_a_line_stands_in_the_place_of_the_tables_own(tmp_path: Path) -> None:
    text = GOOD.replace("apigateway", "autoscaling").replace("UpdateStage", "SetDesiredCapacity")
    text = text.replace("restapis/{restApiId}/stages/{stageName/=default}", "all").replace('"patchOp', '"honorCooldown", "patchOp')
    assert values(of(loaded(tmp_path, text), desired(0, TERRAFORM, 3)))[0] == ("honorCooldown", UNSET, False)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD + PAGE)
    assert loaded(tmp_path, "\n".join(written_tables(settings))) == settings


LINE = "[[cloudtrail.call]]\nservice = 'x'\ncalls = ['Do']\nresource = 'a/{b}'\nparameters = ['c']\n"
MISTAKES = [
    ("[cloudtrail.call]\nservice = 'x'", "cloudtrail.call: must be tables, each under its own [[cloudtrail.call]]"),
    (LINE.replace("service = 'x'\n", ""), "cloudtrail.call 1: service is missing: what eventSource says"),
    (LINE.replace("'x'", "'x y'"), "cloudtrail.call 1: service: must be a service as eventSource has it"),
    (LINE.replace("'x'", "7"), "cloudtrail.call 1: service: must be a service"),
    (LINE.replace("calls =", "call ="), "cloudtrail.call 1: call: no such field; did you mean calls?"),
    (LINE.replace("['Do']", "'Do'"), "cloudtrail.call 1: calls: must be a list of names of calls"),
    (LINE.replace("['Do']", "[]"), "cloudtrail.call 1: calls: must be a list"),
    (LINE.replace("'a/{b}'", "'a/{b'"), "cloudtrail.call 1: resource: write what stands below the service"),
    (LINE.replace("'a/{b}'", "'a/{}'"), "cloudtrail.call 1: resource: write what"),
    (LINE.replace("'a/{b}'", "''"), "cloudtrail.call 1: resource: write what"),
    (LINE.replace("'a/{b}'", "3"), "cloudtrail.call 1: resource: must be a text in quotes, not 3"),
    (LINE.replace("['c']", "['c=']"), "cloudtrail.call 1: parameters: write a path into the request"),
    (LINE.replace("['c']", "['a b', 'c..d', 7]"), "cloudtrail.call 1: parameters: must be texts in quotes, not 7"),
    (LINE.replace("['c']", "'c'"), "cloudtrail.call 1: parameters: must be a list"),
    (LINE.replace("parameters = ['c']\n", ""), "cloudtrail.call 1: parameters is missing: what a call that sets"),
    (LINE + "change = 'sets'", "cloudtrail.call 1: change: must be one of set, add, remove, make, unmake, act, not 'sets'"),
    (LINE + "change = ['set']", "cloudtrail.call 1: change: must be one of"),
    (LINE + "regional = 'no'", "cloudtrail.call 1: regional: must be true or false, not 'no'"),
    (LINE + LINE.replace("'x'", "'x.amazonaws.com'"), "cloudtrail.call: Do of x is given twice"),
]


@pytest.mark.parametrize(("text", "mistake"), MISTAKES)
def test_mistakes_are_told_a_line_each(tmp_path: Path, text: str, mistake: str) -> None:
    with pytest.raises(SettingsError) as raised:
        loaded(tmp_path, text)
    assert any(mistake in line for line in raised.value.mistakes), raised.value.mistakes
    assert all("\n" not in line for line in raised.value.mistakes)


def test_a_fight_over_what_only_the_operator_knows_is_found(tmp_path: Path) -> None:
    (tmp_path / "interplay.toml").write_text(PAGE)
    log = [
        call(
            900 * n,
            (TERRAFORM, SCHEDULER)[n % 2],
            "cloudfront:UpdateDistribution",
            {"id": "E1", "distributionConfig": {"enabled": n % 2 == 0}},
        )
        for n in range(8)
    ]
    (tmp_path / "trail.json").write_text(json.dumps({"Records": log}))
    done = interplay("analyze", "trail.json", "--format", "json", cwd=tmp_path)
    (finding,) = [decode_finding(line.encode()) for line in done.stdout.splitlines()]
    assert (finding.pattern, finding.parameters) == ("thrashing", ("enabled",))
