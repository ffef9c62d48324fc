"""Audit events as clusters' providers and log shippers hand them on: within a field of something else, often as a text.

EKS, from CloudWatch   {"logEvents": [{"message": "{\\"kind\\":\\"Event\\", ...}"}]} by subscription; "events" of aws logs get-log-events
AKS, from Azure        {"records": [{"category": "kube-audit", "properties": {"log": "{...}"}}]}
fluent-bit, Vector     {"log": "{...}"}, {"message": "{...}"}, {"event": {"original": "{...}"}}
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from streams.sources.kubernetes.google import as_audit

_ABSENT = msgspec.Raw(b"null")


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
    proto_payload: msgspec.Raw = msgspec.field(name="protoPayload", default=_ABSENT)


_wrapper = msgspec.json.Decoder(_Wrapper).decode
_text = msgspec.json.Decoder(str).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def unwrapped(raw: bytes) -> Iterator[bytes]:
    """The objects that are directly within. Raises what decoding raises."""
    wrapper = _wrapper(raw)
    if bytes(wrapper.proto_payload)[:1] == b"{":
        entry = as_audit(raw)
        yield from (entry,) if entry else ()
        return
    for name in wrapper.__struct_fields__:
        inner = bytes(getattr(wrapper, name))
        if inner[:1] == b'"':
            text = _text(inner).strip().encode()
            if text[:1] == b"{":
                yield text
        elif inner[:1] == b"{":
            yield inner
        elif inner[:1] == b"[":
            yield from (bytes(each) for each in _list(inner))
