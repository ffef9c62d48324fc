"""A Kubernetes audit log: noise passed over and counted record by record, then requests in order, translated by a fold.

The times of one object's changes are dealt out in the order of its versions, which is the server's own order: each moment goes to the
lowest version that is known within SKEW after the one that would be its turn. So the order rests on the records alone.

    time      1      2      3             what each moment is given to
    version   7      9      8      ─►     7      8      9
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from models.decode import Rejection
from models.events import Action, AnyEvent, Why
from models.foreign import Foreign, Found, Place
from models.instants import SECOND, parse_time
from models.rejection import clipped, explained
from streams.settings import Settings
from streams.sources.kubernetes.actions import Changes
from streams.sources.kubernetes.autoscalers import WITHIN, Accounts, Hint, demand, is_status, reads
from streams.sources.kubernetes.bodies import Bodies
from streams.sources.kubernetes.events import RESCALED, Happening, happenings, transition
from streams.sources.kubernetes.knobs import REPLICAS
from streams.sources.kubernetes.record import Record, Ref, records, version_of
from streams.sources.source import UNNAMED, Headers, Origin

SKEW = SECOND  # between the clocks of several API servers; one server's own lines are measured to be 10 ms apart at most
LOOK = WITHIN + SKEW  # event time that has to be known after a request

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection", "apply"})
LAST_STAGES = frozenset({"ResponseComplete", "Panic"})
SUBRESOURCES = frozenset({"", "scale", "eviction", "binding", "resize"})
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
        "verticalpodautoscalercheckpoints",
        "volumeattachments",
    }
)

_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)
_Object: TypeAlias = tuple[str, str, str, str]
MOST_CLUSTERS = 100  # of one log; those beyond are one


class Request(Foreign, frozen=True, kw_only=True):
    """A request that may have changed something, or an autoscaler's account of itself. `version` is the object's after it."""

    record: Record
    bodies: Bodies
    version: int | None = None
    status: bool = False
    rescaled: Happening | None = None  # what an autoscaler says of itself in an Event

    @property
    def object(self) -> _Object:
        """What it is about."""
        ref = self.record.object_ref or Ref()
        return self.record.cluster, ref.namespace, ref.resource, ref.name


class Audit:
    """A `Source`, of one cluster."""

    def __init__(self, settings: Settings, origin: Origin) -> None:
        self.counts: Counter[str] = Counter()
        self._settings = settings
        self._origin = origin

    def parse(self, value: bytes, headers: Headers, place: Place) -> Sequence[AnyEvent | Request | Rejection]:
        """See `Source`."""
        found: list[AnyEvent | Request | Rejection] = []
        for record in records(value):
            if isinstance(record, Rejection):
                found.append(record)
                continue
            if record.cluster and self._origin.cluster != UNNAMED:  # the operator says that it is one, and its name
                record = replace(record, cluster="")
            why = _passed_over(record)
            self.counts[why or "changes"] += 1
            if why == "reads" or why == "earlier_stages":
                continue
            change = why == ""
            status = not change and is_status(record)
            happening = None if change or status else _happening(record)
            if not change and not status and happening is None:
                continue
            try:
                if happening is not None and happening.reason != RESCALED:
                    told = transition(happening, _origin_of(self._origin, record.cluster))
                    found += [told] if told else []
                    continue
                time = parse_time(record.stage_timestamp)
            except ValueError as error:
                found.append(Rejection("bad_time", "stageTimestamp", clipped(str(error))))
                continue
            version = version_of(record) if change else None
            found.append(
                Request(
                    time=time, source="", id=record.audit_id, place=place, record=record, bodies=Bodies(record), version=version,
                    status=status, rescaled=happening,
                )
            )  # fmt: skip
        return found

    def fold(self) -> AuditFold:
        """See `Source`."""
        return AuditFold(self._settings, self._origin)


def _passed_over(record: Record) -> str:
    """Why a request changes nothing, from the fields around the bodies alone; "" where it may."""
    if record.verb not in WRITES:
        return "reads"
    if record.stage not in LAST_STAGES:
        return "earlier_stages"
    ref = record.object_ref
    if ref is None or not ref.resource or ref.resource in IGNORED or ref.subresource not in SUBRESOURCES:
        return "noise"
    return "dry_run" if "dryRun=" in record.request_uri else ""


class AuditFold:
    """A `Translator`: what each object's state was, so that a change has an old value."""

    delay = LOOK + SECOND // 1000  # a sample of demand lies just before the request that tells of it

    def __init__(self, settings: Settings, origin: Origin) -> None:
        self.counts: Counter[str] = Counter()
        self._settings, self._origin = settings, origin
        self._clusters: dict[str, tuple[Changes, Accounts]] = {}  # by the name that the record has
        self._turns: deque[tuple[int, _Object]] = deque()  # moments to be given to requests, in order
        self._waiting: dict[_Object, list[Request]] = {}  # in order

    def translate(self, record: Foreign) -> Sequence[Found]:
        """Takes it in; it is answered when it has passed by `delay`."""
        assert isinstance(record, Request)
        if record.rescaled is not None:
            self._of(record)[1].explain(record.time, record.rescaled)
        elif record.status:
            self._of(record)[1].add(record.time, record.record)
        else:
            self._turns.append((record.time, record.object))
            self._waiting.setdefault(record.object, []).append(record)
        return ()

    def passed(self, time: int) -> Sequence[Found]:
        """See `Translator`."""
        found: list[Found] = []
        while self._turns and self._turns[0][0] + LOOK < time:
            found += self._answer(*self._turns.popleft())
        return found

    def _answer(self, moment: int, name: _Object) -> Iterator[Found]:
        request = self._next(name)
        changes, accounts = self._of(request)
        accounts.forget(moment - SKEW)
        try:
            events = changes.events(request.record, request.bodies, moment, request.version)
            hint = accounts.of(request.record, request.time)
        except _BAD as error:
            yield request.place, _refused(error)
            return
        for event in events:
            yield from ((request.place, each) for each in (_with_reasons(event, hint) if hint else (event,)))

    def _of(self, request: Request) -> tuple[Changes, Accounts]:
        """What is known of the request's cluster."""
        cluster = request.record.cluster
        if cluster not in self._clusters:
            cluster = cluster if len(self._clusters) < MOST_CLUSTERS else ""
            origin = _origin_of(self._origin, cluster)
            self._clusters.setdefault(cluster, (Changes(self._settings, origin, self.counts), Accounts()))
        return self._clusters[cluster]

    def _next(self, name: _Object) -> Request:
        """Of the object's requests, the lowest version within SKEW of the first; without a version, the first."""
        waiting = self._waiting[name]
        first = waiting[0]
        chosen = 0
        if first.version is not None:
            lowest = first.version
            for place, other in enumerate(waiting):
                if other.time > first.time + SKEW:
                    break
                if other.version is not None and other.version < lowest:
                    chosen, lowest = place, other.version
        request = waiting.pop(chosen)
        if not waiting:
            del self._waiting[name]
        return request


