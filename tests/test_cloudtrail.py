"""CloudTrail: each shape in which records are delivered, who called, and fights found from calls alone. The records are synthetic."""

from __future__ import annotations

import base64
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from test_cli import interplay
from trail_records import (
    ACCOUNT,
    AUTOSCALER,
    GROUP,
    SCALER,
    SCHEDULER,
    SERVICE,
    START,
    TERRAFORM,
    actions,
    became,
    call,
    desired,
    role,
    user,
)

from models.events import Action
from models.findings import Finding, decode_finding
from models.instants import HOUR, MINUTE, SECOND, parse_time
from models.rejection import Rejection
from streams.settings import AgentName
from streams.sources.cloudtrail.agents import Agents
from streams.sources.cloudtrail.record import Head, heads, recognised, record

DOCS = (Path(__file__).parent.parent / "docs" / "cloudtrail.md").read_text()
ONE = desired(0, AUTOSCALER, 4)
TEXT = json.dumps(ONE)
LOGS = {
    "messageType": "DATA_MESSAGE",
    "owner": ACCOUNT,
    "logGroup": "trail",
    "logEvents": [{"id": "1", "timestamp": 1, "message": TEXT}],
}
PACKED = gzip.compress(json.dumps(LOGS).encode())
BRIDGE = {
    "version": "0",
    "id": "7bf73129",
    "detail-type": "AWS API Call via CloudTrail",
    "source": "aws.autoscaling",
    "account": ACCOUNT,
    "time": "2026-11-24T10:00:00Z",
    "region": "eu-west-1",
    "resources": [],
    "detail": ONE,
}
SHAPES: dict[str, bytes] = {
    "a record": TEXT.encode(),
    "a file of S3": json.dumps({"Records": [ONE]}).encode(),
    "pretty-printed": json.dumps({"Records": [ONE]}, indent=2).encode(),
    "EventBridge": json.dumps(BRIDGE).encode(),
    "CloudWatch Logs": json.dumps(LOGS).encode(),
    "... compressed": PACKED,
    "... compressed, after an empty one": gzip.compress(b'{"messageType": "CONTROL_MESSAGE"}') + PACKED + bytes(8),
    "... in base64": base64.b64encode(PACKED),
    "... in base64, a line": base64.b64encode(PACKED) + b"\r\n",
    "... as Lambda gets it": json.dumps({"awslogs": {"data": base64.b64encode(PACKED).decode()}}).encode(),
    "SNS": json.dumps({"Type": "Notification", "MessageId": "1", "Message": json.dumps(BRIDGE)}).encode(),
    "SQS": json.dumps({"Records": [{"messageId": "1", "body": json.dumps(BRIDGE), "eventSource": "aws:sqs"}]}).encode(),
    "SQS as received": json.dumps({"MessageId": "1", "Body": json.dumps({"Type": "Notification", "Message": TEXT})}).encode(),
    "Lake": json.dumps({"eventData": ONE, "metadata": {}}).encode(),
    "filter-log-events": json.dumps({"events": [{"logStreamName": "x", "timestamp": 1, "message": TEXT}]}).encode(),
    "an array": json.dumps([ONE]).encode(),
    "an array, pretty-printed": json.dumps([BRIDGE], indent=2).encode(),
    "lookup-events": json.dumps({"Events": [{"EventId": "1", "EventName": "x", "CloudTrailEvent": TEXT}]}).encode(),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_the_same_call(shape: str) -> None:
    (action,) = actions(SHAPES[shape])
    assert (action.resource, action.parameter, action.new) == (GROUP, "desiredCapacity", 4)
    assert (action.id, action.time) == ("e-0-SetDesiredCapacity#desiredCapacity", START)


@pytest.mark.parametrize("shape", [name for name in SHAPES if not name.startswith("...")])
def test_a_file_of_every_shape_is_recognised(shape: str) -> None:
    assert recognised(SHAPES[shape][:8192])


def test_records_one_after_the_other_without_a_line_break() -> None:
    second = json.dumps(desired(60, SCHEDULER, 2))
    assert [action.new for action in actions(f"{TEXT}{second} {TEXT}".encode())] == [4, 2]


def test_each_of_an_array_is_read_alone_and_parameters_as_text_are_parameters() -> None:
    """As Athena has them, and jq writes them."""
    text = {
        **desired(60, SCHEDULER, 2),
        "requestParameters": json.dumps({"autoScalingGroupName": "checkout", "desiredCapacity": 2}),
    }
    found, _ = became([[ONE, 5, text]])
    assert [each.new for each in found if isinstance(each, Action)] == [4, 2]
    assert [each.path for each in found if isinstance(each, Rejection)] == ["[1]"]


def test_one_bad_record_of_a_file_does_not_cost_the_others() -> None:
    no_time = {name: value for name, value in ONE.items() if name != "eventTime"}
    number = {**ONE, "eventTime": 12}
    found, _ = became([{"Records": [ONE, no_time, number, {**ONE, "eventTime": "yesterday"}, 5]}])
    bad = [(each.reason, each.path) for each in found if isinstance(each, Rejection)]
    assert bad == [
        ("missing_field", "Records[1].eventTime"),
        ("wrong_type", "Records[2].eventTime"),
        ("bad_time", "Records[3].eventTime"),
        ("wrong_type", "Records[4]"),
    ]
    assert len(found) == 5


NO_LOGS = {
    b"": "not_json",
    b"[1]": "wrong_type",
    b'{"Records": [{}': "not_json",
    b"\x1f\x8bnonsense": "not_json",
    PACKED[:-9]: "not_json",
    b'"text"': "wrong_type",
    b"{}": "unknown_type",
    b'{"Records": 3}': "wrong_type",
    json.dumps({"s3Bucket": "trail", "s3ObjectKey": ["AWSLogs/x.json.gz"]}).encode(): "unknown_type",
    json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]}).encode(): "unknown_type",
    json.dumps({"awsAccountId": ACCOUNT, "logFiles": []}).encode(): "unknown_type",
    json.dumps({"awslogs": {"data": base64.b64encode(PACKED[:-4] + b"crc?").decode()}}).encode(): "not_json",
    json.dumps({"awslogs": {"data": "no base64"}}).encode(): "not_json",
    b'{"detail":' * 9 + b"{}" + b"}" * 9: "too_deep",
}


