"""What several calls of CloudTrail tell together, in the forms in which services write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_cloudtrail import ended, findings, launched
from trail_records import AUTOSCALER, GROUP, SCHEDULER, TERRAFORM, actions, call, desired, role, told

from streams.sources.cloudtrail.values import UNSET

BLUE = {"name": "api.example.com", "type": "CNAME", "setIdentifier": "blue", "resourceRecords": [{"value": "Blue.example.com."}]}
UNKNOWN = UNSET


def dns(at: int, who: dict[str, Any], *changed: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    changes = [{"action": action, "resourceRecordSet": record} for action, record in changed]
    request = {"hostedZoneId": "Z1", "changeBatch": {"changes": changes}}
    return call(at, who, "route53:ChangeResourceRecordSets", request, awsRegion="us-east-1", **more)


def test_a_record_set_has_a_weight_a_failover_role_and_a_time_to_live() -> None:
    found = told(
        dns(0, TERRAFORM, ("DELETE", {**BLUE, "weight": 10, "tTL": 60}), ("CREATE", {**BLUE, "weight": 90, "tTL": 60})),
        dns(1, SCHEDULER, ("UPSERT", {**BLUE, "weight": 90, "tTL": 300})),
        dns(2, SCHEDULER, ("DELETE", {**BLUE, "weight": 90, "tTL": 300})),
        dns(3, TERRAFORM, ("CREATE", {**BLUE, "failover": "PRIMARY"})),
        dns(4, SCHEDULER, ("UPSERT", {**BLUE, "failover": "SECONDARY"})),
    )
    assert {resource for resource, *_ in found} == {"route53/hostedzone/Z1/api.example.com"}
    name = "blue.example.com"
    assert [each[1:] for each in found] == [
        ("CNAME[blue]", name, name),
        ("CNAME[blue].weight", 10, 90),
        ("CNAME[blue]", name, name),
        ("CNAME[blue].weight", 90, 90),
        ("CNAME[blue].ttl", 60, 300),
        ("CNAME[blue]", name, None),
        ("CNAME[blue]", None, name),
        ("CNAME[blue].failover", None, "PRIMARY"),
        ("CNAME[blue]", name, name),
        ("CNAME[blue].failover", "PRIMARY", "SECONDARY"),
    ]


def test_a_name_of_dns_is_one_however_it_is_written() -> None:
    there = {"name": "\\052.Example.com.", "type": "CNAME", "resourceRecords": [{"value": "LB.example.com."}]}
    here = {"name": "*.example.com", "type": "CNAME", "resourceRecords": [{"value": "lb.example.com"}]}
    found = told(dns(0, TERRAFORM, ("UPSERT", there)), dns(1, SCHEDULER, ("UPSERT", here)))
    assert found[1] == ("route53/hostedzone/Z1/*.example.com", "CNAME", "lb.example.com", "lb.example.com")


def test_a_refused_deletion_does_not_say_what_stands() -> None:
    other = {**BLUE, "resourceRecords": [{"value": "green.example.com"}]}
    found = told(
        dns(0, TERRAFORM, ("UPSERT", BLUE)), dns(1, SCHEDULER, ("DELETE", other), ("CREATE", BLUE), errorCode="InvalidChangeBatch")
    )
    assert found[1][2:] == (UNKNOWN, "blue.example.com")


def test_an_answer_tells_what_no_call_did() -> None:
    """An instance that was shut down from inside."""
    request = {"instancesSet": {"items": [{"instanceId": "i-1"}]}}
    states = {"currentState": {"code": 0, "name": "pending"}, "previousState": {"code": 80, "name": "stopped"}}
    answer = {"instancesSet": {"items": [{"instanceId": "i-1", **states}]}}
    found = told(*(call(60 * n, SCHEDULER, "ec2:StartInstances", request, answer) for n in range(2)))
    assert [each[2:] for each in found] == [("stopped", "running")] * 2


def test_rules_of_a_security_group_revoked_by_their_ids_are_told_by_the_answer() -> None:
    """As Terraform's aws_vpc_security_group_ingress_rule does."""
    rule = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]}}
    gone = {
        "securityGroupRuleId": "sgr-1",
        "groupId": "sg-1",
        "isEgress": False,
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
    }
    whole = {"securityGroupRuleId": "sgr-2", "ipProtocol": "-1", "fromPort": -1, "toPort": -1, "referencedGroupId": "sg-9"}
    found = told(
        call(0, TERRAFORM, "ec2:AuthorizeSecurityGroupIngress", {"groupId": "sg-1", "ipPermissions": {"items": [rule]}}),
        call(
            1,
            SCHEDULER,
            "ec2:RevokeSecurityGroupIngress",
            {"groupId": "sg-1", "ipPermissions": {}, "securityGroupRuleIds": {"items": [{"securityGroupRuleId": "sgr-1"}]}},
            {"_return": True, "revokedSecurityGroupRuleSet": {"items": [{**gone, "cidrIpv4": "10.0.0.0/8"}, whole]}},
        ),
    )
    https, all_ = "tcp 443-443 10.0.0.0/8", "all * sg-9"
    assert [each[2:] for each in found] == [((), (https,)), ((all_, https), ())]


