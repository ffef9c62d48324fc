"""A write that goes back behind the last one by another writer instance: an older version, or one that never saw what it replaced.

`version_regression`: both versions are numbers and the new one is smaller; equal values do not excuse it. `lost_update`: what the writer
says it replaced is not what stood there. Source: lost update (Adya, Liskov & O'Neil, 2000).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from models.configuration import Conflict
from models.detectors.conflict.case import Case, close, lag_text, sighting
from models.episodes import Sighting
from models.events import Action
from models.explain import deed
from models.findings import Basis
from models.instants import clock_time
from models.values import text

CERTIFICATE: Basis = "certificate"
INFERRED: Basis = "inferred"


def regression(event: Action, current: Action, settings: Conflict) -> Iterator[Sighting]:
    """`event` is on a knob that `current`, of another instance, wrote last."""
    newer, older = current.version, event.version
    if not isinstance(newer, int | float) or not isinstance(older, int | float) or older >= newer:
        return
    if _saw_version(event, newer):
        return  # it knew the newer one, and went back on purpose
    told = (
        f"{clock_time(event.time)} {deed(event)} with version {text(event.version)}, "
        f"{lag_text(event, current)} after {current.source} had installed version {text(current.version)}."
    )
    title = f"{event.agent} took {event.resource} {event.parameter} back from version {text(newer)} to {text(older)}"
    yield sighting(_case("version_regression", event, current, settings, title, told, {"versions_back": float(newer - older)}))


def lost_update(event: Action, current: Action, skew: int, settings: Conflict) -> Iterator[Sighting]:
    """The same; `skew` (ns) is how far one of the two clocks ran ahead, at most."""
    if event.old is UNSET or event.new is UNSET or current.new is UNSET or close(event.old, current.new):
        return
    told = (
        f"{clock_time(event.time)} {deed(event)}, but {current.source} had set it to {text(current.new)} "
        f"({lag_text(event, current)} before): that update is lost."
    )
    confidence, basis = 0.95, CERTIFICATE
    if skew > settings.skew_limit:
        confidence = 0.80
        told += f" One of the clocks is off by {skew / 1e9:.3g} s; a `version` on both writes would settle their order."
    if _gap(event, current):
        confidence, basis = 0.60, INFERRED
        told += " Versions between the two are not among the events: the writer may have seen a write that is missing here."
    title = f"{event.agent} overwrote {current.agent}'s {event.resource} {event.parameter} without having seen it"
    yield sighting(_case("lost_update", event, current, settings, title, told, {}, confidence, basis))


def _case(
    kind: str,
    event: Action,
    current: Action,
    settings: Conflict,
    title: str,
    told: str,
    metrics: dict[str, float],
    confidence: float = 0.95,
    basis: Basis = CERTIFICATE,
) -> Case:
    grave = kind == "version_regression"
    agents = sorted({event.agent, current.agent})
    return Case(
        kind=kind,
        root=event,
        others=((current, "victim"),),
        sentence=told,
        title=title,
        about=(event.resource, event.parameter, *agents),
        agents=tuple(agents),
        resources=(event.resource,),
        parameters=(event.parameter,),
        score=0.8 if grave else 0.5,
        severity="error" if grave else "warning",
        confidence=confidence,
        basis=basis,
        metrics=metrics,
        ends=event.time + settings.hold,
    )


def _gap(event: Action, current: Action) -> bool:
    """Both count versions, and the new one is not the next."""
    now, before = event.version, current.version
    return isinstance(now, int | float) and isinstance(before, int | float) and now > before + 1


def _saw_version(event: Action, newer: int | float) -> bool:
    return any(
        read.resource == event.resource
        and read.metric == event.parameter
        and isinstance(read.version, int | float)
        and read.version >= newer
        for read in event.reads
    )
