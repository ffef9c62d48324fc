"""Records for the table of sources that no recording was at hand for: CloudTrail as AWS documents it, and a webhook with rules for it."""

from __future__ import annotations

import orjson

from models.instants import SECOND, format_time, parse_time
from streams.settings import Mapping, Settings

START = parse_time("2026-11-24T10:00:00Z")
ACCOUNT = "123456789012"
RECORDS = 100  # of one log file
ROLES = (
    "terraform-ci",
    "eks-cluster-autoscaler",
    "grafana",
    "orders-deployer",
    "AWSServiceRoleForApplicationAutoScaling_ECSService",
)
RULE = {
    "name": "deployments",
    "type": "action",
    "when": [{"path": "action", "equals": "created"}, {"path": "deployment.environment", "in": ["production", "prod"]}],
    "attributes": {
        "id": "{repository.full_name}/{deployment.id}",
        "source": "github/{deployment.creator.login}",
        "time": {"path": "deployment.created_at"},
        "subject": "service/{repository.full_name}",
    },
    "data": {
        "agent": "{deployment.creator.login}",
        "verb": "deploy",
        "parameter": "revision",
        "new": {"path": "deployment.sha"},
    },
}
MAPPING = Settings(map=(Mapping(name="deployments", table=orjson.dumps(RULE).decode()),))


def log_files(copies: int, calls: int) -> list[bytes]:
    """Log files of CloudTrail; one in so many `calls` changes something, the others read."""
    return [
        orjson.dumps({"Records": [_call(file * RECORDS + n, n % calls == 0) for n in range(RECORDS)]}) for file in range(copies)
    ]


def webhooks(copies: int) -> list[bytes]:
    """GitHub's webhook of a deployment, with the fields around that a real one has."""
    return [orjson.dumps(_deployment(number)) for number in range(copies)]


def _call(number: int, change: bool) -> dict[str, object]:
    role = ROLES[number % len(ROLES)]
    issuer = {
        "type": "Role",
        "principalId": "AROAEXAMPLE",
        "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
        "accountId": ACCOUNT,
        "userName": role,
    }
    context = {
        "sessionIssuer": issuer,
        "webIdFederationData": {},
        "attributes": {"creationDate": "2026-11-24T09:57:59Z", "mfaAuthenticated": "false"},
    }
    filters = {"items": [{"name": "tag:Name", "valueSet": {"items": [{"value": "checkout"}]}}]}
    scaled = {"autoScalingGroupName": f"group-{number % 50}", "desiredCapacity": number % 17, "honorCooldown": False}
    return {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROAEXAMPLE:session-{number % 40}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session-{number % 40}",
            "accountId": ACCOUNT,
            "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": context,
        },
        "eventTime": format_time(START + number // 5 * SECOND),
        "eventSource": "autoscaling.amazonaws.com" if change else "ec2.amazonaws.com",
        "eventName": "SetDesiredCapacity" if change else "DescribeInstances",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-sdk-go/1.44.0 (go1.19; linux; amd64) exec-env/AWS_ECS_FARGATE",
        "requestParameters": scaled if change else {"maxResults": 1000, "instancesSet": {}, "filterSet": filters},
        "responseElements": None,
        "requestID": f"1d4e8568-2303-48ee-a6fa-{number:012x}",
        "eventID": f"99a3097c-96ce-43dd-8c97-{number:012x}",
        "readOnly": not change,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": "ec2.eu-west-1.amazonaws.com",
        },
    }


def _deployment(number: int) -> dict[str, object]:
    host, full = "https://api.github.example.com", f"shop/service-{number % 40}"
    login = ("release-bot", "rollback-bot")[number % 2]
    links = {
        f"{name}_url": f"{host}/users/{login}/{name}{{/other}}"
        for name in ("followers", "gists", "starred", "orgs", "repos", "events")
    }
    creator = {"login": login, "id": 1 + number % 2, "node_id": "MDQ6VXNlcjE=", "type": "Bot", "site_admin": False, **links}
    more = {
        f"{name}_url": f"{host}/repos/{full}/{name}{{/sha}}"
        for name in ("forks", "keys", "teams", "hooks", "tags", "blobs", "trees", "pulls")
    }
    return {
        "action": "created",
        "deployment": {
            "url": f"{host}/repos/{full}/deployments/{number}",
            "id": number,
            "sha": f"{number % 7:040x}",
            "ref": "main",
            "task": "deploy",
            "payload": {},
            "environment": "production",
            "creator": creator,
            "created_at": format_time(START + number * SECOND),
        },
        "repository": {
            "id": number % 40,
            "full_name": full,
            "private": True,
            "owner": creator,
            "default_branch": "main",
            "size": 10_042,
            **more,
        },
        "sender": creator,
    }
