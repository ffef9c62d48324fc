"""The newest writes of each agent, so that knobs that one hand moves can be held against each other."""

from __future__ import annotations

from collections import deque

from models.events import Action

NEWEST = 8  # writes kept of each agent


class Agents:
    """Of one domain; a function of the memory's events, as long as what is older is left out when asked for."""

    def __init__(self) -> None:
        self._newest: dict[str, deque[Action]] = {}

    def add(self, write: Action) -> None:
        """Takes in the next write in canonical order."""
        newest = self._newest.get(write.agent)
        if newest is None:
            newest = self._newest[write.agent] = deque(maxlen=NEWEST)
        newest.append(write)

    def newest(self, agent: str, edge: int) -> list[Action]:
        """The newest writes of an agent that are younger than `edge` (ns), oldest first."""
        return [write for write in self._newest.get(agent, ()) if write.time > edge]

    def forget(self, edge: int) -> None:
        """Agents that have written nothing since `edge` (ns) leave."""
        for agent in [agent for agent, newest in self._newest.items() if newest[-1].time <= edge]:
            del self._newest[agent]
