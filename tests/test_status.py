"""`interplay status` on a real broker: healthy, behind, blind, empty, without topics; and how facts become sentences."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from fights import finding, resolved
from msgspec.structs import replace

from models.configuration import StreamTime
from models.events import Action, Read, Tick, encode_signal
from models.findings import encode_finding
from models.instants import HOUR, MINUTE, SECOND
from models.recovery import Stage, encode_progress
from models.stream_time import BEFORE_ALL
from streams.settings import Settings, topic
from streams.status.facts import Coverage, DeadLetters, OpenFindings, Report, RoleLag, Source, Watermark
from streams.status.reading import read_report
from streams.status.telling import blind_spots, knowns, tables, wrongs

NOW = time.time_ns()
TIME = StreamTime()


def action(number: int, **fields: object) -> Action:
    plain = Action(
        time=NOW - number * SECOND,
        source=f"agents/{number % 2}",
        id=f"a{number}",
        agent=f"agent-{number % 2}",
        verb="scale",
        parameter="replicas",
        resource="db/orders",
    )
    return replace(plain, **fields)


async def fill(
    settings: Settings, records: list[tuple[str, bytes | None, bytes | None]], committed: dict[str, dict[str, int]]
) -> None:
    """Creates the topics, writes the records (topic, key, value) and commits offsets for groups."""
    bootstrap = settings.kafka.bootstrap
    names = ("events", "telemetry", "signals", "findings", "progress", "dead-letters")
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic(settings, name), 1, 1) for name in names])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    for name, key, value in records:
        headers = [("reason", b"not-json")] if name == "dead-letters" else []
        await producer.send_and_wait(topic(settings, name), value, key, partition=0, headers=headers)
    await producer.stop()
    for group, offsets in committed.items():
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=topic(settings, group), enable_auto_commit=False)
        await consumer.start()
        partitions = {TopicPartition(topic(settings, name), 0): offset for name, offset in offsets.items()}
        consumer.assign(list(partitions))
        await consumer.commit(partitions)
        await consumer.stop()


def progress(settings: Settings, tick: Tick) -> bytes:
    stage = Stage(settings.analysis, (tick.partition,))
    stage.feed(0, tick)
    return encode_progress(stage.progress())


@pytest.mark.kafka
def test_a_living_installation_is_read(kafka_settings: Settings) -> None:
    settings = kafka_settings
    source = topic(settings, "events") + "/0"
    tick = Tick(partition=source, watermark=NOW - 11 * SECOND, mode="clock", delay=SECOND, now=NOW)
    full = {"old": 1, "new": 2, "reads": (Read("db/orders", "cpu", 0.9),)}
    signals = [action(3, **full), action(2, **full), action(1, late=True, causes=("agents/0 a2",)), tick]
    records: list[tuple[str, bytes | None, bytes | None]] = [("events", None, b"{}")] * 5
    records += [("signals", None, encode_signal(signal)) for signal in signals]
    first, gone = finding(1, finding_id="f_1"), resolved(2, NOW, finding_id="f_2")
    records += [
        ("findings", b"f_1", encode_finding(replace(first, revision=2, title="newest words"))),
        ("findings", b"f_1", encode_finding(first)),  # an old owner writes late: the higher revision stands
        ("findings", b"f_2", encode_finding(gone)),
        ("findings", b"f_3", encode_finding(finding(1, finding_id="f_3"))),
        ("findings", b"f_3", None),
        ("progress", b"0", progress(settings, tick)),
        ("dead-letters", None, b"junk"),
    ]
    committed = {
        "reduce": {"events": 2},
        "analyze": {"signals": 4},
        "store": {"signals": 4, "findings": 5},
        "alert": {"findings": 5},
    }
    asyncio.run(fill(settings, records, committed))
    report = asyncio.run(read_report(settings, NOW + 2 * SECOND))
    assert report.troubles == ()
    assert {lag.role: (lag.lag, lag.partitions) for lag in report.lags} == {
        "reduce": (3, 2),
        "analyze": (0, 1),
        "store": (0, 2),
        "alert": (0, 1),
    }
    assert report.lags[0].oldest is not None and report.lags[0].oldest < MINUTE
    assert report.coverage == Coverage(
        signals=4, events=3, actions=3, with_old=2, with_reads=2, with_causes=1, late=1, agents=2, newest=NOW - SECOND
    )
    assert [(s.partition, s.mode, s.told) for s in report.sources] == [(source, "clock", NOW)]
    (mark,) = report.watermarks
    assert (mark.held, mark.holding) == (NOW - 11 * SECOND, f"{source} (clock)")
    assert report.findings == OpenFindings(open={"thrashing/sustained": 1}, titles=("newest words",), resolved=1, gone=1)
    assert report.dead_letters == DeadLetters(kept=1, recent=1, reasons={"not-json": 1})


@pytest.mark.kafka
def test_topics_that_are_missing_are_told_part_by_part(kafka_settings: Settings) -> None:
    report = asyncio.run(read_report(kafka_settings, NOW))
    assert len(report.troubles) == 5  # one for each topic
    prefix = topic(kafka_settings, "findings")
    assert f"How far the role alert is and what was found cannot be told: the topic {prefix} does not exist" in " ".join(
        report.troubles
    )
    assert all(trouble.endswith("does not exist; run interplay init.") for trouble in report.troubles)


@pytest.mark.kafka
def test_an_installation_that_has_seen_nothing(kafka_settings: Settings) -> None:
    asyncio.run(fill(kafka_settings, [], {}))
    report = asyncio.run(read_report(kafka_settings, NOW))
    assert report.troubles == ()
    assert report.coverage == Coverage()
    assert "Why it found nothing: no agent's action has arrived (interplay.action.v1)." in knowns(report)


HEALTHY = Report(
    now=NOW,
    lags=(RoleLag(role="reduce", partitions=2, begun=2, lag=3, oldest=SECOND, members=1),),
    watermarks=(Watermark(partition=0, held=NOW - 11 * SECOND, holding="i.events/0 (clock)", written=NOW),),
    sources=(Source(partition="i.events/0", mode="clock", watermark=NOW - 11 * SECOND, delay=0, told=NOW),),
    coverage=Coverage(signals=900, events=100, actions=100, with_old=90, with_reads=80, with_causes=0, agents=3),
    dead_letters=DeadLetters(kept=7),
    findings=OpenFindings(),
    store="ClickHouse at ch:8123",
)


def test_health_is_told_without_a_wrong() -> None:
    assert wrongs(HEALTHY, TIME) == []
    told = " ".join(knowns(HEALTHY))
    assert "11s ago; what holds it: i.events/0 (clock)." in told
    assert "Of the newest 100 actions, by 3 agents, 90% carry old, 80% carry reads, 0% carry causes." in told
    assert "0 findings open, 0 resolved. Why it found nothing: as far as the newest events show" in told
    assert "7 dead letters." in told
    roles, sources = tables(HEALTHY)
    assert roles.splitlines()[2].split() == ["reduce", "1", "2", "3", "1s"]
    assert sources.splitlines()[2].split() == ["i.events/0", "clock", "11s", "under", "1s", "under", "1s"]


def test_a_role_that_has_just_been_started_is_no_wrong() -> None:
    begun = RoleLag(role="reduce", partitions=20, begun=0, lag=3772, oldest=5 * SECOND, members=1)
    assert wrongs(replace(HEALTHY, lags=(begun,)), TIME) == []
    (sentence,) = wrongs(replace(HEALTHY, lags=(replace(begun, oldest=2 * MINUTE),)), TIME)
    assert "runs but has committed nothing and 3,772 records wait, the oldest for 2m" in sentence


def test_why_nothing_was_found_is_true() -> None:
    seen = replace(HEALTHY.coverage, newest=NOW - 11 * SECOND + HOUR)  # an old log: the slowest partition holds the others
    told = " ".join(knowns(replace(HEALTHY, coverage=seen)))
    assert "it is not there yet" in told and "1h after what is analysed" in told and "undone each other" not in told
    unset = tuple(replace(mark, held=None) for mark in HEALTHY.watermarks)
    told = " ".join(knowns(replace(HEALTHY, watermarks=unset)))
    assert "Why it found nothing: nothing has been analysed yet." in told
    told = " ".join(knowns(replace(HEALTHY, findings=OpenFindings(gone=8))))
    assert "0 findings open, 0 resolved, 8 resolved long ago: `interplay query` has them." in told and "Why" not in told


STORE = RoleLag(role="store", partitions=2, begun=2, lag=9, oldest=HOUR, members=1)
SOURCE = Source(partition="i.events/0", mode="clock", watermark=NOW, delay=0, told=NOW - HOUR)
MARK = Watermark(partition=2, held=NOW, holding="i.events/1 has not been heard of", written=NOW - HOUR)
SEEN = Coverage(events=100, actions=100, with_old=50, with_reads=50)


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("lags", (replace(STORE, members=0),), "No store worker is running and 9 records wait, the oldest for 1h"),
        ("lags", (replace(STORE, members=None, begun=0),), "has never committed anything and 9 records wait"),
        (
            "lags",
            (replace(STORE, begun=0),),
            "store runs but has committed nothing and 9 records wait, the oldest for 1h: see its log. Is ClickHouse at ch:8123 up?",
        ),
        (
            "lags",
            (replace(STORE, role="analyze", begun=0),),
            "analyze runs but has committed nothing and 9 records wait, the oldest for 1h: see its log.",
        ),
        ("lags", (STORE,), "behind and 9 records wait, the oldest for 1h"),
        ("sources", (SOURCE,), "1 of 1 source partitions have not been told of for up to 1h, i.events/0 among them"),
        ("watermarks", (replace(MARK, held=None),), "2 cannot move: i.events/1 has not been heard of"),
        (
            "watermarks",
            tuple(replace(MARK, held=None, partition=n) for n in (0, 1, 3)),
            "Signals partitions 0-1, 3 cannot move: i.events/1",
        ),
        ("watermarks", (MARK, replace(MARK, partition=3)), "Signals partitions 2-3 have written no progress for 1h"),
        ("watermarks", (MARK,), "2 has written no progress for 1h"),
        ("coverage", replace(SEEN, late=6), "6 of the newest 100 events came too late"),
        ("dead_letters", DeadLetters(kept=5, recent=2), "2 records became dead letters"),
    ],
)
def test_each_thing_that_can_be_wrong_has_its_sentence(part: str, value: object, words: str) -> None:
    (sentence,) = wrongs(replace(HEALTHY, **{part: value}), TIME)
    assert words in sentence


@pytest.mark.parametrize(
    ("seen", "words"), [(replace(SEEN, with_old=5), "blind to who undoes whom"), (replace(SEEN, with_reads=5), "blind to causes")]
)
def test_what_events_do_not_say_is_told_and_is_no_fault(seen: Coverage, words: str) -> None:
    report = replace(HEALTHY, coverage=seen)
    (sentence,) = blind_spots(report)
    assert words in sentence and wrongs(report, TIME) == [] and blind_spots(HEALTHY) == []


def test_a_new_installation_without_events_is_healthy() -> None:
    source = Source(partition="i.events/0", mode="empty", watermark=BEFORE_ALL, delay=0, told=NOW)
    marks = tuple(Watermark(partition=n, held=None, holding="every partition is empty", written=NOW) for n in range(4))
    new = replace(HEALTHY, watermarks=marks, sources=(source,), coverage=Coverage(signals=9))
    assert wrongs(new, TIME) == []
    assert knowns(new)[0] == "No event has arrived yet: the source topics are empty."
    assert tables(new)[1].splitlines()[2].split()[:3] == ["i.events/0", "empty", "-"]
    stuck = replace(new, coverage=Coverage(signals=9, events=1))
    assert wrongs(stuck, TIME) == ["Signals partitions 0-3 cannot move: every partition is empty."]


def test_signals_partitions_that_stand_alike_share_a_sentence() -> None:
    marks = tuple(replace(HEALTHY.watermarks[0], partition=n) for n in range(4))
    assert knowns(replace(HEALTHY, watermarks=marks))[0].startswith("Signals partitions 0-3 are analysed up to ")


def test_a_watermark_that_was_never_set_is_not_a_time() -> None:
    stage = Stage(Settings().analysis, ("i.events/0", "i.events/1"))
    assert stage.progress().watermark.held == BEFORE_ALL
    report = replace(
        HEALTHY, watermarks=(Watermark(partition=0, held=None, holding="i.events/1 has not been heard of", written=NOW),)
    )
    assert all("analysed up to" not in sentence for sentence in knowns(report))
