"""Every setting by name: its meaning, whether it is a duration, and the range it may lie in. Documentation and checks read this table.

A test compares the table with the structs of `streams.settings`, so that a setting can neither be forgotten here nor left over.
"""

from __future__ import annotations

import msgspec

from models.instants import HOUR, MINUTE, SECOND

DAY = 24 * HOUR
MILLISECOND = SECOND // 1000


class Key(msgspec.Struct, frozen=True):
    """One setting. `low` and `high` bound numbers, both inclusive (ns where `duration`); None where there is nothing to bound."""

    meaning: str
    low: float | None = None
    high: float | None = None
    duration: bool = False
    secret: bool = False


def _time(meaning: str, low: int, high: int) -> Key:
    return Key(meaning, low, high, duration=True)


def _number(meaning: str, low: float, high: float) -> Key:
    return Key(meaning, low, high)


_KAFKA = {
    "kafka.bootstrap": Key("brokers to ask first, `host:port`, separated by commas"),
    "kafka.prefix": Key("begins the name of every topic and consumer group, so that several installations can share a cluster"),
    "kafka.security": Key("how to connect; SASL_* needs a username and a password"),
    "kafka.sasl_mechanism": Key("how the password is proved"),
    "kafka.sasl_username": Key("user at the broker"),
    "kafka.sasl_password": Key("password at the broker", secret=True),
    "kafka.tls_ca": Key("PEM file of the authorities to trust; empty: those of the system"),
    "kafka.tls_certificate": Key("PEM file of the client's certificate, for mutual TLS"),
    "kafka.tls_key": Key("PEM file of the client's key, for mutual TLS"),
    "kafka.session_timeout": _time("a worker that is silent for so long loses its partitions", SECOND, HOUR),
    "kafka.heartbeat": _time(
        "how often a worker shows that it lives; at most a third of the session timeout", 100 * MILLISECOND, HOUR
    ),
    "kafka.fetch_wait": _time("how long the broker may hold back an empty answer", 10 * MILLISECOND, MINUTE),
    "kafka.poll_records": _number("records handled in one go, at most", 1, 1_000_000),
    "kafka.commit_interval": _time("how often offsets are committed", 100 * MILLISECOND, MINUTE),
}
_TOPICS = {
    "topics.sources": Key("names of the topics that agents and collectors write to, without the prefix"),
    "topics.source_partitions": _number("partitions of each source topic: bounds the workers of reduce", 1, 10_000),
    "topics.signals_partitions": _number(
        "partitions of signals, findings, facts and progress: bounds the workers of analyze", 1, 10_000
    ),
    "topics.replication": _number("copies of each partition; 3 in production", 1, 9),
    "topics.retention": _time(
        "how long source events and signals are kept; longer than the analysis looks back", MINUTE, 3650 * DAY
    ),
    "topics.record_limit": _number("bytes; a larger source record goes to the dead letters", 1024, 1 << 30),
}
_CLICKHOUSE = {
    "clickhouse.path": Key("directory of the embedded store (chDB); empty: a ClickHouse server"),
    "clickhouse.host": Key("the server's name"),
    "clickhouse.port": _number("the server's HTTP port", 1, 65535),
    "clickhouse.database": Key("database that `interplay init` creates"),
    "clickhouse.username": Key("user at the server"),
    "clickhouse.password": Key("password at the server", secret=True),
    "clickhouse.secure": Key("HTTPS instead of HTTP"),
    "clickhouse.tls_ca": Key("PEM file of the authorities to trust; empty: those of the system"),
    "clickhouse.timeout": _time("a statement that takes longer has failed, and is tried again", SECOND, HOUR),
    "clickhouse.batch": _number("rows in one insert, at most", 1, 1_000_000),
    # ClickHouse counts the end of a row's life in 32 bits of seconds, to 2106: beyond that rows are lost at once
    "clickhouse.retention_days": _number("days that stored signals and findings are kept", 1, 10_000),
    "clickhouse.serve": Key("`host:port` of the read-only endpoint over the embedded store, for query and Grafana; empty: none"),
    "clickhouse.serve_password": Key("password that readers must give there; needed unless it is a loopback address", secret=True),
}
_ALERT = {
    "alert.alertmanager": Key("base URL of Alertmanager; empty: nobody is told"),
    "alert.observe_only": Key("decide and count, and tell nobody"),
    "alert.min_severity": Key("findings below this severity alert nobody"),
    "alert.min_confidence": _number("findings below this confidence alert nobody", 0, 1),
    "alert.max_age": _time("findings detected longer ago alert nobody: a backfill is silent", SECOND, 365 * DAY),
    "alert.resend": _time("how often a firing alert is told again", SECOND, HOUR),
    "alert.username": Key("user at Alertmanager (basic authentication); empty: none"),
    "alert.password": Key("password at Alertmanager", secret=True),
    "alert.tls_ca": Key("PEM file of the authorities to trust; empty: those of the system"),
    "alert.dashboard_url": Key("URL of the Grafana dashboard that alerts link to; empty: no link"),
}
_WORKER = {
    "worker.http_host": Key("address that metrics and health listen on; loopback unless you say otherwise"),
    "worker.http_port": _number("port of the role reduce; analyze, store and alert take the next three", 1, 65532),
    "worker.stall_timeout": _time("the watchdog ends a worker that has lag and makes no progress for so long", SECOND, DAY),
    "worker.progress_interval": _time("how often progress records are written, at least", 10 * MILLISECOND, HOUR),
    "worker.data_dir": Key("directory for what a worker keeps on disk"),
}
_ANALYSIS = {
    "analysis.window": _time("the causal graph's sliding window", SECOND, 30 * DAY),
    "analysis.memory": _time(
        "how far back writes of one parameter are compared; at least two windows and some slack", SECOND, 3650 * DAY
    ),
    "analysis.coalesce": _time("at most one update of a finding per so much event time", MILLISECOND, HOUR),
    "analysis.facts_age": _time("last writes, open intents and verdicts older than this are forgotten", SECOND, 3650 * DAY),
    "analysis.tombstone": _time("a finding resolved for so long leaves the findings topic", SECOND, 3650 * DAY),
    "analysis.time.lateness": _time("tolerated disorder within one source partition; events beyond it are late", MILLISECOND, DAY),
    "analysis.time.idle_timeout": _time("a silent partition is waited for so long", SECOND, DAY),
    "analysis.time.ahead_limit": _time("an event time further ahead of its arrival is a dead letter", SECOND, DAY),
    "analysis.time.series_limit": _number("demand and capacity series kept per source partition", 1, 10_000_000),
    "analysis.time.series_length": _number("newest samples kept of each series", 1, 1_000_000),
    "analysis.thrashing.deadband": _number(
        "smallest swing that counts: ln units for positive numbers, else share of the range", 0, 10
    ),
    "analysis.thrashing.half_lives": _time(
        "how fast reversals are forgotten; each is tried, in ascending order", MILLISECOND, 365 * DAY
    ),
    "analysis.thrashing.lone_half_life": _time(
        "longest half-life for one agent alone, of whose demand nothing is known, unless it swings like a clock", SECOND, 3650 * DAY
    ),
    "analysis.thrashing.open_lone": _number(
        "score that opens a finding about such an agent: bursts of demand that is not sent look the same", 0.1, 1000
    ),
    "analysis.thrashing.open_exact": _number(
        "score that opens a finding where reversals put back the other's exact value", 0.1, 1000
    ),
    "analysis.thrashing.open_plain": _number("score that opens a finding otherwise", 0.1, 1000),
    "analysis.thrashing.close": _number("score below which a finding resolves; below both that open", 0.01, 1000),
    "analysis.thrashing.growing_ratio": _number("mean ratio of successive swings above which a fight is growing", 1, 100),
    "analysis.thrashing.damped_ratio": _number("mean ratio of successive swings below which it is settling, hence not told", 0, 1),
    "analysis.thrashing.hold": _time("a ratchet resolves when nothing more has happened for so long", SECOND, 365 * DAY),
    "analysis.thrashing.ratchet_move": _number("ratio of three rounds above which two agents drive each other on", 1, 1000),
    "analysis.thrashing.noise_window": _time(
        "over which the reversals of an agent that follows noise are counted", SECOND, 365 * DAY
    ),
    "analysis.thrashing.noise_reversals": _number(
        "reversals of one agent in that window, mostly justified by demand: noise", 2, 1000
    ),
    "analysis.conflict.hold": _time("a conflict resolves when nothing more has happened for so long", MILLISECOND, 365 * DAY),
    "analysis.conflict.intent_window": _time("how long the intent of an action holds that names no end", MILLISECOND, 365 * DAY),
    "analysis.conflict.quick": _time("a write undone within so long was answered, and not overtaken", MILLISECOND, 365 * DAY),
    "analysis.conflict.opposing": _number("net count of quick undos from which two agents oppose each other", 0.1, 1000),
    "analysis.conflict.skew_limit": _time("a source whose clock is off by more makes its own `old` weaker evidence", 0, DAY),
    "analysis.conflict.overruling": Key("reasons whose writes go knowingly against what stands, and are no conflicts"),
    "analysis.conflict.slo_guards": Key("agents or mandates (globs) that may undo an intent to answer a service level that broke"),
    "analysis.conflict.opposition": _number("index, -1 to 1, from which agents push one metric in opposite directions", 0, 1),
    "analysis.conflict.alternations": _number("turns of two agents on one metric that this rests on, at least", 2, 60),
    "analysis.cascade.edges": _number("causal edges that make a cascade, at least", 1, 1000),
    "analysis.cascade.agents": _number("distinct agents reacting after the root, at least", 1, 1000),
    "analysis.cascade.resources": _number("resources touched, at least", 1, 1000),
    "analysis.cascade.path_probability": _number("least probability of the path from the root", 0, 1),
    "analysis.cascade.size": _number("least expected number of events that descend from the root", 1, 1_000_000),
    "analysis.cascade.hold": _time("a cascade resolves when nothing more has happened for so long", MILLISECOND, 365 * DAY),
    "analysis.limits.graph_events": _number("events remembered per domain", 1000, 1_000_000_000),
    "analysis.limits.writes_per_knob": _number("newest writes remembered per parameter of a resource", 8, 100_000),
    "analysis.limits.facts": _number("facts remembered per domain", 1, 100_000_000),
    "analysis.limits.parents": _number("likeliest causes kept per event", 1, 1000),
    "analysis.limits.episodes": _number(
        "findings open at once per domain; one that would be more is not opened, and counted", 1, 1_000_000
    ),
    "analysis.limits.evidence": _number("events that a finding names: the first and the newest", 2, 10_000),
}

