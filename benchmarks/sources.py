"""Each source beside a plain parse of the same bytes: `python -m benchmarks.sources` (`make bench`).

    parse       `Source.parse` alone: what a worker does with a record before its order is known
    to events   parse, order and fold: all the way, on one core
    plain       JSON: orjson.loads. Protobuf: FromString of the official messages, which makes C structs and no Python object; and that
                with every field read, which is the least that anybody does who looks at them (orjson.loads does as much)

CPU time, best of five rounds in one process; ratios are plain's time by ours. The target is 0.5.
"""

from __future__ import annotations

import gc
import lzma
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.json_records import MAPPING, log_files, webhooks
from models.instants import MINUTE, SECOND
from streams.settings import Settings
from streams.sources.in_order import translated
from streams.sources.kinds import KINDS
from streams.sources.source import Origin

DATA = Path(__file__).parent.parent / "tests" / "data"
ROUNDS, TARGET = 5, 0.5
COLUMNS = (
    "source", "MB", "parse, MB/s", "to events, MB/s", "events/s", "plain, MB/s", "parse to plain", "to events to plain",
    "parse to plain with fields read",
)  # fmt: skip
STEP = 10 * SECOND
OFFICIAL = {"traces": ExportTraceServiceRequest, "metrics": ExportMetricsServiceRequest, "logs": ExportLogsServiceRequest}


class Case(NamedTuple):
    """Records of one kind, and what a plain parse of one is."""

    name: str
    kind: str
    records: list[bytes]
    plain: Callable[[bytes], object]
    read: Callable[[bytes], object] | None = None  # protobuf: with every field read
    settings: Settings = Settings()


def main() -> int:
    """Prints the table; the exit code says nothing of targets."""
    copies = 20 if "--quick" in sys.argv[1:] else 200
    gc.freeze()
    print(f"Python {platform.python_version()}, {platform.machine()}, CPU time, best of {ROUNDS}\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    for case in (*cases(copies), *recorded(), *written(copies)):
        print(row(case), flush=True)
    print(f"\ntarget of parse to plain: {TARGET}")
    return 0


def cases(copies: int) -> list[Case]:
    """OTLP as a real collector wrote it, so many times over, each ten seconds later and with ids of its own."""
    found = []
    signals = (("traces", "spans", "spans"), ("metrics", "metrics", "metrics"), ("logs", "logs", "logs"))
    for signal, file, name in (*signals, ("logs", "logs", "logs of which one in ten tells something")):
        message = OFFICIAL[signal]
        raw, text = (DATA / "otlp" / f"otlp_{file}.bin").read_bytes(), (DATA / "otlp" / f"json_{file}.json").read_bytes()
        binary, json = [], []
        for number in range(copies):
            request, document = message.FromString(raw), orjson.loads(text)
            if file != name:
                _silence(request, document, number)
            _shift_message(request, number)
            _shift_json(document, number)
            binary.append(request.SerializeToString())
            json.append(orjson.dumps(document))
        found += [
            Case(f"OTLP {name}, protobuf", "otlp", binary, message.FromString, reading(message)),
            Case(f"OTLP {name}, JSON", "otlp", json, orjson.loads),
        ]
    return found


def recorded() -> list[Case]:
    """Audit logs of a real API server (tests/data/k8s_audit), as they are, and their changes alone."""
    found = []
    for name, policy in (("a_gitops_hpa", "reads and both stages"), ("d_hpa_diurnal", "changes only")):
        lines = lzma.decompress((DATA / "k8s_audit" / f"{name}.jsonl.xz").read_bytes()).splitlines()
        found.append(Case(f"Kubernetes audit, {policy}", "k8s-audit", lines, orjson.loads))
    return found


def written(copies: int) -> list[Case]:
    """What is read here and was recorded nowhere at hand (`json_records`)."""
    return [
        Case("CloudTrail, one call in ten a change", "cloudtrail", log_files(copies, 10), orjson.loads),
        Case("CloudTrail, every call a change", "cloudtrail", log_files(copies, 1), orjson.loads),
        Case("a webhook by a [[map]] rule", "json", webhooks(50 * copies), orjson.loads, settings=MAPPING),
    ]


def _silence(request: Message, document: Any, number: int) -> None:
    """Nine log records of ten become plain lines of severity INFO, in both encodings the same."""
    groups = zip(request.resource_logs, document["resourceLogs"], strict=True)  # type: ignore[attr-defined]
    pairs = [
        pair
        for messages, objects in groups
        for scope, within in zip(messages.scope_logs, objects["scopeLogs"], strict=True)
        for pair in zip(scope.log_records, within["logRecords"], strict=True)
    ]
    for place, (record, object_) in enumerate(pairs, number):
        if place % 10:
            record.event_name = ""
            object_.pop("eventName", None)


def _shift_message(message: Message, number: int) -> None:
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            for inner in value if descriptor.is_repeated else (value,):
                _shift_message(inner, number)
        elif descriptor.name.endswith("unix_nano"):
            setattr(message, descriptor.name, value + number * STEP)
        elif descriptor.name == "trace_id":
            setattr(message, descriptor.name, number.to_bytes(4, "big") + value[4:])


def _shift_json(value: object, number: int) -> None:
    if isinstance(value, list):
        for inner in value:
            _shift_json(inner, number)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key.endswith("UnixNano"):
                value[key] = str(int(inner) + number * STEP)
            elif key == "traceId":
                value[key] = f"{number:08x}{inner[8:]}"
            else:
                _shift_json(inner, number)


def row(case: Case) -> str:
    """One line of the table."""
    kind, settings = KINDS[case.kind], case.settings
    megabytes = sum(map(len, case.records)) / 1e6

    def parse() -> None:
        source = kind.open(settings, Origin())
        for record in case.records:
            source.parse(record, (), 0)

    def through() -> int:
        source = kind.open(settings, Origin())
        return sum(1 for _ in translated(enumerate(case.records), source, 30 * MINUTE, Counter()))

    ours, whole = seconds(parse), seconds(through)
    plain = seconds(lambda: _each(case.plain, case.records))
    read = seconds(lambda: _each(case.read, case.records)) if case.read else None
    figures = [
        f"{megabytes:.1f}", f"{megabytes / ours:.0f}", f"{megabytes / whole:.0f}", f"{through() / whole:,.0f}", f"{megabytes / plain:.0f}",
        f"{plain / ours:.2f}", f"{plain / whole:.2f}", f"{read / ours:.2f}" if read else "",
    ]  # fmt: skip
    return f"| {case.name} | {' | '.join(figures)} |"


def _each(parse: Callable[[bytes], object], records: list[bytes]) -> None:
    for record in records:
        parse(record)


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of the best round."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


def reading(message: type[Message]) -> Callable[[bytes], object]:
    """A parse that reads every field of every message, as bytes, texts and numbers."""

    def read(record: bytes) -> None:
        _visit(message.FromString(record))

    return read


def _visit(message: Message) -> None:
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        for inner in value if descriptor.is_repeated else (value,):
            _visit(inner)


if __name__ == "__main__":
    sys.exit(main())
