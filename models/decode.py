"""CloudEvents JSON to events, or the reason why not (see `rejection`). Pure, and never raises on bad input.

    decode_event(b'{"specversion": "1.0", "id": "a1", ...}')  ->  Action | ... | Rejection

Of a key that occurs twice, the last counts. That a time lies too far ahead is for `reduction` to say, which knows when the record came.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from models import wire
from models.conversion import converted
from models.events import AnyEvent
from models.rejection import Rejected, Rejection, explained

__all__ = ["Rejection", "decode_batch", "decode_binary", "decode_event"]

BATCH_LIMIT = 10_000  # events; a valid one takes over 100 bytes, so no more fit into a record of 1 MiB

_event = msgspec.json.Decoder(wire.WireEvent).decode
_versioned = msgspec.json.Decoder(wire.Versioned).decode
_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_one_value = msgspec.json.Decoder(msgspec.Raw).decode
_encode = msgspec.json.encode

_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # what msgspec raises on bad bytes


def decode_event(raw: bytes | msgspec.Raw) -> AnyEvent | Rejection:
    """One CloudEvents object in structured mode."""
    try:
        return converted(_event(raw))
    except Rejected as rejected:
        return rejected.rejection
    except _BAD as error:
        rejection = explained(error)
        return rejection if rejection.path != "type" else _unversioned(raw) or rejection


def decode_batch(raw: bytes) -> list[AnyEvent | Rejection]:
    """A JSON array of CloudEvents; only the bad elements are rejected, each with its place in the path: `[3].data.agent`."""
    try:
        elements = _elements(raw)
    except _BAD as error:
        why = explained(error)
        return [Rejection("batch_not_array", "", why.detail) if why.reason == "not_cloudevents" else why]
    if len(elements) > BATCH_LIMIT:
        return [Rejection("too_large", "", f"{len(elements):,} elements in a batch, at most {BATCH_LIMIT:,}")]
    found = [decode_event(element) for element in elements]
    return [_placed(event, i) if isinstance(event, Rejection) else event for i, event in enumerate(found)]


def decode_binary(attributes: Mapping[str, str], data: bytes) -> AnyEvent | Rejection:
    """Binary mode: attributes without their `ce_` prefix, the data as JSON. Here a list of causes is JSON in the attribute's text."""
    path = "data"
    try:
        fields = {**attributes, "data": _one_value(data or b"null")}  # checked: two values would else run on into the attributes
        path = "causationid"
        if attributes.get(path, "").startswith("["):
            fields[path] = _one_value(attributes[path])
    except _BAD as error:
        return explained(error, path)
    return decode_event(_encode(fields))


def _unversioned(raw: bytes | msgspec.Raw) -> Rejection | None:
    """Without a type that we know: whether it is a CloudEvent at all."""
    try:
        _versioned(raw)
    except _BAD as error:
        return explained(error)
    return None


def _placed(rejection: Rejection, index: int) -> Rejection:
    path = f"[{index}].{rejection.path}" if rejection.path else f"[{index}]"
    return Rejection(rejection.reason, path, rejection.detail)
