"""Why a record is no event, in few and stable words: they label a counter and are a header of the dead letter.

| reason | meaning |
|---|---|
| `not_json` | not one JSON value in UTF-8 (NaN, Infinity and lone surrogates are not JSON) |
| `too_deep` | nested more deeply than any event |
| `not_otlp` | neither OTLP in protobuf nor in JSON; or a `raw` log record, which says neither when nor where |
| `not_cloudevents` | no object, or no `specversion` "1.0" |
| `unknown_type` | a CloudEvent of a `type` that is not ours |
| `missing_field` | a required field is missing or empty |
| `wrong_type` | a field holds another type, an unknown word of a closed set, or a number beyond a float |
| `too_long` | a name of more than 512 characters, a value of more than 4096, or a list with more members than any event needs |
| `bad_time`, `time_out_of_range` | not RFC 3339; outside 1970-2262 |
| `batch_not_array` | batch mode, and not a JSON array |
| `too_large` | above the limit of bytes, or of events in a batch |
"""

from __future__ import annotations

import re

import msgspec

from models.wire import TYPES

DETAIL_LIMIT = 300  # characters: parts of the record may be in the detail, and records can be large

_AT = " - at `$"
_MISSING = re.compile(r"Object missing required field `([^`]*)`")


class Rejection(msgspec.Struct, frozen=True):
    """Why a record is no event: a stable reason, the field (such as `data.reads[0].resource`), and a sentence for people."""

    reason: str
    path: str
    detail: str


class Rejected(Exception):
    """A rejection on its way out of the decoder; never leaves it."""

    def __init__(self, reason: str, path: str, detail: str) -> None:
        super().__init__(reason)
        self.rejection = Rejection(reason, path, clipped(detail))


def clipped(detail: str) -> str:
    """A detail of bounded length."""
    return detail if len(detail) <= DETAIL_LIMIT else detail[: DETAIL_LIMIT - 3] + "..."


def explained(error: Exception, path: str = "") -> Rejection:
    """An error of msgspec's decoder as a rejection; `path` is where in the event the decoder began."""
    if isinstance(error, RecursionError):
        return Rejection("too_deep", path, "nested more deeply than any event")
    if isinstance(error, UnicodeDecodeError):
        return Rejection("not_json", path, f"not UTF-8 at byte {error.start}")
    if not isinstance(error, msgspec.ValidationError):
        return Rejection("not_json", path, clipped(f"not JSON: {error}"))
    # The place is last; what stands before it may quote the record, so it is looked for from the end.
    what, at, place = str(error).rpartition(_AT)
    if at and place.endswith("`") and "`" not in place[:-1]:
        return _invalid(what, (path + place[:-1]).lstrip("."))
    return _invalid(str(error), path)


def _invalid(what: str, path: str) -> Rejection:
    missing = _MISSING.match(what)
    if missing:
        path = f"{path}.{missing[1]}".lstrip(".")
        if path == "specversion":
            return Rejection("not_cloudevents", path, "not a CloudEvents object: `specversion` is missing")
        return Rejection("missing_field", path, f"`{path}` is required")
    if path in ("", "specversion"):
        return Rejection("not_cloudevents", path, clipped(f"not a CloudEvents 1.0 object: {what}"))
    if "length >= 1" in what[:60] or (path == "type" and what == "Invalid value ''"):
        return Rejection("missing_field", path, f"`{path}` must not be empty")
    if "length <= " in what:
        return Rejection("too_long", path, clipped(what))
    if path == "type" and what.startswith("Invalid value "):
        return Rejection("unknown_type", path, f"unknown type {clipped(what[14:94])}; known are {', '.join(TYPES)}")
    return Rejection("wrong_type", path, clipped(what))