@pytest.mark.parametrize("value", NO_LOGS)
def test_what_is_no_log_is_refused_with_the_reason(value: bytes) -> None:
    (found,) = became([value])[0]
    assert isinstance(found, Rejection) and found.reason == NO_LOGS[value] and found.detail


def test_a_control_message_is_counted() -> None:
    assert became([{"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "CWL CONTROL MESSAGE"}]}]) == (
        [],
        {"control_messages": 1},
    )


def person_behind(who: dict[str, Any], name: str) -> dict[str, Any]:
    return {**who, "sessionContext": {**who["sessionContext"], "sourceIdentity": name}}


def test_what_else_a_bus_carries_is_counted() -> None:
    launch = {**BRIDGE, "detail-type": "EC2 Instance Launch Successful", "detail": {"AutoScalingGroupName": "g"}}
    found, counts = became(
        [launch, {**BRIDGE, "detail-type": "AWS Service Event via CloudTrail", "detail": {**ONE, "eventType": "AwsServiceEvent"}}]
    )
    assert (found, counts) == ([], {"other_events": 1, "no_calls": 1})


AGENTS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (role("orders-deployer"), {}, "orders-deployer"),
    (SCALER, {}, "application-autoscaling"),
    (role("AWSServiceRoleForAutoScaling", "AutoScaling", invokedBy="autoscaling.amazonaws.com"), {}, "autoscaling"),
    (role("AWSServiceRoleForAutoScaling_kms"), {}, "autoscaling"),
    (role("AWSServiceRoleForECS", "ecs-service-scheduler"), {}, "ecs"),
    (role("AWSServiceRoleForSomethingNew"), {}, "somethingnew"),
    ({"type": "AWSService", "invokedBy": "ecs.application-autoscaling.amazonaws.com"}, {}, "application-autoscaling"),
    (AUTOSCALER, {}, "cluster-autoscaler"),
    (role("KarpenterControllerRole-prod"), {}, "karpenter"),
    (role("eks-node"), {"userAgent": "aws-sdk-go/1.4 cluster-autoscaler/1.28"}, "cluster-autoscaler"),
    (role("KarpenterNodeRole-prod", "i-0abc"), {}, "KarpenterNodeRole-prod"),  # any program of a node
    (role("KarpenterNodeRole-prod", "i-0abc"), {"userAgent": "elbv2.k8s.aws/v2.4.1"}, "aws-load-balancer-controller"),
    (role("Admin", "alice@example.com"), {}, "user/alice@example.com"),
    (person_behind(role("Admin", "1764000000"), "bob@example.com"), {}, "user/bob@example.com"),
    (person_behind(role("deployer", "run-1"), "pipeline"), {}, "deployer"),
    (role("AWSReservedSSO_Admin_0123", "alice@example.com"), {}, "user/alice@example.com"),
    (role("Admin", "bob"), {"sessionCredentialFromConsole": "true"}, "user/bob"),
    (user("carol"), {}, "user/carol"),
    (
        {**role("Admin", "x"), "type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/erin", "principalId": "AIDAEXAMPLE"},
        {},
        "user/erin",
    ),
    ({"type": "Root", "accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root"}, {}, "user/root"),
    ({"type": "SAMLUser", "principalId": "x:dave", "userName": "dave"}, {}, "user/dave"),
    ({"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u-1"}}, {}, "user/u-1"),
    ({"type": "AWSAccount", "accountId": "999999999999"}, {}, "account/999999999999"),
    ({"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/bare/s"}, {}, "bare"),
    ({}, {}, "user/unknown"),
]


