"""What the findings about things without a size have in common: members that come and go, lives that are too short.

A switch has no amplitude, so a swing counts as a factor of two, and the fight index is the share of reversals against others.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from models.detectors.thrashing.force import LAST, UNLINKED, Force, edge, fighters, hostility, period, score, severity
from models.detectors.thrashing.swings import root
from models.episodes import Piece, Sighting
from models.zigzag import Reversal


def sighting(
    kind: str,
    subject: str,
    title: str,
    reversals: tuple[Reversal, ...],
    shown: tuple[Reversal, ...],
    pieces: tuple[Piece, ...],
    strength: Force,
    linked: Callable[[Reversal], float],
    resources: tuple[str, ...],
    counted: tuple[str, int],
    missing: Callable[[float], str] = lambda weakest: "",
) -> Sighting:
    """Of one chain of reversals; `linked` tells how probably one answers the other, `counted` is a metric of the kind's own."""
    links = [linked(reversal) for reversal in reversals[-LAST:]]
    closure, hostile = sum(links) / len(links), hostility(reversals)
    points = score(strength.pressure, math.log(2.0), False, hostile)
    return Sighting(
        pattern="thrashing",
        kind=kind,
        subject=subject,
        pieces=pieces,
        counts="reversals",
        counted=("reversal",),
        title=title,
        agents=fighters(reversals),
        resources=resources,
        parameters=(reversals[-1].event.parameter,),
        roots=(root(reversals[0], closure),),
        edges=tuple(edge(reversal, linked(reversal)) for reversal in shown),
        severity=severity(points),
        score=points,
        confidence=closure * (1.0 - 2.0**-strength.pressure),
        basis="cited" if min(links) > UNLINKED else "inferred",
        metrics={
            "pressure": strength.pressure,
            "half_life_s": strength.half_life / 1e9,
            "period_s": period(reversals),
            "fight_index": hostile,
            counted[0]: float(counted[1]),
        },
        ends=strength.ends,
        missing=missing(min(links)),
    )
