"""Several fights in one log of a real API server: each is found once, by who and over what, in whatever way a change was written."""

from __future__ import annotations

import lzma
from functools import cache
from pathlib import Path

import pytest
from audit_records import read
from test_kubernetes import findings

from models.findings import Finding
from models.instants import SECOND, parse_time

DATA = Path(__file__).parent / "data" / "k8s_audit_bots"
BOTS = ("ci/bot-a", "ci/bot-b")
FIGHTS = {
    ("k8s/cluster/img/deployment/web", "spec.template.spec.containers[app].image"): BOTS,
    ("k8s/cluster/img/poddisruptionbudget/web", "spec.minAvailable"): BOTS,
    ("k8s/cluster/img/configmap/cfg", "data[mode]"): BOTS,
    ("k8s/cluster/img/horizontalpodautoscaler/web", "spec.maxReplicas"): BOTS,
    ("k8s/cluster/-/node/node-1", "spec.unschedulable"): ("ci/nodeop-a", "ci/nodeop-b"),
    ("k8s/cluster/rs/replicaset/web-948d64646", "spec.replicas"): ("ci/lbl", "deployment-controller"),
}


OTHERS = {
    "crowd": {
        ("k8s/cluster/-/node/node-3", "spec.unschedulable"): ("ci/drainer", "ci/healer"),
        ("k8s/cluster/-/node/node-2", "spec.taints"): ("ci/tnt", "ci/untnt"),
        ("k8s/cluster/w/deployment/gone", "exists"): ("ci/cleaner", "ci/sync2"),
        ("k8s/cluster/w/job/mig", "exists"): ("ci/jobmk", "ci/jobrm"),
        ("k8s/cluster/w/deployment/high", "spec.replicas"): ("ci/preempter",),
    },
    "bounds": {
        ("k8s/cluster/w/horizontalpodautoscaler/minfight", "spec.minReplicas"): ("ci/min1", "ci/min2"),
        ("k8s/cluster/w/deployment/undo", "spec.template.spec.containers[app].image"): ("ci/un1", "ci/un2"),
        ("k8s/cluster/w/deployment/imp", "spec.replicas"): ("ci/tenant-x", "user/bob"),
        ("k8s/cluster/w/deployment/unset", "spec.template.spec.hostNetwork"): ("ci/us1", "ci/us2"),
        ("k8s/cluster/w/widget/wi", "exists"): ("ci/fin1", "ci/fin2"),
    },
}
FIRST = {  # when whoever played the fights made the first move of each, UTC
    "node-3": "02:13:18", "node-2": "02:13:18", "mig": "02:13:19",
    "minfight": "02:26:29", "undo": "02:26:26", "imp": "02:26:30", "unset": "02:26:31", "wi": "02:26:30",
}  # fmt: skip


@cache
def lines(name: str) -> list[bytes]:
    return lzma.decompress((DATA / f"{name}.jsonl.xz").read_bytes()).splitlines()


@cache
def found(name: str) -> list[Finding]:
    return findings(lines(name))


def test_each_fight_is_found_once_by_who_and_over_what() -> None:
    fights = {(f.resources[0], f.parameters[0]): f.agents for f in found("bots") if f.pattern == "thrashing"}
    assert fights == FIGHTS
    assert {f.kind for f in found("bots") if f.pattern == "thrashing"} == {"sustained"}


def test_that_two_bots_undo_each_other_everywhere_is_told_too_and_nothing_else() -> None:
    (other,) = [f for f in found("bots") if f.pattern != "thrashing"]
    assert (other.kind, other.agents) == ("opposing_objectives", BOTS)


@pytest.mark.parametrize("name", ["bots", "tenants"])
def test_no_finding_names_a_bystander(name: str) -> None:
    named = {agent for finding in found(name) for agent in finding.agents}
    assert named <= {*BOTS, "ci/nodeop-a", "ci/nodeop-b", "ci/lbl", "deployment-controller", "shop/tenant-a", "shop/tenant-b"}
    assert not any("/quiet/" in resource for finding in found(name) for resource in finding.resources)


def test_what_the_policy_hides_is_counted() -> None:
    _, rejections, counts = read(lines("bots"))
    assert not rejections
    assert counts["values_hidden_by_the_audit_policy"] == 12  # the selector of a Service, written twelve times


def test_two_tenants_of_one_controller_are_two_agents() -> None:
    (finding,) = found("tenants")
    assert f"{finding.pattern}/{finding.kind}" == "thrashing/sustained"
    assert finding.agents == ("shop/tenant-a", "shop/tenant-b")
    assert (finding.resources, finding.parameters) == (("k8s/cluster/shop/deployment/checkout",), ("spec.replicas",))
    assert finding.metrics["reversals"] == 23
    _, _, counts = read(lines("tenants"))
    assert counts["dry_run"] == 32


@pytest.mark.parametrize("name", OTHERS)
def test_fights_that_move_each_others_pods_are_found_each_once_and_nothing_else(name: str) -> None:
    assert {(f.resources[0], f.parameters[0]): f.agents for f in found(name)} == OTHERS[name]
    assert len(found(name)) == len(OTHERS[name])
    for finding in found(name):
        told = FIRST.get(finding.resources[0].rpartition("/")[2])
        if told:
            begun = parse_time(f"2026-11-26T{told}Z")
            assert begun - SECOND <= parse_time(finding.started_at) <= begun + 3 * SECOND, finding.title
