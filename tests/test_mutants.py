"""The properties have teeth: each of these wrong rules, put in place of the right one, makes some history give other findings.

One mutant is one line of stream time or recovery that looks reasonable. Each must die within eighty histories. (The held
watermark that is not saved needs a partition that comes back from silence: test_recovery.)
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from histories import SETTINGS, history
from oracle import Oracle
from simulation import AnalyzeWorker, Arrangement, World, revisions

from models.domain import Domain
from models.episodes import BEGINNING, Episodes
from models.events import Action, Event, Tick
from models.findings import Finding
from models.instants import HOUR
from models.intents import Intents
from models.recovery import Checkpoint, Stage
from models.reduction import ReduceProgress, Reducer
from models.stream_time import BEFORE_ALL, PartitionClock, Watermark
from models.timeline import Timeline
from models.variables import Variables

PLANS = (
    {"sources": 3, "signals": 3, "skew": 0.8, "step": 40.0},
    {"sources": 3, "skew": 0.3, "crash": 0.03},
    {"mode": "fast", "sources": 3, "crash": 0.03, "skew": 0.5},
    {"mode": "slow", "sources": 2, "crash": 0.02},
    {"sources": 3, "duplicates": 0.4, "crash": 0.02},
    {"mode": "fast", "sources": 2, "skew": 0.9},
    {"mode": "slow", "sources": 3, "skew": 0.5, "empty": 1},
)
MANY = 240


def differs(patch: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> bool:
    for seed in range(MANY):
        events = history(seed)
        until = events[-1].time + 25 * HOUR
        with monkeypatch.context() as right:
            right.undo()
            expected = revisions(Oracle(SETTINGS).run(events, until))
        for i, plan in enumerate(PLANS):
            with monkeypatch.context() as wrong:
                patch(wrong)
                try:
                    found = revisions(World(events, Arrangement(seed=seed * 10 + i, **plan), SETTINGS).run())  # type: ignore[arg-type]
                except (AssertionError, IndexError, KeyError):
                    return True
            if found != expected:
                return True
    return False


def max_instead_of_min(patch: pytest.MonkeyPatch) -> None:
    right = Watermark._minimum

    def wrong(self: Watermark) -> tuple[int, str] | None:
        lowest = right(self)
        return lowest and max((state.watermark, name) for name, state in self._partitions.items())

    patch.setattr(Watermark, "_minimum", wrong)


def not_waiting_for_all_partitions(patch: pytest.MonkeyPatch) -> None:
    right = Watermark.__init__

    def wrong(self: Watermark, partitions: object, settings: object, state: object = None) -> None:
        right(self, (), settings, state)  # type: ignore[arg-type]

    patch.setattr(Watermark, "__init__", wrong)

    def apply(self: Watermark, tick: Tick) -> bool:
        self.expected = frozenset({*self.expected, tick.partition})
        return real(self, tick)

    real = Watermark.apply
    patch.setattr(Watermark, "apply", apply)


def no_as_of(patch: pytest.MonkeyPatch) -> None:
    right = Episodes.restore

    def wrong(self: Episodes, finding: Finding) -> None:
        right(self, msgspec.structs.replace(finding, as_of=BEGINNING) if finding.status == "open" else finding)

    patch.setattr(Episodes, "restore", wrong)


def checkpoint_by_watermark(patch: pytest.MonkeyPatch) -> None:
    right = Stage._mark

    def wrong(self: Stage, offset: int) -> Checkpoint:
        mark = right(self, offset)
        return msgspec.structs.replace(mark, newest=mark.watermark.held)

    patch.setattr(Stage, "_mark", wrong)
    patch.setattr(Stage, "_horizon", lambda self: self.settings.memory)


def pending_events_not_refilled(patch: pytest.MonkeyPatch) -> None:
    """The checkpoint forgets that events wait for the watermark: what was read is taken for what was judged."""

    def wrong(self: Stage) -> int:
        return self.analyzer.timeline.watermark.held - self.analyzer.timeline.newest

    patch.setattr(Stage, "_horizon", wrong)
    patch.setattr(Timeline, "oldest_pending", property(lambda self: None))


def lateness_judged_in_analyze(patch: pytest.MonkeyPatch) -> None:
    right = Timeline.admit

    def wrong(self: Timeline, event: Event) -> None:
        if event.time < self.newest - SETTINGS.time.lateness:
            self.below += 1
        else:
            right(self, event)

    patch.setattr(Timeline, "admit", wrong)


def facts_at_the_upper_edge(patch: pytest.MonkeyPatch) -> None:
    """Facts as of now instead of as of the memory's lower edge: ahead of progress, they tell replayed events the future."""
    right = Domain.install

    def wrong(self: Domain, node: object) -> None:
        right(self, node)  # type: ignore[arg-type]
        if isinstance(node.event, Action):  # type: ignore[attr-defined]
            self._age_write(node.event)  # type: ignore[attr-defined]
        self._age_word(node.event)  # type: ignore[attr-defined]

    patch.setattr(Domain, "install", wrong)


