"""Which fields of an object are knobs, in kinds without `spec` and in patches whose answer the policy does not keep."""

from __future__ import annotations

from typing import Any

import pytest
from audit_records import audit, deployment, read, told

from streams.sources.kubernetes.naming import controller_of
from streams.sources.kubernetes.quantities import canonical

A, B = "system:serviceaccount:ci:a", "system:serviceaccount:ci:b"


def written(kind: str, version: int, **fields: Any) -> dict[str, Any]:
    """An object as the server answers it."""
    return {"kind": kind, "metadata": {"name": "n", "namespace": "shop", "resourceVersion": str(version)}, **fields}


def binding(version: int, *accounts: str) -> dict[str, Any]:
    subjects = [{"kind": "ServiceAccount", "name": name, "namespace": "ci"} for name in accounts]
    people = [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "ann"}]
    return written("RoleBinding", version, subjects=subjects + people, roleRef={"kind": "Role", "name": "r"})


def test_the_subjects_of_a_role_binding_are_a_set() -> None:
    actions, _, counts = read(
        [
            audit(1, A, "create", "rolebindings/n", binding(1, "x", "y"), code=201),
            audit(2, B, "update", "rolebindings/n", binding(2, "x")),
            audit(3, A, "patch", "rolebindings/n", None, {"subjects": binding(3, "x", "y")["subjects"]}),
        ]
    )
    few, all_of_them = ("ServiceAccount ci/x", "User ann"), ("ServiceAccount ci/x", "ServiceAccount ci/y", "User ann")
    assert told(actions[1:]) == [("ci/b", "subjects", all_of_them, few), ("ci/a", "subjects", few, all_of_them)]
    assert not counts["unchanged"]


def test_the_pull_secrets_of_a_service_account_are_a_set_of_names() -> None:
    def account(version: int, *names: str) -> dict[str, Any]:
        return written("ServiceAccount", version, secrets=[{"name": "token"}], imagePullSecrets=[{"name": name} for name in names])

    actions, _, _ = read(
        [
            audit(1, A, "create", "serviceaccounts/n", account(1, "registry"), code=201),
            audit(2, B, "update", "serviceaccounts/n", account(2, "registry", "dockercfg-x7k2p")),
            audit(3, A, "patch", "serviceaccounts/n", account(3, "registry"), {"imagePullSecrets": [{"name": "registry"}]}),
        ]
    )
    both = ("dockercfg-x7k2p", "registry")
    assert told(actions[1:]) == [
        ("ci/b", "imagePullSecrets", ("registry",), both),
        ("ci/a", "imagePullSecrets", both, ("registry",)),
    ]


