"""A finding as a paragraph for people: what it is, since when, the evidence as it came, what it may hit next, and what to do with it."""

from __future__ import annotations

from models.findings import SEVERITIES, Finding, Severity
from models.instants import format_duration, parse_time
from streams.terminal import Style, Terminal

_STYLES: dict[Severity, Style] = {"info": "cyan", "warning": "yellow", "error": "red", "critical": "red"}
BEGINNING, NEWEST = 4, 6  # sentences shown of a long explanation
_SURE = {
    "certificate": "the events themselves prove it",
    "cited": "the agents cite it",
    "inferred": "inferred from what agents read and wrote",
    "statistical": "inferred from how often it happens",
}


def paragraph(finding: Finding, terminal: Terminal, stored: bool = False) -> str:
    """Several lines about one finding. `stored`: it is in the store, so the query that shows it is added."""
    head = terminal.paint(f"{finding.severity} {finding.pattern}/{finding.kind}", _STYLES[finding.severity])
    lines = [f"{head}: {terminal.paint(finding.title, 'bold')}"]
    lines.append(terminal.wrap(_since(finding), "  "))
    lines += [terminal.wrap(sentence, "  ") for sentence in _shortened(finding.explanation)]
    if finding.blast_radius:
        reach = ", ".join(f"{r.resource} ({r.probability:.0%})" for r in finding.blast_radius[:5])
        lines.append(terminal.wrap(f"It may hit next: {reach}.", "  "))
    lines += [terminal.wrap(doubt, "  ") for doubt in _doubts(finding)]
    if stored:
        question = f"SELECT * FROM findings WHERE finding_id = '{finding.finding_id}'"
        lines.append(terminal.paint(f'  {finding.finding_id}: interplay query "{question}"', "dim"))
    else:
        lines.append(terminal.paint(f"  {finding.finding_id}", "dim"))
    return "\n".join(lines)


def at_least(finding: Finding, severity: Severity) -> bool:
    """Whether the finding is as severe as that, or more so."""
    return SEVERITIES.index(finding.severity) >= SEVERITIES.index(severity)


def ago(nanos: int) -> str:
    """A span of time (ns) as people say it: two units at most, "under 1s" for less."""
    units = (86_400, 3600, 60, 1)
    seconds = nanos // 1_000_000_000
    if seconds < 1:
        return "under 1s"
    largest = next(i for i, unit in enumerate(units) if seconds >= unit)
    smallest = units[min(largest + 1, len(units) - 1)]
    return format_duration(seconds // smallest * smallest * 1_000_000_000)


def _shortened(sentences: tuple[str, ...]) -> list[str]:
    """How it began and how it goes on; what lies between is counted."""
    if len(sentences) <= BEGINNING + NEWEST + 1:
        return list(sentences)
    left_out = len(sentences) - BEGINNING - NEWEST
    return [*sentences[:BEGINNING], f"... {left_out} more ...", *sentences[-NEWEST:]]


def _since(finding: Finding) -> str:
    lasted = ago(parse_time(finding.updated_at) - parse_time(finding.started_at))
    if finding.resolved_at:
        state = f"From {finding.started_at}, {lasted} long, resolved at {finding.resolved_at}"
    else:
        state = f"Open since {finding.started_at}, {lasted} so far"
    domain = "" if finding.domain == "default" else f" in {finding.domain}"
    return f"{state}{domain}; confidence {finding.confidence:.0%}: {_SURE[finding.basis]}."


def _doubts(finding: Finding) -> list[str]:
    quality = finding.quality
    doubts = []
    if quality.degraded:
        doubts.append("A limit was reached, so older evidence may be missing: see analysis.limits.")
    if quality.late:
        doubts.append(f"{quality.late:,} events came too late to be counted: see analysis.time.lateness.")
    return doubts
