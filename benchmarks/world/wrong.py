"""The worst disagreements in full: the writes, what the detector said, and what the counterfactuals say."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.world.draw import Scenario
from benchmarks.world.emit import seconds
from benchmarks.world.labels import Labels
from benchmarks.world.replay import Record
from benchmarks.world.score import Score, interval
from models.instants import parse_time

SHOWN = 40


def show(results: Sequence[tuple[Scenario, Labels, Score]], most: int) -> None:
    """The false alarms with the highest score x confidence, then the misses with the most reversals."""
    false = [(f.score * f.confidence, s, labels, f) for s, labels, score in results for f in score.false]
    for weight, scenario, labels, finding in sorted(false, key=lambda item: -item[0])[:most]:
        start, end = interval(finding)
        known = [
            label for label in labels.thrash if label.knobs[0][0] in finding.resources or label.knobs[-1][0] in finding.resources
        ]
        print(f"\nFALSE ALARM, scenario {scenario.seed}, {weight:.2f}: {finding.title}")
        print(
            f"  {finding.kind}, {start:.0f} .. {end:.0f} s, detected {seconds(parse_time(finding.detected_at)):.0f} s, {finding.metrics}"
        )
        for label in known:
            print(f"  label {label.status} {label.kind}: {label.reversals} reversals {label.first:.0f} .. {label.last:.0f} s")
        print("  " + writes(labels.record, finding.resources[0], start - 60, end + 60))
    missed = [(label.reversals, s, labels, label) for s, labels, score in results for t in score.missed
              for label in labels.thrash if label.knobs[0][0] in t.resources]  # fmt: skip
    for count, scenario, labels, label in sorted(missed, key=lambda item: -item[0])[:most]:
        print(
            f"\nMISS, scenario {scenario.seed}: {label.knobs[0]} {label.kind} {count} reversals {label.first:.0f} .. {label.last:.0f} s"
        )
        print(f"  agents {sorted(label.agents)}, each of {sorted(label.needed)} suffices")
        print("  " + writes(labels.record, label.knobs[0][0], label.first - 60, label.last))


def writes(record: Record, resource: str, start: float, end: float) -> str:
    """The first of the writes on a resource within an interval."""
    found = [write for write in record.writes if write.knob[0] == resource and start <= write.t <= end]
    told = [f"{w.t:.0f} {w.agent} {_told(w.old)}->{_told(w.new)}" for w in found[:SHOWN]]
    return "; ".join(told) + (f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else "")


def _told(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else "+".join(value) if isinstance(value, tuple) else str(value)
