"""AKS' audit rows of Log Analytics (tables AKSAudit and AKSAuditAdmin) as the audit events that they were made of.

    {"AuditId": "...", "Verb": "patch", "User": "{\\"username\\": ...}", "RequestObject": "{...}", "StageReceivedTime": "..."}

A column of type `dynamic` is an object, or its text: that depends on who exports. Columns:
https://learn.microsoft.com/azure/azure-monitor/reference/tables/aksaudit. Written from the documentation; no recording was at hand.
"""

from __future__ import annotations

import msgspec

_ABSENT = msgspec.Raw(b"null")


class _Row(msgspec.Struct, rename="pascal"):
    audit_id: str
    verb: str
    stage: str = "ResponseComplete"
    level: str = ""
    request_uri: str = ""
    user_agent: str = ""
    stage_received_time: str = ""
    time_generated: str = ""
    user: msgspec.Raw = _ABSENT
    impersonated_user: msgspec.Raw = _ABSENT
    source_ips: msgspec.Raw = _ABSENT
    object_ref: msgspec.Raw = _ABSENT
    response_status: msgspec.Raw = _ABSENT
    request_object: msgspec.Raw = _ABSENT
    response_object: msgspec.Raw = _ABSENT
    annotations: msgspec.Raw = _ABSENT


_row = msgspec.json.Decoder(_Row).decode
_text = msgspec.json.Decoder(str).decode


def as_audit(raw: bytes) -> bytes:
    """The audit event of a row. Raises what decoding raises."""
    row = _row(raw)
    return msgspec.json.encode(
        {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": row.level,
            "auditID": row.audit_id,
            "stage": row.stage,
            "requestURI": row.request_uri,
            "verb": row.verb,
            "userAgent": row.user_agent,
            "stageTimestamp": row.stage_received_time or row.time_generated,
            "user": _object(row.user),
            "impersonatedUser": _object(row.impersonated_user),
            "sourceIPs": _object(row.source_ips),
            "objectRef": _object(row.object_ref),
            "responseStatus": _object(row.response_status),
            "requestObject": _object(row.request_object),
            "responseObject": _object(row.response_object),
            "annotations": _object(row.annotations),
        }
    )


def _object(column: msgspec.Raw) -> msgspec.Raw:
    """The object, or list; null where it is empty, or the word for what was too big."""
    value = bytes(column)
    if value[:1] == b'"':
        value = _text(value).strip().encode()
    return msgspec.Raw(value) if value[:1] in (b"{", b"[") else _ABSENT
