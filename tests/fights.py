"""A finding to alert on: two agents that fight over one knob, at one revision or another."""

from __future__ import annotations

from typing import Any

import msgspec

from models.findings import Evidence, Finding
from models.instants import MINUTE, SECOND, format_time
from streams.settings import Alert

NOW = 1_764_036_000 * SECOND
ALERT = Alert(alertmanager="http://127.0.0.1:9093", dashboard_url="http://grafana:3000/d/interplay-overview")


def finding(revision: int = 1, *, detected: int = NOW - 11 * SECOND, updated: int | None = None, **fields: Any) -> Finding:
    """A fight, detected 11 s ago unless said otherwise."""
    updated = detected if updated is None else updated
    plain = Finding(
        finding_id="f_1",
        revision=revision,
        status="open",
        pattern="thrashing",
        kind="sustained",
        domain="prod-eu",
        severity="warning",
        score=0.8,
        confidence=0.9,
        basis="certificate",
        title="cost-optimizer and perf-scaler fight over db/orders replicas",
        agents=("cost-optimizer", "perf-scaler"),
        resources=("db/orders",),
        parameters=("replicas",),
        roots=(),
        started_at=format_time(detected - 4 * MINUTE),
        detected_at=format_time(detected),
        updated_at=format_time(updated),
        as_of=(updated, "agents/cost/1", "a7"),
        evidence=tuple(
            Evidence(
                event=f"agents/cost/1 a{n}", time=format_time(detected - (9 - n) * 20 * SECOND), role="reversal", note=f"{n} -> 8"
            )
            for n in range(9)
        ),
        explanation=(
            "perf-scaler raised db/orders replicas 8 -> 16 because p95 was 840.",
            "cost-optimizer put back 8, five times.",
        ),
    )
    return msgspec.structs.replace(plain, **fields)


def resolved(revision: int, at: int, **fields: Any) -> Finding:
    return finding(revision, status="resolved", resolved_at=format_time(at), **fields)
