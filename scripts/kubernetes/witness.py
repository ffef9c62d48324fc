"""What really happened, from the API server's watch and not from its audit log: the truth that findings are held against.

A witness watches one kind of object in the namespace of the scenario and keeps what it saw with the time at which it saw it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from scripts.kubernetes.api import Api

DEPLOYMENTS = "/apis/apps/v1/namespaces/store/deployments"
PODS = "/api/v1/namespaces/store/pods"


@dataclass(frozen=True)
class Seen:
    """One state of one object; `time` in seconds since 1970."""

    time: float
    change: str
    object: Any


@dataclass(frozen=True)
class Turn:
    """One change of a contested knob: from when on it had this value."""

    time: float
    value: Any


class Witness:
    """Watches from its construction until the server ends."""

    def __init__(self, api: Api, path: str) -> None:
        self.seen: list[Seen] = []
        threading.Thread(target=self._watch, args=(api, path), daemon=True).start()

    def _watch(self, api: Api, path: str) -> None:
        for change, found in api.watch(path):
            self.seen.append(Seen(time.time(), change, found))

    def of(self, name: str) -> list[Any]:
        """The states of one object, oldest first."""
        return [each.object for each in list(self.seen) if each.object["metadata"]["name"] == name]

    def turns(self, name: str, *path: str | int) -> list[Turn]:
        """Each change of the value at `path` in the object of this name; the value that was found first is no change."""
        turns: list[Turn] = []
        known: object = None
        for each in list(self.seen):
            if each.object["metadata"]["name"] != name:
                continue
            value = at(each.object, *path)
            if known is not None and value != known:
                turns.append(Turn(each.time, value))
            known = value
        return turns

    def evictions(self, app: str) -> dict[str, Turn]:
        """By the pods' uid: when it was marked as disrupted by an eviction, and on which node that was."""
        found: dict[str, Turn] = {}
        for each in list(self.seen):
            metadata = each.object["metadata"]
            conditions = each.object.get("status", {}).get("conditions", [])
            evicted = any(condition.get("reason") == "EvictionByEvictionAPI" for condition in conditions)
            if evicted and metadata["labels"].get("app") == app and metadata["uid"] not in found:
                found[metadata["uid"]] = Turn(each.time, each.object["spec"].get("nodeName"))
        return found

    def placements(self, app: str) -> dict[str, Turn]:
        """By the pods' uid: when it was first seen on a node, and on which."""
        found: dict[str, Turn] = {}
        for each in list(self.seen):
            metadata, node = each.object["metadata"], each.object["spec"].get("nodeName")
            if node and metadata["labels"].get("app") == app and metadata["uid"] not in found:
                found[metadata["uid"]] = Turn(each.time, node)
        return found


def at(found: Any, *path: str | int) -> Any:
    """The value at a path of keys and positions."""
    for key in path:
        found = found[key]
    return found
