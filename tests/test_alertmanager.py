"""The alert path against a real Alertmanager, as `deploy/alertmanager.yml` configures it, to the webhook that on-call gets."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fights import finding as fight
from real_alertmanager import BINARY, EXAMPLE, MISSING, RealAlertmanager, Receiver, until

from models.findings import Finding
from models.instants import HOUR, SECOND, format_time
from streams.alerts import alertmanager as product
from streams.alerts import configured_targets
from streams.alerts.delivery import Delivery
from streams.alerts.message import notice
from streams.alerts.notifier import Notifier
from streams.settings import Alert

pytestmark = pytest.mark.skipif(BINARY is None, reason=MISSING)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[RealAlertmanager]:
    server = RealAlertmanager(tmp_path_factory.mktemp("alertmanager"), receiver)
    server.start()
    yield server
    server.stop()


def finding(domain: str, revision: int = 1, **fields: Any) -> Finding:
    """A fight detected 11 s before now: what the lateness makes of a live one."""
    return fight(revision, detected=time.time_ns() - 11 * SECOND, domain=domain, finding_id=f"f_{domain}", **fields)


def resolved(domain: str, revision: int) -> Finding:
    return finding(domain, revision, status="resolved", resolved_at=format_time(time.time_ns() - 11 * SECOND))


def told(url: str, *records: Finding, **settings: Any) -> Callable[[Callable[[Notifier], Awaitable[None]]], None]:
    """Runs a scenario with a notifier that has loaded `records` as published now, resending every second."""

    def run(scenario: Callable[[Notifier], Awaitable[None]]) -> None:
        async def main() -> None:
            alert = Alert(alertmanager=url, resend=SECOND, **settings)
            targets = configured_targets(alert)
            notifier = Notifier(alert, targets)
            notifier.load([(record, time.time_ns()) for record in records], time.time_ns())
            try:
                await scenario(notifier)
            finally:
                for target in targets:
                    await target.close()

        asyncio.run(main())

    return run


async def send(notifier: Notifier, *records: Finding) -> None:
    for record in records:
        notifier.observe(record, time.time_ns())
    await notifier.tick(time.time_ns())
    assert all(notifier.settled(record.finding_id, record.revision) for record in records), notifier.snapshot()


def test_fires_is_refreshed_and_resolves(server: RealAlertmanager, receiver: Receiver) -> None:
    @told(server.url, dashboard_url="http://grafana:3000/d/interplay-overview")
    async def _(notifier: Notifier) -> None:
        await send(notifier, finding("plain"))
        [first] = server.alerts("plain")
        assert first["annotations"]["summary"].startswith("cost-optimizer and perf-scaler fight over db/orders replicas, since ")
        assert first["generatorURL"].startswith("http://grafana:3000/d/interplay-overview?var-finding=f_plain&")
        assert await asyncio.to_thread(until, lambda: receiver.rings("plain") == [("firing", ["f_plain"])])
        for _ in range(24):  # 4.8 s: longer than the 4 s for which one sending keeps it alive
            await asyncio.sleep(0.2)
            await notifier.tick(time.time_ns())
        [later] = server.alerts("plain")
        assert later["fingerprint"] == first["fingerprint"]
        assert later["startsAt"] == first["startsAt"] and later["endsAt"] > first["endsAt"]
        await send(notifier, resolved("plain", 2))
        assert await asyncio.to_thread(until, lambda: receiver.rings("plain")[-1] == ("resolved", []))
        for _ in range(8):  # the end is told again, and rings nobody again
            await asyncio.sleep(0.2)
            await notifier.tick(time.time_ns())
        assert [status for status, _ in receiver.rings("plain")] == ["firing", "resolved"]
        assert notifier.snapshot().counters["alertmanager_sent"] >= 7
        assert server.alerts("plain") == []


def test_an_escalation_is_the_same_alert(server: RealAlertmanager, receiver: Receiver) -> None:
    @told(server.url)
    async def _(notifier: Notifier) -> None:
        await send(notifier, finding("grows"))
        [before] = server.alerts("grows")
        await send(notifier, finding("grows", 2, severity="critical", kind="growing"))
        [after] = server.alerts("grows")
        assert (before["annotations"]["severity"], after["annotations"]["severity"]) == ("warning", "critical")
        assert after["fingerprint"] == before["fingerprint"] and after["startsAt"] == before["startsAt"]
        assert await asyncio.to_thread(until, lambda: receiver.rings("grows"))
        assert receiver.rings("grows") == [("firing", ["f_grows"])]


def test_a_restart_keeps_the_alert_and_its_end_is_told_by_whoever_is_there(server: RealAlertmanager, receiver: Receiver) -> None:
    @told(server.url)
    async def _(notifier: Notifier) -> None:
        await send(notifier, finding("restart"))

    [before] = server.alerts("restart")

    @told(server.url, finding("restart", 7))  # compaction has left this revision alone
    async def _(notifier: Notifier) -> None:
        await send(notifier)

    [after] = server.alerts("restart")
    assert after["fingerprint"] == before["fingerprint"] and after["startsAt"] == before["startsAt"]
    assert after["endsAt"] > before["endsAt"] and after["annotations"]["revision"] == "7"
    assert until(lambda: receiver.rings("restart") == [("firing", ["f_restart"])])

    @told(server.url, resolved("restart", 8))  # its owner died before it could say so
    async def _(notifier: Notifier) -> None:
        await send(notifier)

    assert until(lambda: receiver.rings("restart")[-1] == ("resolved", []))


def test_backfills_and_observers_are_silent(server: RealAlertmanager) -> None:
    yesterday = fight(1, detected=time.time_ns() - 24 * HOUR, domain="silent", finding_id="f_old")

    @told(server.url)
    async def _(notifier: Notifier) -> None:
        await send(notifier, yesterday, msgspec.structs.replace(yesterday, revision=2, severity="critical"))
        assert notifier.snapshot().counters["silent_too_old"] == 2

    @told(server.url, observe_only=True)
    async def _(notifier: Notifier) -> None:
        await send(notifier, finding("silent"))
        assert notifier.snapshot().counters == {"silent_observe_only": 1}

    assert server.alerts("silent") == []


def test_a_cascade_inhibits_the_fight_that_belongs_to_it(server: RealAlertmanager, receiver: Receiver) -> None:
    @told(server.url)
    async def _(notifier: Notifier) -> None:
        cascade = msgspec.structs.replace(finding("chain", pattern="cascade"), finding_id="f_cascade")
        await send(notifier, finding("chain"), cascade, finding("elsewhere"))
        assert await asyncio.to_thread(until, lambda: receiver.rings("chain") and receiver.rings("elsewhere"))
        assert receiver.rings("chain") == [("firing", ["f_cascade"])]
        inhibited = {alert["labels"]["pattern"]: bool(alert["status"]["inhibitedBy"]) for alert in server.alerts("chain")}
        assert inhibited == {"cascade": False, "thrashing": True}


def test_a_refused_alert_harms_no_other_and_is_counted(server: RealAlertmanager, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        delivery = Delivery(product.Alertmanager(Alert(alertmanager=server.url)), SECOND)
        good, bad = notice(finding("mixed"), ""), notice(finding("mixed"), "")
        bad = msgspec.structs.replace(bad, finding_id="f_bad", link="no link at all")
        delivery.offer(bad)
        delivery.offer(good)
        await delivery.tick(time.time_ns())
        assert [alert["labels"]["finding_id"] for alert in server.alerts("mixed")] == ["f_mixed"]
        assert delivery.settled("f_bad", 1) and delivery.settled("f_mixed", 1)
        await delivery.tick(time.time_ns() + 2 * SECOND)  # the bad one is not sent again
        assert delivery.counters == {"sent": 2, "refused": 1, "failed": 0}
        await delivery.target.close()

    asyncio.run(scenario())
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("alertmanager: refuses finding f_bad: ") and "generatorURL" in line


def test_alertmanager_away_for_a_while(tmp_path: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    server = RealAlertmanager(tmp_path, receiver)

    @told(server.url)
    async def _(notifier: Notifier) -> None:
        try:
            for revision in range(1, 4):
                notifier.observe(finding("away", revision), time.time_ns())
                await notifier.tick(time.time_ns())
            held = notifier.snapshot()
            assert not notifier.settled("f_away", 3) and held.pending == 1
            assert held.trouble.startswith(f"alertmanager {server.url}/api/v2/alerts: ") and "are sent again" in held.trouble
            server.start()
            await asyncio.sleep(4)  # the longest backoff after three failures
            await send(notifier)
            assert notifier.settled("f_away", 3)
            [before] = server.alerts("away")
            server.stop()  # it keeps no alerts: what is open must be told again
            server.start()
            assert server.alerts("away") == []
            await asyncio.sleep(1.1)
            await send(notifier)
            [after] = server.alerts("away")
            assert after["fingerprint"] == before["fingerprint"]
        finally:
            server.stop()

    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2 and lines[1] == "alertmanager: answers again"


def test_the_shipped_configuration_is_valid() -> None:
    amtool = shutil.which("amtool")
    if amtool is None:
        pytest.skip("no amtool here: sudo scripts/install-system-parts.sh")
    checked = subprocess.run([amtool, "check-config", EXAMPLE], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert "1 inhibit rules" in checked.stdout
