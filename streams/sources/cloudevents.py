"""Native CloudEvents on Kafka: structured mode, batch mode and binary mode (Kafka protocol binding 1.0.2), told apart by their headers.

A record without headers is structured mode, or a batch where its first byte is `[`: files and simple producers need no headers.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.decode import Rejection, decode_batch, decode_binary, decode_event
from models.events import AnyEvent

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def decode_record(value: bytes | None, headers: Sequence[tuple[str, bytes]], record_limit: int) -> list[AnyEvent | Rejection]:
    """The events of one record. `record_limit` is in bytes."""
    if not value and not any(name.lower().startswith("ce_") for name, _ in headers):
        return [Rejection("not_json", "", "the record has no value")]
    value = value or b""
    size = len(value) + sum(len(name) + len(raw) for name, raw in headers)
    if size > record_limit:
        return [Rejection("too_large", "", f"{size:,} bytes, at most {record_limit:,}")]
    if not headers:
        return _by_first_byte(value)
    content = attributes = None
    for name, raw in headers:
        lowered = name.lower()
        if lowered == "content-type":
            content = raw.decode("latin-1").partition(";")[0].strip().lower()
        elif lowered.startswith("ce_"):
            attributes = attributes or {}
            try:
                attributes[lowered[3:]] = raw.decode()
            except UnicodeDecodeError:
                return [Rejection("wrong_type", lowered[3:], f"the header {lowered[:80]} is not UTF-8")]
    if content == BATCH:
        return decode_batch(value)
    if content == STRUCTURED or attributes is None:
        return [decode_event(value)] if content == STRUCTURED else _by_first_byte(value)
    if content not in (None, "application/json") and not (content or "").endswith("+json"):
        return [Rejection("not_json", "datacontenttype", f"the data is {content!r}, not JSON")]
    return [decode_binary(attributes, value)]


def _by_first_byte(value: bytes) -> list[AnyEvent | Rejection]:
    return decode_batch(value) if value.lstrip()[:1] == b"[" else [decode_event(value)]
