"""The other forms of thrashing: members of a set, short lives, ratchets, transfers, noise; and what justifies going back and forth."""

from __future__ import annotations

import pytest
from msgspec import UNSET
from small_histories import changes, declared, findings, kinds, moment, only, turns, wrote

from models.configuration import Analysis
from models.detectors.thrashing import membership
from models.domain import Domain
from models.episodes import Standing
from models.events import Action, Clause, Dependency, Event, Read, Sample

BOTH = ["cost", "perf"]
EXACT = [8, 16, 8, 16, 8, 16, 8, 16]


def demand(seconds: float, value: float, resource: str = "db/orders", metric: str = "requests") -> Sample:
    """One sample of demand."""
    return Sample(
        time=moment(seconds),
        source="gateway",
        id=f"{resource}@{seconds:g}",
        resource=resource,
        metric=metric,
        value=value,
        role="demand",
    )


def targets(seconds: float, agent: str, *members: str) -> Event:
    return wrote(seconds, agent, UNSET, tuple(members), "lb/main targets")


def needs(seconds: float, dependent: str, dependency: str, removed: bool = False) -> Event:
    return Dependency(
        time=moment(seconds),
        source="mesh",
        id=f"{dependency}@{seconds:g}",
        dependent=dependent,
        dependency=dependency,
        removed=removed,
    )


class TestMembership:
    def test_a_target_that_flaps_is_found_whatever_the_others_do(self) -> None:
        sets = [("a", "b"), ("a",), ("a", "b", "c"), ("a", "c"), ("a", "b", "c", "d"), ("a", "c", "d")]
        flap = [targets(30 * i, ["launcher", "checker"][i % 2], *members) for i, members in enumerate(sets)]
        finding = only(*flap)
        assert (finding.kind, finding.metrics["members"]) == ("membership", 1.0)
        assert finding.title == "checker and launcher take b in and out of lb/main targets"
        assert finding.explanation[2].startswith(
            "02:01:00 launcher put b back into lb/main targets: against checker's move 30 s before."
        )

    def test_what_an_ended_episode_had_counted_is_no_evidence_for_the_one_that_is_open(self) -> None:
        """After a restart both are known, and the writes before the end are judged again: this once ended the worker."""
        domain, last = Domain("default", Analysis()), targets(60, "checker", "a")
        for write in (targets(0, "launcher", "a", "b"), targets(30, "checker", "a"), targets(45, "launcher", "a", "b")):
            domain.install(domain.graph.add(write, domain.variables))
        assert isinstance(last, Action)
        stands = Standing(open=True, since=(moment(90), "", ""))
        assert list(membership.seen(last, domain, "s", stands, Analysis().thrashing)) == []

    def test_the_title_names_all_that_flap_and_the_first_exit_is_none_again(self) -> None:
        sets = [("a", "b", "c"), ("a", "c"), ("a", "b"), ("a", "c"), ("a", "b"), ("a", "c"), ("a",), ("a", "b")]
        finding = only(*(targets(30 * i, ["launcher", "checker"][i % 2], *members) for i, members in enumerate(sets)))
        assert finding.title == "checker and launcher take b and c in and out of lb/main targets"
        assert "02:00:30 checker took b out of lb/main targets." in finding.explanation
        assert any(" took b out of lb/main targets again" in sentence for sentence in finding.explanation)

    def test_it_is_known_at_the_fourth_switch_of_a_member_that_two_agents_move(self) -> None:
        flap = [targets(30 * i, ["launcher", "checker"][i % 2], *(("a", "b") if i % 2 == 0 else ("a",))) for i in range(6)]
        assert kinds(*flap[:4]) == [] and kinds(*flap[:5]) == ["thrashing membership"]

    def test_a_rolling_replacement_of_members_is_no_flapping(self) -> None:
        members = [f"i-{n}" for n in range(12)]
        assert kinds(*(targets(30 * i, "deployer", *members[i : i + 3]) for i in range(9))) == []

    def test_a_thousand_members_that_move_together_are_judged_once(self) -> None:
        everybody = tuple(f"host-{i}" for i in range(1000))
        flap = [targets(30 * i, ["launcher", "checker"][i % 2], *(() if i % 2 else everybody)) for i in range(8)]
        assert only(*flap).metrics["members"] == 1000.0
        writes = [write for write in flap if isinstance(write, Action)]
        turned = membership._reversals(writes, lambda *_: 0.0)
        assert (len(turned), len({id(reversals) for reversals in turned.values()})) == (1000, 1)

    def test_several_members_are_one_finding(self) -> None:
        flap = [targets(30 * i, ["launcher", "checker"][i % 2], *(("a", "b", "c") if i % 2 == 0 else ("a",))) for i in range(8)]
        assert only(*flap).metrics["members"] == 2.0


