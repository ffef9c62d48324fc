"""The simulated benchmark: replays repeat, labels are right on worlds whose answer is known, records pass the decoder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.world.draw import PRIMARY, REPLICAS, SHARE, Episode, Knob, Loop, Scenario, Task, draw
from benchmarks.world.emit import FULL, LATE_S, Axes, findings, records, seconds
from benchmarks.world.labels import Labels, label
from benchmarks.world.replay import Intervention, run
from benchmarks.world.score import overriding, thrashing
from benchmarks.world.thrash import Judge
from models.configuration import Analysis
from models.decode import decode_event
from models.events import Action
from models.instants import SECOND

ROOT = Path(__file__).parent.parent
BOTH = frozenset({"hpa", "gitops"})


def loop(kind: str, name: str, period: float, **numbers: float) -> Loop:
    """An agent without noise or delay."""
    return Loop(kind, name, period, 1.0, 0.0, 1, 0.0, 0.5, False, tuple(sorted(numbers.items())))


def autoscaler(**numbers: float) -> Loop:
    return loop("hpa", "hpa", 15.0, **{"target": 0.6, "tolerance": 0.1, "stabilise": 0.0, "unready": 0.0, "pods": 4.0, **numbers})


def world(*loops: Loop, **changed: object) -> Scenario:
    """600 requests per second on 100 replicas of 10 each, everything else ample and calm; as it stands, nobody needs to act."""
    calm = Scenario(
        seed=1, demand=600.0, swing=0.0, swing_period=3600.0, swing_phase=0.0, jitter=0.0, per_replica=10.0, replicas=100,
        warm_up=5.0, retry=0.0, node_capacity=600.0, node_warm_up=0.0, zone_capacity=(3000.0, 3000.0), cold_cache=(30.0, 0.9),
        consumers=(0.9, 0.9), weights=False, episodes=(), loops=loops, tasks=(), commits=((0, 1.0),),
    )  # fmt: skip
    return msgspec.structs.replace(calm, **changed)


def status(labels: Labels, knob: Knob) -> list[str]:
    return [known.status for known in labels.thrash if known.knobs[0] == knob]


# replay


@pytest.mark.parametrize("seed", range(6))
def test_a_replay_without_intervention_is_identical(seed: int) -> None:
    scenario = draw(seed)
    first = run(scenario, 3)
    assert run(scenario, 3) == first
    assert run(draw(seed), 3, Intervention(frozen=frozenset({"nobody"}))) == first


def test_another_noise_is_another_run() -> None:
    scenario = draw(0)
    assert run(scenario, 0).metrics["demand"] != run(scenario, 1).metrics["demand"]


def test_what_comes_from_outside_does_not_depend_on_what_agents_do() -> None:
    scenario = draw(0)
    nobody = Intervention(frozen=frozenset(loop.name for loop in scenario.loops))
    silent = run(scenario, 0, nobody)
    assert not silent.writes
    assert silent.metrics["demand"] == run(scenario, 0).metrics["demand"]


def test_a_replay_is_the_same_in_another_process() -> None:
    code = "from benchmarks.world.replay import *; from benchmarks.world.draw import *; r = run(draw(1), 0); print(r.lost, len(r.writes))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    record = run(draw(1), 0)
    assert ran.stdout.split() == [str(record.lost), str(len(record.writes))]


def test_a_frozen_agent_writes_nothing_and_only_within_its_window() -> None:
    scenario = world(autoscaler(), loop("gitops", "gitops", 60.0), commits=((0, 0.7),))
    factual = run(scenario, 0)
    frozen = run(scenario, 0, Intervention(frozen=frozenset({"hpa"}), between=(0.0, 3600.0)))
    assert any(write.agent == "hpa" and write.t < 3600 for write in factual.writes)
    assert {write.agent for write in frozen.writes if write.t < 3600} == {"gitops"}
    assert any(write.agent == "hpa" for write in frozen.writes if write.t > 3600)


def test_a_write_that_is_left_out_was_there_before() -> None:
    scenario = world(autoscaler(), loop("gitops", "gitops", 60.0), commits=((0, 0.7),))
    first = run(scenario, 0).writes[0]
    assert first.name not in {write.name for write in run(scenario, 0, Intervention(left_out=frozenset({first.name}))).writes}


# labels


def test_a_fight_of_two_is_positive_and_each_is_needed() -> None:
    scenario = world(
        autoscaler(), loop("gitops", "gitops", 60.0), commits=((0, 0.7),)
    )  # 70 replicas run at 86 %, the target is 60 %
    labels = label(scenario)
    known = next(known for known in labels.thrash if known.knobs == (REPLICAS,))
    assert (known.status, known.kind, known.agents, known.needed) == ("positive", "sustained", BOTH, BOTH)
    assert thrashing(labels, findings(records(scenario, labels.record))).missed == ()


def test_a_calm_system_has_no_labels_and_no_findings() -> None:
    scenario = world(autoscaler(), loop("gitops", "gitops", 60.0))
    labels = label(scenario)
    assert {known.status for known in labels.thrash} == {"negative"} and not labels.overrides
    assert findings(records(scenario, labels.record)) == []


def test_an_autoscaler_that_follows_demand_is_exogenous() -> None:
    scenario = world(autoscaler(), swing=0.5, swing_period=1200.0)
    assert status(label(scenario), REPLICAS) == ["exogenous"]


def test_an_autoscaler_that_hunts_by_its_own_delay_is_positive() -> None:
    scenario = world(
        msgspec.structs.replace(autoscaler(pods=1000.0), lag=60.0),
        episodes=(Episode("demand", 500, 200, 1.6),),  # one surge sets it going
        warm_up=90.0,
    )
    assert status(label(scenario), REPLICAS)[0] == "positive"


def test_one_that_counts_cold_replicas_as_idle_does_not_overshoot() -> None:
    surge = world(autoscaler(unready=1.0, pods=1000.0), episodes=(Episode("demand", 500, 6000, 1.6),), warm_up=90.0)
    naive = world(autoscaler(unready=0.0, pods=1000.0), episodes=surge.episodes, warm_up=90.0)
    most = [max(float(write.new) for write in run(scenario, 0).writes) for scenario in (surge, naive)]  # type: ignore[arg-type]
    assert most[0] < 0.7 * most[1]


def test_an_autoscaler_that_chases_noise_is_called_so() -> None:
    scenario = world(msgspec.structs.replace(autoscaler(), noise=0.2))
    known = next(known for known in label(scenario).thrash if known.knobs == (REPLICAS,))
    assert (known.status, known.kind) == ("positive", "noise_chasing")


def maintenance(**changed: object) -> Scenario:
    """The operations agent takes replicas to 60 % for ten minutes, and the autoscaler sees them busy."""
    task = Task(REPLICAS, 1000, 600, 0.6, (), False, True, True)
    return world(autoscaler(), loop("ops", "ops-agent", 5.0), tasks=(msgspec.structs.replace(task, **changed),))


def test_a_window_undone_because_of_its_own_effect() -> None:
    labels = label(maintenance())
    assert [(o.holder, o.agent, o.kind, o.until) for o in labels.overrides] == [
        ("ops-agent", "hpa", "intent_read_as_fault", 1600.0)
    ]
    score = overriding(labels, findings(records(maintenance(), labels.record)))
    assert len(score.matches) == 1 and not score.missed and not score.false


def test_an_unannounced_effect_makes_it_a_plain_override() -> None:
    assert [o.kind for o in label(maintenance(announced=False)).overrides] == ["override"]


def test_handing_over_is_no_override() -> None:
    scenario = maintenance(handoff=("hpa",))
    labels = label(scenario)
    assert any(write.agent == "hpa" and 1000 < write.t < 1600 for write in labels.record.writes)
    assert labels.overrides == () and overriding(labels, findings(records(scenario, labels.record))).false == ()


def test_who_respects_windows_undoes_none() -> None:
    scenario = maintenance()
    hpa, ops = scenario.loops
    assert label(msgspec.structs.replace(scenario, loops=(msgspec.structs.replace(hpa, respects=True), ops))).overrides == ()


# events


def test_every_record_passes_the_decoder_and_says_what_was_written() -> None:
    scenario = draw(0)
    record = run(scenario, 0)
    decoded = [decode_event(raw) for _, raw in records(scenario, record)]
    actions = [event for event in decoded if isinstance(event, Action)]
    actions.sort(key=lambda event: event.time)
    writes = sorted(record.writes, key=lambda write: write.t)
    assert [(e.agent, e.parameter, e.version) for e in actions] == [(w.agent, w.knob[1], w.version) for w in writes]
    assert max(abs(seconds(e.time) - w.t) for e, w in zip(actions, writes, strict=True)) < 0.002
    assert any(event.intent is not None for event in actions) and all(event.reads for event in actions)


def test_instrumentation_takes_fields_away_and_nothing_else() -> None:
    scenario = draw(0)
    record = run(scenario, 0)

    def sent(axes: Axes) -> list[dict[str, object]]:
        return [event for event in (json.loads(raw) for _, raw in records(scenario, record, axes)) if "action" in event["type"]]

    full, bare = sent(FULL), sent(Axes(old=0.0, reads=0.0, causes=0.0))
    assert len(full) == len(bare) == len(record.writes)
    assert not any("causationid" in event or {"old", "reads"} & event["data"].keys() for event in bare)  # type: ignore[attr-defined]
    half = sent(Axes(causes=0.5))
    assert 0.3 < sum("causationid" in event for event in half) / sum("causationid" in event for event in full) < 0.7


def test_duplicates_and_late_records_change_no_finding() -> None:
    scenario = world(autoscaler(), loop("gitops", "gitops", 60.0), commits=((0, 0.7),))
    record = run(scenario, 0)
    assert Analysis().time.lateness >= LATE_S * SECOND
    plain = findings(records(scenario, record))
    disturbed = findings(records(scenario, record, Axes(duplicates=0.1, late=0.3)))
    assert plain and disturbed == plain


def test_the_loop_cut_open_keeps_the_physics_where_it_was() -> None:
    scenario = world(autoscaler(), loop("gitops", "gitops", 60.0), commits=((0, 0.7),))
    cut = run(scenario, 0, Intervention(held={REPLICAS: 100.0}))
    assert {round(value, 6) for value in cut.metrics["utilisation"][10:]} == {0.6}
    assert {write.old for write in cut.writes} == {100.0}


def test_a_zone_that_fails_by_itself_is_no_fight() -> None:
    faults = tuple(Episode("zone-a", 600 + 900 * i, 300, 0.15) for i in range(6))
    failover = loop("failover", "failover", 10.0, bad=60.0, fall=2.0, hold=30.0)
    failback = loop("failback", "failback", 15.0, good=60.0, rise=2.0, hold=30.0)
    labels = label(world(failover, failback, zone_capacity=(2000.0, 3000.0), episodes=faults))
    assert status(labels, PRIMARY) == ["exogenous"]


def test_a_router_that_overshoots_is_positive() -> None:
    router = loop("router", "latency-router", 10.0, gain=0.9, slack=2.0, least=0.02)
    router = msgspec.structs.replace(router, lag=40.0)
    scenario = world(router, consumers=(0.45, 0.6), episodes=(Episode("consumer-a", 600, 200, 0.5),))
    assert status(label(scenario), SHARE)[0] == "positive"


def test_the_judge_counts_its_replays() -> None:
    scenario = world(autoscaler())
    judge = Judge(scenario, 0, run(scenario, 0))
    judge.replay(Intervention())
    assert judge.replays == 1


def test_the_program_prints_its_tables() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.world", "--seeds", "2", "--wrong", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr
    for table in (
        "Closed-loop world (simulated)",
        "Thrashing by knob (simulated)",
        "By instrumentation (simulated)",
        "per knob and day",
    ):
        assert table in ran.stdout
