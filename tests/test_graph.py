"""The causal graph: which events are linked, and how much of each descends from which root."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Sequence

import pytest
from msgspec import UNSET
from small_histories import became, declared, moment, wrote

from models.events import Action, Event, Read
from models.graph import CausalGraph, Node
from models.instants import MINUTE, SECOND
from models.paths import path
from models.variables import Variables


def acted(seconds: float, agent: str, *causes: str, **more: object) -> Action:
    """An action on a resource of its agent's own."""
    return wrote(seconds, agent, UNSET, seconds, f"app/{agent} weight", causes=causes, **more)


def placed(*events: Event, window: int = 30 * MINUTE, parents: int = 8) -> tuple[CausalGraph, dict[str, Node]]:
    graph, variables, nodes = CausalGraph(window, parents), Variables(64), {}
    for event in events:
        node = nodes[event.id] = graph.add(event, variables)
        variables.install(node)
    return graph, nodes


def parents(node: Node) -> list[tuple[str, str, float]]:
    return [(link.cause.event.id, link.relation, link.probability) for link in node.parents]


def masses(node: Node) -> dict[str, float]:
    return {descent.root.event.id: round(descent.mass, 6) for descent in node.descents()}


def ids(steps: Sequence[tuple[object, Node]]) -> list[str]:
    return [node.event.id for _, node in steps]


def test_an_event_without_a_cause_is_its_own_root() -> None:
    _, nodes = placed(acted(0, "a"))
    assert masses(nodes["a@0"]) == {"a@0": 1.0}
    assert nodes["a@0"].size == 1.0


@pytest.mark.parametrize("name", ["a@0", "agents/a/1 a@0"])
def test_a_named_cause_is_linked(name: str) -> None:
    _, nodes = placed(acted(0, "a"), acted(1, "b", name))
    assert parents(nodes["b@1"]) == [("a@0", "explicit", 0.98)]
    assert masses(nodes["b@1"]) == {"a@0": 0.98}


def test_an_id_that_two_sources_use_means_ones_own_or_must_name_the_source() -> None:
    twins = acted(0, "a", id="same"), acted(1, "b", id="same")
    _, nodes = placed(*twins, acted(2, "c", "same"), acted(3, "d", "agents/b/1 same"), acted(4, "b", "same"))
    assert nodes["c@2"].parents == ()
    assert [link.cause.event.source for link in nodes["d@3"].parents] == ["agents/b/1"]
    assert [link.cause.event.source for link in nodes["b@4"].parents] == ["agents/b/1"]


def test_a_read_links_and_a_name_counts_before_it() -> None:
    read = (Read("app/a", "weight", 0),)
    _, nodes = placed(acted(0, "a"), acted(1, "b", reads=read), acted(2, "c", "a@0", reads=read))
    assert parents(nodes["b@1"]) == [("a@0", "reads", 0.95)]
    assert parents(nodes["c@2"]) == [("a@0", "explicit", 0.98)]


def test_an_event_with_two_causes_shares_itself_among_their_roots() -> None:
    _, nodes = placed(acted(0, "a"), acted(1, "b"), acted(2, "c", "a@0", "b@1"))
    assert masses(nodes["c@2"]) == {"a@0": 0.5, "b@1": 0.5}
    assert (nodes["a@0"].size, nodes["b@1"].size) == (1.5, 1.5)


def test_two_ways_from_one_root_add_up_and_the_better_path_is_kept() -> None:
    _, nodes = placed(acted(0, "a"), acted(1, "b", "a@0"), acted(2, "c", "a@0"), acted(3, "d", "b@1", "c@2"))
    (descent,) = nodes["d@3"].descents()
    assert descent.mass == pytest.approx(0.98)
    assert (descent.edges, descent.path) == (2, pytest.approx(0.98**2))


def test_shares_under_an_eighth_are_not_carried_on() -> None:
    roots = [acted(i, f"r{i}") for i in range(9)]
    _, nodes = placed(*roots, acted(20, "b", *(root.id for root in roots)), parents=9)
    assert masses(nodes["b@20"]) == {}


def test_only_the_likeliest_causes_are_kept() -> None:
    read = (Read("app/z", "weight", 0),)
    _, nodes = placed(acted(0, "z"), acted(1, "a"), acted(2, "b"), acted(3, "c", "a@1", "b@2", reads=read), parents=2)
    assert [name for name, _, _ in parents(nodes["c@3"])] == ["a@1", "b@2"]


