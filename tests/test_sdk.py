"""The SDK, seen from an agent: what it fills in, what it carries along, and that it never gets in the way."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from interplay_sdk import JsonlSink, KafkaSink, Recorder

from models.decode import decode_event
from models.events import Action, Dependency, Event, Intent, Sample, Transition, Verdict


class Agent:
    """A recorder on a file, and what the file holds."""

    def __init__(self, path: Path, name: str = "perf") -> None:
        self.path = path
        self.rec = Recorder(agent=name, source=f"agents/{name}/1", sink=JsonlSink(path), mandate="keep p95 under 300 ms")

    def events(self) -> list[Event]:
        found = [decode_event(line) for line in self.path.read_bytes().splitlines()]
        assert all(isinstance(event, Event) for event in found), found
        return found  # type: ignore[return-value]

    def action(self, i: int = -1) -> Action:
        event = self.events()[i]
        assert isinstance(event, Action)
        return event


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path / "events.jsonl")


def test_every_kind_of_event_is_valid_by_the_contract(agent: Agent) -> None:
    rec = agent.rec
    rec.act(
        "scale", "db/orders", "replicas", old=8, new=16, version=3, why="p95 > 300", reads=[("db/orders", "p95", 840)], rollout="r1"
    )
    rec.sample("db/orders", "rps", 12, unit="1/s", role="demand")
    rec.transition("db/orders", "health", "ok", "bad", severity="warning", slo=True)
    rec.dependency("svc/cart", "db/orders")
    rec.intent("db/orders", "replicas", desired=16, until=time.time_ns() + 10**12, reason="freeze")
    rec.verdict("svc/cart", "r1", "fail")
    assert [type(event) for event in agent.events()] == [Action, Sample, Transition, Dependency, Intent, Verdict]
    action = agent.action(0)
    assert (action.agent, action.mandate, action.old, action.new, action.version) == ("perf", "keep p95 under 300 ms", 8, 16, 3)
    assert action.why is not None and action.why.rule == "p95 > 300" and action.reads[0].value == 840
    assert abs(action.time - time.time_ns()) < 5 * 10**9


def test_old_comes_from_a_getter_or_from_what_this_process_knows(agent: Agent) -> None:
    rec = agent.rec
    rec.act("scale", "db/a", "replicas", old=lambda: 4, new=8)
    rec.act("scale", "db/a", "replicas", new=16)
    rec.read("db/b", "replicas", 3)
    rec.act("scale", "db/b", "replicas", new=5)
    rec.act("scale", "db/c", "replicas", new=5, outcome="rejected")
    rec.act("scale", "db/c", "replicas", new=6)
    olds = [event.old for event in agent.events() if isinstance(event, Action)]
    assert olds[:3] == [4, 8, 3] and [str(old) for old in olds[3:]] == ["UNSET", "UNSET"]


def test_reads_belong_to_the_next_action_of_the_same_agent_and_context(agent: Agent) -> None:
    agent.rec.read("db/orders", "p95", 840, version=17)
    agent.rec.act("scale", "db/orders", "replicas", new=16)
    agent.rec.act("scale", "db/orders", "replicas", new=32)
    assert [len(event.reads) for event in agent.events() if isinstance(event, Action)] == [1, 0]
    assert agent.action(0).reads[0].version == 17


def test_a_tracked_client_remembers_what_was_read(agent: Agent) -> None:
    class Client:
        def replicas(self, name: str) -> int:
            return 4

        async def load(self) -> float:
            return 0.7

    client = agent.rec.track(
        Client(),
        {"replicas": lambda result, name: (name, "replicas", result), "load": lambda result: ("db/orders", "load", result)},
    )
    assert client.replicas("db/orders") == 4 and asyncio.run(_load(agent, client)) == 0.7
    assert [(read.metric, read.value) for read in agent.action().reads] == [("replicas", 4), ("load", 0.7)]


async def _load(agent: Agent, client: Any) -> float:
    load: float = await client.load()
    agent.rec.act("scale", "db/orders", "replicas", new=5)
    return load


def test_a_block_is_the_cause_of_what_happens_inside_across_tasks(agent: Agent, tmp_path: Path) -> None:
    other = Agent(tmp_path / "other.jsonl", "router")

    async def inner() -> None:
        other.rec.act("route", "edge/1", "share", new=0.5)

    async def outer() -> None:
        async with agent.rec.action("scale", "db/orders", "replicas", new=16):
            await asyncio.gather(inner(), inner())

    asyncio.run(outer())
    name = f"agents/perf/1 {agent.action().id}"
    assert [event.causes for event in other.events()] == [(name,), (name,)]
    assert agent.action().causes == () and agent.action().time <= other.events()[0].time


def test_causes_cross_processes_in_headers(agent: Agent) -> None:
    headers: dict[str, str] = {}
    with agent.rec.action("scale", "db/orders", "replicas", new=16) as act:
        agent.rec.inject(headers)
    with agent.rec.extract({"CausationId": headers["causationid"], "traceparent": "00-ab-cd-01"}):
        agent.rec.act("warm", "db/orders")
    assert agent.action().causes == (act.ref,) and agent.action().traceparent == "00-ab-cd-01"
    assert json.loads(headers["causationid"]) == [act.ref]


def test_a_new_thread_starts_without_causes(agent: Agent) -> None:
    with agent.rec.action("scale", "db/orders", "replicas", new=16):
        thread = threading.Thread(target=lambda: agent.rec.act("warm", "db/orders"))
        thread.start()
        thread.join()
    assert agent.action(0).causes == ()


def test_a_failure_inside_the_block_is_recorded_and_passes_on(agent: Agent) -> None:
    with pytest.raises(ConnectionError), agent.rec.action("scale", "db/orders", "replicas", old=8, new=16):
        raise ConnectionError
    assert agent.action().outcome == "failed"
    agent.rec.act("scale", "db/orders", "replicas", new=20)
    assert str(agent.action().old) == "UNSET"  # a failed write does not tell what stands


def test_nothing_raises_into_the_agent_and_trouble_is_counted_and_logged_once(
    agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> int:
        raise ConnectionError("no API")

    with caplog.at_level(logging.WARNING, "interplay_sdk"):
        assert agent.rec.act("scale", "", "replicas") == ""
        assert agent.rec.act("scale", 5, "replicas") == ""  # type: ignore[arg-type]
        agent.rec.act("scale", "db/orders", "replicas", old=broken, new={"an": object()})
        agent.rec.sample("db/orders", "rps", "many")  # type: ignore[arg-type]
    assert agent.rec.failed == 4 and len(caplog.records) == 1
    assert len(agent.events()) == 1
    agent.rec.close()
    agent.rec.act("scale", "db/orders", "replicas", new=1)
    assert agent.rec._sink.failed == 1


def test_without_a_broker_the_agent_goes_on_and_the_queue_is_bounded() -> None:
    sink = KafkaSink("127.0.0.1:1", queue=100)
    rec = Recorder(agent="perf", sink=sink)
    began = time.perf_counter()
    for i in range(1000):
        rec.act("scale", "db/orders", "replicas", new=i)
    assert time.perf_counter() - began < 2
    assert rec.dropped == 900 and rec.sent == 0
    rec.close(timeout_s=0.2)
    assert rec.dropped == 1000


@pytest.mark.kafka
def test_events_arrive_in_kafka_with_key_and_content_type_and_the_agent_waits_for_nothing(kafka: str) -> None:
    topic = f"sdk-{time.time_ns()}"
    asyncio.run(_create(kafka, topic))
    rec = Recorder(agent="perf", source="agents/perf/1", sink=KafkaSink(kafka, topic=topic))
    for i in range(500):
        rec.act("scale", f"db/{i % 3}", "replicas", new=i)
    rec.close(timeout_s=20)
    assert (rec.sent, rec.dropped, rec.failed) == (500, 0, 0)
    records = asyncio.run(_read(kafka, topic, 500))
    events = [decode_event(record.value) for record in records]
    assert sorted(event.new for event in events if isinstance(event, Action)) == list(range(500))
    assert {record.key for record in records} == {b"db/0", b"db/1", b"db/2"}
    assert records[0].headers == (("content-type", b"application/cloudevents+json"),)


async def _create(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()


async def _read(bootstrap: str, topic: str, count: int) -> list[Any]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        return [await asyncio.wait_for(consumer.getone(), 20) for _ in range(count)]
    finally:
        await consumer.stop()
