"""Kubernetes audit logs: recordings of real controllers, whose fights are found by name, knob and time, and whose quiet days are silent."""

from __future__ import annotations

import json
import lzma
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from audit_records import GITOPS, audit, deployment, read, samples
from test_cli import interplay

from models.analyzer import Analyzer
from models.configuration import Analysis
from models.findings import Finding, decode_finding
from models.instants import SECOND, parse_time
from streams.intake import Intake
from streams.sources.in_order import HOLD

RECORDINGS = Path(__file__).parent / "data" / "k8s_audit"
FALCO = Path(__file__).parent / "data" / "k8s_audit_falco"
CART = "k8s/cluster/shop/deployment/checkout"
QUIET = ("b1_two_hpas_ambiguous", "d_hpa_diurnal", "e_rollout")

# recording -> pattern/kind, agents, resource, knob, first contested write, last undo: from what the controllers' truth says
FIGHTS = {
    "a_gitops_hpa": (
        "thrashing/sustained",
        ("gitops/gitops-sync", "horizontal-pod-autoscaler"),
        CART,
        "spec.replicas",
        "2026-11-24T21:47:48.373077Z",
        "2026-11-24T21:50:49.321340Z",
    ),
    "f_maintenance": (
        "thrashing/sustained",
        ("ops/remediator", "user/alice"),
        CART,
        "spec.replicas",
        "2026-11-24T21:58:09.300618Z",
        "2026-11-24T22:01:29.289852Z",
    ),
    "g_descheduler": (
        "thrashing/identity",
        ("descheduler", "kube-scheduler"),
        CART,
        "spec.nodeName",
        "2026-11-24T21:52:20.568111Z",
        "2026-11-24T21:56:20.883094Z",
    ),
}


def lines(name: str) -> list[bytes]:
    return lzma.decompress((RECORDINGS / f"{name}.jsonl.xz").read_bytes()).splitlines()


def findings(log: Sequence[Any]) -> list[Finding]:
    actions, rejections, _ = read(log)
    assert not rejections
    events = sorted([*actions, *samples(log)], key=lambda event: event.time)
    intake, found = Intake(Analyzer(Analysis())), {}
    for event in events:
        found.update({change.finding.finding_id: change.finding for change in intake.feed(event)})
    found.update({change.finding.finding_id: change.finding for change in intake.finish()})
    return list(found.values())


@pytest.mark.parametrize("name", FIGHTS)
def test_the_fight_is_found_by_name_knob_and_time_and_no_second_one(name: str) -> None:
    kind, agents, resource, knob, first, last = FIGHTS[name]
    (finding,) = findings(lines(name))
    assert f"{finding.pattern}/{finding.kind}" == kind
    assert finding.agents == agents
    assert resource in finding.resources and finding.parameters == (knob,)
    assert abs(parse_time(finding.started_at) - parse_time(first)) < SECOND
    assert abs(parse_time(finding.updated_at) - parse_time(last)) < SECOND


def test_every_change_of_the_contested_knob_is_read_with_its_old_value() -> None:
    actions, _, _ = read(lines("a_gitops_hpa"))
    turns = [action for action in actions if action.parameter == "spec.replicas" and action.resource == CART]
    assert [(action.old, action.new) for action in turns] == [(2, 6), *[(6, 2), (2, 6)] * 11]
    versions = [action.version for action in turns]
    assert versions[:3] == [457, 506, 552] and versions == sorted(versions, key=lambda version: int(str(version)))


def test_a_refused_write_is_rejected_and_changes_nothing() -> None:
    actions, _, _ = read(lines("f_maintenance"))
    refused = [action for action in actions if action.outcome == "rejected"]
    assert [(action.agent, action.parameter) for action in refused] == [("ops/remediator", "spec.replicas")] * 4


def test_evictions_and_placements_carry_the_workload() -> None:
    actions, _, _ = read(lines("g_descheduler"))
    pods = [action for action in actions if "/pod/" in action.resource]
    assert {action.owner for action in pods} == {CART}
    assert [action.verb for action in pods].count("evict") == 36 == [action.verb for action in pods].count("bind")
    assert {action.new for action in pods if action.verb == "bind"} == {"node-2", "node-3"}
    reasons = {action.why.text for action in pods if action.why}
    assert reasons == {"triggered by pack/HighNodeUtilization"}


@pytest.mark.parametrize("name", QUIET)
def test_quiet_recordings_are_silent(name: str) -> None:
    actions, rejections, _ = read(lines(name))
    assert actions and not rejections
    assert findings(lines(name)) == []


@pytest.mark.parametrize("name", [*FIGHTS, *QUIET])
def test_the_order_of_lines_within_the_hold_does_not_matter(name: str) -> None:
    log = lines(name)
    ordered = [(float(parse_time(json.loads(line)["stageTimestamp"])), line) for line in log]
    rng = random.Random(3)
    shuffled = [line for _, line in sorted(((time + rng.uniform(0, HOLD / 2), line) for time, line in ordered))]
    assert shuffled != log
    assert read(shuffled)[0] == read(log)[0]


@pytest.mark.parametrize("name", [*FIGHTS, *QUIET])
def test_logs_of_several_servers_may_come_one_after_the_other(name: str) -> None:
    log = lines(name)
    rng = random.Random(5)
    servers: list[list[bytes]] = [[], [], []]
    for line in log:
        servers[rng.randrange(3)].append(line)
    assert read([*servers[2], *servers[0], *servers[1]])[0] == read(log)[0]


