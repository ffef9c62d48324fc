"""What the analyzer answers: one finding is one episode with one id, from first sight to resolution (contract, section 2).

A finding is also all the state that an open episode needs: recovery reads it back from the findings topic and folds on. So every
count that must outlive the memory lives here, and every field but `quality` is a function of the events alone.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Severity: TypeAlias = Literal["info", "warning", "error", "critical"]
Status: TypeAlias = Literal["open", "resolved"]
Basis: TypeAlias = Literal["certificate", "cited", "inferred", "statistical"]
Verb: TypeAlias = Literal["opened", "updated", "resolved"]

LASTING = ("transfer",)  # kinds that an episode keeps once it has been one: that a counterpart is out of sight is no news
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical")

# Every pattern of the contract with its kinds, so that rules and waivers are checked for spelling. What is found today: docs/patterns.md.
KINDS: dict[str, tuple[str, ...]] = {
    "thrashing": ("sustained", "growing", "transfer", "membership", "identity", "ratchet", "noise_chasing"),
    "intent_conflict": (
        "lost_update",
        "version_regression",
        "stale_overwrite",
        "destroy_in_use",
        "write_skew",
        "override",
        "intent_read_as_fault",
        "opposing_objectives",
        "guard_bypass",
    ),
    "cascade": ("decision", "fault", "metastable"),
    "convergence": ("headroom", "pressure"),
}


def worse(a: Severity, b: Severity) -> Severity:
    """The higher of two severities."""
    return max(a, b, key=SEVERITIES.index)


class Root(msgspec.Struct, frozen=True, gc=False):
    """An event that started it. `event` is "source id"."""

    event: str
    resource: str
    agent: str
    probability: float


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """One event that counts for the finding, with its part in it. `time` is RFC 3339."""

    event: str
    time: str
    role: str
    note: str = ""


class CausalEdge(msgspec.Struct, frozen=True, gc=False):
    """`cause` led to `effect` ("source id" each), `lag_s` seconds later."""

    cause: str
    effect: str
    relation: Literal["explicit", "reads", "overwrites", "affects", "reacts", "statistical"]
    probability: float
    lag_s: float


class Reach(msgspec.Struct, frozen=True):
    """A resource that may be hit next."""

    resource: str
    probability: float
    path: tuple[str, ...] = ()


class Quality(msgspec.Struct, frozen=True):
    """How the data came: the one part of a finding that may differ between two readings of the same events."""

    late: int = 0
    dropped: int = 0
    skew_s: float = 0.0
    degraded: bool = False


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of one finding. Times are RFC 3339, UTC; `as_of` is the canonical key of the newest evidence: time (ns), source, id."""

    finding_id: str
    revision: int
    status: Status
    pattern: str
    kind: str
    domain: str
    severity: Severity
    score: float
    confidence: float
    basis: Basis
    title: str
    agents: tuple[str, ...]
    resources: tuple[str, ...]
    parameters: tuple[str, ...]
    roots: tuple[Root, ...]
    started_at: str
    detected_at: str
    updated_at: str
    as_of: tuple[int, str, str]
    resolved_at: str | None = None
    evidence: tuple[Evidence, ...] = ()
    edges: tuple[CausalEdge, ...] = ()
    explanation: tuple[str, ...] = ()
    metrics: dict[str, float] = {}
    blast_radius: tuple[Reach, ...] = ()
    quality: Quality = Quality()
    ends: int = 0  # ns, event time: when the episode is over if nothing more is seen
    subject: str = ""  # what the episode is about, stable over its life: the part of its identity besides pattern and domain


class Change(msgspec.Struct, frozen=True):
    """What `Analyzer.feed` answers: a finding has a new revision."""

    verb: Verb
    finding: Finding


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Finding).decode


def encode_finding(finding: Finding) -> bytes:
    """One record of the findings topic; the same bytes on every machine for the same revision."""
    return _encode(finding)


def decode_finding(raw: bytes) -> Finding:
    """The inverse of `encode_finding`. Raises msgspec.ValidationError or msgspec.DecodeError on anything else."""
    return _decode(raw)
