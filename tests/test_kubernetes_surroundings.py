"""What an audit log tells beside single writes: collections, dependencies, Events, labels that steer, hidden values; and alerts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from audit_records import GITOPS, HPA, audit, became, read, scale, told
from test_cli import interplay
from test_kubernetes import FIGHTS, QUIET, lines
from test_kubernetes_autoscalers import load, scaled, status

from models.events import Action, Dependency, Transition
from models.instants import parse_time
from models.rejection import Rejection
from streams.settings import Kubernetes, Settings
from streams.sources.alertmanager import Alerts
from streams.sources.kinds import KINDS
from streams.sources.kubernetes.bodies import contested
from streams.sources.kubernetes.events import Events
from streams.sources.kubernetes.knobs import Reading, knobs_of
from streams.sources.source import Origin

ALICE = "alice"


def obj(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "shop", "resourceVersion": "5"}, "spec": spec}


def edges(log: list[dict[str, Any]]) -> list[tuple[str, str, str, bool]]:
    found = [event for event in became(log)[0] if isinstance(event, Dependency)]
    return [(each.dependent.split("/", 2)[2], each.dependency.split("/", 2)[2], each.relation, each.removed) for each in found]


# collections


def test_a_collection_that_is_deleted_is_its_members() -> None:
    answer = {"kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}
    log = [audit(0, GITOPS, "create", "configmaps/a", {"metadata": {"name": "a"}}, code=201)]
    actions, _, _ = read([*log, audit(1, ALICE, "deletecollection", "configmaps/", answer)])
    assert [(each.verb, each.resource.rsplit("/", 1)[1], each.old, each.new) for each in actions[1:]] == [
        ("delete", "a", True, False),
        ("delete", "b", True, False),
    ]
    assert len({each.id for each in actions}) == 3


def test_a_collection_of_which_no_member_is_known_is_told_as_one() -> None:
    (action,), _, _ = read([audit(1, ALICE, "deletecollection", "configmaps/")])
    assert (action.verb, action.resource, action.parameter) == ("deletecollection", "k8s/cluster/shop/configmap/*", "exists")
    actions, _, counts = read(
        [audit(1, "system:serviceaccount:kube-system:namespace-controller", "deletecollection", "configmaps/")]
    )
    assert actions == [] and counts["derived"] == 1


# dependencies


def test_an_ingress_depends_on_its_backends_as_long_as_it_names_them() -> None:
    def ingress(service: str) -> dict[str, Any]:
        return obj("Ingress", "web", rules=[{"http": {"paths": [{"path": "/", "backend": {"service": {"name": service}}}]}}])

    log = [
        audit(0, GITOPS, "create", "ingresses/web", ingress("cart"), code=201),
        audit(1, GITOPS, "update", "ingresses/web", ingress("cart")),
        audit(2, GITOPS, "update", "ingresses/web", ingress("basket")),
        audit(3, GITOPS, "delete", "ingresses/web"),
    ]
    assert edges(log) == [
        ("shop/ingress/web", "shop/service/cart", "routes", False),
        ("shop/ingress/web", "shop/service/basket", "routes", False),
        ("shop/ingress/web", "shop/service/cart", "routes", True),
        ("shop/ingress/web", "shop/service/basket", "routes", True),
    ]


@pytest.mark.parametrize("first", ["services/cart", "deployments/cart"])
def test_a_service_depends_on_what_it_selects(first: str) -> None:
    service = audit(0, GITOPS, "create", "services/cart", obj("Service", "cart", selector={"app": "cart"}), code=201)
    pods = {"metadata": {"labels": {"app": "cart", "track": "blue"}}}
    workload = audit(1, GITOPS, "create", "deployments/cart", obj("Deployment", "cart", template=pods), code=201)
    green = audit(2, GITOPS, "update", "services/cart", obj("Service", "cart", selector={"app": "cart", "track": "green"}))
    log = (
        [service, workload]
        if first.startswith("services")
        else [
            {**workload, "auditID": "w", "stageTimestamp": service["stageTimestamp"]},
            {**service, "stageTimestamp": workload["stageTimestamp"]},
        ]
    )
    assert edges([*log, green]) == [
        ("shop/service/cart", "shop/deployment/cart", "selects", False),
        ("shop/service/cart", "shop/deployment/cart", "selects", True),
    ]


def test_a_workload_depends_on_its_autoscaler_and_an_object_on_its_owner() -> None:
    autoscaler = obj("HorizontalPodAutoscaler", "cart", scaleTargetRef={"kind": "Deployment", "name": "cart"})
    autoscaler["metadata"]["ownerReferences"] = [{"kind": "ScaledObject", "name": "cart", "controller": True}]
    assert edges([audit(0, GITOPS, "create", "horizontalpodautoscalers/cart", autoscaler, code=201)]) == [
        ("shop/deployment/cart", "shop/horizontalpodautoscaler/cart", "scaled by", False),
        ("shop/horizontalpodautoscaler/cart", "shop/scaledobject/cart", "owned by", False),
    ]


@pytest.mark.parametrize("name", [*FIGHTS, *QUIET])
def test_recordings_have_dependencies_that_exist(name: str) -> None:
    found = [event for event in became(lines(name))[0] if isinstance(event, Dependency)]
    assert {each.relation for each in found} <= {"routes", "selects", "scaled by", "owned by"}
    assert all(each.dependent != each.dependency for each in found)


# routes


def test_the_weights_of_a_gateways_backends_are_knobs() -> None:
    rules = [{"backendRefs": [{"name": "cart", "port": 80, "weight": 90}, {"name": "canary", "port": 80, "weight": 10}]}]
    assert knobs_of("httproutes", {"spec": {"rules": rules}}) == {
        "spec.rules.0.backendRefs[cart:80].weight": 90,
        "spec.rules.0.backendRefs[canary:80].weight": 10,
    }


# labels and annotations


def test_labels_that_steer_are_knobs_where_the_operator_says_so() -> None:
    meta = {"labels": {"keda.sh/paused": "true", "app": "cart"}, "annotations": {"keda.sh/replicas": "4"}}
    assert Reading().of("deployments", {"metadata": meta}) == {}
    reading = Reading(Kubernetes(metadata=("keda.sh/*",)).metadata)
    assert reading.of("deployments", {"metadata": meta}) == {
        "metadata.labels[keda.sh/paused]": "true",
        "metadata.annotations[keda.sh/replicas]": "4",
    }
    assert reading.named_by("deployments", {"metadata": {"labels": {"keda.sh/paused": "false"}}}) == {
        "metadata.labels[keda.sh/paused]"
    }
    assert reading.named_by("deployments", [{"path": "/a"}]) == {"a"}


# who owns a field


def test_an_apply_that_is_refused_names_the_fields_and_their_owner() -> None:
    message = 'Apply failed with 1 conflict: conflict with "kube-controller-manager" with subresource "scale" using apps/v1: .spec.replicas'
    status_of = {"code": 409, "reason": "Conflict", "message": message}
    asked = {"kind": "Deployment", "spec": {"replicas": 2}}
    (action,), _, _ = read([audit(1, GITOPS, "patch", "deployments/cart", None, asked, 409, responseStatus=status_of)])
    assert (action.outcome, action.parameter, action.new) == ("rejected", "spec.replicas", 2)
    assert action.why is not None and "kube-controller-manager" in action.why.text


def test_fields_of_an_apply_conflict() -> None:
    fields = '- .spec.replicas\n- .spec.template.spec.containers[name="app"].image'
    many = f'Apply failed with 2 conflicts: conflicts with "ci" using apps/v1:\n{fields}'
    assert contested(many) == ["spec.replicas", "spec.template.spec.containers[app].image"]
    assert contested("the object has been modified; please apply your changes") == [] == contested("")


# pods that are resized where they run


def test_resources_of_a_running_pod_are_knobs() -> None:
    def pod(memory: str) -> dict[str, Any]:
        return obj("Pod", "cart-0", containers=[{"name": "app", "resources": {"requests": {"memory": memory}}}])

    vpa = "system:serviceaccount:kube-system:vpa-updater"
    log = [audit(1, vpa, "patch", "pods/cart-0/resize", pod("1Gi")), audit(2, vpa, "patch", "pods/cart-0/resize", pod("2Gi"))]
    assert told(read(log)[0])[-1] == ("vpa-updater", "spec.containers[app].resources.requests.memory", "1Gi", "2Gi")


# what the policy hides


def test_what_the_policy_hides_is_said_in_the_action_and_counted() -> None:
    (action,), _, counts = read([audit(1, ALICE, "patch", "deployments/cart", level="Metadata")])
    assert action.why is not None and "audit policy" in action.why.text
    assert counts["values_hidden_by_the_audit_policy"] == 1


# Events


def happened(reason: str, kind: str = "Pod", name: str = "cart-5756bfb997-6qd4n", **more: Any) -> dict[str, Any]:
    return {
        "kind": "Event", "apiVersion": "v1", "metadata": {"name": "x.1", "uid": "u1"}, "reason": reason, "type": "Warning",
        "involvedObject": {"kind": kind, "namespace": "shop", "name": name}, "message": "why", "count": 2,
        "lastTimestamp": "2026-11-24T10:00:05Z", "source": {"component": "kubelet"}, **more,
    }  # fmt: skip


def parsed(event: Any) -> list[Any]:
    return list(Events(Settings(), Origin("prod", "platform")).parse(json.dumps(event).encode(), (), 0))


def test_a_warning_is_a_transition_of_the_workload() -> None:
    (event,) = parsed(happened("BackOff"))
    assert event == Transition(
        time=parse_time("2026-11-24T10:00:05Z"), source="k8s/prod/kubelet", id="u1#2", domain="platform",
        resource="k8s/prod/shop/deployment/cart", metric="BackOff", after="Warning", severity="warning", text="cart-5756bfb997-6qd4n: why",
    )  # fmt: skip
    newer = happened("BackOff", lastTimestamp=None, count=None, series={"count": 7, "lastObservedTime": "2026-11-24T10:00:09.5Z"})
    newer["regarding"], newer["note"] = newer.pop("involvedObject"), newer.pop("message")
    (again,) = parsed(newer)
    assert (again.id, again.time, again.resource, again.text) == (
        "u1#7",
        parse_time("2026-11-24T10:00:09.5Z"),
        event.resource,
        event.text,
    )


def test_what_is_routine_is_passed_over_and_what_is_broken_is_refused() -> None:
    assert parsed(happened("Pulled", type="Normal")) == []
    (node,) = parsed(happened("NodeNotReady", kind="Node", name="n1", type="Normal"))
    assert node.resource == "k8s/prod/-/node/n1" and node.severity == "info"
    assert [each.reason for each in parsed(happened("BackOff", lastTimestamp="soon"))] == ["bad_time"]
    assert [each.reason for each in parsed({"involvedObject": {"name": "x"}})] == ["wrong_type"] or parsed({"involvedObject": {}})
    assert parsed({"verb": "ADDED", "event": happened("BackOff")}) == parsed(happened("BackOff"))
    assert len(parsed({"kind": "EventList", "items": [happened("BackOff"), happened("Failed")]})) == 2


def test_events_in_an_audit_log_are_the_same_and_tell_why_an_autoscaler_scaled() -> None:
    rescaled = happened(
        "SuccessfulRescale", "HorizontalPodAutoscaler", "cart", type="Normal", message="New size: 6; reason: load above target"
    )
    log = [
        scaled(1, 6, 2),
        status(1.01, 6, load("31500m")),
        audit(1.02, HPA, "create", "events/cart.1", rescaled, code=201),
        audit(2, "system:node:n1", "create", "events/cart.2", happened("BackOff"), code=201),
        audit(3, "system:node:n1", "create", "events/cart.3", code=201, level="Metadata"),
    ]
    found, counts = became(log)
    (action,) = [event for event in found if isinstance(event, Action)]
    (transition,) = [event for event in found if isinstance(event, Transition)]
    assert action.why is not None and action.why.text == "HorizontalPodAutoscaler shop/cart: New size: 6; reason: load above target"
    assert transition.metric == "BackOff" and transition.resource == "k8s/cluster/shop/deployment/cart"
    assert not any(isinstance(event, Rejection) for event in found) and counts["noise"] == 4


def test_analyze_recognises_events_and_alerts(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(json.dumps(happened("BackOff")) + "\n")
    (tmp_path / "alerts.jsonl").write_text(json.dumps(message("firing")) + "\n")
    for name, kind in (("events.jsonl", "k8s-events: 1 warnings"), ("alerts.jsonl", "alertmanager: 1 alerts")):
        done = interplay("analyze", name, cwd=tmp_path)
        assert done.returncode == 0 and kind in " ".join(done.stdout.split())


# alerts


def message(state: str, **labels: str) -> dict[str, Any]:
    alert = {
        "status": state, "labels": {"alertname": "HighLatency", "severity": "critical", **labels}, "annotations": {"summary": "slow"},
        "startsAt": "2026-11-24T10:00:00Z", "endsAt": "2026-11-24T10:05:00Z" if state == "resolved" else "0001-01-01T00:00:00Z",
        "fingerprint": "f1",
    }  # fmt: skip
    return {"version": "4", "receiver": "hook", "groupKey": "g", "externalURL": "http://am", "alerts": [alert]}


def alerts(value: Any) -> list[Any]:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return list(Alerts(Settings(), Origin("prod")).parse(raw, (), 0))


def test_an_alert_fires_and_is_resolved() -> None:
    (firing,), (resolved,) = alerts(message("firing")), alerts(message("resolved"))
    assert (firing.before, firing.after, firing.time) == ("inactive", "firing", parse_time("2026-11-24T10:00:00Z"))
    assert (resolved.before, resolved.after, resolved.time) == ("firing", "resolved", parse_time("2026-11-24T10:05:00Z"))
    assert (firing.metric, firing.severity, firing.text) == ("HighLatency", "critical", "slow")
    assert firing.id != resolved.id and firing == alerts(message("firing"))[0]


@pytest.mark.parametrize(
    ("labels", "resource"),
    [
        ({"namespace": "shop", "deployment": "cart"}, "k8s/prod/shop/deployment/cart"),
        ({"namespace": "shop", "pod": "cart-5756bfb997-6qd4n", "cluster": "eu"}, "k8s/eu/shop/deployment/cart"),
        ({"namespace": "shop", "pod": "lonely"}, "k8s/prod/shop/pod/lonely"),
        ({"namespace": "shop", "job_name": "etl"}, "k8s/prod/shop/job/etl"),
        ({"node": "n1"}, "k8s/prod/-/node/n1"),
        ({"service": "cart"}, "service/cart"),
        ({"instance": "10.0.0.7:9100", "job": "node"}, "host/10.0.0.7:9100"),
        ({"resource": "db/orders", "node": "n1"}, "db/orders"),
        ({"namespace": "{x}"}, "k8s/prod/-/namespace/{x}"),
        ({}, "alert/HighLatency"),
    ],
)
def test_the_labels_say_what_an_alert_is_about(labels: dict[str, str], resource: str) -> None:
    (found,) = alerts(message("firing", **labels))
    assert found.resource == resource


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'{"alerts": 3, "receiver": "x"}', b'{"alerts": [{}], "receiver": "x"}'])
def test_what_is_no_message_is_refused(value: bytes) -> None:
    assert [type(each) for each in alerts(value)] == [Rejection]
    bad = message("firing")
    bad["alerts"][0]["startsAt"] = "soon"
    assert [(each.reason, each.path) for each in alerts(bad)] == [("bad_time", "alerts[0].startsAt")]


def test_kinds_are_told_apart() -> None:
    samples: dict[str, Any] = {
        "k8s-audit": audit(1, HPA, "update", "deployments/cart/scale", scale(2, 3)),
        "k8s-events": happened("BackOff"),
        "alertmanager": message("firing"),
    }
    for name, sample in samples.items():
        line = json.dumps(sample).encode()
        assert [kind for kind in samples if KINDS[kind].recognised(line)] == [name]
