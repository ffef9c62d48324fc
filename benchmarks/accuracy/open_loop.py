"""The families through the analyzer at its default configuration, and through the baselines: who is flagged, and at which write.

A flag of ours is thrashing of severity warning or worse. What is told as `info`, as `noise_chasing` is by definition, is counted beside.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from benchmarks.accuracy.baselines import BASELINES
from benchmarks.accuracy.families import FAMILIES, Family
from benchmarks.accuracy.metrics import middle
from benchmarks.rig import columns, heading, row
from models.analyzer import Analyzer
from models.configuration import Analysis
from models.events import Action, Event
from models.findings import SEVERITIES, Finding
from models.instants import HOUR, parse_time
from models.reduction import Reducer

SEEDS = 60
OURS = "interplay, default configuration"
ALARM = SEVERITIES.index("warning")


class Flagged(msgspec.Struct, frozen=True):
    """One family and one detector: at which write (1 = the first) each flagged history was flagged, how many there were, and how many
    were told as `info` only."""

    writes: tuple[int, ...]
    histories: int
    informed: int = 0

    @property
    def share(self) -> str:
        """As a table has it."""
        return f"{len(self.writes)}/{self.histories}"

    @property
    def when(self) -> str:
        """Median and worst."""
        return f"{middle(self.writes)} .. {max(self.writes)}" if self.writes else "never"


def judge(events: Sequence[Event], settings: Analysis) -> list[Finding]:
    """Every revision of every finding, by way of reduce, as samples take it."""
    reducer, analyzer = Reducer("file/0", settings.time), Analyzer(settings)
    for offset, event in enumerate(events):
        reducer.feed(offset, event.time, [event])  # type: ignore[list-item]
    for event in reducer.release(events[-1].time + HOUR, at_end=True).events:
        analyzer.feed(event)  # type: ignore[arg-type]
    return [change.finding for change in analyzer.finish()]


def alarming(finding: Finding) -> bool:
    """Thrashing of severity warning or worse. A revision, not the last word: severity rises while an episode is open."""
    return finding.pattern == "thrashing" and SEVERITIES.index(finding.severity) >= ALARM


def write_of(events: Sequence[Event], found: Sequence[Finding]) -> int | None:
    """The number of writes there were when thrashing was first told as a warning or worse; None where it was not."""
    at = min((parse_time(finding.updated_at) for finding in found if alarming(finding)), default=None)
    return None if at is None else sum(isinstance(event, Action) and event.time <= at for event in events)


def numbers(events: Sequence[Event]) -> tuple[list[int], list[float], float]:
    """Times, values and the value before, for baselines that know numbers only; names become numbers."""
    writes = [event for event in events if isinstance(event, Action)]
    names: dict[object, float] = {}

    def value(written: object) -> float:
        return float(written) if isinstance(written, int | float) else names.setdefault(written, float(len(names)))

    before = value(writes[0].old)
    return [write.time for write in writes], [value(write.new) for write in writes], before


def measure(family: Family, seeds: int, settings: Analysis, first: int = 0) -> dict[str, Flagged]:
    """What each detector flags of one family, histories first .. first + seeds - 1."""
    seen: dict[str, list[int]] = {name: [] for name in (OURS, *BASELINES)}
    informed = 0
    for seed in range(first, first + seeds):
        events = family.draw(random.Random(f"{family.name} {seed}"))
        found = judge(events, settings)
        ours = write_of(events, found)
        if ours is not None:
            seen[OURS].append(ours)
        else:
            informed += any(finding.pattern == "thrashing" for finding in found)
        series = numbers(events) if any(isinstance(event, Action) for event in events) else None
        for name, baseline in BASELINES.items():
            at = baseline(*series) if series is not None else None
            if at is not None:
                seen[name].append(at + 1)
    return {name: Flagged(tuple(writes), seeds, informed if name == OURS else 0) for name, writes in seen.items()}


def report(seeds: int = SEEDS, first: int = 0) -> None:
    """Prints the two tables and what was to be reached."""
    heading(f"Open-loop families (simulated), seeds {first} .. {first + seeds - 1} of each; every detector sees the same writes")
    results = {family: measure(family, seeds, Analysis(), first) for family in FAMILIES}
    names = (OURS, *BASELINES)
    columns("flagged", OURS, "told as `info` only", *BASELINES)
    for family, result in results.items():
        row(family.name, result[OURS].share, result[OURS].informed, *(result[name].share for name in BASELINES))
    for fight, text in ((True, "all fights"), (False, "all that is benign")):
        chosen = [result for family, result in results.items() if family.fight == fight]
        ours, *others = (f"{sum(len(r[name].writes) for r in chosen)}/{sum(r[name].histories for r in chosen)}" for name in names)
        row(f"**{text}**", ours, sum(r[OURS].informed for r in chosen), *others)
    print()
    columns("detected at the n-th write, median .. worst", "due", *names)
    due = 0
    for family, result in results.items():
        if family.fight:
            in_time = sum(write <= family.due for write in result[OURS].writes)
            due += in_time
            row(family.name, f"{family.due}: {in_time}/{result[OURS].histories} ours", *(result[name].when for name in names))
    fights = sum(family.fight for family in results) * seeds
    quiet = sum(len(result[OURS].writes) for family, result in results.items() if not family.fight)
    informed = sum(result[OURS].informed for family, result in results.items() if not family.fight)
    print(f"\nfights detected in time: {due} of {fights}, target all: {'reached' if due == fights else 'NOT reached'}", flush=True)
    benign = sum(not family.fight for family in results) * seeds
    print(
        f"benign histories flagged: {quiet} of {benign}, target none: {'reached' if not quiet else 'NOT reached'}; "
        f"told as info only: {informed}",
        flush=True,
    )