def life(seconds: float, agent: str, name: str, new: bool, owner: str = "deployment/app") -> Event:
    old, value = (None, "running") if new else ("running", None)
    verb = "create" if new else "evict"
    return wrote(seconds, agent, old, value, f"pod/{name} phase", verb=verb, owner=owner)


class TestIdentity:
    def test_pods_that_are_evicted_as_soon_as_they_are_placed(self) -> None:
        loop = [life(60 * i, ["descheduler", "replicaset"][i % 2], f"app-{(i + 1) // 2}", i % 2 == 1) for i in range(9)]
        finding = only(*loop)
        assert (finding.kind, finding.agents, finding.metrics["fight_index"]) == ("identity", ("descheduler", "replicaset"), 1.0)
        assert "deployment/app" in finding.resources
        assert kinds(*loop[:4]) == [] and kinds(*loop[:5]) == ["thrashing identity"]

    @pytest.mark.parametrize(("before", "started"), [(60, "02:00:00"), (3600, "03:00:00")])
    def test_a_loop_begins_with_its_first_eviction_where_the_first_pod_had_stood_for_long(self, before: int, started: str) -> None:
        loop = [life(0, "replicaset", "app-0", True)]
        loop += [life(before + 60 * i, ["descheduler", "replicaset"][i % 2], f"app-{(i + 1) // 2}", i % 2 == 1) for i in range(9)]
        finding = only(*loop)
        assert finding.started_at.partition("T")[2] == f"{started}Z"
        assert finding.evidence[0].role == "trigger" and finding.evidence[0].time == finding.started_at

    def test_a_rollout_replaces_each_pod_once(self) -> None:
        rollout = []
        for i in range(12):
            rollout += [life(10 * i, "deployment", f"new-{i}", True), life(10 * i + 5, "deployment", f"old-{i}", False)]
        assert kinds(*rollout) == []

    def test_a_thing_that_comes_back_under_its_own_name_is_an_ordinary_switch(self) -> None:
        loop = [wrote(30 * i, "dns", *((None, "10.0.0.1") if i % 2 else ("10.0.0.1", None)), "zone/www A") for i in range(8)]
        assert kinds(*loop) == ["thrashing sustained"]


def test_two_price_bots_drive_each_other_up() -> None:
    price, events = {"a": 17.99, "b": 17.99}, []
    for i in range(10):
        me, other, factor = (("a", "b", 0.9983), ("b", "a", 1.27059))[i % 2]
        new = round(price[other] * factor, 4)
        read = (Read(f"book/{other}", "price", price[other], moment(60 * i - 1)),)
        events.append(wrote(60 * i, f"bot-{me}", price[me], new, f"book/{me} price", reads=read))
        price[me] = new
    finding = next(found for found in findings(*events) if found.pattern == "thrashing")
    assert (finding.kind, finding.title) == ("ratchet", "bot-a and bot-b drive each other up on book/a price and book/b price")
    assert finding.metrics["round_ratio"] == pytest.approx(1.268, rel=0.01)
    assert "thrashing ratchet" not in kinds(*events[:7]) and "thrashing ratchet" in kinds(*events[:8])


