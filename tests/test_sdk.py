"""The SDK, seen from an agent: what it fills in, what it carries along, and that whatever it sends is valid by the contract."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interplay_sdk import JsonlSink, KafkaSink, Recorder
from interplay_sdk.contract import ActionFields
from interplay_sdk.shapes import LATEST, Unfit, moment

from models.decode import Rejection, decode_event
from models.events import Action, Dependency, Event, Intent, Sample, Transition, Verdict
from models.instants import parse_time


class Agent:
    """A recorder on a file, and what the file holds."""

    def __init__(self, path: Path, name: str = "perf") -> None:
        self.path = path
        self.rec = Recorder(agent=name, source=f"agents/{name}/1", sink=JsonlSink(path), mandate="keep p95 under 300 ms")

    def events(self) -> list[Event]:
        lines = self.path.read_bytes().splitlines() if self.path.exists() else []
        found = [decode_event(line) for line in lines]
        assert not [event for event in found if isinstance(event, Rejection)], found
        return found  # type: ignore[return-value]

    def actions(self) -> list[Action]:
        return [event for event in self.events() if isinstance(event, Action)]


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path / "events.jsonl")


def unset(value: object) -> bool:
    return str(value) == "UNSET"


def test_every_kind_of_event_is_valid_and_says_what_was_said(agent: Agent) -> None:
    rec, soon = agent.rec, time.time_ns() + 10**12
    rec.act(
        "scale", "db/orders", "replicas", old=8, new=16, version=3, why="p95 > 300", reads=[("db/orders", "p95", 840)], rollout="r1"
    )
    rec.sample("db/orders", "rps", 12, unit="1/s", role="demand")
    rec.transition("db/orders", "health", "ok", "bad", severity="warning", slo=True)
    rec.dependency("svc/cart", "db/orders")
    rec.intent("db/orders", "replicas", desired=16, until=soon, reason="freeze")
    rec.verdict("svc/cart", "r1", "fail")
    action, sample, transition, dependency, intent, verdict = agent.events()
    assert isinstance(action, Action) and isinstance(sample, Sample) and isinstance(transition, Transition)
    assert isinstance(dependency, Dependency) and isinstance(intent, Intent) and isinstance(verdict, Verdict)
    assert (action.agent, action.mandate, action.old, action.new, action.version) == ("perf", "keep p95 under 300 ms", 8, 16, 3)
    assert action.why is not None and action.why.rule == "p95 > 300" and action.reads[0].value == 840
    assert abs(action.time - time.time_ns()) < 5 * 10**9 and action.reads[0].time is not None
    assert (sample.metric, sample.value, sample.unit, sample.role) == ("rps", 12.0, "1/s", "demand")
    assert (transition.before, transition.after, transition.slo) == ("ok", "bad", True)
    assert (dependency.dependent, dependency.dependency) == ("svc/cart", "db/orders")
    assert (intent.desired, intent.until, intent.reason) == (16, soon, "freeze") and verdict.verdict == "fail"
    assert rec.failed == 0 and len({event.id for event in agent.events()}) == 6


def test_everything_that_an_action_may_say_arrives(agent: Agent) -> None:
    clause = {
        "until": datetime(2100, 1, 1, tzinfo=UTC),
        "expects": [{"resource": "db/orders", "metric": "cpu", "direction": "down", "max_ratio": 0.5}],
        "abort_if": [{"resource": "db/orders", "metric": "errors", "op": ">", "value": 0.05}],
        "reason": "canary",
        "handoff_to": ["router"],
    }
    agent.rec.act(
        "scale",
        "db/orders",
        new={"b", "a"},
        intent=clause,
        constraints=[{"name": "max_cost", "priority": 2, "value": 40000}],
        alternatives=["throttle", {"verb": "shed", "reason_rejected": "forbidden"}],
        acknowledges=["s/1 a1"],
        deletes=["dns/plan/100"],
        owner="deploy/perf",
        outcome="considered",
        time="2026-11-24T02:17:06.123456789+01:00",
    )
    (action,) = agent.actions()
    assert action.parameter == "scale" and action.new == ("a", "b") and action.intent is not None
    assert action.intent.until == parse_time("2100-01-01T00:00:00Z") and action.intent.handoff_to == ("router",)
    assert action.intent.expects[0].max_ratio == 0.5 and action.intent.abort_if[0].op == ">"
    assert action.constraints[0].priority == 2 and [each.verb for each in action.alternatives] == ["throttle", "shed"]
    assert (action.acknowledges, action.deletes, action.owner) == (("s/1 a1",), ("dns/plan/100",), "deploy/perf")
    assert action.outcome == "considered" and action.time == parse_time("2026-11-24T01:17:06.123456789Z")


def test_old_comes_from_a_getter_or_from_what_this_recorder_knows(agent: Agent) -> None:
    rec = agent.rec
    rec.act("scale", "db/a", "replicas", old=lambda: 4, new=8)
    rec.act("scale", "db/a", "replicas", new=16)
    rec.read("db/b", "replicas", 3)
    rec.act("scale", "db/b", "replicas", new=5)
    rec.act("scale", "db/c", "replicas", new=5, outcome="rejected")
    rec.act("scale", "db/c", "replicas", new=6)
    rec.act("scale", "db/d", "replicas", old=None, new=6)
    olds = [action.old for action in agent.actions()]
    assert olds[:3] == [4, 8, 3] and [unset(old) for old in olds[3:5]] == [True, True] and olds[5] is None


def test_an_async_getter_is_awaited_by_an_async_block(agent: Agent) -> None:
    async def replicas() -> int:
        return 4

    async def scale() -> None:
        async with agent.rec.action("scale", "db/orders", "replicas", old=replicas, new=8):
            pass

    asyncio.run(scale())
    agent.rec.act("scale", "db/other", "replicas", old=replicas, new=8)  # a plain call cannot wait: unknown, and counted
    assert agent.actions()[0].old == 4 and unset(agent.actions()[1].old) and agent.rec.failed == 1


def test_reads_belong_to_the_next_action_of_the_same_agent_and_context(agent: Agent, tmp_path: Path) -> None:
    other = Recorder(agent="router", source="agents/router/1", sink=agent.rec._sink)
    agent.rec.read("db/orders", "p95", 700)
    agent.rec.read("db/orders", "p95", 840, version=17)  # polling: the newest counts
    other.act("route", "edge/1", "share", new=0.5)
    agent.rec.act("scale", "db/orders", "replicas", new=16)
    agent.rec.act("scale", "db/orders", "replicas", new=32)
    assert [[(read.value, read.version) for read in action.reads] for action in agent.actions()] == [[], [(840, 17)], []]


def test_reads_before_a_block_are_the_blocks_and_not_of_what_happens_inside(agent: Agent) -> None:
    agent.rec.read("db/orders", "p95", 840)
    with agent.rec.action("plan", "db/orders"):
        agent.rec.act("scale", "db/orders", "replicas", new=16)
    reads = {action.verb: len(action.reads) for action in agent.actions()}
    assert reads == {"scale": 0, "plan": 1}


def test_reads_of_concurrent_tasks_stay_apart_unless_they_are_one_decision(agent: Agent) -> None:
    async def decide(name: str) -> None:
        agent.rec.read(name, "load", 1)
        await asyncio.sleep(0)
        agent.rec.act("scale", name, "replicas", new=2)

    async def look(name: str) -> None:
        agent.rec.read(name, "load", 1)

    async def main() -> None:
        await asyncio.gather(decide("a"), decide("b"))
        with agent.rec.decision():
            await asyncio.gather(look("c"), asyncio.to_thread(agent.rec.read, "d", "load", 1))
            agent.rec.act("scale", "both", "replicas", new=2)
            agent.rec.act("scale", "too", "replicas", new=2)
        agent.rec.act("scale", "after", "replicas", new=2)

    asyncio.run(main())
    reads = {action.resource: {read.resource for read in action.reads} for action in agent.actions()}
    assert reads == {"a": {"a"}, "b": {"b"}, "both": {"c", "d"}, "too": {"c", "d"}, "after": set()}


def test_a_tracked_client_remembers_what_was_read(agent: Agent) -> None:
    class Client:
        timeout = 3

        def replicas(self, name: str) -> int:
            return 4

        async def load(self) -> float:
            return 0.7

        def broken(self) -> int:
            raise ConnectionError("the client's own")

    real = Client()
    client = agent.rec.track(
        real,
        {
            "replicas": lambda result, name: (name, "replicas", result),
            "load": lambda result: ("db/orders", "load", result),
            "broken": lambda result: ("db/orders", "broken", result),
        },
    )

    async def load_and_act() -> float:
        load = await client.load()
        agent.rec.act("scale", "db/orders", "replicas", new=5)
        return load

    assert client.replicas("db/orders") == 4 and asyncio.run(load_and_act()) == 0.7
    client.timeout = 9
    with pytest.raises(ConnectionError):
        client.broken()
    (action,) = agent.actions()
    assert [(read.metric, read.value) for read in action.reads] == [("replicas", 4), ("load", 0.7)]
    assert action.old == 4 and real.timeout == 9 and agent.rec.failed == 0


def test_a_block_is_the_cause_of_what_happens_inside_across_tasks_and_threads(agent: Agent, tmp_path: Path) -> None:
    other = Agent(tmp_path / "other.jsonl", "router")

    def route(name: str) -> None:
        with other.rec.action("route", name):
            other.rec.act("warm", name)

    async def main() -> str:
        async with agent.rec.action("scale", "db/orders", "replicas", new=16) as act:
            thread = threading.Thread(target=contextvars.copy_context().run, args=(route, "c"))
            thread.start()
            await asyncio.gather(asyncio.to_thread(route, "a"), asyncio.to_thread(route, "b"))
            thread.join()
        return act.ref

    scale = asyncio.run(main())
    by = {(action.verb, action.resource): action for action in other.actions()}
    for name in "abc":
        assert by["route", name].causes == (scale,)
        assert by["warm", name].causes == (f"agents/router/1 {by['route', name].id}",)
        assert agent.actions()[0].time <= by["route", name].time <= by["warm", name].time
    assert agent.actions()[0].causes == ()


def test_a_new_thread_starts_without_causes(agent: Agent) -> None:
    with agent.rec.action("scale", "db/orders", "replicas", new=16):
        thread = threading.Thread(target=lambda: agent.rec.act("warm", "db/orders"))
        thread.start()
        thread.join()
    assert agent.actions()[0].causes == ()


def test_causes_cross_processes_in_headers(agent: Agent) -> None:
    calls: dict[str, str] = {}
    record: list[tuple[str, bytes]] = []
    with agent.rec.action("scale", "db/ördërs", "replicas", new=16) as act:
        agent.rec.inject(calls)
        with agent.rec.extract({"traceparent": "00-ab-cd-01"}), agent.rec.caused_by(act.ref, "s/2 b"):
            agent.rec.inject(record)
    assert calls == {"causationid": json.dumps([act.ref])} and calls["causationid"].isascii()
    with agent.rec.extract({"CausationId": calls["causationid"]}):
        agent.rec.act("one", "db/orders")
    with agent.rec.extract(record):
        agent.rec.act("two", "db/orders", causes="s/3 c")
    with agent.rec.extract({"causationid": "s/1 plain"}):
        agent.rec.act("three", "db/orders")
    by = {action.verb: action for action in agent.actions()}
    assert by["one"].causes == (act.ref,) and by["three"].causes == ("s/1 plain",)
    assert by["two"].causes == ("s/3 c", act.ref, "s/2 b") and by["two"].traceparent == "00-ab-cd-01"


def test_a_failure_inside_the_block_is_recorded_and_passes_on(agent: Agent) -> None:
    with pytest.raises(ConnectionError), agent.rec.action("scale", "db/orders", "replicas", old=8, new=16):
        raise ConnectionError
    agent.rec.act("scale", "db/orders", "replicas", new=20)
    failed, next_one = agent.actions()
    assert failed.outcome == "failed" and unset(next_one.old)  # a failed write does not tell what stands


def test_a_cancelled_block_is_recorded_as_failed(agent: Agent) -> None:
    async def main() -> None:
        async def scale() -> None:
            async with agent.rec.action("scale", "db/orders", "replicas", new=16):
                await asyncio.sleep(60)

        task = asyncio.create_task(scale())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert agent.actions()[0].outcome == "failed"


def test_what_is_known_inside_the_block_is_added_and_a_long_block_says_when_it_is_done(tmp_path: Path) -> None:
    now = [10**18]
    rec = Recorder(agent="perf", source="s/1", sink=JsonlSink(tmp_path / "x"), clock=lambda: now[0])
    with rec.action("scale", "short", "replicas") as act:
        now[0] += 10**9
        act.set(new=16, version=3)
    with rec.action("scale", "long", "replicas", new=1):
        now[0] += 60 * 10**9
    with rec.action("scale", "done", "replicas") as act:
        act.done(new=2)
        now[0] += 60 * 10**9
        rec.act("warm", "done")
    short, long, done, warm = (decode_event(line) for line in (tmp_path / "x").read_bytes().splitlines())
    assert isinstance(short, Action) and (short.new, short.version, short.time) == (16, 3, 10**18)
    assert long.time == 10**18 + 61 * 10**9  # at its end: at its beginning it would be late
    assert done.time == long.time and isinstance(warm, Action) and warm.causes == (f"s/1 {done.id}",)


class Size(Enum):
    BIG = "big"


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        (Size.BIG, "big"),
        (Decimal("0.25"), 0.25),
        (1 << 70, float(1 << 70)),
        ("\ud800", "?"),
        ((1, "a", None), (1, "a", None)),
        (frozenset({2, 1}), (1, 2)),
        (Path("/etc/x"), "/etc/x"),
        (True, True),
    ],
)
def test_values_are_sent_as_the_contract_has_them(agent: Agent, said: Any, sent: Any) -> None:
    agent.rec.act("set", "db/orders", "knob", new=said)
    assert agent.actions()[0].new == sent and agent.rec.failed == 0


def test_nothing_raises_into_the_agent_and_trouble_is_counted_and_logged_once_per_kind(
    agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    rec: Any = agent.rec

    def broken() -> int:
        raise ConnectionError("no API")

    with caplog.at_level(logging.WARNING, "interplay_sdk"):
        assert rec.act("scale", "", "replicas") == rec.act("scale", 5, "replicas") == rec.act() == ""
        with rec.action("scale", ["unhashable"], "replicas", new=1), rec.action(), rec.caused_by(5), rec.extract(None):
            rec.act("scale", "db/orders", "replicas", old=broken, new={"an": object()}, causes=7, no_such=3, outcome="done")
        rec.sample("db/orders", "rps", float("nan"))
        rec.verdict("db/orders", "r1", "perhaps")
        rec.inject(None)
        rec.read()
        before = len(caplog.records), rec.failed
        rec.sample("db/orders", "rps", float("inf"))
    assert (len(caplog.records), rec.failed) == (before[0], before[1] + 1)
    (action,) = agent.actions()
    assert unset(action.old) and unset(action.new) and action.outcome == "failed"
    rec.close()
    rec.act("scale", "db/orders", "replicas", new=1)
    assert rec.dropped == 1


def test_a_file_that_cannot_be_written_is_counted(tmp_path: Path) -> None:
    rec = Recorder(agent="perf", sink=JsonlSink(tmp_path / "no" / "such" / "folder"))
    rec.act("scale", "db/orders")
    assert (rec.sent, rec.failed) == (0, 1)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3) | st.datetimes(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resource", "metric", "value", "op", "rule", "until", "name", "time"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
FIELDS = [*ActionFields.__annotations__, "no_such_field"]


@given(more=st.dictionaries(st.sampled_from(FIELDS), junk, max_size=6), resource=st.text(max_size=5), other=junk)
def test_whatever_is_given_what_is_sent_is_valid(more: dict[str, Any], resource: str, other: Any) -> None:
    seen: list[bytes] = []
    sink = JsonlSink("/dev/null")
    sink._write = seen.append  # type: ignore[method-assign]
    rec: Any = Recorder(agent="perf", source="s/1", sink=sink)
    rec.read(other, other, other)
    with rec.action("scale", "db/orders", "replicas", **more):
        rec.act("scale", resource, other, **more)
    rec.sample(resource, "rps", other, other, other, time=other)
    rec.transition(resource, resource, other, other, severity=other, text=other, slo=other)
    rec.dependency(resource, "db/orders", other, weight=other, until=other, removed=other)
    rec.intent("db/orders", other, desired=other, until=other, reason=other, closed=other)
    rec.verdict("db/orders", resource, "pass", other)
    assert seen  # the first action at least is always recorded
    assert not [event for event in map(decode_event, seen) if isinstance(event, Rejection)]


@given(nanos=st.integers(-(10**9), LATEST + 10**9))
def test_a_time_in_nanoseconds_is_the_analyzers_time(nanos: int) -> None:
    if 0 <= nanos < LATEST:
        assert parse_time(moment(nanos, print)) == nanos
    else:
        with pytest.raises(Unfit):
            moment(nanos, print)


def test_threads_share_a_recorder(agent: Agent) -> None:
    def work() -> None:
        for i in range(200):
            agent.rec.act("scale", "db/orders", "replicas", new=i)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({event.id for event in agent.events()}) == 1600 == agent.rec.sent


def test_a_shared_sink_is_closed_with_its_last_recorder(tmp_path: Path) -> None:
    sink = JsonlSink(tmp_path / "x")
    first, second = Recorder(agent="a", sink=sink), Recorder(agent="b", sink=sink)
    first.close()
    first.close()
    second.act("scale", "db/orders")
    assert (sink.sent, sink.dropped) == (1, 0)
    second.close()
    second.act("scale", "db/orders")
    assert (sink.sent, sink.dropped) == (1, 1)


def test_the_default_source_names_the_instance() -> None:
    rec = Recorder(agent="perf", sink=KafkaSink("127.0.0.1:1"))
    assert rec.source.startswith("agents/perf/") and " " not in rec.source
