"""The story that every recording in tests/data/agent_spans tells, and how it becomes a file.

The frameworks run for real; only the model is scripted. It would answer at once where a real one takes seconds, so the time within a
turn is stretched, and turns are a minute apart. The file is what the Collector's file exporter writes, OTLP in JSON, but trimmed: without
spans of nothing but models, and without long attributes that no convention of tool calls names.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from base64 import b64decode
from pathlib import Path

from google.protobuf import json_format
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

T = 1_795_557_600 * 10**9
STRETCH = 300
MODEL, TOOL = 0.02, 0.004  # s: 6 s and 1.2 s when stretched
IDS = ("traceId", "spanId", "parentSpanId")
LONG = 300  # characters of an attribute that is kept whoever wrote it
MODELS = {"chat", "generate_content", "LLM", "Chat completion with {gen_ai.request.model!r}"}  # what spans of models say
CALLS = {"execute_tool", "tools/call", "TOOL", "tool", "Function: {name}"}  # and those of tool calls
CONTENT = (
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "input.value",
    "output.value",
    "metadata",
    "traceloop.entity.input",
    "traceloop.entity.output",
)
DROPPED = ("code.", "logfire.json_schema", "tool.parameters", "traceloop.association.properties.langgraph", "gen_ai.usage.")
A, C, SEES = "autoscaler", "cost_optimizer", "observer"


def scale(service, replicas, reason):
    """A tool call of the script."""
    return "scale_service", {"service": service, "replicas": replicas, "reason": reason}


def look(service):
    """A tool call of the script."""
    return "get_replicas", {"service": service}


UP, DOWN = scale("cart", 8, "p95 is high"), scale("cart", 3, "too expensive")
STORIES = {  # turns: (agent, the tool calls that its model makes, step by step, those of one step at once)
    "fight": [
        (A, [[look("cart")], [UP]]),
        (C, [[look("cart")], [DOWN]]),
        (SEES, [[look("cart"), look("checkout")]]),
        (A, [[look("cart"), UP]]),
        (C, [[DOWN]]),
        (SEES, [[look("cart")]]),
        (A, [[UP, scale("checkout", 5, "p95 is high")]]),
        (C, [[DOWN]]),
        (A, [[UP]]),
        (C, [[DOWN]]),
    ],
    "quiet": [  # each has a service of its own, one call fails, and one only looks
        (A, [[look("cart")], [scale("cart", 5, "load")]]),
        (C, [[look("checkout")], [scale("checkout", 3, "load")]]),
        (SEES, [[look("cart"), look("checkout")]]),
        (A, [[look("cart"), look("checkout")], [scale("cart", 99, "load")]]),
        (C, [[look("checkout"), look("cart")]]),
        (A, [[scale("cart", 6, "load")]]),
        (C, [[scale("checkout", 3, "load")]]),
        (SEES, [[look("cart")]]),
    ],
}
_replicas = {"cart": 4, "checkout": 4}


def scale_service(service: str, replicas: int, reason: str = "") -> str:
    """Sets how many replicas a service runs.

    Args:
        service: its name
        replicas: how many
        reason: why
    """
    time.sleep(TOOL)
    if replicas > 50:
        raise RuntimeError("quota of 50 replicas exceeded")
    before, _replicas[service] = _replicas[service], replicas
    return json.dumps({"service": service, "previous_replicas": before, "replicas": replicas})


def get_replicas(service: str) -> str:
    """Tells how many replicas a service runs.

    Args:
        service: its name
    """
    time.sleep(TOOL)
    return json.dumps({"service": service, "replicas": _replicas[service]})


class Recorder(SpanExporter):
    """Keeps the spans of each turn."""

    def __init__(self) -> None:
        self.turns: list[tuple[int, list]] = []  # (ns when it began, its spans)

    def export(self, spans):
        """See `SpanExporter`."""
        if self.turns:
            self.turns[-1][1].extend(spans)
        return SpanExportResult.SUCCESS


def recorder() -> Recorder:
    """The exporter of all spans of this process, which is the service `agents`."""
    recorded = Recorder()
    provider = TracerProvider(resource=Resource({"service.name": "agents"}))
    provider.add_span_processor(SimpleSpanProcessor(recorded))
    trace.set_tracer_provider(provider)
    return recorded


def play(run_turn, recorded: Recorder, prefix: str) -> None:
    """Runs both stories by `run_turn(agent, steps)`, each after a warm-up, and writes <prefix>_fight.jsonl.gz and
    <prefix>_quiet.jsonl.gz."""
    for name, story in STORIES.items():
        recorded.turns = []
        run_turn(SEES, [[look("cart")]])
        _replicas.update(cart=4, checkout=4)
        for agent, steps in story:
            recorded.turns.append((time.time_ns(), []))
            try:
                run_turn(agent, steps)
            except Exception as error:
                print(f"{agent}: {error!r}"[:100], file=sys.stderr)
        _write(recorded, Path(f"{prefix}_{name}.jsonl.gz"))


def _write(recorded: Recorder, path: Path) -> None:
    lines = []
    for turn, (begun, spans) in enumerate(recorded.turns):
        document = json_format.MessageToDict(encode_spans(spans), use_integers_for_enums=True)
        _trim(document)
        lines.append(json.dumps(_moved(document, turn, begun), separators=(",", ":")))
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
    print(f"{path}: {sum(len(spans) for _, spans in recorded.turns)} spans, {path.stat().st_size:,} bytes", file=sys.stderr)


def _moved(value, turn, begun):
    if isinstance(value, list):
        return [_moved(item, turn, begun) for item in value]
    if not isinstance(value, dict):
        return value
    told = {}
    for key, inner in value.items():
        if key in IDS and isinstance(inner, str):
            told[key] = b64decode(inner).hex()
        elif key.endswith("UnixNano"):
            told[key] = str(T + turn * 60 * 10**9 + (int(inner) - begun) * STRETCH)
        else:
            told[key] = _moved(inner, turn, begun)
    return told


def _trim(document) -> None:
    for group in document.get("resourceSpans", ()):
        group["resource"]["attributes"] = [each for each in group["resource"]["attributes"] if each["key"] == "service.name"]
        parents = {span.get("parentSpanId") for scope in group["scopeSpans"] for span in scope["spans"]}
        for scope in group["scopeSpans"]:
            scope["spans"] = [span for span in scope["spans"] if span["spanId"] in parents or not _said(span) & MODELS]
            for span in scope["spans"]:
                calls = bool(_said(span) & CALLS)
                kept = [each for each in span.get("attributes", ()) if not each["key"].startswith(DROPPED)]
                span["attributes"] = [each for each in kept if len(json.dumps(each)) <= LONG or (calls and each["key"] in CONTENT)]
                told = [event for event in span.pop("events", ()) if calls and event["name"] != "exception"]
                span.update({"events": told} if told else {})
                if "message" in span.get("status", {}):
                    span["status"]["message"] = span["status"]["message"][:LONG]


def _said(span) -> set[str]:
    return {each["value"].get("stringValue", "") for each in span.get("attributes", ())}
