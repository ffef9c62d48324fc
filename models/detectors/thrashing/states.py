"""Whether a write followed a state that had changed by itself: a failover after a fault, a failback after the recovery.

For what has no size this is what demand is for numbers. A change that comes soon after the write which is turned back may be that write's
own effect (a cold cache after a switch, a target that is checked before it is ready), and excuses nothing: then it is the loop that swings.
"""

from __future__ import annotations

from models.domain import Domain
from models.events import Action, Transition
from models.instants import SECOND
from models.observers import READS

EFFECT_S = 240  # s after a write, within which a change of state may come from it
NEVER = -(1 << 62)


class States:
    """What the writes of one knob cite. Each write is looked up once: the members of a set share their writes."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._newest: dict[int, int] = {}  # id of the action -> ns

    def followed(self, event: Action, undone: Action) -> bool:
        """The write cites, by a read or as its cause, a state that changed after `undone`, and too long after it to be its effect."""
        earliest = undone.time + EFFECT_S * SECOND
        if event.time < earliest or not (event.reads or event.causes):
            return False
        newest = self._newest.get(id(event))
        if newest is None:
            newest = self._newest[id(event)] = self._cited(event)
        return newest >= earliest

    def _cited(self, event: Action) -> int:
        """When the newest of the states that the write cites had changed (ns), as far as it had seen that."""
        newest = NEVER
        for read in event.reads[:READS]:
            seen = event.time if read.time is None else min(read.time, event.time)
            changed = self._domain.variables.changed((read.resource, read.metric), seen)
            newest = newest if changed is None else max(newest, changed)
        for name in event.causes:
            cause = self._domain.graph.named(name, event.source)
            if cause is not None and isinstance(cause.event, Transition) and cause.event.time <= event.time:
                newest = max(newest, cause.event.time)
        return newest
