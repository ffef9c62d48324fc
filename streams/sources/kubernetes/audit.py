"""A whole audit log: noise passed over and counted, one event an auditID, put in order, then translated.

Lines of one API server are nearly in the order of `stageTimestamp`; logs of several, or rotated ones, may come one after the other. So the
newest WAITING requests of interest wait, and all of the last HOLD, sorted; the times of one object's changes are dealt out in the
order of its versions: the server's own order. What comes later than that is counted as late and left out, since its old value is gone.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from models.decode import Rejection
from models.events import Action, Sample, Why
from models.instants import SECOND, parse_time
from models.rejection import clipped, explained
from models.stream_time import BEFORE_ALL
from streams.sources.kubernetes.actions import Translator, version_of
from streams.sources.kubernetes.autoscalers import WITHIN, Hint, demand, hints, is_status, reads
from streams.sources.kubernetes.knobs import REPLICAS
from streams.sources.kubernetes.record import Record, Ref, records

HOLD = 10 * SECOND  # event time
WAITING = 20_000  # requests, about 5 kB each
REMEMBERED = 100_000  # auditIDs, so that a line that comes twice counts once

WRITES = frozenset({"create", "update", "patch", "delete", "apply"})
LAST_STAGES = frozenset({"ResponseComplete", "Panic"})
SUBRESOURCES = frozenset({"", "scale", "eviction", "binding"})
IGNORED = frozenset(
    {
        "bindings",
        "certificatesigningrequests",
        "componentstatuses",
        "controllerrevisions",
        "csinodes",
        "endpoints",
        "endpointslices",
        "events",
        "flowschemas",
        "leases",
        "localsubjectaccessreviews",
        "nodemetrics",
        "podmetrics",
        "prioritylevelconfigurations",
        "selfsubjectaccessreviews",
        "selfsubjectreviews",
        "selfsubjectrulesreviews",
        "subjectaccessreviews",
        "tokenreviews",
        "volumeattachments",
    }
)

Found: TypeAlias = tuple[int, Action | Sample | Rejection]
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)


class Audit:
    """Of one cluster. Feed lines, then `finish`; both answer (line number, action or why not)."""

    def __init__(self, cluster: str = "cluster", waiting: int = WAITING) -> None:
        self.counts: Counter[str] = Counter()
        self._translator = Translator(cluster, self.counts)
        self._waiting: list[tuple[int, str, int, Record]] = []  # time, auditID, line
        self._statuses: list[tuple[int, Record]] = []  # of autoscalers, which tell why they scaled
        self._most = waiting
        self._full = 2 * waiting  # how many make room
        self._newest = self._known = BEFORE_ALL
        self._seen: set[str] = set()
        self._order: deque[str] = deque()

    def feed(self, number: int, line: bytes) -> Iterator[Found]:
        """Takes in one line; what need not wait any longer comes out in order."""
        for record in records(line):
            if isinstance(record, Rejection):
                yield number, record
            elif (change := self._is_change(record)) or (record.stage in LAST_STAGES and is_status(record)):
                try:
                    time = parse_time(record.stage_timestamp)
                except ValueError as error:
                    yield number, Rejection("bad_time", "stageTimestamp", clipped(str(error)))
                    continue
                if time <= self._known:
                    self.counts["late"] += change
                    continue
                self._newest = max(self._newest, time)
                if change:
                    self._remember(record.audit_id)
                    self._waiting.append((time, record.audit_id, number, record))
                else:
                    self._statuses.append((time, record))
        if len(self._waiting) + len(self._statuses) >= self._full:
            yield from self._release(self._bound())
            self._full = self._most + max(
                self._most, len(self._waiting) + len(self._statuses)
            )  # a burst within HOLD stays, for once

    def finish(self) -> Iterator[Found]:
        """The log has ended."""
        yield from self._release(None)

    def _bound(self) -> int:
        """Up to where nothing waits any longer: the older half, but nothing of the last HOLD."""
        times = sorted([each[0] for each in self._waiting] + [time for time, _ in self._statuses])
        return min(times[len(times) // 2], self._newest - HOLD)

    def _is_change(self, record: Record) -> bool:
        """From the fields around the bodies alone; what it is not is counted by why."""
        ref = record.object_ref or Ref()
        why = (
            "reads" if record.verb not in WRITES
            else "earlier_stages" if record.stage not in LAST_STAGES
            else "noise" if not ref.resource or ref.resource in IGNORED or ref.subresource not in SUBRESOURCES
            else "dry_run" if "dryRun=" in record.request_uri
            else "repeated" if record.audit_id in self._seen
            else ""
        )  # fmt: skip
        self.counts[why or "changes"] += 1
        return not why

    def _remember(self, audit_id: str) -> None:
        self._seen.add(audit_id)
        self._order.append(audit_id)
        if len(self._order) > REMEMBERED:
            self._seen.discard(self._order.popleft())

    def _release(self, until: int | None) -> Iterator[Found]:
        due = sorted((each for each in self._waiting if until is None or each[0] <= until), key=lambda each: each[:3])
        self._waiting = [each for each in self._waiting if until is not None and each[0] > until]
        self._known = self._known if until is None else max(self._known, until)
        because = hints(
            (record for *_, record in due), [each for each in self._statuses if until is None or each[0] <= until + WITHIN]
        )
        self._statuses = [each for each in self._statuses if until is not None and each[0] > until - WITHIN]
        for _, _, number, record in _in_order(due):
            try:
                found = self._translator.actions(record)
            except _BAD as error:
                yield number, _refused(error)
                continue
            hint = because.get(record.audit_id)
            for action in found:
                yield from ((number, event) for event in (_with_reasons(action, hint) if hint else (action,)))


def _in_order(due: list[tuple[int, str, int, Record]]) -> list[tuple[int, str, int, Record]]:
    """The same requests, where those of one object that came in another order than its versions have changed places (and times)."""
    places: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    for place, (_, _, _, record) in enumerate(due):
        ref = record.object_ref or Ref()
        try:
            version = version_of(record)
        except _BAD:
            continue  # told when it is translated
        if version is not None and ref.name:
            places.setdefault((ref.namespace, ref.resource, ref.name), []).append((place, version))
    ordered = list(due)
    for versions in places.values():
        by_version = sorted(versions, key=lambda each: each[1])
        if by_version != versions:
            for (place, _), (origin, _) in zip(versions, by_version, strict=True):
                time, _, _, record = due[place][0], *due[origin][1:]
                stamp = due[place][3].stage_timestamp
                ordered[place] = (time, due[origin][1], due[origin][2], replace(record, stage_timestamp=stamp))
    return ordered


def _with_reasons(action: Action, hint: Hint) -> Iterator[Action | Sample]:
    """An autoscaler's write with what it rested on, and the demand that it saw."""
    if action.parameter != REPLICAS or action.outcome != "applied":
        yield action
        return
    yield from demand(action, hint)
    yield replace(action, reads=reads(action, hint), why=Why(text=f"HorizontalPodAutoscaler {hint.autoscaler}"))


def _refused(error: Exception) -> Rejection:
    if isinstance(error, msgspec.DecodeError | UnicodeDecodeError | RecursionError):
        rejection = explained(error, "responseObject")
        return rejection if rejection.reason != "not_cloudevents" else Rejection("wrong_type", "responseObject", rejection.detail)
    return Rejection("wrong_type", "", clipped(str(error)))
