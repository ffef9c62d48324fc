"""Who wrote: the table of controllers, providers and bots, the operator's own names, people; and events that others wrapped."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from audit_records import GITOPS, HPA, audit, deployment, read, scale
from msgspec import UNSET

from models.events import Action
from models.instants import HOUR
from streams.settings import AgentName, Settings
from streams.sources.in_order import translated
from streams.sources.kubernetes import Audit
from streams.sources.kubernetes.agents import Agents
from streams.sources.kubernetes.record import Record, recognised, records
from streams.sources.source import Origin

EVENT = audit(1, GITOPS, "create", "deployments/cart", deployment(2, 10), code=201)


def name(user: str, user_agent: str = "kubectl/v1.36.3 (linux/amd64)", *named: AgentName) -> str:
    (record,) = records(json.dumps(audit(0, user, "update", "deployments/cart", userAgent=user_agent)).encode())
    assert isinstance(record, Record)
    return Agents(named).agent_of(record).name


@pytest.mark.parametrize(
    ("user", "user_agent", "expected"),
    [
        (
            "system:serviceaccount:argocd:argocd-application-controller",
            "argocd-application-controller/v2",
            "argocd-application-controller",
        ),
        ("system:serviceaccount:flux-system:kustomize-controller", "kustomize-controller/v1", "kustomize-controller"),
        ("system:serviceaccount:keda:keda-operator", "keda/v2", "keda"),
        ("system:serviceaccount:karpenter:karpenter", "karpenter/1.0", "karpenter"),
        ("system:serviceaccount:kube-system:cluster-autoscaler", "cluster-autoscaler/1.30", "cluster-autoscaler"),
        ("system:serviceaccount:kube-system:vpa-updater", "vpa-updater/1", "vpa-updater"),
        ("system:serviceaccount:dns:external-dns", "external-dns/1", "external-dns"),
        ("system:serviceaccount:ops:scaler", "kubectl/v1", "ops/scaler"),
        ("system:serviceaccount:ci:default", "GitHub-Actions/2", "ci/github-actions"),
        ("system:serviceaccount:team-a:default", "Helm/3.15", "team-a/helm"),
        ("system:serviceaccount:team-a:jenkins", "kubectl/v1", "team-a/jenkins"),
        ("system:serviceaccount:jenkins:jenkins", "kubectl/v1", "jenkins"),
        ("system:serviceaccount:argocd-b:argocd-application-controller", "argocd/v2", "argocd-b/argocd-application-controller"),
        ("system:serviceaccount:ci:default", "kubectl/v1", "ci/default"),
        ("eks:addon-manager", "eks/1", "eks:addon-manager"),
        ("kubernetes-admin", "Helm/3.15", "helm"),
        ("kubernetes-admin", "kubectl/v1", "user/kubernetes-admin"),
        ("alice", "Helm/3.15", "user/alice"),
        ("oidc:bob@example.com", "kubectl/v1", "user/oidc:bob@example.com"),
        ("arn:aws:sts::123456789012:assumed-role/deployer/1699999999", "kubectl/v1", "role/deployer"),
        ("arn:aws:sts::123456789012:assumed-role/admin/bob@example.com", "kubectl/v1", "user/bob@example.com"),
        ("ci@shop.iam.gserviceaccount.com", "kubectl/v1", "ci@shop"),
        ("", "", "user/unknown"),
    ],
)
def test_names(user: str, user_agent: str, expected: str) -> None:
    assert name(user, user_agent) == expected


def test_the_operators_names_come_first() -> None:
    named = (
        AgentName(name="robot", user="system:serviceaccount:ci:*", user_agent="*terraform*"),
        AgentName(name="oncall", user="ali?e"),
    )
    assert name("system:serviceaccount:ci:x", "HashiCorp terraform/1", *named) == "robot"
    assert name("system:serviceaccount:ci:x", "kubectl/v1", *named) == "ci/x"
    assert name("alice", "kubectl/v1", *named) == "oncall"


TEXT = json.dumps(EVENT)
AKS_COLUMNS = {
    "AuditId": "auditID", "Verb": "verb", "Stage": "stage", "RequestUri": "requestURI", "UserAgent": "userAgent",
    "StageReceivedTime": "stageTimestamp", "User": "user", "SourceIps": "sourceIPs",
    "ObjectRef": "objectRef", "ResponseStatus": "responseStatus",
    "RequestObject": "requestObject", "ResponseObject": "responseObject",
}  # fmt: skip
AKS_ROW = {column: EVENT[field] for column, field in AKS_COLUMNS.items() if field in EVENT}
WRAPPED: dict[str, Any] = {
    "azure table": {**AKS_ROW, "RequestObject": "skipped-too-big-size-object", "Annotations": ""},
    "azure table, as texts": {name: json.dumps(each) if isinstance(each, dict | list) else each for name, each in AKS_ROW.items()},
    "azure table, as az prints it": [{**AKS_ROW, "TableName": "PrimaryResult"}],
    "cloudwatch": {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "timestamp": 1, "message": TEXT}]},
    "get-log-events": {"events": [{"timestamp": 1, "message": TEXT, "ingestionTime": 2}], "nextForwardToken": "f/1"},
    "insights": {"@timestamp": "2026", "@message": TEXT},
    "azure": {"time": "2026", "category": "kube-audit", "properties": {"log": TEXT, "stream": "stdout", "pod": "kube-apiserver"}},
    "azure records": {"records": [{"category": "kube-audit", "properties": {"log": TEXT}}]},
    "fluent-bit": {"log": TEXT + "\n", "stream": "stdout"},
    "object": {"message": EVENT, "host": "a"},
    "elastic": {"event": {"original": TEXT}, "message": "not json"},
    "elasticsearch": {"_index": "audit", "_source": {"message": TEXT}},
    "elastic agent": {"kubernetes": {"audit": EVENT}},
    "insights results": {"results": [[{"field": "@timestamp", "value": "2026"}, {"field": "@message", "value": TEXT}]]},
    "log analytics": {"TimeGenerated": "2026", "Category": "kube-audit", "log_s": TEXT},
    "fluent-bit, merged": {"log_processed": EVENT, "stream": "stderr"},
    "logcli": {"labels": {"job": "audit"}, "line": TEXT, "timestamp": "2026-11-24T10:00:00Z"},
    "loki": {"streams": [{"stream": {"job": "audit"}, "values": [["1795514400000000000", TEXT]]}]},
    "loki query": {"status": "success", "data": {"resultType": "streams", "result": [{"stream": {}, "values": [["1", TEXT]]}]}},
    "splunk": {"preview": False, "result": {"_raw": TEXT}},
    "journald": {"MESSAGE": TEXT, "_PID": "1"},
    "array": [EVENT],
}


@pytest.mark.parametrize("how", WRAPPED)
def test_events_that_others_wrapped_are_the_same(how: str) -> None:
    line = json.dumps(WRAPPED[how]).encode()
    assert recognised(line)
    assert read([line])[:2] == read([EVENT])[:2] != ([], [])


def test_what_a_container_runtime_or_an_export_puts_before_a_line_is_taken_off() -> None:
    for before in (
        b"2026-11-24T10:00:01.123456789Z stderr F ",
        b"2026-11-24T10:00:01.123Z ",
        b"<134>1 2026-11-24T10:00:00Z cp-1 audit - - - ",
        b"Nov 24 10:00:00 cp-1 kube-apiserver[12]: ",
    ):  # the second: CloudWatch's export to S3; then syslog
        line = before + TEXT.encode()
        assert recognised(line) and read([line])[:2] == read([EVENT])[:2]


def entry(method: str, name: str, **payload: Any) -> dict[str, Any]:
    """A log entry of GKE, as its documentation has it."""
    asked = {"callerIp": "10.0.0.7", "callerSuppliedUserAgent": "kubectl/v1.36.3 (linux/amd64)"}
    return {
        "insertId": "i1", "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity", "timestamp": "2026-11-24T10:00:01Z",
        "resource": {"type": "k8s_cluster", "labels": {"cluster_name": "prod"}},
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog", "serviceName": "k8s.io", "methodName": f"io.k8s.{method}",
            "resourceName": name, "authenticationInfo": {"principalEmail": GITOPS}, "requestMetadata": asked, **payload,
        },
    }  # fmt: skip


def test_entries_of_cloud_logging_are_the_same() -> None:
    created = entry("apps.v1.deployments.create", "apps/v1/namespaces/shop/deployments/cart", response=deployment(2, 10))
    scaled = entry("apps.v1.deployments.scale.update", "apps/v1/namespaces/shop/deployments/cart/scale", response=scale(6, 11, 2))
    scaled.update(insertId="i2", timestamp="2026-11-24T10:00:02Z")
    refused = entry("core.v1.nodes.update", "core/v1/nodes/n1", status={"code": 7, "message": "no"})
    refused.update(insertId="i3", timestamp="2026-11-24T10:00:03Z")
    assert all(recognised(json.dumps(each).encode()) for each in (created, scaled, refused))
    actions, rejections, _ = read([created, scaled, refused])
    assert not rejections
    assert [(each.resource, each.parameter, each.old, each.new, each.outcome) for each in actions] == [
        ("k8s/prod/shop/deployment/cart", "exists", False, True, "applied"),
        ("k8s/prod/shop/deployment/cart", "spec.replicas", 2, 6, "applied"),
        ("k8s/prod/-/node/n1", "spec", UNSET, UNSET, "rejected"),
    ]
    assert {each.agent for each in actions} == {"gitops/sync"}
    other = entry("x.create", "y", serviceName="compute.googleapis.com")
    assert not recognised(json.dumps(other).encode())


def test_what_wraps_no_audit_event_is_refused() -> None:
    assert not recognised(json.dumps({"log": "audit", "message": json.dumps({"a": 1})}).encode())
    _, (rejection,), _ = read([{"log": '{"apiVersion": "audit'}])
    assert rejection.reason == "unknown_type"
    deep: Any = "audit"
    for _ in range(50):
        deep = {"message": deep}
    assert [each.reason for each in read([deep])[1]] == ["unknown_type"]


def test_the_domain_is_the_operators() -> None:
    (action,), _, _ = read([audit(1, HPA, "delete", "configmaps/a")], domain="platform")
    assert action.domain == "platform"


def exported(cluster: str, event: dict[str, Any], provider: str) -> dict[str, Any]:
    """As a subscription to CloudWatch's log groups, or Azure's diagnostic settings, of several clusters hands it on."""
    if provider == "eks":
        return {"logGroup": f"/aws/eks/{cluster}/cluster", "logEvents": [{"message": json.dumps(event)}]}
    path = f"/SUBSCRIPTIONS/1/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/{cluster.upper()}"
    return {"category": "kube-audit", "resourceId": path, "properties": {"log": json.dumps(event)}}


@pytest.mark.parametrize("provider", ["eks", "aks"])
def test_clusters_whose_names_their_logs_carry_are_kept_apart(provider: str) -> None:
    """The same objects are in each: what is written in one says nothing of the other."""
    log = []
    for turn in range(8):
        where, replicas = (("blue", 2), ("green", 6))[turn % 2]
        event = audit(20 * turn, GITOPS, "update", "deployments/cart", deployment(replicas, 100 + turn))
        log.append(exported(where, event, provider))
    actions, rejections, counts = read(log)
    assert (actions, rejections, counts["unchanged"]) == ([], [], 8)
    changed = audit(200, GITOPS, "update", "deployments/cart", deployment(3, 200))
    (action,), _, _ = read([*log, exported("green", changed, provider)])
    assert (action.resource, action.old, action.new) == ("k8s/green/shop/deployment/cart", 6, 3)
    line = (
        1,
        json.dumps(
            exported("green", audit(1, GITOPS, "create", "deployments/cart", deployment(2, 1), code=201), provider)
        ).encode(),
    )
    named = [event for _, event in translated([line], Audit(Settings(), Origin("prod")), HOUR, Counter())]
    assert [event.resource for event in named if isinstance(event, Action)] == [
        "k8s/prod/shop/deployment/cart"
    ]  # the operator's name
