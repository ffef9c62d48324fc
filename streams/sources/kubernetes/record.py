"""One line of a Kubernetes audit log (audit.k8s.io/v1 Event or EventList) as a typed record; bodies stay undecoded until they are needed.

Format: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/. Half of a log or more is noise, which never gets further.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from models.decode import Rejection
from models.rejection import clipped, explained
from streams.sources.kubernetes.groups import BUILT_IN, in_group
from streams.sources.kubernetes.wrapping import cluster_of, unwrapped

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Object: TypeAlias = dict[str, Json]

GROUP = "audit.k8s.io/"
EVENT = "Event", ""  # kinds of one event
DEEPEST = 6  # wrappers around an event
NAME_LIMIT = 512  # characters, as for every event
_ABSENT = msgspec.Raw(b"null")
BEFORE = 300  # bytes that may stand before an event in its line


class Ref(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What a request is about. `name` is missing where the server makes one up."""

    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    api_group: str = ""


_NONE = Ref()


class User(msgspec.Struct, frozen=True, gc=False):
    """Who asked. `extra` names the pod of a service account's token where the cluster binds them."""

    username: str = ""
    extra: dict[str, list[str]] | None = None


class Status(msgspec.Struct, frozen=True, gc=False):
    """How it was answered."""

    code: int = 0
    reason: str = ""
    message: str = ""


class Record(msgspec.Struct, frozen=True, rename="camel"):
    """One audit event. Times are RFC 3339."""

    audit_id: str = msgspec.field(name="auditID")
    stage: str
    verb: str
    user: User
    kind: str = ""  # the items of a webhook's EventList have none
    api_version: str = ""
    stage_timestamp: str = ""
    level: str = ""
    request_uri: str = msgspec.field(name="requestURI", default="")
    user_agent: str = ""
    source_ips: list[str] | None = msgspec.field(name="sourceIPs", default=None)
    object_ref: Ref | None = None
    impersonated_user: User | None = None
    response_status: Status | None = None
    request_object: msgspec.Raw = _ABSENT
    response_object: msgspec.Raw = _ABSENT
    cluster: str = msgspec.field(name="interplay/cluster", default="")  # as what wrapped it says


class _Head(msgspec.Struct, rename="camel"):
    kind: str = ""
    api_version: str = ""
    audit_id: str = msgspec.field(name="auditID", default="")
    stage: str = ""

    @property
    def is_audit(self) -> bool:
        """By its group; the elements of a batch, sent one by one, carry none, but nothing else has an auditID and a stage."""
        return self.api_version.startswith(GROUP) or (not self.api_version and self.audit_id != "" and self.stage != "")


class _List(msgspec.Struct):
    items: list[msgspec.Raw]


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str = ""


class _Answer(msgspec.Struct):
    metadata: _Meta | None = None


_head = msgspec.json.Decoder(_Head).decode
_answer = msgspec.json.Decoder(_Answer).decode
_record = msgspec.json.Decoder(Record).decode
_list = msgspec.json.Decoder(_List).decode
_OURS = b"audit", b'"AuditId"'
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def recognised(line: bytes) -> bool:
    """Whether a line is an audit event or a list of them, by what it says of itself."""
    return bool(_held(_bare(line)))


def records(line: bytes) -> Sequence[Record | Rejection]:
    """The audit events of one line. A bad element of a list is rejected alone, with its place."""
    line = line if line[:1] == b"{" else _bare(line)
    try:
        record = _record(line)
        if record.kind in EVENT and (not record.api_version or record.api_version.startswith(GROUP)):
            return (_checked(record, ""),)  # nearly every line: read once
    except _BAD:
        pass  # a list, a wrapped one or a bad one: told below, with its reason
    try:
        head = _head(line)
        if head.is_audit:
            return (_one(line, ""),) if head.kind != "EventList" else _all(line)
    except _BAD as error:
        return _wrapped(line) or (_named(explained(error)),)
    return _wrapped(line) or (Rejection("unknown_type", "apiVersion", clipped(f"{head.api_version!r} is not audit.k8s.io/v1")),)


