"""What is known of each object from the log so far: knobs, owner, a pod's node. The log never tells an old value; this does."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from models.events import Value
from streams.sources.kubernetes.knobs import Knobs

MOST_KNOBS = 500_000  # of all objects together, each about 0.1 kB
MOST = 50_000  # objects kept; the one that was not written for longest goes first


class Known(msgspec.Struct):
    """One object. `whole`: all of it was seen, so that a knob that is not in `knobs` is null."""

    knobs: Knobs = msgspec.field(default_factory=dict)
    whole: bool = False
    author: str = ""  # the agent that wrote all knobs at once, at creation;
    writers: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict
    )  # of those written since, who wrote the value they have
    owner: tuple[str, str] | None = None  # (kind, name) of its controller
    node: str = ""
    placed: list[str] = msgspec.field(default_factory=list)  # ids of the first and last action that placed a pod where it is,
    placer: str = ""  # and the agent
    drained: list[tuple[str, str]] = msgspec.field(
        default_factory=list
    )  # of a workload: (pod, id of its eviction from a drained node) that have no successor yet
    scaler: str = ""  # the agent that set its replicas last,
    scaled: str = ""  # and the id of that action
    bounded: int | None = None  # ns: when somebody last moved the bounds of its autoscaler,
    changed: tuple[int, str] | None = None  # or changed it itself, and who
    maker: str = ""  # the agent that created it
    counted: int = 0  # knobs that `Objects` has counted
    ended: bool = False  # somebody has already begun to end it

    def old(self, path: str) -> Value | UnsetType:
        """The knob's last value; UNSET where it is not known."""
        return self.knobs.get(path, None if self.whole else UNSET)

    def after(self, patch: Knobs) -> Knobs:
        """The patch, and what is null by it since all of it above is: {"spec.strategy": None} ends "spec.strategy.type" too."""
        gone = tuple(path + step for path, value in patch.items() if value is None for step in ".[")
        below = [path for path in self.knobs if path.startswith(gone)] if gone else []
        return {**patch, **dict.fromkeys(below)} if below else patch

    def catch_up(self, now: Knobs, fields: frozenset[str] | None) -> int:
        """Takes over what differs in fields that the patch at hand does not write: somebody did whose request is not in the log.

        Answers how many knobs that are."""
        if fields is None or not self.whole:
            return 0
        differing = [path for path, value in now.items() if self.knobs.get(path) != value]
        differing += [path for path in self.knobs if path not in now and self.knobs[path] is not None]
        unseen = [path for path in differing if path.startswith("spec.") and _second_level(path) not in fields]
        for path in unseen:
            self.knobs[path] = now.get(path)
            self.writers[path] = ()
        return len(unseen)

    def writers_of(self, path: str) -> tuple[str, ...]:
        """Who wrote the value that a knob has, as far as the log tells."""
        default = (self.author,) if self.author and path in self.knobs else ()
        return self.writers.get(path, default)

    def unknown(self) -> None:
        """Something was changed that the log does not show."""
        self.knobs, self.whole, self.author, self.writers = {}, False, "", {}


def _second_level(path: str) -> str:
    """spec.template.spec.nodeSelector -> spec.template."""
    return "spec." + path.removeprefix("spec.").partition(".")[0].partition("[")[0]


class Objects:
    """All of one log, by resource name."""

    def __init__(self, most: int = MOST, most_knobs: int = MOST_KNOBS) -> None:
        self._known: dict[str, Known] = {}
        self._most, self._most_knobs = most, most_knobs
        self._knobs = 0  # of all objects
        self._last: Known | None = None

    def peek(self, resource: str) -> Known:
        """The same, but it is not to be written to, and does not count as asked for."""
        return self._known.get(resource) or Known()

    def get(self, resource: str) -> Known:
        """The object; a fresh one where nothing is known of it."""
        known = self._known.pop(resource, None)
        if self._last is not None:  # what was written to it since it was asked for
            self._knobs += len(self._last.knobs) - self._last.counted
            self._last.counted = len(self._last.knobs)
        while self._known and (len(self._known) >= self._most or self._knobs > self._most_knobs):
            oldest = self._known.pop(next(iter(self._known)))
            self._knobs -= oldest.counted
            oldest.counted = len(oldest.knobs)
        known = self._last = known or Known()
        self._known[resource] = known
        return known
