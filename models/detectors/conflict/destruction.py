"""`destroy_in_use`: an action deletes an object that the current value of a knob names, or that an open intent is about to install.

Names are looked up in the index of current values (`models/references.py`). What the same writer instance put there, what the deleting
action itself replaces, and what it had seen when it decided are no conflicts. Source: the race of October 2025 in which a clean-up deleted
the DNS plan that another instance had just installed.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from models.configuration import Conflict
from models.detectors.conflict.case import Case, acknowledged, close, lag_text, shown, sighting
from models.domain import Domain
from models.episodes import Sighting
from models.events import Action
from models.explain import deed
from models.instants import clock_time
from models.intents import Declared, open_until

MOST_DELETED = 64  # objects of one action that are looked up
VERBS = ("delete", "destroy", "purge")  # without `new` and `deletes`, what they are done to is what they delete


def judge(event: Action, domain: Domain, settings: Conflict, oldest: int) -> Iterator[Sighting]:
    """One sighting for each knob that names what the event deletes. References older than `oldest` (ns) are forgotten."""
    names = event.deletes[:MOST_DELETED]
    if not names:
        if event.verb not in VERBS or event.new is not UNSET:
            return
        names = (event.resource,)
    met = set()
    for name in names:
        for user in domain.ledger.references.to(name):
            place = (user.resource, user.parameter, user.agent)
            if place in met or user.time < oldest or not _in_use(event, user, domain, settings):
                continue
            seen = _saw(event, user)
            if not seen:
                met.add(place)
                yield sighting(_case(event, name, user, seen is None, settings))


def _in_use(event: Action, user: Declared, domain: Domain, settings: Conflict) -> bool:
    if user.source == event.source or acknowledged(event, user):
        return False
    if isinstance(user, Action):
        replaced = event.new is not UNSET and (event.resource, event.parameter) == (user.resource, user.parameter)
        return not replaced
    until = open_until(user, settings.intent_window)
    return domain.intents.stands(user) and (until is None or event.time < until)


def _saw(event: Action, user: Declared) -> bool | None:
    """Whether the deleting writer had seen the reference; None where no read of that knob tells."""
    told: bool | None = None
    value = user.new if isinstance(user, Action) else user.desired
    for read in event.reads:
        if (read.resource, read.metric) != (user.resource, user.parameter):
            continue
        if read.time is not None:
            seen = read.time >= user.time
        elif read.version is not None and isinstance(user, Action) and user.version is not None:
            seen = read.version == user.version
        elif read.value is not UNSET:
            seen = close(read.value, value)
        else:
            continue
        told = seen or bool(told)
    return told


def _case(event: Action, name: str, user: Declared, unknown: bool, settings: Conflict) -> Case:
    knob = f"{user.resource} {user.parameter}"
    using = (
        f"{user.source} had put it there" if isinstance(user, Action) else f"{user.source} had declared that it would install it"
    )
    hint = f" A `time` on a read of {knob} would settle whether it had seen that." if unknown else ""
    agents = sorted({event.agent, user.agent})
    return Case(
        kind="destroy_in_use",
        root=event,
        others=((user, "victim"),),
        sentence=f"{clock_time(event.time)} {deed(event)} and deleted {shown(name)}, which {knob} names: "
        f"{using} {lag_text(event, user)} before.{hint}",
        title=f"{event.agent} deleted {shown(name)}, which {knob} names",
        about=(name, user.resource, user.parameter, *agents),
        agents=tuple(agents),
        resources=(event.resource, user.resource),
        parameters=(user.parameter,),
        score=0.9,
        severity="critical",
        confidence=0.8 if unknown else 0.95,
        ends=event.time + settings.hold,
    )
