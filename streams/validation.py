"""What valid events leave out: nothing of it stops them, and all of it weakens what can be concluded (contract, section 1)."""

from __future__ import annotations

from msgspec import UNSET

from models.events import Action, AnyEvent


class Omissions:
    """Counts over the events of a run. Reads and causes count alike for an action, `old` only where it wrote something."""

    def __init__(self) -> None:
        self.actions = self.writes = self.without_old = self.without_reasons = 0

    def add(self, event: AnyEvent) -> None:
        """Counts an event."""
        if not isinstance(event, Action):
            return
        self.actions += 1
        self.without_reasons += not event.reads and not event.causes
        if event.outcome == "applied" and event.new is not UNSET:
            self.writes += 1
            self.without_old += event.old is UNSET

    def sentences(self) -> list[str]:
        """What is left out and what it costs, a sentence each."""
        told = []
        if self.without_old:
            told.append(
                f"{self.without_old:,} of {self.writes:,} writes carry no `old`: "
                "whose value they undo is seen only where the write before is known."
            )
        if self.without_reasons:
            told.append(
                f"{self.without_reasons:,} of {self.actions:,} actions carry neither `reads` nor `causationid`: "
                "no cascade can be cited through them."
            )
        return told
