"""What on-call reads: who does what to whom, since when, the evidence in one line, the finding's id, and where to look."""

from __future__ import annotations

from typing import TypeAlias
from urllib.parse import urlencode

import msgspec

from models.findings import Evidence, Finding, Severity
from models.instants import MINUTE, clock_time, parse_time

# Chat and pager services cut longer texts themselves, in worse places.
SUMMARY_LIMIT = 300
EVIDENCE_LIMIT = 500
DESCRIPTION_LIMIT = 2000
EVIDENCE_SHOWN = 4  # the first, which began it, and the newest

_Line: TypeAlias = str


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of a finding, worded for people, small enough to keep while a target is away. `ended_ns` is None while open."""

    finding_id: str
    revision: int
    pattern: str
    kind: str
    domain: str
    severity: Severity
    confidence: float
    basis: str
    summary: str
    description: str
    evidence: str
    since: str  # RFC 3339: when it began
    link: str = ""
    ended_ns: int | None = None


def notice(finding: Finding, dashboard_url: str, ended_ns: int | None = None) -> Notice:
    """Words a finding. Raises ValueError if a time in it cannot be read."""
    since = f"since {finding.started_at[:10]} {clock_time(parse_time(finding.started_at))} UTC"
    evidence = _evidence_line(finding.evidence)
    body = [*finding.explanation, f"Evidence: {evidence}"] if evidence else list(finding.explanation)
    return Notice(
        finding_id=finding.finding_id,
        revision=finding.revision,
        pattern=finding.pattern,
        kind=finding.kind,
        domain=finding.domain,
        severity=finding.severity,
        confidence=finding.confidence,
        basis=finding.basis,
        summary=_cut(f"{_cut(_one_line(finding.title), SUMMARY_LIMIT - 80)}, {since} [{finding.finding_id}]", SUMMARY_LIMIT),
        description=_cut("\n".join(_one_line(sentence) for sentence in body), DESCRIPTION_LIMIT),
        evidence=evidence,
        since=finding.started_at,
        link=_link(finding, dashboard_url),
        ended_ns=ended_ns,
    )


def _evidence_line(evidence: tuple[Evidence, ...]) -> _Line:
    """ "02:17:06 root 8 -> 2; … 5 more …; 02:21:40 reversal 2 -> 8": the first and the newest, in the finding's own order."""
    told = [
        _cut(_one_line(f"{clock_time(parse_time(item.time))} {item.role} {item.note}"), EVIDENCE_LIMIT // 5) for item in evidence
    ]
    if len(told) > EVIDENCE_SHOWN:
        left_out = len(told) - EVIDENCE_SHOWN
        told = [told[0], f"… {left_out} more …", *told[-(EVIDENCE_SHOWN - 1) :]]
    return _cut("; ".join(told), EVIDENCE_LIMIT)


def _link(finding: Finding, dashboard_url: str) -> str:
    """The dashboard on this finding and its time, five minutes wider on either side (Grafana's `from` and `to` are in ms)."""
    if not dashboard_url:
        return ""
    start, end = parse_time(finding.started_at) - 5 * MINUTE, parse_time(finding.updated_at) + 5 * MINUTE
    query = {"var-finding": finding.finding_id, "var-domain": finding.domain, "from": start // 1_000_000, "to": end // 1_000_000}
    return f"{dashboard_url}{'&' if '?' in dashboard_url else '?'}{urlencode(query)}"


def _one_line(text: str) -> _Line:
    """Agents write parts of these texts: no line break or control character of theirs reaches a pager."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