def test_a_cause_further_away_than_the_window_is_not_linked() -> None:
    for gap, linked in ((60, True), (60.1, False)):
        _, nodes = placed(acted(0, "a"), acted(gap, "b", "a@0"), window=MINUTE)
        assert bool(nodes[f"b@{gap:g}"].parents) is linked


def test_a_root_is_carried_on_for_one_window() -> None:
    _, nodes = placed(acted(0, "a"), acted(40, "b", "a@0"), acted(80, "c", "b@40"), window=MINUTE)
    assert masses(nodes["c@80"]) == {}
    assert nodes["a@0"].size == pytest.approx(1.98)


def test_states_take_part_and_intents_do_not() -> None:
    state = became(1, "svc/x health", "ok", "bad", causes=("a@0",))
    _, nodes = placed(acted(0, "a"), state, declared(2, "ann", "svc/x", causes=("a@0",)))
    assert masses(nodes["monitor@1"]) == {"a@0": 0.98}
    assert nodes["ann@2"].parents == ()


def test_a_cause_that_comes_later_is_linked_and_the_skew_is_kept() -> None:
    graph, nodes = placed(acted(0, "b", "a@3"), acted(1, "c", "b@0"), acted(3, "a"))
    assert parents(nodes["b@0"]) == [("a@3", "explicit", 0.98)]
    assert masses(nodes["c@1"]) == {"a@3": pytest.approx(0.9604)}
    assert nodes["a@3"].size == pytest.approx(1 + 0.98 + 0.9604)
    assert nodes["b@0"].size == pytest.approx(1.0)
    assert graph.skew() == graph.skew("agents/b/1") == 3 * SECOND
    assert graph.skew("agents/a/1") == 0


def test_mutual_causes_are_linked_one_way_and_counted() -> None:
    graph, nodes = placed(acted(0, "a", "b@1"), acted(1, "b", "a@0"))
    assert graph.cycles == 1
    assert (parents(nodes["a@0"]), len(nodes["b@1"].parents)) == ([], 1)


def test_a_ring_of_three_is_cut_too() -> None:
    graph, nodes = placed(acted(0, "a", "c@2"), acted(1, "b", "a@0"), acted(2, "c", "b@1"))
    assert graph.cycles == 1
    assert masses(nodes["c@2"]) == {"a@0": pytest.approx(0.9604)}


def test_an_event_that_names_itself_is_its_own_root() -> None:
    graph, nodes = placed(acted(0, "a", "a@0"))
    assert masses(nodes["a@0"]) == {"a@0": 1.0}
    assert graph.cycles == 0


def test_the_path_from_the_root_comes_cause_first_and_takes_the_likelier_way() -> None:
    read = (Read("app/b", "weight", 1),)
    _, nodes = placed(acted(0, "a"), acted(1, "b", "a@0"), acted(2, "c", "a@0"), acted(3, "d", "c@2", reads=read))
    assert ids(path(nodes["d@3"], nodes["a@0"])) == ["c@2", "d@3"]
    assert path(nodes["b@1"], nodes["c@2"]) == []
    assert path(nodes["a@0"], nodes["a@0"]) == []


def test_repeats_are_recognised_by_source_and_id() -> None:
    event = acted(0, "a")
    graph, _ = placed(event)
    assert graph.seen(event) is event
    assert graph.seen(acted(5, "a", id="a@0")) is event
    assert graph.seen(acted(0, "a", instance="2")) is None


def test_what_is_forgotten_can_be_named_no_more() -> None:
    first, second = acted(0, "a", id="same"), acted(1, "b", id="same")
    graph, _ = placed(first, second, acted(2, "c", "same"))
    assert graph.named("same", "x") is None
    graph.forget(first)
    left = graph.named("same", "x")
    assert left is not None and left.event.source == "agents/b/1"
    graph.forget(second)
    assert graph.named("same", "x") is None


def test_skew_and_waiting_names_are_forgotten_with_the_memory() -> None:
    effect, cause = acted(0, "b", "a@3", "lost"), acted(3, "a")
    graph, nodes = placed(effect, cause)
    graph.forget(effect)
    assert graph.skew() == 3 * SECOND
    graph.forget(cause)
    assert graph.skew() == 0
    found = graph.add(acted(9, "x", id="lost"), Variables(9))
    assert graph.children(found) == [] and len(nodes["b@0"].parents) == 1


