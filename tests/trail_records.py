"""CloudTrail records written for tests, in the forms that AWS documents; no recording of a real account was at hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from models.events import Action, AnyEvent
from models.instants import HOUR, SECOND, format_time, parse_time
from models.rejection import Rejection
from streams.settings import Settings
from streams.sources.cloudtrail import CloudTrail
from streams.sources.in_order import translated
from streams.sources.source import Origin

START = parse_time("2026-11-24T10:00:00Z")
ACCOUNT = "123456789012"
GROUP = f"aws/{ACCOUNT}/eu-west-1/autoscaling/group/checkout"
SERVICE = f"aws/{ACCOUNT}/eu-west-1/ecs/service/prod/cart"


def role(name: str, session: str = "i-0a1b2c", **more: Any) -> dict[str, Any]:
    """The session of a role."""
    issuer = {"type": "Role", "principalId": "AROAEXAMPLE", "arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "userName": name}
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}},
        **more,
    }


def user(name: str) -> dict[str, Any]:
    """A user of IAM."""
    return {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "accountId": ACCOUNT, "userName": name}


SCALER = role("AWSServiceRoleForApplicationAutoScaling_ECSService", "AutoScaling-UpdateDesiredCapacity")
TERRAFORM = role("terraform-ci", "run-4711")
AUTOSCALER = role("eks-cluster-autoscaler", "1764000000")
SCHEDULER = role("night-scheduler-role", "night-scheduler")


def call(at: float, who: dict[str, Any], name: str, request: Any = None, answer: Any = None, **more: Any) -> dict[str, Any]:
    """One record, `at` seconds from the start; the name is service:Call."""
    service, _, operation = name.partition(":")
    return {
        "eventVersion": "1.08",
        "userIdentity": who,
        "eventTime": format_time(START + int(at) * SECOND),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": operation,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-sdk-go/1.44.0 (go1.19; linux; amd64)",
        "requestParameters": request,
        "responseElements": answer,
        "requestID": f"r-{at}-{operation}",
        "eventID": f"e-{at}-{operation}",
        "readOnly": operation.startswith(("Describe", "Get", "List")),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        **more,
    }


def desired(at: float, who: dict[str, Any], count: int, **more: Any) -> dict[str, Any]:
    """Somebody sets a group's desired capacity."""
    request = {"autoScalingGroupName": "checkout", "desiredCapacity": count, "honorCooldown": False}
    return call(at, who, "autoscaling:SetDesiredCapacity", request, **more)


def became(values: Iterable[Any], pane: int = 2 * HOUR) -> tuple[list[AnyEvent | Rejection], Counter[str]]:
    """All that records become, and what was passed over. Values are bytes, or objects to be written as JSON."""
    counts: Counter[str] = Counter()
    written = ((n, value if isinstance(value, bytes) else json.dumps(value).encode()) for n, value in enumerate(values, 1))
    return [found for _, found in translated(written, CloudTrail(Settings(), Origin()), pane, counts)], counts


def actions(*values: Any) -> list[Action]:
    """The actions of records, none of which is bad."""
    found, _ = became(values)
    assert not [each for each in found if isinstance(each, Rejection)], found
    return [each for each in found if isinstance(each, Action)]


def told(*values: Any) -> list[tuple[str, str, object, object]]:
    """(resource below the account and region, parameter, old, new) of each."""
    return [(each.resource.split("/", 3)[3], each.parameter, each.old, each.new) for each in actions(*values)]
