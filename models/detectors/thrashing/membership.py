"""Members of a set come and go: a target leaves a load balancer and is back, again and again, whatever the other members do meanwhile.

The set-valued knob is looked at member by member, each a switch: in or out. Every switch of a member after its first in the memory turns
back the one before. The finding is about the knob, and names the members; its fingerprint is the knob.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

from msgspec import UnsetType

from models.configuration import Thrashing
from models.detectors.thrashing import switches
from models.detectors.thrashing.force import (
    Force,
    answered,
    fighters,
    force,
)
from models.detectors.thrashing.swings import excuse, missing
from models.domain import Domain
from models.episodes import Piece, Sighting, Standing
from models.events import Action, Value, key
from models.explain import because, lasting, list_names
from models.instants import clock_time
from models.values import text
from models.zigzag import Excuse, Reversal

Flapping: TypeAlias = tuple[Force, str, tuple[Reversal, ...]]  # how hard, the member, its switches that turned one back


def seen(event: Action, domain: Domain, subject: str, stands: Standing, settings: Thrashing) -> Iterable[Sighting]:
    """A sighting where a member that this write moves has come and gone often enough."""
    writes = domain.variables.actions((event.resource, event.parameter))
    after = [write for write in (*writes, event) if key(write) > stands.since][-domain.settings.limits.writes_per_knob :]
    if not after or (not stands.open and len(after) < 3):
        return  # empty: after a restart, what an episode that ended had counted is judged again
    drivers = domain.demand.drivers((), 0)
    flapping: list[Flapping] = []  # of the members that this write moves
    resting: list[str] = []  # others that flap, which the title names as well
    forces: dict[int, Force] = {}
    for member, reversals in _reversals(after, excuse(domain, drivers)).items():
        strength = forces.get(id(reversals))
        if strength is None:  # members that move together share their reversals: one force for all of them
            strength = forces[id(reversals)] = force(reversals, event.time, settings)
        if (strength.suffices or stands.open) and strength.ends > event.time:
            if reversals[-1].event is event:
                flapping.append((strength, member, reversals))
            else:
                resting.append(member)
    if flapping:
        yield _sighting(event, flapping, resting, subject, stands)


def _members(value: Value | UnsetType) -> frozenset[str] | None:
    if value is None:
        return frozenset()
    if not isinstance(value, tuple):
        return None
    if set(map(type, value)) == {str}:  # a text is its own text: a thousand of them, in each of 64 writes, at every write
        return frozenset(value)  # type: ignore[arg-type]
    return frozenset(map(text, value))


def _reversals(writes: Sequence[Action], justified: Excuse) -> dict[str, tuple[Reversal, ...]]:
    """By member, those that were switched at least twice. Members that were switched by the same writes share one tuple."""
    switches: dict[str, list[int]] = {}
    standing = _members(writes[0].old)
    for i, write in enumerate(writes):
        members = _members(write.new)
        if members is None:
            continue
        for member in members ^ standing if standing is not None else ():
            switches.setdefault(member, []).append(i)
        standing = members
    turned: dict[tuple[int, ...], tuple[Reversal, ...]] = {}
    found = {}
    for member, moves in sorted(switches.items()):
        if len(moves) > 1:
            together = tuple(moves)
            if together not in turned:
                turned[together] = _turned([writes[i] for i in moves], justified)
            found[member] = turned[together]
    return found


def _turned(moves: Sequence[Action], justified: Excuse) -> tuple[Reversal, ...]:
    found = []
    for undone, event in pairwise(moves):
        share = justified(event, undone, undone.time, 0.0, 0.0)
        found.append(Reversal(event, undone, 1.0 - share, share, 1.0, 1.0, undone.agent != event.agent))
    return tuple(found)


def _sighting(event: Action, flapping: list[Flapping], resting: list[str], subject: str, stands: Standing) -> Sighting:
    strength, worst, reversals = max(flapping, key=lambda item: (item[0].pressure, item[1]))
    members = tuple(sorted(member for _, member, _ in flapping))
    agents, shown = fighters(reversals), reversals[-1:] if stands.open else reversals
    first = reversals[0].undone
    began = () if stands.open else (Piece(first, "trigger", _note(first, worst), _told(first, worst)),)
    whose, named = list_names(agents), list_names(tuple(sorted((*members, *resting))))
    return switches.sighting(
        "membership",
        subject,
        f"{whose} {'take' if len(agents) > 1 else 'takes'} {named} in and out of {event.resource} {event.parameter}",
        reversals,
        shown,
        (*began, *(_piece(r, worst, members if r.event is event else (worst,), r is not reversals[0]) for r in shown)),
        strength,
        answered,
        (event.resource,),
        ("members", len(members)),
        lambda weakest: missing(weakest, alone=False),
    )


def _entered(write: Action, member: str) -> bool:
    return member in (_members(write.new) or ())


def _note(write: Action, member: str) -> str:
    return f"{member} {'in' if _entered(write, member) else 'out'}"


def _told(write: Action, member: str) -> str:
    move = "put {} into" if _entered(write, member) else "took {} out of"
    return f"{clock_time(write.time)} {write.agent} {move.format(member)} {write.resource} {write.parameter}{because(write)}."


def _piece(reversal: Reversal, member: str, others: tuple[str, ...], again: bool) -> Piece:
    """`again`: it went the same way before."""
    event, undone = reversal.event, reversal.undone
    whose = "its own" if event.agent == undone.agent else f"{undone.agent}'s"
    also = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
    move = f"put {member}{also} back into" if _entered(event, member) else f"took {member}{also} out of"
    once_more = " again" if again and not _entered(event, member) else ""
    sentence = (
        f"{clock_time(event.time)} {event.agent} {move} {event.resource} {event.parameter}{once_more}{because(event)}: "
        f"against {whose} move {lasting(event.time - undone.time)} before."
    )
    return Piece(event, "reversal", _note(event, member), sentence)
