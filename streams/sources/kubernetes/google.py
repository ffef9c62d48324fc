"""GKE's audit log entries (Cloud Logging, `protoPayload`) as the audit events that they were made of.

    methodName    io.k8s.apps.v1.deployments.scale.update               ─►  verb
    resourceName  apps/v1/namespaces/shop/deployments/cart/scale        ─►  objectRef
    status.code   of gRPC, absent where all is well                     ─►  responseStatus.code

Format: https://cloud.google.com/kubernetes-engine/docs/how-to/audit-logging. Written from the documentation; no recording was at hand.
"""

from __future__ import annotations

import msgspec

_ABSENT = msgspec.Raw(b"null")
CODES = {3: 422, 5: 404, 6: 409, 7: 403, 8: 429, 9: 409, 10: 409, 13: 500, 14: 503, 16: 401}  # gRPC -> HTTP


class _Who(msgspec.Struct, rename="camel"):
    principal_email: str = ""


class _Asked(msgspec.Struct, rename="camel"):
    caller_ip: str = ""
    caller_supplied_user_agent: str = ""


class _Answered(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Payload(msgspec.Struct, rename="camel"):
    method_name: str
    resource_name: str
    service_name: str = ""
    authentication_info: _Who = msgspec.field(default_factory=_Who)
    request_metadata: _Asked = msgspec.field(default_factory=_Asked)
    status: _Answered = msgspec.field(default_factory=_Answered)
    request: msgspec.Raw = _ABSENT
    response: msgspec.Raw = _ABSENT


class _Entry(msgspec.Struct, rename="camel"):
    proto_payload: _Payload
    insert_id: str
    timestamp: str


_entry = msgspec.json.Decoder(_Entry).decode


def as_audit(raw: bytes) -> bytes | None:
    """The audit event of a log entry; None for one of another service. Raises what decoding raises."""
    entry = _entry(raw)
    payload = entry.proto_payload
    if payload.service_name != "k8s.io":
        return None
    verb = payload.method_name.rpartition(".")[2]
    code = CODES.get(payload.status.code, 500) if payload.status.code else 201 if verb == "create" else 200
    return msgspec.json.encode(
        {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "auditID": entry.insert_id,
            "stage": "ResponseComplete",
            "verb": verb,
            "user": {"username": payload.authentication_info.principal_email},
            "sourceIPs": [payload.request_metadata.caller_ip] if payload.request_metadata.caller_ip else [],
            "userAgent": payload.request_metadata.caller_supplied_user_agent,
            "objectRef": _ref(payload.resource_name),
            "responseStatus": {"code": code, "message": payload.status.message},
            "stageTimestamp": entry.timestamp,
            "requestObject": payload.request,
            "responseObject": payload.response,
        }
    )


def _ref(name: str) -> dict[str, str]:
    group, _, rest = name.partition("/")
    parts = rest.split("/")[1:]  # the version
    namespace = ""
    if len(parts) > 2 and parts[0] == "namespaces":
        namespace, parts = parts[1], parts[2:]
    resource, object_name, *sub = [*parts, "", ""][: max(2, len(parts))]
    return {
        "apiGroup": "" if group == "core" else group,
        "resource": resource,
        "namespace": namespace,
        "name": object_name,
        "subresource": "/".join(sub),
    }
