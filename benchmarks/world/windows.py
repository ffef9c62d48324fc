"""Which declared windows were undone, and by whom: see `labels` for the definition."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from benchmarks.world.draw import Knob
from benchmarks.world.replay import Intervention, Write
from benchmarks.world.thrash import Judge
from benchmarks.world.turns import away, of_knob

Name: TypeAlias = tuple[Knob, str, str, float]
SOON_S = 30  # a decision within so many seconds of another is the same one


class Override(msgspec.Struct, frozen=True):
    """A declared window that another agent undid."""

    knob: Knob
    holder: str
    agent: str
    kind: str
    at: float
    until: float

    @property
    def name(self) -> Name:
        """The same under every noise."""
        return self.knob, self.holder, self.agent, self.until


def overrides(judge: Judge) -> list[Override]:
    """Windows that were undone, each once for each agent: the first write that did."""
    found: dict[Name, Override] = {}
    for holding in judge.record.writes:
        if holding.clause is None:
            continue
        for write in of_knob(judge.record, holding.knob):
            undone = Override(holding.knob, holding.agent, write.agent, "override", write.t, holding.clause.until)
            if undone.name in found or not _undoes(judge, write, holding) or not _stays(judge, write, holding):
                continue
            kind = "intent_read_as_fault" if _fault(judge, write, holding) else "override"
            found[undone.name] = msgspec.structs.replace(undone, kind=kind)
    return list(found.values())


def _undoes(judge: Judge, write: Write, holding: Write) -> bool:
    clause = holding.clause
    if clause is None or write.agent == holding.agent or not holding.t < write.t < clause.until or write.agent in clause.handoff:
        return False
    if any(
        reading.metric == metric and reading.value > bound for reading in write.readings for metric, bound in clause.abort_above
    ):
        return False
    closed = any(w.agent == holding.agent and holding.t < w.t < write.t for w in of_knob(judge.record, holding.knob))
    return not closed and away(write.new, holding.new) and away(write.new, write.before)


def _stays(judge: Judge, write: Write, holding: Write) -> bool:
    others = frozenset(loop.name for loop in judge.scenario.loops) - {holding.agent}
    silent = judge.replay(Intervention(frozen=others, between=(float(holding.decided), write.t)))
    return not any(holding.t < other.t < write.t for other in of_knob(silent, write.knob) if other.agent != holding.agent)


def _fault(judge: Judge, write: Write, holding: Write) -> bool:
    assert holding.clause is not None
    if not any(reading.metric in holding.clause.expects for reading in write.readings):
        return False
    without = judge.replay(Intervention(left_out=frozenset({holding.name})))
    again = [w for w in of_knob(without, write.knob) if w.agent == write.agent and abs(w.decided - write.decided) <= SOON_S]
    return not any(not away(w.new, write.new) for w in again)
