"""Reversals of one knob, as a function of the list of its writes: turning points, how much each weighs, who pushes which way.

Numbers: the zigzag of the values with a dead band gives half-cycles of amplitude A_i; reversal i weighs min(1, R_i/damped) with R_1 = 1,
R_2 = (A_2/A_1)^2 and R_i = A_i/A_{i-2}, so that a settling system fades by itself; under the ratio `damped` one is said to settle.
Everything else: a reversal is a return to one of the
last eight distinct values, or to the value that the write before says it replaced. What demand or a declared experiment justifies weighs
less (`Excuse`). Sources: similar half-cycles, Forsman & Stattin 1999; half-life, RFC 2439; the amplitude ratio over a full cycle, Miao &
Seborg 1999.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from models.events import Action, Value
from models.values import category, same, scale

RECENT_VALUES = 8

Excuse: TypeAlias = Callable[[Action, Action, int, float, float], float]
"""Event, undone, since when (ns), how far the step goes, how far the swing that it ends went -> the share that is justified."""


def _no_excuse(event: Action, undone: Action, since: int, step: float, swing: float) -> float:
    return 0.0


class Reversal(msgspec.Struct, frozen=True, gc=False):
    """`event` turned back what `undone` had done. `exact`: it put back the other agent's old value."""

    event: Action
    undone: Action
    weight: float
    justified: float  # 0 = by nothing, 1 = wholly, by demand or as an experiment; `weight` has it in it
    growth: float  # R_i, not cut at 1
    amplitude: float  # of the half-cycle that it ended, on the knob's scale
    exact: bool


class Zigzag(msgspec.Struct, frozen=True):
    """All reversals in a list of writes, and the fight index: 1 = different agents push up and down, 0 = one agent hunts.

    `ahead`: R of the half-cycle that the newest reversal began, as far as it went by now: at least that.
    """

    reversals: tuple[Reversal, ...]
    fight_index: float
    numeric: bool
    ahead: float = 1.0


def zigzag(writes: Sequence[Action], deadband: float, excuse: Excuse = _no_excuse, damped: float = 1.0) -> Zigzag:
    """`writes` of one knob in canonical order. O(n), and one question to `excuse` for each reversal. `damped` > 0: R from which on a
    reversal weighs all that it can."""
    moved = [write for write in writes if write.new is not UNSET]
    if not moved:
        return Zigzag((), 0.0, True)
    start = moved[0].old
    known = start is not UNSET and start is not None
    points = scale([start, *(w.new for w in moved)] if known else [w.new for w in moved])
    if points is None:
        return _returns(moved, excuse)
    origin = points[0]
    return _turns(moved, points[1:] if known else points, origin, deadband, excuse, damped)


class _Push:
    """How far each agent pushed up and down."""

    def __init__(self) -> None:
        self.up: dict[str, float] = {}
        self.down: dict[str, float] = {}

    def add(self, agent: str, step: float) -> None:
        side = self.up if step > 0 else self.down
        side[agent] = side.get(agent, 0.0) + abs(step)

    def fight_index(self) -> float:
        total = sum(self.up.values()) + sum(self.down.values())
        both = sum(min(self.up[agent], self.down.get(agent, 0.0)) for agent in sorted(self.up))
        return 1.0 - 2.0 * both / total if total else 0.0


def _turns(
    writes: Sequence[Action], points: Sequence[float], origin: float, deadband: float, excuse: Excuse, damped: float
) -> Zigzag:
    push, reversals, amplitudes = _Push(), list[Reversal](), list[float]()
    direction, last = 0.0, origin
    turn = origin  # where the present run began
    begun = newest = 0  # the first and the newest write that moved it on
    for i, (write, point) in enumerate(zip(writes, points, strict=True)):
        step = point - last
        forth = direction * step
        if direction == 0.0:
            if abs(point - origin) >= deadband:
                direction, last = math.copysign(1.0, point - origin), point
                push.add(write.agent, point - origin)
                begun = newest = i
            continue
        if forth >= 0:
            if step:
                push.add(write.agent, step)
                newest, last = i, point
            continue
        if -forth < deadband:
            continue
        amplitude = abs(last - turn)
        amplitudes.append(amplitude)
        growth, undone = _growth(amplitudes), writes[newest]
        exact = undone.agent != write.agent and same(write.new, _before(writes, begun))
        justified = excuse(write, undone, writes[begun].time, step, amplitude)
        weight = min(1.0, growth / damped) * (1.0 - justified)
        reversals.append(Reversal(write, undone, weight, justified, growth, amplitude, exact))
        push.add(write.agent, step)
        direction, turn, last, begun, newest = -direction, last, point, i, i
    ahead = _growth([*amplitudes, abs(last - turn)]) if amplitudes else 1.0
    return Zigzag(tuple(reversals), push.fight_index(), True, ahead)


def _before(writes: Sequence[Action], i: int) -> Value | UnsetType:
    """The value that write i replaced, by its own word or the write before."""
    if writes[i].old is not UNSET:
        return writes[i].old
    return writes[i - 1].new if i else UNSET


def _growth(amplitudes: Sequence[float]) -> float:
    """R_i. The first half-cycle may begin at rest, and be half a swing: the third is held against the second as well."""
    n, last = len(amplitudes), amplitudes[-1]
    if n == 1:
        return 1.0
    if n > 3:
        return _ratio(last, amplitudes[-3])
    next_to = _ratio(last, amplitudes[-2]) ** 2
    return next_to if n == 2 else min(_ratio(last, amplitudes[-3]), next_to)


def _ratio(amplitude: float, earlier: float) -> float:
    return amplitude / earlier if earlier > 0 else 1.0


def _returns(writes: Sequence[Action], excuse: Excuse) -> Zigzag:
    recent: list[object] = [] if writes[0].old is UNSET else [category(writes[0].old)]
    reversals: list[Reversal] = []
    last: int | None = None  # the newest write that changed the value
    for i, write in enumerate(writes):
        value = category(write.new)
        if recent and recent[-1] == value:
            continue  # idempotent
        stood = category(write.old) if write.old is not UNSET else value
        if stood != value and recent and recent[-1] != stood:
            recent = _newest(recent, stood)  # somebody unseen wrote it
        if value in recent and last is not None:
            undone = writes[last]
            exact = undone.agent != write.agent and same(write.new, _before(writes, last))
            justified = excuse(write, undone, undone.time, 0.0, 0.0)
            reversals.append(Reversal(write, undone, 1.0 - justified, justified, 1.0, 1.0, exact))
        recent = _newest(recent, value)
        last = i
    hostile = sum(r.event.agent != r.undone.agent for r in reversals)
    return Zigzag(tuple(reversals), hostile / len(reversals) if reversals else 0.0, False)


def _newest(values: list[object], value: object) -> list[object]:
    return [*(v for v in values if v != value), value][-RECENT_VALUES:]
