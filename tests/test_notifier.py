"""What a notifier sends when, and what it remembers: virtual time, a target that can be away (the real one: test_alertmanager.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from fights import ALERT, NOW, finding, resolved

from models.instants import HOUR, MINUTE, SECOND
from streams.alerts import configured_targets
from streams.alerts.message import Notice
from streams.alerts.notifier import Notifier
from streams.alerts.target import Unreachable
from streams.settings import Alert, Waiver


class Postbox:
    """A target that keeps what it is given, and is away while `away`."""

    name = "postbox"

    def __init__(self) -> None:
        self.sent: list[Notice] = []
        self.away = False
        self.attempts = 0

    async def send(self, notices: Sequence[Notice], now_ns: int) -> dict[str, str]:
        self.attempts += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unreachable("postbox: away")
        self.sent += notices
        return {}

    async def close(self) -> None:
        self.sent.clear()


def test_one_notifier_sends_resends_and_ends() -> None:
    async def scenario() -> None:
        box = Postbox()
        notifier = Notifier(ALERT, [box])
        notifier.observe(finding(), NOW)
        assert not notifier.settled("f_1", 1)
        for second in range(125):
            await notifier.tick(NOW + second * SECOND)
        assert [words.revision for words in box.sent] == [1, 1, 1]
        assert notifier.settled("f_1", 1)
        notifier.observe(resolved(2, NOW), NOW + 125 * SECOND)
        assert not notifier.settled("f_1", 2)
        for second in range(125, 3000):
            await notifier.tick(NOW + second * SECOND)
        ends = [words.ended_ns for words in box.sent[3:]]
        assert ends == [NOW + 125 * SECOND] * 16
        assert notifier.snapshot().firing == 0

    asyncio.run(scenario())


def test_while_the_target_is_away_one_notice_waits_and_attempts_back_off() -> None:
    async def scenario() -> None:
        box = Postbox()
        box.away = True
        notifier = Notifier(ALERT, [box])
        for second in range(600):
            notifier.observe(finding(second + 1, updated=NOW + second * SECOND), NOW + second * SECOND)
            await notifier.tick(NOW + second * SECOND)
        held = notifier.snapshot()
        assert (held.pending, held.firing, held.trouble) == (1, 1, "postbox: away")
        assert 20 <= box.attempts <= 26 and held.counters["postbox_failed"] == box.attempts
        box.away = False
        await notifier.tick(NOW + 700 * SECOND)
        assert [words.revision for words in box.sent] == [600] and notifier.settled("f_1", 600)
        assert notifier.snapshot().trouble == ""

    asyncio.run(scenario())


def test_a_revision_that_comes_while_sending_is_not_taken_for_sent() -> None:
    async def scenario() -> None:
        box = Postbox()
        notifier = Notifier(ALERT, [box])
        notifier.observe(finding(), NOW)
        sending = asyncio.create_task(notifier.tick(NOW))
        while not box.attempts:
            await asyncio.sleep(0)
        notifier.observe(finding(2), NOW)
        await sending
        assert not notifier.settled("f_1", 2)
        await notifier.tick(NOW)
        assert [words.revision for words in box.sent] == [1, 2]

    asyncio.run(scenario())


def test_an_episode_that_opens_again_during_its_last_end_is_not_lost() -> None:
    async def scenario() -> None:
        box = Postbox()
        notifier = Notifier(ALERT, [box])
        notifier.observe(finding(), NOW)
        notifier.observe(resolved(2, NOW), NOW)
        last = asyncio.create_task(notifier.tick(NOW + HOUR))  # the target was away so long: told once, then dropped
        while not box.attempts:
            await asyncio.sleep(0)
        notifier.observe(finding(3), NOW + HOUR)
        await last
        await notifier.tick(NOW + HOUR)
        assert [(words.revision, words.ended_ns) for words in box.sent] == [(2, NOW), (3, None)]

    asyncio.run(scenario())


def test_a_silent_revision_is_settled_while_another_waits() -> None:
    notifier = Notifier(ALERT, [Postbox()])
    for record in (finding(), resolved(2, NOW), resolved(3, NOW)):
        notifier.observe(record, NOW)
    assert not notifier.settled("f_1", 2) and notifier.settled("f_1", 3)


def test_a_restart_goes_on_with_the_open_and_tells_the_recent_ends() -> None:
    async def scenario() -> None:
        box = Postbox()
        notifier = Notifier(ALERT, [box])
        log = [
            (finding(finding_id="f_open", detected=NOW - HOUR), NOW - HOUR),
            (finding(finding_id="f_ended", detected=NOW - HOUR), NOW - HOUR),
            (finding(finding_id="f_long_ago"), NOW - 9 * HOUR),
            (finding(finding_id="f_backfill", detected=NOW - 30 * HOUR), NOW),
            (resolved(2, NOW, finding_id="f_ended"), NOW - 5 * MINUTE),
            (finding(2, finding_id="f_open", detected=NOW - HOUR), NOW - 50 * MINUTE),
            (resolved(2, NOW, finding_id="f_missed"), NOW - 3 * HOUR),
        ]
        notifier.load(log, NOW)
        await notifier.tick(NOW)
        assert {(words.finding_id, words.revision, words.ended_ns) for words in box.sent} == {
            ("f_open", 2, None),
            ("f_ended", 2, NOW - 5 * MINUTE),
        }
        assert notifier.snapshot().counters["silent_stale"] == 2
        for record, published in log:  # what is not committed is read again
            assert notifier.observe(record, published).reason == "repeated"

    asyncio.run(scenario())


def test_observe_only_needs_no_target_and_counts_what_would_have_fired() -> None:
    notifier = Notifier(Alert(), configured_targets(Alert()))
    assert notifier.observe(finding(), NOW).reason == "observe_only"
    assert notifier.settled("f_1", 1) and notifier.snapshot().counters == {"silent_observe_only": 1}
    silenced = Notifier(msgspec.structs.replace(ALERT, observe_only=True), [Postbox()])
    assert silenced.observe(finding(), NOW).reason == "observe_only"


def test_memory_is_bounded_and_what_fires_is_shed_last() -> None:
    async def scenario() -> None:
        box = Postbox()
        notifier = Notifier(ALERT, [box], limit=100)
        for n in range(90):
            notifier.observe(finding(finding_id=f"f_{n}"), NOW)
        for n in range(1000):
            notifier.observe(finding(finding_id=f"quiet_{n}", severity="info"), NOW)
        assert (notifier.snapshot().remembered, notifier.snapshot().firing) == (100, 90)
        assert notifier.snapshot().counters["shed"] == 990
        notifier.load(((finding(finding_id=f"more_{n}"), NOW) for n in range(300)), NOW)
        assert (notifier.snapshot().remembered, notifier.snapshot().firing) == (100, 100)
        await notifier.tick(NOW)
        assert len(box.sent) == 100

    asyncio.run(scenario())


def test_a_tombstone_is_forgotten() -> None:
    notifier = Notifier(ALERT, [Postbox()])
    notifier.observe(finding(), NOW)
    notifier.forget("f_1")
    assert (notifier.snapshot().remembered, notifier.snapshot().pending) == (0, 0)


def test_what_is_waived_pages_nobody_until_the_waiver_expires_in_event_time() -> None:
    async def scenario() -> None:
        box = Postbox()
        waiver = Waiver(pattern="thrashing", agents=("*",), resource="db/*", owner="team-db", reason="a drill", expires=NOW + HOUR)
        notifier = Notifier(ALERT, [box], [waiver])
        waived = notifier.observe(finding(1), NOW)
        assert (waived.action, waived.reason) == ("silent", "waived")
        assert notifier.settled("f_1", 1)
        await notifier.tick(NOW + 1)
        assert box.sent == []
        assert notifier.observe(finding(2, updated=NOW + HOUR), NOW + HOUR).action == "fire"
        await notifier.tick(NOW + HOUR + 1)
        assert [words.revision for words in box.sent] == [2]
        assert notifier.snapshot().counters == {
            "silent_waived": 1,
            "fire": 1,
            "waiver_expired": 1,
            "postbox_sent": 1,
            "postbox_refused": 0,
            "postbox_failed": 0,
        }
        again = Notifier(ALERT, [Postbox()], [waiver])
        again.load([(finding(1), NOW)], NOW + 1)
        assert again.snapshot().firing == 0

    asyncio.run(scenario())
