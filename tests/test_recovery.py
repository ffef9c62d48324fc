"""Stages by hand: what a restart must not forget, told in a few signals each."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from histories import SETTINGS

from models.detectors.thrashing import Thrash
from models.domain import Domain
from models.episodes import Sighting
from models.events import Action, Event, Intent, Signal, Tick
from models.findings import Change
from models.graph import Node
from models.instants import MINUTE, SECOND
from models.intents import Intents
from models.recovery import Stage, decode_progress, encode_progress
from models.stream_time import Watermark

T = 1_760_000_000 * SECOND
PARTITIONS = ("events/0", "events/1")


def tick(partition: int, seconds: float, mode: str = "live") -> Tick:
    return Tick(partition=PARTITIONS[partition], watermark=T + int(seconds * SECOND), mode=mode, now=T)


def write(seconds: float, i: int, agent: str, old: int, new: int) -> Action:
    return Action(
        time=T + int(seconds * SECOND), source=f"agents/{agent}", id=f"w{i}", agent=agent, verb="scale",
        resource="db/orders", parameter="replicas", old=old, new=new,
    )  # fmt: skip


def fight(start: float, n: int, gap: float = 10) -> list[Signal]:
    return [write(start + i * gap, i, "ab"[i % 2], 8 if i % 2 == 0 else 16, 16 if i % 2 == 0 else 8) for i in range(n)]


def feed(stage: Stage, signals: list[Signal], offset: int = 0) -> list[Change]:
    return [change for i, signal in enumerate(signals) for change in stage.feed(offset + i, signal)]


def restarted(stage: Stage, changes: list[Change]) -> Stage:
    facts = {name: event for name, event in stage.take_facts() if event is not None}
    progress = decode_progress(encode_progress(stage.progress()))
    best = {change.finding.finding_id: change.finding for change in changes}
    return Stage(SETTINGS, PARTITIONS, best.values(), facts.items(), progress)


def returned_from_silence() -> int:
    """A partition comes back from silence below the held watermark, after a restart; how many of its events were judged."""
    before: list[Signal] = [tick(1, 100, "data"), tick(0, 1000), tick(1, 100, "silent"), tick(1, 490, "data")]
    stage = Stage(SETTINGS, PARTITIONS)
    feed(stage, before)
    again = restarted(stage, [])
    feed(again, [*fight(500, 6), tick(1, 2000), tick(0, 2000)], offset=4)
    return again.counters.get("events", 0)


def test_the_held_watermark_survives_a_restart() -> None:
    assert returned_from_silence() == 0


def test_a_stage_that_forgets_the_held_watermark_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Watermark.__init__

    def wrong(self: Watermark, partitions: object, settings: object, state: object = None) -> None:
        right(self, partitions, settings, state)  # type: ignore[arg-type]
        self.held = min((s.watermark for s in self._partitions.values()), default=self.held)

    monkeypatch.setattr(Watermark, "__init__", wrong)
    assert returned_from_silence() == 6


def test_an_open_fight_goes_on_under_its_id_after_a_restart() -> None:
    stage = Stage(SETTINGS, PARTITIONS)
    changes = feed(stage, [*fight(0, 6), tick(0, 61), tick(1, 61)])
    assert changes[0].verb == "opened"
    again = restarted(stage, changes)
    assert again.start == 0 and again.refilling
    assert feed(again, [*fight(0, 6), tick(0, 61), tick(1, 61)]) == []
    more = feed(again, [write(62, 6, "a", 8, 16), tick(0, 200), tick(1, 200)], offset=8)
    assert {change.finding.finding_id for change in more} == {changes[0].finding.finding_id}
    assert more[0].finding.metrics["reversals"] == 6


def test_a_refill_does_not_judge_again_what_was_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(SETTINGS, PARTITIONS)
    log = [*fight(0, 6), tick(0, 61), tick(1, 61)]
    again = restarted(stage, feed(stage, log))
    judged: list[str] = []
    right = Thrash.judge

    def noted(self: Thrash, node: Node, *rest: object) -> Iterable[Sighting]:
        judged.append(node.event.id)
        return right(self, node, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Thrash, "judge", noted)
    feed(again, [*log, write(62, 6, "a", 8, 16), tick(0, 63), tick(1, 63)])
    assert judged == ["w6"] and again.counters["events"] == 7


def test_a_freeze_older_than_the_memory_is_a_fact_and_a_closed_one_is_given_up() -> None:
    freeze = Intent(time=T, source="ann", id="f", resource="svc/cart", agent="ann", reason="freeze")
    lifted = Intent(time=T + MINUTE, source="ann", id="g", resource="svc/cart", agent="ann", reason="freeze", closed=True)
    for signals, left in (([freeze], 1), ([freeze, lifted], 0)):
        stage = Stage(SETTINGS, PARTITIONS)
        late = SETTINGS.memory / SECOND + 100
        feed(stage, [*signals, tick(0, late), tick(1, late)])
        assert sum(event is not None for _, event in stage.take_facts()) == left


def test_a_log_that_starts_after_the_checkpoint_is_a_degraded_start() -> None:
    stage = Stage(SETTINGS, PARTITIONS)
    stage.begin_at(40)
    assert stage.degraded and stage.start == 40 and stage.next == 40


def test_resolved_findings_leave_the_topic_after_a_while() -> None:
    stage = Stage(SETTINGS, PARTITIONS)
    changes = feed(stage, [*fight(0, 6), tick(0, 3000), tick(1, 3000)])
    assert changes[-1].verb == "resolved"
    assert stage.take_tombstones() == []
    feed(stage, [tick(0, 3000 + SETTINGS.tombstone / SECOND), tick(1, 3000 + SETTINGS.tombstone / SECOND)], offset=8)
    assert stage.take_tombstones() == [changes[-1].finding.finding_id]


def test_a_changed_configuration_is_noticed() -> None:
    stage = Stage(SETTINGS, PARTITIONS)
    progress = stage.progress()
    other = Stage(type(SETTINGS)(), PARTITIONS, progress=progress)
    assert other.config_changed and not restarted(stage, []).config_changed


def test_facts_of_the_future_are_not_held_against_what_was_judged_without_them() -> None:
    """Event time leaps by more than the memory, and the worker dies after the facts and before the progress record."""
    leap = (SETTINGS.memory + 10 * MINUTE) / SECOND
    log: list[Signal] = [write(0, 0, "a", 8, 16), write(5, 1, "b", 16, 4), tick(0, leap), tick(1, leap)]
    stage = Stage(SETTINGS, PARTITIONS)
    assert feed(stage, log) == []
    facts = {name: event for name, event in stage.take_facts() if event is not None}
    assert [event.id for event in facts.values()] == ["w1"]
    for progress in (None, Stage(SETTINGS, PARTITIONS).progress()):
        again = Stage(SETTINGS, PARTITIONS, (), facts.items(), progress)
        assert feed(again, log) == []
        fresh = [write(leap, 2, "a", 9, 32), tick(0, leap + 10), tick(1, leap + 10)]
        assert [change.finding.kind for change in feed(again, [*fresh], offset=4)] == ["lost_update"]


def overridden_after_leave(restart: bool) -> int:
    """A freeze without an end is acknowledged, both leave the memory, then another deploys; how many findings that makes."""
    fields = {"resource": "svc/cart", "parameter": "image"}
    freeze = Intent(time=T, source="people/ann", id="f", agent="ann", reason="freeze", **fields)
    leave = {"verb": "deploy", "old": "v0", "new": "v1", "acknowledges": ("f",), **fields}
    release = Action(time=T + 400 * SECOND, source="agents/release", id="r", agent="release", **leave)  # type: ignore[arg-type]
    signals: list[Signal] = [freeze, release]
    signals += [tick(number, seconds) for seconds in range(410, 1700, 10) for number in (0, 1)]
    stage = Stage(SETTINGS, PARTITIONS)
    feed(stage, signals)
    if restart:
        stage = restarted(stage, [])
        feed(stage, signals[stage.start :], offset=stage.start)
    deploy = Action(
        time=T + 1750 * SECOND, source="agents/deploy", id="d", agent="deploy", verb="deploy", old="v1", new="v2", **fields
    )
    return len(feed(stage, [deploy, tick(0, 1800), tick(1, 1800)], offset=len(signals)))


def test_leave_that_has_left_the_memory_holds_over_a_restart() -> None:
    assert (overridden_after_leave(restart=False), overridden_after_leave(restart=True)) == (0, 0)


def test_a_stage_that_forgets_who_was_given_leave_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right, age = Intents.words, Domain._age_word

    def wrong(self: Domain, event: Event) -> None:
        with monkeypatch.context() as aging:
            aging.setattr(Intents, "words", lambda intents, word: [r for r in right(intents, word) if r[2] == word.agent])
            age(self, event)

    monkeypatch.setattr(Domain, "_age_word", wrong)
    assert (overridden_after_leave(restart=False), overridden_after_leave(restart=True)) == (0, 1)
