"""What has left the memory and still holds: the last write of a knob, the last word on an intent or a dependency, a guard's last
verdict on a rollout. One compacted record each.

A fact is the event itself. A write becomes one only where nothing newer within the memory writes its knob: as long as something does,
nobody asks for an older write. Facts describe the state at the lower edge of the memory, never at its upper one: everything newer comes
back by replaying the signals, and a judgement near the upper edge needs no older write than the fact. So facts may run ahead of the
progress record, as long as they are written before a checkpoint passes them (property-tested in test_recovery).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator

import msgspec

from models.events import Event, key

FactKey = tuple[str, str, str, str, str]
"""Domain and kind, and for a "write": resource, parameter, ""; for an "intent": resource, parameter, holder; for a "verdict": resource,
rollout, guard; for a "dependency": dependent, dependency, relation."""


def encode_fact_key(fact: FactKey) -> str:
    """The key of the record in the facts topic."""
    return msgspec.json.encode(fact).decode()


def decode_fact_key(text: str | bytes) -> FactKey:
    """The inverse of `encode_fact_key`. Raises msgspec.ValidationError or msgspec.DecodeError on anything else."""
    fact: FactKey = msgspec.json.decode(text, type=FactKey)
    return fact


class Facts:
    """The facts of one domain, and which of them have changed since they were last written."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._facts: OrderedDict[FactKey, Event] = OrderedDict()  # oldest event first, since events leave the memory in order
        self._intents: dict[FactKey, Event] = {}  # those about intents, once more: they are few
        self._changed: dict[FactKey, Event | None] = {}
        self.shed = 0

    @property
    def changed(self) -> bool:
        """Something has not been written yet."""
        return bool(self._changed)

    def __len__(self) -> int:
        return len(self._facts)

    def load(self, fact: FactKey, event: Event) -> None:
        """One record of the topic; to be called in canonical order of the events."""
        self._facts[fact] = event
        self._facts.move_to_end(fact)
        if fact[1] == "intent":
            self._intents[fact] = event

    def age(self, fact: FactKey, event: Event) -> list[tuple[FactKey, Event]]:
        """`event` has left the memory; older than what is there (it is being replayed), it changes nothing. Answers what went."""
        old = self._facts.get(fact)
        if old is not None and key(old) >= key(event):
            return []
        self.load(fact, event)
        self._changed[fact] = event
        gone = []
        while len(self._facts) > self._limit:
            gone.append(next(iter(self._facts.items())))
            self.shed += 1
            self.give_up(gone[-1][0])
        return gone

    def give_up(self, fact: FactKey) -> None:
        """This fact holds no longer."""
        if self._facts.pop(fact, None) is not None:
            self._intents.pop(fact, None)
            self._changed[fact] = None

    def expire(self, oldest: int) -> list[tuple[FactKey, Event]]:
        """Gives up what is older than `oldest` (ns); answers what went."""
        gone = []
        while self._facts:
            fact, event = next(iter(self._facts.items()))
            if event.time >= oldest:
                break
            self.give_up(fact)
            gone.append((fact, event))
        return gone

    def ended(self, over: Callable[[Event], bool]) -> Iterator[tuple[FactKey, Event]]:
        """Facts about intents that are over."""
        return (item for item in self._intents.items() if over(item[1]))

    def take(self) -> list[tuple[FactKey, Event | None]]:
        """What changed since the last call; None = no longer."""
        changed = sorted(self._changed.items(), key=lambda item: item[0])
        self._changed.clear()
        return changed
