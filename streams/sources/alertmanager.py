"""Alertmanager's webhook messages (version 4) as transitions: each alert that begins to fire, or is resolved.

Format: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. Which resource an alert is about, its labels say: the
first row of RESOURCES whose labels are all there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from models.events import AnyEvent, Transition
from models.foreign import Foreign, Place, Translator
from models.instants import parse_time
from models.rejection import Rejection, clipped, explained
from streams.settings import Settings
from streams.sources.kubernetes.naming import controller_by_name
from streams.sources.secrets import without_secrets
from streams.sources.source import Headers, Kind, Nothing, Origin, without_fold

RESOURCES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("resource",), "{resource}"),
    *(
        ((("namespace", kind), f"k8s/{{cluster}}/{{namespace}}/{kind}/{{{kind}}}"))
        for kind in ("deployment", "statefulset", "daemonset", "horizontalpodautoscaler", "job_name", "ingress")
    ),
    (("namespace", "pod"), "{pod}"),
    (("namespace", "service"), "k8s/{cluster}/{namespace}/service/{service}"),
    (("node",), "k8s/{cluster}/-/node/{node}"),
    (("service_name",), "service/{service_name}"),
    (("service",), "service/{service}"),
    (("namespace",), "k8s/{cluster}/-/namespace/{namespace}"),
    (("instance",), "host/{instance}"),
    (("job",), "service/{job}"),
)
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Alert(msgspec.Struct, frozen=True, rename="camel"):
    """One alert."""

    status: str
    labels: dict[str, str]
    starts_at: str
    ends_at: str = ""
    fingerprint: str = ""
    annotations: dict[str, str] = {}


class Message(msgspec.Struct, frozen=True, rename="camel"):
    """One webhook message."""

    alerts: list[msgspec.Raw]
    receiver: str
    truncated_alerts: int = 0  # how many more it would hold without `max_alerts`
    external_url: str = msgspec.field(name="externalURL", default="")


_message = msgspec.json.Decoder(Message).decode
_alert = msgspec.json.Decoder(Alert).decode


def recognised(line: bytes) -> bool:
    """Whether a line is such a message."""
    if b'"alerts"' not in line or b'"receiver"' not in line:
        return False
    try:
        for alert in _message(line).alerts:
            _alert(alert)
    except _BAD:
        return False
    return True


class Alerts:
    """A `Source`: each message stands for itself; repeats of an alert that goes on have the same id."""

    def __init__(self, settings: Settings, origin: Origin) -> None:
        self.counts: Counter[str] = Counter()
        self._origin = origin

    def parse(self, value: bytes, headers: Headers, place: Place) -> Sequence[AnyEvent | Foreign | Rejection]:
        """See `Source`."""
        try:
            message = _message(value)
        except _BAD as error:
            return [_refused(error, "", "no message of Alertmanager")]
        if message.truncated_alerts > 0:
            self.counts["truncated"] += message.truncated_alerts
        return [self._told(raw, number, message.external_url) for number, raw in enumerate(message.alerts)]

    def _told(self, raw: msgspec.Raw, number: int, url: str) -> Transition | Rejection:
        try:
            alert = _alert(raw)
        except _BAD as error:
            return _refused(error, f"alerts[{number}]", "no alert of Alertmanager")
        try:
            told = self._transition(alert, url)
        except ValueError as error:
            place_of = "endsAt" if alert.status == "resolved" else "startsAt"
            return Rejection("bad_time", f"alerts[{number}].{place_of}", clipped(str(error)))
        self.counts["changes"] += 1
        return told

    def _transition(self, alert: Alert, url: str) -> Transition:
        resolved = alert.status == "resolved"
        name = alert.fingerprint or " ".join(f"{key}={value}" for key, value in sorted(alert.labels.items()))
        when = alert.ends_at if resolved else alert.starts_at
        text = alert.annotations.get("summary") or alert.annotations.get("description") or ""
        return Transition(
            time=parse_time(when),
            source=f"alertmanager {url}".strip()[:512],
            id=f"{name} {alert.status} {when}"[-512:],
            domain=self._origin.domain,
            resource=self._resource(alert.labels)[:512],
            metric=(alert.labels.get("alertname") or "alert")[:512],
            before="firing" if resolved else "inactive",
            after="resolved" if resolved else "firing",
            severity=alert.labels.get("severity", "")[:64],
            text=without_secrets(text[:1000])[:1000],
            slo="slo" in alert.labels or alert.labels.get("alertname", "").lower().endswith("burnrate"),
        )

    def _resource(self, labels: dict[str, str]) -> str:
        known = {"cluster": labels.get("cluster") or self._origin.cluster, **{key: value for key, value in labels.items() if value}}
        for needed, template in RESOURCES:
            if all(label in known for label in needed):
                if template == "{pod}":
                    kind, name = controller_by_name(known["pod"]) or ("pod", known["pod"])
                    return f"k8s/{known['cluster']}/{known['namespace']}/{kind}/{name}"
                return template.format_map(known).replace("/job_name/", "/job/")
        return f"alert/{labels.get('alertname') or 'unknown'}"

    def fold(self) -> Translator:
        """See `Source`."""
        return Nothing()


def _refused(error: Exception, place: str, what: str) -> Rejection:
    why = explained(error)
    path = f"{place}.{why.path}".strip(".")
    return msgspec.structs.replace(why, path=path) if why.reason != "not_cloudevents" else Rejection("wrong_type", path, what)


ALERTMANAGER = Kind(recognised, Alerts, meaning="alerts that began to fire or were resolved", pane=without_fold)
