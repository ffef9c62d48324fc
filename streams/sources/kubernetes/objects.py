"""What is known of each object from the log so far: knobs, owner, a pod's node. The log never tells an old value; this does."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from models.events import Value
from streams.sources.kubernetes.knobs import Knobs

MOST = 50_000  # objects kept; the one that was not written for longest goes first


class Known(msgspec.Struct):
    """One object. `whole`: all of it was seen, so that a knob that is not in `knobs` is null."""

    knobs: Knobs = msgspec.field(default_factory=dict)
    whole: bool = False
    writers: dict[str, set[str]] = msgspec.field(default_factory=dict)  # knob -> the agents that wrote the value it has
    owner: tuple[str, str] | None = None  # (kind, name) of its controller
    node: str = ""
    placed: str = ""  # id of the action that placed a pod
    drained: list[str] = msgspec.field(
        default_factory=list
    )  # of a workload: ids of evictions from drained nodes that have no successor yet
    scaler: str = ""  # the agent that set its replicas last,
    scaled: str = ""  # and the id of that action
    maker: str = ""  # the agent that created it
    ended: bool = False  # somebody has already begun to end it

    def old(self, path: str) -> Value | UnsetType:
        """The knob's last value; UNSET where it is not known."""
        return self.knobs.get(path, None if self.whole else UNSET)

    def unknown(self) -> None:
        """Something was changed that the log does not show."""
        self.knobs, self.whole, self.writers = {}, False, {}


class Objects:
    """All of one log, by resource name."""

    def __init__(self, most: int = MOST) -> None:
        self._known: dict[str, Known] = {}
        self._most = most

    def get(self, resource: str) -> Known:
        """The object; a fresh one where nothing is known of it."""
        known = self._known.pop(resource, None)
        if known is None:
            known = Known()
            while len(self._known) >= self._most:
                del self._known[next(iter(self._known))]
        self._known[resource] = known
        return known
