"""Declared intents that are open: by whom, on which knob, until when. One register per (resource, parameter, holder); the last word counts.

An action with an intent, or with one of the plain reasons as its rule, opens one; the holder's next action on that knob without one
closes it, and so does another agent's write to that knob that acknowledges it: from then on the value is that writer's. An intent event
opens or closes one, for all parameters of the resource where it names none; such a one is not closed by an acknowledgement on one knob.
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
        self._expecting: dict[tuple[str, str], dict[Register, Action]] = {}  # by the (resource, metric) of an announced effect

    def words(self, event: Event) -> list[Register]:
        """The registers that the event has the last word on; none where it says nothing about intents."""
        if isinstance(event, Intent):
            return [(event.resource, event.parameter, event.agent)]
        if not isinstance(event, Action) or event.outcome != "applied":
            return []
        knob = (event.resource, event.parameter)
        held = self.registers.get(knob, {})
        found = [(*knob, event.agent)] if event.agent in held or declares(event) else []
        if event.acknowledges:
            found += [(*knob, who) for who, word in held.items() if who != event.agent and _closes(event, word)]
        return found

    def declare(self, event: Event) -> list[Register]:
        """Takes in the next event in canonical order, or a fact; never replaces a newer word by an older one."""
        registers = self.words(event)
        if isinstance(event, Action | Intent):
            for register in registers:
                held = self.registers.setdefault(register[:2], {})
                old = held.get(register[2])
                if old is None or key(old) < key(event):
                    held[register[2]] = event
                    self._announce(register, old, event)
        return registers

    def _announce(self, register: Register, old: Declared | None, new: Declared | None) -> None:
        """The effects of the register's word: those of `old` are announced no longer, those of `new` are."""
        for effect in announced_effects(old):
            named = self._expecting.get(effect, {})
            named.pop(register, None)
            if not named:
                self._expecting.pop(effect, None)
        if isinstance(new, Action) and new.agent == register[2]:
            for effect in announced_effects(new):
                self._expecting.setdefault(effect, {})[register] = new

    def expecting(self, effect: tuple[str, str], action: Action, fallback: int, oldest: int, most: int) -> list[Action]:
        """The newest open intents of others on other knobs that announced an effect on this (resource, metric), oldest first."""
        knob, held = (action.resource, action.parameter), self._expecting.get(effect, {})
        found: list[Action] = []
        for register, event in reversed(held.items()):  # in the order in which they were declared
            if len(found) == most:
                break
            until = open_until(event, fallback)
            if (
                register[2] != action.agent
                and register[:2] != knob
                and event.time >= oldest
                and (until is None or action.time < until)
            ):
                found.append(event)
        return found[::-1]

    def open(self, action: Declared, fallback: int, oldest_fact: int = 0) -> list[Declared]:
        """Intents of others that are open on the event's knob, in canonical order; none declared before `oldest_fact` (ns)."""
        found: list[Declared] = []
        if not self.registers:
            return found
        for parameter in (action.parameter, ""):
            for who, event in self.registers.get((action.resource, parameter), {}).items():
                closed = event.closed if isinstance(event, Intent) else who != event.agent or not declares(event)
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
        word = held.get(register[2])
        if word is not None and word == fact:
            self._announce(register, word, None)
            del held[register[2]]
            if not held:
                self.registers.pop(register[:2], None)


def announced_effects(event: Declared | None) -> set[tuple[str, str]]:
    """The (resource, metric) of each effect that an action's intent announces."""
    clause = event.intent if isinstance(event, Action) else None
    return {(expected.resource, expected.metric) for expected in clause.expects} if clause is not None else set()


def acknowledges(action: Action, word: Declared) -> bool:
    """Whether the action says that it knows this word."""
    return word.id in action.acknowledges or ref(word) in action.acknowledges


def _closes(action: Action, word: Declared) -> bool:
    """Whether the action acknowledges this word, or is the word that did."""
    return acknowledges(action, word) or key(word) == key(action)


def released(event: Declared, action: Action) -> bool:
    """The holder handed over to this agent, the agent acknowledged the intent, or both belong to one rollout."""
    handoff = event.intent.handoff_to if isinstance(event, Action) and event.intent is not None else ()
    if action.agent in handoff or acknowledges(action, event):
        return True
    return isinstance(event, Action) and event.rollout != "" and event.rollout == action.rollout
