"""The analysis in compressed time: the demo's world runs faster than the wall clock, so every time constant shrinks by the same factor."""

from __future__ import annotations

from msgspec.structs import replace

from models.configuration import Analysis


def compress(analysis: Analysis, factor: float) -> Analysis:
    """`analysis` for events whose times lie `factor` times closer together than they happened. Thresholds and sizes stay."""

    def shorter(duration: int) -> int:
        return int(duration / factor)

    time, thrashing, conflict, cascade = analysis.time, analysis.thrashing, analysis.conflict, analysis.cascade
    return replace(
        analysis,
        window=shorter(analysis.window),
        memory=shorter(analysis.memory),
        coalesce=shorter(analysis.coalesce),
        facts_age=shorter(analysis.facts_age),
        tombstone=shorter(analysis.tombstone),
        time=replace(time, lateness=shorter(time.lateness), idle_timeout=shorter(time.idle_timeout)),
        thrashing=replace(thrashing, half_lives=tuple(shorter(half_life) for half_life in thrashing.half_lives)),
        conflict=replace(
            conflict,
            hold=shorter(conflict.hold),
            intent_window=shorter(conflict.intent_window),
            skew_limit=shorter(conflict.skew_limit),
        ),
        cascade=replace(cascade, hold=shorter(cascade.hold)),
    )
