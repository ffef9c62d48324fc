"""A report in sentences: what is wrong first, then what is known about each part, then the numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence

from models.configuration import StreamTime
from models.instants import MINUTE, clock_time
from models.stream_time import BEFORE_ALL
from streams.report.words import ago
from streams.status.facts import Coverage, Report, RoleLag, Source, Watermark
from streams.terminal import table

BEHIND = MINUTE  # a role whose oldest unread record is older has fallen behind
THIN = 0.1  # share of actions below which a kind of reason is as good as absent
LATE = 0.05  # share of late events above which the lateness is too short


def wrongs(report: Report, time: StreamTime) -> list[str]:
    """What is wrong and what to do about it, a sentence each; empty means healthy."""
    return [*_roles(report), *_clocks(report, time), *_lateness(report.coverage), *_refusals(report)]


def knowns(report: Report) -> list[str]:
    """How the parts stand, a sentence each."""
    sentences = ["No event has arrived yet: the source topics are empty."] if _nothing_yet(report) else []
    sentences += _reached(report)
    if report.coverage is not None:
        sentences.append(_covered(report.coverage))
    found = report.findings
    if found is not None:
        kinds = ", ".join(f"{count} {name}" for name, count in sorted(found.open.items()))
        total = sum(found.open.values())
        sentences.append(
            f"{total} finding{'' if total == 1 else 's'} open{f' ({kinds})' if kinds else ''}, {found.resolved} resolved"
            + (f", {found.gone} resolved long ago: `interplay query` has them." if found.gone else ".")
        )
        sentences += [f"Open: {title}." for title in found.titles]
        if not (total or found.resolved or found.gone) and report.coverage is not None:
            sentences.append(_why_nothing(report.coverage, report.watermarks))
    if report.dead_letters is not None:
        reasons = ", ".join(
            f"{count} {reason}" for reason, count in sorted(report.dead_letters.reasons.items(), key=lambda r: -r[1])
        )
        sentences.append(f"{report.dead_letters.kept:,} dead letters{f'; the newest: {reasons}' if reasons else ''}.")
    return sentences


def _reached(report: Report) -> list[str]:
    same: dict[tuple[int, str], list[int]] = {}
    for mark in report.watermarks:
        if mark.held is not None:
            same.setdefault((mark.held, mark.holding), []).append(mark.partition)
    sentences = []
    for (held, holding), numbers in same.items():
        verb, them = ("is", "it") if len(numbers) == 1 else ("are", "them")
        known = f"{clock_time(held)} UTC, {ago(report.now - held)} ago"
        sentences.append(f"{_signals_partitions(numbers)} {verb} analysed up to {known}; what holds {them}: {holding}.")
    return sentences


def tables(report: Report) -> list[str]:
    """The numbers: roles, then source partitions."""
    found = []
    if report.lags:
        rows = [
            (r.role, _count(r.members), str(r.partitions), f"{r.lag:,}", "-" if r.oldest is None else ago(r.oldest))
            for r in report.lags
        ]
        found.append(table(("role", "workers", "partitions", "lag", "oldest unread"), rows))
    if report.sources:
        rows5 = [(s.partition, s.mode, _known_up_to(s, report.now), ago(s.delay), ago(report.now - s.told)) for s in report.sources]
        found.append(table(("source partition", "mode", "known up to (ago)", "largest delay", "last told"), rows5))
    return found


def _known_up_to(source: Source, now: int) -> str:
    return "-" if source.mode == "empty" or source.watermark == BEFORE_ALL else ago(now - source.watermark)


def _count(number: int | None) -> str:
    return "-" if number is None else str(number)


def _roles(report: Report) -> list[str]:
    sentences = []
    for role in report.lags:
        start = f"interplay worker {role.role}"
        if role.members == 0:
            sentences.append(f"No {role.role} worker is running{_waiting(role)}: start one with `{start}`.")
        elif role.members and role.oldest is not None and role.oldest <= BEHIND:
            continue  # it runs, and nothing has waited long: a role that was just started has committed nothing either
        elif role.begun == 0 and role.lag and role.members:
            asked = f" Is {report.store} up?" if role.role == "store" else ""
            sentences.append(f"The role {role.role} runs but has committed nothing{_waiting(role)}: see its log.{asked}")
        elif role.begun == 0 and role.lag:
            sentences.append(f"The role {role.role} has never committed anything{_waiting(role)}: is `{start}` running?")
        elif role.oldest is not None and role.oldest > BEHIND:
            sentences.append(
                f"The role {role.role} is behind{_waiting(role)}: see its log, or add workers (up to {role.partitions})."
            )
    return sentences


def _waiting(role: RoleLag) -> str:
    if not role.lag:
        return ""
    oldest = f", the oldest for {ago(role.oldest)}" if role.oldest is not None else ""
    return f" and {role.lag:,} records wait{oldest}"


def _clocks(report: Report, time: StreamTime) -> list[str]:
    sentences = []
    quiet = [source for source in report.sources if report.now - source.told > time.idle_timeout]
    if quiet:
        longest = max(report.now - source.told for source in quiet)
        sentences.append(
            f"{len(quiet)} of {len(report.sources)} source partitions have not been told of for up to {ago(longest)}, "
            f"{quiet[0].partition} among them: the watermark stands still until reduce reads them again."
        )
    return sentences if _nothing_yet(report) else sentences + _standing(report, None if quiet else time.idle_timeout)


def _standing(report: Report, patience: int | None) -> list[str]:
    """Signals partitions that stand still. One may write nothing for `patience` (ns); None: why it does not is told already."""
    reasons: dict[str, list[int]] = {}
    silent: dict[int, int] = {}
    for mark in report.watermarks:
        if mark.held is None:
            reasons.setdefault(mark.holding, []).append(mark.partition)
        elif patience is not None and report.now - mark.written > patience:
            silent[mark.partition] = report.now - mark.written
    sentences = [f"{_signals_partitions(numbers)} cannot move: {reason}." for reason, numbers in reasons.items()]
    if silent:
        said = f"{'has' if len(silent) == 1 else 'have'} written no progress for {ago(max(silent.values()))}"
        sentences.append(f"{_signals_partitions([*silent])} {said}: is analyze running?")
    return sentences


def _nothing_yet(report: Report) -> bool:
    """A new installation: reduce has looked into the source partitions, and all of them are empty."""
    empty = bool(report.sources) and all(source.mode == "empty" for source in report.sources)
    return empty and report.coverage is not None and not report.coverage.events


def _signals_partitions(numbers: Sequence[int]) -> str:
    """Names them, in order, runs as "0-3"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    named = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return f"Signals partition{'' if len(numbers) == 1 else 's'} {named}"


