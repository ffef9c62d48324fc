"""The one settings object: what every process is told, and nothing else reads configuration. Loading it is `settings_file`'s work."""

from __future__ import annotations

from typing import Literal

import msgspec

from models.configuration import Analysis
from models.instants import MINUTE, SECOND

Role = Literal["reduce", "analyze", "store", "alert"]
ROLES: tuple[Role, ...] = ("reduce", "analyze", "store", "alert")


class SettingsError(Exception):
    """The settings cannot be used. `mistakes` has one line each: where, what, and what to do."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class Kafka(msgspec.Struct, frozen=True, kw_only=True):
    """The broker and how to reach it. Passwords come from the environment or a file, never from argv."""

    bootstrap: str = "127.0.0.1:9092"
    prefix: str = "interplay"  # of topics and consumer groups
    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password: str = ""
    tls_ca: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    session_timeout: int = 30 * SECOND
    heartbeat: int = 5 * SECOND
    fetch_wait: int = SECOND // 5
    poll_records: int = 5000
    commit_interval: int = 2 * SECOND


class Topics(msgspec.Struct, frozen=True, kw_only=True):
    """What `interplay init` creates. Names are "<prefix>.<name>"; counts can only be changed by drain, init, restart."""

    sources: tuple[str, ...] = ("events", "telemetry")
    source_partitions: int = 8
    signals_partitions: int = 4
    replication: int = 1
    retention: int = 7 * 24 * 60 * MINUTE
    record_limit: int = 1 << 20  # bytes; a larger source record is a dead letter


class ClickHouse(msgspec.Struct, frozen=True, kw_only=True):
    """The store: a server, or chDB embedded in the store role's process when `path` is set."""

    path: str = ""
    host: str = "127.0.0.1"
    port: int = 8123
    database: str = "interplay"
    username: str = "default"
    password: str = ""
    secure: bool = False
    tls_ca: str = ""
    timeout: int = 30 * SECOND
    batch: int = 20_000  # rows per insert at most
    retention_days: int = 30
    serve: str = "127.0.0.1:8124"  # read-only ClickHouse HTTP endpoint over the embedded store; "" turns it off
    serve_password: str = ""  # asked of readers; needed where `serve` is not a loopback address


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What reaches on-call, and how."""

    alertmanager: str = ""  # base URL; "" means observe only
    observe_only: bool = False
    min_severity: Literal["info", "warning", "error", "critical"] = "warning"
    min_confidence: float = 0.5
    max_age: int = 15 * MINUTE  # a finding detected longer ago pages nobody
    resend: int = 60 * SECOND
    username: str = ""
    password: str = ""
    tls_ca: str = ""
    dashboard_url: str = ""


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process."""

    http_host: str = "127.0.0.1"
    http_port: int = 8600  # reduce; analyze, store and alert take the next three
    stall_timeout: int = 120 * SECOND  # the watchdog ends a worker that has lag and makes no progress for so long
    progress_interval: int = SECOND
    data_dir: str = ".interplay"


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[waiver]]`: an intended pair, and who answers for it. Whether it covers a finding: `streams.waivers`."""

    pattern: str  # "thrashing", or one kind of it: "thrashing/sustained"
    agents: tuple[str, ...]  # globs
    resource: str  # glob
    owner: str
    reason: str
    expires: int  # ns, event time: covers what happened before it


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[map]]`: a rule that makes events of any JSON. `table` is what the file says, as JSON; `streams.sources.mapping` reads it."""

    name: str
    table: str


class ActionRule(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[otlp.action]]`: which span, span event or log event is a write, and to what. Texts are templates (docs/opentelemetry.md)."""

    span: str = ""  # glob of the span's name
    event: str = ""  # glob of the event's name; the rule is then about span events and log records
    match: tuple[tuple[str, str], ...] = ()  # attribute, glob
    resource: str
    verb: str = "set"
    parameter: str = ""  # "": the verb
    old: str = ""
    new: str = ""
    version: str = ""
    agent: str = ""
    outcome: str = ""
    why: str = ""


