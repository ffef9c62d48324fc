"""Records per second through the decoder: `python benchmarks/decode.py` (`make bench`).

Beside it, on the same bytes in the same run: msgspec into the outside form alone (types checked, times still text), and orjson.loads alone
(nothing checked). CPU time, best of five; the floor is the target for samples.
"""

from __future__ import annotations

import gc
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import msgspec
import orjson

from models.decode import Rejection, decode_batch, decode_event
from models.wire import WireEvent

COUNT, ROUNDS = 40_000, 5
SAMPLES_FLOOR = 150_000  # per second and core

Make = Callable[[int], dict[str, object]]


def envelope(kind: str, i: int, data: dict[str, object]) -> dict[str, object]:
    """An event of a few hundred series, each with its own nanoseconds."""
    return {
        "specversion": "1.0",
        "id": f"{kind[0]}{i}",
        "source": f"agents/{kind}/{i % 200}",
        "type": f"interplay.{kind}.v1",
        "time": f"2026-11-24T02:{i // 600 % 60:02d}:{i // 10 % 60:02d}.{i * 7919 % 10**9:09d}Z",
        "subject": f"k8s/prod/shop/deployment/service-{i % 500}",
        "domain": "prod-eu",
        "data": data,
    }


def sample(i: int) -> dict[str, object]:
    return envelope("sample", i, {"metric": "p95_latency_ms", "value": 300 + i % 977 / 7, "unit": "ms"})


def action(i: int) -> dict[str, object]:
    """With a read, a reason and a version, as the SDK writes them."""
    read = {"resource": "db/orders", "metric": "p95_latency_ms", "value": 840, "time": "2026-11-24T02:17:00.5Z", "version": i}
    data = {"agent": "perf-scaler", "verb": "scale", "parameter": "replicas", "old": 8, "new": 16, "version": i}
    return envelope("action", i, {**data, "reads": [read], "why": {"rule": "p95_latency_ms > 300"}})


def per_second(decode: Callable[[bytes], object], records: list[bytes]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for record in records:
            decode(record)
        best = min(best, time.process_time() - started)
    return len(records) / best


def main() -> int:
    gc.freeze()
    checked = msgspec.json.Decoder(WireEvent).decode
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {COUNT:,} records, best of {ROUNDS}; thousand events per CPU second\n"
    )
    print(f"{'':24}{'ours':>8}{'msgspec':>10}{'orjson':>9}{'ours/msgspec':>15}{'bytes':>8}")
    rates = {}
    for name, make in (("sample", sample), ("action with a read", action)):
        records = [msgspec.json.encode(make(i)) for i in range(COUNT)]
        assert not any(isinstance(decode_event(record), Rejection) for record in records)
        ours, alone, loads = (per_second(decode, records) for decode in (decode_event, checked, orjson.loads))
        size = sum(map(len, records)) // COUNT
        print(f"{name:24}{ours / 1e3:8.0f}{alone / 1e3:10.0f}{loads / 1e3:9.0f}{ours / alone:15.2f}{size:8}")
        rates[name] = ours
    batches = [msgspec.json.encode([sample(i + k) for k in range(100)]) for i in range(0, COUNT, 100)]
    whole = msgspec.json.Decoder(list[WireEvent]).decode
    ours, alone, loads = (100 * per_second(decode, batches) for decode in (decode_batch, whole, orjson.loads))
    print(f"{'samples, batches of 100':24}{ours / 1e3:8.0f}{alone / 1e3:10.0f}{loads / 1e3:9.0f}{ours / alone:15.2f}")
    reached = rates["sample"] >= SAMPLES_FLOOR
    print(f"\nfloor: {SAMPLES_FLOOR / 1e3:.0f} k samples/s: {'reached' if reached else 'NOT REACHED'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
