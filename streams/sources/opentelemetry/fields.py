"""Fields that the two encodings write differently, levelled: ids, times, enumerations. Each raises Rejected on what is none."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping

from models.instants import EARLIEST, LATEST
from models.rejection import Rejected
from streams.sources.opentelemetry.shape import Whole, Word

# What some write where there is no id: the specification calls zeros invalid.
NO_ID = frozenset(zeros for size in (8, 16) for zeros in (bytes(size), bytes(size).hex(), b64encode(bytes(size)).decode()))
_NO_TRACE, _NO_SPAN, _NO_BYTES = "0" * 32, "0" * 16, bytes(16)


def span_name(trace_id: str | bytes, span_id: str | bytes, trace_field: str = "traceId", span_field: str = "spanId") -> str:
    """ "<trace id>-<span id>", as `identifier` writes them. Raises Rejected."""
    if len(trace_id) == 32 and len(span_id) == 16:  # nearly always in JSON: both at once
        try:
            digits = bytes.fromhex(trace_id + span_id).hex()  # type: ignore[operator, arg-type]  # of one encoding; a TypeError if not text
        except (ValueError, TypeError):
            digits = ""  # told below, with its field
        trace, span = digits[:32], digits[32:]
        if len(span) == 16 and trace != _NO_TRACE and span != _NO_SPAN:
            return f"{trace}-{span}"
    elif (
        isinstance(trace_id, bytes) and isinstance(span_id, bytes) and len(trace_id) == 16 and len(span_id) == 8
        and trace_id != _NO_BYTES and span_id != _NO_BYTES[:8]
    ):  # fmt: skip
        return f"{trace_id.hex()}-{span_id.hex()}"
    return f"{identifier(trace_id, 16, trace_field)}-{identifier(span_id, 8, span_field)}"


def identifier(value: str | bytes, size: int, field: str) -> str:
    """An id of `size` bytes as lower-case hexadecimal. JSON has that, or base64 as protobuf's own mapping writes it. Raises Rejected."""
    if not value or value in NO_ID:
        raise Rejected("missing_field", field, f"`{field}` is required, and zeros are none")
    if isinstance(value, bytes):
        if len(value) == size:
            return value.hex()
    elif len(value) == 2 * size:
        try:
            digits = bytes.fromhex(value).hex()  # takes spaces for nothing
        except ValueError:
            digits = ""  # rejected below, with what it is
        if len(digits) == 2 * size:
            return digits
    else:
        try:
            return _from_base64(value, size)
        except ValueError:
            pass  # rejected below, with what it is
    raise Rejected("wrong_type", field, f"`{field}` is no id of {size} bytes: {str(value)[:40]!r}")


def _from_base64(value: str, size: int) -> str:
    raw = b64decode(value, validate=True)
    if len(raw) != size:
        raise ValueError(value)
    return raw.hex()


def moment(value: Whole, field: str) -> int:
    """ns since 1970. Raises Rejected."""
    try:
        time = int(value)
    except ValueError:
        raise Rejected("bad_time", field, f"`{field}` is no count of nanoseconds: {str(value)[:40]!r}") from None
    if EARLIEST < time < LATEST:
        return time
    if not time:
        raise Rejected("missing_field", field, f"`{field}` is required")
    raise Rejected("time_out_of_range", field, f"`{field}` lies outside 1970-2262: {time}")


def enumeration(prefix: str, names: Mapping[str, int]) -> Mapping[Word, int]:
    """An enumeration's numbers by whatever writes them: the number, the name, or the name without its prefix. Those that are not in it are
    unknown, and as good as 0: the specification asks that of receivers."""
    return {spelt: number for name, number in names.items() for spelt in (number, name, prefix + name)}
