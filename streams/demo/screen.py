"""What one sees of the demo: agents' deeds as they happen, and findings as they open, grow and resolve, in sentences."""

from __future__ import annotations

from models.findings import Finding, Severity
from models.instants import SECOND, clock_time, parse_time
from streams.demo.agents import Deed
from streams.demo.incident import Shift
from streams.report import paragraph
from streams.terminal import Style, Terminal

STYLES: dict[Severity, Style] = {"info": "cyan", "warning": "yellow", "error": "red", "critical": "red"}
STATES: dict[str, Style] = {"down": "red", "full": "red", "degraded": "yellow"}
EDGES = 6  # causal edges shown of a finding


class Screen:
    """Tells the story on a terminal: event times (UTC), and in brackets the simulated system's, `factor` times longer."""

    def __init__(self, terminal: Terminal, factor: float) -> None:
        self.terminal, self.factor = terminal, factor
        self._doing = ""
        self._told: dict[str, int] = {}  # sentences of each finding that have been said

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
        stamp = paint(f"{clock_time(at_ns)}.{tenth} [{_minutes(seconds)}]", "dim")
        if isinstance(what, Shift):
            text = f"{what.resource} {what.metric}: {what.before} -> {what.after}"
            self.terminal.say(f"{stamp}  {paint(text, STATES.get(what.after, 'green'))}")
            return
        resource, parameter = what.knob
        moved = f"puts {resource} on hold" if parameter == "paused" else f"{resource} {parameter} {what.old:g} -> {what.new:g}"
        saw = f"saw {', '.join(what.saw)}; " if what.saw else ""
        self.terminal.say(f"{stamp}  {paint(f'{what.agent:<14}', 'cyan')} {moved}  {paint(f'({saw}{what.rule})', 'dim')}")

    def finding(self, finding: Finding) -> None:
        """One revision: all of it the first time, then what is new."""
        told = self._told.get(finding.finding_id)
        self._told[finding.finding_id] = len(finding.explanation)
        if told is None:
            self._opened(finding)
        if finding.status == "resolved":
            self._resolved(finding)
        elif told is not None:
            self._grew(finding, told)

    def _opened(self, finding: Finding) -> None:
        say, wrap, paint = self.terminal.say, self.terminal.wrap, self.terminal.paint
        say(paint(f"\n>>> FOUND: {finding.pattern}", STYLES[finding.severity]))
        say(paragraph(finding, self.terminal))
        for edge in finding.edges[-EDGES:]:
            lag = f"{edge.lag_s:.2f} s [{edge.lag_s * self.factor:.0f} s]"
            say(
                paint(
                    wrap(f"{edge.effect} {edge.relation} {edge.cause}, {lag} later, probability {edge.probability:.2f}", "  "),
                    "dim",
                )
            )
        say(paint(wrap(figures(finding), "  "), "dim") + "\n")

    def _grew(self, finding: Finding, told: int) -> None:
        head = f">>> GROWS: {finding.title} (revision {finding.revision}, {finding.severity} {finding.kind})"
        self.terminal.say(self.terminal.paint(head, STYLES[finding.severity]))
        for sentence in finding.explanation[max(1, told) :]:
            self.terminal.say(self.terminal.wrap(sentence, "  "))
        self.terminal.say(self.terminal.paint(self.terminal.wrap(figures(finding), "  "), "dim"))

    def _resolved(self, finding: Finding) -> None:
        lasted = (parse_time(finding.updated_at) - parse_time(finding.started_at)) / SECOND
        self.terminal.say(self.terminal.paint(f">>> RESOLVED: {finding.title}", "green"))
        rest = f"{finding.pattern}/{finding.kind} lasted {lasted:.1f} s [{_minutes(lasted * self.factor)}]; {figures(finding)}"
        self.terminal.say(self.terminal.paint(self.terminal.wrap(rest, "  "), "dim"))


def figures(finding: Finding) -> str:
    """The numbers of a finding in one line."""
    return ", ".join(f"{name} {value:.3g}" for name, value in sorted(finding.metrics.items()))


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