@pytest.mark.parametrize(("who", "more", "name"), AGENTS)
def test_who_called(who: dict[str, Any], more: dict[str, Any], name: str) -> None:
    head = next(heads(json.dumps(desired(0, who, 3, **more)).encode()))
    assert isinstance(head, Head)
    found = record(head)
    assert not isinstance(found, Rejection)
    assert Agents().agent_of(found).name == name


@pytest.mark.parametrize("glob", ["*:assumed-role/night-*", "night-scheduler-role"])
def test_the_operators_own_name_for_a_role_counts_first(glob: str) -> None:
    head = next(heads(json.dumps(desired(0, SCHEDULER, 3)).encode()))
    assert isinstance(head, Head)
    found = record(head)
    assert not isinstance(found, Rejection)
    named = Agents((AgentName(name="scheduler", user=glob), AgentName(name="other", user_agent="*")))
    assert named.agent_of(found).name == "scheduler"
    assert Agents((AgentName(name="x", user=glob, user_agent="x*"),)).agent_of(found).name == "night-scheduler-role"


def test_sessions_of_a_role_are_instances_of_one_agent() -> None:
    found = actions(desired(0, role("deployer", "run-1"), 3), desired(1, role("deployer", "run-2"), 4))
    assert [(each.agent, each.source) for each in found] == [
        ("deployer", f"aws/{ACCOUNT}/deployer/run-1"),
        ("deployer", f"aws/{ACCOUNT}/deployer/run-2"),
    ]


def test_a_call_that_two_trails_tell_is_one() -> None:
    twice = [{**desired(0, who, 4), "sharedEventID": "s-1", "eventID": f"e-{who['type']}"} for who in (AUTOSCALER, user("x"))]
    found, counts = became([*twice, ONE, ONE])
    assert len(found) == 2 and counts["repeated"] == 2


def test_reads_and_calls_that_change_nothing_known_are_counted() -> None:
    _, counts = became(
        [
            call(0, TERRAFORM, "ec2:DescribeInstances"),
            call(0, TERRAFORM, "ec2:DescribeInstances", readOnly=None),
            call(1, TERRAFORM, "iam:CreateUser", {"userName": "x"}),
            call(2, TERRAFORM, "signin:ConsoleLogin", eventType="AwsConsoleSignIn"),
            desired(3, AUTOSCALER, 4),
            call(4, TERRAFORM, "autoscaling:SetDesiredCapacity", None),
            call(5, TERRAFORM, "ec2:StopInstances", {"instancesSet": {"items": []}}, errorCode="Client.DryRunOperation"),
            call(
                6,
                role("AWSServiceRoleForAutoScaling"),
                "ec2:TerminateInstances",
                {"instancesSet": {"items": [{"instanceId": "i-1"}]}},
            ),
        ]
    )
    assert counts == {
        "reads": 2,
        "other_calls": 1,
        "no_calls": 1,
        "changes": 4,
        "no_known_parameter": 1,
        "dry_run": 1,
        "derived": 1,
    }


