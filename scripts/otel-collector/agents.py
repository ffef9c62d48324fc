"""A small system of agents, as people instrument them: two that scale the same deployment against each other, a service that they call.

    agents.py ENDPOINT ROUNDS SECONDS    sends spans, metrics and log records over gRPC, a round every so many seconds

Needs opentelemetry-sdk and opentelemetry-exporter-otlp-proto-grpc; knows nothing of interplay.
"""

from __future__ import annotations

import json
import sys
import time

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode


class Process:
    """One process with its three signals."""

    def __init__(self, service: str, endpoint: str) -> None:
        resource = Resource.create(
            {"service.name": service, "service.namespace": "ops", "service.instance.id": "0", "k8s.cluster.name": "prod"}
        )
        to = {"endpoint": endpoint, "insecure": True}
        self.traces = TracerProvider(resource=resource)
        self.traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**to), schedule_delay_millis=500))
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(**to), export_interval_millis=2000)
        self.metrics = MeterProvider(resource=resource, metric_readers=[reader])
        self.logs = LoggerProvider(resource=resource)
        self.logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**to), schedule_delay_millis=500))
        self.tracer = self.traces.get_tracer("agents")
        self.meter = self.metrics.get_meter("agents")
        self.logger = self.logs.get_logger("agents")

    def close(self) -> None:
        """Sends what waits."""
        for provider in (self.traces, self.metrics, self.logs):
            provider.force_flush()
            provider.shutdown()


def tool(process: Process, agent: str, name: str, **arguments: object) -> trace.Span:
    """A tool call's span, to be entered."""
    return process.tracer.start_as_current_span(
        f"execute_tool {name}",
        attributes={
            "gen_ai.operation.name": "execute_tool", "gen_ai.agent.name": agent, "gen_ai.tool.name": name,
            "gen_ai.tool.call.arguments": json.dumps(arguments),
        },
    )  # fmt: skip


def say(process: Process, text: str) -> None:
    """A warning within the current span."""
    context = trace.get_current_span().get_span_context()
    process.logger.emit(
        LogRecord(
            timestamp=time.time_ns(), trace_id=context.trace_id, span_id=context.span_id, trace_flags=context.trace_flags,
            severity_number=SeverityNumber.WARN, severity_text="WARN", body=text,
        )
    )  # fmt: skip


def main() -> int:
    """Plays the rounds."""
    endpoint, rounds, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    scaler, saver, gateway = (Process(name, endpoint) for name in ("perf-scaler", "cost-saver", "gateway"))
    served = gateway.meter.create_counter("gateway.requests", unit="{request}")
    took = gateway.meter.create_histogram("gateway.duration", unit="s")
    load = gateway.meter.create_gauge("gateway.load")
    for number in range(rounds):
        process, agent, replicas = ((scaler, "perf-scaler", 8), (saver, "cost-saver", 2))[number % 2]
        with process.tracer.start_as_current_span(
            f"invoke_agent {agent}", attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent}
        ):
            with (
                tool(process, agent, "scale_replicas", namespace="shop", deployment="cart", replicas=replicas),
                process.tracer.start_as_current_span("PATCH", kind=SpanKind.CLIENT),
                gateway.tracer.start_as_current_span("PATCH /scale", kind=SpanKind.SERVER) as server,
            ):
                with tool(gateway, "gateway", "set_weight", route="cart", weight=10 * replicas):
                    pass
                if number % 7 == 3:
                    server.set_status(Status(StatusCode.ERROR, "quota exceeded"))
                    say(gateway, "quota is nearly used up")
            with process.tracer.start_as_current_span(
                "chat", kind=SpanKind.CLIENT, attributes={"server.address": "llm.example.com"}
            ):
                pass
        served.add(3 + number % 4, {"route": "/scale"})
        took.record(0.01 * (number % 9), {"route": "/scale"})
        load.set(number % 5)
        time.sleep(seconds)
    for process in (scaler, saver, gateway):
        process.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
