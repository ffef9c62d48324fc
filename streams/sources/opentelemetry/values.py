"""Attributes and bodies: OTLP's AnyValue in either encoding as plain values, looked up by their bytes where the same came before.

A number that JSON does not have (NaN, Infinity) is its text, bytes are base64. Of a key that occurs twice, the last counts.
"""

from __future__ import annotations

import math
from array import array
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import msgspec
from google.protobuf.message import Message

from streams.sources.opentelemetry.protobuf import reader
from streams.sources.opentelemetry.shape import Encoded, Real, Whole

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Attributes: TypeAlias = dict[str, Json]
Pair: TypeAlias = tuple[str, Json]
Scope: TypeAlias = tuple[str, str, Attributes]  # name, version, attributes of an instrumentation

REMEMBERED = 20_000  # pairs; each is a few hundred bytes
_INTEGERS = 1 << 63
SHORT = 512  # bytes; longer ones (prompts, arguments) do not come twice


class Memo(dict[bytes, Pair]):
    """The pairs that came before, by their bytes; `memo[raw]` decodes what is new. Forgets all when full: an answer never depends on it."""

    def __init__(self, decode: Callable[[bytes], Pair]) -> None:
        super().__init__()
        self._decode = decode

    def __missing__(self, raw: bytes) -> Pair:
        pair = self._decode(raw)
        if len(raw) <= SHORT:
            if len(self) >= REMEMBERED:
                self.clear()
            self[raw] = pair
        return pair


class ArrayValue(msgspec.Struct, frozen=True, gc=False):
    """A list."""

    values: tuple[AnyValue, ...] = ()


class KeyValueList(msgspec.Struct, frozen=True, gc=False):
    """A map."""

    values: tuple[KeyValue, ...] = ()


