"""Opposing objectives: two agents undo each other's writes across knobs, each knob too rarely to be thrashing of its own.

Judged at an undo (see `undos`): the agent that undoes has been doing so quickly and often enough, on two knobs at least, and this knob has
been undone before within the window, so that somebody pushed back: a rollback of many services at once is one agent repairing another's
mistake. Handing over, acknowledging, or one rollout make no undo. The fingerprint is the pair of agents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from models.configuration import Conflict
from models.domain import Domain
from models.episodes import Piece, Sighting, Standing, subject_of
from models.events import Action, ref
from models.explain import change, list_names, told, turned_back
from models.findings import CausalEdge, Root
from models.graph import Node
from models.undos import Pressure, Undo

KNOBS = 2  # on one knob alone it is thrashing
HALF = 6.0  # evidence at which the score is 1/2
SURE = 0.95  # that the undoing answers what it undid: it puts back the very value
ERROR = 0.6


class Opposition(msgspec.Struct, frozen=True):
    """Undos of one agent over all knobs, judged at each of them."""

    settings: Conflict

    def judge(self, node: Node, domain: Domain, standing: Callable[[str, str], Standing]) -> Iterable[Sighting]:
        """A sighting where this write quickly undoes another agent's, and the pair stands open or opens."""
        event, ring = node.event, node.ring
        if not isinstance(event, Action) or (ring is not None and ring.agent == event.agent):
            return ()
        undo = domain.undos.seen_in(event, domain.variables)
        if undo is None or undo.evidence <= 0:
            return ()
        agents = tuple(sorted((undo.event.agent, undo.undone.agent)))
        subject = subject_of("opposing_objectives", *agents)
        pressure = domain.undos.pressure(undo)
        enough = pressure.evidence >= self.settings.opposing and pressure.knobs >= KNOBS
        pushed = domain.undos.contested(undo.knob, undo.event.time)
        if not standing("intent_conflict", subject).open and not (enough and pushed):
            return ()
        return (self._sighting(undo, pressure, agents, subject),)

    def _sighting(self, undo: Undo, pressure: Pressure, agents: tuple[str, ...], subject: str) -> Sighting:
        event, undone = undo.event, undo.undone
        score = pressure.evidence / (pressure.evidence + HALF)
        confidence = SURE * (1.0 - 2.0**-pressure.evidence)
        lag = round((event.time - undone.time) / 1e9, 3)
        return Sighting(
            pattern="intent_conflict",
            kind="opposing_objectives",
            subject=subject,
            pieces=(
                Piece(undone, "victim", change(undone), told(undone)),
                Piece(event, "reversal", change(event), turned_back(event, undone, True)),
            ),
            counts="undos",
            counted=("reversal",),
            title=f"{list_names(agents)} undo each other's writes on several knobs",
            agents=agents,
            resources=(event.resource,),
            parameters=(event.parameter,),
            roots=(Root(ref(event), event.resource, event.agent, round(confidence, 6)),),
            edges=(CausalEdge(ref(undone), ref(event), "overwrites", SURE, lag),),
            severity="error" if score >= ERROR else "warning",
            score=score,
            confidence=confidence,
            basis="cited",
            metrics={
                "evidence": pressure.evidence,
                "undos_in_window": float(pressure.undos),
                "knobs": float(pressure.knobs),
                "lag_s": lag,
            },
            ends=event.time + self.settings.hold,
        )
