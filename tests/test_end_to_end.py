"""Events in Kafka, findings out of Kafka, through real worker processes: the same as the core alone finds in the same events."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from aiokafka import ConsumerRecord, TopicPartition
from broken_records import broken
from histories import SETTINGS, history
from live_path import LivePath, expected, until
from real_alertmanager import BINARY, MISSING, RealAlertmanager, Receiver
from wire_events import cloudevent

from models.decode import decode_event
from models.events import Action, AnyEvent, Event
from models.instants import HOUR, SECOND
from streams.kafka_client import read_all
from streams.settings import Alert, Settings, topic
from streams.writing import Outgoing

pytestmark = pytest.mark.kafka


def test_the_events_of_these_tests_survive_the_wire() -> None:
    events = [event for seed in (3, 7, 11) for event in history(seed, events=600)]
    assert {type(event) for event in events} == set(get_args(AnyEvent))
    for event in events:
        assert decode_event(cloudevent(event)) == event


def test_a_backfill_gives_the_findings_of_the_core(kafka_settings: Settings, tmp_path: Path) -> None:
    events: list[Event] = history(7, events=400)
    assert len(expected(events)) > 20
    with LivePath(kafka_settings, tmp_path) as path:
        path.write(path.records(events))
        workers = path.start("reduce", "analyze", "store", "alert")
        path.await_findings(events)
        path.await_rows(events)  # through the endpoint of the worker that has the store open
        assert [worker.stop() for worker in workers] == [0, 0, 0, 0]
        path.await_rows(events)


async def letters(settings: Settings) -> list[ConsumerRecord]:
    found: list[ConsumerRecord] = []
    async for _, records, _ in read_all(settings.kafka, [TopicPartition(topic(settings, "dead-letters"), 0)]):
        found += records
    return found


def bad_records() -> Iterator[tuple[bytes, list[tuple[str, bytes]], str, bytes]]:
    """(value, headers, reason, value of the letter): the corpus, a large one, one from the future, and one bad element of a batch."""
    for _, value, headers, reason in broken():
        if reason not in ("too_large", "batch_not_array") and not value.lstrip().startswith(b"["):
            yield value, headers, reason, value
    large = b"x" * 10_000_000
    yield large, [], "too_large", large[: 64 * 1024]
    ahead = cloudevent(msgspec.structs.replace(history(1)[0], time=time.time_ns() + HOUR))
    yield ahead, [], "time_ahead", ahead
    good = cloudevent(history(1)[0])
    yield b"[" + good + b', {"specversion": "1.0"}, ' + good + b"]", [], "missing_field", b'{"specversion": "1.0"}'


def test_broken_records_become_dead_letters_and_the_good_ones_are_unharmed(kafka_settings: Settings, tmp_path: Path) -> None:
    events, bad = history(7, events=200), list(bad_records())
    assert len(bad) > 200
    with LivePath(kafka_settings, tmp_path) as path:
        good = path.records(events)
        mixed: list[Outgoing] = []
        for number, record in enumerate(good):
            mixed += [(1, None, value, headers) for value, headers, _, _ in bad[number :: len(good)]]
            mixed.append(record)
        path.write(mixed)
        path.start("reduce", "analyze")
        path.await_findings([*events, history(1)[0]])
        found = asyncio.run(letters(path.settings))
    placed = {int(dict(letter.headers)["offset"]): letter for letter in found}
    assert len(placed) == len(found) == len(bad)
    there = [record for record in mixed if record[0] == 1]  # the offsets of partition 1 are the places in this list
    wanted = {(value, tuple(headers)): (reason, kept) for value, headers, reason, kept in bad}
    for offset, letter in placed.items():
        headers = dict(letter.headers)
        _, _, value, sent = there[offset]
        reason, kept = wanted[value or b"", tuple(sent)]
        assert (headers["reason"].decode(), letter.value) == (reason, kept)
        assert (headers["topic"].decode(), headers["partition"]) == (topic(path.settings, "events"), b"1")
    (large,) = [letter for letter in found if dict(letter.headers)["reason"] == b"too_large"]
    told = dict(large.headers)
    assert (told["length"], told["sha256"]) == (b"10000000", hashlib.sha256(b"x" * 10_000_000).hexdigest().encode())


def fight(begin: int) -> Iterator[Event]:
    """Two agents, one knob, a write every half second."""
    for number in range(8):
        yield Action(
            time=begin + number * SECOND // 2, source=f"agents/{number % 2}", id=f"a{number}", domain="live", resource="db/orders",
            agent=("perf", "cost")[number % 2], verb="scale", parameter="replicas", old=(8, 16)[number % 2], new=(16, 8)[number % 2],
        )  # fmt: skip


@pytest.mark.skipif(BINARY is None, reason=MISSING)
def test_a_live_fight_rings_while_it_goes_on_also_beside_empty_partitions(kafka_settings: Settings, tmp_path: Path) -> None:
    receiver = Receiver()
    manager = RealAlertmanager(tmp_path, receiver)
    manager.start()
    analysis = msgspec.structs.replace(SETTINGS, time=msgspec.structs.replace(SETTINGS.time, lateness=SECOND))
    alert = Alert(alertmanager=manager.url, min_severity="info", min_confidence=0.1)
    try:
        with LivePath(kafka_settings, tmp_path) as path:
            path.settings = msgspec.structs.replace(path.settings, analysis=analysis, alert=alert)
            path.start("reduce", "analyze", "store", "alert")
            for event in fight(time.time_ns()):
                path.write([(0, None, cloudevent(event), [])])  # partition 1 stays empty
                time.sleep(max(0.0, (event.time - time.time_ns()) / 1e9))
            until(lambda: any(ids for _, ids in receiver.rings("live")), "on-call hears of it", 20)
            (finding_id,) = {finding.finding_id for finding in path.findings()}
            assert receiver.rings("live")[0] == ("firing", [finding_id])
    finally:
        manager.stop()
        receiver.close()
