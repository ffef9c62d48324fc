"""Cascades of decisions: one action sets off reactions of several agents, which set off more.

    r: a scaled x ──reads──► b rerouted y ──explicit──► c failed over z ──► ...   >= 3 edges, >= 2 agents after r, >= 2 resources

Judged at each event against every root it descends from: the best path must be likelier than not, and the root's expected size
N(r) = sum of A(e)[r] at least 5. A root is an action that no known event caused; it counts for one window. Follow-ups of one agent, or on
one resource, are ordinary control. The fingerprint is the root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from models.configuration import Cascade
from models.domain import Domain
from models.episodes import BEGINNING, Piece, Sighting, Standing
from models.events import Action, Event, ref
from models.explain import change, event_told
from models.findings import Basis, CausalEdge, Root
from models.graph import Descent, Link, Node
from models.paths import path
from models.values import text

SHARE = 0.25  # an event counts as evidence where at least this share of it descends from the root


class Cascades(msgspec.Struct, frozen=True):
    """Chains rooted at an action. `window` (ns) is how long a root counts."""

    settings: Cascade
    window: int

    def judge(self, node: Node, domain: Domain, standing: Callable[[str, str], Standing]) -> Iterable[Sighting]:
        """A sighting for each root whose cascade this event opens or continues."""
        return self._judged(node, domain, standing) if node.roots else ()

    def _judged(self, node: Node, domain: Domain, standing: Callable[[str, str], Standing]) -> Iterable[Sighting]:
        for descent in node.roots or ():
            root = descent.root.event
            if descent.mass < SHARE or descent.root.roots is not None or not isinstance(root, Action):
                continue
            if descent.root.size < self.settings.size:
                continue
            subject = ref(root)
            stands = standing("cascade", subject)
            if stands.open:
                yield self._continued(subject, node, descent)
            elif stands.since == BEGINNING and self._chain(descent):  # a root opens once: reopened, it would tell the same again
                yield self._opened(subject, node, descent, path(node, descent.root))

    def _chain(self, descent: Descent) -> bool:
        return (
            descent.edges >= self.settings.edges
            and len(descent.agents) >= self.settings.agents
            and len(descent.resources) >= self.settings.resources
            and descent.path >= self.settings.path_probability
        )

    def _opened(self, subject: str, node: Node, descent: Descent, path: list[tuple[Link, Node]]) -> Sighting:
        root = descent.root.event
        pieces = [Piece(root, "root", _note(root), event_told(root))]
        pieces += [Piece(effect.event, _role(effect.event), _note(effect.event), event_told(effect.event)) for _, effect in path]
        pieces.sort(key=lambda piece: (piece.event.time, piece.event.source, piece.event.id))
        return self._sighting(subject, node, descent, tuple(pieces), [(link, effect) for link, effect in path])

    def _continued(self, subject: str, node: Node, descent: Descent) -> Sighting:
        event = node.event
        piece = Piece(event, _role(event), _note(event), event_told(event))
        last = [(link, node) for link in node.parents if any(up.root is descent.root for up in link.cause.descents())]
        return self._sighting(subject, node, descent, (piece,), last[:1])

    def _sighting(
        self, subject: str, node: Node, descent: Descent, pieces: tuple[Piece, ...], path: list[tuple[Link, Node]]
    ) -> Sighting:
        root, event = descent.root.event, node.event
        assert isinstance(root, Action)
        size = descent.root.size
        events = [piece.event for piece in pieces]
        agents = tuple(sorted({root.agent, *(e.agent for e in events if isinstance(e, Action))}))
        resources = tuple(sorted({root.resource, *(e.resource for e in events)}))
        basis: Basis = "cited"
        score = min(1.0, size / 20.0)
        edges = tuple(
            CausalEdge(
                ref(link.cause.event),
                ref(effect.event),
                "explicit" if link.relation == "explicit" else "reads",
                link.probability,
                round((effect.event.time - link.cause.event.time) / 1e9, 3),
            )
            for link, effect in path
        )
        return Sighting(
            pattern="cascade",
            kind="decision",
            subject=subject,
            pieces=pieces,
            counts="reactions",
            counted=("reaction", "effect"),
            title=f"{root.agent}'s {change(root)} on {root.resource} {root.parameter} set off reactions of",
            names_others=True,
            agents=agents,
            resources=resources,
            parameters=(root.parameter,),
            roots=(Root(ref(root), root.resource, root.agent, round(descent.path, 6)),),
            edges=edges,
            severity="error" if size >= 12 else "warning",
            score=score,
            confidence=descent.path,
            basis=basis,
            metrics={
                "size": size,
                "depth": float(descent.edges),
                "span_s": (event.time - root.time) / 1e9,
            },
            ends=event.time + self.settings.hold,
        )


def _role(event: Event) -> str:
    return "reaction" if isinstance(event, Action) else "effect"


def _note(event: Event) -> str:
    if isinstance(event, Action):
        return f"{event.agent} {event.parameter} {change(event)}"
    return text(getattr(event, "after", ""))