class ReadRule(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[otlp.read]]`: which span is an observation, and of what; actions of the same agent's run that follow it rest on it."""

    span: str = ""  # glob of the span's name
    match: tuple[tuple[str, str], ...] = ()  # attribute, glob
    resource: str
    metric: str = ""
    value: str = ""


class MetricRule(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[otlp.metric]]`: how the metrics that it matches are named, and whether they drive load or bound it."""

    metric: str  # glob
    match: tuple[tuple[str, str], ...] = ()
    resource: str = ""  # template; "": that of the process
    name: str = ""  # template; "": the metric's name with the attributes
    attributes: tuple[str, ...] | None = None  # those that name a series; None: all
    role: Literal["", "demand", "capacity"] = ""
    ignore: bool = False


class LogRule(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[otlp.log]]`: which log records are transitions of what."""

    event: str = ""  # glob of the event's name
    body: str = ""  # glob of the text
    match: tuple[tuple[str, str], ...] = ()
    resource: str = ""  # template; "": that of the process
    metric: str = "log"
    before: str = ""
    after: str = ""
    severity: str = ""
    slo: bool = False
    ignore: bool = False


class Otlp(msgspec.Struct, frozen=True, kw_only=True):
    """How OpenTelemetry's spans, metrics and log records become events."""

    wait: int = 5 * SECOND  # a span waits so long for the spans around it; an action is told up to so long before its span's end
    run: int = (
        5 * SECOND
    )  # a write that does not name its agent waits so long for the run around it to end, if that is more than `wait`
    file_run: int = 10 * MINUTE  # in files: they have all of a run, and nobody waits for what is found
    topology: int = 5 * MINUTE  # a dependency is told once in so long; spans and series are remembered for at least that
    repeat: int = 10 * SECOND  # the same error or log line is told once in so long
    min_severity: Literal["debug", "info", "warn", "error", "fatal", "none"] = "warn"  # of log records without a rule
    tools: Literal["guess", "rules"] = "guess"  # whether a tool call without a rule is judged by the tool's name
    quantiles: tuple[str, ...] = ("0.95",)  # of histograms
    spans: int = 100_000  # remembered for each partition, the newest
    series: int = 100_000
    action: tuple[ActionRule, ...] = ()
    read: tuple[ReadRule, ...] = ()
    metric: tuple[MetricRule, ...] = ()
    log: tuple[LogRule, ...] = ()


class SourceTopic(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[source]]`: a topic that others write, and what it holds."""

    topic: str  # full name
    kind: str  # a key of `streams.sources.kinds.KINDS`
    cluster: str = "cluster"  # names resources: k8s/<cluster>/...
    domain: str = "default"  # of all its events
    partitions: int = 1  # where `interplay init` has to create it
    rules: tuple[str, ...] = ()  # of `json`: the names of its `[[map]]` rules; none: all of them


class Kubernetes(msgspec.Struct, frozen=True, kw_only=True):
    """What audit logs of Kubernetes are read for, beyond what is always read."""

    metadata: tuple[str, ...] = ()  # globs over keys of labels and annotations that steer something


class CallRule(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[cloudtrail.call]]`: calls beyond the table of those that are known, and what they change (docs/cloudtrail.md)."""

    service: str  # the record's eventSource, with or without .amazonaws.com
    calls: tuple[str, ...]  # its eventName
    resource: str  # below aws/<account>/<region>/<service>/
    change: Literal["set", "add", "remove", "make", "unmake", "act"] = "set"
    parameters: tuple[str, ...] = ()
    regional: bool = True  # false: the service has no regions


class CloudTrail(msgspec.Struct, frozen=True, kw_only=True):
    """How calls in an AWS account become events."""

    call: tuple[CallRule, ...] = ()


class AgentName(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[agent]]`: what whoever matches both globs is called."""

    name: str
    user: str = "*"
    user_agent: str = "*"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything."""

    kafka: Kafka = Kafka()
    topics: Topics = Topics()
    clickhouse: ClickHouse = ClickHouse()
    alert: Alert = Alert()
    worker: Worker = Worker()
    analysis: Analysis = Analysis()
    otlp: Otlp = Otlp()
    map: tuple[Mapping, ...] = ()
    kubernetes: Kubernetes = Kubernetes()
    cloudtrail: CloudTrail = CloudTrail()
    waiver: tuple[Waiver, ...] = ()
    source: tuple[SourceTopic, ...] = ()
    agent: tuple[AgentName, ...] = ()


def topic(settings: Settings, name: str) -> str:
    """The full name of one of our topics."""
    return f"{settings.kafka.prefix}.{name}"


def source_topics(settings: Settings) -> tuple[str, ...]:
    """Full names of all topics that reduce reads: ours, and those of `[[source]]`."""
    return (*(topic(settings, name) for name in settings.topics.sources), *(source.topic for source in settings.source))
