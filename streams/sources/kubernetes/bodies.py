"""The bodies of a request and of its answer, decoded once for all folds; and what single fields of them say."""

from __future__ import annotations

import re

from streams.sources.kubernetes.knobs import Knobs, Reading
from streams.sources.kubernetes.patches import as_partial
from streams.sources.kubernetes.record import Json, Object, Record, body

_FIELD = re.compile(r"(?:^|[:\n-])\s*\.((?:spec|data|metadata)\S*)")
_KEYED = re.compile(r"\[(?:name|key|type|containerPort)=\"?([^\]\"]+)\"?\]")


class Bodies:
    """Of one request. Two folds may look at it (`models.panes`): what one has decoded, the other finds."""

    __slots__ = ("_decoded", "_knobs", "_record")

    def __init__(self, record: Record) -> None:
        self._record = record
        self._decoded: tuple[Json, Object] | None = None
        self._knobs: Knobs | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bodies) and self._record == other._record

    def __hash__(self) -> int:
        return hash(self._record.audit_id)

    def decoded(self) -> tuple[Json, Object]:
        """(what was asked, the object that was answered). Raises what decoding raises."""
        if self._decoded is None:
            asked, answered = body(self._record.request_object), as_object(body(self._record.response_object))
            if isinstance(asked, list) and not answered and (partial := as_partial(asked)) is not None:
                asked = partial
            self._decoded = asked, answered
        return self._decoded

    def knobs(self, reading: Reading, resource: str) -> Knobs:
        """Of what was answered, else of what was asked; not to be changed."""
        if self._knobs is None:
            asked, answered = self.decoded()
            self._knobs = reading.of(resource, answered or as_object(asked))
        return self._knobs


def contested(message: str) -> list[str]:
    """The fields that a server-side apply was refused for, since others own them: the answer names each, and its owner.

    Apply failed with 1 conflict: conflict with "kube-controller-manager" with subresource "scale" using apps/v1: .spec.replicas
    """
    if not message.startswith("Apply failed with"):
        return []
    found = (_KEYED.sub(r"[\1]", path) for path in _FIELD.findall(message[:4000]))
    return list(dict.fromkeys(path[:253] for path in found))[:20]


def as_object(value: Json) -> Object:
    """The object; empty where it is none, or a Status."""
    return value if isinstance(value, dict) and value.get("kind") != "Status" else {}


def fields_of(patch: Json) -> frozenset[str] | None:
    """Which fields of the second level a patch may write, as `spec.taints`; None where it may end others too, as an apply does."""
    if isinstance(patch, list):
        places = (str(step[part]) for step in patch if isinstance(step, dict) for part in ("path", "from") if part in step)
        fields = frozenset(".".join(place.strip("/").split("/")[:2]) for place in places)
        return fields if all("." in field for field in fields) else None
    if not isinstance(patch, dict) or "apiVersion" in patch:
        return None
    return frozenset(f"{part}.{field}" for part, inner in patch.items() for field in (inner if isinstance(inner, dict) else ()))


def name_of(obj: Object) -> str:
    """Its name, where it has a valid one."""
    meta = obj.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    return name if isinstance(name, str) and len(name) <= 253 else ""


def node_of(obj: Object) -> str:
    """The node that a pod is placed on."""
    spec = obj.get("spec")
    node = spec.get("nodeName") if isinstance(spec, dict) else None
    return node if isinstance(node, str) else ""


def has_run(pod: Object) -> bool:
    """It has come to its end by itself: who deletes it now cleans up."""
    status = pod.get("status")
    return isinstance(status, dict) and status.get("phase") in ("Succeeded", "Failed")


def is_dry(asked: Json) -> bool:
    """A trial run may be asked for in the body of a deletion or eviction."""
    options = asked.get("deleteOptions") if isinstance(asked, dict) else None
    return isinstance(asked, dict) and bool(asked.get("dryRun") or (isinstance(options, dict) and options.get("dryRun")))


def reason_of(asked: Json) -> str:
    """Why a pod is evicted, where the eviction carries it (the descheduler does)."""
    meta = asked.get("metadata") if isinstance(asked, dict) else None
    notes = meta.get("annotations") if isinstance(meta, dict) else None
    reason = notes.get("reason") if isinstance(notes, dict) else None
    return reason.rstrip(": ") if isinstance(reason, str) else ""  # "triggered by <profile>/<plugin>: ", and then no more


def replicas_that_ran(scale: Object) -> int | None:
    """Of a Scale, before the write; zero is left out."""
    status = scale.get("status")
    replicas = status.get("replicas", 0) if isinstance(status, dict) else None
    return replicas if isinstance(replicas, int) else None
