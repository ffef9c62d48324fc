"""Why a HorizontalPodAutoscaler scaled: its scale write names neither itself nor a reason, but its status follows within milliseconds.

The status tells a metric per replica, the scale write how many replicas ran: their product is the load, which nobody's replicas explain.
So each scale write of an autoscaler becomes a sample of demand too, and following the load is not called restless.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from models.events import Action, Read, Sample
from models.instants import SECOND
from streams.sources.kubernetes.agents import MANAGER
from streams.sources.kubernetes.events import Happening
from streams.sources.kubernetes.naming import kind_of
from streams.sources.kubernetes.record import Json, Object, Record, body

NAME = "horizontal-pod-autoscaler"
ACCOUNT = f"system:serviceaccount:kube-system:{NAME}"
WITHIN = 2 * SECOND  # between a scale write and the status that tells of it; measured: 3 to 60 ms
_SIZE = re.compile(r"New size: ([0-9]{1,9})")
_QUANTITY = re.compile(r"^([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti|)$")
_UNITS = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_Wanted: TypeAlias = tuple[str, str, str, int]  # namespace, kind, name, replicas
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)


class Metric(msgspec.Struct, frozen=True):
    """What an autoscaler saw; `total` where the value is not a mean over replicas."""

    name: str
    value: float
    total: bool


class Hint(msgspec.Struct, frozen=True):
    """Which autoscaler (namespace/name) scaled, what it saw, how many replicas ran."""

    autoscaler: str
    metrics: tuple[Metric, ...]
    ran: int
    reason: str = ""  # as its Event has it


def is_status(record: Record) -> bool:
    """Whether a record is an autoscaler's account of itself."""
    ref = record.object_ref
    return (
        ref is not None and ref.resource == "horizontalpodautoscalers" and ref.subresource == "status" and record.verb == "update"
    )


class Accounts:
    """What autoscalers told of themselves lately, in order."""

    def __init__(self) -> None:
        self._told: dict[_Wanted, deque[tuple[int, Hint]]] = {}
        self._times: deque[tuple[int, _Wanted]] = deque()
        self._reasons: deque[tuple[int, tuple[str, int], str]] = deque()

    def add(self, time: int, record: Record) -> None:
        """Takes in the next status."""
        if account := _account(record):
            self._told.setdefault(account[0], deque()).append((time, account[1]))
            self._times.append((time, account[0]))

    def explain(self, time: int, rescaled: Happening) -> None:
        """Takes in the next Event of an autoscaler that has scaled: "New size: 6; reason: cpu resource utilization above target"."""
        size = _SIZE.search(rescaled.text)
        if size:
            name = (f"{rescaled.about.namespace}/{rescaled.about.name}", int(size[1]))
            self._reasons.append((time, name, rescaled.text))

    def forget(self, time: int) -> None:
        """Nothing from before `time` will be asked for."""
        while self._reasons and self._reasons[0][0] < time:
            self._reasons.popleft()
        while self._times and self._times[0][0] < time:
            _, wanted = self._times.popleft()
            told = self._told[wanted]
            told.popleft()
            if not told:
                del self._told[wanted]

    def of(self, record: Record, time: int) -> Hint | None:
        """For a scale write at `time`: the first status, soon after, of an autoscaler of that object that wants the same number.

        Raises what decoding the request's body raises."""
        ref = record.object_ref
        if ref is None or ref.subresource != "scale" or not self._told or not _is_autoscaler(record):
            return None
        asked = _dict(body(record.request_object))
        wanted = _whole(_dict(asked.get("spec")).get("replicas"))
        for told, hint in self._told.get((ref.namespace, kind_of(ref.resource), ref.name, wanted), ()):
            if told >= time:
                ran = _whole(_dict(asked.get("status")).get("replicas"))
                return (
                    msgspec.structs.replace(hint, ran=ran, reason=self._reason(hint, wanted, time))
                    if told - time <= WITHIN
                    else None
                )
        return None

    def _reason(self, hint: Hint, wanted: int, time: int) -> str:
        of = (hint.autoscaler, wanted)
        return next((text for told, name, text in self._reasons if name == of and time <= told <= time + WITHIN), "")


def _is_autoscaler(record: Record) -> bool:
    """By its account; where the controller manager has one credential for all, its user agent ends with the controller's name."""
    return record.user.username == ACCOUNT or (record.user.username == MANAGER and record.user_agent.endswith(f"/{NAME}"))


def reads(action: Action, hint: Hint) -> tuple[Read, ...]:
    """What the autoscaler rested its decision on."""
    return tuple(Read(action.resource, metric.name, metric.value) for metric in hint.metrics)


def demand(action: Action, hint: Hint) -> Iterator[Sample]:
    """The load at the moment of the decision, just before it: the mean times the replicas that ran."""
    for metric in hint.metrics:
        if metric.total or hint.ran > 0:
            yield Sample(
                time=action.time - 1000,
                source=action.source,
                domain=action.domain,
                id=f"{action.id}#{metric.name}"[:512],
                resource=action.resource,
                metric=f"{metric.name} in all",
                value=metric.value * (1 if metric.total else hint.ran),
                role="demand",
            )


def _account(record: Record) -> tuple[_Wanted, Hint] | None:
    ref = record.object_ref
    try:
        answered = body(record.response_object)
    except _BAD:
        return None
    obj = _dict(answered)
    status, target = _dict(obj.get("status")), _dict(_dict(obj.get("spec")).get("scaleTargetRef"))
    if ref is None or not target:
        return None
    key = (
        ref.namespace,
        str(target.get("kind") or "").lower(),
        str(target.get("name") or ""),
        _whole(status.get("desiredReplicas")),
    )
    listed = status.get("currentMetrics")
    metrics = tuple(metric for each in (listed if isinstance(listed, list) else ()) if (metric := _metric(_dict(each))))
    return key, Hint(f"{ref.namespace}/{ref.name}", metrics[:16], 0)


def _metric(entry: Object) -> Metric | None:
    kind = str(entry.get("type") or "")
    seen = _dict(entry.get(kind[:1].lower() + kind[1:]))
    name = seen.get("name") or _dict(seen.get("metric")).get("name")
    current = _dict(seen.get("current"))
    for field in ("averageValue", "value"):
        value = _number(current.get(field))
        if value is not None and isinstance(name, str) and 0 < len(name) <= 253:
            return Metric(name, value, field == "value")
    return None


def _number(quantity: Json) -> float | None:
    found = _QUANTITY.match(quantity) if isinstance(quantity, str) and len(quantity) < 32 else None
    value = float(found[1]) * _UNITS[found[2]] if found else math.nan
    return round(value, 9) if math.isfinite(value) else None


def _whole(value: Json) -> int:
    return value if isinstance(value, int) and 0 <= value < 1 << 31 else 0


def _dict(value: Json) -> Object:
    return value if isinstance(value, dict) else {}
