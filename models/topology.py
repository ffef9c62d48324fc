"""Which resources lie next to each other: the last word on each dependency, of whoever told it.

Two are near if one depends on the other, or if a third has to do with both, such as a router with its queues. Older than the memory a
dependency is a fact.
"""

from __future__ import annotations

from typing import TypeAlias

from models.events import Dependency, key

Register: TypeAlias = tuple[str, str, str]  # dependent, dependency, relation
MOST = 16  # resources that one look-up answers


class Topology:
    """The dependencies of one domain."""

    def __init__(self) -> None:
        self._last: dict[Register, Dependency] = {}
        self._beside: dict[str, dict[Register, str]] = {}  # resource -> the other end of each dependency it has part in

    def declare(self, dependency: Dependency) -> None:
        """Takes in the next word in canonical order, or a fact; never replaces a newer one by an older one."""
        name = edge(dependency)
        old = self._last.get(name)
        if old is not None and key(old) >= key(dependency):
            return
        self._last[name] = dependency
        for one, other in ((name[0], name[1]), (name[1], name[0])):
            if dependency.removed:
                self._leave(one, name)
            else:
                self._beside.setdefault(one, {})[name] = other

    def drop(self, fact: Dependency) -> None:
        """This fact has been given up; a newer word stays."""
        name = edge(fact)
        if self._last.get(name) == fact:
            del self._last[name]
            self._leave(name[0], name)
            self._leave(name[1], name)

    def near(self, resource: str, now: int) -> list[str]:
        """Resources one or two steps away at `now` (ns), nearest first, each step in the order of names; at most so many."""
        direct = self._step(resource, now)
        beyond = {other for one in direct[:MOST] for other in self._step(one, now)[:MOST]}
        return [*direct, *sorted(beyond - {resource, *direct})][:MOST]

    def _step(self, resource: str, now: int) -> list[str]:
        found = set()
        for name, other in self._beside.get(resource, {}).items():
            until = self._last[name].until
            if until is None or now < until:
                found.add(other)
        return sorted(found - {resource})

    def _leave(self, resource: str, name: Register) -> None:
        held = self._beside.get(resource)
        if held is not None and held.pop(name, None) is not None and not held:
            del self._beside[resource]


def edge(dependency: Dependency) -> Register:
    """Which register the word is the last one on."""
    return (dependency.dependent, dependency.dependency, dependency.relation)
