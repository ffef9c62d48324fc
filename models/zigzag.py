"""Reversals of one knob, as a function of the list of its writes: turning points, how much each weighs, who pushes which way.

Numbers: the zigzag of the values with a dead band gives half-cycles of amplitude A_i; reversal i weighs min(1, R_i) with R_1 = 1,
R_2 = (A_2/A_1)^2 and R_i = A_i/A_{i-2}, so that a settling system fades by itself. Everything else: a reversal is a return to one of the
last eight distinct values. Sources: similar half-cycles, Forsman & Stattin 1999; half-life, RFC 2439; the amplitude ratio over a full
cycle, Miao & Seborg 1999. Demand and declared experiments do not justify a movement yet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from models.events import Action, Value
from models.values import category, same, scale

RECENT_VALUES = 8


class Reversal(msgspec.Struct, frozen=True):
    """`event` turned back what `undone` had done. `exact`: it put back the other agent's old value."""

    event: Action
    undone: Action
    weight: float
    growth: float  # R_i, not cut at 1
    amplitude: float  # of the half-cycle that it ended, on the knob's scale
    exact: bool


class Zigzag(msgspec.Struct, frozen=True):
    """All reversals in a list of writes, and the fight index: 1 = different agents push up and down, 0 = one agent hunts."""

    reversals: tuple[Reversal, ...]
    fight_index: float
    numeric: bool


def zigzag(writes: Sequence[Action], deadband: float) -> Zigzag:
    """`writes` of one knob in canonical order. O(n)."""
    moved = [write for write in writes if write.new is not UNSET]
    if not moved:
        return Zigzag((), 0.0, True)
    start = moved[0].old
    known = start is not UNSET and start is not None
    points = scale([start, *(w.new for w in moved)] if known else [w.new for w in moved])
    if points is None:
        return _returns(moved)
    origin = points[0]
    return _turns(moved, points[1:] if known else points, origin, deadband)


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


def _turns(writes: Sequence[Action], points: Sequence[float], origin: float, deadband: float) -> Zigzag:
    push, reversals, amplitudes = _Push(), list[Reversal](), list[float]()
    direction, last = 0.0, origin
    turn = origin  # where the present run began
    run: list[int] = []  # writes that moved the present run on
    for i, point in enumerate(points):
        step = point - last
        if direction == 0.0:
            if abs(point - origin) >= deadband:
                direction, last = math.copysign(1.0, point - origin), point
                push.add(writes[i].agent, point - origin)
                run = [i]
            continue
        if direction * step >= 0:
            if step:
                push.add(writes[i].agent, step)
                run.append(i)
                last = point
            continue
        if direction * -step < deadband:
            continue
        amplitudes.append(abs(last - turn))
        growth = _growth(amplitudes)
        undone = writes[run[-1]]
        exact = undone.agent != writes[i].agent and same(writes[i].new, _before(writes, run[0]))
        reversals.append(Reversal(writes[i], undone, min(1.0, growth), growth, amplitudes[-1], exact))
        push.add(writes[i].agent, step)
        direction, turn, last, run = -direction, last, point, [i]
    return Zigzag(tuple(reversals), push.fight_index(), True)


def _before(writes: Sequence[Action], i: int) -> Value | UnsetType:
    """The value that write i replaced, by its own word or the write before."""
    if writes[i].old is not UNSET:
        return writes[i].old
    return writes[i - 1].new if i else UNSET


def _growth(amplitudes: Sequence[float]) -> float:
    n = len(amplitudes)
    if n == 1:
        return 1.0
    earlier = amplitudes[-3] if n >= 3 else amplitudes[-2]
    ratio = amplitudes[-1] / earlier if earlier > 0 else 1.0
    return ratio if n >= 3 else ratio * ratio


def _returns(writes: Sequence[Action]) -> Zigzag:
    recent: list[object] = [] if writes[0].old is UNSET else [category(writes[0].old)]
    reversals: list[Reversal] = []
    previous: Action | None = None
    for write in writes:
        value = category(write.new)
        if recent and recent[-1] == value:
            continue  # idempotent
        if value in recent and previous is not None:
            exact = previous.agent != write.agent and same(write.new, _before(writes, writes.index(previous)))
            reversals.append(Reversal(write, previous, 1.0, 1.0, 1.0, exact))
        if value in recent:
            recent.remove(value)
        recent = [*recent, value][-RECENT_VALUES:]
        previous = write
    hostile = sum(r.event.agent != r.undone.agent for r in reversals)
    return Zigzag(tuple(reversals), hostile / len(reversals) if reversals else 0.0, False)
