"""Reduce of what has to be in order first: any polls, crashes and refills give what one reading of the whole partition gives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_histories import moment
from test_panes import Chain

from models.configuration import StreamTime
from models.events import Action, AnyEvent, Event, Sample
from models.foreign import Foreign, Found
from models.instants import MINUTE, SECOND
from models.panes import Panes
from models.reduction import ReduceProgress, decode_reduce_progress, encode_reduce_progress
from models.rejection import Rejection
from models.translation import TranslatingReducer

TIME = StreamTime(lateness=10 * SECOND, idle_timeout=MINUTE, ahead_limit=5 * MINUTE)
PANE, DELAY = 40 * SECOND, 3 * SECOND


@dataclass(frozen=True)
class Record:
    appended: int
    items: tuple[AnyEvent | Foreign | Rejection, ...]


def foreign(seconds: float, name: str, place: object = None) -> Foreign:
    return Foreign(time=moment(seconds), source="log", id=name, place=place)


def native(seconds: float, name: str) -> Action:
    return Action(time=moment(seconds), source="n", id=name, resource="r", agent="a", verb="v", parameter="p", new=1)


class Refusing(Chain):
    """Refuses every seventh record, and answers every fifth with a sample of demand as well."""

    def translate(self, record: Foreign) -> Sequence[Found]:
        found = list(super().translate(record))
        if record.id.endswith("7"):
            return [(record.place, Rejection("wrong_type", record.id, "because"))]
        if record.id.endswith("5"):
            sample = Sample(time=record.time, source="s", id=record.id, resource="r", metric=record.id, value=1.0, role="demand")
            found.append((record.place, sample))
        return found


def reducer(progress: ReduceProgress | None = None) -> TranslatingReducer:
    return TranslatingReducer("audit/0", TIME, Panes(lambda: Refusing(DELAY), PANE), progress)


def log_of(seed: int, count: int, span: float, disorder: float, doubled: float, late: float) -> list[Record]:
    """A partition: `disorder` in seconds, within the lateness; some records twice; some too late; some plain events among them."""
    rng = random.Random(seed)
    found: list[Record] = []
    for number in range(count):
        at = rng.uniform(0, span)
        appended = at + rng.uniform(0, disorder) + (rng.uniform(60, 200) if rng.random() < late else 0)
        item: AnyEvent | Foreign = foreign(at, f"{number}") if rng.random() < 0.9 else native(at, f"n{number}")
        for more in (0.0, 0.5)[: 1 + (rng.random() < doubled)]:
            found.append(Record(moment(appended + more), (item,)))
    found.append(Record(moment(span + 1000), (foreign(span + 1000, "end"),)))
    return sorted(found, key=lambda record: record.appended)


@dataclass
class Out:
    events: dict[tuple[str, str], Event]
    refused: set[str]

    def take(self, events: Sequence[Event], refused: Sequence[tuple[object, Rejection]]) -> None:
        for event in events:
            name = (type(event).__name__ + event.source, event.id)
            assert self.events.setdefault(name, event) == event, "sent twice, and not the same"
        self.refused |= {rejection.path for _, rejection in refused}


def whole(log: list[Record]) -> Out:
    out, reduce = Out({}, set()), reducer()
    for offset, record in enumerate(log):
        assert not reduce.feed(offset, record.appended, record.items)
    release = reduce.release(log[-1].appended + MINUTE, at_end=True)
    out.take(release.events, release.refused)
    return out


def played(log: list[Record], seed: int, crash: float) -> tuple[Out, int]:
    """The same through polls of any size and workers that die; only what was written before progress counts as sent."""
    rng, out, saved, refilled = random.Random(seed), Out({}, set()), None, 0
    reduce, position, promised = reducer(), 0, None
    sent: set[str] = set()
    crashes = 0
    while position < len(log):
        if crashes < 8 and rng.random() < crash:
            crashes += 1
            reduce = reducer(decode_reduce_progress(encode_reduce_progress(saved)) if saved else None)
            position, promised = reduce.resume_offset, None
            refilled += saved is not None and saved.memory is not None and saved.memory.offset < saved.offset
        take = rng.randint(1, 9)
        for offset in range(position, min(len(log), position + take)):
            assert not reduce.feed(offset, log[offset].appended, log[offset].items)
        position = min(len(log), position + take)
        ended = position == len(log) or (rng.random() < 0.2 and log[position].appended > log[position - 1].appended)
        release = reduce.release(log[position - 1].appended + (MINUTE if position == len(log) else 0), bool(ended))
        for event in release.events:
            known = (type(event).__name__ + event.source, event.id) in out.events
            assert known or promised is None or getattr(event, "late", False) or event.time >= promised, "a tick promised too much"
        if crashes < 8 and rng.random() < crash / 2:  # dies between two writes
            out.take(release.events[: len(release.events) // 2], ())
            crashes += 1
            reduce = reducer(saved)
            position, promised = reduce.resume_offset, None
            continue
        out.take(release.events, release.refused)
        sent |= {event.id for event in release.events}
        promised = release.tick.watermark if release.tick else promised
        if rng.random() < 0.6:
            saved = reduce.progress()
    return out, refilled


SHAPES = st.tuples(
    st.integers(0, 1000), st.integers(1, 120), st.sampled_from([30.0, 200.0, 600.0]), st.sampled_from([0.0, 9.0]),
    st.sampled_from([0.0, 0.3]), st.sampled_from([0.0, 0.1]),
)  # fmt: skip


@settings(max_examples=150)
@given(SHAPES, st.integers(0, 1000), st.sampled_from([0.0, 0.1, 0.4]))
def test_polls_crashes_and_refills_make_no_difference(
    shape: tuple[int, int, float, float, float, float], seed: int, crash: float
) -> None:
    log = log_of(*shape)
    out, _ = played(log, seed, crash)
    assert out == whole(log)


def test_the_property_sees_refills() -> None:
    assert sum(played(log_of(seed, 120, 600.0, 9.0, 0.3, 0.1), seed, 0.2)[1] > 0 for seed in range(20)) > 15


def test_a_refill_sends_nothing_that_was_sent_and_reads_no_further_back_than_it_must() -> None:
    log = [Record(moment(at), (foreign(at, f"{at}"),)) for at in range(1000)]
    first = reducer()
    for offset, record in enumerate(log):
        first.feed(offset, record.appended, record.items)
        sent = first.release(record.appended, at_end=False).events
    progress = first.progress()
    assert progress.memory is not None
    assert progress.offset - progress.memory.offset < (2 * PANE + DELAY) / SECOND + 2
    assert sent[-1].time == log[-1].appended - TIME.lateness - DELAY  # what tick and watermark promise is out
    again = reducer(progress)
    assert again.watermark == first.watermark and again.progress() == progress
    for offset in range(again.resume_offset, len(log)):
        again.feed(offset, log[offset].appended, log[offset].items)
        release = again.release(log[offset].appended, at_end=False)
        assert release.events == [] and (release.tick is None or release.tick.watermark == first.watermark - DELAY)
    assert again.progress() == progress


def test_late_ones_are_counted_and_left_out_and_those_from_the_future_are_refused() -> None:
    reduce = reducer()
    ahead = foreign(1000, "ahead")
    assert reduce.feed(0, moment(100), [foreign(100, "a"), ahead, Rejection("not_json", "", "x")])[0] is ahead
    reduce.feed(1, moment(101), [foreign(80, "late")])
    events = reduce.release(moment(200), at_end=True).events
    assert [event.id for event in events] == ["a"] and reduce.late == 1


def test_what_is_refused_in_translation_keeps_its_place() -> None:
    reduce, place = reducer(), object()
    reduce.feed(0, moment(0), [foreign(0, "7", place)])
    release = reduce.release(moment(60), at_end=True)
    assert release.refused == [(place, Rejection("wrong_type", "7", "because"))]


@pytest.mark.parametrize("at_end", [True, False])
def test_an_empty_partition_promises_nothing(at_end: bool) -> None:
    tick = reducer().release(moment(0), at_end).tick
    assert tick is not None and tick.mode == ("empty" if at_end else "data") and tick.watermark < 0
