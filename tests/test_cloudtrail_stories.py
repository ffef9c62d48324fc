"""What several calls of CloudTrail tell together, in the forms in which services write them."""

from __future__ import annotations

from typing import Any

from trail_records import SCHEDULER, TERRAFORM, call, told

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
