"""What lives side by side in a cluster and does not fight, and what looks like it and does: crafted audit logs."""

from __future__ import annotations

from typing import Any

import pytest
from audit_records import GITOPS, HPA, audit, deployment, read, scale, told
from msgspec import UNSET
from test_kubernetes import findings

from streams.sources.kubernetes.knobs import knobs_of
from streams.sources.kubernetes.objects import Objects
from streams.sources.kubernetes.patches import as_partial

ACCOUNT = "system:serviceaccount:"
KEDA = ACCOUNT + "keda:keda-operator"
SCHEDULER = "system:kube-scheduler"


def fights(log: list[dict[str, Any]]) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [(f"{each.pattern}/{each.kind}", each.agents, each.parameters) for each in findings(log)]


def about(record: dict[str, Any], group: str = "", namespace: str = "") -> dict[str, Any]:
    """The same request about an object of another group or namespace."""
    return {**record, "objectRef": {**record["objectRef"], "apiGroup": group, "namespace": namespace}}


def node(version: int, taints: list[str] = [], **spec: Any) -> dict[str, Any]:  # noqa: B006
    listed = {"taints": [{"key": taint, "effect": "NoSchedule"} for taint in taints]} if taints else {}
    return {"kind": "Node", "metadata": {"name": "n1", "resourceVersion": str(version)}, "spec": {**spec, **listed}}


def test_a_cordon_to_and_fro_is_one_fight_and_not_the_node_controllers_too() -> None:
    log, mirrored = [], "node.kubernetes.io/unschedulable"
    for turn in range(5):
        at, version = 120.0 * turn, 10 * turn
        log += [
            audit(at, "ops", "patch", "nodes/n1", node(version + 1, unschedulable=True), {"spec": {"unschedulable": True}}),
            audit(
                at + 0.1,
                ACCOUNT + "kube-system:node-controller",
                "patch",
                "nodes/n1",
                node(version + 2, [mirrored], unschedulable=True),
                {"spec": {"taints": [{"key": mirrored, "effect": "NoSchedule"}]}},
            ),
            audit(at + 60, GITOPS, "patch", "nodes/n1", node(version + 3, [mirrored]), {"spec": {"unschedulable": None}}),
            audit(at + 60.1, ACCOUNT + "kube-system:node-controller", "patch", "nodes/n1", node(version + 4), {"spec": {"taints": None}}),
        ]  # fmt: skip
    found = fights([about(record) for record in log])
    assert found == [("thrashing/sustained", ("gitops/sync", "user/ops"), ("spec.unschedulable",))]


def emptied(who: str, mark: dict[str, Any] | None, hidden: bool = False, verb: str = "evict") -> list[dict[str, Any]]:
    """Five nodes, one after the other, are marked by `mark` and lose their three pods to the next."""
    log: list[dict[str, Any]] = []

    def pod(place: int, number: int) -> str:
        return f"pods/cart-5756bfb997-bcd{place + 4}{number + 4}"

    def placed(at: float, place: int, number: int) -> dict[str, Any]:
        return audit(at, SCHEDULER, "create", f"{pod(place, number)}/binding", None, {"target": {"name": f"n{place}"}}, code=201)

    log += [placed(number, 0, number) for number in range(3)]
    for place in range(5):
        start = 20.0 + 80 * place
        if mark is not None:
            answer = {"kind": "Node", "metadata": {"name": f"n{place}", "resourceVersion": str(place + 1)}, "spec": mark}
            log.append(about(audit(start, who, "patch", f"nodes/n{place}", answer, {"spec": mark})))
        for number in range(3):
            at = start + 20 * (number + 1)
            if verb == "evict":
                log.append(audit(at, who, "create", f"{pod(place, number)}/eviction", None, {"kind": "Eviction"}, code=201))
            else:
                log.append(audit(at, who, "delete", pod(place, number)))
            log.append(placed(at + 2, place + 1, number))
    return [{key: each for key, each in record.items() if not hidden or not key.endswith("Object")} for record in log]


