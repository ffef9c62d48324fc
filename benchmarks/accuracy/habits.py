"""How old must an observation be to be unusual for its agent? Rules of `stale_overwrite`, on delays drawn at random (simulated).

    python -m benchmarks.accuracy.habits

A history is n known delays of one law. False alarms: one more delay of that law is called unusual. Caught: ten times the median is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from statistics import median

from models.detectors.conflict.stale import UNUSUAL, USUAL
from models.observers import NEWEST

LAWS: dict[str, Callable[[random.Random], float]] = {
    "regular, +-10 %": lambda rng: rng.uniform(0.9, 1.1),
    "uniform (a poll)": lambda rng: rng.uniform(0, 1),
    "exponential": lambda rng: rng.expovariate(1),
    "lognormal, sigma 1": lambda rng: rng.lognormvariate(0, 1),
    "Pareto, alpha 2": lambda rng: rng.paretovariate(2),
}
HISTORIES = 20_000


def p99(delays: Sequence[float]) -> float:
    """The 99th percentile, interpolated."""
    ordered, place = sorted(delays), 0.99 * (len(delays) - 1)
    low = ordered[int(place)]
    return low + (place - int(place)) * (ordered[min(int(place) + 1, len(ordered) - 1)] - low)


RULES: dict[str, Callable[[Sequence[float]], float]] = {
    "p99": p99,
    "longest": max,
    f"{UNUSUAL:g} p99": lambda delays: UNUSUAL * p99(delays),
    f"{UNUSUAL:g} longest": lambda delays: UNUSUAL * max(delays),
}


def row(law: str, known: int) -> list[str]:
    """One cell for each rule: false alarms in 1,000, and caught in 100."""
    rng, draw = random.Random(f"{law} {known}"), LAWS[law]
    false, caught = dict.fromkeys(RULES, 0), dict.fromkeys(RULES, 0)
    for _ in range(HISTORIES):
        delays = [draw(rng) for _ in range(known)]
        fresh, old = draw(rng), 10 * median(delays)
        for name, bound in RULES.items():
            limit = bound(delays)
            false[name] += fresh > limit
            caught[name] += old > limit
    return [f"{1000 * false[name] / HISTORIES:.1f} / {100 * caught[name] / HISTORIES:.0f}" for name in RULES]


def main() -> None:
    """Prints the table of docs/accuracy.md."""
    print("| delays | known | " + " | ".join(RULES) + " |")
    print("|---|---|" + "---|" * len(RULES))
    for law in LAWS:
        for known in (USUAL, NEWEST):
            print(f"| {law} | {known} | " + " | ".join(row(law, known)) + " |")


if __name__ == "__main__":
    main()