NODES = "eks-workers-0ec1e2a3-1111-2222-3333-444455556666"
MANAGED = role("AWSServiceRoleForAmazonEKSNodegroup", "EKS")


def shrunk(at: int, who: dict[str, Any], instance: str, cause: str = "", group: str = "checkout") -> dict[str, Any]:
    """As the cluster's autoscaler scales down."""
    activity = {
        "activity": {"autoScalingGroupName": group, "cause": f"At 10:00 instance {instance} was taken out of service {cause}"}
    }
    request = {"instanceId": instance, "shouldDecrementDesiredCapacity": True}
    return call(at, who, "autoscaling:TerminateInstanceInAutoScalingGroup", request, activity if group else None)


def test_an_instance_that_leaves_with_its_place_lowers_the_desired_capacity() -> None:
    """The answer says from what to what, else the log does; a call that keeps the place does not."""
    said = "in response to a user request, shrinking the capacity from 7 to 6."
    keep = {"instanceId": "i-3", "shouldDecrementDesiredCapacity": False}
    two = {"autoScalingGroupName": "checkout", "instanceIds": ["i-4", "i-5"], "shouldDecrementDesiredCapacity": True}
    found = told(
        shrunk(0, AUTOSCALER, "i-0"),  # from what to what is not known
        desired(1, SCHEDULER, 5),
        shrunk(2, AUTOSCALER, "i-1"),
        shrunk(3, AUTOSCALER, "i-2", said),
        call(4, AUTOSCALER, "autoscaling:TerminateInstanceInAutoScalingGroup", keep),
        call(5, SCHEDULER, "autoscaling:EnterStandby", two),
        call(6, SCHEDULER, "autoscaling:ExitStandby", {**two, "shouldDecrementDesiredCapacity": None}),
        call(7, SCHEDULER, "autoscaling:DetachInstances", {**two, "instanceIds": ["i-4"]}),
        call(8, SCHEDULER, "autoscaling:AttachInstances", {"autoScalingGroupName": "checkout", "instanceIds": ["i-9"]}),
    )
    assert [each[2:] for each in found if each[1] == "desiredCapacity"] == [
        (UNKNOWN, 5),
        (5, 4),
        (7, 6),
        (6, 4),
        (4, 6),
        (6, 5),
        (5, 6),
    ]


def test_without_an_answer_an_instance_is_of_the_group_for_which_it_was_launched() -> None:
    found = actions(desired(0, SCHEDULER, 5), launched(1, "i-1"), shrunk(9, AUTOSCALER, "i-1", group=""))
    assert [(each.resource, each.agent, each.old, each.new) for each in found if each.parameter == "desiredCapacity"] == [
        (GROUP, "night-scheduler-role", UNKNOWN, 5),
        (GROUP, "cluster-autoscaler", 5, 4),
    ]
    assert [each.owner for each in found if each.parameter == "exists"] == [GROUP]


def test_an_autoscaler_that_only_terminates_fights_with_who_sets_the_size(tmp_path: Path) -> None:
    log = []
    for n in range(6):
        log += [desired(600 * n, TERRAFORM, 5), shrunk(600 * n + 300, AUTOSCALER, f"i-{n}")]
    found = findings(log, tmp_path)
    assert [(each.agents, each.parameters) for each in found] == [(("cluster-autoscaler", "terraform-ci"), ("desiredCapacity",))]


