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


def followed(event: Action, undone: Action, domain: Domain) -> bool:
    """The write cites, by a read or as its cause, a state that changed after `undone`, and too long after it to be its effect."""
    earliest = undone.time + EFFECT_S * SECOND
    if event.time < earliest:
        return False
    for read in event.reads[:READS]:
        seen = event.time if read.time is None else min(read.time, event.time)
        if domain.variables.changed((read.resource, read.metric), earliest, seen):
            return True
    for name in event.causes:
        cause = domain.graph.named(name, event.source)
        if cause is not None and isinstance(cause.event, Transition) and earliest <= cause.event.time <= event.time:
            return True
    return False