def a_fold_that_remembers_more_than_its_horizon(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Variables, "forget", lambda self, event: None)


def the_clock_in_a_backfill(patch: pytest.MonkeyPatch) -> None:
    right = PartitionClock.advance

    def wrong(self: PartitionClock, now: int, at_end: bool) -> str:
        mode = right(self, now, at_end)
        if at_end and not self.empty:
            self.watermark = max(self.watermark, now - self.settings.lateness - min(self.delay, self.settings.idle_timeout))
        return mode

    patch.setattr(PartitionClock, "advance", wrong)


def commit_at_the_position_read(patch: pytest.MonkeyPatch) -> None:
    right = Reducer.progress

    def wrong(self: Reducer) -> ReduceProgress:
        return msgspec.structs.replace(right(self), offset=self._next)

    patch.setattr(Reducer, "progress", wrong)


def empty_partitions_left_out_at_once(patch: pytest.MonkeyPatch) -> None:
    right = Watermark.apply

    def wrong(self: Watermark, tick: Tick) -> bool:
        return right(self, msgspec.structs.replace(tick, mode="silent", watermark=BEFORE_ALL) if tick.mode == "empty" else tick)

    patch.setattr(Watermark, "apply", wrong)


def facts_written_after_the_checkpoint_passed_them(patch: pytest.MonkeyPatch) -> None:
    right = AnalyzeWorker.save

    def wrong(self: AnalyzeWorker) -> object:
        facts = self.stage.take_facts
        self.stage.take_facts = list  # type: ignore[method-assign, assignment]
        yield from right(self)
        self.stage.take_facts = facts  # type: ignore[method-assign]
        taken = getattr(self, "kept", [])
        for name, event in taken:
            yield
            self.log.facts[self.number].append((name, None if event is None else _encoded(event)))
        self.kept = facts()

    patch.setattr(AnalyzeWorker, "save", wrong)


def _encoded(event: Event) -> bytes:
    return msgspec.json.encode(event)


def effects_announced_by_intents_that_are_over(patch: pytest.MonkeyPatch) -> None:
    right = Intents._announce

    def wrong(self: Intents, register: object, old: object, new: object) -> None:
        right(self, register, None, new)  # type: ignore[arg-type]

    patch.setattr(Intents, "_announce", wrong)


MUTANTS = (
    max_instead_of_min,
    not_waiting_for_all_partitions,
    no_as_of,
    checkpoint_by_watermark,
    pending_events_not_refilled,
    lateness_judged_in_analyze,
    facts_at_the_upper_edge,
    a_fold_that_remembers_more_than_its_horizon,
    the_clock_in_a_backfill,
    commit_at_the_position_read,
    empty_partitions_left_out_at_once,
    facts_written_after_the_checkpoint_passed_them,
    effects_announced_by_intents_that_are_over,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_mutant_dies(mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    assert differs(mutant, monkeypatch), f"{mutant.__name__} survived {MANY} histories under {len(PLANS)} arrangements each"
