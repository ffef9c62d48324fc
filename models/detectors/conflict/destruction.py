"""`destroy_in_use`: an action deletes or disables an object that the current value of a knob names, or that an open intent will install.

Names are looked up in the index of current values (`models/references.py`). What the same writer instance put there, what the deleting
action itself replaces, and what it had seen when it decided are no conflicts. Source: the race of October 2025 in which a clean-up deleted
the DNS plan that another instance had just installed.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from models.configuration import Conflict
from models.detectors.conflict.case import Case, acknowledged, close, lag_text, overrules, shown, sighting
from models.domain import Domain
from models.episodes import Sighting
from models.events import Action
from models.explain import deed
from models.instants import clock_time
from models.intents import Declared, open_until

MOST_DELETED = 64  # objects of one action that are looked up
VERBS = ("delete", "destroy", "purge")  # without `new` and `deletes`, what they are done to is what they delete
DISABLING = ("disable", "deactivate", "suspend", "decommission", "retire", "revoke")  # without `new`, likewise
SWITCHES = {
    "enabled": True,
    "active": True,
    "disabled": False,
    "suspended": False,
    "suspend": False,
}  # knob -> its value where all is well
STATES = ("state", "status")
OFF = ("off", "disabled", "deactivated", "inactive", "suspended")  # of `STATES`
TRUTH: dict[object, bool] = {
    True: True,
    False: False,
    "true": True,
    "false": False,
    "on": True,
    "off": False,
    "yes": True,
    "no": False,
}
_VERBS, _KNOBS = frozenset((*VERBS, *DISABLING)), frozenset((*SWITCHES, *STATES))


def judge(event: Action, domain: Domain, settings: Conflict, oldest: int) -> Iterator[Sighting]:
    """One sighting for each knob that names what the event deletes or disables. References older than `oldest` (ns) are forgotten."""
    names, disabled = event.deletes[:MOST_DELETED], False
    if not names:
        deleted = event.verb in VERBS and event.new is UNSET
        disabled = not deleted and _switched_off(event) and not overrules(event, settings)
        if not deleted and not (disabled and _changes(event, domain, oldest)):
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
                yield sighting(_case(event, name, user, disabled, seen is None, settings))


def may_judge(event: Action) -> bool:
    """Whether it may delete or disable anything: a cheap look, for every action."""
    return event.verb in _VERBS or event.parameter in _KNOBS or event.deletes != ()


def _switched_off(event: Action) -> bool:
    """Whether the action switches off the very resource that it is about."""
    if event.new is UNSET:
        return event.verb in DISABLING and (event.parameter == event.verb or event.parameter in _KNOBS)
    if event.parameter in STATES:
        return event.new in OFF
    well = SWITCHES.get(event.parameter)
    word = event.new.lower() if isinstance(event.new, str) else event.new
    return well is not None and not isinstance(word, tuple) and TRUTH.get(word, well) is not well


def _changes(event: Action, domain: Domain, oldest: int) -> bool:
    """Whether it is not switched off already."""
    current = domain.variables.current((event.resource, event.parameter), oldest)
    before = current.new if current is not None else event.old
    return event.new is UNSET or before is UNSET or not close(event.new, before)


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


def _case(event: Action, name: str, user: Declared, disabled: bool, unknown: bool, settings: Conflict) -> Case:
    knob = f"{user.resource} {user.parameter}"
    using = (
        f"{user.source} had put it there" if isinstance(user, Action) else f"{user.source} had declared that it would install it"
    )
    hint = f" A `time` on a read of {knob} would settle whether it had seen that." if unknown else ""
    done = "switched off" if disabled else "deleted"
    agents = sorted({event.agent, user.agent})
    return Case(
        kind="destroy_in_use",
        root=event,
        others=((user, "victim"),),
        sentence=f"{clock_time(event.time)} {deed(event)} and {done} {shown(name)}, which {knob} names: "
        f"{using} {lag_text(event, user)} before.{hint}",
        title=f"{event.agent} {done} {shown(name)}, which {knob} names",
        about=(name, user.resource, user.parameter, *agents),
        agents=tuple(agents),
        resources=(event.resource, user.resource),
        parameters=(user.parameter,),
        score=0.8 if disabled else 0.9,
        severity="error" if disabled else "critical",
        confidence=0.8 if unknown else 0.95,
        ends=event.time + settings.hold,
    )
