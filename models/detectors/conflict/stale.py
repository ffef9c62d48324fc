"""`stale_overwrite`: a writer decided on an observation older than the last write on the knob, by another instance, and it mattered.

Staleness alone never fires: in a simulation 29 % of a controller's actions were stale, and 4 % of those would have changed on fresh data.
It matters where the writer's own declared rule (`metric op value`) held on what it read and no longer held on what was there; where the
observation was far older than this agent's usually are; or where a harmful transition follows from the write. What the writer replaced
without having seen it is a lost update already, and a value that came back to what was read changes nothing (ABA).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import UNSET

from models.configuration import Conflict
from models.detectors.conflict.case import OPERATORS, Case, acknowledged, close, lag_text, note, overrules, seen, sentence, sighting
from models.domain import Domain
from models.episodes import Piece, Sighting
from models.events import Action, Read, Transition, key
from models.explain import deed
from models.findings import Basis
from models.graph import Node
from models.instants import clock_time
from models.observers import delay
from models.remarks import Remark
from models.values import number, text

RULE = re.compile(r"\s*([^\s<>=!]+)\s*(>=|<=|==|!=|>|<)\s*(-?\d+(?:\.\d+)?)\s*%?\s*")
USUAL = 20  # delays of an agent that must be known before one can be unusual
# times the longest of them: a 99th percentile cannot be known from so few, and the longest alone is exceeded by chance once in n + 1 times
UNUSUAL = 2.0
HARMFUL = ("error", "critical")
CAUSED = 0.5  # least probability that the harm came from the write


def judge(event: Action, current: Action, domain: Domain, settings: Conflict) -> Iterator[Sighting | Remark]:
    """`event` is on a knob that `current`, of another instance, wrote last."""
    read = _stale_read(event, current)
    if read is None:
        if event.reads and _came_back(event, current, domain):
            knob = f"{event.resource} {event.parameter}"
            yield Remark(
                "aba", f"{clock_time(event.time)} {deed(event)}; since it had read {knob}, that had changed and come back."
            )
        return
    flipped = _flipped(event, read, current, domain)
    if flipped:
        yield sighting(_case(event, current, read, settings, f" {flipped}", 0.85, "cited"))
        return
    usual, waited = domain.ledger.observers.delays(event.agent), delay(event)
    if waited is not None and len(usual) >= USUAL and waited > UNUSUAL * max(usual):
        told = (
            f" It acted {waited / 1e9:.3g} s after its newest observation; of {len(usual)} times before, the longest was "
            f"{max(usual) / 1e9:.3g} s."
            " A rule `metric op value` in `why` would settle whether it mattered."
        )
        yield sighting(_case(event, current, read, settings, told, 0.6, "statistical"))


def harm(event: Transition, node: Node, domain: Domain, settings: Conflict) -> Iterator[Sighting]:
    """The transition is harmful, and a write that caused it was stale."""
    if not event.slo and event.severity not in HARMFUL:
        return
    for link in node.parents:
        write = link.cause.event
        if link.probability < CAUSED or not isinstance(write, Action) or write.outcome != "applied" or overrules(write, settings):
            continue
        writes = domain.variables.actions((write.resource, write.parameter))
        at = next((i for i, other in enumerate(writes) if key(other) == key(write)), 0)
        if at == 0 or writes[at - 1].source == write.source or acknowledged(write, writes[at - 1]):
            continue
        before = writes[at - 1]
        read = _stale_read(write, before) if not close(write.new, before.new) else None
        if read is not None:
            told = f" {event.resource} {event.metric} went {text(event.before)} -> {text(event.after)} because of it."
            case = _case(
                write, before, read, settings, told, round(0.9 * link.probability, 6), "cited", ends=event.time + settings.hold
            )
            yield seen(
                case,
                (
                    Piece(before, "victim", note(before), sentence(before)),
                    Piece(write, "root", note(write), case.sentence),
                    Piece(event, "effect", note(event), sentence(event)),
                ),
            )


def _stale_read(event: Action, current: Action) -> Read | None:
    """What the writer read of the knob, or of a metric that it drives, before the last write on it; None where it saw that write."""
    if not event.reads or event.new is UNSET or (event.old is not UNSET and not close(event.old, current.new)):
        return None
    stale: Read | None = None
    expected = current.intent.expects if current.intent is not None else ()
    driven = {(e.resource, e.metric) for e in expected}
    for read in event.reads:
        of_knob = (read.resource, read.metric) == (event.resource, event.parameter)
        if not of_knob and read.resource != event.resource and (read.resource, read.metric) not in driven:
            continue
        old = _older(read, current, of_knob)
        if old is False and of_knob:
            return None  # it saw the write
        if old and not (of_knob and read.value is not UNSET and close(read.value, current.new)):
            stale = stale or read
    return stale


def _came_back(event: Action, current: Action, domain: Domain) -> bool:
    """Whether others changed the knob and put back the very value that the writer had read before that (ABA)."""
    knob = (event.resource, event.parameter)
    for read in event.reads:
        of_knob = (read.resource, read.metric) == knob and read.value is not UNSET and close(read.value, current.new)
        if of_knob and _older(read, current, True):
            if current.old is not UNSET and not close(current.old, read.value):
                return True
            unseen = (
                write for write in domain.variables.actions(knob) if write.source != event.source and _older(read, write, True)
            )
            return any(not close(write.new, read.value) for write in unseen)
    return False


def _older(read: Read, current: Action, of_knob: bool) -> bool | None:
    """Whether the observation is older than the write; None where nothing tells."""
    versions = read.version, current.version
    if of_knob and isinstance(versions[0], int | float) and isinstance(versions[1], int | float):
        return versions[0] < versions[1]
    return read.time < current.time if read.time is not None else None


def _flipped(event: Action, read: Read, current: Action, domain: Domain) -> str:
    """How the writer's own rule, which held on what it read, no longer holds on what was there; "" where it does, or cannot be told."""
    rule = RULE.fullmatch(event.why.rule) if event.why is not None and event.why.rule else None
    if rule is None:
        return ""
    for seen_read in (read, *(other for other in event.reads if other is not read)):
        held = number(seen_read.value)
        if seen_read.metric != rule[1] or held is None or not OPERATORS[rule[2]](held, float(rule[3])):
            continue
        now = _now(event, seen_read, current, domain)
        if now is not None and not OPERATORS[rule[2]](now, float(rule[3])):
            return f"Its rule {rule[0].strip()} held on the {held:.6g} that it had read, and not on the {now:.6g} that was there."
    return ""


