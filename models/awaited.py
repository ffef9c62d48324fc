"""Causes that were named and have not been seen: who named them, so that the link is added when they come."""

from __future__ import annotations

from collections import deque
from typing import Generic, Protocol, TypeVar

from models.events import Event, ref


class Placed(Protocol):
    """What the graph keeps of an event."""

    event: Event


P = TypeVar("P", bound=Placed)


class Awaited(Generic[P]):
    """Of the memory of one domain."""

    def __init__(self) -> None:
        self.effects: dict[str, list[P]] = {}
        self._order: deque[tuple[int, str]] = deque()

    def name(self, cause: str, effect: P) -> None:
        """`effect` names an event, by its id or as "source id", that nobody has seen."""
        self.effects.setdefault(cause, []).append(effect)
        self._order.append((effect.event.time, cause))

    def by(self, event: Event) -> list[P]:
        """Those that have named `event`, which has come."""
        found = self.effects.pop(event.id, []) + self.effects.pop(ref(event), [])
        if not self.effects:
            self._order.clear()
        return found

    def forget(self, time: int) -> None:
        """What is not younger than `time` (ns) has left the memory."""
        while self._order and self._order[0][0] <= time:
            _, cause = self._order.popleft()
            left = [effect for effect in self.effects.get(cause, ()) if effect.event.time > time]
            if left:
                self.effects[cause] = left
            else:
                self.effects.pop(cause, None)
