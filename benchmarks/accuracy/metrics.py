"""Scores of a ranking. Equal scores share one threshold, so that no order among them can help."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
FALSE_ALLOWED = 10


def thresholds(scores: Mapping[K, float], positives: Collection[K]) -> Iterator[tuple[int, int]]:
    """(true, false) among all that score at least as much, threshold by threshold, from the highest."""
    true = false = 0
    for _, group in groupby(sorted(scores, key=lambda k: -scores[k]), key=lambda k: scores[k]):
        members = list(group)
        hits = sum(member in positives for member in members)
        true, false = true + hits, false + len(members) - hits
        yield true, false


def average_precision(scores: Mapping[K, float], positives: Collection[K]) -> float:
    """Sum over the thresholds of (gain in recall) * precision there. 0 without positives."""
    total, before = 0.0, 0
    for true, false in thresholds(scores, positives):
        total += (true - before) * true / (true + false)
        before = true
    return total / len(positives) if positives else 0.0


def found_within(scores: Mapping[K, float], positives: Collection[K], allowed: int = FALSE_ALLOWED) -> int:
    """Positives found at the lowest threshold that lets in at most `allowed` negatives."""
    return max((true for true, false in thresholds(scores, positives) if false <= allowed), default=0)


def middle(figures: Sequence[float]) -> float | None:
    """The lower median; None of nothing."""
    return sorted(figures)[(len(figures) - 1) // 2] if figures else None
