"""The whole way with real parts: agents with OpenTelemetry's SDK, a real collector, Apache Kafka, two installations of the workers.

    make e2e-otel    about two minutes, and five more the first time, for the collector (Go); Java and Maven for Kafka; not part of CI

    agents.py ──gRPC──► otelcol, set as docs/opentelemetry.md says ──► topic otlp       (protobuf) ──► reduce, analyze ──► proto.findings
                                └─ the same with encoding otlp_json ──► topic otlp_json (JSON)     ──► reduce, analyze ──► json.findings

Shown: the collector takes the page's settings; both encodings become the same events, sample for sample; both installations send on
the same signals and find the same fight, with the same causes.
"""

from __future__ import annotations

import asyncio
import copy
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import yaml
from aiokafka import TopicPartition

from models.events import Action, AnyEvent, Dependency, Sample, Tick, Transition, decode_signal
from models.findings import Finding, decode_finding
from models.rejection import Rejection
from streams.kafka_client import read_all
from streams.settings import Kafka, Settings
from streams.settings_file import load
from streams.sources.in_order import translated
from streams.sources.opentelemetry import OTLP, Otlp
from streams.sources.source import Origin

ROOT = Path(__file__).parent.parent
ROUNDS, PAUSE_S = 40, 1.0
WITHIN_S = 120.0
PARTITIONS = 4
PACKAGES = ("opentelemetry-sdk==1.45.2", "opentelemetry-exporter-otlp-proto-grpc==1.45.2")
SETTINGS = """
[kafka]
bootstrap = "127.0.0.1:{port}"
prefix = "{name}"

[topics]
sources = ["events"]
source_partitions = 1
signals_partitions = 1

[worker]
http_port = {http}
data_dir = "{directory}/{name}"

[clickhouse]
path = "{directory}/{name}/store"
serve = ""

[analysis.time]
lateness = "5s"

[otlp]
wait = "2s"

[[source]]
topic = "{topic}"
kind = "otlp"
cluster = "prod"
partitions = {partitions}

[[otlp.action]]
match = {{ "gen_ai.tool.name" = "scale_*" }}
resource = "k8s/{{k8s.cluster.name}}/{{arguments.namespace}}/deployment/{{arguments.deployment}}"
parameter = "spec.replicas"
verb = "scale"
new = "{{arguments.replicas}}"

[[otlp.metric]]
metric = "gateway.*"
role = "demand"
"""


def main() -> int:
    """The exit code: 0 where everything was shown."""
    directory = Path(tempfile.mkdtemp(prefix="interplay-e2e-otel-"))
    print(f"logs and settings: {directory}", flush=True)
    collector = Path(run(ROOT / "scripts" / "otel-collector.sh"))
    page = re.search(r"```yaml\n(.*?)```", (ROOT / "docs" / "opentelemetry.md").read_text(), re.S)
    assert page is not None
    (directory / "page.yaml").write_text(page[1])
    run(collector, "validate", "--config", directory / "page.yaml")
    print("the collector takes the settings of docs/opentelemetry.md", flush=True)
    run(ROOT / "scripts" / "apache-kafka.sh", "jars")
    processes: list[subprocess.Popen[bytes]] = []
    try:
        return show(directory, collector, page[1], agents_python(), processes)
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(30)


def show(directory: Path, collector: Path, page: str, python: Path, processes: list[subprocess.Popen[bytes]]) -> int:
    """Starts everything, sends, and compares."""
    port, grpc = free_port(), free_port()
    processes.append(start(directory / "kafka.log", ROOT / "scripts" / "apache-kafka.sh", "run", directory / "kafka", port))
    until(lambda: reachable(port), "Kafka")
    configs = {"proto": directory / "proto.toml", "json": directory / "json.toml"}
    for name, topic in (("proto", "otlp"), ("json", "otlp_json")):
        text = SETTINGS.format(port=port, name=name, topic=topic, http=free_port(), directory=directory, partitions=PARTITIONS)
        configs[name].write_text(text)
        run(sys.executable, "-m", "streams.cli", "init", "--config", configs[name])
        command = (sys.executable, "-m", "streams.cli", "worker", "reduce", "analyze", "--config", configs[name])
        processes.append(start(directory / f"{name}.log", *command))
    (directory / "collector.yaml").write_text(both_encodings(page, port, grpc))
    processes.append(start(directory / "collector.log", collector, "--config", directory / "collector.yaml"))
    until(lambda: reachable(grpc), "the collector")
    print(f"{ROUNDS} rounds of three agents ...", flush=True)
    run(python, ROOT / "scripts" / "otel-collector" / "agents.py", f"127.0.0.1:{grpc}", ROUNDS, PAUSE_S)
    settings = {name: load(str(file), {}).settings for name, file in configs.items()}
    until(lambda: all(len(writes(events_of(each))) == 2 * ROUNDS for each in settings.values()), "all calls in both topics")
    by_topic = {name: events_of(settings[name]) for name in settings}
    print(
        f"events in the topics: {tally(by_topic['proto'])}; the same from JSON: {by_topic['proto'] == by_topic['json']}", flush=True
    )
    assert by_topic["proto"] == by_topic["json"]
    assert not any(isinstance(event, Rejection) for event in by_topic["proto"])
    wanted = {ref(event) for event in by_topic["proto"] if not isinstance(event, Sample | Rejection)}
    until(lambda: all(wanted <= set(map(ref, signals(each))) for each in settings.values()), "all events in signals")
    until(lambda: all(fights(findings(each)) for each in settings.values()), "a fight in findings")
    return compare(settings)


