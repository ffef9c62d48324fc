"""The edges of interplay: how events come in (Kafka, files) and how findings go out (Kafka, ClickHouse, alerts, the terminal)."""