CORDON = {"unschedulable": True}
KARPENTER = {"taints": [{"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}]}
AUTOSCALER = {"taints": [{"key": "ToBeDeletedByClusterAutoscaler", "value": "1795514520", "effect": "NoSchedule"}]}
DEDICATED = {"taints": [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]}


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (emptied(ACCOUNT + "karpenter:karpenter", KARPENTER), 0),
        (emptied(ACCOUNT + "kube-system:cluster-autoscaler", AUTOSCALER), 0),
        (emptied("alice", CORDON, verb="delete"), 0),  # kubectl drain --disable-eviction
        (emptied("alice", CORDON, hidden=True), 0),  # the policy hides the cordon, and not that alice wrote to the nodes
        (emptied(ACCOUNT + "kube-system:taint-eviction-controller", None, verb="delete"), 0),
        (emptied(ACCOUNT + "karpenter:karpenter", DEDICATED), 1),
        (emptied(ACCOUNT + "karpenter:karpenter", None), 1),
        (emptied("alice", None, hidden=True), 1),
    ],
)
def test_leaving_a_node_that_is_taken_away_is_no_fight_however_it_is_marked(log: list[dict[str, Any]], found: int) -> None:
    assert [each for each, _, _ in fights(log)] == ["thrashing/identity"] * found


def test_knatives_service_is_not_the_cores_of_the_same_name() -> None:
    log = []
    for turn in range(6):
        own = {"kind": "Service", "metadata": {"name": "cart"}, "spec": {"template": {"spec": {"timeoutSeconds": turn}}}}
        core = {"kind": "Service", "metadata": {"name": "cart"}, "spec": {"type": "ExternalName"}}
        log += [
            about(audit(300 * turn, GITOPS, "patch", "services/cart", own, own), "serving.knative.dev", "shop"),
            about(audit(300 * turn + 1, ACCOUNT + "knative-serving:controller", "update", "services/cart", core), "", "shop"),
        ]
    assert fights(log) == []
    assert {action.resource for action in read(log)[0]} == {"k8s/cluster/shop/service.serving.knative.dev/cart"}


def days(activates: str, status: bool) -> list[dict[str, Any]]:
    """Load comes and goes: 0 to 1, 3, 5 replicas, and back to none."""
    log: list[dict[str, Any]] = []
    for day in range(6):
        ran = 0
        for after, wanted, load in ((0, 1, 0), (60, 3, 30), (120, 5, 60), (420, 2, 15), (500, 1, 3), (800, 0, 0)):
            at, version = 900.0 * day + after, 100 * day + after
            who = activates if 0 in (wanted, ran) else HPA
            log.append(audit(at, who, "update", "deployments/cart/scale", scale(wanted, version, ran), scale(wanted, 0, ran)))
            if who == HPA and status:
                seen = {
                    "type": "External",
                    "external": {"metric": {"name": "queue"}, "current": {"averageValue": str(load // ran)}},
                }
                answer = {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "cart"}}, "status": {"desiredReplicas": wanted, "currentMetrics": [seen]}}  # fmt: skip  # noqa: E501
                log.append(audit(at + 0.02, HPA, "update", "horizontalpodautoscalers/keda-hpa-cart/status", answer))
            ran = wanted
    return log


def test_keda_and_the_autoscaler_that_it_made_share_a_workload() -> None:
    assert fights(days(KEDA, status=True)) == []
    assert [agents for _, agents, _ in fights(days("alice", status=True))] == [("horizontal-pod-autoscaler", "user/alice")]


@pytest.mark.parametrize("other", [KEDA, ACCOUNT + "flagger-system:flagger"])
def test_what_steps_by_plan_fights_a_third_all_the_same(other: str) -> None:
    log = []
    for turn in range(5):
        log.append(audit(120 * turn, other, "update", "deployments/cart", deployment(0, 2 * turn + 1)))
        log.append(
            audit(120 * turn + 20, GITOPS, "patch", "deployments/cart", deployment(2, 2 * turn + 2), {"spec": {"replicas": 2}})
        )
    ((kind, agents, knobs),) = fights(log)
    assert kind == "thrashing/sustained" and "gitops/sync" in agents and len(agents) == 2 and knobs == ("spec.replicas",)


@pytest.mark.parametrize(("controller", "found"), [("flagger-system:flagger", []), ("ops:scaler", ["thrashing/sustained"])])
def test_a_canary_is_scaled_up_and_down_once_a_release(controller: str, found: list[str]) -> None:
    log = []
    for release in range(4):
        for after, replicas in ((10, 2), (500, 0)):
            at = 1200.0 * release + after
            log.append(audit(at, ACCOUNT + controller, "update", "deployments/cart", deployment(replicas, int(at))))
    log.insert(0, audit(0, GITOPS, "update", "deployments/cart", deployment(0, 1)))
    assert [kind for kind, _, _ in fights(log)] == found


def test_a_json_patch_without_an_answer_tells_what_it_wrote() -> None:
    log = [audit(0, GITOPS, "create", "deployments/cart", None, deployment(3, 1), code=201)]
    steps = [{"op": "test", "path": "/spec/replicas", "value": 3}, {"op": "replace", "path": "/spec/replicas", "value": 5}]
    log.append(audit(10, "alice", "patch", "deployments/cart", None, steps))
    log.append(
        audit(20, "alice", "patch", "deployments/cart", None, [{"op": "remove", "path": "/spec/template/spec/containers/0"}])
    )
    actions, _, counts = read(log)
    assert told(actions[1:]) == [("user/alice", "spec.replicas", 3, 5), ("user/alice", "spec", UNSET, UNSET)]
    assert actions[2].why is not None and "by positions in lists" in actions[2].why.text
    assert counts["values_hidden_by_the_audit_policy"] == 1


@pytest.mark.parametrize(
    ("steps", "partial"),
    [
        ([{"op": "add", "path": "/metadata/labels/a~1b", "value": "x"}], {"metadata": {"labels": {"a/b": "x"}}}),
        ([{"op": "remove", "path": "/spec/paused"}], {"spec": {"paused": None}}),
        ([{"op": "add", "path": "/spec/tolerations/-", "value": {}}], None),
        ([{"op": "move", "from": "/spec/a", "path": "/spec/b"}], None),
        ([{"op": "replace", "path": "/spec", "value": 1}, {"op": "add", "path": "/spec/a", "value": 1}], None),
        ([7], None),
    ],
)
def test_a_json_patch_as_a_partial_object(steps: list[Any], partial: dict[str, Any] | None) -> None:
    assert as_partial(steps) == partial


def test_the_controllers_of_a_manager_with_one_credential_are_told_apart() -> None:
    agent = "kube-controller-manager/v1.29.0 (linux/amd64) kubernetes/3f7a50f/horizontal-pod-autoscaler"
    record = audit(0, "system:kube-controller-manager", "update", "deployments/cart/scale", scale(6, 1, 2), userAgent=agent)
    assert [action.agent for action in read([record])[0]] == ["horizontal-pod-autoscaler"]


SECRET = "hunter2"


@pytest.mark.parametrize(
    "spec",
    [
        {"values": {"db": {"password": SECRET}}},
        {"source": {"helm": {"values": f"replicas: 1\npassword: {SECRET}\n", "parameters": [{"name": "p", "value": SECRET}]}}},
        {"source": {"repoURL": f"https://bot:{SECRET}@git.example.com/shop"}},
        {"http": [{"headers": {"request": {"set": {"Authorization": f"Bearer {SECRET}"}}}}]},
        {"address": f"https://hooks.slack.com/services/{SECRET}"},
        {"url": f"https://blob.example.com/a?sv=1&sig={SECRET}"},
        {"triggers": [{"type": "rabbitmq", "metadata": {"host": f"amqp://u:{SECRET}@mq"}}]},
        {"dns01": {"cloudflare": {"apiKey": SECRET}}},
    ],
)
def test_no_secret_is_told_wherever_a_custom_resource_holds_it(spec: dict[str, Any]) -> None:
    found = knobs_of("helmreleases", {"spec": spec})
    assert found and SECRET not in str(found) and "sha256:" in str(found)


def test_names_of_secrets_and_plain_settings_are_told() -> None:
    spec = {
        "secretRef": {"name": "db"},
        "secretName": "tls",
        "tokenExpirationSeconds": 3600,
        "image": "shop/cart:1",
        "url": "https://a/b",
    }
    assert knobs_of("things", {"spec": spec}) == {
        "spec.secretRef.name": "db", "spec.secretName": "tls", "spec.tokenExpirationSeconds": 3600, "spec.image": "shop/cart:1",
        "spec.url": "https://a/b",
    }  # fmt: skip


def test_what_is_remembered_is_bounded_by_knobs_too_and_the_oldest_goes_first() -> None:
    objects = Objects(most_knobs=100)
    for number in range(50):
        objects.get(f"o{number}").knobs = {f"spec.k{leaf}": leaf for leaf in range(10)}
    assert not objects.get("o0").knobs and objects.get("o49").knobs
    assert sum(bool(objects.get(f"o{number}").knobs) for number in range(50)) <= 11


def test_an_object_of_very_many_fields_is_one_knob() -> None:
    spec = {f"f{number}": number for number in range(3000)}
    assert list(knobs_of("customresourcedefinitions", {"spec": spec})) == ["spec"]


@pytest.mark.parametrize(("told", "found"), [(True, [("user/ann", "user/bob")]), (False, [("monitoring/prometheus-operator",)])])
def test_an_operator_that_carries_out_what_two_others_fight_over_is_no_second_fight(
    told: bool, found: list[tuple[str, ...]]
) -> None:
    operator = "system:serviceaccount:monitoring:prometheus-operator"
    owner = {"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "name": "k8s", "controller": True}

    def written(kind: str, name: str, replicas: int, version: int, **meta: Any) -> dict[str, Any]:
        return {"kind": kind, "metadata": {"name": name, "resourceVersion": str(version), **meta}, "spec": {"replicas": replicas}}

    log = [
        audit(0, "ann", "create", "prometheuses/k8s", written("Prometheus", "k8s", 1, 1), code=201),
        audit(1, operator, "create", "statefulsets/k8s", written("StatefulSet", "k8s", 1, 2, ownerReferences=[owner]), code=201),
    ]
    for turn in range(10):
        at, replicas = 20 * (turn + 1), 2 - turn % 2
        if told:
            cause = written("Prometheus", "k8s", replicas, 10 * turn + 11)
            log.append(audit(at, ("bob", "ann")[turn % 2], "patch", "prometheuses/k8s", cause, {"spec": {"replicas": replicas}}))
        effect = written("StatefulSet", "k8s", replicas, 10 * turn + 12, ownerReferences=[owner])
        log.append(audit(at + 1, operator, "update", "statefulsets/k8s", effect))
    assert [finding.agents for finding in findings(log)] == found


def test_a_service_that_sleeps_between_its_requests_is_scaled_by_no_fight() -> None:
    knative = ACCOUNT + "knative-serving:controller"
    log = [audit(60 * turn, knative, "patch", "deployments/cart", deployment(turn % 2, turn + 1), []) for turn in range(12)]
    assert fights(log) == []
