"""Thrashing: something goes back and forth and does not settle. One judge, one file for each form that it takes.

`swings`: the value of a knob (sustained, growing, noise_chasing). `transfer`: two knobs, one up as the other goes down. `membership`: the
members of a set. `identity`: things of one owner that are made and unmade under ever new names. `ratchet`: two agents drive each other up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from msgspec import UNSET

from models.configuration import Thrashing
from models.detectors.thrashing import identity, membership, ratchet, swings, transfer
from models.domain import Domain
from models.episodes import Sighting, Standing, subject_of
from models.events import Action
from models.graph import Node
from models.lifecycles import may_make

FEWEST = 2  # reversals before this one without which no threshold can be reached, since each weighs at most 1 and fades


class Thrash(msgspec.Struct, frozen=True):
    """All forms of it, judged at each write."""

    settings: Thrashing

    def judge(self, node: Node, domain: Domain, standing: Callable[[str, str], Standing]) -> Iterable[Sighting]:
        """A sighting where this write is a reversal and something thrashes, or its episode is open."""
        event = node.event
        if not isinstance(event, Action) or event.outcome != "applied":
            return ()
        found: list[Sighting] = []
        if node.parents:
            found.extend(ratchet.seen(node, domain, self.settings))
        if may_make(event) and domain.objects.turns(event):
            found.extend(identity.seen(event, domain, standing, self.settings))
        if event.new is UNSET:
            return found
        if isinstance(event.new, tuple):
            subject = subject_of(event.resource, event.parameter)
            found.extend(membership.seen(event, domain, subject, standing("thrashing", subject), self.settings))
        elif node.ring is not None and node.ring.may_reverse(event.new, self.settings.deadband):
            subject = subject_of(event.resource, event.parameter)  # rarely: most knobs keep their direction
            if node.ring.turns >= FEWEST - 1 or standing("thrashing", subject).open:
                found.extend(self._swung(node, event, domain, subject, standing))
        return found

    def _swung(
        self, node: Node, event: Action, domain: Domain, subject: str, standing: Callable[[str, str], Standing]
    ) -> Iterable[Sighting]:
        stands = standing("thrashing", subject)
        swung = swings.swings(event, domain, stands, self.settings)
        if swung is None:
            return
        two = transfer.pair(node, swung, domain) if swung.force.suffices or stands.open else None
        if two is not None and two.subject != subject:
            subject, stands = two.subject, standing("thrashing", two.subject)
            swung = swings.swings(event, domain, stands, self.settings)
        if swung is None:
            return
        for sighting in swings.seen(swung, subject, stands, self.settings):
            yield swings.doubted(sighting, swung) if two is None else transfer.told(sighting, two)
