"""What the tables about Kafka are fed with, made from a seed: samples, the mix of `mix.toml` as producers write it, and fights."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.core import BATCH, BEGIN, Mix
from models.events import Action, Event, Tick, Transition, encode_signal
from models.instants import SECOND, format_time
from streams.writing import Outgoing

SEED = 20261124
SERIES = 500
DOMAIN = b"default"
LATENESS = 10 * SECOND


def mix_table() -> dict[str, object]:
    """The table of `mix.toml`."""
    return tomllib.loads((Path(__file__).parent / "mix.toml").read_text())


def samples(count: int, partitions: int, together: int = 1) -> Iterator[Outgoing]:
    """Telemetry values, 5,000 a second of event time, one in five of a role; `together` of them are one record."""
    rng = random.Random(SEED)
    for first in range(0, count, together):
        made = [_sample(i, rng) for i in range(first, min(first + together, count))]
        yield first // together % partitions, None, msgspec.json.encode(made if together > 1 else made[0]), []


def _sample(i: int, rng: random.Random) -> dict[str, object]:
    data = {"metric": "p95_latency_ms", "value": round(rng.uniform(200, 900), 3), "unit": "ms"}
    if i % SERIES % 5 == 0:
        data |= {"metric": "requests_per_s", "role": "demand"}
    return _envelope(
        "sample", BEGIN + i * SECOND // 5000, f"collector/{i % 8}", f"s{i}", f"k8s/prod/shop/service-{i % SERIES}", data
    )


def _envelope(kind: str, at: int, source: str, name: str, resource: str, data: dict[str, object]) -> dict[str, object]:
    return {
        "specversion": "1.0", "type": f"interplay.{kind}.v1", "id": name, "source": source, "time": format_time(at),
        "domain": DOMAIN.decode(), "subject": resource, "data": data,
    }  # fmt: skip


def mixed_events(count: int, rate: float) -> Iterator[Event]:
    """The mix of the core's table, `rate` events a second of event time."""
    mix = Mix(mix_table(), rate=rate)
    return (mix.event(i) for i in range(count))


def mixed_records(count: int, partitions: int, rate: float) -> Iterator[Outgoing]:
    """The same as CloudEvents, dealt out to partitions."""
    for i, event in enumerate(mixed_events(count, rate)):
        yield i % partitions, None, cloudevent(event), []


def mixed_signals(count: int, source: str, rate: float, partition: int = 0) -> Iterator[Outgoing]:
    """The same as reduce would have written it to one signals partition, with a tick of its one source partition after each batch."""
    for i, event in enumerate(mixed_events(count, rate)):
        yield partition, DOMAIN, encode_signal(event), []  # type: ignore[arg-type]
        if i % BATCH == BATCH - 1:
            yield partition, source.encode(), encode_signal(tick(source, event.time - LATENESS)), []


def tick(source: str, watermark: int) -> Tick:
    """That a source partition is known up to here."""
    return Tick(partition=source, watermark=watermark, mode="live", now=watermark + LATENESS)


def fight(number: int, writes: int, at: int, every: int, resource: str) -> Iterator[Action]:
    """Two agents that put back each other's value, `every` ns."""
    for step in range(writes):
        old, new = (10, 20) if step % 2 == 0 else (20, 10)
        who = f"{('left', 'right')[step % 2]}-{number}"
        yield Action(
            time=at + step * every, source=f"agents/{who}/0", id=f"{resource}-{step}", resource=resource, agent=who, verb="set",
            parameter="replicas", old=old, new=new,
        )  # fmt: skip


def cloudevent(event: Event) -> bytes:
    """An action or a transition as producers write it."""
    data = msgspec.to_builtins(event)
    for name in ("kind", "time", "source", "id", "domain", "resource", "late", "causes", "traceparent"):
        data.pop(name, None)
    if isinstance(event, Transition):
        data["from"], data["to"] = data.pop("before", None), data.pop("after", None)
    for read in data.get("reads", ()):
        read["time"] = format_time(read["time"])
    kind = "transition" if isinstance(event, Transition) else "action"
    envelope = _envelope(kind, event.time, event.source, event.id, event.resource, data)
    return msgspec.json.encode(envelope | ({"causationid": list(event.causes)} if event.causes else {}))
