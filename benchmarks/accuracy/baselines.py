"""Other people's flap detectors, as small pure functions of one knob's writes: what `families` compares the analyzer with.

Each takes the writes' times (ns, ascending) and values, the value before the first one, and answers the index of the write at which it
first fires, or None. They see neither agents nor reasons, as their originals.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from models.instants import MINUTE, SECOND

Flap = Callable[[Sequence[int], Sequence[float], float], int | None]

NAGIOS_STATES = 21
NAGIOS_EVERY = MINUTE
NAGIOS_HIGH = 30.0  # per cent of changed states at which it fires
NAGIOS_CURVE = (0.75, 1.25)  # weight of the oldest and of the newest change

RFD_PENALTY, RFD_SUPPRESS, RFD_HALF_LIFE = 1000.0, 2000.0, 15 * MINUTE

HEAT_LIMIT, HEAT_TIME = 5.0, MINUTE

REVERSALS, REVERSALS_WITHIN = 3, 30 * MINUTE


def percent_changed(states: Sequence[float]) -> float:
    """Nagios' weighted share of changes among 21 states, oldest first (base/flapping.c)."""
    low, high = NAGIOS_CURVE
    steps = len(states) - 1
    weights = [low + (high - low) * i / (steps - 1) for i in range(steps)]
    return 100.0 * sum(w for w, before, after in zip(weights, states, states[1:], strict=False) if before != after) / steps


def nagios(times: Sequence[int], values: Sequence[float], before: float) -> int | None:
    """21 states, sampled once a minute from the first write on; fires at 30 %. It is told at a sample, hence after the newest write."""
    states = [before] * NAGIOS_STATES
    at, i = times[0], 0
    while at <= times[-1] + NAGIOS_EVERY:
        while i < len(times) and times[i] <= at:
            i += 1
        states = [*states[1:], values[i - 1] if i else before]
        if percent_changed(states) >= NAGIOS_HIGH:
            return i - 1
        at += NAGIOS_EVERY
    return None


def damping(times: Sequence[int], values: Sequence[float], before: float) -> int | None:
    """BGP route flap damping (RFC 2439): every change adds 1000, half-life 15 min, suppressed at 2000."""
    penalty, last, value = 0.0, times[0], before
    for i, (time, new) in enumerate(zip(times, values, strict=True)):
        penalty *= 2.0 ** (-(time - last) / RFD_HALF_LIFE)
        penalty += RFD_PENALTY * (new != value)
        last, value = time, new
        if penalty >= RFD_SUPPRESS:
            return i
    return None


def heat(times: Sequence[int], values: Sequence[float], before: float) -> int | None:
    """Config Sync's resource fight (KNV2005): every change adds 1 to a heat that cools by e in a minute; fires at 5."""
    warmth, last, value = 0.0, times[0], before
    for i, (time, new) in enumerate(zip(times, values, strict=True)):
        warmth *= math.exp(-(time - last) / HEAT_TIME)
        warmth += new != value
        last, value = time, new
        if warmth >= HEAT_LIMIT:
            return i
    return None


def reversals(times: Sequence[int], values: Sequence[float], before: float) -> int | None:
    """Changes of direction, of whatever size: three within half an hour."""
    turned: list[int] = []
    direction, value = 0.0, before
    for i, (time, new) in enumerate(zip(times, values, strict=True)):
        if new == value:
            continue
        step = math.copysign(1.0, new - value)
        if direction and step != direction:
            turned = [t for t in turned if time - t <= REVERSALS_WITHIN] + [time]
        direction, value = step, new
        if len(turned) >= REVERSALS:
            return i
    return None


BASELINES: dict[str, Flap] = {
    "Nagios, 21 states a minute apart, 30 %": nagios,
    "BGP damping, RFC 2439 (1000, 15 min, 2000)": damping,
    "Config Sync heat, KNV2005 (5, 1 min)": heat,
    "3 reversals in 30 min": reversals,
}

SLOWEST_HEAT = -HEAT_TIME * math.log(1.0 - 1.0 / HEAT_LIMIT) / SECOND  # s between steady changes beyond which heat never fires
