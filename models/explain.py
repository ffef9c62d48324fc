"""Sentences: what an action did, why its agent says so, and what it did to another's. Times are UTC."""

from __future__ import annotations

import re

from msgspec import UNSET

from models.events import Action, Event, Transition
from models.findings import Root
from models.instants import HOUR, MINUTE, SECOND, clock_time
from models.values import number, text

RULE = 300  # characters of an agent's reason that a sentence quotes


def change(action: Action) -> str:
    """ "8 -> 16", or "-> 16" where the old value is not known."""
    if action.new is UNSET:
        return action.verb
    return f"{text(action.old)} -> {text(action.new)}" if action.old is not UNSET else f"-> {text(action.new)}"


def deed(action: Action) -> str:
    """ "perf-scaler raised db/orders replicas 8 -> 16"."""
    knob = f"{action.resource} {action.parameter}"
    if action.new is UNSET:
        return f"{action.agent} did {action.verb} on {action.resource}"
    before, after = number(action.old), number(action.new)
    if before is not None and after is not None and before != after:
        return f"{action.agent} {'raised' if after > before else 'lowered'} {knob} {change(action)}"
    return f"{action.agent} set {knob} {change(action)}"


def because(action: Action) -> str:
    """ " because p95_latency_ms was 840 (p95_latency_ms > 300)", or nothing."""
    rule = action.why.rule or action.why.text if action.why is not None else ""
    for read in action.reads:
        if read.value is not UNSET and read.metric:
            where = "" if read.resource == action.resource else f" of {read.resource}"
            return f" because {read.metric}{where} was {text(read.value)}" + (f" ({rule[:RULE]})" if rule else "")
    return f" ({rule[:RULE]})" if rule else ""


def told(action: Action) -> str:
    """The whole sentence about one action."""
    return f"{clock_time(action.time)} {deed(action)}{because(action)}."


def turned_back(action: Action, undone: Action, exact: bool) -> str:
    """The sentence about a reversal."""
    whose = "its own" if action.agent == undone.agent else f"{undone.agent}'s"
    how = "put back what" if exact else "turned against"
    what = f"{how} {whose} {change(undone)}" + (" had replaced" if exact else "")
    return f"{clock_time(action.time)} {deed(action)}{because(action)}: {what}, {lasting(action.time - undone.time)} later."


def event_told(event: Event) -> str:
    """The sentence about any event of a chain."""
    if isinstance(event, Action):
        return told(event)
    if isinstance(event, Transition):
        return f"{clock_time(event.time)} {event.resource} {event.metric} went {text(event.before)} -> {text(event.after)}."
    return f"{clock_time(event.time)} {event.source} reported {event.id}."


def beside(agents: tuple[str, ...], roots: tuple[Root, ...]) -> tuple[str, ...]:
    """The agents that did not begin it."""
    began = {root.agent for root in roots}
    return tuple([agent for agent in agents if agent not in began])


def list_names(names: tuple[str, ...]) -> str:
    """ "a", "a and b", "a, b and 3 more"."""
    if len(names) <= 1:
        return names[0] if names else "nobody"
    if len(names) <= 3:
        return ", ".join(names[:-1]) + " and " + names[-1]
    return f"{names[0]}, {names[1]} and {len(names) - 2} more"


def headline(title: str, count: int, counts: str, nanos: int, confidence: float) -> str:
    """The first sentence of a finding: what, how often ("reversals", in the plural), and, where more than once, within which time (ns)."""
    often = f"1 {counts.removesuffix('s')}" if count == 1 else f"{count} {counts} in {lasting(nanos)}"
    return f"{title}: {often}, confidence {confidence:.2f}."


def lasting(nanos: int) -> str:
    """How long something took, in ns: "30 us", "12.5 s", "2 min 45 s", "3 h 5 min", "2 d 4 h"; at most two units."""
    if 0 < nanos < SECOND - 500_000:  # which would read 1e+03 ms
        small = (1_000_000, "ms") if nanos >= 1_000_000 - 500 else (1_000, "us")
        return f"{nanos / small[0]:.3g} {small[1]}"
    if nanos < 2 * MINUTE:
        return f"{nanos / SECOND:.3g} s"
    units = ((24 * HOUR, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))
    at = next(i for i, (size, _) in enumerate(units) if nanos >= size)
    (size, unit), (part, smaller) = units[at], units[at + 1]
    count, rest = divmod((nanos + SECOND // 2) // SECOND * SECOND, size)
    return f"{count} {unit}" + (f" {rest // part} {smaller}" if rest >= part else "")


PAST = {
    "put": "put",
    "set": "set",
    "make": "made",
    "take": "took",
    "run": "ran",
    "build": "built",
    "write": "wrote",
    "bind": "bound",
}
SHORT = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")  # "stop", "drop": such verbs double their last letter


def did(verb: str) -> str:
    """ "evicted", "destroyed", "stopped"; "did scale-down on" where the verb is no plain English word."""
    if verb in PAST:
        return PAST[verb]
    if not (verb.isascii() and verb.isalpha() and verb.islower()):
        return f"did {verb} on"
    if SHORT.fullmatch(verb):
        return f"{verb}{verb[-1]}ed"
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return f"{verb[:-1]}ied"
    return f"{verb}d" if verb.endswith("e") else f"{verb}ed"
