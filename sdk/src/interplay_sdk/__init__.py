"""interplay-sdk: an agent says what it does and why, and goes on.

    from interplay_sdk import KafkaSink, Recorder

    rec = Recorder(agent="perf-scaler", sink=KafkaSink("127.0.0.1:9092"))
    rec.read("db/orders", "p95_latency_ms", 840)
    with rec.action("scale", "db/orders", "replicas", old=get_replicas, new=16, why="p95_latency_ms > 300"):
        set_replicas(16)

No call blocks or raises: what goes wrong is counted (`rec.failed`, `rec.dropped`) and logged once per kind.
"""

from interplay_sdk.act import Act
from interplay_sdk.kafka import KafkaSink
from interplay_sdk.recorder import Recorder
from interplay_sdk.sinks import JsonlSink, Sink
from interplay_sdk.unknown import UNKNOWN

__all__ = ["UNKNOWN", "Act", "JsonlSink", "KafkaSink", "Recorder", "Sink"]
