"""What is true of a simulated scenario, by replaying it with one thing changed and the same noise.

Thrashing of a knob. A reversal is a turn of the zigzag of its writes by at least `BAND` on ln v; for names and sets, a return to one of the
last eight distinct values. A stretch is a run of reversals at most `APART` from one another.

    positive     a stretch of >= 6, and at least 80 % of the knob's reversals vanish (1) with one of its writers frozen, all others live,
                 and (2) with the loop cut: its writers go on deciding, all other agents are frozen, readings are free of noise, and the
                 physics stays where the knob was on average. Only wishes of at least half the usual swing count there.
    exogenous    (1) holds, but half of them or more remain with the loop cut: demand, faults or plans from outside ask for them
    short        4 or 5 reversals of such a kind
    mixed        anything between, and what outlasts the freezing of every single writer
    negative     no stretch of more than 3

(1) alone would call an autoscaler that follows demand a fight with itself, since without its only writer no knob moves. A label counts if
at least 80 % of five noise seeds agree with the first; else, and if short or mixed, the knob is `ambiguous` and left out of all counts.

Override. A write by another than the holder moves a knob away from where a declared window had put it, without being handed over, and
without a reading that meets the bound under which the holder lets go. True if the knob stays there with all other agents silent from the
declaration to the write. Read as a fault: it would not have been written if the declaring write had not been, and its agent read a metric
that the holder had said would move.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from benchmarks.world.draw import MEMBERS, PRIMARY, REPLICAS, WEIGHT_A, WEIGHT_B, Knob, Scenario
from benchmarks.world.replay import NONE, Record, run
from benchmarks.world.thrash import Judge, Thrash
from benchmarks.world.windows import Override, overrides

STABLE, NOISES = 4, 5


class Labels(msgspec.Struct, frozen=True):
    """All of a scenario. `unstable` are overrides that too few noise seeds show, or all but the first."""

    record: Record
    thrash: tuple[Thrash, ...]
    overrides: tuple[Override, ...]
    unstable: tuple[Override, ...]
    replays: int


def groups(scenario: Scenario) -> list[tuple[Knob, ...]]:
    """What can thrash: each knob, and the two weights as one."""
    return [(REPLICAS,), (PRIMARY,), (MEMBERS,), (WEIGHT_A, WEIGHT_B) if scenario.weights else scenario.route]


def label(scenario: Scenario, noises: int = NOISES) -> Labels:
    """Everything that is true of a scenario under noise 0, and stable under the others. Raises AssertionError where a replay differs."""
    record = run(scenario, 0)
    assert run(scenario, 0, NONE) == record, f"scenario {scenario.seed}: a replay without intervention differs"
    judges = [Judge(scenario, 0, record), *(Judge(scenario, noise, run(scenario, noise)) for noise in range(1, noises))]
    needed = math.ceil(STABLE / NOISES * noises)
    thrash = [found for knobs in groups(scenario) for found in _stable(judges, knobs, needed)]
    stable, unstable = _undone(judges, needed) if scenario.tasks else ([], [])
    replays = 1 + noises + sum(judge.replays for judge in judges)
    return Labels(record, tuple(thrash), tuple(stable), tuple(unstable), replays)


def _undone(judges: Sequence[Judge], needed: int) -> tuple[list[Override], list[Override]]:
    """What the first noise shows and enough of them do; and what is neither surely there nor surely not."""
    seen = [{found.name: found for found in overrides(judge)} for judge in judges]
    stable: list[Override] = []
    unstable: list[Override] = []
    for name in sorted({name for found in seen for name in found}):
        shown = [found[name] for found in seen if name in found]
        if name in seen[0] and len(shown) >= needed:
            stable.append(shown[0])
        elif name in seen[0] or len(judges) - len(shown) < needed:
            unstable.append(shown[0])
    return stable, unstable


def _stable(judges: Sequence[Judge], knobs: tuple[Knob, ...], needed: int) -> list[Thrash]:
    first, *others = (judge.thrash(knobs) for judge in judges)
    positive = any(found.status == "positive" for found in first)
    agreeing = 1 + sum(any(found.status == "positive" for found in other) == positive for other in others)
    return [
        msgspec.structs.replace(found, status="ambiguous", kind="unstable" if agreeing < needed else found.status)
        if agreeing < needed or found.status in ("short", "mixed")
        else found
        for found in first
    ]
