"""Kubernetes audit logs (docs/kubernetes.md) and Events: what controllers did, from the log that the API server writes anyway."""

from streams.sources.kubernetes import events
from streams.sources.kubernetes.audit import Audit
from streams.sources.kubernetes.record import recognised
from streams.sources.source import Kind, without_fold

__all__ = ["AUDIT", "EVENTS", "Audit"]

AUDIT = Kind(recognised, Audit)
EVENTS = Kind(events.recognised, events.Events, meaning="warnings and changes of nodes", pane=without_fold)