def _origin_of(origin: Origin, cluster: str) -> Origin:
    """Whose records these are: the operator's name for their cluster, else that of what wraps them."""
    return origin._replace(cluster=cluster) if cluster else origin


def _happening(record: Record) -> Happening | None:
    """The Event that a request wrote, where the policy keeps its body."""
    ref, code = record.object_ref, record.response_status.code if record.response_status else 0
    if ref is None or ref.resource != "events" or record.verb not in WRITES or not 200 <= code < 300:
        return None
    for written in (record.response_object, record.request_object):
        try:
            (found,) = happenings(bytes(written))
            return found if found.about.name else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            continue
    return None


def _with_reasons(action: AnyEvent, hint: Hint) -> Iterator[AnyEvent]:
    """An autoscaler's write with what it rested on, and the demand that it saw."""
    if not isinstance(action, Action) or action.parameter != REPLICAS or action.outcome != "applied":
        yield action
        return
    yield from demand(action, hint)
    text = f"HorizontalPodAutoscaler {hint.autoscaler}" + (f": {hint.reason}" if hint.reason else "")
    yield replace(action, reads=reads(action, hint), why=Why(text=text[:1000]))


def _refused(error: Exception) -> Rejection:
    if isinstance(error, msgspec.DecodeError | UnicodeDecodeError | RecursionError):
        rejection = explained(error, "responseObject")
        return rejection if rejection.reason != "not_cloudevents" else Rejection("wrong_type", "responseObject", rejection.detail)
    return Rejection("wrong_type", "", clipped(str(error)))