def test_a_retired_event_takes_no_further_part() -> None:
    graph, nodes = placed(acted(0, "a"), acted(1, "b", "a@0"))
    graph.retire(nodes["b@1"])
    assert nodes["b@1"].descents() == ()
    assert moment(0) == nodes["a@0"].event.time and graph.named("b@1", "x") is nodes["b@1"]


def test_a_late_cause_joins_the_causes_that_are_known_already() -> None:
    graph, nodes = placed(acted(0, "a"), acted(1, "b", "a@0", "z@5"), acted(2, "c", "b@1"), acted(5, "z"))
    assert masses(nodes["b@1"]) == {"a@0": 0.5, "z@5": 0.5}
    assert masses(nodes["c@2"]) == {"a@0": 0.49, "z@5": 0.49}
    assert graph.children(nodes["a@0"]) == [nodes["b@1"]]
    assert (nodes["a@0"].size, nodes["z@5"].size) == (pytest.approx(1.99), pytest.approx(1.99))
    assert ids(path(nodes["c@2"], nodes["z@5"])) == ["b@1", "c@2"]


def test_what_descends_by_two_ways_is_attributed_anew_once_and_after_both() -> None:
    _, nodes = placed(acted(0, "a", "z@5"), acted(1, "b", "a@0"), acted(2, "c", "a@0", "b@1"), acted(3, "d", "c@2"), acted(5, "z"))
    straight = placed(
        acted(-1, "z", id="z@5"), acted(0, "a", "z@5"), acted(1, "b", "a@0"), acted(2, "c", "a@0", "b@1"), acted(3, "d", "c@2")
    )[1]
    for name in ("a@0", "b@1", "c@2", "d@3"):
        assert masses(nodes[name]) == masses(straight[name])
    assert nodes["z@5"].size == pytest.approx(straight["z@5"].size)


def test_more_descendants_than_can_be_attributed_anew_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.graph.REPAIR_LIMIT", 2)
    chain = [acted(i, f"e{i}", f"e{i - 1}@{i - 1}" if i else "z@9") for i in range(5)]
    graph, nodes = placed(*chain, acted(9, "z"))
    assert graph.unrepaired == 1
    assert set(masses(nodes["e2@2"])) == {"z@9"} and set(masses(nodes["e4@4"])) == {"e0@0"}


def test_too_many_ancestors_to_search_count_as_a_cycle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.graph.REPAIR_LIMIT", 2)
    line = [acted(i, f"e{i}", f"e{i - 1}@{i - 1}") for i in range(1, 5)]
    graph, nodes = placed(acted(0, "e0"), acted(0.5, "x", "y@9"), *line, acted(9, "y", "e4@4"))
    assert graph.cycles == 1
    assert nodes["x@0.5"].parents == ()


def test_late_causes_of_what_has_left_the_window_are_no_trouble() -> None:
    """Two effects of a retired event, each waiting for a cause of its own: this once stopped the partition for good."""
    early = acted(0, "p")
    effects = acted(100, "q", "p@0", "c1"), acted(101, "r", "p@0", "c2")
    graph, nodes = placed(early, *effects)
    graph.retire(nodes["p@0"])
    for late in (acted(150, "s", id="c1"), acted(151, "t", id="c2")):
        graph.add(late, Variables(9))
    assert [link.cause.event.id for link in nodes["q@100"].parents] == ["p@0", "c1"]
    assert graph.cycles == 0


def test_a_cause_that_a_long_chain_waits_for_is_answered_at_once() -> None:
    chain = [acted(i, "a", *([f"a@{i - 1}"] if i else []), "late") for i in range(900)]
    graph, _ = placed(*chain)
    began = time.process_time()
    graph.add(acted(900, "z", id="late"), Variables(9))
    last = graph.named("a@899", "")
    assert last is not None and len(last.parents) == 2
    assert time.process_time() - began < 5  # it once took minutes; this is no benchmark


def test_a_graph_that_is_let_go_is_freed_without_the_garbage_collector() -> None:
    def built() -> int:
        """Blocks of memory in use after a long chain has come and gone."""
        placed(*(acted(i, f"e{i}", f"e{i - 1}@{i - 1}") for i in range(3000)))[0].skew()
        return sys.getallocatedblocks()

    gc.collect()
    gc.disable()
    try:
        built()
        before = built()
        assert built() < before + 1000  # a chain is more than 30,000
    finally:
        gc.enable()
