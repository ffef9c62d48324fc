"""OpenTelemetry as a source: spans, metrics and log records, as OTLP in protobuf or JSON (docs/opentelemetry.md)."""

from streams.sources.opentelemetry.files import recognised, records
from streams.sources.opentelemetry.source import Otlp
from streams.sources.source import Kind

OTLP = Kind(recognised, Otlp, "items", "spans, log records and metrics", records, lambda settings: settings.otlp.topology)

__all__ = ["OTLP", "Otlp", "recognised"]
