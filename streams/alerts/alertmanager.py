"""Prometheus Alertmanager, API v2. Tested with 0.25 (Debian 12), written for that and everything newer.

Identity. An alert is its label set; change one label and there is a second alert beside the first. So labels hold only what an
episode keeps for life: `alertname`, `pattern`, `domain`, `finding_id`. Severity, kind, counts and times change while an episode
goes on: they are annotations. The price: routes match on `pattern`, `alertname` and `domain`, not on severity
(`alert.min_severity` sets what arrives at all), and an escalation changes the text of the one alert instead of ringing a second
time. To end the old label set and start a new one in the same request would ring, but a crash in between leaves two alerts for
one episode.

Times. `startsAt` is the moment of sending: an alert that started longer ago than the route's group_wait is flushed at once,
before its inhibitor is seen, and what we find is always some seconds past. Alertmanager keeps the earliest start of an alert
that it holds, so sending again changes nothing. When it really began is the annotation `since`. `endsAt` lies several resends
ahead, so that one missed resend resolves nothing. A resolved alert carries `endsAt` alone: the moment its last revision was
published, the same at every resend, since a moving end would let a server with a slow clock flap.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from models.instants import format_time
from streams.alerts.message import Notice
from streams.alerts.target import Unreachable
from streams.settings import Alert

RESENDS_AHEAD = 4
BATCH = 500  # alerts a request
TIMEOUT_S = 10.0


def configured(alert: Alert) -> Alertmanager | None:
    """The target that the settings ask for, if they do. Raises ValueError with one line on a setting that cannot work."""
    return Alertmanager(alert) if alert.alertmanager else None


def labels(notice: Notice) -> dict[str, str]:
    """The identity. Names fit servers before 0.27: [a-zA-Z_][a-zA-Z0-9_]*."""
    return {
        "alertname": "Agent" + "".join(word.capitalize() for word in notice.pattern.split("_")),
        "pattern": notice.pattern,
        "domain": notice.domain,
        "finding_id": notice.finding_id,
    }


def payload(notice: Notice, now_ns: int, resend_ns: int) -> dict[str, object]:
    """One element of the array that POST /api/v2/alerts takes."""
    annotations = {
        "summary": notice.summary,
        "description": notice.description,
        "evidence": notice.evidence,
        "severity": notice.severity,
        "kind": notice.kind,
        "confidence": f"{notice.confidence:.2f} ({notice.basis})",
        "since": notice.since,
        "revision": str(notice.revision),
    }
    body: dict[str, object] = {"labels": labels(notice), "annotations": annotations}
    if notice.link:
        body["generatorURL"] = annotations["dashboard"] = notice.link
    if notice.ended_ns is not None:
        return body | {"endsAt": format_time(notice.ended_ns)}
    return body | {"startsAt": format_time(now_ns), "endsAt": format_time(now_ns + RESENDS_AHEAD * resend_ns)}


class Alertmanager:
    """One Alertmanager. For a cluster without a load balancer, name its members one by one in a proxy's configuration, not here."""

    name = "alertmanager"

    def __init__(self, alert: Alert) -> None:
        self._url, self._shown = _endpoint(alert.alertmanager)
        if alert.dashboard_url and urlsplit(alert.dashboard_url).scheme not in ("http", "https"):
            raise ValueError(
                f"alert.dashboard_url: {alert.dashboard_url!r} is not an http or https URL; Alertmanager would refuse every alert"
            )
        self._resend_ns = alert.resend
        self._auth = aiohttp.BasicAuth(alert.username, alert.password, "utf-8") if alert.username else None
        self._tls = _tls(alert.tls_ca)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, notices: Sequence[Notice], now_ns: int) -> dict[str, str]:
        """See Target. On a refused batch the good alerts may or may not have been stored, so all are sent again, one by one."""
        refused: dict[str, str] = {}
        for start in range(0, len(notices), BATCH):
            batch = notices[start : start + BATCH]
            if await self._post(batch, now_ns) is None:
                continue
            for one in batch:
                complaint = await self._post([one], now_ns)
                if complaint is not None:
                    refused[one.finding_id] = complaint
        return refused

    async def close(self) -> None:
        """See Target."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, batch: Sequence[Notice], now_ns: int) -> str | None:
        """None if taken, Alertmanager's own words if something in it is bad. Raises Unreachable on everything else."""
        body = msgspec.json.encode([payload(notice, now_ns, self._resend_ns) for notice in batch])
        if self._session is None:
            self._session = aiohttp.ClientSession(auth=self._auth, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        headers = {"Content-Type": "application/json"}
        try:
            # A redirect is not followed: it would turn the POST into a GET, and a login page answers that with 200.
            async with self._session.post(self._url, data=body, headers=headers, ssl=self._tls, allow_redirects=False) as response:
                answer = (await response.content.read(400)).decode("utf-8", "replace")
        except TimeoutError:
            raise Unreachable(
                f"alertmanager {self._shown}: no answer within {TIMEOUT_S:.0f} s; alerts wait and are sent again"
            ) from None
        except aiohttp.ClientError as error:
            raise Unreachable(f"alertmanager {self._shown}: {_first_line(error)}; alerts wait and are sent again") from None
        if response.status in (200, 202):
            return None
        # Its own complaints are JSON; a web server that was spoken to wrongly (http to an https port) answers 400 as well.
        if response.status in (400, 422) and response.content_type == "application/json":
            return " ".join(answer.split()) or f"HTTP {response.status}"
        raise Unreachable(f"alertmanager {self._shown}: HTTP {response.status}, {_advice(response.status)}")


def _endpoint(base: str) -> tuple[str, str]:
    """The URL to post to, and the one to show: without the credentials that people put into URLs."""
    try:
        url = URL(base)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        shown = re.sub(r"//.*@", "//", base)
        raise ValueError(f"alert.alertmanager: {shown!r} is not an http or https URL, such as http://alertmanager:9093")
    url = url.with_path(url.path.rstrip("/").removesuffix("/api/v2/alerts") + "/api/v2/alerts")
    return str(url), str(url.with_user(None))


def _tls(authority: str) -> ssl.SSLContext | bool:
    """How https is checked: against the named authorities, or the system's."""
    if not authority:
        return True
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"alert.tls_ca: cannot read certificates from {authority}: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _advice(status: int) -> str:
    if status == 400:
        return "and not from Alertmanager: check alert.alertmanager (http or https, host, port)"
    if status in (401, 403):
        return "it refuses us: check alert.username and alert.password"
    if status == 404 or 300 <= status < 400:
        return "no API v2 there: check alert.alertmanager (its base URL, with the route prefix if it has one)"
    return "alerts wait and are sent again" + (" in a while" if status == 429 or status >= 500 else "; check alert.alertmanager")