def sized(at: int, who: dict[str, Any], size: int, passed_on: int | None = None) -> list[dict[str, Any]]:
    """A managed node group's size is set, and EKS passes it on to the Auto Scaling group."""
    request = {"name": "prod", "nodegroupName": "workers", "scalingConfig": {"desiredSize": size}, "clientRequestToken": "x"}
    below = {"autoScalingGroupName": NODES, "desiredCapacity": size if passed_on is None else passed_on}
    return [
        call(at, who, "eks:UpdateNodegroupConfig", request),
        call(at + 4, MANAGED, "autoscaling:UpdateAutoScalingGroup", below),
    ]


def test_a_managed_node_group_and_its_group_meet_at_one_knob(tmp_path: Path) -> None:
    """Terraform sizes the node group, the autoscaler its Auto Scaling group: the fight that every team with EKS has had."""
    log: list[dict[str, Any]] = []
    for n in range(5):
        scaled = {"autoScalingGroupName": NODES, "desiredCapacity": 8, "honorCooldown": False}
        log += [*sized(1200 * n, TERRAFORM, 3), call(1200 * n + 600, AUTOSCALER, "autoscaling:SetDesiredCapacity", scaled)]
    (finding,) = findings(log, tmp_path)
    assert finding.agents == ("cluster-autoscaler", "terraform-ci")
    assert finding.parameters == ("desiredCapacity",) and finding.resources[0].endswith(f"/autoscaling/group/{NODES}")
    passed = [each for each in actions(*log[:2]) if each.causes]
    assert [(each.agent, each.new, each.causes) for each in passed] == [
        ("terraform-ci", 3, ("e-0-UpdateNodegroupConfig#desiredSize",))
    ]


@pytest.mark.parametrize(
    "log",
    [
        sized(0, TERRAFORM, 3, passed_on=4),  # an upgrade's surge
        sized(0, TERRAFORM, 3)[1:],
        [sized(0, TERRAFORM, 3)[0], sized(901, TERRAFORM, 3)[1]],
        [sized(0, TERRAFORM, 3)[0], {**sized(0, TERRAFORM, 3)[1], "awsRegion": "us-east-1"}],
    ],
)
def test_what_nobody_asked_of_a_node_group_is_carried_out_and_not_told(log: list[dict[str, Any]]) -> None:
    assert [each for each in actions(*log) if "autoscaling" in each.resource] == []


def killed(at: int, instance: str) -> dict[str, Any]:
    request = {"instancesSet": {"items": [{"instanceId": instance}]}}
    return call(at, role("cost-reaper", "reaper"), "ec2:TerminateInstances", request)


def judged(at: int, instance: str) -> dict[str, Any]:
    request = {"instanceId": instance, "healthStatus": "Unhealthy", "shouldRespectGracePeriod": False}
    return call(at, role("cost-reaper", "reaper"), "autoscaling:SetInstanceHealth", request)


@pytest.mark.parametrize("end", [killed, judged])
def test_instances_that_a_group_replaces_and_another_ends_again_are_found(end: Any, tmp_path: Path) -> None:
    log = [launched(0, "i-0")]
    for n in range(6):
        log += [end(600 * n + 300, f"i-{n}"), ended(600 * n + 320, f"i-{n}"), launched(600 * n + 400, f"i-{n + 1}")]
    (finding,) = findings(log, tmp_path)
    assert (finding.kind, finding.agents, finding.resources[0]) == ("identity", ("autoscaling", "cost-reaper"), GROUP)


def test_a_group_that_is_renewed_once_is_silent(tmp_path: Path) -> None:
    """By its own refresh, and by a script that ends each of its instances once."""
    log = [launched(n, f"i-{n}") for n in range(12)]
    for n in range(12):
        log += [ended(7200 + 60 * n, f"i-{n}"), launched(7230 + 60 * n, f"j-{n}")]
        log += [killed(14400 + 60 * n, f"j-{n}"), launched(14430 + 60 * n, f"k-{n}")]
    assert findings(log, tmp_path) == []


