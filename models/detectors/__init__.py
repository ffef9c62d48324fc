"""The patterns. A detector is a frozen struct of thresholds with one pure method; it keeps nothing, the domain's indexes are the memory.
While these are refilled after a restart, what was announced before is not judged again: a detector must not count on seeing every event.

To add one: a file here, a line in `detectors`, a scenario that fires and a near miss that must not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from models.configuration import Analysis
from models.detectors.cascade import Cascades
from models.detectors.conflict import Conflicts
from models.detectors.opposition import Opposition
from models.detectors.thrashing import Thrash
from models.domain import Domain
from models.episodes import Sighting, Standing
from models.graph import Node
from models.remarks import Remark


class Detector(Protocol):
    """Judges one event, already placed in the graph and not yet installed, against the domain as it stands before it."""

    def judge(self, node: Node, domain: Domain, standing: Callable[[str, str], Standing]) -> Iterable[Sighting | Remark]:
        """What is seen at this event. `standing(pattern, subject)` tells what is open and what has ended."""
        ...


def detectors(settings: Analysis) -> tuple[Detector, ...]:
    """All of them, in the order in which they judge."""
    return (
        Thrash(settings.thrashing),
        Conflicts(settings.conflict, settings.facts_age),
        Opposition(settings.conflict),
        Cascades(settings.cascade, settings.window),
    )
