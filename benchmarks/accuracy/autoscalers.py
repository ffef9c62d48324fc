"""Recorded series of real autoscalers (one agent at a time, no labels): what is found in them. A source of parameters, no score."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import msgspec

from benchmarks.accuracy.open_loop import judge
from benchmarks.rig import columns, heading, row
from models.configuration import Analysis
from models.events import Action, Event, Sample
from models.findings import Finding
from models.instants import HOUR, MINUTE, SECOND

BEGIN = 1_700_000_000 * SECOND
TABLE = "short_table.md"
LONG = {"72 h, reactive": "long_hpa_replicas.csv", "72 h, predictive": "long_phpa_replicas.csv"}


class Point(msgspec.Struct, frozen=True):
    """Replicas at a time (ns after the start), and the offered load where it was recorded."""

    after: int
    replicas: int
    demand: float | None = None


def missing(folder: Path) -> list[str]:
    """The files that are not there."""
    return [str(folder / name) for name in (TABLE, *LONG.values()) if not (folder / name).is_file()]


def load(folder: Path) -> dict[str, list[Point]]:
    """The four series by name."""
    lines = (folder / TABLE).read_text().splitlines()
    head, *cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines if "|" in line and "---" not in line]
    rows = [dict(zip(head, line, strict=True)) for line in cells]
    found = {
        f"30 min, {name}": [
            Point(int(float(r["time (mins)"]) * MINUTE), int(r[f"{short} replicas"]), float(r[f"{short} num requests"]))
            for r in rows
        ]
        for name, short in (("reactive", "hpa"), ("predictive", "phpa"))
    }
    for name, file in LONG.items():
        with (folder / file).open(newline="") as lines_of:
            table = csv.DictReader(lines_of)
            found[name] = [Point(int(float(r["hours_from_day01_tick"]) * HOUR), int(r["replicas"])) for r in table]
    return found


def events(points: Iterable[Point]) -> Iterator[Event]:
    """A write wherever the count changed; the load as the demand series."""
    before: int | None = None
    for i, point in enumerate(points):
        time = BEGIN + point.after
        if point.demand is not None:
            yield Sample(
                time=time,
                source="load/0",
                id=f"s{i}",
                resource="deployment/web",
                metric="requests",
                value=point.demand,
                role="demand",
            )
        if before is not None and point.replicas != before:
            yield Action(
                time=time, source="autoscaler/0", id=f"a{i}", resource="deployment/web", agent="autoscaler", verb="scale",
                parameter="replicas", old=before, new=point.replicas,
            )  # fmt: skip
        before = point.replicas


def turns(counts: Iterable[int]) -> int:
    """Changes of direction."""
    directions: list[bool] = []
    before: int | None = None
    for count in counts:
        if before is not None and count != before:
            directions.append(count > before)
        before = count
    return sum(one != other for one, other in pairwise(directions))


def last_words(found: Iterable[Finding]) -> list[Finding]:
    """The newest revision of each finding."""
    return list({finding.finding_id: finding for finding in found}.values())


def report(folder: Path) -> None:
    """Prints what is found in each series."""
    heading("Recorded autoscalers: what is found at the default configuration (no labels, hence no score)")
    columns("series", "changes", "turns", "turns/h", "findings, kind: reversals, half-life s, period s")
    for name, points in load(folder).items():
        happened = list(events(points))
        writes = sum(isinstance(event, Action) for event in happened)
        turned = turns(point.replicas for point in points)
        hours = (points[-1].after - points[0].after) / HOUR
        told = "; ".join(
            f"{f.kind}: {f.metrics.get('reversals', 0):g}, {f.metrics.get('half_life_s', 0):g}, {f.metrics.get('period_s', 0):.0f}"
            for f in last_words(judge(happened, Analysis()))[:4]
        )
        count = len(last_words(judge(happened, Analysis())))
        row(name, writes, turned, f"{turned / hours:.1f}", f"{count}: {told}{' ...' if count > 4 else ''}" if count else "none")
