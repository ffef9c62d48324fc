"""Why autoscalers scaled: read from the status that follows, with the load as demand, so that following it is not called restless."""

from __future__ import annotations

import math
from typing import Any

import pytest
from audit_records import HPA, audit, read, samples, scale
from test_kubernetes import findings, lines

from streams.sources.kubernetes.autoscalers import WITHIN

SECONDS = WITHIN / 1e9


def status(at: float, desired: int, metrics: list[dict[str, Any]], name: str = "cart", target: str = "cart") -> dict[str, Any]:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": target}}
    answer = {"kind": "HorizontalPodAutoscaler", "spec": spec, "status": {"desiredReplicas": desired, "currentMetrics": metrics}}
    return audit(at, HPA, "update", f"horizontalpodautoscalers/{name}/status", answer)


def load(mean: str) -> list[dict[str, Any]]:
    return [{"type": "External", "external": {"metric": {"name": "rps"}, "current": {"averageValue": mean}}}]


def scaled(at: float, new: int, ran: int) -> dict[str, Any]:
    return audit(at, HPA, "update", "deployments/cart/scale", scale(new, int(at * 10) + 1, ran), scale(new, int(at * 10), ran))


def test_a_write_cites_what_its_autoscaler_saw_and_the_load_is_demand() -> None:
    log = [scaled(1, 6, 2), status(1.01, 6, load("31500m"))]
    (action,), _, _ = read(log)
    (read_metric,) = action.reads
    assert (read_metric.resource, read_metric.metric, read_metric.value) == (action.resource, "rps", 31.5)
    assert action.why is not None and action.why.text == "HorizontalPodAutoscaler shop/cart"
    (sample,) = samples(log)
    assert (sample.resource, sample.metric, sample.value, sample.role) == (action.resource, "rps in all", 63.0, "demand")
    assert sample.time < action.time


def test_where_all_controllers_have_one_credential_it_is_known_by_its_user_agent() -> None:
    shared = {
        "user": {"username": "system:kube-controller-manager"},
        "userAgent": "kube-controller-manager/v1.34.0 (linux/amd64) kubernetes/66aaf7d/horizontal-pod-autoscaler",
    }
    log = [{**scaled(1, 6, 2), **shared}, {**status(1.01, 6, load("31500m")), **shared}]
    (action,), _, _ = read(log)
    assert action.agent == "horizontal-pod-autoscaler" and action.why is not None
    assert [sample.value for sample in samples(log)] == [63.0]


@pytest.mark.parametrize(
    "other",
    [
        status(0.9, 6, load("31")),  # before
        status(1.1 + SECONDS, 6, load("31")),  # too late
        status(1.01, 5, load("31")),  # wants another number
        status(1.01, 6, load("31"), target="db"),  # of another object
    ],
)
def test_what_is_not_its_own_account_is_not_cited(other: dict[str, Any]) -> None:
    (action,), _, _ = read([scaled(1, 6, 2), other])
    assert action.reads == () and samples([scaled(1, 6, 2), other]) == []


def test_units_and_totals() -> None:
    def seen(current: dict[str, str]) -> list[float]:
        metrics = [{"type": "Object", "object": {"metric": {"name": "m"}, "current": current}}]
        return [sample.value for sample in samples([scaled(1, 6, 2), status(1.01, 6, metrics)])]

    assert seen({"value": "2k"}) == [2000.0]
    assert seen({"averageValue": "1Ki"}) == [2048.0]
    assert seen({"averageValue": "many"}) == seen({}) == []


def test_in_the_fight_the_load_stood_still() -> None:
    seen = samples(lines("a_gitops_hpa"))
    assert len(seen) == 12 and {round(sample.value) for sample in seen} == {62}


def swinging(explained: bool) -> list[dict[str, Any]]:
    """One autoscaler whose load goes up and down like a clock, for twelve turns."""
    log, ran = [], 3
    for turn in range(12):
        new = 12 if turn % 2 == 0 else 3
        at = 60.0 * turn
        log.append(scaled(at, new, ran))
        if explained:
            log.append(status(at + 0.01, new, load(f"{math.floor(10_000 * new / ran)}m")))
        ran = new
    return log


def test_an_autoscaler_that_follows_its_load_is_not_restless() -> None:
    assert [finding.kind for finding in findings(swinging(explained=False))] == ["sustained"]
    assert [finding.kind for finding in findings(swinging(explained=True)) if finding.severity != "info"] == []


def bounded(at: float, user: str, least: int, version: int) -> dict[str, Any]:
    spec = {
        "minReplicas": least,
        "maxReplicas": 9,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"},
    }
    answer = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "cart", "resourceVersion": str(version)}, "spec": spec}
    return audit(at, user, "patch", "horizontalpodautoscalers/cart", answer, {"spec": {"minReplicas": least}})


@pytest.mark.parametrize("moved", [True, False])
def test_an_autoscaler_whose_bounds_are_fought_over_is_no_second_fight(moved: bool) -> None:
    """As recorded: two bots move minReplicas, and each time the autoscaler goes where that lets it."""
    log = []
    for turn in range(12):
        low = turn % 2
        if moved:
            log.append(bounded(16 * turn, ("ci-a", "ci-b")[low], (5, 1)[low], 1000 + 10 * turn))
        log.append(scaled(16 * turn + 5, (5, 2)[low], (2, 5)[low]))
    (finding,) = findings(log)
    fight, hunt = (("user/ci-a", "user/ci-b"), ("spec.minReplicas",)), (("horizontal-pod-autoscaler",), ("spec.replicas",))
    assert (finding.agents, finding.parameters) == (fight if moved else hunt)
