"""Kubernetes audit logs as a source: what controllers did, from the log that the API server writes anyway (docs/kubernetes.md)."""

from streams.sources.kubernetes.audit import Audit
from streams.sources.kubernetes.record import recognised

__all__ = ["Audit", "recognised"]
