"""A simulated run as records of the public contract: CloudEvents in JSON, as agents of good or of little instrumentation would send them.

`records` answers (append time, bytes) in order of arrival; `findings` sends them through the real decoder, reduce and the analyzer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec

from benchmarks.world.agents import NAMES
from benchmarks.world.draw import DATABASE, EDGE, LENGTH, QUEUE_A, QUEUE_B, ROUTER, WEB, Scenario
from benchmarks.world.replay import Record, Write
from models.analyzer import Analyzer
from models.configuration import Analysis
from models.decode import decode_event
from models.findings import Finding
from models.instants import HOUR, SECOND, format_time
from models.reduction import Reducer
from models.rejection import Rejection

BEGIN = 1_790_000_000 * SECOND
DEMAND_EVERY = 15  # s between samples
SLOW_MS, WELL_MS = 800.0, 200.0  # the service's health goes to degraded above the one, and back below the other
ZONE_SLOW_MS, ZONE_WELL_MS = 100.0, 60.0  # and so does either zone of the database
Fields: TypeAlias = dict[str, object]


class Axes(msgspec.Struct, frozen=True):
    """How good the instrumentation is: shares of writes that carry `old`, `reads`, `causationid`; what the transport does."""

    old: float = 1.0
    reads: float = 1.0
    causes: float = 1.0
    demand: bool = True  # there is a series of the demand
    loss: float = 0.0
    duplicates: float = 0.0
    late: float = 0.0  # of the records come up to `LATE_S` after their time, within the lateness allowed


LATE_S = 8.0
FULL = Axes()


def stamp(t: float) -> int:
    """Seconds of the scenario as ns since the epoch."""
    return BEGIN + round(t * 1000) * (SECOND // 1000)


def seconds(time: int) -> float:
    """The inverse of `stamp`."""
    return (time - BEGIN) / SECOND


def reference(write: str) -> str:
    """The event of a write, by its name."""
    return f"{_source(write.rsplit('-', 2)[0])} {write}"


def _source(agent: str) -> str:
    return f"agents/{agent}/0"


def records(scenario: Scenario, record: Record, axes: Axes = FULL) -> list[tuple[int, bytes]]:
    """Everything that is sent, in order of arrival."""
    rng = random.Random(f"transport {scenario.seed}")
    sent: list[tuple[int, bytes]] = []
    for t, event in _all(record, axes, random.Random(f"instrumentation {scenario.seed}")):
        lost, twice, late, delay = rng.random(), rng.random(), rng.random(), rng.random()
        if lost < axes.loss:
            continue
        raw = msgspec.json.encode(event)
        arrives = stamp(t + (LATE_S * delay if late < axes.late else 0.2 * delay))
        sent.append((arrives, raw))
        if twice < axes.duplicates:
            sent.append((arrives + SECOND, raw))
    return sorted(sent, key=lambda item: item[0])


def _all(record: Record, axes: Axes, rng: random.Random) -> Iterator[tuple[float, Fields]]:
    for write in record.writes:
        yield write.t, action(write, axes.old > rng.random(), axes.reads > rng.random(), axes.causes > rng.random())
    for number, t in enumerate(range(0, LENGTH, DEMAND_EVERY) if axes.demand else ()):
        for resource in (WEB, DATABASE, EDGE, ROUTER, QUEUE_A, QUEUE_B):
            metric = "demand" if resource in (WEB, DATABASE, EDGE) else "arrivals"
            value = round(record.metrics[metric][t], 2)
            yield (
                float(t),
                _event(
                    "sample", f"gateway/{resource}", f"s{number}", t, resource, metric=NAMES[metric][1], value=value, role="demand"
                ),
            )
    for t, now, before in _states(record.metrics["latency_ms"], SLOW_MS, WELL_MS):
        yield (
            t,
            _event("transition", "monitor/0", f"h{t:g}", t, WEB, **{"metric": "health", "from": before, "to": now, "slo": True}),
        )
    for zone in ("zone-a", "zone-b"):
        resource, metric = NAMES[zone]
        for t, now, before in _states(record.metrics[zone], ZONE_SLOW_MS, ZONE_WELL_MS):
            yield (
                t,
                _event("transition", f"monitor/{zone}", f"z{t:g}", t, resource, **{"metric": metric, "from": before, "to": now}),
            )


def _states(series: Sequence[float], slow: float, well: float) -> Iterator[tuple[float, str, str]]:
    """When a monitor that sees a latency (ms) calls it degraded, and ok again: (s, what it is, what it was)."""
    health = "ok"
    for t, latency in enumerate(series):
        now = "degraded" if latency > slow else "ok" if latency < well else health
        if now != health:
            yield float(t), now, health
            health = now


def _event(kind: str, source: str, name: str, t: float, subject: str, **data: object) -> Fields:
    return {
        "specversion": "1.0",
        "id": name,
        "source": source,
        "type": f"interplay.{kind}.v1",
        "time": format_time(stamp(t)),
        "subject": subject,
        "data": data,
    }


def action(write: Write, old: bool = True, reads: bool = True, causes: bool = True) -> Fields:
    """One write as its agent reports it."""
    resource, parameter = write.knob
    data: Fields = {"agent": write.agent, "verb": write.verb, "parameter": parameter, "new": write.new}
    if old:
        data["old"] = write.old
    if reads:
        data["version"] = write.version
        seen: list[Fields] = [
            {"resource": NAMES[r.metric][0], "metric": NAMES[r.metric][1], "value": r.value, "time": format_time(stamp(r.t))}
            for r in write.readings
        ]
        found: Fields = {"resource": resource, "metric": parameter, "value": write.old, "version": write.read_version}
        data["reads"] = [*seen, {**found, "time": format_time(stamp(write.decided))}]
    if write.clause is not None:
        clause, named = write.clause, NAMES
        data["intent"] = {
            "until": format_time(stamp(clause.until)),
            "reason": clause.reason,
            "expects": [{"resource": named[m][0], "metric": named[m][1], "direction": "up"} for m in clause.expects],
            "abort_if": [{"resource": named[m][0], "metric": named[m][1], "op": ">", "value": v} for m, v in clause.abort_above],
            "handoff_to": list(clause.handoff),
        }
    event = _event("action", _source(write.agent), write.name, write.t, resource, **data)
    if causes and write.cause:
        event["causationid"] = reference(write.cause)
    return event


def findings(sent: Sequence[tuple[int, bytes]], settings: Analysis | None = None) -> list[Finding]:
    """The last revision of every finding. Raises ValueError for a record that the decoder refuses: this file is then wrong."""
    settings = settings or Analysis()
    reducer, analyzer = Reducer("file/0", settings.time), Analyzer(settings)
    for offset, (append, raw) in enumerate(sent):
        event = decode_event(raw)
        if isinstance(event, Rejection):
            raise ValueError(f"record {offset}: {event.reason} at {event.path}: {raw.decode()}")
        reducer.feed(offset, append, [event])
    last: dict[str, Finding] = {}
    released = reducer.release(sent[-1][0] + HOUR, at_end=True) if sent else None
    for signal in released.events if released else ():
        for change in analyzer.feed(signal):  # type: ignore[arg-type]
            last[change.finding.finding_id] = change.finding
    for change in analyzer.finish():
        last[change.finding.finding_id] = change.finding
    return sorted(last.values(), key=lambda finding: (finding.started_at, finding.finding_id))
