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


def node(at: float, name: str, version: int, cordoned: bool) -> dict[str, Any]:
    """A cordon or its end: the field is there, or is not."""
    answer = {
        "kind": "Node", "metadata": {"name": name, "resourceVersion": str(version)},
        "spec": {"podCIDR": "10.0.0.0/24", **({"unschedulable": True} if cordoned else {})},
    }  # fmt: skip
    request = {"spec": {"unschedulable": True if cordoned else None}}
    event = audit(
        at, "ops-bot" if cordoned else "system:serviceaccount:kube-system:upgrader", "patch", f"nodes/{name}", answer, request
    )
    return {**event, "objectRef": {"resource": "nodes", "name": name}}


def test_cordoning_one_node_after_the_other_makes_and_unmakes_no_nodes() -> None:
    log = [node(turn / 10, f"n{turn}", turn + 1, False) for turn in range(8)]  # from here on it is known what each was
    for turn in range(1, 8):
        log += [node(60 * turn, f"n{turn}", 2 * turn + 9, True), node(60 * turn + 15, f"n{turn}", 2 * turn + 10, False)]
    assert not findings(log)


def test_pods_that_the_scheduler_takes_away_for_a_higher_priority_fight_with_nobody() -> None:
    log = []
    for turn in range(8):
        name = f"pods/low-5756bfb997-bcdf{turn + 2}"
        log.append(audit(30 * turn, SCHEDULER, "create", f"{name}/binding", None, {"target": {"name": "n1"}}, code=201))
        log.append(audit(30 * turn + 20, SCHEDULER, "delete", name, {"kind": "Pod", "metadata": {"name": name[5:]}}))
    assert not findings(log)


def test_a_pod_of_a_stateful_set_that_is_drained_again_and_again_fights_with_nobody() -> None:
    """As recorded: its own controller ends it between two drains (a taint), and it is placed twice where it was."""
    controller = "system:serviceaccount:kube-system:statefulset-controller"
    log = [node(0, "n1", 1, True), node(1, "n2", 2, True)]
    for turn in range(8):
        at = 10 + 30 * turn

        def placed(after: float, where: str, at: float = at) -> dict[str, Any]:
            return audit(at + after, SCHEDULER, "create", "pods/db-0/binding", None, {"target": {"name": where}}, code=201)

        log += [
            placed(0, "n1"),
            audit(at + 5, "ops-bot", "create", "pods/db-0/eviction", None, {"kind": "Eviction"}, code=201),
            audit(at + 7, "ops-bot", "create", "pods/db-1/eviction", None, {"kind": "Eviction"}, code=201),
            placed(8, "n2"),
            audit(at + 9, controller, "delete", "pods/db-0"),
            placed(10, "n2"),
            audit(at + 11, controller, "delete", "pods/db-0"),
            placed(12, "n1"),
            audit(at + 20, "ops-bot", "create", "pods/db-0/eviction", None, {"kind": "Eviction"}, code=201),
        ]
    assert not findings(log)


@pytest.mark.parametrize(("phase", "found"), [("Succeeded", []), ("Failed", []), ("Running", ["identity"])])
def test_who_clears_away_pods_that_have_run_fights_with_nobody(phase: str, found: list[str]) -> None:
    log = []
    for turn in range(8):
        name = f"etl-bcdf{turn + 2}"
        pod = {"kind": "Pod", "metadata": {"name": name}, "spec": {"nodeName": "n1"}, "status": {"phase": phase}}
        log.append(audit(60 * turn, SCHEDULER, "create", f"pods/{name}/binding", None, {"target": {"name": "n1"}}, code=201))
        log.append(audit(60 * turn + 40, "system:serviceaccount:etl:cleanup", "delete", f"pods/{name}", pod))
    assert [finding.kind for finding in findings(log)] == found


@pytest.mark.parametrize("ender", ["system:serviceaccount:kube-system:karpenter", "system:cloud-controller-manager"])
def test_a_kubelet_that_registers_its_node_fights_with_nobody(ender: str) -> None:
    """Nodes that come and go with the load are made by whoever asks the cloud for them, not by their kubelets."""
    log = []
    for turn in range(8):
        name = f"spot-{turn}"
        answer = {"kind": "Node", "metadata": {"name": name, "resourceVersion": str(turn + 1)}, "spec": {}}
        about = {"objectRef": {"resource": "nodes", "name": name}}
        log.append({**audit(300 * turn, f"system:node:{name}", "create", f"nodes/{name}", answer, code=201), **about})
        log.append({**audit(300 * turn + 250, ender, "delete", f"nodes/{name}", answer), **about})
    assert not findings(log)
