"""OTLP requests for tests: written as JSON, turned into protobuf by the official messages; and what the source makes of them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from models.events import AnyEvent
from models.instants import MINUTE, SECOND
from models.rejection import Rejection
from streams.settings import Otlp as OtlpSettings
from streams.settings import Settings
from streams.sources.in_order import translated
from streams.sources.opentelemetry import Otlp
from streams.sources.source import Origin

T = 1_795_557_600 * SECOND
MESSAGES = {
    "resourceSpans": ExportTraceServiceRequest,
    "resourceMetrics": ExportMetricsServiceRequest,
    "resourceLogs": ExportLogsServiceRequest,
}
IDS = ("traceId", "spanId", "parentSpanId")


def attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    """As OTLP writes them in JSON."""
    return [{"key": key, "value": any_value(value)} for key, value in values.items()]


def any_value(value: Any) -> dict[str, Any]:
    """One value in JSON."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": attributes(value)}}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    return {"stringValue": value}


def span(
    name: str,
    number: int,
    parent: int = 0,
    *,
    kind: int = 1,
    start: float = 0.0,
    end: float = 1.0,
    trace: int = 1,
    **fields: Any,
) -> dict[str, Any]:
    """A span; `number` and `parent` are span ids, times are seconds after T; `values` are its attributes."""
    made: dict[str, Any] = {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(at(start)),
        "endTimeUnixNano": str(at(end)),
        "attributes": attributes(fields.pop("values", {})),
        **fields,
    }
    if parent:
        made["parentSpanId"] = f"{parent:016x}"
    return made


def at(seconds: float) -> int:
    """ns."""
    return T + round(seconds * SECOND)


def request(kind: str, items: Sequence[dict[str, Any]], service: str = "cart", **resource: Any) -> dict[str, Any]:
    """An export request of one process; `kind` is traces, metrics or logs. Resource attributes with `_` for `.`."""
    group, scope, item = {
        "traces": ("resourceSpans", "scopeSpans", "spans"),
        "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
        "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    }[kind]
    known = {"service.name": service, **{key.replace("_", "."): value for key, value in resource.items()}}
    return {group: [{"resource": {"attributes": attributes(known)}, scope: [{item: list(items)}]}]}


def as_json(document: dict[str, Any]) -> bytes:
    """As the collector's exporter writes it."""
    return json.dumps(document, separators=(",", ":")).encode()


def as_protobuf(document: dict[str, Any]) -> bytes:
    """By the official messages: ids are base64 in protobuf's own JSON mapping."""
    (group,) = document
    message = MESSAGES[group]()
    json_format.ParseDict(_with_base64(document), message)
    return message.SerializeToString()


def _with_base64(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_base64(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: b64encode(bytes.fromhex(inner)).decode() if key in IDS and isinstance(inner, str) else _with_base64(inner)
        for key, inner in value.items()
    }


def told(*records: bytes, settings: OtlpSettings | None = None, counts: Counter[str] | None = None) -> list[AnyEvent | Rejection]:
    """What becomes of records, in the order in which it comes."""
    source = Otlp(Settings(otlp=settings or OtlpSettings()), Origin("prod", "shop"))
    numbered = ((number, record) for number, record in enumerate(records, 1))
    return [found for _, found in translated(numbered, source, 30 * MINUTE, Counter() if counts is None else counts)]


def both(*documents: dict[str, Any], settings: OtlpSettings | None = None) -> list[AnyEvent | Rejection]:
    """What becomes of requests, the same from either encoding."""
    by_json = told(*map(as_json, documents), settings=settings)
    assert told(*map(as_protobuf, documents), settings=settings) == by_json
    return by_json