def compare(settings: dict[str, Settings]) -> int:
    """What both installations passed on and found."""
    passed = {
        name: sorted(signals(each), key=lambda event: (event.time, event.source, event.id)) for name, each in settings.items()
    }
    print(f"signals: {tally(passed['proto'])}; the same from JSON: {passed['proto'] == passed['json']}")
    found = {name: fights(findings(each)) for name, each in settings.items()}
    newest = found["proto"][-1]
    print(f"found: {newest.title}; the same from JSON: {newest.title == found['json'][-1].title}")
    caused = sum(bool(event.causes) for event in passed["proto"] if isinstance(event, Action))
    kinds = {type(event) for event in passed["proto"]}
    good = passed["proto"] == passed["json"] and kinds >= {Action, Transition, Dependency, Sample} and caused == ROUNDS
    good = good and newest.agents == ("cost-saver", "perf-scaler") and newest.finding_id == found["json"][-1].finding_id
    print(f"actions with the other agent's call as cause: {caused} of {ROUNDS}\n{'all shown' if good else 'NOT shown'}")
    return 0 if good else 1


def both_encodings(page: str, port: int, grpc: int) -> str:
    """The page's settings with our ports, and a second exporter that differs by encoding and topic alone."""
    settings = yaml.safe_load(page)
    settings["receivers"]["otlp"]["protocols"] = {"grpc": {"endpoint": f"127.0.0.1:{grpc}"}}
    kafka = settings["exporters"]["kafka"]
    kafka["brokers"] = [f"127.0.0.1:{port}"]
    other = settings["exporters"]["kafka/json"] = copy.deepcopy(kafka)
    for signal in ("traces", "metrics", "logs"):
        other[signal] = {"topic": "otlp_json", "encoding": "otlp_json"}
    for pipeline in settings["service"]["pipelines"].values():
        pipeline["exporters"].append("kafka/json")
    settings["service"]["telemetry"] = {"metrics": {"level": "none"}}
    return yaml.safe_dump(settings)


def events_of(settings: Settings) -> list[AnyEvent | Rejection]:
    """What the records of the topic become, all of them, in order: read to the end, as a file would be."""
    (source,) = settings.source
    records = values(settings.kafka, source.topic, source.partitions)
    found = translated(enumerate(records), Otlp(settings, Origin(source.cluster, source.domain)), OTLP.pane(settings), Counter())
    return sorted((event for _, event in found), key=lambda event: msgspec.json.encode(event))


def writes(events: list[AnyEvent | Rejection]) -> list[Action]:
    """The actions among them."""
    return [event for event in events if isinstance(event, Action)]


def signals(settings: Settings) -> list[AnyEvent]:
    """Without ticks."""
    read = (decode_signal(value) for value in values(settings.kafka, f"{settings.kafka.prefix}.signals", 1))
    return [signal for signal in read if not isinstance(signal, Tick)]


def findings(settings: Settings) -> list[Finding]:
    """All revisions."""
    return [decode_finding(value) for value in values(settings.kafka, f"{settings.kafka.prefix}.findings", 1)]


def fights(found: list[Finding]) -> list[Finding]:
    """Those over the deployment."""
    return [
        finding for finding in found if finding.pattern == "thrashing" and finding.resources == ("k8s/prod/shop/deployment/cart",)
    ]


def values(kafka: Kafka, topic: str, partitions: int) -> list[bytes]:
    """Of every record of a topic."""
    return asyncio.run(_values(kafka, topic, partitions))


async def _values(kafka: Kafka, topic: str, partitions: int) -> list[bytes]:
    found: list[bytes] = []
    async for _, records, _ in read_all(kafka, [TopicPartition(topic, number) for number in range(partitions)]):
        found += [record.value for record in records if record.value is not None]
    return found


def ref(event: AnyEvent) -> tuple[str, str]:
    """Names an event."""
    return event.source, event.id


def tally(events: list[AnyEvent] | list[AnyEvent | Rejection]) -> str:
    """How many of which kind."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(type(event).__name__ for event in events).items()))


def agents_python() -> Path:
    """The agents' own environment: nothing of ours is in it."""
    home = ROOT / ".cache" / "otel-agents"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        run(sys.executable, "-m", "venv", home)
        run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES)
        (home / "complete").touch()
    return python


def run(*command: object) -> str:
    """Runs a command to its end; what it prints. Raises with what it said where it failed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment(), check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def start(log: Path, *command: object) -> subprocess.Popen[bytes]:
    """Starts a process with a log."""
    with log.open("ab") as file:
        return subprocess.Popen([str(word) for word in command], stdout=file, stderr=file, env=environment())


def environment() -> dict[str, str]:
    """Ours, without the settings of whoever runs this."""
    return {name: value for name, value in os.environ.items() if not name.startswith("INTERPLAY_")}


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def reachable(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(good: Callable[[], bool], what: str) -> None:
    """Waits for it; ends the program where it does not come."""
    deadline = time.monotonic() + WITHIN_S
    while not good():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {WITHIN_S:.0f} s: {what}")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
