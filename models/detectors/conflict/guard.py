"""`guard_bypass`: a rollout goes on after a guard's negative verdict on it, or what was blocked is applied by another path.

A step is an applied action of the rollout that leads further from where the rollout began on that knob; going back is what a guard asks
for. A payload is blocked by name: applied on the guard's resource or below it, or, where its name is that of one build, anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from models.configuration import Conflict
from models.detectors.conflict.case import Case, acknowledged, close, lag_text, overrules, shown, sighting
from models.domain import Domain
from models.episodes import Sighting
from models.events import Action, Verdict, key
from models.explain import deed
from models.findings import Basis
from models.instants import clock_time
from models.values import number, text

WITHDRAWALS = ("rollback", "revert", "undo", "restore", "abort", "cancel", "withdraw", "pause", "halt", "stop", "hold")
BUILD = 8  # a payload's name of so many characters, with a digit, is that of one build


def judge(event: Action, domain: Domain, settings: Conflict, oldest: int) -> Iterator[Sighting]:
    """One sighting for each verdict that the event goes against. Verdicts older than `oldest` (ns) are forgotten."""
    verdicts = domain.ledger.verdicts
    steps = verdicts.on_rollout(event.rollout)
    payloads = [v for name in _payloads(event) for v in verdicts.on_payload(name)] if verdicts.payloads else []
    if not steps and not payloads:
        return
    current = domain.variables.current((event.resource, event.parameter), oldest)
    if event.verb in WITHDRAWALS or overrules(event, settings):
        return
    if event.new is not UNSET and current is not None and close(event.new, current.new):
        return  # nothing changes
    met = set()
    for verdict, payload in [(v, False) for v in steps] + [(v, True) for v in payloads]:
        if key(verdict) in met or verdict.time < oldest or verdict.source == event.source or acknowledged(event, verdict):
            continue
        if payload and (not _within_reach(verdict, event) or verdicts.cleared(verdict, event.rollout)):
            continue
        back = False if payload else _goes_back(event, verdict, current, domain)
        if not back:
            met.add(key(verdict))
            yield sighting(_case(event, verdict, payload, back is None, settings))


def _payloads(event: Action) -> list[str]:
    """By which names a payload may be applied: the new value, a member of it, or the version."""
    values = event.new if isinstance(event.new, tuple) else (event.new,)
    names = [value for value in values if isinstance(value, str)]
    if event.version is not None:
        names.append(text(event.version))
    return names


def _within_reach(verdict: Verdict, event: Action) -> bool:
    """On the guard's resource or below it; or the payload's name is distinctive enough to be the same thing anywhere."""
    below = event.resource == verdict.resource or event.resource.startswith(verdict.resource + "/")
    return below or (len(verdict.payload) >= BUILD and any(c.isdigit() for c in verdict.payload))


def _goes_back(event: Action, verdict: Verdict, current: Action | None, domain: Domain) -> bool | None:
    """Whether the step leads back towards where the rollout began on this knob; None where that cannot be told."""
    if event.new is UNSET:
        return False
    writes = domain.variables.actions((event.resource, event.parameter)) or ([current] if current is not None else [])
    mine = [write for write in writes if write.rollout == verdict.rollout and key(write) < key(verdict)]
    if not mine or current is None:
        return False
    begin, here, there = number(mine[0].old), number(current.new), number(event.new)
    if begin is not None and here is not None and there is not None:
        return abs(there - begin) < abs(here - begin)
    olds = [write.old for write in mine if write.old is not UNSET]
    return any(close(event.new, old) for old in olds) if olds else None


def _case(event: Action, verdict: Verdict, payload: bool, unknown: bool, settings: Conflict) -> Case:
    what = verdict.payload if payload else verdict.rollout
    near = not payload or event.resource == verdict.resource or event.resource.startswith(verdict.resource + "/")
    confidence = 0.95 if near and not unknown else 0.8
    basis: Basis = "certificate" if near and not unknown else "inferred"
    hint = " `old` on the rollout's steps would settle whether this one goes back." if unknown else ""
    went = f"applied {shown(what)}" if payload else f"went on with {shown(what)}"
    agents = sorted({event.agent, verdict.agent})
    return Case(
        kind="guard_bypass",
        root=event,
        others=((verdict, "victim"),),
        sentence=f"{clock_time(event.time)} {deed(event)} and so {went}, {lag_text(event, verdict)} after {verdict.agent} "
        f"had said {verdict.verdict}.{hint}",
        title=f"{event.agent} {went} on {event.resource} although {verdict.agent} had said {verdict.verdict}",
        about=(what, verdict.agent, event.agent),
        agents=tuple(agents),
        resources=(event.resource, verdict.resource),
        parameters=(event.parameter,),
        score=0.8,
        severity="error",
        confidence=confidence,
        basis=basis,
        ends=event.time + settings.hold,
    )
