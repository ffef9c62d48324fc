"""The kinds of sources by name, as `[[source]] kind = ...` and `--source` name them. A new one is a file or package here and a line."""

from __future__ import annotations

from streams.sources import cloudtrail, kubernetes, opentelemetry
from streams.sources.alertmanager import ALERTMANAGER
from streams.sources.mapping.source import MAPPED
from streams.sources.source import Kind

KINDS: dict[str, Kind] = {
    "k8s-audit": kubernetes.AUDIT,
    "k8s-events": kubernetes.EVENTS,
    "alertmanager": ALERTMANAGER,
    "cloudtrail": cloudtrail.CLOUDTRAIL,
    "otlp": opentelemetry.OTLP,
    "json": MAPPED,
}