def _now(event: Action, read: Read, current: Action, domain: Domain) -> float | None:
    """What stood when the writer acted, newer than what it read."""
    if (read.resource, read.metric) == (event.resource, event.parameter):
        return number(current.new)
    states = domain.variables.transitions((read.resource, read.metric))
    if not states or read.time is None or states[-1].time <= read.time:
        return None
    return number(states[-1].after)


def _case(
    event: Action,
    current: Action,
    read: Read,
    settings: Conflict,
    why: str,
    confidence: float,
    basis: Basis,
    ends: int | None = None,
) -> Case:
    agents = sorted({event.agent, current.agent})
    knob = f"{event.resource} {event.parameter}"
    at = f" at {clock_time(read.time)}" if read.time is not None else f" at version {text(read.version)}"
    pending = current.intent is not None and current.intent.until is not None and event.time < current.intent.until
    return Case(
        kind="stale_overwrite",
        root=event,
        others=((current, "victim"),),
        sentence=f"{clock_time(event.time)} {deed(event)} on {read.metric or read.resource} as read{at}, older than the value "
        f"{text(current.new)} that {current.source} had set {lag_text(event, current)} before.{why}",
        title=f"{event.agent} overwrote {current.agent}'s {knob} on a stale observation",
        about=(event.resource, event.parameter, *agents),
        agents=tuple(agents),
        resources=(event.resource,),
        parameters=(event.parameter,),
        score=0.6,
        severity="warning" if basis == "statistical" else "error",
        confidence=confidence,
        basis=basis,
        metrics={
            "pending_effect": float(pending),
            **({"observation_age_s": (event.time - read.time) / 1e9} if read.time is not None else {}),
        },
        ends=event.time + settings.hold if ends is None else ends,
    )
