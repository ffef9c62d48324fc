"""Episodes: one id from first sight to resolution, updates not too often, nothing counted twice."""

from __future__ import annotations

import pytest
from small_histories import moment, wrote

from models.episodes import BEGINNING, Episodes, Piece, Sighting
from models.events import Event
from models.findings import CausalEdge, Change, Root
from models.instants import SECOND

SUBJECT = ("default", "thrashing", "db/orders replicas")


def sighting(*events: Event, ends: float = 600, **more: object) -> Sighting:
    fields: dict[str, object] = {
        "pattern": "thrashing",
        "kind": "sustained",
        "subject": "db/orders replicas",
        "pieces": tuple(Piece(event, "reversal", "note", f"{event.id} happened.") for event in events),
        "counts": "reversals",
        "counted": ("reversal",),
        "title": "a and b fight",
        "agents": ("a", "b"),
        "resources": ("db/orders",),
        "parameters": ("replicas",),
        "roots": (Root("x y", "db/orders", "a", 0.5),),
        "severity": "warning",
        "score": 0.5,
        "confidence": 0.9,
        "basis": "cited",
        "metrics": {"pressure": 2.0},
        "ends": moment(ends),
        **more,
    }
    return Sighting(**fields)  # type: ignore[arg-type]


def at(seconds: float) -> Event:
    return wrote(seconds, "a", 1, 2)


def folded(*seen: Sighting, shown: int = 32) -> tuple[Episodes, list[Change]]:
    """Sightings folded, each after the timers before it."""
    episodes, changes = Episodes(5 * SECOND, shown), list[Change]()
    for one in seen:
        changes += timers(episodes, one.pieces[-1].event.time)
        change = episodes.fold("default", one)
        changes += [change] if change else []
    return episodes, changes


def timers(episodes: Episodes, until: int) -> list[Change]:
    fired = []
    while episodes.timers and episodes.timers[0][0] <= until:
        change = episodes.fire()
        fired += [change] if change else []
    return fired


def verbs(changes: list[Change]) -> list[tuple[str, int]]:
    return [(change.verb, change.finding.revision) for change in changes]


def test_a_first_sighting_opens_a_finding_with_all_its_evidence() -> None:
    episodes, (opened,) = folded(sighting(at(0), at(10)))
    finding = opened.finding
    assert (opened.verb, finding.revision, finding.status) == ("opened", 1, "open")
    assert (finding.started_at, finding.detected_at) == ("2026-11-23T02:00:00Z", "2026-11-23T02:00:10Z")
    assert finding.as_of == (moment(10), "agents/a/1", "a@10")
    assert finding.metrics == {"pressure": 2.0, "reversals": 2}
    assert finding.explanation == ("a and b fight: 2 reversals in 10 s, confidence 0.90.", "a@0 happened.", "a@10 happened.")
    assert len(episodes) == 1 and episodes.standing(*SUBJECT).open


def test_updates_are_announced_at_most_once_per_interval() -> None:
    _, changes = folded(sighting(at(0)), sighting(at(1)), sighting(at(2)), sighting(at(7)), sighting(at(20)))
    assert verbs(changes) == [("opened", 1), ("updated", 2), ("updated", 3)]
    assert [change.finding.metrics["reversals"] for change in changes] == [1, 3, 4]


def test_what_is_pending_at_the_end_is_announced_by_a_flush() -> None:
    episodes, _ = folded(sighting(at(0)), sighting(at(1)))
    (update,) = episodes.flush()
    assert (update.verb, update.finding.metrics["reversals"]) == ("updated", 2)
    assert episodes.flush() == []


def test_an_episode_resolves_when_its_time_is_over_with_what_was_pending() -> None:
    episodes, _ = folded(sighting(at(0), ends=60), sighting(at(1), ends=3))
    (resolved,) = timers(episodes, moment(100))
    finding = resolved.finding
    assert (resolved.verb, finding.status, finding.resolved_at) == ("resolved", "resolved", "2026-11-23T02:00:03Z")
    assert finding.metrics["reversals"] == 2
    assert finding.as_of == (moment(3), "", "")
    assert len(episodes) == 0 and not episodes.standing(*SUBJECT).open


def test_new_evidence_puts_the_end_off() -> None:
    episodes, _ = folded(sighting(at(0), ends=60), sighting(at(50), ends=110))
    assert verbs(timers(episodes, moment(109))) == [("updated", 2)]
    assert verbs(timers(episodes, moment(110))) == [("resolved", 3)]


def test_evidence_that_was_counted_is_not_counted_again() -> None:
    episodes, _ = folded(sighting(at(0)), sighting(at(10)))
    assert episodes.fold("default", sighting(at(0), at(10))) is None
    (finding,) = episodes.findings()
    assert finding.metrics["reversals"] == 2
    episodes.fold("default", sighting(at(10), at(20)))
    (finding,) = episodes.findings()
    assert finding.metrics["reversals"] == 3


