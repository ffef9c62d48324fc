"""Every time constant and threshold of the analysis, as frozen structs. Durations are ns.

Findings are a function of the events, of these values and of the code version; `fingerprint` names the values, and travels with the
progress record so that a changed configuration is noticed at recovery.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from models.instants import HOUR, MINUTE, SECOND


class StreamTime(msgspec.Struct, frozen=True, kw_only=True):
    """How far disorder is tolerated and when a silent partition is left out (see `stream_time`)."""

    lateness: int = 10 * SECOND  # tolerated disorder within one source partition
    idle_timeout: int = 60 * SECOND
    ahead_limit: int = 5 * MINUTE  # an event time further ahead of its append time is a dead letter
    series_limit: int = 10_000  # demand and capacity series kept per source partition
    series_length: int = 256  # newest samples kept of each


class Thrashing(msgspec.Struct, frozen=True, kw_only=True):
    """Zigzag reversals of one knob. Source of the defaults: sweep over 12 scenario families x 60 seeds (docs/patterns.md)."""

    deadband: float = 0.1  # smallest swing that counts: ln units for positive numbers, share of the range otherwise
    half_lives: tuple[int, ...] = (2 * MINUTE, 15 * MINUTE, 60 * MINUTE)
    lone_half_life: int = 15 * MINUTE  # longest for one agent whose demand nobody sends, unless it swings like a clock
    open_lone: float = 6.0  # the same agent's threshold: bursts of demand that is not sent look like this
    open_exact: float = 2.0  # where each reversal puts back the other agent's old value exactly
    open_plain: float = 3.0
    close: float = 0.75
    growing_ratio: float = 1.2  # mean amplitude ratio of successive half-cycles above which a fight is growing
    damped_ratio: float = 0.5  # below which it is settling, hence not reported
    hold: int = 10 * MINUTE  # a ratchet is over when nothing more has happened for so long
    ratchet_move: float = 1.41  # ratio of three rounds above which two agents drive each other on
    noise_window: int = HOUR
    noise_reversals: int = 12  # of one agent within `noise_window`, mostly justified by demand: it chases noise


class Invariant(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold over several knobs at once: `function` of their values `op` `bound`, such as sum >= 2. True counts 1, false 0."""

    name: str
    knobs: tuple[tuple[str, str], ...]  # (resource, parameter) each
    function: Literal["sum", "min", "max"] = "sum"
    op: Literal[">", ">=", "<", "<="] = ">="
    bound: float
    margin: float = 0.0  # in the unit of the bound: two writers that together bring it nearer than this are told as a warning


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Intent conflicts on one knob, and the few that span several."""

    hold: int = 10 * MINUTE  # an episode resolves when nothing more has happened for so long
    intent_window: int = 10 * MINUTE  # how long the intent of an action holds that names no end
    quick: int = 10 * MINUTE  # a write undone within so long was answered; one that had stood for longer was overtaken
    opposing: float = 3.0  # summed evidence of quick undos at which two agents have opposing objectives
    skew_limit: int = 5 * SECOND  # a source whose clock is off by more makes a self-reported `old` weaker
    overruling: tuple[str, ...] = ("incident", "rollback")  # reasons that go knowingly against what stands
    slo_guards: tuple[str, ...] = ()  # agents or mandates (globs) that may undo an intent to answer a service level that broke
    opposition: float = 0.6  # index of opposing moves on one metric above which two agents work against each other
    alternations: int = 4  # of their moves, at least
    invariant: tuple[Invariant, ...] = ()


class Cascade(msgspec.Struct, frozen=True, kw_only=True):
    """Chains of reactions rooted at an action."""

    edges: int = 3
    agents: int = 2  # distinct agents reacting after the root
    resources: int = 2
    path_probability: float = 0.5
    size: float = 5.0  # expected number of events that descend from the root
    hold: int = 5 * MINUTE


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What bounds memory, per domain. Reaching one is counted and shows as `quality.degraded`."""

    graph_events: int = 1_000_000
    writes_per_knob: int = 64
    facts: int = 200_000
    parents: int = 8
    episodes: int = 10_000  # open at once; one that would be more is not opened
    evidence: int = 32  # first and newest events that a finding names


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """The analyzer's whole configuration."""

    window: int = 30 * MINUTE  # the causal graph's sliding window
    memory: int = 2 * HOUR  # the knobs' memory
    coalesce: int = 5 * SECOND  # at most one update of a finding per so much event time
    facts_age: int = 30 * 24 * HOUR  # a fact older than this is forgotten
    tombstone: int = 6 * HOUR  # a finding resolved for so long leaves the findings topic
    time: StreamTime = StreamTime()
    thrashing: Thrashing = Thrashing()
    conflict: Conflict = Conflict()
    cascade: Cascade = Cascade()
    limits: Limits = Limits()


def fingerprint(analysis: Analysis) -> str:
    """Twelve hex digits that name a configuration."""
    return hashlib.sha256(msgspec.json.encode(analysis, order="deterministic")).hexdigest()[:12]
