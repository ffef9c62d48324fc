"""The core seen from outside: signals in, changes of findings out. Worker, command line, tests and benchmarks call `Analyzer.feed`.

from models.analyzer import Analyzer
analyzer = Analyzer()
for event in events:                      # structs of models.events, in any order
    analyzer.feed(event)
for change in analyzer.finish():          # opened, updated, resolved
    print(change.verb, change.finding.title)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from models.configuration import Analysis
from models.detectors import detectors
from models.domain import Domain
from models.episodes import Episodes, Standing
from models.events import Event, Sample, Signal, Tick, intern_names
from models.findings import Change, Quality
from models.remarks import Remark, Remarks
from models.stream_time import BEFORE_ALL, WatermarkState
from models.timeline import Timeline

VERSION = "5"  # of what findings follow from events: raised whenever the same events give other findings
FOREVER = 1 << 62


class Analyzer:
    """One signals partition. `partitions` are the source partitions whose ticks the watermark waits for."""

    def __init__(
        self, settings: Analysis | None = None, partitions: Sequence[str] = ("file/0",), state: WatermarkState | None = None
    ) -> None:
        self.settings = settings or Analysis()
        self.timeline = Timeline(tuple(partitions), self.settings.time, state)
        self.domains: dict[str, Domain] = {}
        self.episodes = Episodes(self.settings.coalesce, self.settings.limits.evidence, self.settings.limits.episodes)
        self._standings: dict[str, Callable[[str, str], Standing]] = {}  # what detectors may ask, by domain
        self._detectors = detectors(self.settings)
        self.remarks = Remarks()
        self._late = 0
        self._late_of: Counter[str] = Counter()
        self._past: Counter[str] = Counter()  # of domains that have been forgotten
        self._forgotten = BEFORE_ALL

    def feed(self, signal: Signal) -> list[Change]:
        """Takes in one signal. Only a tick moves time, so only a tick has changes to tell. Raises KeyError on an unknown partition."""
        if isinstance(signal, Tick):
            return self._advance() if self.timeline.tick(signal) else []
        if signal.late:
            self._late += 1
            self._late_of[signal.domain] += 1
        else:
            self.timeline.admit(intern_names(signal))
        return []

    def finish(self) -> list[Change]:
        """The input has ended: everything in it is known. Episodes that would end later stay open."""
        for name in sorted(self.timeline.watermark.expected):
            self.timeline.tick(Tick(partition=name, watermark=self.timeline.newest + 1, mode="data"))
        return self._advance() + [self._with_quality(change) for change in self.episodes.flush()]

    def domain(self, name: str) -> Domain:
        """The indexes of one domain, made when first asked for."""
        found = self.domains.get(name)
        if found is None:
            found = self.domains[name] = Domain(name, self.settings)
            self._standings[name] = partial(self.episodes.standing, name)
        return found

    def _advance(self) -> list[Change]:
        changes: list[Change] = []
        watermark, timers = self.timeline.watermark.held, self.episodes.timers
        while True:
            timer = timers[0][0] if timers else None
            until = FOREVER if timer is None else timer
            for event in self.timeline.ready(until):
                self._judge(event, changes)
                if timers and timers[0][0] < until:
                    break
            else:
                if timer is None or timer > watermark:
                    break
                change = self.episodes.fire()
                if change is not None:
                    changes.append(self._with_quality(change))
        self._age(watermark)
        return changes

    def _judge(self, event: Event, changes: list[Change]) -> None:
        domain = self.domains.get(event.domain) or self.domain(event.domain)
        if isinstance(event, Sample):
            domain.observe(event)
            return
        node = domain.place(event)
        if node is None:
            return
        if self.episodes.counts(event):
            standing = self._standings[event.domain]
            for detector in self._detectors:
                for seen in detector.judge(node, domain, standing):
                    if isinstance(seen, Remark):
                        if self.episodes.new(event):
                            self.remarks.add(seen)
                        continue
                    change = self.episodes.fold(event.domain, seen)
                    if change is not None:
                        changes.append(self._with_quality(change))
        domain.install(node)

    def _age(self, watermark: int) -> None:
        """Nothing below the watermark can be asked for any more; once a coalescing interval is often enough to say so."""
        if watermark < self._forgotten + self.settings.coalesce:
            return
        self._forgotten = watermark
        for name, domain in list(self.domains.items()):
            domain.age(watermark)
            domain.expire(watermark)
            if domain.empty and not domain.facts.changed:
                self._past.update(_counted(domain))
                del self.domains[name], self._standings[name]
        for name in [name for name in self._late_of if name not in self.domains]:
            del self._late_of[name]
        self.episodes.forget(watermark - self.settings.memory)

    def _with_quality(self, change: Change) -> Change:
        domain = self.domain(change.finding.domain)
        quality = Quality(
            late=self._late_of[domain.name],
            dropped=domain.counters["shed"] + self.episodes.shed[domain.name],
            skew_s=round(domain.graph.skew() / 1e9, 3),
            degraded=domain.degraded or bool(self.episodes.shed[domain.name]),
        )
        return Change(change.verb, msgspec.structs.replace(change.finding, quality=quality))

    def counters(self) -> dict[str, int]:
        """What came, what was left out and why, summed over the domains."""
        total: Counter[str] = Counter(self._past)
        for domain in self.domains.values():
            total.update(_counted(domain))
        total.update(late=self._late, below=self.timeline.below, pending=self.timeline.pending, open=len(self.episodes))
        total["episodes_shed"] = self.episodes.shed.total()
        total.update(self.remarks.counts)
        return dict(total)


def _counted(domain: Domain) -> dict[str, int]:
    coverage = {name: int(getattr(domain, name)) for name in ("events", "actions", "with_old", "with_reads", "with_causes")}
    graph, shed = domain.graph, domain.facts.shed
    return {**domain.counters, **coverage, "cycles": graph.cycles, "unrepaired": graph.unrepaired, "facts_shed": shed}
