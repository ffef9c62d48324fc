"""The tables: precision, recall and delay beside other people's methods, by kind, by instrumentation, and the false alarms per day."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor

import msgspec

from benchmarks.accuracy.baselines import BASELINES
from benchmarks.accuracy.metrics import middle
from benchmarks.rig import columns, heading, row
from benchmarks.world.baselines import NAIVE, OURS, alarms
from benchmarks.world.draw import LENGTH, Scenario, draw
from benchmarks.world.emit import FULL, Axes, findings, records
from benchmarks.world.labels import Labels, groups, label
from benchmarks.world.score import Score, losing, overriding, thrashing
from benchmarks.world.thrash import Thrash
from benchmarks.world.wrong import show
from models.findings import Finding

SEEDS = 60
AXES: dict[str, Axes] = {
    "full": FULL,
    "no demand series": Axes(demand=False),
    "old 50 %": Axes(old=0.5),
    "old 0 %": Axes(old=0.0),
    "reads 50 %": Axes(reads=0.5),
    "reads 0 %": Axes(reads=0.0),
    "causationid 50 %": Axes(causes=0.5),
    "causationid 0 %": Axes(causes=0.0),
    "none of the three": Axes(old=0.0, reads=0.0, causes=0.0),
    "5 % lost": Axes(loss=0.05),
    "5 % twice, 30 % late within the lateness": Axes(duplicates=0.05, late=0.3),
}


class Case(msgspec.Struct, frozen=True):
    """One scenario, what is true of it, and what was found with full instrumentation."""

    scenario: Scenario
    labels: Labels
    found: tuple[Finding, ...]


def case(seed: int) -> Case:
    """Draws, labels and analyzes one scenario."""
    scenario = draw(seed)
    labels = label(scenario)
    return Case(scenario, labels, tuple(findings(records(scenario, labels.record))))


def cases(seeds: int, first: int = 0) -> list[Case]:
    """Scenarios first .. first + seeds - 1; the order and the result do not depend on the number of processes."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(case, range(first, first + seeds)))


def ratio(part: int, whole: int) -> str:
    """As a table has it."""
    return f"{part}/{whole} = {part / whole:.2f}" if whole else "0/0"


def report(seeds: int = SEEDS, first: int = 0, wrong: int = 0) -> None:
    """Prints all tables."""
    chosen = cases(seeds, first)
    _truth(chosen)
    _beside(chosen)
    _kinds(chosen)
    _findings("Overrides (simulated): declared windows that were undone", chosen, overriding)
    _findings("Lost updates (simulated): another agent's value replaced unseen, as the world knows it", chosen, losing)
    _axes(chosen)
    _quiet(chosen)
    _others(chosen)
    if wrong:
        show([(one.scenario, one.labels, thrashing(one.labels, one.found)) for one in chosen], wrong)


def _truth(chosen: Sequence[Case]) -> None:
    heading(f"Closed-loop world (simulated), {len(chosen)} scenarios of {LENGTH / 3600:.0f} h; labels by counterfactual replay")
    counts: Counter[tuple[str, str]] = Counter()
    for one in chosen:
        for known in one.labels.thrash:
            written = any(write.knob in known.knobs for write in one.labels.record.writes)
            counts[known.knobs[0][1], known.status if written else "never written"] += 1
    states = ("positive", "exogenous", "negative", "ambiguous", "never written")
    columns("knob", *states)
    for knob in sorted({name for name, _ in counts}):
        row(knob, *(counts[knob, state] for state in states))
    why = Counter(known.kind for one in chosen for known in one.labels.thrash if known.status == "ambiguous")
    undone = sum(len(one.labels.overrides) for one in chosen)
    unstable = sum(len(one.labels.unstable) for one in chosen)
    print("\nA knob counts once for each stretch of reversals.")
    print(f"Ambiguous, left out: {dict(sorted(why.items()))}; overrides {undone}, unstable and left out {unstable}")
    print(
        f"replays: {sum(one.labels.replays for one in chosen)}, those without intervention identical in all scenarios", flush=True
    )


def _known(chosen: Iterable[Case]) -> Iterable[tuple[Case, Thrash]]:
    """Each knob that was written and whose label counts: its first positive stretch, where it has one."""
    for one in chosen:
        written = {write.knob for write in one.labels.record.writes}
        for knobs in groups(one.scenario):
            labels = [known for known in one.labels.thrash if known.knobs == knobs and known.knobs[0] in written]
            positive = [known for known in labels if known.status == "positive"]
            if positive or all(known.status != "ambiguous" for known in labels):
                yield from ((one, known) for known in (positive or labels)[:1])


def _beside(chosen: Sequence[Case]) -> None:
    heading("Thrashing by knob (simulated): any alarm on a knob of a scenario counts once; all see the same writes")
    columns("detector", "precision", "recall", "F1", "delay in writes, median", "delay in s, median")
    for name in (OURS, NAIVE, *BASELINES):
        true = false = positive = 0
        writes, delays = list[float](), list[float]()
        for one, known in _known(chosen):
            at = alarms(one.labels.record, known.knobs, one.found)[name]
            positive += known.status == "positive"
            if at is None:
                continue
            if known.status != "positive":
                false += 1
                continue
            true += 1
            delays.append(at - known.first)
            on = [write.t for write in one.labels.record.writes if write.knob == known.knobs[0]]
            writes.append(sum(t <= at for t in on) - sum(t < known.first for t in on))
        f1 = 2 * true / (true + false + positive) if positive else 0.0
        delay = middle(delays)
        row(
            name,
            ratio(true, true + false),
            ratio(true, positive),
            f"{f1:.2f}",
            middle(writes),
            None if delay is None else round(delay),
        )
    print("\nDelays are counted from the first reversal of the labelled stretch; negative = an alarm before it.", flush=True)