@pytest.mark.parametrize("name", [*FIGHTS, *QUIET])
def test_what_waits_is_bounded_and_makes_no_difference(name: str) -> None:
    actions, rejections, counts = read(lines(name), waiting=5)
    assert (actions, rejections) == read(lines(name))[:2] and counts["late"] == 0


def test_what_comes_later_than_that_is_counted_and_left_out() -> None:
    log = lines("a_gitops_hpa")
    first = next(line for line in log if b'"scale"' in line and b'"verb":"update"' in line and b"ResponseComplete" in line)
    actions, _, counts = read([*(line for line in log if line != first), first], waiting=5)
    lost = f"{json.loads(first)['auditID']}#spec.replicas"
    assert lost in {action.id for action in read(log)[0]}
    assert counts["late"] == 1 and lost not in {action.id for action in actions}


def test_noise_is_counted_not_read() -> None:
    log = lines("a_gitops_hpa")
    _, _, counts = read(log)
    assert sum(counts[why] for why in ("changes", "reads", "earlier_stages", "noise", "dry_run", "repeated")) == len(log)
    assert counts["changes"] < len(log) / 10


def test_a_log_that_comes_twice_counts_once() -> None:
    log = lines("e_rollout")
    twice = [line for line in log for _ in range(2)]
    assert read(twice)[0] == read(log)[0]


def test_analyze_recognises_the_log_and_names_the_cluster(tmp_path: Path) -> None:
    file = RECORDINGS / "f_maintenance.jsonl.xz"
    done = interplay("analyze", str(file), "--cluster", "prod", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0
    finding = decode_finding(done.stdout.splitlines()[0].encode())
    assert finding.title == "ops/remediator and user/alice fight over k8s/prod/shop/deployment/checkout spec.replicas"
    assert "k8s-audit: 82 requests that may change something; passed over: derived 36" in " ".join(done.stderr.split())
    insisted = interplay("analyze", str(file), "--cluster", "prod", "--format", "json", "--source", "k8s-audit", cwd=tmp_path)
    assert insisted.stdout == done.stdout


def test_analyze_refuses_what_is_no_audit_log_where_one_is_insisted_on(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text('{"apiVersion": "apps/v1", "kind": "Deployment"}\nno json\n')
    done = interplay("analyze", "x.log", "--source", "k8s-audit", cwd=tmp_path)
    assert done.returncode == 2
    assert "x.log:1: unknown_type (apiVersion): 'apps/v1' is not audit.k8s.io/v1" in done.stderr
    assert "x.log:2: not_json" in done.stderr
    assert interplay("analyze", "x.log", "--cluster", "a/b", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize("file", sorted(FALCO.glob("*.json")), ids=lambda file: file.stem)
def test_what_falco_tests_with_is_read_or_refused(file: Path) -> None:
    actions, rejections, counts = read(line for line in file.read_bytes().splitlines() if line.strip())
    if file.stem == "fal_01_003":  # no event at all
        assert [rejection.reason for rejection in rejections] == ["wrong_type"]
        return
    assert not rejections
    assert actions or counts["derived"] + counts["unchanged"] + counts["noise"] + counts["reads"] + counts["earlier_stages"]
    if file.stem.startswith("create_configmap"):
        assert [action.verb for action in actions] == ["create"] * len(actions) != []
        assert "password" not in str(actions).lower() and "secret_access_key" not in str(actions)


def test_validate_says_line_by_line_what_became_of_a_log(tmp_path: Path) -> None:
    log = [
        audit(0, GITOPS, "create", "deployments/cart", deployment(2, 10), code=201),
        audit(1, GITOPS, "get", "deployments/cart"),
        audit(2, GITOPS, "update", "deployments/cart", deployment(4, 11)),
        audit(3, GITOPS, "update", "deployments/cart", "no object", stageTimestamp="soon"),
    ]
    (tmp_path / "audit.log").write_text("".join(json.dumps(line) + "\n" for line in log))
    done = interplay("validate", "--lines", "audit.log", "--cluster", "prod", cwd=tmp_path)
    told = done.stdout.splitlines()
    assert done.returncode == 1
    assert "audit.log:2: taken for reads" in told
    assert any(line.startswith("audit.log:4: bad_time (stageTimestamp)") for line in told)
    assert any(line.startswith("audit.log:3: becomes ") and "gitops/sync" in line and "2 -> 4" in line for line in told), told
    assert "2 good, 1 bad." in told and "k8s-audit: 3 requests that may change something; passed over: reads 1." in told


def test_a_quiet_log_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "quiet.log").write_text(json.dumps(audit(1, GITOPS, "get", "deployments/cart")) + "\n")
    done = interplay("analyze", "quiet.log", "--fail-on", "any", cwd=tmp_path)
    assert done.returncode == 0
    assert "none of them changes anything: there is nothing to find. k8s-audit: 0 requests" in " ".join(done.stdout.split())
    (tmp_path / "bad.log").write_text('{"kind": "Event", "apiVersion": "audit.k8s.io/v1"}\n')
    assert interplay("analyze", "bad.log", cwd=tmp_path).returncode == 2
