"""The same events brought to the analyzer in different ways, all of which must lead to the same findings.

batch     all at once; time moves at the end
streamed  one by one in order, time moving after each
shuffled  out of order by up to the lateness, time moving as far as the order allows
split     over three source partitions, each shuffled, and every event a second time in another one
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from models.analyzer import Analyzer
from models.configuration import Analysis
from models.events import Action, AnyEvent, Dependency, Intent, Sample, Tick, Transition, Verdict, key, ref
from models.findings import Change, Finding

Analysed: TypeAlias = Action | Sample | Transition | Dependency | Intent | Verdict
Arrival: TypeAlias = tuple[int, Analysed]  # number of the source partition, event
Arrange: TypeAlias = Callable[[Sequence[Analysed], int], list[Arrival]]

SPLIT = 3  # source partitions


def play(events: Iterable[AnyEvent], settings: Analysis, arrangement: str = "streamed") -> list[Change]:
    """Every revision of every finding. Raises KeyError on an unknown arrangement."""
    arrange = ARRANGEMENTS[arrangement]
    ordered = sorted((event for event in events if isinstance(event, Analysed)), key=key)
    arrivals = arrange(ordered, settings.time.lateness)
    partitions = [f"scenario/{number}" for number in range(SPLIT if arrangement == "split" else 1)]
    analyzer = Analyzer(settings, partitions)
    highest: dict[int, int] = {}
    changes: list[Change] = []
    disorder = 0 if arrangement == "streamed" else settings.time.lateness
    for number, event in arrivals:
        changes += analyzer.feed(event)
        highest[number] = max(highest.get(number, event.time), event.time)
        if arrangement != "batch":
            changes += analyzer.feed(Tick(partition=partitions[number], watermark=highest[number] - disorder, mode="data"))
    return changes + analyzer.finish()


def final(changes: Iterable[Change]) -> list[Finding]:
    """The last revision of each finding, in the order in which they began."""
    last = {change.finding.finding_id: change.finding for change in changes}
    return sorted(last.values(), key=lambda finding: (finding.started_at, finding.finding_id))


def _in_order(events: Sequence[Analysed], lateness: int) -> list[Arrival]:
    return [(0, event) for event in events]


def _shuffled(events: Sequence[Analysed], lateness: int) -> list[Arrival]:
    return [(0, event) for event in sorted(events, key=lambda event: event.time + _draw(event, "delay", lateness))]


def _split(events: Sequence[Analysed], lateness: int) -> list[Arrival]:
    """Every event twice, in two of the partitions; what comes first may be either."""
    arrivals = []
    for event in events:
        number = _draw(event, "partition", SPLIT)
        for copy in (number, (number + 1) % SPLIT):
            arrivals.append((event.time + _draw(event, f"delay {copy}", lateness), copy, event))
    return [(number, event) for _, number, event in sorted(arrivals, key=lambda arrival: (*arrival[:2], *key(arrival[2])))]


def _draw(event: AnyEvent, what: str, below: int) -> int:
    """A number that looks random, and is the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{what} {ref(event)}".encode()).digest()[:8]) % max(below, 1)


ARRANGEMENTS: dict[str, Arrange] = {"batch": _in_order, "streamed": _in_order, "shuffled": _shuffled, "split": _split}
