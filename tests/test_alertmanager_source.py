"""What a real Alertmanager posts, set as docs/kubernetes.md says, read by the source `alertmanager`."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from real_alertmanager import BINARY, MISSING, RealAlertmanager, Receiver, until

from models.events import Transition
from models.instants import SECOND, format_time
from streams.settings import Settings
from streams.sources.alertmanager import Alerts, recognised
from streams.sources.source import Origin

pytestmark = pytest.mark.skipif(BINARY is None, reason=MISSING)
Start = Callable[..., RealAlertmanager]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def start(tmp_path: Path, receiver: Receiver) -> Iterator[Start]:
    """A server with the page's settings, of which some texts are replaced."""
    servers = []

    def run(**changed: str) -> RealAlertmanager:
        page = (Path(__file__).parent.parent / "docs" / "kubernetes.md").read_text()
        found = re.search(r"```yaml\n(route:\n.*?)```", page, re.S)
        assert found is not None
        text = found[1].replace("http://bridge:8080/", receiver.url)
        for name, value in changed.items():
            text, count = re.subn(rf"{name}: [^,}}\n]*", f"{name}: {value}", text)
            assert count == 1
        server = RealAlertmanager(tmp_path, receiver)
        (tmp_path / "alertmanager.yml").write_text(text)
        server.start()
        servers.append(server)
        return server

    yield run
    for server in servers:
        server.stop()


def post(server: RealAlertmanager, *alerts: dict[str, Any]) -> None:
    request = urllib.request.Request(
        f"{server.url}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5):
        pass


def alert(since: int, ended: int = 0, **labels: str) -> dict[str, Any]:
    ends = {"endsAt": format_time(ended)} if ended else {}
    named = {"alertname": "HighLatency", "namespace": "shop", "severity": "critical", **labels}
    return {"labels": named, "annotations": {"summary": "slow"}, "startsAt": format_time(since), **ends}


def transitions(receiver: Receiver) -> tuple[list[Transition], Counter[str]]:
    source = Alerts(Settings(), Origin("prod"))
    found = []
    for message in receiver.messages:
        line = json.dumps(message).encode()
        assert recognised(line)
        found += source.parse(line, (), 0)
    assert all(isinstance(event, Transition) for event in found), found
    return found, source.counts  # type: ignore[return-value]


def test_each_alert_is_told_at_once_when_it_begins_and_when_it_ends(start: Start, receiver: Receiver) -> None:
    server, now = start(), time.time_ns()
    post(server, alert(now, deployment="cart"), alert(now, alertname="AgentThrashing", domain="shop"))
    assert until(lambda: len(receiver.messages) == 1)
    ((firing,), _), waited = transitions(receiver), time.time_ns() - now
    assert (firing.resource, firing.before, firing.after) == ("k8s/prod/shop/deployment/cart", "inactive", "firing")
    assert abs(firing.time - now) < 1000 and waited < 5 * SECOND
    ended = time.time_ns()
    post(server, alert(now, ended, deployment="cart"))
    assert until(lambda: len(receiver.messages) == 2)
    (_, resolved), _ = transitions(receiver)
    assert (resolved.before, resolved.after, resolved.resource) == ("firing", "resolved", firing.resource)
    assert abs(resolved.time - ended) < 1000 and resolved.id != firing.id


def test_a_group_holds_several_and_says_how_many_were_cut_off(start: Start, receiver: Receiver) -> None:
    server, now = start(group_by="[alertname]", group_wait="400ms", send_resolved="true, max_alerts: 2"), time.time_ns()
    post(server, *(alert(now, deployment=name) for name in ("cart", "web", "pay")))
    assert until(lambda: len(receiver.messages) == 1)
    found, counts = transitions(receiver)
    assert len({event.resource for event in found}) == len(found) == 2 and counts == {"changes": 2, "truncated": 1}
