"""The scenarios: who wants what of which knob, for how long, and what must be found in it, or that nothing must."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from scripts.kubernetes.agents import Agents, apply, deschedule, edit, keep_memory, manifest
from scripts.kubernetes.cluster import Cluster, Failed, wait_for
from scripts.kubernetes.metrics import Metrics
from scripts.kubernetes.witness import DEPLOYMENTS, PODS, Turn, Witness

NAME = "lab"  # of the cluster


@dataclass(frozen=True)
class Fight:
    """What must be found. `kind` as findings say it; `turns`: when the knob changed hands, seconds since 1970."""

    kind: str
    agents: tuple[str, str]
    resource: str
    knob: str
    turns: list[Turn]


@dataclass(frozen=True)
class Scenario:
    """`play` acts in a cluster and returns the fight that it saw; None where there is none."""

    name: str
    what: str
    minutes: float
    play: Callable[[Cluster, Metrics], Fight | None]


def gitops_against_autoscaler(cluster: Cluster, metrics: Metrics) -> Fight:
    """The manifest says 2, the load 6. In the end the sync stops, after the autoscaler's write."""
    witness = Witness(cluster.api("admin", "witness"), DEPLOYMENTS)
    metrics.demand = 12
    with Agents() as agents:
        agents.every(15, lambda: apply(cluster, manifest("deployment", "cart")))
        agents.rest(5)
        cluster.kubectl("alice", "apply", "-f", "-", stdin=manifest("autoscaler", "cart"))
        agents.rest(20)
        metrics.demand = 60
        agents.rest(110)
        agents.end()
    wait_for("the autoscaler wrote last", lambda: witness.of("cart")[-1]["spec"]["replicas"] == 6)
    time.sleep(25)
    turns = witness.turns("cart", "spec", "replicas")
    expect({turn.value for turn in turns} == {2, 6}, f"replicas other than 2 and 6: {turns}")
    return Fight("thrashing/sustained", ("gitops/sync", "horizontal-pod-autoscaler"), resource("cart"), "spec.replicas", turns)


def editor_against_operator(cluster: Cluster, metrics: Metrics) -> Fight:
    """alice raises a memory limit by `kubectl edit`, the operator lowers it again; she gives up after six times."""
    witness = Witness(cluster.api("admin", "witness"), DEPLOYMENTS)
    cluster.kubectl("operator", "apply", "-f", "-", stdin=manifest("deployment", "cache"))
    operator = cluster.api("operator", "memory-operator")
    with Agents() as agents:
        agents.every(5, lambda: keep_memory(operator, "cache", "256Mi"))
        for pause in (12, 23, 17, 28, 21, 14):
            agents.rest(pause)
            edit(cluster, "cache", "memory: 256Mi", "memory: 512Mi")
        agents.rest(25)
    path = ("spec", "template", "spec", "containers", 0, "resources", "limits", "memory")
    turns = witness.turns("cache", *path)
    expect([turn.value for turn in turns] == ["512Mi", "256Mi"] * 6, f"not six edits and six answers: {turns}")
    knob = "spec.template.spec.containers[app].resources.limits.memory"
    return Fight("thrashing/sustained", ("ops/memory-operator", "user/alice"), resource("cache"), knob, turns)


def descheduler_against_scheduler(cluster: Cluster, metrics: Metrics) -> Fight:
    """The descheduler evicts what is not on the fullest node; the scheduler puts the replacements onto the emptiest."""
    witness = Witness(cluster.api("admin", "witness"), PODS)
    selector = "{kubernetes.io/hostname: node-1}"
    cluster.kubectl("alice", "apply", "-f", "-", stdin=manifest("deployment", "ledger", 3, "750m", selector))
    cluster.kubectl("alice", "apply", "-f", "-", stdin=manifest("deployment", "search", 4, "500m"))
    wait_for("all pods have a node", lambda: len(witness.placements("ledger") | witness.placements("search")) == 7)
    time.sleep(10)
    deschedule(cluster, 20)
    time.sleep(130)
    evicted, placed = witness.evictions("search"), witness.placements("search")
    expect(len(evicted) >= 12 and not witness.evictions("ledger"), f"not an eviction loop of search alone: {evicted}")
    undone = min(placed[pod].time for pod in evicted)  # the first write that the other one turned back
    turns = sorted((turn for turn in [*evicted.values(), *placed.values()] if turn.time >= undone), key=lambda turn: turn.time)
    return Fight("thrashing/identity", ("descheduler", "kube-scheduler"), resource("search"), "spec.nodeName", turns)


def quiet_day(cluster: Cluster, metrics: Metrics) -> None:
    """Nobody fights: an autoscaler follows its load, a rollout, a sync that changes nothing, a scale by hand, a drain."""
    deployments, pods = (Witness(cluster.api("admin", "witness"), path) for path in (DEPLOYMENTS, PODS))
    metrics.demand = 20
    for app in ("cart", "cache", "search"):
        cluster.kubectl("alice", "apply", "-f", "-", stdin=manifest("deployment", app))
    cluster.kubectl("alice", "apply", "-f", "-", stdin=manifest("autoscaler", "cart"))
    store = ("-n", "store")
    acts = {
        20: lambda: cluster.kubectl("alice", *store, "set", "image", "deployment/search", "app=search:2.0"),
        50: lambda: cluster.kubectl("alice", *store, "scale", "deployment/search", "--replicas=3"),
        75: lambda: cluster.kubectl("alice", "drain", "node-3", "--ignore-daemonsets", "--disable-eviction=false"),
        110: lambda: cluster.kubectl("alice", "uncordon", "node-3"),
        125: lambda: cluster.kubectl("alice", *store, "rollout", "restart", "deployment/search"),
    }
    with Agents() as agents:
        agents.every(15, lambda: apply(cluster, manifest("deployment", "cache")))
        for second in range(180):
            metrics.demand = 20 + 0.7 * min(second, 180 - second)
            if second in acts:
                acts[second]()
            agents.rest(1)
    sizes = [turn.value for turn in deployments.turns("cart", "spec", "replicas")]
    expect(len(sizes) >= 4 and sizes[-1] < max(sizes), f"the autoscaler did not go up and down: {sizes}")
    drained = [pod for app in ("cart", "cache", "search") for pod in pods.evictions(app).values()]
    expect({turn.value for turn in drained} == {"node-3"}, f"the drain moved no pod, or another node's: {drained}")


def resource(app: str) -> str:
    """The name of an app's Deployment in findings."""
    return f"k8s/{NAME}/store/deployment/{app}"


def expect(holds: bool, otherwise: str) -> None:
    """Raises Failed where the cluster did something else than the scenario is about: then the run proves nothing."""
    if not holds:
        raise Failed(otherwise)


SCENARIOS = (
    Scenario("gitops", "a GitOps sync against the HorizontalPodAutoscaler over replicas", 3, gitops_against_autoscaler),
    Scenario("editor", "kubectl edit against an operator over a memory limit", 2.5, editor_against_operator),
    Scenario("evictions", "the descheduler against the scheduler over where pods run", 2.5, descheduler_against_scheduler),
    Scenario("quiet", "a rollout, a load that is followed, a drain: nobody fights", 3, quiet_day),
)