def test_a_ratchet_over_the_whole_range_of_floats_is_told() -> None:
    """From the least to the largest, its ratio is no float any more."""
    events = [
        wrote(
            20 * i, f"bot-{'ab'[i % 2]}", UNSET, max(10.0 ** (-320 + 88.5 * i), 5e-324), f"book/{'ab'[i % 2]} price", causes=causes
        )
        for i in range(8)
        for causes in [(f"bot-{'ba'[i % 2]}@{20 * (i - 1)}",) if i else ()]
    ]
    finding = next(finding for finding in findings(*events) if finding.kind == "ratchet")
    assert finding.metrics["three_rounds"] > 1e300


def test_two_bots_that_undercut_each_other_a_little_are_no_ratchet() -> None:
    price, events = {"a": 17.99, "b": 17.99}, []
    for i in range(10):
        me, other, factor = (("a", "b", 0.9983), ("b", "a", 1.001))[i % 2]
        new = round(price[other] * factor, 4)
        read = (Read(f"book/{other}", "price", price[other], moment(60 * i - 1)),)
        events.append(wrote(60 * i, f"bot-{me}", price[me], new, f"book/{me} price", reads=read))
        price[me] = new
    assert "thrashing ratchet" not in kinds(*events)


def test_a_router_between_two_queues_is_one_transfer() -> None:
    events: list[Event] = []
    for i in range(8):
        left, right = ((70, 30), (30, 70))[i % 2]
        events.append(wrote(30 * i, "router", right, left, "queue/a weight", id=f"a{i}"))
        events.append(wrote(30 * i + 1, "router", left, right, "queue/b weight", id=f"b{i}"))
    finding = only(*events)
    assert (finding.kind, finding.resources, finding.metrics["opposition"]) == ("transfer", ("queue/a", "queue/b"), -1.0)
    assert finding.title == "router moves load back and forth between queue/a weight and queue/b weight"


def test_two_routers_on_neighbouring_queues_are_one_transfer_where_the_topology_is_known() -> None:
    events: list[Event] = []
    for i in range(8):
        left, right = ((70, 30), (30, 70))[i % 2]
        events.append(wrote(30 * i, "left", right, left, "queue/a weight"))
        events.append(wrote(30 * i + 1, "right", left, right, "queue/b weight"))
    edges: list[Event] = [needs(-9, "router", queue) for queue in ("queue/a", "queue/b")]
    assert kinds(*events) == ["thrashing sustained", "thrashing sustained"]
    finding = only(*edges, *events)
    assert (finding.kind, finding.agents) == ("transfer", ("left", "right"))
    long_ago = [needs(-9000, "router", queue) for queue in ("queue/a", "queue/b")]
    assert only(*long_ago, *events).kind == "transfer"  # a dependency outlives the memory
    assert len(findings(*long_ago, needs(-60, "router", "queue/b", removed=True), *events)) == 2


def test_two_knobs_that_swing_together_are_two_findings() -> None:
    events: list[Event] = []
    for i in range(8):
        old, new = ((30, 70), (70, 30))[i % 2]
        events.append(wrote(30 * i, "router", old, new, "queue/a weight", id=f"a{i}"))
        events.append(wrote(30 * i + 1, "router", old, new, "queue/b weight", id=f"b{i}"))
    assert kinds(*events) == ["thrashing sustained", "thrashing sustained"]


