"""What one sees of the demo: agents' deeds as they happen, and findings as they open, grow and resolve, in sentences."""

from __future__ import annotations

from models.findings import SEVERITIES, CausalEdge, Finding, Severity
from models.instants import SECOND, clock_time, parse_time
from streams.demo.agents import Deed
from streams.demo.incident import Shift
from streams.report.text import paragraph
from streams.report.words import figures, percent
from streams.terminal import Style, Terminal, figure

STYLES: dict[Severity, Style] = {"info": "cyan", "warning": "yellow", "error": "red", "critical": "red"}
STATES: dict[str, Style] = {"down": "red", "full": "red", "degraded": "yellow"}
EDGES = 6  # causal edges shown of a finding
REASON = " " * 6  # before a reason that has a line of its own
RELATIONS = {
    "explicit": "{effect}'s action follows from {cause}'s",
    "reads": "{effect} acted on what it read of {cause}'s action",
    "overwrites": "{effect} overwrote {cause}'s value",
    "affects": "{effect} was affected by {cause}'s action",
    "reacts": "{effect} reacted to {cause}'s action",
    "statistical": "{effect} tends to act after {cause}",
}


class Screen:
    """Tells the story on a terminal: event times (UTC), and in brackets the simulated system's, `factor` times longer."""

    def __init__(self, terminal: Terminal, factor: float) -> None:
        self.terminal, self.factor = terminal, factor
        self._doing = ""
        self._told: dict[str, Finding] = {}  # the revision of each finding that was said last

    def doing(self, what: str) -> None:
        """What goes on now: a line that dots follow on a terminal, a plain line in a file."""
        self._doing = what
        if self.terminal.interactive:
            self.terminal.progress(what + " ")
        else:
            self.terminal.say(what)

    def dot(self) -> None:
        """Still at it."""
        self._doing += "." if "." in self._doing else " ."
        self.terminal.progress(self._doing)

    def done(self, seconds: float) -> None:
        """What `doing` named is done."""
        if self.terminal.interactive:
            self.terminal.say(self.terminal.paint(f"{self._doing.rstrip('. ')}: {seconds:.1f} s", "dim"))

    def happened(self, at_ns: int, seconds: float, what: Deed | Shift) -> None:
        """One line about a deed or a change of state, `seconds` of simulated time after the start."""
        paint = self.terminal.paint
        tenth = at_ns % SECOND // (SECOND // 10)
        when = f"{clock_time(at_ns)}.{tenth} [{_minutes(seconds)}]"
        stamp = paint(when, "dim")
        if isinstance(what, Shift):
            text = f"{what.resource} {what.metric}: {what.before} -> {what.after}"
            self.terminal.say(f"{stamp}  {paint(text, STATES.get(what.after, 'green'))}")
            return
        resource, parameter = what.knob
        moved = (
            f"puts {resource} on hold"
            if parameter == "paused"
            else f"{resource} {parameter} {figure(what.old)} -> {figure(what.new)}"
        )
        saw = f"saw {', '.join(what.saw)}; " if what.saw else ""
        reason = f"({saw}{what.rule})"
        line = f"{stamp}  {paint(f'{what.agent:<14}', 'cyan')} {moved}"
        if len(f"{when}  {what.agent:<14} {moved}  {reason}") <= self.terminal.width:
            self.terminal.say(f"{line}  {paint(reason, 'dim')}")
        else:
            self.terminal.say(f"{line}\n{paint(self.terminal.wrap(reason, REASON), 'dim')}")

    def finding(self, finding: Finding) -> None:
        """One revision: all of it the first time, then what is new."""
        told = self._told.get(finding.finding_id)
        self._told[finding.finding_id] = finding
        if told is None:
            self._opened(finding)
        if finding.status == "resolved":
            self._resolved(finding)
        elif told is not None:
            self._went_on(finding, told)

    def _opened(self, finding: Finding) -> None:
        say, wrap, paint = self.terminal.say, self.terminal.wrap, self.terminal.paint
        say(paint(f"\n>>> FOUND: {finding.pattern}", STYLES[finding.severity]))
        say(paragraph(finding, self.terminal))
        for edge in finding.edges[-EDGES:]:
            lag = f"{figure(edge.lag_s)} s [{figure(edge.lag_s * self.factor)} s] later"
            say(paint(wrap(f"{linked(finding, edge)}, {lag}, {percent(edge.probability)} sure", "  "), "dim"))
        say()

    def _went_on(self, finding: Finding, told: Finding) -> None:
        head = f">>> {trend(told.severity, finding.severity)}: {finding.title}"
        rest = f"(revision {finding.revision}, {finding.severity} {finding.kind})"
        self.terminal.say(self.terminal.paint(self.terminal.wrap(f"{head} {rest}"), STYLES[finding.severity]))
        for sentence in finding.explanation[max(1, len(told.explanation)) :]:
            self.terminal.say(self.terminal.wrap(sentence, "  "))
        self.terminal.say(self.terminal.paint(self.terminal.wrap(figures(finding), "  "), "dim"))

    def _resolved(self, finding: Finding) -> None:
        lasted = (parse_time(finding.updated_at) - parse_time(finding.started_at)) / SECOND
        self.terminal.say(self.terminal.paint(self.terminal.wrap(f">>> RESOLVED: {finding.title}"), "green"))
        rest = f"{finding.pattern}/{finding.kind} lasted {lasted:.1f} s [{_minutes(lasted * self.factor)}]; {figures(finding)}"
        self.terminal.say(self.terminal.paint(self.terminal.wrap(rest, "  "), "dim"))


def trend(before: Severity, now: Severity) -> str:
    """What a finding does that was `before` and is `now` so severe."""
    change = SEVERITIES.index(now) - SEVERITIES.index(before)
    return "GROWS" if change > 0 else "EASES" if change < 0 else "CHANGES"


def linked(finding: Finding, edge: CausalEdge) -> str:
    """An edge in words, with agents' names where the finding tells whose events they are."""
    return RELATIONS[edge.relation].format(effect=_actor(finding, edge.effect), cause=_actor(finding, edge.cause))


def _actor(finding: Finding, event: str) -> str:
    """The agent behind "source id": the demo's sources name theirs between slashes. Otherwise the source."""
    source = event.rsplit(" ", 1)[0]
    return next((agent for agent in finding.agents if agent in source.split("/")), source)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
