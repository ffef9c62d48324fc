"""The table of CloudTrail's calls: which parameter of which resource, from what to what; and files, however they are laid out."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from trail_records import ACCOUNT, AUTOSCALER, SCHEDULER, TERRAFORM, actions, became, call, desired, told, user

from models.events import Action
from models.rejection import Rejection
from streams.sources import documents
from streams.sources.cloudtrail import calls, changes, known, values

ELB = f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}"
RECORD_SET = {
    "name": "api.example.com.",
    "type": "A",
    "tTL": 60,
    "resourceRecords": [{"value": "192.0.2.2"}, {"value": "192.0.2.1"}],
}


def batch(*changed: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "hostedZoneId": "/hostedzone/Z1",
        "changeBatch": {"changes": [{"action": action, "resourceRecordSet": record} for action, record in changed]},
    }


ONE: list[tuple[str, Any, Any, list[tuple[str, str, object, object]]]] = [
    (
        "autoscaling:UpdateAutoScalingGroup",
        {"autoScalingGroupName": "g", "minSize": 1, "maxSize": 9, "launchTemplate": {"launchTemplateName": "t", "version": "7"}},
        None,
        [
            ("autoscaling/group/g", "minSize", ..., 1),
            ("autoscaling/group/g", "maxSize", ..., 9),
            ("autoscaling/group/g", "launchTemplateVersion", ..., "7"),
            ("autoscaling/group/g", "launchTemplate", ..., "t"),
        ],
    ),
    (
        "autoscaling:SuspendProcesses",
        {"autoScalingGroupName": "g", "scalingProcesses": ["Launch", "AZRebalance"]},
        None,
        [("autoscaling/group/g", "suspendedProcesses", (), ("AZRebalance", "Launch"))],
    ),
    (
        "autoscaling:RegisterScalableTarget",  # as the documentation's example has it
        {"resourceId": "service/prod/cart", "scalableDimension": "ecs:service:DesiredCount", "minCapacity": 2, "maxCapacity": 8},
        None,
        [
            ("ecs/service/prod/cart", "DesiredCount.minCapacity", ..., 2),
            ("ecs/service/prod/cart", "DesiredCount.maxCapacity", ..., 8),
        ],
    ),
    (
        "application-autoscaling:RegisterScalableTarget",
        {"resourceId": "table/orders", "scalableDimension": "dynamodb:table:ReadCapacityUnits", "minCapacity": 5},
        None,
        [("dynamodb/table/orders", "ReadCapacityUnits.minCapacity", ..., 5)],
    ),
    (
        "ecs:UpdateService",
        {"service": "cart", "taskDefinition": "cart"},
        {"service": {"taskDefinition": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/cart:42", "desiredCount": 3}},
        [("ecs/service/default/cart", "taskDefinition", ..., "cart:42")],
    ),
    (
        "eks:UpdateNodegroupConfig",
        {"name": "prod", "nodegroupName": "workers", "scalingConfig": {"desiredSize": 4}, "clientRequestToken": "x"},
        None,
        [("eks/nodegroup/prod/workers", "desiredSize", ..., 4)],
    ),
    (
        "ec2:StopInstances",
        {"instancesSet": {"items": [{"instanceId": "i-1"}]}, "force": False},
        {
            "instancesSet": {
                "items": [{"instanceId": "i-1", "currentState": {"name": "stopping"}, "previousState": {"name": "running"}}]
            }
        },
        [("ec2/instance/i-1", "state", "running", "stopped")],
    ),
    (
        "ec2:ModifyInstanceAttribute",
        {"instanceId": "i-1", "instanceType": {"value": "m7g.large"}},
        None,
        [("ec2/instance/i-1", "instanceType", ..., "m7g.large")],
    ),
    (
        "ec2:ModifyInstanceAttribute",
        {
            "instanceId": "i-1",
            "groupSet": {"items": [{"groupId": "sg-2"}, {"groupId": "sg-1"}]},
            "userData": "<sensitiveDataRemoved>",
        },
        None,
        [("ec2/instance/i-1", "securityGroups", ..., ("sg-1", "sg-2"))],
    ),
    (
        "ec2:AuthorizeSecurityGroupIngress",
        {
            "groupId": "sg-1",
            "ipPermissions": {
                "items": [
                    {
                        "ipProtocol": "tcp",
                        "fromPort": 443,
                        "toPort": 443,
                        "groups": {"items": [{"groupId": "sg-9"}]},
                        "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8", "description": "office"}]},
                        "ipv6Ranges": {},
                    },
                    {"ipProtocol": "-1", "ipRanges": {"items": [{"cidrIp": "192.0.2.1/32"}]}},
                ]
            },
        },
        None,
        [("ec2/security-group/sg-1", "ingress", (), ("all * 192.0.2.1/32", "tcp 443-443 10.0.0.0/8", "tcp 443-443 sg-9"))],
    ),
    (
        "ec2:ReplaceRoute",
        {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": "nat-1"},
        None,
        [("ec2/route-table/rtb-1", "route[0.0.0.0/0]", ..., "nat-1")],
    ),
    (
        "rds:ModifyDBInstance",
        {
            "dBInstanceIdentifier": "orders",
            "dBInstanceClass": "db.r6g.xlarge",
            "masterUserPassword": "****",
            "applyImmediately": True,
        },
        {"dBInstanceClass": "db.r6g.large", "pendingModifiedValues": {"dBInstanceClass": "db.r6g.xlarge"}},
        [("rds/db/orders", "dBInstanceClass", "db.r6g.large", "db.r6g.xlarge")],
    ),
    (
        "rds:FailoverDBCluster",
        {"dBClusterIdentifier": "orders", "targetDBInstanceIdentifier": "orders-b"},
        None,
        [("rds/cluster/orders", "writer", ..., "orders-b")],
    ),
    (
        "elasticloadbalancing:RegisterTargets",
        {"targetGroupArn": f"{ELB}:targetgroup/web/6d0ecf831eec9f09", "targets": [{"id": "i-1", "port": 80}, {"id": "i-2"}]},
        None,
        [("elasticloadbalancing/targetgroup/web", "targets", (), ("i-1:80", "i-2"))],
    ),
    (
        "elasticloadbalancing:ModifyListener",
        {
            "listenerArn": f"{ELB}:listener/app/web/1/2",
            "defaultActions": [
                {
                    "type": "forward",
                    "forwardConfig": {
                        "targetGroups": [
                            {"targetGroupArn": f"{ELB}:targetgroup/blue/1", "weight": 90},
                            {"targetGroupArn": f"{ELB}:targetgroup/green/2", "weight": 10},
                        ]
                    },
                }
            ],
        },
        None,
        [
            ("elasticloadbalancing/listener/app/web/1/2", "forward", ..., ("targetgroup/blue", "targetgroup/green")),
            ("elasticloadbalancing/listener/app/web/1/2", "weight[targetgroup/blue]", ..., 90),
            ("elasticloadbalancing/listener/app/web/1/2", "weight[targetgroup/green]", ..., 10),
        ],
    ),
    (
        "elasticloadbalancing:ModifyTargetGroupAttributes",
        {
            "targetGroupArn": f"{ELB}:targetgroup/web/1",
            "attributes": [
                {"key": "deregistration_delay.timeout_seconds", "value": "30"},
                {"key": "x.client_secret", "value": "hunter2"},
            ],
        },
        None,
        [
            ("elasticloadbalancing/targetgroup/web", "deregistration_delay.timeout_seconds", ..., "30"),
            ("elasticloadbalancing/targetgroup/web", "x.client_secret", ..., "hidden"),
        ],
    ),
    (
        "lambda:PutFunctionConcurrency20171031",
        {"functionName": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:cart:live", "reservedConcurrentExecutions": 0},
        None,
        [("lambda/function/cart", "reservedConcurrentExecutions", ..., 0)],
    ),
    (
        "lambda:DeleteFunctionConcurrency20171031",
        {"functionName": "cart"},
        None,
        [("lambda/function/cart", "reservedConcurrentExecutions", ..., None)],
    ),
    (
        "lambda:UpdateFunctionCode20150331v2",
        {"functionName": "cart"},
        {"codeSha256": "abc="},
        [("lambda/function/cart", "code", ..., "abc=")],
    ),
    (
        "lambda:UpdateAlias20150331",
        {"functionName": "cart", "name": "live", "functionVersion": "7", "routingConfig": {"additionalVersionWeights": {"8": 0.1}}},
        None,
        [("lambda/function/cart/live", "functionVersion", ..., "7"), ("lambda/function/cart/live", "weights", ..., ("8=0.1",))],
    ),
    (
        "dynamodb:UpdateTable",
        {"tableName": "orders", "provisionedThroughput": {"readCapacityUnits": 20, "writeCapacityUnits": 5}},
        {"tableDescription": {"provisionedThroughput": {"readCapacityUnits": 10, "writeCapacityUnits": 5}}},
        [("dynamodb/table/orders", "readCapacityUnits", 10, 20), ("dynamodb/table/orders", "writeCapacityUnits", ..., 5)],
    ),
    (
        "dynamodb:UpdateTable",  # as the documentation's example has it: the answer names the table
        {"provisionedThroughput": {"readCapacityUnits": 25}},
        {"tableDescription": {"tableName": "Music", "provisionedThroughput": {"readCapacityUnits": 10}}},
        [("dynamodb/table/Music", "readCapacityUnits", 10, 25)],
    ),
    (
        "autoscaling:PutScalingPolicy",
        {
            "resourceId": "service/prod/cart",
            "scalableDimension": "ecs:service:DesiredCount",
            "targetTrackingScalingPolicyConfiguration": {"targetValue": 70.0},
        },
        None,
        [("ecs/service/prod/cart", "DesiredCount.targetValue", ..., 70.0)],
    ),
    (
        "autoscaling:RegisterScalableTarget",
        {
            "resourceId": "spot-fleet-request/sfr-1",
            "serviceNamespace": "ec2",
            "scalableDimension": "ec2:spot-fleet-request:TargetCapacity",
            "minCapacity": 2,
        },
        None,
        [("ec2/spot-fleet-request/sfr-1", "TargetCapacity.minCapacity", ..., 2)],
    ),
    (
        "dynamodb:UpdateTable",  # an index has a throughput of its own, under the name that its scalable target has
        {
            "tableName": "orders",
            "globalSecondaryIndexUpdates": [{"update": {"indexName": "day", "provisionedThroughput": {"readCapacityUnits": 9}}}],
        },
        {"tableDescription": {"globalSecondaryIndexes": [{"indexName": "day", "provisionedThroughput": {"readCapacityUnits": 4}}]}},
        [("dynamodb/table/orders/index/day", "readCapacityUnits", 4, 9)],
    ),
    (
        "autoscaling:UpdateAutoScalingGroup",
        {
            "autoScalingGroupName": "g",
            "mixedInstancesPolicy": {
                "launchTemplate": {"launchTemplateSpecification": {"launchTemplateId": "lt-1", "version": "3"}},
                "instancesDistribution": {"onDemandBaseCapacity": 1},
            },
        },
        None,
        [
            ("autoscaling/group/g", "launchTemplateVersion", ..., "3"),
            ("autoscaling/group/g", "launchTemplate", ..., "lt-1"),
            ("autoscaling/group/g", "onDemandBaseCapacity", ..., 1),
        ],
    ),
    (
        "autoscaling:SuspendProcesses",  # none named: all
        {"autoScalingGroupName": "g"},
        None,
        [("autoscaling/group/g", "suspendedProcesses", (), tuple(sorted(changes.PROCESSES)))],
    ),
    (
        "application-autoscaling:PutScalingPolicy",  # a resource may follow several
        {
            "policyName": "cpu",
            "serviceNamespace": "ecs",
            "resourceId": "service/prod/cart",
            "scalableDimension": "ecs:service:DesiredCount",
            "targetTrackingScalingPolicyConfiguration": {"targetValue": 70.0},
        },
        None,
        [("ecs/service/prod/cart", "DesiredCount.policy[cpu].targetValue", ..., 70.0)],
    ),
    (
        "ecs:UpdateService",  # the answer tells what is on its way out
        {"cluster": "prod", "service": "cart", "taskDefinition": "cart:42"},
        {
            "service": {
                "taskDefinition": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/cart:42",
                "desiredCount": 3,
                "deployments": [
                    {"status": "PRIMARY", "taskDefinition": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/cart:42"},
                    {"status": "ACTIVE", "taskDefinition": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/cart:41"},
                ],
            }
        },
        [("ecs/service/prod/cart", "taskDefinition", "cart:41", "cart:42")],
    ),
    (
        "rds:CreateDBInstanceReadReplica",
        {"dBInstanceIdentifier": "orders-b", "sourceDBInstanceIdentifier": "orders", "dBInstanceClass": "db.r6g.large"},
        None,
        [("rds/db/orders-b", "exists", None, True)],
    ),
    (
        "rds:RebootDBInstance",
        {"dBInstanceIdentifier": "orders", "forceFailover": True},
        None,
        [("rds/db/orders", "reboot", ..., ...)],
    ),
    (
        "ssm:PutParameter",  # CloudTrail hides the value, and so do we
        {"name": "/shop/db", "value": "HIDDEN_DUE_TO_SECURITY_REASONS", "type": "SecureString"},
        {"version": 4, "tier": "Standard"},
        [("ssm/parameter/shop/db", "value", ..., ...)],
    ),
    (
        "ec2:ModifyLaunchTemplate",
        {"ModifyLaunchTemplateRequest": {"LaunchTemplateId": "lt-1", "SetDefaultVersion": "12"}},
        None,
        [("ec2/launch-template/lt-1", "defaultVersion", ..., "12")],
    ),
    (
        "application-autoscaling:RegisterScalableTarget",  # the one service that names its resource by ARN
        {
            "resourceId": f"arn:aws:kafka:eu-west-1:{ACCOUNT}:cluster/orders/0ec1",
            "scalableDimension": "kafka:broker-storage:VolumeSize",
            "maxCapacity": 9,
        },
        None,
        [("kafka/cluster/orders/0ec1", "VolumeSize.maxCapacity", ..., 9)],
    ),
    (
        "ec2:ModifySecurityGroupRules",
        {
            "ModifySecurityGroupRulesRequest": {
                "GroupId": "sg-1",
                "SecurityGroupRule": {
                    "SecurityGroupRuleId": "sgr-1",
                    "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "10.0.0.0/8"},
                    "tag": 1,
                },
            }
        },
        {"ModifySecurityGroupRulesResponse": {"return": True}},
        [("ec2/security-group/sg-1", "rule[sgr-1]", ..., "tcp 22-22 10.0.0.0/8")],
    ),
    (
        "elasticloadbalancing:ModifyRule",  # a page while something is repaired
        {"ruleArn": f"{ELB}:listener-rule/app/web/1/2/3", "actions": [{"type": "fixed-response", "fixedResponseConfig": {}}]},
        None,
        [("elasticloadbalancing/listener-rule/app/web/1/2/3", "forward", ..., "fixed-response")],
    ),
    (
        "autoscaling:CancelInstanceRefresh",
        {"autoScalingGroupName": "g"},
        {"instanceRefreshId": "x"},
        [("autoscaling/group/g", "instanceRefresh", ..., "cancelled")],
    ),
    (
        "autoscaling:SetInstanceHealth",
        {"instanceId": "i-1", "healthStatus": "Unhealthy", "shouldRespectGracePeriod": True},
        None,
        [("ec2/instance/i-1", "exists", True, False)],
    ),
    ("autoscaling:SetInstanceHealth", {"instanceId": "i-1", "healthStatus": "Healthy"}, None, []),
    ("events:DisableRule", {"name": "nightly"}, None, [("events/rule/nightly", "state", ..., "disabled")]),
    ("monitoring:DisableAlarmActions", {"alarmNames": ["high-cpu"]}, None, [("cloudwatch/alarms", "disabled", (), ("high-cpu",))]),
]


@pytest.mark.parametrize(("name", "request_", "answer", "expected"), ONE, ids=[case[0] for case in ONE])
def test_one_call(name: str, request_: Any, answer: Any, expected: list[tuple[str, str, object, object]]) -> None:
    found = [
        (each[0], each[1], *(... if value is values.UNSET else value for value in each[2:]))
        for each in told(call(0, TERRAFORM, name, request_, answer))
    ]
    assert found == expected


def test_every_line_of_the_table_can_be_carried_out() -> None:
    assert len(calls.CALLS) > 90
    for (service, name), each in calls.CALLS.items():
        assert each.how in changes.HOWS or each.how in changes.BY_SERVICE, (service, name)
        assert changes.changes(each, {}, {}) == [], (service, name)  # a call without parameters, as a refused one may be
    assert calls.call_of("kms.amazonaws.com", "Decrypt", calls.CALLS) is None


def test_records_of_dns_are_knobs_without_region_and_a_deletion_tells_what_stood() -> None:
    other = {**RECORD_SET, "resourceRecords": [{"value": "192.0.2.9"}]}
    alias = {
        "name": "www.example.com.",
        "type": "A",
        "setIdentifier": "blue",
        "weight": 10,
        "aliasTarget": {"dNSName": "lb.example.com."},
    }
    cname = {"name": "c.example.com.", "type": "CNAME", "resourceRecords": [{"value": "x.example.com"}]}
    found = actions(
        call(0, TERRAFORM, "route53:ChangeResourceRecordSets", batch(("CREATE", RECORD_SET)), awsRegion="us-east-1"),
        call(1, user("a"), "route53:ChangeResourceRecordSets", batch(("DELETE", RECORD_SET), ("CREATE", other))),
        call(2, TERRAFORM, "route53:ChangeResourceRecordSets", batch(("UPSERT", RECORD_SET), ("UPSERT", alias))),
        call(3, TERRAFORM, "route53:ChangeResourceRecordSets", batch(("DELETE", cname))),
    )
    both, nine = ("192.0.2.1", "192.0.2.2"), ("192.0.2.9",)
    assert {each.resource.rpartition("/")[0] for each in found} == {f"aws/{ACCOUNT}/-/route53/hostedzone/Z1"}
    assert [(each.parameter, each.old, each.new) for each in found if "api" in each.resource] == [
        ("A", None, both),
        ("A", both, nine),
        ("A", nine, both),
    ]
    assert [(each.parameter, each.new) for each in found if "www" in each.resource] == [
        ("A[blue]", ("alias lb.example.com",)),
        ("A[blue].weight", 10),
    ]
    assert [(each.parameter, each.old, each.new) for each in found if "/c." in each.resource] == [("CNAME", "x.example.com", None)]


def test_members_come_and_go_and_only_those_that_the_log_names_are_known() -> None:
    group = {"targetGroupArn": f"{ELB}:targetgroup/web/1"}

    def move(at: int, what: str, *targets: dict[str, Any]) -> dict[str, Any]:
        return call(at, TERRAFORM, f"elasticloadbalancing:{what}Targets", {**group, "targets": list(targets)})

    one, two = {"id": "i-1", "port": 80}, {"id": "i-2", "port": 80}
    found = told(
        move(0, "Deregister", one), move(1, "Register", two), move(2, "Register", one), move(3, "Deregister", {"id": "i-2"})
    )
    assert [(old, new) for _, _, old, new in found] == [
        (("i-1:80",), ()),
        ((), ("i-2:80",)),
        (("i-2:80",), ("i-1:80", "i-2:80")),
        (("i-1:80", "i-2:80"), ("i-1:80",)),
    ]


def test_old_values_come_from_earlier_calls_and_not_from_refused_ones() -> None:
    found = actions(
        desired(0, AUTOSCALER, 4),
        desired(60, SCHEDULER, 9, errorCode="AccessDenied", errorMessage="no"),
        desired(120, SCHEDULER, 2),
        desired(180, SCHEDULER, 3, errorCode="Server.InternalError"),
    )
    assert [(each.old, each.new, each.outcome, each.why.rule if each.why else "") for each in found] == [
        (values.UNSET, 4, "applied", ""),
        (4, 9, "rejected", "AccessDenied"),
        (4, 2, "applied", ""),
        (2, 3, "failed", "Server.InternalError"),
    ]


def test_instances_of_a_pool_take_each_others_place_and_others_do_not() -> None:
    tags = [{"resourceType": "instance", "tags": [{"key": "karpenter.sh/nodepool", "value": "spot"}]}]
    answer = {"instancesSet": {"items": [{"instanceId": "i-1"}]}}
    karpenter = {**AUTOSCALER, "type": "AssumedRole"}
    found = actions(
        call(0, karpenter, "ec2:RunInstances", {"tagSpecificationSet": {"items": tags}}, answer),
        call(60, karpenter, "ec2:TerminateInstances", {"instancesSet": {"items": [{"instanceId": "i-1"}]}}),
        call(90, TERRAFORM, "ec2:RunInstances", {}, {"instancesSet": {"items": [{"instanceId": "i-2"}]}}),
    )
    assert [(each.old, each.new, each.owner.rpartition("/")[2]) for each in found] == [
        (None, True, "spot"),
        (True, None, "spot"),
        (False, True, ""),
    ]


def test_nothing_of_a_request_is_told_that_the_table_does_not_name() -> None:
    request = {"dBInstanceIdentifier": "orders", "masterUserPassword": "hunter2", "multiAZ": True, "tags": [{"key": "hunter2"}]}
    found = actions(call(0, TERRAFORM, "rds:ModifyDBInstance", request, {"endpoint": "hunter2"}, errorMessage="hunter2"))
    assert len(found) == 1 and "hunter2" not in repr(found)


def test_what_is_known_is_bounded() -> None:
    memory = known.Known(most=3)
    for number in range(5):
        memory.put(("r", f"p{number}"), number)
    assert [memory.value(("r", f"p{number}")) for number in range(5)] == [values.UNSET, values.UNSET, 2, 3, 4]


def test_values_and_names_stay_within_their_bounds() -> None:
    long = "x" * 5000
    assert str(values.plain(long)).startswith("sha256:")
    assert str(values.plain([str(n) for n in range(2000)])).startswith("sha256:")
    assert values.plain(1 << 70) == values.hashed(str(1 << 70))
    found, _ = became([call(0, TERRAFORM, "autoscaling:SetDesiredCapacity", {"autoScalingGroupName": long, "desiredCapacity": 1})])
    assert [each.reason for each in found if isinstance(each, Rejection)] == ["too_long"]


def layout(text: str) -> list[tuple[int, bytes | Rejection]]:
    return list(documents.split(io.BytesIO(text.encode())))


def test_documents_of_a_file_however_they_are_laid_out() -> None:
    one, two = json.dumps(desired(0, AUTOSCALER, 4)), json.dumps({"Records": [desired(60, SCHEDULER, 2)]}, indent=2)
    found = layout("\ufeff" + "\n".join([one, two, "{bad", one, two, "{", one]) + "\n")
    lines = two.count("\n") + 1
    assert [number for number, _ in found] == [1, 2, 2 + lines, 3 + lines, 4 + lines, 4 + 2 * lines, 5 + 2 * lines]
    kinds = [type(became([value])[0][0]) for _, value in found]
    assert kinds == [Action, Action, Rejection, Action, Action, Rejection, Action]


def test_an_array_with_an_element_a_line_is_its_elements() -> None:
    one = json.dumps(desired(0, AUTOSCALER, 4))
    pretty = json.dumps(desired(0, AUTOSCALER, 4), indent=2)
    found = layout(f"[\n{one},\n{{bad,\n{one}\n]\n{one}\n[\n  {one},\n  {one}\n]\n[\n{pretty},\n{pretty}\n]\n")
    assert [number for number, _ in found][:6] == [2, 3, 4, 6, 7, 12]
    kinds = [[type(each) for each in became([value])[0]] for _, value in found]
    assert kinds == [[Action], [Rejection], [Action], [Action], [Action], [Action], [Action]]  # the two of the fifth are one call


def test_a_document_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LIMIT", 100)
    found = layout('{"a": "' + "x" * 200 + '"}\n{\n' + '"b": 1,\n' * 20 + '"b": 1\n}\n{"c": 1}\n')
    assert found[-1] == (25, b'{"c": 1}\n')
    assert [each.reason for _, each in found if isinstance(each, Rejection)] == ["too_large", "too_large"]


def test_values_of_the_wrong_sort_change_nothing_that_they_do_not_name() -> None:
    """What fuzzing found: a list for an id, a parameter without a name."""
    states = [{"instanceId": ["i-1"], "currentState": {"name": "stopped"}}, 7]
    assert told(
        call(
            0,
            TERRAFORM,
            "ec2:StopInstances",
            {"instancesSet": {"items": [{"instanceId": "i-1"}]}},
            {"instancesSet": {"items": states}},
        )
    ) == [("ec2/instance/i-1", "state", values.UNSET, values.UNSET)]
    tags = {"items": [{"tags": [{"key": [], "value": "x"}]}]}
    answer = {"instancesSet": {"items": [{"instanceId": "i-1"}]}}
    assert len(told(call(0, TERRAFORM, "ec2:RunInstances", {"tagSpecificationSet": tags}, answer))) == 1
    group = {"targetGroupArn": f"{ELB}:targetgroup/web/1"}
    assert (
        told(call(0, TERRAFORM, "elasticloadbalancing:ModifyTargetGroupAttributes", {**group, "attributes": [{"key": ""}]})) == []
    )
    assert told(call(0, TERRAFORM, "route53:ChangeResourceRecordSets", batch(("UPSERT", {**RECORD_SET, "type": ""})))) == []
    heavy = call(
        0, TERRAFORM, "route53:ChangeResourceRecordSets", batch(("UPSERT", {**RECORD_SET, "weight": 1 << 70, "failover": ["x"]}))
    )
    assert [each[1:] for each in told(heavy)][1:] == [("A.weight", values.UNSET, values.plain(1 << 70))]
    strange = {"tableDescription": {"globalSecondaryIndexes": [{"indexName": ["day"]}]}}
    index = {"update": {"indexName": "day", "provisionedThroughput": {"readCapacityUnits": 9}}}
    request = {"tableName": "t", "globalSecondaryIndexUpdates": [index]}
    assert told(call(0, TERRAFORM, "dynamodb:UpdateTable", request, strange))[0][2:] == (values.UNSET, 9)
