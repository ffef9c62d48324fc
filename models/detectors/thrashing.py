"""Thrashing: one knob goes back and forth, undamped.

        16   ┌──┐  ┌──┐        pressure P(t) = sum of w_i * 2^-(t - t_i)/H over the reversals i since the last episode
         8 ──┘  └──┘  └──      opens at P >= 2 (every reversal puts back the other's value) or 3, ends at P < 0.75
            a  b  a  b

Several half-lives H run side by side, since one H sees swings up to H only; the shortest that suffices is the fight's own scale and decides
when it is over. Kinds: `growing` where the amplitude ratio of full cycles averages above 1.2, else `sustained`; a settling knob (below
0.5) is not reported. Two agents that fight and one that hunts alone are told apart by `metrics.fight_index`. The fingerprint is the knob.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise

import msgspec
from msgspec import UNSET

from models.configuration import Thrashing
from models.domain import Domain
from models.episodes import Piece, Sighting, Standing, subject_of
from models.events import Action, key, ref
from models.explain import change, list_names, told, turned_back
from models.findings import CausalEdge, Root, Severity
from models.graph import Node
from models.values import same
from models.zigzag import Reversal, Zigzag, zigzag

EXACT_LAST = 3  # reversals that must put back the other's value for the lower threshold
SMOOTHING = 0.3  # weight of the newest ratio in the mean growth
FEWEST = 2  # reversals before this one without which no threshold can be reached, since each weighs at most 1 and fades
UNLINKED = 0.7  # confidence that one write answers another where nothing says so
LAST = 4
WIDEST = 700.0  # ln units; e to more than that is no float


class Force(msgspec.Struct, frozen=True):
    """How hard a knob thrashes at one write: mean ln growth, the half-life (ns) and the pressure there, and when it is over (ns)."""

    growth: float
    half_life: int
    pressure: float
    suffices: bool
    ends: int


class Thrash(msgspec.Struct, frozen=True):
    """Reversals of one knob, judged at each write."""

    settings: Thrashing

    def judge(self, node: Node, domain: Domain, standing: Callable[[str, str], Standing]) -> Iterable[Sighting]:
        """A sighting where this write is a reversal and the knob thrashes, or its episode is open."""
        event = node.event
        if not isinstance(event, Action) or event.outcome != "applied" or event.new is UNSET:
            return ()
        name = (event.resource, event.parameter)
        subject = subject_of(event.resource, event.parameter)
        stands = standing("thrashing", subject)
        if not domain.variables.may_reverse(event, self.settings.deadband, 0 if stands.open else FEWEST - 1):
            return ()  # the usual case, in O(1): a knob that keeps its direction
        writes = domain.variables.actions(name)
        if not writes or same(writes[-1].new, event.new):
            return ()
        ring = domain.settings.limits.writes_per_knob
        after = [write for write in (*writes, event) if key(write) > stands.since][-ring:]
        swings = zigzag(after, self.settings.deadband)
        if not swings.reversals or swings.reversals[-1].event is not event:
            return ()
        return self._seen(event, subject, swings, after, stands)

    def _seen(self, event: Action, subject: str, swings: Zigzag, writes: list[Action], stands: Standing) -> Iterable[Sighting]:
        force = self._force(swings.reversals, event.time)
        if force.growth < math.log(self.settings.damped_ratio):
            return
        if not (force.suffices or stands.open) or force.ends <= event.time:
            return
        yield self._sighting(subject, swings, writes[0], stands, force)

    def _force(self, reversals: tuple[Reversal, ...], now: int) -> Force:
        """The shortest half-life at which the pressure suffices, else the longest, and the pressure there."""
        exact = all(reversal.exact for reversal in reversals[-EXACT_LAST:])
        threshold = self.settings.open_exact if exact else self.settings.open_plain
        half_life, pressure = 1, 0.0
        for half_life in sorted(self.settings.half_lives):
            pressure = sum(r.weight * 2.0 ** ((r.event.time - now) / half_life) for r in reversals)
            if pressure >= threshold:
                break
        left = math.log2(pressure / self.settings.close) if pressure > self.settings.close else 0.0
        return Force(_growth(reversals), half_life, pressure, pressure >= threshold, now + int(half_life * left))

    def _sighting(self, subject: str, swings: Zigzag, first: Action, stands: Standing, force: Force) -> Sighting:
        reversals, event = swings.reversals, swings.reversals[-1].event
        agents = tuple(sorted({write.agent for r in reversals for write in (r.event, r.undone)}))
        last = reversals[-LAST:]
        links = [_answered(reversal) for reversal in last]
        closure = sum(links) / len(links)
        growing = force.growth > math.log(self.settings.growing_ratio)
        swing = sum(r.amplitude for r in last) / len(last) if swings.numeric else math.log(2.0)
        score = _score(force.pressure, swing, growing, swings.fight_index)
        began = () if stands.open else (Piece(first, "trigger", change(first), told(first)),)
        fresh = reversals[-1:] if stands.open else reversals
        root = reversals[0].event
        return Sighting(
            pattern="thrashing",
            kind="growing" if growing else "sustained",
            subject=subject,
            pieces=(*began, *(_piece(reversal) for reversal in fresh)),
            counts="reversals",
            counted=("reversal",),
            title=f"{list_names(agents)} {'fight over' if len(agents) > 1 else 'hunts on'} {event.resource} {event.parameter}",
            agents=agents,
            resources=(event.resource,),
            parameters=(event.parameter,),
            roots=(Root(ref(root), root.resource, root.agent, round(closure, 6)),),
            edges=tuple(_edge(reversal) for reversal in fresh),
            severity=_severity(score),
            score=score,
            confidence=closure * (1.0 - 2.0**-force.pressure),
            basis="cited" if min(links) > UNLINKED else "inferred",
            metrics={
                "pressure": force.pressure,
                "half_life_s": force.half_life / 1e9,
                "period_s": _period(reversals),
                "amplitude": math.expm1(min(swing, WIDEST)),
                "growth": math.exp(force.growth),
                "fight_index": swings.fight_index,
            },
            ends=force.ends,
        )


def _piece(reversal: Reversal) -> Piece:
    return Piece(reversal.event, "reversal", change(reversal.event), turned_back(reversal.event, reversal.undone, reversal.exact))


def _edge(reversal: Reversal) -> CausalEdge:
    lag = round((reversal.event.time - reversal.undone.time) / 1e9, 3)
    return CausalEdge(ref(reversal.undone), ref(reversal.event), "overwrites", _answered(reversal), lag)


def _period(reversals: tuple[Reversal, ...]) -> float:
    """Twice the median half-cycle, in seconds."""
    halves = sorted(later.event.time - earlier.event.time for earlier, later in pairwise(reversals))
    return 2.0 * halves[len(halves) // 2] / 1e9 if halves else 0.0


def _growth(reversals: tuple[Reversal, ...]) -> float:
    """Exponentially weighted mean of ln R over the full cycles."""
    mean = 0.0
    for i, reversal in enumerate(reversals[2:]):
        ratio = math.log(max(reversal.growth, 1e-9))
        mean = ratio if i == 0 else mean + SMOOTHING * (ratio - mean)
    return mean


def _answered(reversal: Reversal) -> float:
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


def _score(pressure: float, amplitude: float, growing: bool, fight_index: float) -> float:
    """(1 - e^(-P/4)) * min(1, A / ln 2) * (1/2 + 1/2 impact); impact is 0 until the topology is known."""
    score = (1.0 - math.exp(-pressure / 4.0)) * min(1.0, amplitude / math.log(2.0)) * 0.5
    return min(1.0, score * (1.25 if growing else 1.0) * (1.25 if fight_index >= 0.8 else 1.0))


def _severity(score: float) -> Severity:
    if score >= 0.6:
        return "critical"
    if score >= 0.4:
        return "error"
    return "warning" if score >= 0.12 else "info"
