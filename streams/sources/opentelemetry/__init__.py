"""OpenTelemetry as a source: spans, metrics and log records, as OTLP in protobuf or JSON (docs/opentelemetry.md)."""

from streams.sources.opentelemetry.files import recognised, records
from streams.sources.opentelemetry.source import Otlp
from streams.sources.source import Kind

OTLP = Kind(
    recognised,
    Otlp,
    "items",
    "spans, log records and metrics",
    records,
    lambda settings: settings.otlp.topology,
    {
        "writes_without_arguments": "tool calls in it are writes by their names, but what they wrote is not recorded: let the "
        "instrumentation record the arguments, often by OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT (docs/opentelemetry.md)",
        "tool_calls_without_event": "no rule of the settings makes a write or a read of the tool calls in it, and their names do not begin "
        "like a write: [[otlp.action]] says what they do (docs/opentelemetry.md)",
    },
    {
        "named_by_their_run": "writes in it have their agent's name from a run that ended long after them; a worker would call them "
        "their service's, unless `otlp.run` is as long as a run lasts (docs/opentelemetry.md)",
    },
)

__all__ = ["OTLP", "Otlp", "recognised"]
