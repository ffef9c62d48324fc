"""What single requests become: dry runs, impersonation, patches of every kind, zeros, refusals, hidden content, bad input."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from audit_records import GITOPS, HPA, audit, deployment, read, scale, told
from msgspec import UNSET

from streams.sources.kinds import KINDS
from streams.sources.kubernetes.agents import Agents
from streams.sources.kubernetes.knobs import hashed, knobs_of, named_by
from streams.sources.kubernetes.naming import controller_by_name, kind_of
from streams.sources.kubernetes.objects import Objects
from streams.sources.kubernetes.record import Record, recognised, records, version_of

CREATED = audit(0, GITOPS, "create", "deployments/cart", deployment(2, 10), code=201)
REPLICAS = "spec.replicas"


def changes(*lines: dict[str, Any]) -> list[tuple[str, str, object, object]]:
    """What follows the creation of a Deployment with two replicas."""
    actions, rejections, _ = read([CREATED, *lines])
    assert not rejections
    return told(actions)[1:]


def test_scales_updates_and_patches_are_one_knob() -> None:
    assert changes(
        audit(1, HPA, "update", "deployments/cart/scale", scale(6, 11, 2), scale(6, 10, 2)),
        audit(2, GITOPS, "patch", "deployments/cart", deployment(2, 12), {"spec": {"replicas": 2}}),
        audit(
            3, "alice", "patch", "deployments/cart", deployment(3, 13), [{"op": "replace", "path": "/spec/replicas", "value": 3}]
        ),
        audit(4, "alice", "update", "deployments/cart", deployment(4, 14), deployment(4, 13)),
    ) == [
        ("horizontal-pod-autoscaler", REPLICAS, 2, 6),
        ("gitops/sync", REPLICAS, 6, 2),
        ("user/alice", REPLICAS, 2, 3),
        ("user/alice", REPLICAS, 3, 4),
    ]


def test_a_scale_to_zero_leaves_the_number_out() -> None:
    assert changes(audit(1, "alice", "patch", "deployments/cart/scale", scale(0, 11, 2), {"spec": {"replicas": 0}})) == [
        ("user/alice", REPLICAS, 2, 0)
    ]


def test_a_dry_run_is_no_override() -> None:
    line = audit(1, HPA, "patch", "deployments/cart", deployment(9, 11), {"spec": {"replicas": 9}})
    assert changes({**line, "requestURI": line["requestURI"] + "?dryRun=All&force=true"}) == []
    assert changes(audit(1, HPA, "delete", "deployments/cart", request={"kind": "DeleteOptions", "dryRun": ["All"]})) == []


def test_whoever_is_impersonated_is_the_agent() -> None:
    tenant = {"impersonatedUser": {"username": "system:serviceaccount:shop:tenant-a"}}
    ((agent, *_),) = changes(audit(1, GITOPS, "patch", "deployments/cart", deployment(9, 11), {"spec": {"replicas": 9}}, **tenant))
    assert agent == "shop/tenant-a"


def test_a_write_that_changes_nothing_tells_of_a_second_owner_once() -> None:
    again = [audit(at, HPA, "patch", "deployments/cart", deployment(2, 10), {"spec": {"replicas": 2}}) for at in (1, 2)]
    assert changes(*again) == [("horizontal-pod-autoscaler", REPLICAS, 2, 2)]
    assert changes(audit(3, GITOPS, "patch", "deployments/cart", deployment(2, 10), {"spec": {"replicas": 2}})) == []


def test_without_bodies_the_write_is_told_and_the_value_is_no_longer_known() -> None:
    found = changes(
        audit(1, HPA, "update", "deployments/cart/scale"),
        audit(2, GITOPS, "patch", "deployments/cart", deployment(5, 12), {"spec": {"replicas": 5}}),
    )
    assert found == [("horizontal-pod-autoscaler", REPLICAS, UNSET, UNSET), ("gitops/sync", REPLICAS, UNSET, 5)]


def test_a_patch_without_an_answer_tells_what_it_says() -> None:
    assert changes(audit(1, HPA, "patch", "deployments/cart", None, {"spec": {"replicas": 7}})) == [
        ("horizontal-pod-autoscaler", REPLICAS, 2, 7)
    ]


def test_the_first_old_value_of_a_scale_is_what_ran() -> None:
    actions, _, _ = read([audit(1, HPA, "update", "deployments/cart/scale", scale(6, 11, 4))])
    assert told(actions) == [("horizontal-pod-autoscaler", REPLICAS, 4, 6)]


@pytest.mark.parametrize(("code", "outcome"), [(409, "rejected"), (422, "rejected"), (403, "rejected"), (500, "failed")])
def test_what_was_refused_changed_nothing(code: int, outcome: str) -> None:
    actions, _, _ = read([CREATED, audit(1, GITOPS, "patch", "deployments/cart/scale", None, {"spec": {"replicas": 7}}, code=code)])
    assert (actions[1].outcome, actions[1].new, actions[1].version) == (outcome, 7, None)


def test_changes_of_one_object_are_in_the_order_of_its_versions() -> None:
    late = audit(1.001, GITOPS, "patch", "deployments/cart", deployment(3, 11), {"spec": {"replicas": 3}})
    early = audit(1, HPA, "update", "deployments/cart/scale", scale(6, 12, 3))
    actions, _, _ = read([CREATED, early, late])
    assert told(actions)[1:] == [("gitops/sync", REPLICAS, 2, 3), ("horizontal-pod-autoscaler", REPLICAS, 3, 6)]
    assert [action.time for action in actions] == sorted(action.time for action in actions)


def test_who_scales_a_replica_set_by_hand_is_not_hidden_by_the_deployment_controller() -> None:
    def replica_set(replicas: int, version: int) -> dict[str, Any]:
        owner = [{"kind": "Deployment", "name": "cart", "controller": True}]
        return {
            "kind": "ReplicaSet",
            "metadata": {"name": "cart-1", "resourceVersion": str(version), "ownerReferences": owner},
            "spec": {"replicas": replicas},
        }

    plan = "system:serviceaccount:kube-system:deployment-controller"
    actions, _, _ = read([
        audit(1, plan, "update", "replicasets/cart-1", replica_set(2, 1)),
        audit(2, "bob", "patch", "replicasets/cart-1/scale", scale(5, 2, 2), {"spec": {"replicas": 5}}),
        audit(3, plan, "update", "replicasets/cart-1", replica_set(2, 3)),
    ])  # fmt: skip
    assert [(a.agent, a.old, a.new, a.rollout) for a in actions] == [
        ("user/bob", 2, 5, ""),
        ("deployment-controller", 5, 2, "shop/deployment/cart"),
    ]


def test_content_is_told_as_a_hash() -> None:
    def secret(word: str) -> dict[str, Any]:
        return {"kind": "Secret", "metadata": {"name": "db"}, "data": {"password": word}}

    actions, _, _ = read([
        audit(0, GITOPS, "create", "secrets/db", secret("aHVudGVyMg=="), code=201),
        audit(1, "alice", "update", "secrets/db", secret("c3dvcmRmaXNo")),
    ])  # fmt: skip
    assert told(actions)[1] == ("user/alice", "data[password]", hashed("aHVudGVyMg=="), hashed("c3dvcmRmaXNo"))
    assert "aHVudGVyMg" not in str(actions) and "c3dvcmRmaXNo" not in str(actions)
    pod = {
        "spec": {
            "containers": [
                {"name": "app", "image": "a:1", "env": [{"name": "TOKEN", "value": "hunter2"}], "args": ["--key=hunter2"]}
            ]
        }
    }
    found = knobs_of("deployments", pod)
    assert found["spec.containers[app].image"] == "a:1" and "hunter2" not in str(found)


def test_sets_and_backends_and_nodes() -> None:
    rules = {
        "rules": [
            {
                "host": "a.example",
                "http": {"paths": [{"path": "/", "backend": {"service": {"name": "cart", "port": {"number": 80}}}}]},
            }
        ]
    }
    assert knobs_of("ingresses", {"spec": rules}) == {"spec.backends": ("a.example/ -> cart:80",)}
    assert knobs_of("services", {"spec": {"selector": {"app": "cart", "track": "blue"}}}) == {
        "spec.selector": ("app=cart", "track=blue")
    }
    node = {"spec": {"unschedulable": True, "taints": [{"key": "spot", "effect": "NoSchedule"}]}}
    assert knobs_of("nodes", node) == {"spec.unschedulable": True, "spec.taints": ("spot=:NoSchedule",)}
    assert named_by("nodes", [{"op": "add", "path": "/spec/unschedulable", "value": True}]) == {"spec.unschedulable"}


def test_names() -> None:
    assert [kind_of(each) for each in ("deployments", "ingresses", "networkpolicies", "statefulsets")] == [
        "deployment",
        "ingress",
        "networkpolicy",
        "statefulset",
    ]
    assert controller_by_name("cart-5756bfb997-6qd4n") == ("deployment", "cart")
    assert controller_by_name("db-0") == ("statefulset", "db")
    (record,) = records(json.dumps(audit(0, "system:node:node-7", "patch", "nodes/node-7")).encode())
    assert (
        isinstance(record, Record)
        and Agents().agent_of(record).name == "kubelet"
        and Agents().agent_of(record).instance == "kubelet/kubectl/node-7"
    )
    assert version_of(record) is None


def test_objects_are_bounded() -> None:
    objects = Objects(most=2)
    for name in ("a", "b", "a", "c"):
        objects.get(name).node = name
    assert [objects.get(name).node for name in ("a", "c", "b")] == ["a", "c", ""]


def test_lists_of_events_and_bad_elements_in_them() -> None:
    good = audit(1, HPA, "update", "deployments/cart/scale", scale(6, 11, 4))
    batch = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [good, {"kind": "Event", "auditID": 5}]}
    assert recognised(json.dumps(batch).encode()) and "k8s-audit" in KINDS
    actions, (rejection,), _ = read([batch])
    assert len(actions) == 1 and (rejection.reason, rejection.path) == ("wrong_type", "items[1].auditID")


def test_the_items_of_a_webhooks_batch_carry_no_kind() -> None:
    """As a real API server (v1.36.3, --audit-webhook-config-file) posts them: only the list says what it is."""
    whole = audit(1, HPA, "update", "deployments/cart/scale", scale(6, 11, 4))
    bare = {key: value for key, value in whole.items() if key not in ("kind", "apiVersion")}
    batch = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": [bare]}
    assert read([batch]) == read([whole])
    for one in (
        bare,
        {"log": json.dumps(bare)},
    ):  # a shipper splits the list, and may wrap each; "audit" is then in its auditID alone
        assert recognised(json.dumps(one).encode())
        assert read([one]) == read([whole])


@pytest.mark.parametrize(
    ("change", "reason", "path"),
    [
        ({"stageTimestamp": "yesterday"}, "bad_time", "stageTimestamp"),
        ({"stageTimestamp": "1066-10-14T09:00:00Z"}, "bad_time", "stageTimestamp"),
        ({"user": "root"}, "wrong_type", "user"),
        ({"auditID": "x" * 300}, "too_long", ""),
        ({"kind": "Pod"}, "missing_field", "kind"),
        ({"auditID": None}, "wrong_type", "auditID"),
    ],
)
def test_bad_fields_are_refused_with_their_place(change: dict[str, Any], reason: str, path: str) -> None:
    _, (rejection,), _ = read([{**audit(1, HPA, "update", "deployments/cart/scale", scale(6, 11, 4)), **change}])
    assert (rejection.reason, rejection.path) == (reason, path)


def test_no_bytes_make_it_raise() -> None:
    rng = random.Random(11)
    good = json.dumps(
        audit(
            1,
            HPA,
            "patch",
            "deployments/cart",
            deployment(5, 12, template={"spec": {"containers": [{"name": "a"}]}}),
            {"spec": {"replicas": 5}},
        )
    ).encode()
    swaps = [b"null", b"[]", b"{}", b"7", b'"x"', b"[" * 2000, b"\xff", b"1e999", b"true"]
    refused = 0
    for _ in range(3000):
        line = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(line))
            line[at : at + rng.randint(0, 12)] = rng.choice(swaps)
        refused += len(read([bytes(line)])[1])
    assert refused > 1000


@pytest.mark.parametrize("field", ["requestObject", "responseObject"])
@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "x",
        [],
        {},
        {"spec": []},
        {"spec": {"replicas": [{"a": 1}]}},
        {"metadata": 3},
        {"metadata": {"labels": 1}},
        [1],
        [{"path": 3}],
    ],
)
@pytest.mark.parametrize(
    "target",
    [
        "deployments/cart",
        "deployments/cart/scale",
        "pods/cart-0",
        "pods/cart-0/eviction",
        "pods/cart-0/binding",
        "ingresses/a",
        "configmaps/a",
    ],
)
@pytest.mark.parametrize("verb", ["create", "update", "patch", "delete"])
def test_no_body_makes_it_raise(field: str, value: Any, target: str, verb: str) -> None:
    actions, refused, passed = read([audit(1, HPA, verb, target, **{field: value})])
    assert len(actions) + len(refused) + passed.total() > 0, "a line became nothing, and no counter says so"
