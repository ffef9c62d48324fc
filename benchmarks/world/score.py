"""Findings against labels: who matches whom, one to one, and the counts that precision and recall are made of.

A finding matches a label if its pattern is the label's, their participants (agents and resources) have a Jaccard index of at least half,
and their intervals overlap. Of several matches the best index wins, then the earliest detection. A finding whose label is taken is a
repeat. One that overlaps an ambiguous label of its knob is left out. Any other is a false alarm.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benchmarks.world.draw import Knob
from benchmarks.world.emit import seconds
from benchmarks.world.labels import Labels
from benchmarks.world.replay import Record
from benchmarks.world.thrash import Thrash
from benchmarks.world.turns import away
from benchmarks.world.windows import Override
from models.findings import Finding
from models.instants import parse_time

JACCARD = 0.5
OVERRIDES = ("override", "intent_read_as_fault")
SAME_EPISODE_S = 600.0  # stale writes of one pair on one knob at most so far apart are one episode


class Truth(msgspec.Struct, frozen=True):
    """A positive label in the form that is matched. Times in s."""

    pattern: str
    kind: str
    agents: frozenset[str]
    resources: frozenset[str]
    first: float
    last: float


class Match(msgspec.Struct, frozen=True):
    """A label that was found. Delay in s from the label's first instant to the detection."""

    truth: Truth
    finding: Finding
    delay: float


class Score(msgspec.Struct, frozen=True):
    """One pattern of one scenario."""

    matches: tuple[Match, ...]
    missed: tuple[Truth, ...]
    false: tuple[Finding, ...]
    repeats: tuple[Finding, ...]
    left_out: tuple[Finding, ...]


def of_thrash(label: Thrash) -> Truth:
    """A thrash label to be matched."""
    return Truth("thrashing", label.kind, label.agents, frozenset(knob[0] for knob in label.knobs), label.first, label.last)


def of_override(label: Override) -> Truth:
    """An override label to be matched."""
    agents = frozenset((label.holder, label.agent))
    return Truth("intent_conflict", label.kind, agents, frozenset((label.knob[0],)), label.at, label.until)


def jaccard(truth: Truth, finding: Finding) -> float:
    """Of agents and resources."""
    mine, theirs = truth.agents | truth.resources, frozenset(finding.agents) | frozenset(finding.resources)
    return len(mine & theirs) / len(mine | theirs)


def interval(finding: Finding) -> tuple[float, float]:
    """From its first evidence to its newest, in s of the scenario."""
    return seconds(parse_time(finding.started_at)), seconds(parse_time(finding.updated_at))


def fits(truth: Truth, finding: Finding) -> bool:
    """Same pattern, a shared resource, mostly the same participants, at the same time."""
    return truth.pattern == finding.pattern and jaccard(truth, finding) >= JACCARD and overlaps(truth, finding)


def overlaps(truth: Truth, finding: Finding) -> bool:
    """At the same time on a shared resource."""
    start, end = interval(finding)
    return bool(truth.resources & frozenset(finding.resources)) and start <= truth.last and truth.first <= end


def match(truths: Sequence[Truth], found: Sequence[Finding], ambiguous: Sequence[Truth]) -> Score:
    """`found` are findings of the pattern; nothing is known of what is ambiguous."""
    pairs = [(t, f) for t, truth in enumerate(truths) for f, finding in enumerate(found) if fits(truth, finding)]
    pairs.sort(key=lambda pair: (-jaccard(truths[pair[0]], found[pair[1]]), found[pair[1]].detected_at, pair))
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for t, f in pairs:
        if t not in partner and f not in taken:
            partner[t] = f
            taken.add(f)
    again = {f for _, f in pairs} - taken
    rest = [f for f in range(len(found)) if f not in taken | again]
    unlabelled = [f for f in rest if any(overlaps(truth, found[f]) for truth in ambiguous)]
    return Score(
        matches=tuple(
            Match(truths[t], found[f], seconds(parse_time(found[f].detected_at)) - truths[t].first)
            for t, f in sorted(partner.items())
        ),
        missed=tuple(truth for t, truth in enumerate(truths) if t not in partner),
        false=tuple(found[f] for f in rest if f not in unlabelled),
        repeats=tuple(found[f] for f in sorted(again)),
        left_out=tuple(found[f] for f in unlabelled),
    )


def thrashing(labels: Labels, found: Sequence[Finding]) -> Score:
    """All thrashing of one scenario."""
    positive = [of_thrash(label) for label in labels.thrash if label.status == "positive"]
    unknown = [of_thrash(label) for label in labels.thrash if label.status == "ambiguous"]
    return match(positive, [finding for finding in found if finding.pattern == "thrashing"], unknown)


def overriding(labels: Labels, found: Sequence[Finding]) -> Score:
    """All declared windows of one scenario that were undone."""
    return match(
        [of_override(label) for label in labels.overrides],
        [finding for finding in found if finding.pattern == "intent_conflict" and finding.kind in OVERRIDES],
        [of_override(label) for label in labels.unstable],
    )


def stale(record: Record) -> list[Truth]:
    """Writes that replaced another agent's value which they had not seen, by pair and episode. The world knows; no replay is needed."""
    found: dict[tuple[Knob, frozenset[str]], list[Truth]] = {}
    last: dict[Knob, str] = {}
    for write in record.writes:
        before = last.get(write.knob, write.agent)
        last[write.knob] = write.agent
        if before == write.agent or not away(write.old, write.before) or not away(write.new, write.before):
            continue
        pair = frozenset((before, write.agent))
        episodes = found.setdefault((write.knob, pair), [])
        if episodes and write.t - episodes[-1].last <= SAME_EPISODE_S:
            episodes[-1] = msgspec.structs.replace(episodes[-1], last=write.t)
        else:
            episodes.append(Truth("intent_conflict", "lost_update", pair, frozenset((write.knob[0],)), write.t, write.t))
    return [episode for episodes in found.values() for episode in episodes]


def losing(labels: Labels, found: Sequence[Finding]) -> Score:
    """All lost updates of one scenario."""
    lost = [finding for finding in found if finding.pattern == "intent_conflict" and finding.kind == "lost_update"]
    return match(stale(labels.record), lost, ())
