"""Declared intents that are open: by whom, on which knob, until when. One register per (resource, parameter, holder); the last word counts.

An action with an intent, or with one of the plain reasons as its rule, opens one; the holder's next action on that knob without one
closes it. An intent event opens or closes one, for all parameters of the resource where it names none.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import UnsetType

from models.events import Action, Event, Intent, Value, key, ref
from models.values import same

Register: TypeAlias = tuple[str, str, str]  # resource, parameter ("" = all of them), holder
Declared: TypeAlias = Action | Intent
TRYING = frozenset({"experiment", "canary", "maintenance", "drill", "test"})  # reasons under which going back and forth is the plan


REASONS = frozenset(
    {"maintenance", "freeze", "incident", "failover", "canary", "experiment"}
)  # as `why.rule`, they declare an intent too


def declares(action: Action) -> bool:
    """Whether the action declares an intent: in so many words, or by giving one of the reasons as its rule."""
    why = action.why
    return action.intent is not None or (why is not None and why.rule in REASONS)


def open_until(event: Declared, fallback: int) -> int | None:
    """When the intent ends (ns); None = when it is closed. `fallback` (ns) is for actions that name no end."""
    if isinstance(event, Intent):
        return event.until
    if event.intent is not None and event.intent.until is not None:
        return event.intent.until
    return event.time + fallback if declares(event) else event.time


def desired(event: Declared) -> Value | UnsetType:
    """The value that the holder wants to stay; UNSET = whatever stood when it was declared."""
    return event.desired if isinstance(event, Intent) else event.new


def reason(event: Declared) -> str:
    """The holder's word for it: freeze, maintenance, failover, canary, ..."""
    if isinstance(event, Intent):
        return event.reason
    if event.intent is not None and event.intent.reason:
        return event.intent.reason
    return event.why.rule if event.why is not None and event.why.rule in REASONS else ""


class Intents:
    """The registers of one domain."""

    def __init__(self) -> None:
        self.registers: dict[tuple[str, str], dict[str, Declared]] = {}

    def register(self, event: Event) -> Register | None:
        """Which register the event has the last word on; None where it says nothing about intents."""
        if isinstance(event, Action):
            if event.outcome != "applied":
                return None
            if not declares(event):
                held = self.registers.get((event.resource, event.parameter)) if self.registers else None
                if held is None or event.agent not in held:
                    return None
        elif not isinstance(event, Intent):
            return None
        return (event.resource, event.parameter, event.agent)

    def declare(self, event: Event) -> Register | None:
        """Takes in the next event in canonical order, or a fact; never replaces a newer word by an older one."""
        register = self.register(event)
        if register is None or not isinstance(event, Action | Intent):
            return None
        held = self.registers.setdefault(register[:2], {})
        old = held.get(register[2])
        if old is None or key(old) < key(event):
            held[register[2]] = event
        return register

    def open(self, action: Declared, fallback: int, oldest_fact: int = 0) -> list[Declared]:
        """Intents of others that are open on the event's knob, in canonical order; none declared before `oldest_fact` (ns)."""
        found: list[Declared] = []
        if not self.registers:
            return found
        for parameter in (action.parameter, ""):
            for who, event in self.registers.get((action.resource, parameter), {}).items():
                closed = event.closed if isinstance(event, Intent) else not declares(event)
                until = open_until(event, fallback)
                if who != action.agent and not closed and event.time >= oldest_fact and (until is None or action.time < until):
                    found.append(event)
        return sorted(found, key=key)

    def stands(self, event: Intent) -> bool:
        """Whether this is still its holder's last word there."""
        return self.registers.get((event.resource, event.parameter), {}).get(event.agent) == event

    def experiment(self, event: Action, undone: Action) -> bool:
        """Both writes lie in one declared experiment of the writer: of a rollout, or for one of the reasons that mean trying out; or the
        writer ends what it had declared for a time, and puts back what it had found."""
        if event.rollout != "" and event.rollout == undone.rollout:
            return True
        if event.agent == undone.agent:
            if undone.intent is not None and undone.intent.until is not None and same(event.new, undone.old):
                return True
            for action in (event, undone):
                clause = action.intent
                if clause is not None and clause.reason in TRYING and (clause.until is None or event.time < clause.until):
                    return True
        for parameter in (event.parameter, "") if self.registers else ():
            word = self.registers.get((event.resource, parameter), {}).get(event.agent)
            if isinstance(word, Intent) and not word.closed and word.reason in TRYING and word.time <= undone.time:
                return word.until is None or event.time < word.until
        return False

    def drop(self, register: Register, fact: Event) -> None:
        """The fact in this register has been given up; a newer word stays."""
        held = self.registers.get(register[:2], {})
        if held.get(register[2]) == fact:
            del held[register[2]]
            if not held:
                self.registers.pop(register[:2], None)


def released(event: Declared, action: Action) -> bool:
    """The holder handed over to this agent, the agent acknowledged the intent, or both belong to one rollout."""
    handoff = event.intent.handoff_to if isinstance(event, Action) and event.intent is not None else ()
    if action.agent in handoff or event.id in action.acknowledges or ref(event) in action.acknowledges:
        return True
    return isinstance(event, Action) and event.rollout != "" and event.rollout == action.rollout
