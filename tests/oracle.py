"""The obvious batch program: for every event, rebuild all indexes from the whole history and judge; walk the episodes second by second.

It shares the detectors and the graph's edge rules with the core, and nothing of what makes the core incremental: no timeline, no eviction,
no timers, no recovery. It is quadratic on purpose.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from models.configuration import Analysis
from models.detectors import detectors
from models.domain import Domain
from models.episodes import BEGINNING, Episodes, Sighting, Standing
from models.events import Event, Sample, key
from models.findings import Finding
from models.instants import format_time
from models.remarks import Remark


class Open:
    """One open episode, naively."""

    def __init__(self, finding: Finding, ends: int) -> None:
        self.finding, self.ends = finding, ends
        self.due: int | None = None


class Oracle:
    """All revisions of all findings of a history."""

    def __init__(self, settings: Analysis) -> None:
        self.settings = settings
        self.detectors = detectors(settings)
        self.wording = Episodes(settings.coalesce, settings.limits.evidence)  # for the text of findings only
        self.open: dict[tuple[str, str, str], Open] = {}
        self.ended: dict[tuple[str, str, str], tuple[int, str, str]] = {}
        self.out: list[Finding] = []
        self.remarks: Counter[str] = Counter()

    def run(self, events: list[Event], until: int) -> list[Finding]:
        """Everything that is announced before `until` (ns)."""
        unique: dict[tuple[str, str], Event] = {}
        for event in sorted(events, key=key):
            unique.setdefault((event.source, event.id), event)
        history = sorted(unique.values(), key=key)
        for i, event in enumerate(history):
            self._pass_time(event.time)
            self._judge(history[:i], event)
        self._pass_time(until)
        return self.out

    def _judge(self, before: list[Event], event: Event) -> None:
        if isinstance(event, Sample):
            return
        horizon = event.time - self.settings.memory
        fresh = Domain(event.domain, self.settings)  # facts: last writes and words that are older than the memory
        for earlier in before:
            if earlier.domain == event.domain:
                if isinstance(earlier, Sample):
                    if earlier.time > horizon:
                        fresh.observe(earlier)
                elif earlier.time <= horizon:
                    fresh.intents.declare(earlier)
                    fresh.ledger.remember(earlier)
                    if getattr(earlier, "outcome", "") == "applied":
                        fresh.variables.remember(earlier)  # type: ignore[arg-type]
                else:
                    fresh.install(fresh.graph.add(earlier, fresh.variables))
        node = fresh.graph.add(event, fresh.variables)

        def standing(pattern: str, subject: str) -> Standing:
            name = (event.domain, pattern, subject)
            return Standing(name in self.open, self.ended.get(name, BEGINNING))

        for detector in self.detectors:
            for sighting in detector.judge(node, fresh, standing):
                if isinstance(sighting, Remark):
                    self.remarks[sighting.kind] += 1
                else:
                    self._see(event, sighting)

    def _see(self, event: Event, sighting: Sighting) -> None:
        name = (event.domain, sighting.pattern, sighting.subject)
        episode = self.open.get(name)
        if episode is None:
            if key(event) > self.ended.get(name, BEGINNING):
                finding = self.wording._opened(name, sighting)
                self.open[name] = Open(finding, sighting.ends)
                self.out.append(finding)
        elif key(event) > episode.finding.as_of:
            episode.finding = self.wording._grown(episode.finding, sighting)
            episode.ends = sighting.ends
            if episode.due is None:
                episode.due = (event.time // self.settings.coalesce + 1) * self.settings.coalesce

    def _pass_time(self, now: int) -> None:
        """Everything due up to and including `now`, before any event at `now`."""
        while True:
            moments = [(e.ends, 0, name) for name, e in self.open.items()]
            moments += [(e.due, 1, name) for name, e in self.open.items() if e.due is not None]
            moments = [moment for moment in moments if moment[0] <= now]
            if not moments:
                return
            time, _, name = min(moments)
            episode = self.open[name]
            revision = episode.finding.revision + 1
            if episode.ends <= time:
                del self.open[name]
                self.ended[name] = (time, "", "")
                self.out.append(
                    msgspec.structs.replace(
                        episode.finding, revision=revision, status="resolved", resolved_at=format_time(time), as_of=(time, "", "")
                    )
                )
            else:
                episode.due = None
                episode.finding = msgspec.structs.replace(episode.finding, revision=revision)
                self.out.append(episode.finding)
