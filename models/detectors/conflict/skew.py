"""`write_skew`: two writers change different knobs of one declared invariant, neither sees the other, and together they break it.

Each write alone would have kept it: with what the second writer had read, or with what the first had replaced, it holds. An invariant with
a `margin` is told as a warning where the two together only bring it nearer to its bound than that. Only invariants of the configuration
are judged (`conflict.invariant`). Source: write skew, G2-item (Adya, Liskov & O'Neil, 2000).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from msgspec import UnsetType

from models.configuration import Conflict, Invariant
from models.detectors.conflict.case import OPERATORS, Case, acknowledged, close, lag_text, sighting
from models.domain import Domain
from models.episodes import Sighting
from models.events import Action, Value, key
from models.explain import deed
from models.findings import Basis
from models.instants import clock_time
from models.values import number, text

Values = dict[tuple[str, str], float]
FUNCTIONS: dict[str, Callable[[list[float]], float]] = {"sum": sum, "min": min, "max": max}


def judge(event: Action, invariants: tuple[Invariant, ...], domain: Domain, settings: Conflict, oldest: int) -> Iterator[Sighting]:
    """`invariants` are those that name the event's knob. Writes older than `oldest` (ns) are forgotten."""
    written = _plain(event.new)
    if written is None:
        return
    knob = (event.resource, event.parameter)
    for invariant in invariants:
        others = [domain.variables.current(name, oldest) for name in invariant.knobs if name != knob]
        writes = sorted((write for write in others if write is not None), key=key, reverse=True)
        values = {(write.resource, write.parameter): _plain(write.new) for write in writes}
        known: Values = {name: value for name, value in values.items() if value is not None}
        known[knob] = written
        limit = _passed(invariant, known) if len(known) == len(invariant.knobs) else None
        if limit is None:
            continue
        before = domain.variables.current(knob, oldest)
        stood = _plain(before.new if before is not None else event.old)
        if stood is not None and not _holds(limit, {**known, knob: stood}):
            continue  # passed already
        for write in writes:
            found = _unseen(event, write, limit, known, settings)
            if found is not None:
                yield sighting(_case(event, write, invariant, limit is invariant, found, settings))
                break


def _passed(invariant: Invariant, known: Values) -> Invariant | None:
    """The invariant itself if it is broken, else the nearest thing to it: with its margin, if that is used up; None where all is well."""
    if not _holds(invariant, known):
        return invariant
    if not invariant.margin:
        return None
    away = invariant.margin if invariant.op in (">", ">=") else -invariant.margin
    tighter = msgspec.structs.replace(invariant, bound=invariant.bound + away)
    return None if _holds(tighter, known) else tighter


def _unseen(event: Action, write: Action, invariant: Invariant, known: Values, settings: Conflict) -> bool | None:
    """None where this other write is no party; else whether the event's reads prove that it did not see it."""
    if write.source == event.source or acknowledged(event, write):
        return None
    name, replaced = (write.resource, write.parameter), _plain(write.old)
    reads = [read for read in event.reads if (read.resource, read.metric) == name]
    for read in reads:
        fresh = read.time >= write.time if read.time is not None else close(read.value, write.new)
        if fresh:
            return None
        seen = _plain(read.value)
        replaced = seen if seen is not None else replaced
    if replaced is None or not _holds(invariant, {**known, name: replaced}):
        return None  # it would have broken the invariant on its own
    if not reads and event.time - write.time > settings.intent_window:
        return None
    return bool(reads)


def _holds(invariant: Invariant, values: Values) -> bool:
    return OPERATORS[invariant.op](FUNCTIONS[invariant.function]([values[name] for name in invariant.knobs]), invariant.bound)


def _plain(value: Value | UnsetType) -> float | None:
    if isinstance(value, bool):
        return float(value)
    return number(value)


def _case(event: Action, write: Action, invariant: Invariant, broken: bool, proved: bool, settings: Conflict) -> Case:
    agents = sorted({event.agent, write.agent})
    other = f"{write.resource} {write.parameter}"
    rule = f"{invariant.function} {invariant.op} {invariant.bound:g}"
    outcome = (
        f'each alone keeps "{invariant.name}" ({rule}), both break it.'
        if broken
        else f'"{invariant.name}" ({rule}) still holds, and each alone kept its margin of {invariant.margin:g}: both use it up.'
    )
    hint = "" if proved else f" A read of {other} would settle whether it had seen that."
    basis: Basis = "certificate" if proved else "inferred"
    return Case(
        kind="write_skew",
        root=event,
        others=((write, "victim"),),
        sentence=f"{clock_time(event.time)} {deed(event)}, {lag_text(event, write)} after {write.source} had set {other} "
        f"to {text(write.new)}: {outcome}{hint}",
        title=f'{event.agent} and {write.agent} together {"broke" if broken else "used up the margin of"} "{invariant.name}"',
        about=(invariant.name, *agents),
        agents=tuple(agents),
        resources=(event.resource, write.resource),
        parameters=(event.parameter, write.parameter),
        score=0.8 if broken else 0.4,
        severity="error" if broken else "warning",
        confidence=0.95 if proved else 0.6,
        basis=basis,
        ends=event.time + settings.hold,
    )
