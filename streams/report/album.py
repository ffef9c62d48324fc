"""The events behind the findings' evidence, kept while they go by: a finding names its evidence, a picture needs what happened.

Bounded: beside the evidence itself, the newest events, far more than come between two revisions of a finding.
"""

from __future__ import annotations

from models.events import Event
from models.findings import Finding


class Album:
    """See every event, in the order in which it is read, then keep what each revision of a finding names."""

    def __init__(self, recent: int) -> None:
        self.kept: dict[str, Event] = {}  # by name, "source id"
        self._recent: dict[str, Event] = {}
        self._limit = recent

    def see(self, event: Event) -> None:
        """Remembers an event for a while."""
        self._recent.setdefault(f"{event.source} {event.id}", event)
        if len(self._recent) > self._limit:
            del self._recent[next(iter(self._recent))]

    def keep(self, finding: Finding) -> None:
        """Remembers for good what this revision names."""
        for item in finding.evidence:
            event = self._recent.get(item.event)
            if event is not None:
                self.kept[item.event] = event
