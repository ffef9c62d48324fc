"""What guards and canaries said last: one register per (resource, rollout, guard), found by rollout and by blocked payload.

A verdict that a later one of the same guard on the same rollout and resource replaces counts no more. Older than the memory it is a fact.
"""

from __future__ import annotations

from itertools import islice
from typing import TypeAlias

from models.events import Verdict, key

Register: TypeAlias = tuple[str, str, str]  # resource, rollout, guard
NEGATIVE = ("fail", "block")
MOST = 8  # newest negative verdicts that one look-up answers


class Verdicts:
    """The registers of one domain."""

    def __init__(self) -> None:
        self._last: dict[Register, Verdict] = {}
        self._rollouts: dict[str, dict[Register, Verdict]] = {}  # negative ones only, in the order in which they came
        self.payloads: dict[str, dict[Register, Verdict]] = {}  # likewise

    def declare(self, verdict: Verdict) -> None:
        """Takes in the next verdict in canonical order, or a fact; never replaces a newer one by an older one."""
        name = register(verdict)
        old = self._last.get(name)
        if old is not None and key(old) >= key(verdict):
            return
        self._remove(name)
        self._last[name] = verdict
        if verdict.verdict in NEGATIVE:
            self._rollouts.setdefault(verdict.rollout, {})[name] = verdict
            if verdict.payload:
                self.payloads.setdefault(verdict.payload, {})[name] = verdict

    def drop(self, fact: Verdict) -> None:
        """This fact has been given up; a newer verdict stays."""
        name = register(fact)
        if self._last.get(name) == fact:
            self._remove(name)

    def on_rollout(self, rollout: str) -> list[Verdict]:
        """The newest negative verdicts that stand on a rollout, oldest first."""
        return _newest(self._rollouts.get(rollout)) if rollout else []

    def on_payload(self, payload: str) -> list[Verdict]:
        """The newest negative verdicts that stand on a payload, by its name, oldest first."""
        return _newest(self.payloads.get(payload))

    def cleared(self, negative: Verdict, rollout: str) -> bool:
        """Whether the same guard has since let the same thing pass, in another rollout."""
        last = self._last.get((negative.resource, rollout, negative.agent))
        return last is not None and last.verdict not in NEGATIVE and key(last) > key(negative)

    def _remove(self, name: Register) -> None:
        old = self._last.pop(name, None)
        if old is None:
            return
        for index, at in ((self._rollouts, old.rollout), (self.payloads, old.payload)):
            held = index.get(at)
            if held is not None and held.pop(name, None) is not None and not held:
                del index[at]


def _newest(held: dict[Register, Verdict] | None) -> list[Verdict]:
    return sorted(islice(reversed(held.values()), MOST), key=key) if held else []


def register(verdict: Verdict) -> Register:
    """Which register the verdict has the last word on."""
    return (verdict.resource, verdict.rollout, verdict.agent)