_OTLP = {
    "otlp.wait": _time("a span waits so long for those that enclose it; its action is told up to so long before its end", 0, HOUR),
    "otlp.run": _time(
        "a write whose span names no agent waits so long for the run around it; findings come so much later", 0, HOUR
    ),
    "otlp.file_run": _time("the same where files are read, if it is more", 0, DAY),
    "otlp.topology": _time("one and the same dependency is told once in so long", SECOND, DAY),
    "otlp.repeat": _time("one and the same error or log line is told once in so long", MILLISECOND, DAY),
    "otlp.min_severity": Key("log records from here on are transitions, where no rule says otherwise"),
    "otlp.tools": Key("tool calls without a rule: `guess` takes those for writes whose name begins like one, `rules` none"),
    "otlp.quantiles": Key("of histograms, which are told"),
    "otlp.spans": _number(
        "spans remembered per fold, the newest; what is forgotten within two of `wait` is counted", 1, 100_000_000
    ),
    "otlp.series": _number("cumulative series remembered per fold; what is more is left out, and counted", 1, 100_000_000),
}

_KUBERNETES = {
    "kubernetes.metadata": Key(
        "globs over the keys of labels and annotations that steer something: they are knobs then, as they are"
    ),
}

KEYS: dict[str, Key] = {**_KAFKA, **_TOPICS, **_CLICKHOUSE, **_ALERT, **_WORKER, **_ANALYSIS, **_OTLP, **_KUBERNETES}
SECRETS: tuple[str, ...] = tuple(name for name, key in KEYS.items() if key.secret)
# a secret may be read from a file instead, as container platforms mount them
FILE_KEYS: dict[str, str] = {f"{name}_file": name for name in SECRETS}


def variable(name: str) -> str:
    """The environment variable of a setting: "analysis.thrashing.close" -> "INTERPLAY_ANALYSIS__THRASHING__CLOSE"."""
    return "INTERPLAY_" + name.upper().replace(".", "__")
