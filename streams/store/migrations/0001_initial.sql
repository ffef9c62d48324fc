-- {database} and {days} (clickhouse.retention_days) are filled in; statements end with ";" at the end of a line.
--
-- Every table can be written again: rows with the same sorting key are one row, and the version that wins comes from the data, never
-- from a clock. Read with FINAL (`interplay query` and the read-only endpoint set it for you). Repeated inserts are recognised by their
-- token within the last 10,000 inserts of a table. Times are UTC.

-- What agents did and what was observed: actions, transitions, dependencies, intents, verdicts; a column that a kind lacks is empty.
CREATE TABLE IF NOT EXISTS {database}.signals (
  domain LowCardinality(String),
  time DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
  source LowCardinality(String),
  id String CODEC(ZSTD(1)),
  event String CODEC(ZSTD(1)) COMMENT 'source and id: how findings name it',
  kind LowCardinality(String) COMMENT 'action, transition, dependency, intent, verdict',
  resource String CODEC(ZSTD(1)) COMMENT 'of a dependency: the dependent',
  agent LowCardinality(String),
  verb LowCardinality(String),
  parameter LowCardinality(String) COMMENT 'of a transition: the metric',
  old String CODEC(ZSTD(1)) COMMENT 'a number as written, a list as JSON; of a transition: before',
  new String CODEC(ZSTD(1)) COMMENT 'of a transition: after; of an intent: what is desired; of a verdict: the verdict; of a dependency: what it needs',
  has_old Bool,
  version String CODEC(ZSTD(1)),
  outcome LowCardinality(String),
  reads UInt16,
  has_reads Bool,
  causes Array(String) CODEC(ZSTD(1)),
  why String CODEC(ZSTD(1)),
  mandate LowCardinality(String),
  owner LowCardinality(String),
  severity LowCardinality(String),
  relation LowCardinality(String) COMMENT 'of a dependency',
  rollout LowCardinality(String),
  until Nullable(DateTime64(9, 'UTC')),
  closed Bool COMMENT 'an intent that was closed, a dependency that was removed',
  trace_id String CODEC(ZSTD(1)),
  late Bool COMMENT 'too late to be analysed',
  json String CODEC(ZSTD(3)) COMMENT 'all of it',
  kafka_topic LowCardinality(String),
  kafka_partition UInt16,
  kafka_offset UInt64 CODEC(Delta(8), ZSTD(1)),
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
  INDEX ix_event event TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX ix_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX ix_resource resource TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(kafka_offset)
PARTITION BY toDate(time)
PRIMARY KEY (domain, toStartOfFiveMinutes(time), kind, agent)
ORDER BY (domain, toStartOfFiveMinutes(time), kind, agent, time, source, id)
TTL toDateTime(time) + INTERVAL {days} DAY DELETE
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

-- One row a finding: its newest revision. Kept for the retention from when it was stored, so that a backfill of old events keeps its findings.
CREATE TABLE IF NOT EXISTS {database}.findings (
  domain LowCardinality(String),
  finding_id String CODEC(ZSTD(1)),
  revision UInt32,
  status LowCardinality(String) COMMENT 'open, resolved',
  pattern LowCardinality(String) COMMENT 'thrashing, intent_conflict, cascade, convergence',
  kind LowCardinality(String),
  severity Enum8('info' = 1, 'warning' = 2, 'error' = 3, 'critical' = 4),
  score Float64,
  confidence Float64,
  basis LowCardinality(String) COMMENT 'certificate, cited, inferred, statistical',
  title String CODEC(ZSTD(1)),
  subject String CODEC(ZSTD(1)),
  agents Array(String),
  resources Array(String),
  parameters Array(String),
  roots Array(String) COMMENT 'events, most probable first',
  started_at DateTime64(9, 'UTC'),
  detected_at DateTime64(9, 'UTC'),
  updated_at DateTime64(9, 'UTC'),
  resolved_at Nullable(DateTime64(9, 'UTC')),
  explanation Array(String) CODEC(ZSTD(1)),
  metrics Map(String, Float64),
  reach Array(String) COMMENT 'resources that may be hit next',
  late UInt32 COMMENT 'quality: events that came too late to count',
  dropped UInt32 COMMENT 'quality: data left out because a limit was reached',
  degraded Bool,
  json String CODEC(ZSTD(3)) COMMENT 'all of it',
  kafka_topic LowCardinality(String),
  kafka_partition UInt16,
  kafka_offset UInt64,
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3),
  INDEX ix_id finding_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (domain, finding_id)
TTL toDateTime(stored_at) + INTERVAL {days} DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000;

-- Every revision of every finding: how it grew.
CREATE TABLE IF NOT EXISTS {database}.finding_revisions (
  domain LowCardinality(String),
  finding_id String CODEC(ZSTD(1)),
  revision UInt32,
  status LowCardinality(String),
  pattern LowCardinality(String),
  kind LowCardinality(String),
  severity Enum8('info' = 1, 'warning' = 2, 'error' = 3, 'critical' = 4),
  score Float64,
  confidence Float64,
  title String CODEC(ZSTD(1)),
  agents Array(String),
  resources Array(String),
  at DateTime64(9, 'UTC') COMMENT 'event time of the newest evidence, or of the resolution',
  json String CODEC(ZSTD(3)),
  kafka_topic LowCardinality(String),
  kafka_partition UInt16,
  kafka_offset UInt64,
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(kafka_offset)
ORDER BY (domain, finding_id, revision)
TTL toDateTime(stored_at) + INTERVAL {days} DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000;

-- The evidence of findings as rows. A revision repeats all of its own, so a row whose revision is not its finding's was withdrawn: see the view.
CREATE TABLE IF NOT EXISTS {database}.finding_evidence (
  domain LowCardinality(String),
  finding_id String CODEC(ZSTD(1)),
  seq UInt32,
  revision UInt32,
  pattern LowCardinality(String),
  event String CODEC(ZSTD(1)),
  time DateTime64(9, 'UTC'),
  role LowCardinality(String),
  note String CODEC(ZSTD(1)),
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3),
  INDEX ix_event event TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (domain, finding_id, seq)
TTL toDateTime(stored_at) + INTERVAL {days} DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000;

-- The causal edges of findings as rows; as with the evidence, see the view.
CREATE TABLE IF NOT EXISTS {database}.edges (
  domain LowCardinality(String),
  finding_id String CODEC(ZSTD(1)),
  cause String CODEC(ZSTD(1)),
  effect String CODEC(ZSTD(1)),
  relation LowCardinality(String) COMMENT 'explicit, reads, overwrites, affects, reacts, statistical',
  revision UInt32,
  pattern LowCardinality(String),
  probability Float64,
  lag_s Float64,
  time DateTime64(9, 'UTC') COMMENT 'of the effect where it is evidence, else of the newest evidence',
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3),
  INDEX ix_cause cause TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX ix_effect effect TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (domain, finding_id, cause, effect, relation)
TTL toDateTime(stored_at) + INTERVAL {days} DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000;

-- How far each source partition is known, one row for ten seconds of the reducing worker's clock.
CREATE TABLE IF NOT EXISTS {database}.watermarks (
  partition LowCardinality(String) COMMENT 'topic/number',
  at DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
  watermark DateTime64(9, 'UTC'),
  mode LowCardinality(String) COMMENT 'clock, live, data, silent, empty',
  delay_s Float64,
  kafka_offset UInt64
)
ENGINE = ReplacingMergeTree(kafka_offset)
PARTITION BY toDate(at)
ORDER BY (partition, at)
TTL at + INTERVAL {days} DAY DELETE
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS {database}.findings_current AS SELECT * FROM {database}.findings FINAL;

CREATE VIEW IF NOT EXISTS {database}.evidence_current AS
SELECT * FROM {database}.finding_evidence FINAL
WHERE (domain, finding_id, revision) IN (SELECT domain, finding_id, revision FROM {database}.findings FINAL);

CREATE VIEW IF NOT EXISTS {database}.edges_current AS
SELECT * FROM {database}.edges FINAL
WHERE (domain, finding_id, revision) IN (SELECT domain, finding_id, revision FROM {database}.findings FINAL);