def blind_spots(report: Report) -> list[str]:
    """What cannot be found since the events do not say it: nothing is broken, and nobody needs to get up for it."""
    coverage = report.coverage
    if coverage is None or not coverage.actions:
        return []
    sentences = []
    if coverage.with_old < THIN * coverage.actions:
        sentences.append("It is nearly blind to who undoes whom: hardly an action carries `old` (the SDK fills it from a getter).")
    if coverage.with_reads + coverage.with_causes < THIN * coverage.actions:
        sentences.append(
            "It is nearly blind to causes: hardly an action carries `reads` or `causationid`, as logs of other systems seldom do."
        )
    return sentences


def _lateness(coverage: Coverage | None) -> list[str]:
    if coverage is None or not coverage.actions or coverage.late <= LATE * coverage.events:
        return []
    return [
        f"{coverage.late:,} of the newest {coverage.events:,} events came too late to be analysed: raise analysis.time.lateness, "
        "or let the exporters flush more often."
    ]


def _refusals(report: Report) -> list[str]:
    letters = report.dead_letters
    if letters is None or not letters.recent:
        return []
    return [
        f"{letters.recent:,} records became dead letters in the last 15 minutes: `interplay validate FILE` tells producers why."
    ]


def _covered(coverage: Coverage) -> str:
    if not coverage.actions:
        return f"There is no action among the newest {coverage.signals:,} signals."
    shares = [
        f"{count / coverage.actions:.0%} carry {name}"
        for name, count in (("old", coverage.with_old), ("reads", coverage.with_reads), ("causes", coverage.with_causes))
    ]
    return f"Of the newest {coverage.actions:,} actions, by {coverage.agents} agents, {', '.join(shares)}."


def _why_nothing(coverage: Coverage, marks: Sequence[Watermark]) -> str:
    if not coverage.actions:
        return "Why it found nothing: no agent's action has arrived (interplay.action.v1)."
    analysed = [mark.held for mark in marks if mark.held is not None]
    if marks and not analysed:
        return "Why it found nothing: nothing has been analysed yet."
    if analysed and coverage.newest is not None and coverage.newest - min(analysed) > BEHIND:
        return (
            f"Why it found nothing: it is not there yet. The newest event is of {clock_time(coverage.newest)} UTC, "
            f"{ago(coverage.newest - min(analysed))} after what is analysed: old records wait for the slowest partition until a record of "
            "now comes, and new ones for the lateness."
        )
    if coverage.agents < 2:
        return "Why it found nothing: only one agent acts, so only its own hunting could be found."
    return "Why it found nothing: as far as the newest events show, no agents have undone each other or set off chains."
