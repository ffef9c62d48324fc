"""What reports are made from: findings with what the waivers and the rules of `--fail-on` say about them, the same in every format."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from models.events import Event
from models.findings import KINDS, SEVERITIES, Finding, Severity
from models.instants import parse_time
from streams.report.words import at_least
from streams.settings import Waiver
from streams.waivers import Ruling, ruling

ANY = "any"


class Rule(msgspec.Struct, frozen=True):
    """One `--fail-on`: findings of a pattern ("any" for all), of one kind of it or of all (""), at least so severe."""

    pattern: str
    kind: str
    severity: Severity

    def matches(self, finding: Finding) -> bool:
        """Whether this finding is one of them."""
        return self.pattern in (ANY, finding.pattern) and self.kind in ("", finding.kind) and at_least(finding, self.severity)

    def __str__(self) -> str:
        name = f"{self.pattern}/{self.kind}" if self.kind else self.pattern
        return name if self.severity == "info" else f"{name}:{self.severity}"


def parse_rule(text: str) -> Rule:
    """PATTERN[/KIND][:SEVERITY], KIND[:SEVERITY] or any[:SEVERITY]. Raises ValueError with the choices."""
    name, colon, wanted = text.partition(":")
    pattern, slash, kind = name.partition("/")
    owners = [known for known, kinds in KINDS.items() if name in kinds]
    if pattern not in KINDS and len(owners) == 1:
        pattern, kind = owners[0], name
    elif pattern not in (*KINDS, ANY):
        raise ValueError(f"no pattern {pattern!r}; choose from {ANY}, {', '.join(KINDS)}")
    elif slash and kind not in KINDS.get(pattern, ()):
        choices = ", ".join(KINDS.get(pattern, ())) or "none"
        raise ValueError(f"{pattern} has no kind {kind!r}; choose from {choices}")
    for known in SEVERITIES:
        if known == (wanted if colon else "info"):
            return Rule(pattern, kind, known)
    raise ValueError(f"no severity {wanted!r}; choose from {', '.join(SEVERITIES)}")


class Judged(msgspec.Struct, frozen=True):
    """A finding, what the waivers say about it, and the first rule that it breaks ("" for none, and where it is waived)."""

    finding: Finding
    ruling: Ruling | None = None
    broken: str = ""

    @property
    def waived(self) -> bool:
        """Whether a waiver covers it."""
        return self.ruling is not None and not self.ruling.expired


class Report(msgspec.Struct, frozen=True):
    """One run: findings by `started_at`, then `finding_id`; sentences for people; the input's names; events of the evidence by name
    ("source id"), where a format shows them; and the program's version."""

    judged: tuple[Judged, ...]
    summary: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    events: dict[str, Event] = {}
    version: str = ""

    @property
    def failed(self) -> tuple[Judged, ...]:
        """The findings that make the exit code 1."""
        return tuple(each for each in self.judged if each.broken)


def judge(findings: Sequence[Finding], waivers: Sequence[Waiver], rules: Sequence[Rule]) -> tuple[Judged, ...]:
    """In the order of the reports. ValueError where a time in a finding is none."""
    judged = []
    for finding in sorted(findings, key=lambda f: (parse_time(f.started_at), f.finding_id)):
        given = ruling(finding, waivers)
        waived = given is not None and not given.expired
        broken = "" if waived else next((str(rule) for rule in rules if rule.matches(finding)), "")
        judged.append(Judged(finding, given, broken))
    return tuple(judged)
