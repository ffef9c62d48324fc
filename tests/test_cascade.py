"""Cascades: chains of reactions of several agents over several resources, and the ordinary chains that are none."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from msgspec import UNSET
from small_histories import became, changes, kinds, only, until, wrote

from models.configuration import Analysis, Cascade
from models.events import Action, Event, Read
from models.instants import MINUTE


def chain(length: int, *, agents: int = 3, resources: int = 99, every: float = 10.0) -> list[Action]:
    """A root and `length` reactions, each naming the one before as its cause."""
    events = [wrote(0, "seed", 1, 2, "app/0 weight")]
    for i in range(1, length + 1):
        knob = f"app/{(i - 1) % resources + 1} weight"
        events.append(wrote(every * i, f"agent{i % agents}", UNSET, 100 + i, knob, causes=(events[-1].id,)))
    return events


def test_a_chain_opens_a_cascade_when_five_events_descend_from_its_root() -> None:
    assert kinds(*chain(4)) == []
    assert kinds(*chain(5)) == ["cascade decision"]


def test_the_finding_tells_the_chain_from_its_root() -> None:
    finding = only(*chain(5))
    assert finding.title == "seed's 1 -> 2 on app/0 weight set off reactions of agent0, agent1 and agent2"
    assert finding.explanation[0].endswith("reactions of agent0, agent1 and agent2: 5 reactions in 50 s, confidence 0.90.")
    assert finding.explanation[1:3] == (
        "02:00:00 seed raised app/0 weight 1 -> 2.",
        "02:00:10 agent1 set app/1 weight -> 101.",
    )
    assert [root.event for root in finding.roots] == ["agents/seed/1 seed@0"]
    assert [(edge.relation, edge.lag_s) for edge in finding.edges] == [("explicit", 10.0)] * 5
    assert finding.metrics["depth"] == 5
    assert finding.metrics["size"] == pytest.approx(sum(0.98**i for i in range(6)), abs=1e-4)


def test_a_chain_of_reads_needs_no_named_causes() -> None:
    events = [wrote(0, "seed", 1, 2, "app/0 weight")]
    for i in range(1, 6):
        before = events[-1]
        read = (Read(before.resource, "weight", before.new),)
        events.append(wrote(10 * i, f"agent{i % 3}", UNSET, 100 + i, f"app/{i} weight", reads=read))
    finding = only(*events)
    assert {edge.relation for edge in finding.edges} == {"reads"}
    assert finding.confidence == pytest.approx(0.95**5, abs=1e-6)


def test_reactions_through_states_count_too() -> None:
    events: list[Event] = [wrote(0, "seed", 1, 2, "app/0 weight")]
    events.append(became(10, "svc/a health", "ok", "bad", causes=(events[-1].id,)))
    events.append(wrote(20, "router", UNSET, 7, "svc/b weight", reads=(Read("svc/a", "health", "bad"),)))
    events.append(became(30, "svc/c health", "ok", "bad", causes=(events[-1].id,)))
    events.append(wrote(40, "hpa", UNSET, 9, "svc/d replicas", reads=(Read("svc/c", "health", "bad"),)))
    events.append(wrote(50, "cache", UNSET, 3, "svc/e size", causes=(events[-1].id,)))
    finding = only(*events)
    assert [piece.role for piece in finding.evidence] == ["root", "effect", "reaction", "effect", "reaction", "reaction"]
    assert "02:00:10 svc/a health went ok -> bad." in finding.explanation


def test_follow_ups_of_one_agent_are_ordinary_control() -> None:
    assert kinds(*chain(8, agents=1)) == []
    assert kinds(*chain(8, agents=2)) == ["cascade decision"]


def test_reactions_on_one_resource_are_ordinary_control() -> None:
    alone = [msgspec.structs.replace(event, resource="app/0") for event in chain(8)]
    assert kinds(*alone) == []


def test_many_direct_reactions_are_no_chain() -> None:
    root = wrote(0, "seed", 1, 2, "app/0 weight")
    fan = [wrote(10 * i, f"agent{i}", UNSET, i, f"app/{i} weight", causes=(root.id,)) for i in range(1, 9)]
    assert kinds(root, *fan) == []


def test_a_short_chain_with_side_branches_is_a_cascade() -> None:
    events = chain(3)
    side = [wrote(40 + i, f"agent{i}", UNSET, i, f"side/{i} weight", causes=(events[2].id,)) for i in range(3)]
    assert kinds(*events, *side) == ["cascade decision"]


def test_a_chain_that_begins_at_a_state_has_no_decision_to_blame() -> None:
    events = chain(6)
    first = became(0, "app/0 health", "ok", "bad")
    events[1] = msgspec.structs.replace(events[1], causes=(first.id,))
    assert kinds(first, *events[1:]) == []


def test_unrelated_actions_are_no_chain() -> None:
    assert kinds(*(msgspec.structs.replace(event, causes=()) for event in chain(8))) == []


def test_a_cause_that_nobody_has_seen_links_nothing() -> None:
    broken = chain(6)
    broken[3] = msgspec.structs.replace(broken[3], causes=("lost",))
    assert kinds(*broken) == []


def test_causes_can_be_named_by_id_or_by_source_and_id() -> None:
    events = chain(5)
    full = [events[0]] + [
        msgspec.structs.replace(after, causes=(f"{before.source} {before.id}",)) for before, after in pairwise(events)
    ]
    assert kinds(*full) == ["cascade decision"]


def test_a_link_longer_than_the_window_is_none() -> None:
    late = chain(6, every=400)
    assert kinds(*late, settings=Analysis(window=399 * 1_000_000_000)) == []


def test_a_root_counts_for_one_window() -> None:
    slow = chain(8, every=290)  # the fifth reaction comes 24 min 10 s after the root
    assert kinds(*slow, settings=Analysis(window=24 * MINUTE)) == []
    assert kinds(*slow, settings=Analysis(window=25 * MINUTE)) == ["cascade decision"]


def test_a_cause_that_comes_later_in_canonical_order_is_linked() -> None:
    skewed = chain(7)
    early = msgspec.structs.replace(skewed[3], time=skewed[2].time - 1_000_000_000)  # its clock runs 11 s before
    skewed[3] = early
    finding = only(*skewed)
    assert (f"{skewed[2].source} {skewed[2].id}", f"{early.source} {early.id}") in {(e.cause, e.effect) for e in finding.edges}
    assert finding.quality.skew_s == 1.0


def test_mutual_causes_do_not_loop() -> None:
    first = wrote(0, "a", UNSET, 1, "app/1 weight", causes=("b@1",))
    second = wrote(1, "b", UNSET, 2, "app/2 weight", causes=("a@0",))
    assert kinds(first, second, *chain(3)) == []


def test_a_cascade_counts_on_while_it_is_open_and_resolves_after_its_hold_time() -> None:
    told = changes(*chain(7), until(1000))
    assert [change.verb for change in told] == ["opened", "updated", "updated", "resolved"]
    assert told[-1].finding.metrics["reactions"] == 7
    assert told[-1].finding.resolved_at == "2026-11-23T02:06:10Z"  # 5 min after the last reaction


def test_the_title_names_the_agents_of_the_whole_episode() -> None:
    events = chain(5)
    side = [wrote(60 + i, f"late{i}", UNSET, i, f"side/{i} weight", causes=(events[1].id,)) for i in range(2)]
    assert changes(*events, *side, until(1000))[-1].finding.title.endswith("set off reactions of agent0, agent1 and 3 more")


def test_a_large_cascade_is_an_error() -> None:
    assert only(*chain(7)).severity == "warning"
    assert only(*chain(14)).severity == "error"


def test_the_thresholds_are_settings() -> None:
    assert kinds(*chain(3), settings=Analysis(cascade=Cascade(size=3.5))) == ["cascade decision"]
    assert kinds(*chain(5), settings=Analysis(cascade=Cascade(edges=6))) == []
    assert kinds(*chain(5), settings=Analysis(cascade=Cascade(path_probability=0.95))) == []