def test_what_kinds_without_a_spec_want_is_beside_their_metadata() -> None:
    def hook(version: int, policy: str) -> dict[str, Any]:
        return written("ValidatingWebhookConfiguration", version, webhooks=[{"name": "pods.example.com", "failurePolicy": policy}])

    def role(version: int, *verbs: str) -> dict[str, Any]:
        return written("Role", version, rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": list(verbs)}])

    actions, _, _ = read(
        [
            audit(1, A, "create", "validatingwebhookconfigurations/n", hook(1, "Fail"), code=201),
            audit(2, B, "update", "validatingwebhookconfigurations/n", hook(2, "Ignore")),
            audit(3, A, "create", "roles/n", role(3, "get"), code=201),
            audit(4, B, "update", "roles/n", role(4, "get", "list")),
            audit(5, A, "create", "priorityclasses/n", written("PriorityClass", 5, value=100), code=201),
            audit(6, B, "update", "priorityclasses/n", written("PriorityClass", 6, value=200)),
        ]
    )
    rule = '{"apiGroups":[""],"resources":["pods"],"verbs":[%s]}'
    assert told(action for action in actions if action.parameter != "exists") == [
        ("ci/b", "webhooks[pods.example.com].failurePolicy", "Fail", "Ignore"),
        ("ci/b", "rules", (rule % '"get"',), (rule % '"get","list"',)),
        ("ci/b", "value", 100, 200),
    ]


def test_what_a_json_patch_tests_it_does_not_write() -> None:
    steps = [{"op": "test", "path": "/spec/replicas", "value": 3}, {"op": "add", "path": "/spec/paused", "value": True}]
    actions, _, _ = read(
        [
            audit(1, A, "create", "deployments/cart", deployment(3, 1), code=201),
            audit(2, B, "patch", "deployments/cart", deployment(3, 2, paused=True), steps),
        ]
    )
    assert told(actions[1:]) == [("ci/b", "spec.paused", None, True)]  # no second owner of the replicas


def test_a_patch_without_an_answer_ends_all_below_what_it_ends() -> None:
    def cart(version: int, *names: str) -> dict[str, Any]:
        containers = [{"name": name, "image": f"{name}:1"} for name in names]
        return deployment(1, version, strategy={"type": "Recreate"}, template={"spec": {"containers": containers}})

    sidecar = "spec.template.spec.containers[proxy].image"
    without = {"$setElementOrder/containers": [{"name": "app"}], "containers": [{"$patch": "delete", "name": "proxy"}]}
    again = {"containers": [{"name": "proxy", "image": "proxy:1"}]}
    actions, _, _ = read(
        [
            audit(1, A, "create", "deployments/cart", cart(1, "app", "proxy"), code=201),
            audit(2, B, "patch", "deployments/cart", None, {"spec": {"template": {"spec": without}}}),
            audit(3, A, "patch", "deployments/cart", None, {"spec": {"template": {"spec": again}}}),
            audit(4, B, "patch", "deployments/cart", None, {"spec": {"strategy": None}}),
        ]
    )
    assert told(actions[1:]) == [
        ("ci/b", sidecar, "proxy:1", None),
        ("ci/a", sidecar, None, "proxy:1"),
        ("ci/b", "spec.strategy.type", "Recreate", None),
    ]


def test_what_a_secret_is_given_as_text_is_the_same_as_the_server_has_it() -> None:
    actions, _, _ = read(
        [
            audit(1, A, "create", "secrets/n", written("Secret", 1, data={"pin": "b2xk"}), code=201),
            audit(2, B, "patch", "secrets/n", None, {"stringData": {"pin": "new"}}),
            audit(3, A, "patch", "secrets/n", written("Secret", 3, data={"pin": "b2xk"}), {"stringData": {"pin": "old"}}),
        ]
    )
    first, second = actions[1:]
    assert first.parameter == second.parameter == "data[pin]"
    assert (first.old, first.new) == (second.new, second.old)


def test_a_namespace_has_one_name_though_the_server_says_that_it_is_in_itself() -> None:
    space = {"kind": "Namespace", "metadata": {"name": "x", "resourceVersion": "1"}, "spec": {"finalizers": ["kubernetes"]}}
    made = {"resource": "namespaces", "name": "x", "apiVersion": "v1"}
    actions, _, _ = read(
        [
            audit(1, A, "create", "namespaces/x", space, code=201, objectRef=made),
            audit(2, B, "delete", "namespaces/x", space, objectRef={**made, "namespace": "x"}),
        ]
    )
    assert [action.resource for action in actions] == ["k8s/cluster/-/namespace/x"] * 2


def test_fields_that_a_shipper_writes_as_null_are_absent() -> None:
    whole = audit(1, A, "patch", "deployments/cart", deployment(3, 1), {"spec": {"replicas": 3}}, code=201)
    nulls = {"impersonatedUser": None, "annotations": None, "user": {"username": A, "uid": None, "extra": None}}
    assert read([{**whole, **nulls}]) == read([whole])
    (action,), _, _ = read([{**whole, "sourceIPs": None}])
    assert action.source == "k8s/cluster/ci/a/kubectl"


@pytest.mark.parametrize(
    ("spelled", "text"),
    [
        ("0.5", "500m"), ("500m", "500m"), ("1000m", "1"), ("1", "1"), ("1.0", "1"), (".5", "500m"), ("0", "0"), ("0m", "0"),
        ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("1536Mi", "1536Mi"), ("128974848", "128974848"), ("1000", "1k"), ("-0.1", "-100m"),
        ("100u", "100u"), ("2E", "2E"), ("2Ei", "2Ei"), ("0.1n", "0.1n"), ("", ""), (".", "."), ("25%", "25%"), ("x", "x"), ("+3", "3"),
    ],
)  # fmt: skip
def test_quantities_as_the_server_spells_them(spelled: str, text: str) -> None:
    assert canonical(spelled) == text


def test_an_amount_that_is_spelled_in_two_ways_is_one() -> None:
    def needs(cpu: object) -> dict[str, Any]:
        resources = {"requests": {"cpu": cpu}, "limits": {"memory": "1Gi"}}
        return {"spec": {"template": {"spec": {"containers": [{"name": "app", "resources": resources}]}}}}

    log = [
        audit(10 * turn, (A, B)[turn % 2], "patch", "deployments/cart", None, needs(("0.5", "500m")[turn % 2]))
        for turn in range(8)  # level Request: the answer, which spells both alike, is not kept
    ]
    actions, _, _ = read(log)
    assert {action.new for action in actions if action.parameter.endswith("cpu")} == {"500m"}
    whole = written("Widget", 1, spec={"limits": {"cpu": 1}})
    (_, grown), _, _ = read(
        [
            audit(1, A, "create", "widgets/n", whole, code=201),
            audit(2, B, "update", "widgets/n", {**whole, "spec": {"limits": {"cpu": "2000m"}}}),
        ]
    )
    assert (grown.old, grown.new) == ("1", "2")


@pytest.mark.parametrize("patch", [{"spec": {"paused": True}}, [{"op": "add", "path": "/spec/paused", "value": True}]])
def test_what_a_patch_does_not_write_is_not_its_writers(patch: Any) -> None:
    """One of several API servers' logs, or one with lines lost: the replicas were changed by a request that is not there."""
    actions, _, counts = read(
        [
            audit(1, A, "create", "deployments/cart", deployment(2, 1), code=201),
            audit(2, A, "patch", "deployments/cart", deployment(5, 3, paused=True), patch),
            audit(3, B, "patch", "deployments/cart", deployment(7, 4, paused=True), {"spec": {"replicas": 7}}),
        ]
    )
    assert told(actions[1:]) == [("ci/a", "spec.paused", None, True), ("ci/b", "spec.replicas", 5, 7)]
    assert counts["changes_by_requests_not_in_the_log"] == 1


def test_an_apply_ends_what_it_leaves_out() -> None:
    applied = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 2}}
    actions, _, _ = read(
        [
            audit(1, A, "create", "deployments/cart", deployment(2, 1, paused=True), code=201),
            audit(2, A, "patch", "deployments/cart", deployment(2, 3), applied),
        ]
    )
    assert told(actions[1:]) == [("ci/a", "spec.paused", True, None)]


