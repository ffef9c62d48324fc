"""`interplay analyze FILE...`: events from files through the same core as the workers, without broker or database."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from models.analyzer import Analyzer
from models.decode import Rejection
from models.events import Event, Sample
from models.findings import Change, Finding
from models.instants import format_duration
from streams.cli.command import CANNOT, FOUND, OK, Command, Context, Trouble, program_version
from streams.cli.lines import EVENTS, RECOGNISE, TRACE, Sourcing, below, read, refusal, sourcing_arguments
from streams.intake import HOLD, Intake
from streams.report import FORMATS
from streams.report.album import Album
from streams.report.judged import Judged, Report, Rule, judge, parse_rule
from streams.report.remarked import remarked
from streams.settings import Waiver
from streams.sources.files import opened
from streams.sources.traces import SUFFIX, is_trace
from streams.terminal import Terminal
from streams.waivers import account

COMPLAINTS = 20  # bad lines told; the rest is only counted
PROGRESS_EVERY = 20_000
QUIET = "The records are valid, and none of them changes anything: there is nothing to find."


@dataclass
class Tally:
    """What came in, and what was found."""

    album: Album | None  # where the format shows the events themselves
    read: int = 0
    bad: int = 0
    samples: int = 0
    newest: int = 0  # ns, event time
    findings: dict[str, Finding] = field(default_factory=dict)

    def take(self, changes: Sequence[Change]) -> None:
        """Keeps the newest revision of each finding."""
        for change in changes:
            self.findings[change.finding.finding_id] = change.finding
            if self.album is not None:
                self.album.keep(change.finding)

    def see(self, event: Event) -> None:
        """Counts an event that is analysed."""
        self.newest = max(self.newest, event.time)
        if self.album is not None:
            self.album.see(event)


def fail_on(text: str) -> Rule:
    """What `--fail-on` is given. Raises ArgumentTypeError with the choices."""
    try:
        return parse_rule(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="events, one JSON object per line, lines of text in *.trace, a Kubernetes audit log, OpenTelemetry (OTLP), AWS CloudTrail; "
        "also compressed (.gz, .xz, .zst) or from standard input (-); of a directory all files below it",
    )
    sourcing_arguments(parser)
    parser.add_argument(
        "--format",
        choices=tuple(FORMATS),
        default="text",
        help="text: a paragraph per finding; json: one finding per line; html: a page to keep; junit, sarif: for CI viewers",
    )
    parser.add_argument(
        "--fail-on",
        metavar="PATTERN[:SEVERITY]",
        action="append",
        type=fail_on,
        default=[],
        help="exit 1 where such a finding is there that no waiver covers: any, a pattern, or a kind such as thrashing/growing",
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit 2, after the report, where a bad line or a late event was left out"
    )


def _run(context: Context) -> int:
    arguments, settings = context.arguments, context.settings()
    intake = Intake(Analyzer(settings.analysis))
    tally = Tally(Album(2 * HOLD) if arguments.format == "html" else None)
    sourcing = Sourcing(settings, arguments.source, arguments.cluster)
    _take(below(arguments.files), sourcing, intake, tally, context.err)
    if not tally.read and not sourcing.recorded:  # "nothing found" would pass a check that relies on --fail-on
        context.err.clear()
        raise Trouble("\n".join([_unread(arguments.files, tally.bad, sourcing), *sourcing.sentences()]))
    context.err.progress(f"{tally.read:,} events read, analysing ...")
    tally.take(intake.finish())
    context.err.clear()
    judged = judge(list(tally.findings.values()), settings.waiver, arguments.fail_on)
    if intake.late:
        context.err.say(_late(intake.late, settings.analysis.time.lateness))
    counters = Counter(intake.counters())
    found = _summary(tally, judged, counters) if tally.read else [QUIET]
    found += [] if counters["actions"] else sourcing.hints()  # of what might have been actions
    found += sourcing.unlike()
    unjudged = tally.bad + intake.late if arguments.strict else 0
    verdict = _verdict(judged, settings.waiver, tally.newest, unjudged)
    summary = (*found, *remarked(intake.remarks), *sourcing.sentences(), *verdict)
    report = Report(judged, summary, tuple(arguments.files), tally.album.kept if tally.album else {}, program_version())
    told = FORMATS[arguments.format](report, context.out)
    if told:
        context.out.say(told)
    if arguments.format != "text":
        for sentence in summary:
            context.err.say(context.err.wrap(sentence))
    return CANNOT if unjudged else FOUND if report.failed else OK


def _take(files: Sequence[str], sourcing: Sourcing, intake: Intake, tally: Tally, err: Terminal) -> None:
    for (number, line), event in read(files, sourcing):
        if isinstance(event, Rejection):
            tally.bad += 1
            if tally.bad <= COMPLAINTS:
                err.say(refusal(files[number], line, event))
            elif tally.bad == COMPLAINTS + 1:
                err.say(f"... further bad lines are only counted; interplay validate {files[number]} tells them all")
            continue
        tally.read += 1
        if isinstance(event, Sample):
            tally.samples += 1
            if event.role == "demand":
                tally.take(intake.feed(event))
        else:
            tally.see(event)
            tally.take(intake.feed(event))
        if tally.read % PROGRESS_EVERY == 0:
            found = f", {len(tally.findings):,} findings so far" if tally.findings else ""
            err.progress(f"{files[number]}: {tally.read:,} events read{found}")


def _unread(files: list[str], bad: int, sourcing: Sourcing) -> str:
    named = ", ".join(files)
    if not bad:
        return f"{named}: there is no event to analyse"
    lines = "the only line is bad" if bad == 1 else f"all {bad:,} lines are bad"
    if sourcing.source == "json":
        return f"{named}: no event could be read, {lines}; interplay map test says what the rules make of each record"
    if sourcing.source not in (RECOGNISE, EVENTS, TRACE):
        return f"{named}: no event could be read, {lines}; without --source {sourcing.source} it is recognised by its content"
    if sourcing.settings.map and sourcing.source == RECOGNISE and not is_trace(files[0]):
        return f"{named}: no event could be read, {lines}; no [[map]] rule of the settings applies: interplay map test says why"
    if _prefixed(files[0]):
        return (
            f"{named}: no event could be read, {lines}; there is text before the JSON of a line: "
            f"sed 's/^[^{{]*//' {files[0]} | interplay analyze -"
        )
    return f"{named}: no event could be read, {lines}; interplay schema says what events look like{_misnamed(files)}"


def _prefixed(path: str) -> bool:
    """Whether the file's first line is JSON but for what a shipper, journal or `grep` wrote before it."""
    if path == "-" or Path(path).is_dir():
        return False
    with opened(path) as content:
        line = next(iter(content), b"")
    try:
        return line.find(b"{") > 0 and isinstance(msgspec.json.decode(line[line.find(b"{") :]), dict)
    except msgspec.DecodeError:
        return False