def test_order_within_a_second_and_of_lines_does_not_matter() -> None:
    log = [desired(i // 3, role("a" if i % 2 else "b", f"s{i % 4}"), i) for i in range(60)]
    ordered, _ = became(log)
    for seed in range(5):
        shuffled = list(log)
        random.Random(seed).shuffle(shuffled)
        assert became(shuffled)[0] == ordered


def fight(*, minutes: int = 40) -> list[dict[str, Any]]:
    """The cluster's autoscaler and a scheduler, both at one group, among calls that say nothing."""
    log = [call(30 * i, role("grafana", "metrics"), "ec2:DescribeInstances", {"maxResults": 10}) for i in range(2 * minutes)]
    for round in range(minutes // 8):
        start = round * 480
        log.append(desired(start, AUTOSCALER, 6))
        log += [launched(start + 20 + i, f"i-{round}-{i}") for i in range(4)]
        log.append(desired(start + 240, SCHEDULER, 2))
        log += [ended(start + 260 + i, f"i-{round}-{i}") for i in range(4)]
    return log


def launched(at: float, name: str) -> dict[str, Any]:
    tags = {"items": [{"resourceType": "instance", "tags": [{"key": "aws:autoscaling:groupName", "value": "checkout"}]}]}
    answer = {"instancesSet": {"items": [{"instanceId": name, "imageId": "ami-1"}]}}
    return call(at, role("AWSServiceRoleForAutoScaling", "AutoScaling"), "ec2:RunInstances", {"tagSpecificationSet": tags}, answer)


def ended(at: float, name: str) -> dict[str, Any]:
    request = {"instancesSet": {"items": [{"instanceId": name}]}}
    return call(at, role("AWSServiceRoleForAutoScaling", "AutoScaling"), "ec2:TerminateInstances", request)


def findings(log: list[dict[str, Any]], folder: Path) -> list[Finding]:
    (folder / "trail.json.gz").write_bytes(gzip.compress(json.dumps({"Records": log}).encode()))
    done = interplay("analyze", "trail.json.gz", "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return [decode_finding(line.encode()) for line in done.stdout.splitlines()]


def test_two_automations_that_fight_over_a_group_are_found_and_its_instances_are_no_second_fight(tmp_path: Path) -> None:
    (finding,) = findings(fight(), tmp_path)
    assert (finding.pattern, finding.kind) == ("thrashing", "sustained")
    assert finding.agents == ("cluster-autoscaler", "night-scheduler-role")
    assert finding.resources == (GROUP,) and finding.parameters == ("desiredCapacity",)
    assert parse_time(finding.started_at) == START + 0 * MINUTE
    assert parse_time(finding.updated_at) == START + 36 * MINUTE


def test_a_scaling_policy_alone_is_silent(tmp_path: Path) -> None:
    """A day's load, followed by one policy of ECS and one of a group, which itself leaves no call behind but its instances."""
    counts = [2, 3, 4, 6, 8, 10, 12, 12, 10, 8, 6, 4, 3, 2]
    log: list[dict[str, Any]] = []
    alive: list[str] = []
    for hour, count in enumerate(counts):
        request = {"cluster": "prod", "service": "cart", "desiredCount": count}
        log.append(call(hour * 3600, SCALER, "ecs:UpdateService", request))
        while len(alive) < count:
            alive.append(f"i-{hour}-{len(alive)}")
            log.append(launched(hour * 3600 + len(alive), alive[-1]))
        while len(alive) > count:
            log.append(ended(hour * 3600 + len(alive), alive.pop(0)))
    assert findings(log, tmp_path) == []
    assert [each.new for each in actions(*log)] == counts


def test_a_deployment_that_undoes_the_scaling_is_found(tmp_path: Path) -> None:
    log = []
    for round in range(4):
        up = {"cluster": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/prod", "service": "cart", "desiredCount": 8}
        down = {"cluster": "prod", "service": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:service/prod/cart", "desiredCount": 3}
        log += [call(round * 600, SCALER, "ecs:UpdateService", up), call(round * 600 + 300, TERRAFORM, "ecs:UpdateService", down)]
    (finding,) = findings(log, tmp_path)
    assert (finding.agents, finding.resources) == (("application-autoscaling", "terraform-ci"), (SERVICE,))


def test_old_values_rest_on_a_bounded_past() -> None:
    log = [desired(i * 1200, AUTOSCALER, i % 7) for i in range(40)]
    long, _ = became(log, pane=HOUR)
    for cut in (7, 12, 25):
        short, _ = became(log[cut:], pane=HOUR)
        border = ((START + cut * 1200 * SECOND) // HOUR + 2) * HOUR
        late = [each for each in long if isinstance(each, Action) and each.time >= border]
        assert late and late == [each for each in short if isinstance(each, Action) and each.time >= border]


def test_the_settings_of_the_page_are_valid(tmp_path: Path) -> None:
    text = "".join(block.partition("```")[0] for block in DOCS.split("```toml\n")[1:])
    (tmp_path / "interplay.toml").write_text(text)
    done = interplay("config", "--changed", cwd=tmp_path)
    assert done.returncode == 0 and 'kind = "cloudtrail"' in done.stdout and 'lateness = "20m"' in done.stdout, done.stderr


def test_the_files_of_a_trail_read_as_one_log_know_old_values_across_them(tmp_path: Path) -> None:
    """The directory of docs/cloudtrail.md, one file per call, named against the order of time."""
    assert "interplay analyze trail\n" in DOCS
    texts = []
    for number in range(8):
        who, count = ((AUTOSCALER, 6), (SCHEDULER, 2))[number % 2]
        texts.append(json.dumps({"Records": [desired(240 * number, who, count)]}).encode())
        file = tmp_path / "trail" / f"{number % 3}" / f"{9 - number}.json.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(texts[-1]))
    (tmp_path / "trail" / ".part").write_text("what a hidden file holds is nobody's")
    (tmp_path / "lines").write_bytes(b"\n".join(texts))
    (tmp_path / "joined").write_bytes(b"".join(texts))
    for name in ("trail", "lines", "joined"):
        done = interplay("analyze", name, "--format", "json", cwd=tmp_path)
        (finding,) = (decode_finding(line.encode()) for line in done.stdout.splitlines())
        assert finding.resources == (GROUP,)
        assert "8 events" in done.stderr
