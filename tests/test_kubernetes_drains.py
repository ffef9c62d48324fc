"""Pods that leave a cordoned node: a rolling drain moves every pod many times and is no fight; without a cordon it is one."""

from __future__ import annotations

from typing import Any

import pytest
from audit_records import audit
from test_kubernetes import findings

SCHEDULER = "system:kube-scheduler"


def rolling(cordoned: bool) -> list[dict[str, Any]]:
    """Five nodes are emptied one after the other, and each time three pods land on the next."""
    log: list[dict[str, Any]] = []

    def pod(node: int, number: int) -> str:
        return f"pods/cart-5756bfb997-bcd{node + 4}{number + 4}"

    def placed(at: float, node: int, number: int) -> dict[str, Any]:
        return audit(at, SCHEDULER, "create", f"{pod(node, number)}/binding", None, {"target": {"name": f"n{node}"}}, code=201)

    log += [placed(number, 0, number) for number in range(3)]
    for node in range(5):
        start = 20.0 + 80 * node
        if cordoned:
            answer = {
                "kind": "Node",
                "metadata": {"name": f"n{node}", "resourceVersion": str(node + 1)},
                "spec": {"unschedulable": True},
            }
            cordon = audit(start, "ops-bot", "patch", f"nodes/n{node}", answer, {"spec": {"unschedulable": True}})
            log.append({**cordon, "objectRef": {"resource": "nodes", "name": f"n{node}"}})
        for number in range(3):
            at = start + 20 * (number + 1)
            log.append(audit(at, "ops-bot", "create", f"{pod(node, number)}/eviction", None, {"kind": "Eviction"}, code=201))
            log.append(placed(at + 2, node + 1, number))
    return log


@pytest.mark.parametrize(("cordoned", "found"), [(True, []), (False, ["identity"])])
def test_a_rolling_drain_is_no_fight(cordoned: bool, found: list[str]) -> None:
    assert [finding.kind for finding in findings(rolling(cordoned))] == found


def test_a_single_pod_that_is_made_again_is_a_fight_with_who_ends_it() -> None:
    maker, ender = "system:serviceaccount:ci:maker", "system:serviceaccount:ci:ender"
    pod = {"kind": "Pod", "metadata": {"name": "lone", "namespace": "shop"}, "spec": {"containers": [{"name": "a"}]}}
    log = []
    for turn in range(6):
        log += [
            audit(30 * turn, maker, "create", "pods/lone", pod, pod, code=201),
            audit(30 * turn + 1, SCHEDULER, "create", "pods/lone/binding", None, {"target": {"name": "n1"}}, code=201),
            audit(30 * turn + 15, ender, "delete", "pods/lone", {**pod, "spec": {"nodeName": "n1"}}),
            audit(30 * turn + 17, "system:node:n1", "delete", "pods/lone", pod),  # the kubelet, when it has stopped
        ]
    (finding,) = findings(log)
    assert (finding.agents, finding.parameters) == (("ci/ender", "ci/maker"), ("exists",))


def test_who_makes_single_pods_and_ends_them_fights_with_nobody() -> None:
    runner = "system:serviceaccount:ci:gitlab-runner"
    log = []
    for turn in range(12):
        name = f"pods/runner-{turn % 2}"
        log += [
            audit(20 * turn, runner, "create", name, code=201),
            audit(20 * turn + 1, SCHEDULER, "create", f"{name}/binding", None, {"target": {"name": "n1"}}, code=201),
            audit(20 * turn + 15, runner, "delete", name),
        ]
    assert not findings(log)