def _misnamed(files: Sequence[str]) -> str:
    """What the names promise, where a name may be the mistake."""
    if len(files) != 1:
        return ""
    return (
        f" (*{SUFFIX} is read as text, not JSON)"
        if is_trace(files[0])
        else f" (text is read only from *{SUFFIX}, or with --source trace)"
    )


def _late(count: int, lateness: int) -> str:
    return (
        f"{count:,} event{' was' if count == 1 else 's were'} left out as late: older than {HOLD:,} events read before, and more than "
        f"{format_duration(lateness)} older than the newest; sort the input by time, or raise analysis.time.lateness"
    )


def _summary(tally: Tally, judged: Sequence[Judged], counters: Counter[str]) -> list[str]:
    """What was read, what was found, and where nothing was: what the events lack."""
    patterns = Counter(f"{each.finding.pattern}/{each.finding.kind}" for each in judged)
    named = ", ".join(f"{count} {name}" for name, count in sorted(patterns.items()))
    events = f"{tally.read:,} event{'' if tally.read == 1 else 's'}, {counters['actions']:,} of them actions and {tally.samples:,} samples"
    sentences = [f"{len(judged)} finding{'' if len(judged) == 1 else 's'}{f' ({named})' if named else ''} in {events}."]
    if tally.bad:
        sentences.append(f"{tally.bad:,} bad line{'' if tally.bad == 1 else 's'} left out.")
    if counters["late"]:
        sentences.append(f"{counters['late']:,} late event{'' if counters['late'] == 1 else 's'} left out.")
    if counters["duplicates"]:
        sentences.append(f"Repeated events, counted once: {counters['duplicates']:,}.")
    actions = counters["actions"]
    if not judged and actions:
        share = {name: counters[f"with_{name}"] / actions for name in ("old", "reads", "causes")}
        told = ", ".join(f"{part:.0%} carry {name}" for name, part in share.items())
        sentences.append(f"Of the actions {told}: what is missing weakens what can be concluded.")
    elif not judged:
        sentences.append("Without actions (interplay.action.v1) there is nothing to find.")
    return sentences


def _verdict(judged: Sequence[Judged], waivers: Sequence[Waiver], newest: int, unjudged: int) -> list[str]:
    """What is waived, which waivers want attention, what makes the exit code 1, and, of `unjudged` lines under `--strict`, 2."""
    sentences = []
    waived = sum(each.waived for each in judged)
    if waived:
        sentences.append(f"Waived: {waived:,}.")
    sentences += account(waivers, [each.ruling for each in judged], newest)
    broken = Counter(each.broken for each in judged if each.broken)
    sentences += [f"Fails: --fail-on {rule} matches {count:,} finding{'s' if count > 1 else ''}." for rule, count in broken.items()]
    if unjudged:
        sentences.append(f"Fails: --strict, and {unjudged:,} of the input {'was' if unjudged == 1 else 'were'} left out.")
    return sentences


COMMAND = Command(
    name="analyze",
    summary="find what agents did to each other, in files of events",
    details=f"""\
Needs neither broker nor database: the same core as the workers'. Bad lines are told and left out. Files are read as they are analysed:
the newest {HOLD:,} events wait, so up to there their order does not matter; in longer files an event that comes later than that, and
later than analysis.time.lateness, is told, counted and left out. Several files are read side by side; logs of one kind, such as those of
three API servers, as one log.
With --format json standard output has one final finding per line, ordered by started_at, then finding_id. What a [[waiver]] of the
settings covers is told as waived, with owner and reason, and does not fail.""",
    examples=(
        "interplay analyze events.jsonl",
        "zcat night.jsonl.gz | interplay analyze - --format json",
        "interplay analyze audit.log --cluster prod",
        "interplay analyze trail",
        "interplay analyze test-run.jsonl --fail-on thrashing:warning --fail-on intent_conflict --format junit > interplay.xml",
    ),
    exits="0 analysed; 1 --fail-on matched a finding that is not waived; 2 bad usage, unreadable input, no event or valid record in it, "
    "or, with --strict, something left out",
    run=_run,
    arguments=_arguments,
)
