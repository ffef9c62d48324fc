"""Where events come from. A source turns one Kafka record into events or rejections; a new one is a file here and a line in SOURCES."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from models.decode import Rejection
from models.events import AnyEvent
from streams.sources.cloudevents import decode_record

Headers = Sequence[tuple[str, bytes]]

SOURCES: dict[str, Callable[[bytes | None, Headers, int], list[AnyEvent | Rejection]]] = {
    "cloudevents": decode_record,
}