def test_what_an_ingress_says_beside_its_backends_is_told_too() -> None:
    def ingress(version: int, name: str) -> dict[str, Any]:
        backend = {"service": {"name": "cart", "port": {"number": 80}}}
        return written("Ingress", version, spec={"ingressClassName": name, "defaultBackend": backend})

    actions, _, _ = read(
        [
            audit(1, A, "create", "ingresses/n", ingress(1, "nginx"), code=201),
            audit(2, B, "patch", "ingresses/n", ingress(2, "alb"), {"spec": {"ingressClassName": "alb"}}),
            audit(3, A, "patch", "ingresses/n", None, {"spec": {"ingressClassName": "nginx"}}),  # says nothing of backends
        ]
    )
    assert told(actions[1:]) == [
        ("ci/b", "spec.ingressClassName", "nginx", "alb"),
        ("ci/a", "spec.ingressClassName", "alb", "nginx"),
    ]


def test_what_has_no_field_that_is_known_is_counted_by_itself() -> None:
    _, _, counts = read([audit(turn, A, "update", "reports/n", written("Report", turn, results=[turn])) for turn in range(1, 4)])
    assert counts["without_knobs"] == 3


@pytest.mark.parametrize(
    ("level", "counted"), [("Metadata", "hidden_by_the_audit_policy"), ("RequestResponse", "cut_off_by_the_server")]
)
def test_bodies_that_the_server_cuts_off_are_not_the_policys_doing(level: str, counted: str) -> None:
    """As v1.36.3 logs them with --audit-log-truncate-enabled: the level stays, the bodies are gone."""
    (action,), _, counts = read([audit(1, A, "update", "deployments/cart", level=level)])
    assert counts[f"values_{counted}"] == 1
    assert action.why is not None and ("truncate" in action.why.text) == (level != "Metadata")


@pytest.mark.parametrize(("label", "kind"), [("pod-template-hash", "deployment"), ("rollouts-pod-template-hash", "rollout")])
def test_a_pod_belongs_to_what_made_its_replica_set(label: str, kind: str) -> None:
    ref = {"kind": "ReplicaSet", "apiVersion": "apps/v1", "name": "cart-5d5cb9cb89", "controller": True}
    pod = {"metadata": {"name": "cart-5d5cb9cb89-bcdfg", "labels": {label: "5d5cb9cb89"}, "ownerReferences": [ref]}}
    assert controller_of(pod) == (kind, "cart")