class AnyValue(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One value: of the fields, at most one is there."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: Whole | None = None
    double_value: Real | None = None
    array_value: ArrayValue | None = None
    kvlist_value: KeyValueList | None = None
    bytes_value: str | None = None


class KeyValue(msgspec.Struct, frozen=True, gc=False):
    """One attribute."""

    key: str = ""
    value: AnyValue = AnyValue()


class _Resource(msgspec.Struct, frozen=True, gc=False):
    attributes: tuple[msgspec.Raw, ...] = ()


class _Scope(msgspec.Struct, frozen=True, gc=False):
    name: str = ""
    version: str = ""
    attributes: tuple[msgspec.Raw, ...] = ()


_pair, _value, _resource, _scope = (reader(name) for name in ("KeyValue", "AnyValue", "Resource", "Scope"))
_json_pair = msgspec.json.Decoder(KeyValue).decode
_json_value = msgspec.json.Decoder(AnyValue).decode
_json_scope = msgspec.json.Decoder(_Scope).decode
_json_resource = msgspec.json.Decoder(_Resource).decode
_json_counts = msgspec.json.Decoder(list[int], strict=False).decode  # 64-bit integers are texts in JSON
_json_reals = msgspec.json.Decoder(list[Real]).decode


def real(value: Real) -> float:
    """A double, of which JSON writes some as text. Raises ValueError on another text."""
    return float(value)


def _plain(number: float) -> Json:
    return number if math.isfinite(number) else str(number)


def from_json(value: AnyValue) -> Json:
    """The plain value. Raises ValueError on a number that is none."""
    if value.string_value is not None:
        return value.string_value
    if value.int_value is not None:
        number = int(value.int_value)
        if not -_INTEGERS <= number < _INTEGERS:
            raise ValueError(f"intValue is beyond 64 bits: {str(number)[:40]}")
        return number
    if value.bool_value is not None:
        return value.bool_value
    if value.double_value is not None:
        return _plain(real(value.double_value))
    if value.array_value is not None:
        return [from_json(item) for item in value.array_value.values]
    if value.kvlist_value is not None:
        return {item.key: from_json(item.value) for item in value.kvlist_value.values}
    return value.bytes_value


def from_protobuf(message: Message) -> Json:
    """The plain value."""
    kind = message.WhichOneof("data")
    if kind is None:
        return None
    value = getattr(message, kind)
    if kind == "array_value":
        return [from_protobuf(item) for item in value.values]
    if kind == "kvlist_value":
        return {item.key: from_protobuf(item.value) for item in value.values}
    if kind == "double_value":
        return _plain(value)
    if kind == "bytes_value":
        return b64encode(value).decode()
    return cast(Json, value)


def _pair_of_protobuf(raw: bytes) -> Pair:
    message = _pair(raw)
    return message.key, from_protobuf(message.value)


def _pair_of_json(raw: bytes) -> Pair:
    pair = _json_pair(raw)
    return pair.key, from_json(pair.value)


class ProtobufValues:
    """Reads attributes, bodies and resources of protobuf. Raises DecodeError."""

    protobuf = True

    def __init__(self) -> None:
        self._memo = Memo(_pair_of_protobuf)
        self._bodies = Memo(lambda raw: ("", from_protobuf(_value(raw))))

    def attributes(self, raws: tuple[msgspec.Raw, ...]) -> Attributes:
        """Of a repeated field, which holds bytes here."""
        return dict(map(self._memo.__getitem__, cast("tuple[bytes, ...]", raws)))

    def value(self, raw: Encoded) -> Json:
        """A body."""
        return self._bodies[bytes(raw)][1]

    def resource(self, raw: Encoded) -> Attributes:
        """The attributes of a Resource."""
        return self.attributes(_resource(bytes(raw)).attributes)

    def scope(self, raw: Encoded) -> Scope:
        """What an InstrumentationScope says."""
        scope = _scope(bytes(raw))
        return scope.name, scope.version, self.attributes(scope.attributes)

    def counts(self, field: Encoded) -> Sequence[int]:
        """Of a repeated field: as an array, since there are many points of many buckets."""
        return array("Q", field)

    def reals(self, field: Encoded) -> list[float]:
        """Of a repeated field."""
        return list(map(float, field))

    def unread(self, field: Encoded) -> bytes | tuple[Real, ...]:
        """What the same numbers have in common."""
        return tuple(field)


class JsonValues:
    """Reads attributes, bodies and resources of JSON. Raises msgspec's errors and ValueError."""

    protobuf = False

    def __init__(self) -> None:
        self._memo = Memo(_pair_of_json)
        self._bodies = Memo(lambda raw: ("", from_json(_json_value(raw))))

    def attributes(self, raws: tuple[msgspec.Raw, ...]) -> Attributes:
        """Of a list of attributes."""
        return dict(map(self._memo.__getitem__, map(bytes, raws)))

    def value(self, raw: Encoded) -> Json:
        """A body; a missing one is none."""
        encoded = bytes(raw)
        return self._bodies[encoded][1] if encoded else None

    def resource(self, raw: Encoded) -> Attributes:
        """The attributes of a Resource; a missing one has none."""
        return self.attributes(_json_resource(raw).attributes) if bytes(raw) else {}

    def scope(self, raw: Encoded) -> Scope:
        """What an InstrumentationScope says; a missing one has no name."""
        scope = _json_scope(raw) if bytes(raw) else _Scope()
        return scope.name, scope.version, self.attributes(scope.attributes)

    def counts(self, field: Encoded) -> Sequence[int]:
        """Of a list: as an array, since there are many points of many buckets."""
        return array("Q", _json_counts(field)) if bytes(field) else ()

    def reals(self, field: Encoded) -> list[float]:
        """Of a list."""
        return list(map(real, _json_reals(field))) if bytes(field) else []

    def unread(self, field: Encoded) -> bytes | tuple[Real, ...]:
        """What the same numbers have in common."""
        return bytes(field)


Values: TypeAlias = ProtobufValues | JsonValues