def test_after_its_end_a_subject_opens_anew_with_another_id_from_newer_evidence_only() -> None:
    episodes, (opened,) = folded(sighting(at(0), ends=60))
    timers(episodes, moment(60))
    assert episodes.standing(*SUBJECT).since == (moment(60), "", "")
    assert episodes.fold("default", sighting(at(50))) is None
    again = episodes.fold("default", sighting(at(70)))
    assert again is not None and again.finding.finding_id != opened.finding.finding_id


def test_the_id_is_named_by_the_subject_and_the_event_that_opened_it() -> None:
    ids = {
        folded(one)[1][0].finding.finding_id
        for one in (sighting(at(0)), sighting(at(1)), sighting(at(0), subject="other"), sighting(at(0), pattern="cascade"))
    }
    assert len(ids) == 4
    assert folded(sighting(at(-5), at(0)))[1][0].finding.finding_id == folded(sighting(at(0)))[1][0].finding.finding_id


def test_an_ended_subject_is_forgotten_with_the_memory() -> None:
    episodes, _ = folded(sighting(at(0), ends=60))
    timers(episodes, moment(60))
    episodes.forget(moment(60))
    assert episodes.standing(*SUBJECT).since == (moment(60), "", "")
    episodes.forget(moment(60) + 1)
    assert episodes.standing(*SUBJECT).since == BEGINNING


def test_resolved_findings_are_handed_out_once_when_they_are_old_enough() -> None:
    episodes, (opened,) = folded(sighting(at(0), ends=60))
    timers(episodes, moment(60))
    assert episodes.take_resolved(moment(60)) == []
    assert episodes.take_resolved(moment(61)) == [opened.finding.finding_id]
    assert episodes.take_resolved(moment(61)) == []


def test_a_restored_episode_goes_on_where_it_stood() -> None:
    before, _ = folded(sighting(at(0)), sighting(at(10)))
    (standing,) = before.findings()
    after = Episodes(5 * SECOND, 32)
    after.restore(standing)
    for episodes in (before, after):
        episodes.fold("default", sighting(at(10), at(20)))
    assert list(before.findings()) == list(after.findings())


def test_a_restored_resolution_keeps_its_subject_ended() -> None:
    before, _ = folded(sighting(at(0), ends=60))
    (resolved,) = timers(before, moment(60))
    after = Episodes(5 * SECOND, 32)
    after.restore(resolved.finding)
    assert after.standing(*SUBJECT) == before.standing(*SUBJECT)
    assert after.take_resolved(moment(99)) == [resolved.finding.finding_id]


def test_nothing_opens_while_the_memory_is_refilled() -> None:
    episodes = Episodes(5 * SECOND, 32)
    episodes.silent = True
    assert episodes.fold("default", sighting(at(0))) is None
    assert len(episodes) == 0


def test_a_long_episode_shows_its_first_quarter_and_its_newest_evidence() -> None:
    episodes, _ = folded(*(sighting(at(10 * i), ends=600 + 10 * i) for i in range(20)), shown=8)
    (finding,) = episodes.findings()
    shown = [piece.event.rpartition("@")[2] for piece in finding.evidence]
    assert shown == ["0", "10", "140", "150", "160", "170", "180", "190"]
    assert finding.metrics["reversals"] == 20
    assert len(finding.explanation) == 9


def test_an_edge_is_shown_once() -> None:
    edge = CausalEdge("x", "y", "overwrites", 0.9, 1.0)
    episodes, _ = folded(sighting(at(0), edges=(edge,)), sighting(at(10), edges=(edge,)))
    (finding,) = episodes.findings()
    assert finding.edges == (edge,)


def test_agents_add_up_in_order_to_a_bounded_number() -> None:
    many = tuple(f"agent{i:02}" for i in range(40))
    episodes, _ = folded(sighting(at(0), agents=("z",)), sighting(at(10), agents=("a",)), sighting(at(20), agents=many))
    (finding,) = episodes.findings()
    assert finding.agents[0] == "a" and len(finding.agents) == 16


@pytest.mark.parametrize(("seconds", "span"), [(42, "42 s"), (600, "10 min"), (9000, "2 h 30 min")])
def test_the_headline_tells_the_span_in_a_fitting_unit(seconds: float, span: str) -> None:
    _, (opened,) = folded(sighting(at(0), at(seconds)))
    assert f"2 reversals in {span}, " in opened.finding.explanation[0]


def test_a_domain_with_nothing_open_any_more_is_not_remembered() -> None:
    episodes, _ = folded(sighting(at(0), ends=60))
    assert episodes._count == {"default": 1}
    timers(episodes, moment(60))
    assert not episodes._count
