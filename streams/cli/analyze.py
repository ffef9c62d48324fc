"""`interplay analyze FILE...`: events from files through the same core as the workers, without broker or database."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from dataclasses import dataclass, field

from models.analyzer import Analyzer
from models.decode import Rejection
from models.events import Sample
from models.findings import SEVERITIES, Finding, Severity, encode_finding
from models.instants import parse_time
from streams.cli.command import FOUND, OK, Command, Context, Trouble
from streams.cli.lines import read, refusal
from streams.report import at_least, paragraph
from streams.terminal import Terminal

PATTERNS = ("thrashing", "intent_conflict", "cascade")
COMPLAINTS = 20  # bad lines told; the rest is only counted
PROGRESS_EVERY = 20_000


@dataclass(frozen=True)
class FailOn:
    """What makes the exit code 1: findings of a pattern ("any" for all), at least so severe."""

    pattern: str
    severity: Severity

    def matches(self, finding: Finding) -> bool:
        """Whether this finding is one of them."""
        return self.pattern in ("any", finding.pattern) and at_least(finding, self.severity)


@dataclass
class Tally:
    """What came in."""

    read: int = 0
    bad: int = 0
    samples: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)


def fail_on(text: str) -> FailOn:
    """Parses PATTERN[:SEVERITY]. Raises ArgumentTypeError with the choices."""
    pattern, _, severity = text.partition(":")
    if pattern not in (*PATTERNS, "any"):
        raise ArgumentTypeError(f"no pattern {pattern!r}; choose from any, {', '.join(PATTERNS)}")
    for known in SEVERITIES:
        if known == (severity or "info"):
            return FailOn(pattern, known)
    raise ArgumentTypeError(f"no severity {severity!r}; choose from {', '.join(SEVERITIES)}")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="events, one JSON object per line (.gz, .xz and .zst are understood; - is standard input), or lines of text in *.trace",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text: a paragraph per finding; json: one finding per line"
    )
    parser.add_argument(
        "--fail-on",
        metavar="PATTERN[:SEVERITY]",
        action="append",
        type=fail_on,
        default=[],
        help="exit 1 where such a finding is there",
    )


def _run(context: Context) -> int:
    arguments = context.arguments
    analyzer, tally = Analyzer(context.settings().analysis), Tally()
    for file in arguments.files:
        _take(file, analyzer, tally, context.err)
    if not tally.read:  # "nothing found" would pass a check that relies on --fail-on
        context.err.clear()
        raise Trouble(_unread(arguments.files, tally.bad))
    context.err.progress(f"{tally.read:,} events read, analysing ...")
    for change in analyzer.finish():
        tally.findings[change.finding.finding_id] = change.finding
    context.err.clear()
    findings = sorted(tally.findings.values(), key=lambda f: (parse_time(f.started_at), f.finding_id))
    for finding in findings:
        context.out.say(encode_finding(finding).decode() if arguments.format == "json" else paragraph(finding, context.out) + "\n")
    summary = context.err if arguments.format == "json" else context.out
    for sentence in _summary(tally, findings, Counter(analyzer.counters())):
        summary.say(summary.wrap(sentence))
    return FOUND if any(rule.matches(finding) for rule in arguments.fail_on for finding in findings) else OK


def _take(file: str, analyzer: Analyzer, tally: Tally, err: Terminal) -> None:
    for line, event in read(file):
        if isinstance(event, Rejection):
            tally.bad += 1
            if tally.bad <= COMPLAINTS:
                err.say(refusal(file, line, event))
            elif tally.bad == COMPLAINTS + 1:
                err.say(f"... further bad lines are only counted; interplay validate {file} tells them all")
            continue
        tally.read += 1
        if isinstance(event, Sample):
            tally.samples += 1
        else:
            analyzer.feed(event)
        if tally.read % PROGRESS_EVERY == 0:
            err.progress(f"{file}: {tally.read:,} events read")


def _unread(files: list[str], bad: int) -> str:
    named = ", ".join(files)
    if not bad:
        return f"{named}: there is no event to analyse"
    lines = "the only line is bad" if bad == 1 else f"all {bad:,} lines are bad"
    return f"{named}: no event could be read, {lines}; interplay schema says what events look like"


def _summary(tally: Tally, findings: list[Finding], counters: Counter[str]) -> list[str]:
    """What was read, what was found, and where nothing was: what the events lack."""
    patterns = Counter(f"{finding.pattern}/{finding.kind}" for finding in findings)
    named = ", ".join(f"{count} {name}" for name, count in sorted(patterns.items()))
    events = f"{tally.read:,} events, {counters['actions']:,} of them actions and {tally.samples:,} samples"
    sentences = [f"{len(findings)} finding{'' if len(findings) == 1 else 's'}{f' ({named})' if named else ''} in {events}."]
    if tally.bad:
        sentences.append(f"{tally.bad:,} bad line{'' if tally.bad == 1 else 's'} left out.")
    if counters["duplicates"]:
        sentences.append(f"Repeated events, counted once: {counters['duplicates']:,}.")
    actions = counters["actions"]
    if not findings and actions:
        share = {name: counters[f"with_{name}"] / actions for name in ("old", "reads", "causes")}
        told = ", ".join(f"{part:.0%} carry {name}" for name, part in share.items())
        sentences.append(f"Of the actions {told}: what is missing weakens what can be concluded.")
    elif not findings:
        sentences.append("Without actions (interplay.action.v1) there is nothing to find.")
    return sentences


COMMAND = Command(
    name="analyze",
    summary="find what agents did to each other, in files of events",
    details="""\
Needs neither broker nor database: the same core as the workers', all events known at once. Bad lines are told and left out.
With --format json standard output has one final finding per line, ordered by started_at, then finding_id.""",
    examples=(
        "interplay analyze events.jsonl",
        "zcat night.jsonl.gz | interplay analyze - --format json",
        "interplay analyze test-run.jsonl --fail-on thrashing:warning --fail-on intent_conflict",
    ),
    exits="0 analysed; 1 --fail-on matched a finding; 2 bad usage, unreadable input, or input without a single event",
    run=_run,
    arguments=_arguments,
)