def test_a_call_learns_from_an_answer_what_it_left_as_it_was() -> None:
    answer = {"service": {"taskDefinition": "arn:aws:ecs:eu-west-1:1:task-definition/cart:42", "desiredCount": 3}}
    service = {"cluster": "prod", "service": "cart"}
    found = told(
        call(0, TERRAFORM, "ecs:UpdateService", {**service, "forceNewDeployment": True}, answer),
        call(1, SCHEDULER, "ecs:UpdateService", {**service, "desiredCount": 4}),
        call(2, TERRAFORM, "ecs:UpdateService", {**service, "taskDefinition": "cart:43"}),
    )
    assert [each[1:] for each in found] == [("desiredCount", 3, 4), ("taskDefinition", "cart:42", "cart:43")]


def test_replicas_belong_to_what_they_copy() -> None:
    of = {"dBInstanceIdentifier": "orders-b", "dBClusterIdentifier": "orders"}
    found = actions(
        call(0, TERRAFORM, "rds:CreateDBInstance", of),
        call(1, SCHEDULER, "rds:DeleteDBInstance", {"dBInstanceIdentifier": "orders-b"}),
        call(2, SCHEDULER, "rds:DeleteDBInstance", {"dBInstanceIdentifier": "orders-c"}, {"dBClusterIdentifier": "orders"}),
    )
    assert {each.owner.split("/", 3)[3] for each in found} == {"rds/cluster/orders"}
    assert [(each.old, each.new) for each in found] == [(None, True), (True, None), (True, None)]


def test_code_that_is_refused_is_an_action_and_code_that_is_only_tried_is_none() -> None:
    name = "lambda:UpdateFunctionCode20150331v2"
    stop = {"instancesSet": {"items": [{"instanceId": "i-1"}]}, "dryRun": True}
    (refused,) = actions(
        call(0, TERRAFORM, name, {"functionName": "cart", "dryRun": True}, {"codeSha256": "x"}),
        call(1, SCHEDULER, name, {"functionName": "cart"}, errorCode="ResourceConflictException"),
        call(2, TERRAFORM, "ec2:StopInstances", stop, errorCode="Client.UnauthorizedOperation"),
    )
    assert (refused.parameter, refused.outcome, refused.new) == ("code", "rejected", UNKNOWN)


def weighted(weight: int) -> dict[str, Any]:
    change = {"action": "UPSERT", "resourceRecordSet": {**BLUE, "weight": weight}}
    return {"hostedZoneId": "Z1", "changeBatch": {"changes": [change]}}


def forwarded(blue: int) -> dict[str, Any]:
    arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
    groups = [
        {"targetGroupArn": f"{arn}:targetgroup/blue/1", "weight": blue},
        {"targetGroupArn": f"{arn}:targetgroup/green/2", "weight": 100 - blue},
    ]
    return {
        "listenerArn": f"{arn}:listener/app/web/1/2",
        "defaultActions": [{"type": "forward", "forwardConfig": {"targetGroups": groups}}],
    }