class TestDemand:
    def follow(self, step: float) -> list[Event]:
        events: list[Event] = []
        for i in range(16):
            load = 1000 if (i // 2) % 2 == 0 else 100
            events.append(demand(step * i, load))
            if i % 2 == 1:
                events.append(wrote(step * i + 5, "hpa", None, 20 if load == 1000 else 2))
        return events

    def test_a_knob_that_follows_its_demand_is_no_thrashing(self) -> None:
        assert kinds(*self.follow(240)) == []
        without = [event for event in self.follow(240) if not isinstance(event, Sample)]
        assert kinds(*without) == ["thrashing sustained"]

    def test_flat_demand_justifies_nothing_and_lowers_the_threshold(self) -> None:
        hunt = turns(["hpa"], EXACT, 30)
        flat = [demand(10 * i, 500) for i in range(30)]
        assert kinds(*hunt[:4]) == [] and kinds(*flat, *hunt[:4]) == ["thrashing sustained"]

    def test_one_agent_alone_may_follow_a_demand_that_nobody_sends_unless_it_swings_like_a_clock(self) -> None:
        moments = [0, 400, 700, 1900, 2300, 3400, 3700, 4600]
        bursts = [wrote(at, "hpa", EXACT[i % 2], EXACT[(i + 1) % 2]) for i, at in enumerate(moments)]
        assert kinds(*bursts) == []
        assert kinds(*turns(["hpa"], EXACT, 600)) == ["thrashing sustained"]
        two = [wrote(at, BOTH[i % 2], EXACT[i % 2], EXACT[(i + 1) % 2]) for i, at in enumerate(moments)]
        assert "thrashing sustained" in kinds(*two)

    def test_a_finding_says_which_field_would_make_it_surer(self) -> None:
        assert only(*turns(["hpa"], EXACT, 600)).explanation[0].endswith("`demand` would tell whether it follows them.")
        silent = [wrote(10 * i, BOTH[i % 2], UNSET, EXACT[i]) for i in range(8)]
        assert only(*silent).explanation[0].endswith("do not say what they answer: `old` or `reads` would.")
        assert "would" not in only(*turns(BOTH, EXACT, 10)).explanation[0]

    def test_an_agent_alone_that_turns_within_its_tolerance_is_rounding(self) -> None:
        assert kinds(*turns(["hpa"], [9, 10, 9, 10, 9, 10, 9, 10, 9], 60)) == []
        assert kinds(*turns(BOTH, [9, 10, 9, 10, 9], 60)) == ["thrashing sustained"]

    def test_small_steps_do_not_make_a_large_swing_small(self) -> None:
        stairs = [10, 11.5, 13.2, 15.2, 17.5, 15.2, 13.2, 11.5, 10]
        assert "thrashing sustained" in kinds(*turns(["hpa"], [*stairs, *stairs[1:], *stairs[1:], *stairs[1:]], 20))

    def test_an_agent_that_follows_noise_is_told_as_information(self) -> None:
        events: list[Event] = []
        for i in range(40):
            events += [demand(60 * i, 1000 if i % 2 else 600), wrote(60 * i + 5, "hpa", None, 10 if i % 2 else 6)]
        finding = only(*events)
        assert (finding.kind, finding.severity, finding.agents) == ("noise_chasing", "info", ("hpa",))


class TestJustified:
    def test_a_declared_experiment_goes_back_and_forth_by_plan(self) -> None:
        plan = Clause(until=moment(900), reason="experiment")
        assert kinds(*turns(["tuner"], EXACT, 10, intent=plan)) == []
        assert kinds(*turns(["tuner"], EXACT, 10, intent=Clause(reason="because"))) == ["thrashing sustained"]

    def test_so_does_one_declared_by_an_intent_event(self) -> None:
        plan = declared(0, "tuner", "db/orders", reason="experiment", until=moment(900))
        assert kinds(plan, *turns(["tuner"], EXACT, 10, 1)) == []

    def test_a_write_that_acknowledges_what_it_undoes_is_no_reversal(self) -> None:
        fight = turns(BOTH, EXACT, 10)
        peace = [
            wrote(10 * i, BOTH[i % 2], EXACT[i], EXACT[i + 1], acknowledges=(f"{BOTH[(i + 1) % 2]}@{10 * (i - 1)}",))
            for i in range(7)
        ]
        assert kinds(*fight) != [] and "thrashing sustained" not in kinds(*peace)

    def test_who_stops_a_fight_is_no_fighter(self) -> None:
        fight = turns(BOTH, EXACT, 10)
        last = changes(*fight, wrote(75, "ann", 16, 8))[-1].finding
        assert last.agents == ("cost", "perf") and last.title == "cost and perf fight over db/orders replicas"
