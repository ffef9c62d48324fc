"""Records for the tests of the store: every kind of signal, and findings that grow."""

from __future__ import annotations

import time

from models.events import Action, Dependency, Intent, Read, Tick, Transition, Verdict, Why
from models.findings import CausalEdge, Evidence, Finding, Quality, Reach, Root
from models.instants import HOUR, SECOND, format_time
from streams.store import Record
from streams.store.rows import Position

NOW = time.time_ns() - HOUR
SIGNALS, FINDINGS = "interplay.signals", "interplay.findings"


def action(number: int, **fields: object) -> Action:
    given = {"agent": "perf-scaler", "verb": "scale", "parameter": "replicas", "old": 8, "new": number, "resource": "db/orders"}
    return Action(time=NOW + number * SECOND, source="agents/perf/1", id=f"a{number}", **{**given, **fields})


def actions(first: int, last: int, partition: int = 0, topic: str = SIGNALS) -> list[Record]:
    """Offsets first..last-1; event and offset have the same number."""
    return [(Position(topic, partition, number), action(number, domain=f"d{partition}")) for number in range(first, last)]


def one_of_each() -> list[Record]:
    named = {"time": NOW, "source": "s"}
    kinds = [
        Action(
            **named, id="1", domain="eu", resource="db/orders", agent="a", verb="scale", parameter="replicas", old=8.5, new=(1, "b"),
            version=17, outcome="failed", mandate="cheap", owner="job/a", rollout="r1", causes=("s 0",), late=True,
            reads=(Read(resource="db/orders", metric="p95", value=840),), why=Why(rule="p95 > 300", text="it's slow"),
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        Transition(**named, id="2", resource="db/orders", metric="health", before="ok", after="degraded", severity="warning", text="t"),
        Dependency(**named, id="3", dependent="svc/cart", dependency="db/orders", relation="calls", removed=True),
        Intent(**named, id="4", resource="db/orders", agent="a", parameter="replicas", desired=4, until=NOW + HOUR, reason="freeze"),
        Verdict(**named, id="5", resource="cfg", agent="canary", rollout="r1", verdict="block"),
        Tick(partition="interplay.events/3", watermark=NOW, mode="live", delay=SECOND, now=NOW),
    ]  # fmt: skip
    return [(Position(SIGNALS, 0, offset), kind) for offset, kind in enumerate(kinds)]


def finding(revision: int = 1, finding_id: str = "f_1", evidence: int = 2, **fields: object) -> Finding:
    at = format_time(NOW + revision * SECOND)
    seen = tuple(Evidence(f"s {n}", format_time(NOW + n * SECOND), "reversal", f"{n} -> 8") for n in range(evidence))
    edges = tuple(CausalEdge(f"s {n}", f"s {n + 1}", "overwrites", 0.9, 1.0) for n in range(evidence - 1))
    given = {
        "status": "open", "pattern": "thrashing", "kind": "sustained", "domain": "eu", "severity": "error", "score": 0.8,
        "confidence": 0.9, "basis": "cited", "title": "a and b fight", "agents": ("a", "b"), "resources": ("db/orders",),
        "parameters": ("replicas",), "roots": (Root("s 0", "db/orders", "a", 0.8),), "started_at": format_time(NOW),
        "detected_at": at, "updated_at": at, "as_of": (NOW, "s", str(revision)), "explanation": ("It's a fight.", "Since 02:17."),
        "metrics": {"reversals": float(revision)}, "blast_radius": (Reach("svc/cart", 0.7),), "quality": Quality(late=1),
    }  # fmt: skip
    return Finding(finding_id=finding_id, revision=revision, evidence=seen, edges=edges, **{**given, **fields})


def findings(*told: Finding, first: int = 0) -> list[Record]:
    return [(Position(FINDINGS, 0, first + offset), one) for offset, one in enumerate(told)]