REQUESTS = {  # what one sets, and what the other does; the knob
    "route53:ChangeResourceRecordSets": (weighted(90), weighted(10), "CNAME[blue].weight"),
    "rds:ModifyDBInstance": (
        {"dBInstanceIdentifier": "orders", "dBInstanceClass": "db.r6g.large", "applyImmediately": True},
        {"dBInstanceIdentifier": "orders", "dBInstanceClass": "db.r6g.xlarge", "applyImmediately": True},
        "dBInstanceClass",
    ),
    "lambda:PutFunctionConcurrency20171031": (
        {"functionName": "cart", "reservedConcurrentExecutions": 5},
        {"functionName": "arn:aws:lambda:eu-west-1:123456789012:function:cart", "reservedConcurrentExecutions": 50},
        "reservedConcurrentExecutions",
    ),
    "application-autoscaling:RegisterScalableTarget": (
        {"serviceNamespace": "ecs", "resourceId": "service/prod/cart", "scalableDimension": "ecs:service:DesiredCount", "minCapacity": 2},
        {"serviceNamespace": "ecs", "resourceId": "service/prod/cart", "scalableDimension": "ecs:service:DesiredCount", "minCapacity": 9},
        "DesiredCount.minCapacity",
    ),
    "dynamodb:UpdateTable": (
        {"tableName": "orders", "provisionedThroughput": {"readCapacityUnits": 5, "writeCapacityUnits": 5}},
        {"tableName": "orders", "provisionedThroughput": {"readCapacityUnits": 50, "writeCapacityUnits": 5}},
        "readCapacityUnits",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_two_roles_that_undo_each_other_are_found(name: str, tmp_path: Path) -> None:
    one, other, knob = REQUESTS[name]
    log = [call(900 * n, (TERRAFORM, SCHEDULER)[n % 2], name, (one, other)[n % 2]) for n in range(8)]
    (finding,) = findings(log, tmp_path)
    assert (finding.pattern, finding.agents, finding.parameters) == ("thrashing", ("night-scheduler-role", "terraform-ci"), (knob,))


def test_weights_of_a_listener_that_two_roles_move_are_found(tmp_path: Path) -> None:
    log = [
        call(900 * n, (TERRAFORM, SCHEDULER)[n % 2], "elasticloadbalancing:ModifyListener", forwarded((90, 10)[n % 2]))
        for n in range(8)
    ]
    found = findings(log, tmp_path)
    assert found and {each.agents for each in found} == {("night-scheduler-role", "terraform-ci")}


def test_a_release_a_day_and_a_night_with_less_are_silent(tmp_path: Path) -> None:
    """Blue and green by the weights of a listener, up in the morning and down in the evening, secrets that two roles rewrite."""
    day, log = 86_400, []
    for n in range(3):
        for step, weight in enumerate((100, 90, 50, 0) if n % 2 == 0 else (0, 10, 50, 100)):
            log.append(call(n * day + 600 * step, TERRAFORM, "elasticloadbalancing:ModifyListener", forwarded(weight)))
        log += [desired(n * day + 7 * 3600, SCHEDULER, 8), desired(n * day + 19 * 3600, SCHEDULER, 2)]
        for hour in range(24):
            who = (TERRAFORM, SCHEDULER)[hour % 2]
            log.append(call(n * day + 3600 * hour, who, "ssm:PutParameter", {"name": "/shop/key"}, {"version": 24 * n + hour}))
            log.append(call(n * day + 3600 * hour + 9, who, "rds:RebootDBInstance", {"dBInstanceIdentifier": "orders"}))
    assert findings(log, tmp_path) == []


def test_a_resource_is_of_the_account_that_its_name_says_whoever_tells_of_it() -> None:
    """A call across accounts is in the trails of both, and in each under an event of its own."""
    other = "999999999999"
    requests = {
        "lambda:PutFunctionConcurrency20171031": [
            {"functionName": f"arn:aws:lambda:eu-west-1:{other}:function:cart", "reservedConcurrentExecutions": 1},
            {"functionName": f"{other}:function:cart", "reservedConcurrentExecutions": 1},
        ],
        "sqs:SetQueueAttributes": [
            {"queueUrl": f"https://sqs.eu-west-1.amazonaws.com/{other}/orders", "attributes": {"VisibilityTimeout": "30"}}
        ],
    }
    for name, ways in requests.items():
        for request in ways:
            (action,) = actions(call(0, TERRAFORM, name, request))
            assert action.resource.startswith(f"aws/{other}/eu-west-1/"), action


def test_whose_an_instance_is_is_also_said_by_the_answer() -> None:
    tags = {"items": [{"key": "Name", "value": "x"}, {"key": "aws:autoscaling:groupName", "value": "checkout"}]}
    (action,) = actions(
        call(0, TERRAFORM, "ec2:RunInstances", {}, {"instancesSet": {"items": [{"instanceId": "i-1", "tagSet": tags}]}})
    )
    assert action.owner == GROUP


def test_proofs_for_certificates_are_no_hunting(tmp_path: Path) -> None:
    log, manager = [desired(0, SCHEDULER, 3)], role("cert-manager")
    for n in range(8):
        proof = {"name": "_acme-challenge.example.com", "type": "TXT", "tTL": 10, "resourceRecords": [{"value": f'"token{n}"'}]}
        log += [dns(120 * n, manager, ("UPSERT", proof)), dns(120 * n + 60, manager, ("DELETE", proof))]
    assert findings(log, tmp_path) == [] and [each[1] for each in told(*log)] == ["desiredCapacity"]
