"""One knob goes back and forth, undamped: kinds `sustained` and `growing`, `noise_chasing` where it only follows the noise of its demand.

        16   ┌──┐  ┌──┐        pressure P(t) = sum of w_i * 2^-(t - t_i)/H over the reversals i since the last episode
         8 ──┘  └──┘  └──      opens at P >= 2 (each puts back the other's value, or demand is known) or 3, ends at P < 0.75
            a  b  a  b

Several half-lives H run side by side, since one H sees swings up to H only; the shortest that suffices is the fight's own scale and decides
when it is over. `growing`: the amplitude ratio of full cycles averages above 1.2; a settling knob (below 0.5) is not reported. What demand
justifies, and what an agent has declared as its experiment, weighs nothing. Two agents that fight and one that hunts alone are told apart
by `metrics.fight_index`. The fingerprint is the knob.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from models.configuration import Thrashing
from models.demand import Drivers
from models.detectors.thrashing.force import (
    HOSTILE,
    LAST,
    UNLINKED,
    Force,
    answered,
    edge,
    fighters,
    force,
    growth,
    hostility,
    period,
    score,
    severity,
)
from models.detectors.thrashing.states import States
from models.domain import Domain
from models.episodes import BEGINNING, Piece, Sighting, Standing
from models.events import Action, key, ref
from models.explain import change, list_names, told, turned_back
from models.findings import Root, worse
from models.values import same
from models.zigzag import Excuse, Reversal, Zigzag, zigzag

ROUNDING = 2.0  # dead bands that one agent alone must swing by: less is its own tolerance and rounding
GROWTH_FROM = 4  # reversals, two full cycles among them, before which nothing is said to grow
NOISE = 0.5  # mean share that demand justifies, from which on a knob chases noise
UNKNOWN_DEMAND = "Nothing is known of its demand: samples of role `demand` would tell whether it follows them."
WIDEST = 700.0  # ln units; e to more than that is no float


class Swings(msgspec.Struct, frozen=True):
    """Of one knob after one write: all reversals, the first write looked at, how hard it thrashes, and whether its demand is known."""

    zigzag: Zigzag
    first: Action
    force: Force
    driven: bool


def swings(event: Action, domain: Domain, stands: Standing, settings: Thrashing) -> Swings | None:
    """What the knob has done since its last episode, where this write, not installed yet, is a reversal; None where it is none."""
    writes = domain.variables.actions((event.resource, event.parameter))
    if not writes or same(writes[-1].new, event.new):
        return None
    writes.append(event)
    after = writes if stands.since is BEGINNING else [write for write in writes if key(write) > stands.since]
    after = after[-domain.settings.limits.writes_per_knob :]
    drivers = domain.demand.drivers(after, event.time - domain.settings.memory)
    found = zigzag(after, settings.deadband, excuse(domain, drivers, settings.deadband), settings.damped_ratio)
    if not found.reversals or found.reversals[-1].event is not event:
        return None
    return Swings(found, after[0], force(found.reversals, event.time, settings, bool(drivers)), bool(drivers))


def excuse(domain: Domain, drivers: Drivers, deadband: float = 0.0) -> Excuse:
    """How much of a reversal is justified: all by an experiment, a rollout or a word between the two, or where one agent turns on itself
    by hardly more than the dead band, which is its tolerance and rounding; all where it has no size and follows a state that changed by
    itself; in part by demand that moved. Two agents that follow the same
    demand go the same way: where one turns another back, demand must have asked for the swing and not only for its first step, and for more
    than the dead band."""

    states = States(domain)

    def justified(event: Action, undone: Action, since: int, step: float, swing: float) -> float:
        if event.acknowledges and (ref(undone) in event.acknowledges or undone.id in event.acknowledges):
            return 1.0
        if domain.intents.experiment(event, undone):
            return 1.0
        if step and event.agent == undone.agent and max(abs(step), swing) < ROUNDING * deadband:
            return 1.0
        if not step:
            return 1.0 if states.followed(event, undone) else 0.0
        if not drivers:
            return 0.0
        asked = 2.0 * drivers.move(since, event.time, step > 0)
        if event.agent == undone.agent:  # whose rounding may make one whole step of little
            return min(1.0, asked / abs(step))
        return min(1.0, asked / max(abs(step), swing)) if asked >= deadband else 0.0

    return justified


def seen(found: Swings, subject: str, stands: Standing, settings: Thrashing) -> Iterable[Sighting]:
    """A sighting where the knob thrashes, or its episode is open and goes on."""
    strength, event = found.force, found.zigzag.reversals[-1].event
    if _settles(found, settings):
        return
    if (strength.suffices or stands.open) and strength.ends > event.time:
        yield _sighting(found, subject, stands, settings)
    elif _noise(found, event.time, settings):
        yield _noise_sighting(found, subject, stands, settings)


def _settles(found: Swings, settings: Thrashing) -> bool:
    """Each swing is smaller than the one before: also by the one that this write begins, whose size so far is known."""
    damped = math.log(settings.damped_ratio)
    return found.force.growth < damped and growth(found.zigzag.reversals, found.zigzag.ahead) < damped


def _noise(found: Swings, now: int, settings: Thrashing) -> bool:
    recent = [
        r
        for r in found.zigzag.reversals
        if r.event.time > now - settings.noise_window and r.amplitude >= ROUNDING * settings.deadband
    ]
    if not found.driven or len(recent) < settings.noise_reversals or len({r.event.agent for r in recent}) > 1:
        return False
    return sum(r.justified for r in recent) / len(recent) >= NOISE


def _sighting(found: Swings, subject: str, stands: Standing, settings: Thrashing) -> Sighting:
    reversals, strength = found.zigzag.reversals, found.force
    agents, event = fighters(reversals), reversals[-1].event
    last = reversals[-LAST:]
    links = [answered(reversal) for reversal in last]
    closure = sum(links) / len(links)
    growing = len(reversals) >= GROWTH_FROM and strength.growth > math.log(settings.growing_ratio)
    swing = sum(r.amplitude for r in last) / len(last) if found.zigzag.numeric else math.log(2.0)
    hostile = max(found.zigzag.fight_index, hostility(reversals))
    points = score(strength.pressure, swing, growing, hostile)
    return Sighting(
        pattern="thrashing",
        kind="growing" if growing else "sustained",
        subject=subject,
        pieces=pieces(found.first, reversals, stands),
        counts="reversals",
        counted=("reversal",),
        title=f"{list_names(agents)} {'fight over' if len(agents) > 1 else 'hunts on'} {event.resource} {event.parameter}",
        agents=agents,
        resources=(event.resource,),
        parameters=(event.parameter,),
        roots=(root(reversals[0], closure),),
        edges=tuple(edge(reversal, answered(reversal)) for reversal in (last[-1:] if stands.open else reversals)),
        severity=worse(severity(points), "warning" if hostile >= HOSTILE else "info"),
        score=points,
        confidence=closure * (1.0 - 2.0**-strength.pressure),
        basis="cited" if min(links) > UNLINKED else "inferred",
        metrics=_metrics(found, swing),
        ends=strength.ends,
        missing=missing(min(links), alone=len(agents) == 1 and found.zigzag.numeric and not found.driven),
    )


def doubted(sighting: Sighting, found: Swings) -> Sighting:
    """One agent alone may be following a demand that nobody sends. That is no reason to wake anybody, unless its swings grow."""
    if found.driven or not found.zigzag.numeric or len(sighting.agents) > 1:
        return sighting
    grave = sighting.severity in ("error", "critical") and sighting.kind != "growing"
    certain = 1.0 - 2.0 ** -sighting.metrics["pressure"]
    return msgspec.structs.replace(
        sighting,
        severity="warning" if grave else sighting.severity,
        confidence=min(sighting.confidence, UNLINKED * certain),
    )


def missing(link: float, alone: bool) -> str:
    """What the writes do not say, and which field would."""
    if alone:
        return UNKNOWN_DEMAND
    if link <= UNLINKED:
        return "Some of the writes do not say what they answer: `old` or `reads` would."
    return ""


def _noise_sighting(found: Swings, subject: str, stands: Standing, settings: Thrashing) -> Sighting:
    reversals = found.zigzag.reversals
    event = reversals[-1].event
    swing = sum(r.amplitude for r in reversals[-LAST:]) / len(reversals[-LAST:])
    return Sighting(
        pattern="thrashing",
        kind="noise_chasing",
        subject=subject,
        pieces=pieces(found.first, reversals, stands),
        counts="reversals",
        counted=("reversal",),
        title=f"{event.agent} chases noise with {event.resource} {event.parameter} (a stabilization window would calm it)",
        agents=(event.agent,),
        resources=(event.resource,),
        parameters=(event.parameter,),
        roots=(root(reversals[0], 1.0),),
        severity="info",
        score=0.1,
        confidence=sum(r.justified for r in reversals) / len(reversals),
        basis="statistical",
        metrics={**_metrics(found, swing), "justified": sum(r.justified for r in reversals) / len(reversals)},
        ends=event.time + 2 * settings.noise_window // settings.noise_reversals,
    )


def pieces(first: Action, reversals: tuple[Reversal, ...], stands: Standing) -> tuple[Piece, ...]:
    """The evidence: everything so far where an episode opens, the newest reversal where it goes on."""
    began = () if stands.open else (Piece(first, "trigger", change(first), told(first)),)
    return (*began, *(_piece(reversal) for reversal in (reversals[-1:] if stands.open else reversals)))


def _piece(reversal: Reversal) -> Piece:
    return Piece(reversal.event, "reversal", change(reversal.event), turned_back(reversal.event, reversal.undone, reversal.exact))


def root(reversal: Reversal, probability: float) -> Root:
    """The first reversal: with it the back and forth began."""
    event = reversal.event
    return Root(ref(event), event.resource, event.agent, round(probability, 6))


def _metrics(found: Swings, swing: float) -> dict[str, float]:
    return {
        "pressure": found.force.pressure,
        "half_life_s": found.force.half_life / 1e9,
        "period_s": period(found.zigzag.reversals),
        "amplitude": math.expm1(min(swing, WIDEST)),
        "growth": math.exp(found.force.growth),
        "fight_index": found.zigzag.fight_index,
    }
