"""The demo's system and agents: a seed fixes a run, the incidents come from the agents and from no script, the analyzer sees them."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from interplay_sdk import JsonlSink, Recorder

from models.analyzer import Analyzer
from models.configuration import Analysis
from models.decode import Rejection, decode_event
from models.events import Action, AnyEvent, Sample
from models.findings import Finding
from streams.demo.agents import LOOPS
from streams.demo.compressed import compress
from streams.demo.incident import Clock, Incident, Monitor, Shift
from streams.demo.world import QUEUE_A, QUEUE_B, SHARE_A, Plant

SEEDS = range(20)
LENGTH = 900  # simulated seconds
FACTOR = 16.0
START = 1_800_000_000 * 10**9
EVERYBODY = tuple(loop.name for loop in LOOPS)


class Run:
    """One run without a wall clock: what the world did, and the events as the SDK wrote them."""

    def __init__(self, seed: int, frozen: Collection[str] = (), plant: Plant | None = None) -> None:
        with TemporaryDirectory() as directory:
            path = Path(directory) / "events.jsonl"
            self.shifts: list[tuple[float, Shift]] = []
            self.shares: list[float] = []
            self._live(path, seed, frozen, plant)
            self.raw = path.read_bytes().splitlines()

    def _live(self, path: Path, seed: int, frozen: Collection[str], plant: Plant | None) -> None:
        incident: Incident | None = None
        sink = JsonlSink(path)
        recorders: list[Recorder] = []

        def recorder(**who: str) -> Recorder:
            recorders.append(Recorder(sink=sink, clock=lambda: incident.stamp() if incident else START, **who))
            return recorders[-1]

        monitor = Monitor(recorder(agent="monitor", source="monitor/1"), recorder(agent="monitor", source="monitor/1"))
        incident = Incident(seed, Clock(START, FACTOR), recorder, monitor, frozen=frozen, plant=plant)
        monitor.start()
        for _ in range(LENGTH):
            before = incident.world.knob(SHARE_A).version
            self.shifts += [(incident.world.now, what) for what in incident.advance() if isinstance(what, Shift)]
            if incident.world.knob(SHARE_A).version > before:
                self.shares.append(incident.world.knob(SHARE_A).value)
        for each in recorders:
            each.close(1.0)
            assert each.dropped == 0

    def first(self, resource: str, after: str) -> float | None:
        """When a resource first went to a state, in simulated seconds."""
        return next((t for t, shift in self.shifts if (shift.resource, shift.after) == (resource, after)), None)

    def events(self) -> list[AnyEvent]:
        """The decoded events."""
        decoded = [decode_event(line) for line in self.raw]
        assert not [event for event in decoded if isinstance(event, Rejection)]
        return [event for event in decoded if not isinstance(event, Rejection)]

    def findings(self) -> list[Finding]:
        """The last revision of each finding."""
        analyzer = Analyzer(compress(Analysis(), FACTOR))
        last: dict[str, Finding] = {}
        for event in self.events():
            if not isinstance(event, Sample):
                analyzer.feed(event)
        for change in analyzer.finish():
            last[change.finding.finding_id] = change.finding
        return list(last.values())


@cache
def run(seed: int, frozen: tuple[str, ...] = ()) -> Run:
    return Run(seed, frozen)


def overflow(lived: Run) -> float | None:
    return min((t for q in (QUEUE_A, QUEUE_B) if (t := lived.first(q, "full")) is not None), default=None)


def over(findings: list[Finding], pattern: str, resource: str) -> list[Finding]:
    return [finding for finding in findings if finding.pattern == pattern and resource in finding.resources]


def test_a_seed_fixes_the_run_and_another_seed_is_another_run() -> None:
    again = Run(3)
    assert again.shifts == run(3).shifts
    assert len(again.raw) == len(run(3).raw) > 1000
    assert [e.time for e in again.events()] == [e.time for e in run(3).events()]
    assert run(4).shifts != run(3).shifts


def test_left_alone_the_system_stays_up() -> None:
    for seed in SEEDS:
        alone = run(seed, EVERYBODY)
        assert alone.first("db/orders", "down") is None, f"seed {seed}"
        assert overflow(alone) is None, f"seed {seed}"


def test_the_agents_take_the_database_down_within_three_minutes() -> None:
    collapses = [run(seed).first("db/orders", "down") for seed in SEEDS]
    assert all(c is not None and 60 < c < 180 for c in collapses), collapses
    restored = [run(seed).first("db/orders", "up") for seed in SEEDS]
    assert all(r is not None for r in restored), restored


def test_a_drain_that_chose_cold_instances_would_not_have_and_neither_would_no_drain() -> None:
    twins = [Run(seed, plant=Plant(drain_first="newest")).first("db/orders", "down") for seed in SEEDS]
    assert twins == [None] * len(SEEDS)
    without = [run(seed, ("cost-optimizer",)).first("db/orders", "down") for seed in SEEDS]
    assert without == [None] * len(SEEDS)


def test_the_queue_routers_swing_further_and_further_until_messages_are_lost() -> None:
    overflows = [overflow(run(seed)) for seed in SEEDS]
    assert sum(t is not None for t in overflows) >= 16, overflows
    growing = 0
    for seed in SEEDS:
        away = [abs(share - 50.0) for share in run(seed).shares]
        growing += max(away[:4]) < 30.0 < max(away)
    assert growing >= 18


@pytest.mark.parametrize("seed", SEEDS)
def test_the_analyzer_finds_the_fight_over_the_queues_and_the_conflict_on_the_database(seed: int) -> None:
    findings = run(seed).findings()
    fights = over(findings, "thrashing", "route/orders")
    assert fights and {"router-r1", "router-r2"} <= set(fights[0].agents)
    assert fights[0].metrics["fight_index"] > 0.9
    conflicts = over(findings, "intent_conflict", "db/orders")
    assert any(set(finding.agents) == {"cost-optimizer", "perf-scaler"} for finding in conflicts)


@pytest.mark.parametrize("frozen", ["router-r1", "router-r2"])
def test_one_router_alone_is_no_fight(frozen: str) -> None:
    for seed in range(6):
        findings = run(seed, (frozen,)).findings()
        assert not over(findings, "thrashing", "route/orders"), f"seed {seed}"
        assert over(findings, "intent_conflict", "db/orders"), f"seed {seed}: the database's conflict is independent of the queues"


def test_without_the_cost_optimizer_nobody_overrides_the_scaler() -> None:
    for seed in range(6):
        assert not over(run(seed, ("cost-optimizer",)).findings(), "intent_conflict", "db/orders"), f"seed {seed}"


def test_actions_carry_what_the_decision_rested_on() -> None:
    actions = [event for event in run(7).events() if isinstance(event, Action) and event.agent != "on-call"]
    assert len(actions) > 20
    assert all(action.reads and action.why for action in actions)
    assert all(
        read.resource in {"db/orders", "edge/shop", "queue/orders-a", "queue/orders-b", "route/orders"}
        for a in actions
        for read in a.reads
    )
    scaled = [action for action in actions if action.agent == "perf-scaler"]
    assert all(action.intent and action.intent.until and action.intent.until > action.time for action in scaled)
