"""What becomes of a signal or a finding in the store: the rows of each table, as tuples in the order of `COLUMNS`. Pure.

Times are ns since the epoch. Values are told as text: a number or string as it is, a list as JSON, what is missing as "".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from models.events import Action, Dependency, Intent, Sample, Signal, Tick, Transition, Value, Verdict, encode_signal, ref
from models.findings import Finding, encode_finding
from models.instants import SECOND, parse_time

Cell: TypeAlias = str | int | float | bool | tuple[str, ...] | dict[str, float] | None
Row: TypeAlias = tuple[Cell, ...]
Stored: TypeAlias = Action | Sample | Transition | Dependency | Intent | Verdict

SCHEMA = 1  # part of every insert's token: raise it with every change of what the rows of a record are
TICK_S = 10


class Position(NamedTuple):
    """Where a record stood."""

    topic: str
    partition: int
    offset: int


_PLACE = "kafka_topic kafka_partition kafka_offset"

COLUMNS: dict[str, tuple[str, ...]] = {
    table: tuple(names.split())
    for table, names in {
        "signals": "domain time source id event kind resource agent verb parameter old new has_old version outcome reads has_reads"
        f" causes why mandate owner severity relation rollout until closed trace_id late json {_PLACE}",
        "watermarks": "partition at watermark mode delay_s kafka_offset",
        "finding_evidence": "domain finding_id seq revision pattern event time role note",
        "edges": "domain finding_id cause effect relation revision pattern probability lag_s time",
        "finding_revisions": "domain finding_id revision status pattern kind severity score confidence title agents resources at"
        f" json {_PLACE}",
        "findings": "domain finding_id revision status pattern kind severity score confidence basis title subject agents resources"
        " parameters roots started_at detected_at updated_at resolved_at explanation metrics reach late dropped degraded"
        f" json {_PLACE}",
    }.items()
}  # in the order of writing: whoever sees a finding finds its evidence


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of `signals` that a kind fills in its own way."""

    kind: str
    resource: str
    agent: str = ""
    verb: str = ""
    parameter: str = ""
    old: str = ""
    new: str = ""
    has_old: bool = False
    version: str = ""
    outcome: str = ""
    reads: int = 0
    why: str = ""
    mandate: str = ""
    owner: str = ""
    severity: str = ""
    relation: str = ""
    rollout: str = ""
    until: int | None = None
    closed: bool = False


def rows(record: Signal | Finding, position: Position) -> Iterator[tuple[str, Row]]:
    """(table, row) for all that is stored of one record."""
    if isinstance(record, Finding):
        yield from _finding_rows(record, position)
    elif isinstance(record, Tick):
        if position.partition == 0:  # every signals partition gets every tick
            yield "watermarks", _tick_row(record, position)
    else:
        yield "signals", _signal_row(record, position)


def spoken(value: Value | UnsetType) -> str:
    """A value as text."""
    if value is UNSET or value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _signal_row(event: Stored, position: Position) -> Row:
    own = _own(event)
    return (
        event.domain, event.time, event.source, event.id, ref(event), own.kind, own.resource, own.agent, own.verb, own.parameter,
        own.old, own.new, own.has_old, own.version, own.outcome, own.reads, own.reads > 0, event.causes, own.why, own.mandate,
        own.owner, own.severity, own.relation, own.rollout, own.until, own.closed, _trace_id(event.traceparent), event.late,
        encode_signal(event).decode(), *position,
    )  # fmt: skip


def _own(event: Stored) -> Own:
    if isinstance(event, Action):
        why = "; ".join(text for text in (event.why.rule, event.why.text) if text) if event.why else ""
        return Own(
            kind="action", resource=event.resource, agent=event.agent, verb=event.verb, parameter=event.parameter,
            old=spoken(event.old), new=spoken(event.new), has_old=event.old is not UNSET, version=spoken(event.version),
            outcome=event.outcome, reads=min(len(event.reads), 65535), why=why, mandate=event.mandate, owner=event.owner,
            rollout=event.rollout, until=event.intent.until if event.intent else None,
        )  # fmt: skip
    if isinstance(event, Transition):
        return Own(
            kind="transition", resource=event.resource, parameter=event.metric, old=spoken(event.before), new=spoken(event.after),
            has_old=event.before is not None, severity=event.severity, why=event.text,
        )  # fmt: skip
    if isinstance(event, Dependency):
        return Own(
            kind="dependency", resource=event.dependent, new=event.dependency, relation=event.relation, until=event.until,
            closed=event.removed,
        )  # fmt: skip
    if isinstance(event, Intent):
        return Own(
            kind="intent", resource=event.resource, agent=event.agent, parameter=event.parameter, new=spoken(event.desired),
            why=event.reason, until=event.until, closed=event.closed,
        )  # fmt: skip
    if isinstance(event, Sample):
        return Own(kind="sample", resource=event.resource, parameter=event.metric, new=spoken(event.value), relation=event.role)
    return Own(kind="verdict", resource=event.resource, agent=event.agent, new=event.verdict, rollout=event.rollout)


def _trace_id(traceparent: str) -> str:
    parts = traceparent.split("-")
    return parts[1] if len(parts) >= 4 else ""


def _tick_row(tick: Tick, position: Position) -> Row:
    at = (tick.now or max(tick.watermark, 0)) // SECOND
    return (tick.partition, at - at % TICK_S, max(tick.watermark, 0), tick.mode, tick.delay / SECOND, position.offset)


def _finding_rows(finding: Finding, position: Position) -> Iterator[tuple[str, Row]]:
    whose = (finding.domain, finding.finding_id)
    updated = parse_time(finding.updated_at)
    resolved = parse_time(finding.resolved_at) if finding.resolved_at else None
    times = {evidence.event: parse_time(evidence.time) for evidence in finding.evidence}
    for seq, evidence in enumerate(finding.evidence):
        part = (evidence.event, times[evidence.event], evidence.role, evidence.note)
        yield "finding_evidence", (*whose, seq, finding.revision, finding.pattern, *part)
    for edge in finding.edges:
        strength = (edge.probability, edge.lag_s, times.get(edge.effect, updated))
        yield "edges", (*whose, edge.cause, edge.effect, edge.relation, finding.revision, finding.pattern, *strength)
    json = encode_finding(finding).decode()
    head = (*whose, finding.revision, finding.status, finding.pattern, finding.kind, finding.severity, finding.score)
    yield "finding_revisions", (
        *head, finding.confidence, finding.title, finding.agents, finding.resources, resolved or updated, json, *position,
    )  # fmt: skip
    yield "findings", (
        *head, finding.confidence, finding.basis, finding.title, finding.subject, finding.agents, finding.resources,
        finding.parameters, tuple(root.event for root in finding.roots), parse_time(finding.started_at),
        parse_time(finding.detected_at), updated, resolved, finding.explanation, finding.metrics,
        tuple(reach.resource for reach in finding.blast_radius), finding.quality.late, finding.quality.dropped,
        finding.quality.degraded, json, *position,
    )  # fmt: skip
