"""One knob at a time, as other people's flap detectors see it: the first alarm of each, and of ours by the same rule."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.accuracy.baselines import BASELINES
from benchmarks.world.draw import Knob
from benchmarks.world.emit import seconds, stamp
from benchmarks.world.replay import Record, Write
from benchmarks.world.turns import reversals
from models.findings import Finding
from models.instants import parse_time

OURS = "interplay, default configuration"
NAIVE = "4 reversals beyond the dead band in 30 min"
TURNS, WITHIN_S = 4, 1800.0


def naive(writes: Sequence[Write]) -> int | None:
    """The index of the write that is the fourth reversal within half an hour."""
    turned = reversals(writes[0].before, [write.new for write in writes]) if writes else []
    for first, last in zip(turned, turned[TURNS - 1 :], strict=False):
        if writes[last].t - writes[first].t <= WITHIN_S:
            return last
    return None


def numbers(writes: Sequence[Write]) -> tuple[list[int], list[float], float]:
    """Times, values and the value before, with numbers for names."""
    names: dict[object, float] = {}

    def value(setting: object) -> float:
        return setting if isinstance(setting, float) else names.setdefault(setting, float(len(names)))

    before = value(writes[0].before)
    return [stamp(write.t) for write in writes], [value(write.new) for write in writes], before


def alarms(record: Record, knobs: tuple[Knob, ...], found: Sequence[Finding]) -> dict[str, float | None]:
    """When each first fires on a knob (or either of two), in s; None where it does not."""
    writes = [write for write in record.writes if write.knob == knobs[0]]
    resources = {knob[0] for knob in knobs}
    ours = [finding for finding in found if finding.pattern == "thrashing" and resources & set(finding.resources)]
    first: dict[str, float | None] = {OURS: min((seconds(parse_time(f.detected_at)) for f in ours), default=None)}
    at = naive(writes)
    first[NAIVE] = None if at is None else writes[at].t
    for name, baseline in BASELINES.items():
        at = baseline(*numbers(writes)) if writes else None
        first[name] = None if at is None else writes[at].t
    return first