def _bare(line: bytes) -> bytes:
    """Without what a container runtime puts before each line, "2026-11-24T10:00:00Z stderr F {...}", or syslog, or an export its time."""
    at = line.find(b"{", 0, BEFORE) if line[:1] not in (b"{", b"[") else 0
    return line[at:] if at > 0 else line


def _all(line: bytes) -> Sequence[Record | Rejection]:
    return [_one(item, f"items[{place}]") for place, item in enumerate(_list(line).items)]


def _wrapped(line: bytes) -> list[Record | Rejection]:
    """Of what is no audit event, those within it."""
    found: list[Record | Rejection] = []
    for inner, kind, cluster in _held(line):
        try:
            within = (_one(inner, ""),) if kind != "EventList" else _all(inner)
            found += [replace(each, cluster=cluster) if isinstance(each, Record) and cluster else each for each in within]
        except _BAD as error:
            found.append(_named(explained(error)))
    return found


def _held(raw: bytes, depth: int = 0, cluster: str = "") -> list[tuple[bytes, str, str]]:
    """The audit events and lists of them that a line is, or holds, with their kind and the cluster that is named around them."""
    if depth > DEEPEST or not any(word in raw for word in _OURS):
        return []
    try:
        head = _head(raw) if raw[:1] == b"{" else _Head()
        if head.is_audit:
            return [(raw, head.kind, cluster)] if head.kind in (*EVENT, "EventList") else []
    except _BAD:
        return []
    try:
        cluster = cluster_of(raw) or cluster
        return [found for inner in unwrapped(raw) for found in _held(inner, depth + 1, cluster)]
    except _BAD:
        return []


def version_of(record: Record) -> int | None:
    """The object's resourceVersion after the request, where there is one and it is a number."""
    try:
        meta = _answer(record.response_object).metadata
    except _BAD:
        return None
    text = meta.resource_version if meta else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def body(raw: msgspec.Raw) -> Json:
    """A body as JSON values. Raises msgspec's errors, or RecursionError."""
    decoded: Json = msgspec.json.decode(raw)
    return decoded


def _one(raw: bytes | msgspec.Raw, place: str) -> Record | Rejection:
    try:
        record = _record(raw)
    except _BAD as error:
        return _named(explained(error, place))
    return _checked(record, place)


def _checked(record: Record, place: str) -> Record | Rejection:
    if record.kind not in EVENT or not record.audit_id:
        path = "kind" if record.kind not in EVENT else "auditID"
        return Rejection(
            "missing_field", f"{place}.{path}".lstrip("."), f"no audit event: `{path}` is {clipped(repr(record.kind))}"
        )
    ref, most = record.object_ref or _NONE, NAME_LIMIT // 2
    if record.cluster:  # no event may name its own
        record = replace(record, cluster="")
    if "." in ref.api_group and ref.resource in BUILT_IN:
        ref = replace(ref, resource=in_group(ref.resource, ref.api_group))
        record = replace(record, object_ref=ref)
    if ref.resource == "namespaces" and ref.namespace:  # of itself, says the server, but for its creation
        ref = replace(ref, namespace="")
        record = replace(record, object_ref=ref)
    if (
        len(record.audit_id) > most
        or len(record.user.username) > most
        or len(ref.name) > most
        or len(ref.namespace) > most
        or len(ref.resource) > most
    ):
        return Rejection("too_long", place, f"a name of more than {NAME_LIMIT // 2} characters")
    return record


def _named(rejection: Rejection) -> Rejection:
    """The decoder's words are about CloudEvents; here an object is none of Kubernetes."""
    if rejection.reason != "not_cloudevents":
        return rejection
    return Rejection("wrong_type", rejection.path, "no audit.k8s.io object")
