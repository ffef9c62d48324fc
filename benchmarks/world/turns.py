"""Reversals of one knob: what labels, baselines and the table of writes count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from benchmarks.world.draw import Knob
from benchmarks.world.plant import Setting
from benchmarks.world.replay import Record, Write

BAND, RECENT = 0.1, 8
APART = 2400.0  # s


def reversals(start: Setting, values: Sequence[Setting], band: float = BAND) -> list[int]:
    """Indices into `values` at which the knob turns."""
    if isinstance(start, float):
        return _turns([math.log(start), *(math.log(float(value)) for value in values)], band)  # type: ignore[arg-type]
    found: list[int] = []
    recent: list[Setting] = [start]
    for i, value in enumerate(values):
        if value == recent[-1]:
            continue
        if value in recent:
            found.append(i)
            recent.remove(value)
        recent = [*recent, value][-RECENT:]
    return found


def _turns(points: Sequence[float], band: float) -> list[int]:
    found: list[int] = []
    direction, extreme = 0.0, points[0]
    for i, point in enumerate(points[1:]):
        step = point - extreme
        if direction == 0.0:
            if abs(step) >= band:
                direction, extreme = math.copysign(1.0, step), point
        elif direction * step >= 0:
            extreme = point
        elif -direction * step >= band:
            direction, extreme = -direction, point
            found.append(i)
    return found


def turning(writes: Sequence[Write]) -> list[Write]:
    """The writes of one knob at which it turns."""
    return [writes[i] for i in reversals(writes[0].before, [write.new for write in writes])] if writes else []


def stretches(turned: Sequence[Write]) -> list[list[Write]]:
    """Split where nothing turned for longer than `APART`."""
    found: list[list[Write]] = []
    for write in turned:
        if found and write.t - found[-1][-1].t <= APART:
            found[-1].append(write)
        else:
            found.append([write])
    return found


def usual_swing(writes: Sequence[Write], turned: Sequence[Write]) -> float:
    """The median of |ln| between the extremes of a number; 0 with fewer than two."""
    before = {write.name: last.new for last, write in pairwise(writes)}
    extremes = [math.log(float(before.get(write.name, write.before))) for write in turned]  # type: ignore[arg-type]
    swings = sorted(abs(b - a) for a, b in pairwise(extremes))
    return swings[len(swings) // 2] if swings else 0.0


def of_knob(record: Record, knob: Knob) -> list[Write]:
    """Its writes, in order."""
    return [write for write in record.writes if write.knob == knob]


def away(a: Setting, b: Setting) -> bool:
    """Further apart than the band."""
    if isinstance(a, float) and isinstance(b, float):
        return abs(math.log(a / b)) >= BAND
    return a != b
