"""How agents act on what they read: how long after the observation each of them usually acts, and who acts on which metric.

Both are lists of the newest within the memory, so a refill rebuilds them.
"""

from __future__ import annotations

from typing import TypeVar

from models.events import Action

K = TypeVar("K")
T = TypeVar("T")

NEWEST = 64  # delays of one agent, and actions on one metric, that are remembered
READS = 8  # of one action, how many count


def delay(action: Action) -> int | None:
    """How long (ns) after its newest observation the agent acted; None where no read tells its time."""
    reads = action.reads
    newest = reads[0].time if len(reads) == 1 else max([read.time for read in reads if read.time is not None], default=None)
    return None if newest is None else action.time - newest


def metrics(action: Action) -> list[tuple[str, str]]:
    """The metrics that the action names in its reads or in what its intent expects, each once."""
    clause, reads = action.intent, action.reads
    if clause is None and len(reads) == 1:
        return [(reads[0].resource, reads[0].metric)] if reads[0].metric else []
    named = [(read.resource, read.metric) for read in reads[:READS] if read.metric]
    if clause is not None:
        named += [(expected.resource, expected.metric) for expected in clause.expects[:READS] if expected.metric]
    return list(dict.fromkeys(named))


def _append(lists: dict[K, list[T]], name: K, item: T) -> None:
    """Lists, not deques: there may be one for each of very many metrics, and an empty deque takes 600 bytes."""
    items = lists.get(name)
    if items is None:
        lists[name] = [item]
        return
    items.append(item)
    if len(items) > NEWEST:
        del items[0]


class Observers:
    """The lists of one domain."""

    def __init__(self) -> None:
        self._delays: dict[str, list[tuple[int, int]]] = {}  # agent -> (time of the action, delay)
        self._actions: dict[tuple[str, str], list[Action]] = {}  # (resource, metric) -> actions that name it

    def install(self, action: Action) -> None:
        """Takes in the next applied action in canonical order."""
        waited = delay(action)
        if waited is not None:
            _append(self._delays, action.agent, (action.time, waited))
        for name in metrics(action):
            _append(self._actions, name, action)

    def forget(self, action: Action) -> None:
        """`action`, the oldest of the memory, has left it."""
        delays = self._delays.get(action.agent)
        while delays and delays[0][0] <= action.time:
            del delays[0]
        if delays is not None and not delays:
            del self._delays[action.agent]
        for name in metrics(action):
            actions = self._actions.get(name)
            while actions and actions[0].time <= action.time:
                del actions[0]
            if actions is not None and not actions:
                del self._actions[name]

    def delays(self, agent: str) -> list[int]:
        """How long (ns) after their observations this agent's newest actions came."""
        return [waited for _, waited in self._delays.get(agent, ())]

    def on(self, metric: tuple[str, str]) -> list[Action] | tuple[()]:
        """The newest actions that name this metric, oldest first."""
        return self._actions.get(metric, ())
