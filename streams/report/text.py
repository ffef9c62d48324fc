"""A finding as a paragraph for people: what it is, since when, the evidence as it came, what it may hit next, and who waived it.

What needs somebody comes first, in the order in which it began; what is waived follows, in short; the counts come last.
"""

from __future__ import annotations

from models.findings import Finding, Severity
from streams.report.judged import Judged, Report
from streams.report.words import body, shown
from streams.terminal import Style, Terminal
from streams.waivers import sentence

_STYLES: dict[Severity, Style] = {"info": "cyan", "warning": "yellow", "error": "red", "critical": "red"}


def render(report: Report, terminal: Terminal) -> str:
    """All paragraphs, an empty line between them, and the summary."""
    told = [paragraph(each.finding, terminal, note=_note(each)) for each in report.judged if not each.waived]
    told += [_short(each, terminal) for each in report.judged if each.waived]
    return "\n\n".join([*told, "\n".join(terminal.wrap(shown(line)) for line in report.summary)])


def paragraph(finding: Finding, terminal: Terminal, stored: bool = False, note: str = "") -> str:
    """Several lines about one finding. `stored`: it is in the store, so the query that shows it is added. `note`: one sentence more."""
    lines = [_headline(finding, terminal, finding.severity)]
    lines += [terminal.wrap(line, "  ") for line in (*body(finding), *([note] if note else []))]
    if stored:
        question = f"SELECT * FROM findings WHERE finding_id = '{finding.finding_id}'"
        lines.append(terminal.paint(f'  {finding.finding_id}: interplay query "{question}"', "dim"))
    else:
        lines.append(terminal.paint(f"  {finding.finding_id}", "dim"))
    return "\n".join(lines)


def _headline(finding: Finding, terminal: Terminal, word: str) -> str:
    head, title = f"{word} {finding.pattern}/{finding.kind}:", shown(finding.title)
    fits = len(head) + 1 + len(title) <= terminal.width
    title = terminal.paint(title if fits else terminal.wrap(title, "  "), "bold")
    return terminal.paint(head, _STYLES[finding.severity]) + (" " if fits else "\n") + title


def _note(each: Judged) -> str:
    """What a waiver that no longer covers it says: renewing it may be all that is to do."""
    return shown(sentence(each.ruling)) if each.ruling is not None else ""


def _short(each: Judged, terminal: Terminal) -> str:
    lines = [_headline(each.finding, terminal, f"waived {each.finding.severity}"), terminal.wrap(_note(each), "  ")]
    return "\n".join([*lines, terminal.paint(f"  {each.finding.finding_id}", "dim")])
