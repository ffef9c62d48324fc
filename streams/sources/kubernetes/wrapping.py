"""Audit events as clusters' providers and log shippers hand them on: within a field of something else, often as a text.

EKS, from CloudWatch   {"logEvents": [{"message": "{\\"kind\\":\\"Event\\", ...}"}]} by subscription; "events" of aws logs get-log-events,
                       "results" of Logs Insights: [[{"field": "@message", "value": "{...}"}]]
AKS, from Azure        {"records": [{"category": "kube-audit", "properties": {"log": "{...}"}}]}, {"log_s": "{...}"} of Log Analytics, or
                       a column each, {"AuditId": ..., "Verb": ..., "ObjectRef": "{...}"} (`azure`)
fluent-bit, Vector     {"log": "{...}"}, {"log_processed": {...}}, {"message": "{...}"}, {"event": {"original": "{...}"}}
Loki                   {"line": "{...}"} of logcli, {"streams": [{"values": [["1795514400000000000", "{...}"]]}]} of its API
Splunk, Elastic        {"result": {"_raw": "{...}"}}, {"_source": {"message": "{...}"}}, {"kubernetes": {"audit": {...}}}
journald               {"MESSAGE": "{...}"}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from streams.sources.kubernetes import azure, google

_ABSENT = msgspec.Raw(b"null")
_EKS = re.compile(r"/aws/eks/([A-Za-z0-9._-]{1,100})/cluster")
_AKS = re.compile(r"/managedclusters/([a-z0-9._-]{1,100})$")
_GKE = re.compile(r"[a-z0-9-]{1,100}")
_SAYS = b"logGroup", b"esourceId", b"cluster_name"


class _Wrapper(msgspec.Struct):
    """The fields that may hold an event, a text of one, or a list of such wrappers."""

    message: msgspec.Raw = _ABSENT
    at_message: msgspec.Raw = msgspec.field(name="@message", default=_ABSENT)
    log: msgspec.Raw = _ABSENT
    properties: msgspec.Raw = _ABSENT
    records: msgspec.Raw = _ABSENT
    log_events: msgspec.Raw = msgspec.field(name="logEvents", default=_ABSENT)
    events: msgspec.Raw = _ABSENT
    event: msgspec.Raw = _ABSENT
    original: msgspec.Raw = _ABSENT
    body: msgspec.Raw = _ABSENT
    log_processed: msgspec.Raw = _ABSENT
    log_s: msgspec.Raw = _ABSENT
    line: msgspec.Raw = _ABSENT
    data: msgspec.Raw = _ABSENT
    streams: msgspec.Raw = _ABSENT
    values: msgspec.Raw = _ABSENT
    results: msgspec.Raw = _ABSENT
    value: msgspec.Raw = _ABSENT
    result: msgspec.Raw = _ABSENT
    raw: msgspec.Raw = msgspec.field(name="_raw", default=_ABSENT)
    source: msgspec.Raw = msgspec.field(name="_source", default=_ABSENT)
    kubernetes: msgspec.Raw = _ABSENT
    audit: msgspec.Raw = _ABSENT
    payload: msgspec.Raw = _ABSENT
    journal: msgspec.Raw = msgspec.field(name="MESSAGE", default=_ABSENT)
    audit_id: msgspec.Raw = msgspec.field(name="AuditId", default=_ABSENT)
    proto_payload: msgspec.Raw = msgspec.field(name="protoPayload", default=_ABSENT)


class _Labels(msgspec.Struct):
    cluster_name: str = ""


class _Resource(msgspec.Struct):
    labels: _Labels = msgspec.field(default_factory=_Labels)


class _Where(msgspec.Struct, rename="camel"):
    """The fields of a wrapper that say of which cluster its events are: of EKS, AKS and GKE."""

    log_group: str = ""
    resource_id: str = ""
    analytics_id: str = msgspec.field(name="_ResourceId", default="")
    resource: _Resource = msgspec.field(default_factory=_Resource)


_where = msgspec.json.Decoder(_Where).decode
_wrapper = msgspec.json.Decoder(_Wrapper).decode
_text = msgspec.json.Decoder(str).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def cluster_of(raw: bytes) -> str:
    """The cluster that a wrapper names; "" where it names none."""
    if raw[:1] != b"{" or not any(word in raw for word in _SAYS):
        return ""
    try:
        where = _where(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if found := _EKS.search(where.log_group) or _AKS.search((where.resource_id or where.analytics_id).lower()):
        return found[1]
    name = where.resource.labels.cluster_name
    return name if _GKE.fullmatch(name) else ""


def unwrapped(raw: bytes) -> Iterator[bytes]:
    """The objects and lists that are directly within. Raises what decoding raises."""
    if raw[:1] == b"[":
        yield from _elements(raw)
        return
    wrapper = _wrapper(raw)
    if bytes(wrapper.proto_payload)[:1] == b"{":
        entry = google.as_audit(raw)
        yield from (entry,) if entry else ()
        return
    if bytes(wrapper.audit_id)[:1] == b'"':
        yield azure.as_audit(raw)
        return
    for name in wrapper.__struct_fields__:
        inner = bytes(getattr(wrapper, name))
        yield from _elements(inner) if inner[:1] == b"[" else _element(inner)


def _elements(listed: bytes) -> Iterator[bytes]:
    for each in _list(listed):
        yield from _element(bytes(each))


def _element(inner: bytes) -> Iterator[bytes]:
    if inner[:1] == b'"':
        inner = _text(inner).strip().encode()
    if inner[:1] in (b"{", b"["):
        yield inner