def _kinds(chosen: Sequence[Case]) -> None:
    scores = [thrashing(one.labels, one.found) for one in chosen]
    _findings("Thrashing by finding (simulated)", chosen, thrashing)
    print()
    columns("labelled kind", "found", "with the same kind", "found as")
    for kind in sorted({t.kind for score in scores for t in (*score.missed, *(m.truth for m in score.matches))}):
        found = [m.finding.kind for score in scores for m in score.matches if m.truth.kind == kind]
        missed = sum(t.kind == kind for score in scores for t in score.missed)
        row(
            kind, ratio(len(found), len(found) + missed), ratio(found.count(kind), len(found)), dict(sorted(Counter(found).items()))
        )
    print("", flush=True)
    columns("found kind", "true", "false alarms", "precision")
    for kind in sorted({f.kind for score in scores for f in (*score.false, *(m.finding for m in score.matches))}):
        true = sum(m.finding.kind == kind for score in scores for m in score.matches)
        false = sum(f.kind == kind for score in scores for f in score.false)
        row(kind, true, false, ratio(true, true + false))


def _summary(scores: Sequence[Score]) -> tuple[object, ...]:
    true, missed = sum(len(s.matches) for s in scores), sum(len(s.missed) for s in scores)
    false = sum(len(s.false) for s in scores)
    f1 = 2 * true / (2 * true + missed + false) if true else 0.0
    delay = middle([m.delay for s in scores for m in s.matches])
    return (
        ratio(true, true + false), ratio(true, true + missed), f"{f1:.2f}", None if delay is None else round(delay),
        sum(len(s.repeats) for s in scores), sum(len(s.left_out) for s in scores),
    )  # fmt: skip


MEASURES = ("precision", "recall", "F1", "delay in s, median", "repeats", "left out")


def _findings(text: str, chosen: Sequence[Case], scoring: Callable[[Labels, Sequence[Finding]], Score]) -> None:
    heading(text)
    columns("", *MEASURES)
    row("interplay", *_summary([scoring(one.labels, one.found) for one in chosen]))


def _axes(chosen: Sequence[Case]) -> None:
    heading("By instrumentation (simulated)")
    columns(
        "events",
        *(f"thrashing {m}" for m in MEASURES[:4]),
        *(f"override {m}" for m in MEASURES[:3]),
        *(f"lost update {m}" for m in MEASURES[:3]),
    )
    for name, axes in AXES.items():
        results = [(one.labels, findings(records(one.scenario, one.labels.record, axes))) for one in chosen]
        thrash = _summary([thrashing(labels, found) for labels, found in results])
        undone = _summary([overriding(labels, found) for labels, found in results])
        lost = _summary([losing(labels, found) for labels, found in results])
        row(name, *thrash[:4], *undone[:3], *lost[:3])


def _quiet(chosen: Sequence[Case]) -> None:
    heading("False alarms of thrashing (simulated), per knob and day")
    columns("knobs", "knob-days", *(f"{name}" for name in (OURS, NAIVE, *BASELINES)))
    groups: dict[str, Callable[[Thrash], bool]] = {
        "quiet: at most one reversal": lambda known: known.status == "negative" and known.reversals <= 1,
        "near miss: two or three reversals": lambda known: known.status == "negative" and known.reversals > 1,
        "swings that demand or faults ask for": lambda known: known.status == "exogenous",
    }
    for text, belongs in groups.items():
        fired: Counter[str] = Counter()
        knobs = [(one, known) for one, known in _known(chosen) if belongs(known)]
        for one, known in knobs:
            fired.update(name for name, at in alarms(one.labels.record, known.knobs, one.found).items() if at is not None)
        days = len(knobs) * LENGTH / 86400
        row(
            text,
            f"{days:.1f}",
            *(f"{fired[name]} = {fired[name] / days:.2f}" if days else "" for name in (OURS, NAIVE, *BASELINES)),
        )


def _others(chosen: Sequence[Case]) -> None:
    counts: Counter[tuple[str, str]] = Counter((f.pattern, f.kind) for one in chosen for f in one.found)
    scored = ("override", "intent_read_as_fault", "lost_update")
    rest = {f"{p} {k}": n for (p, k), n in sorted(counts.items()) if p != "thrashing" and k not in scored}
    print(f"\nfound and not scored here, since no label speaks of it: {rest}", flush=True)
    opposed: Counter[str] = Counter()
    for one in chosen:
        for finding in one.found:
            if finding.kind == "opposing_objectives":
                on = [known for known in one.labels.thrash if {knob[0] for knob in known.knobs} & set(finding.resources)]
                shared = any(known.status == "positive" and len(known.agents) > 1 for known in on)
                doubtful = any(known.status == "ambiguous" for known in on)
                opposed[
                    "a thrashing knob of several agents" if shared else "an ambiguous knob" if doubtful else "another knob"
                ] += 1
    print(f"opposing objectives were found on: {dict(sorted(opposed.items()))}", flush=True)
