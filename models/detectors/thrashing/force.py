"""How hard something thrashes: the pressure of its reversals over several half-lives, its scale, its growth, its score.

Shared by all kinds, so that a score of 0.5 means the same for a replica count, a member of a set and a pod that never lives long.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec
from msgspec import UNSET

from models.configuration import Thrashing
from models.events import ref
from models.findings import CausalEdge, Severity
from models.values import same
from models.zigzag import Reversal

EXACT_LAST = 3  # reversals that must put back the other's value for the lower threshold
UNMOVED = 0.25  # share that demand justifies, below which it is known not to be the reason
SMOOTHING = 0.3  # weight of the newest ratio in the mean growth
REGULAR = 0.2  # deviation of half-cycles, over their mean, up to which they are regular
NEWEST = 8  # turns that are looked at for it
UNLINKED = 0.7  # confidence that one write answers another where nothing says so
LAST = 4
FIGHTER = 4  # who turned so many times less often than the busiest is no fighter: a person who stopped it, say
HOSTILE = 0.8  # fight index, or share of the reversals that turned back somebody else's write, from which agents fight
LEAST = math.log(1e-9)  # no ratio counts for less
RUN_MOST = 1024  # half-lives for which a pressure is computed; beyond, a reversal weighs nothing


class Force(msgspec.Struct, frozen=True):
    """How hard a knob thrashes at one write: mean ln growth, the half-life (ns) and the pressure there, and when it is over (ns)."""

    growth: float
    half_life: int
    pressure: float
    suffices: bool
    ends: int


def force(reversals: Sequence[Reversal], now: int, settings: Thrashing, driven: bool = False) -> Force:
    """The shortest half-life at which the pressure suffices, else the longest, and the pressure there. `driven`: demand is known."""
    last = reversals[-EXACT_LAST:]
    exact = all(reversal.exact for reversal in last) or (driven and all(reversal.justified < UNMOVED for reversal in last))
    threshold = settings.open_exact if exact else settings.open_plain
    scales = sorted(settings.half_lives)
    if not driven and all(reversal.event.agent == reversal.undone.agent for reversal in last) and not _regular(reversals):
        scales = [scale for scale in scales if scale <= settings.lone_half_life] or scales[:1]
        threshold = settings.open_lone
    half_life, pressure = 1, 0.0
    for half_life in scales:
        pressure = sum([r.weight * 2.0 ** max((r.event.time - now) / half_life, -RUN_MOST) for r in reversals])
        if pressure >= threshold:
            break
    left = math.log2(pressure / settings.close) if pressure > settings.close else 0.0
    return Force(growth(reversals), half_life, pressure, pressure >= threshold, now + int(half_life * left))


def _regular(reversals: Sequence[Reversal]) -> bool:
    """A lone agent's swings come like a clock's: then it is the loop that swings, and not somebody's demand that nobody sends."""
    events = [reversal.event.time for reversal in reversals][-NEWEST:]
    begun = [reversals[0].undone.time, *events][-NEWEST:]  # where a swing is one write, the first of them began there
    return _alike(begun) or _alike(events)


def _alike(times: list[int]) -> bool:
    halves = [later - earlier for earlier, later in pairwise(times)]
    if len(halves) < LAST:
        return False
    mean = sum(halves) / len(halves)
    return math.sqrt(sum((half - mean) ** 2 for half in halves) / len(halves)) <= REGULAR * mean


def growth(reversals: Sequence[Reversal], *ahead: float) -> float:
    """Exponentially weighted mean of ln R over the full cycles, and over `ahead`, further ratios; 0 where there is none."""
    ratios = [math.log(ratio) if ratio > 1e-9 else LEAST for ratio in (*[reversal.growth for reversal in reversals[2:]], *ahead)]
    mean = ratios[0] if ratios else 0.0
    for ratio in ratios[1:]:
        mean += SMOOTHING * (ratio - mean)
    return mean


def period(reversals: Sequence[Reversal]) -> float:
    """The median full swing, in seconds: from a turn to the next but one, since the way back may be far quicker than the way there."""
    times = [reversal.event.time for reversal in reversals]
    if len(times) == 2:
        return 2.0 * (times[1] - times[0]) / 1e9
    swings = sorted(later - earlier for earlier, later in zip(times, times[2:], strict=False))
    return swings[len(swings) // 2] / 1e9 if swings else 0.0


def fighters(reversals: Sequence[Reversal]) -> tuple[str, ...]:
    """The agents behind the turning writes, without one who came by once: whoever stops a fight is not part of it, nor who only made
    what two others then fight over."""
    turned = {r.event.agent for r in reversals}
    turns: dict[str, int] = {}
    for event in {id(write): write for r in reversals for write in (r.event, r.undone)}.values():
        turns[event.agent] = turns.get(event.agent, 0) + 1
    busiest = max(turns.values(), default=0)
    fought = turned if len(turned) > 1 else turns.keys()
    return tuple(sorted(agent for agent, count in turns.items() if count * FIGHTER > busiest and agent in fought))


def answered(reversal: Reversal) -> float:
    """Probability that the reversal answers the write it turned back: it names it, cites it, or found its value."""
    event, undone = reversal.event, reversal.undone
    if undone.id in event.causes or ref(undone) in event.causes:
        return 0.98
    for read in event.reads:
        if read.resource == undone.resource and read.metric == undone.parameter and same(read.value, undone.new):
            return 0.95
    if event.old is not UNSET and same(event.old, undone.new):
        return 0.95
    return UNLINKED


def edge(reversal: Reversal, probability: float) -> CausalEdge:
    """The undone write led to the one that turned it back."""
    lag = round((reversal.event.time - reversal.undone.time) / 1e9, 3)
    return CausalEdge(ref(reversal.undone), ref(reversal.event), "overwrites", probability, lag)


def score(pressure: float, amplitude: float, growing: bool, hostile: float) -> float:
    """(1 - e^(-P/4)) * min(1, A / ln 2) * (1/2 + 1/2 impact); impact is 0 until the topology is known. `hostile`: 0 to 1."""
    plain = (1.0 - math.exp(-pressure / 4.0)) * min(1.0, amplitude / math.log(2.0)) * 0.5
    return min(1.0, plain * (1.25 if growing else 1.0) * (1.25 if hostile >= HOSTILE else 1.0))


def severity(points: float) -> Severity:
    """What a score is called."""
    if points >= 0.6:
        return "critical"
    if points >= 0.4:
        return "error"
    return "warning" if points >= 0.12 else "info"


def hostility(reversals: Sequence[Reversal]) -> float:
    """The share of reversals that turned back somebody else's write: the fight index where there are no amplitudes. Three agents that
    take turns have a fight index of 0, since each pushes both ways in the end, and still fight."""
    return sum(r.event.agent != r.undone.agent for r in reversals) / len(reversals) if reversals else 0.0
