"""Kubernetes audit logs as a source: what controllers did, from the log that the API server writes anyway (docs/kubernetes.md)."""

from streams.sources.kubernetes.audit import Audit
from streams.sources.kubernetes.record import recognised
from streams.sources.source import Kind

__all__ = ["AUDIT", "Audit"]

AUDIT = Kind(recognised, Audit)
