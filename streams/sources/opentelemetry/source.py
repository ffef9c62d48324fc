"""OTLP as a source of events: what needs no order goes through at once, the rest waits for `fold`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from models.decode import decode_event
from models.events import AnyEvent
from models.foreign import Foreign, Place
from models.rejection import Rejection
from streams.settings import Settings
from streams.sources.opentelemetry.actions import Actions
from streams.sources.opentelemetry.decoder import Decoder, Measured
from streams.sources.opentelemetry.fold import Fold
from streams.sources.opentelemetry.lines import Lines
from streams.sources.opentelemetry.metrics import Metrics
from streams.sources.source import Headers, Origin


class Otlp:
    """A `Source`."""

    def __init__(self, settings: Settings, origin: Origin) -> None:
        self.counts: Counter[str] = Counter()
        self._settings = settings.otlp
        self._origin = origin
        self._metrics = Metrics(settings.otlp, origin.domain, self.counts)
        self._actions = Actions(settings.otlp.action, settings.otlp.tools == "guess", settings.otlp.read)
        self._lines = Lines(settings.otlp)
        self._decoder = Decoder(origin.cluster, lru_cache(10_000)(self._tells))  # event names are few, but anybody's

    def parse(self, value: bytes, headers: Headers, place: Place) -> Sequence[AnyEvent | Foreign | Rejection]:
        """See `Source`."""
        found: list[AnyEvent | Foreign | Rejection] = []
        items = self._decoder.decode(value, place)
        if value[:1] in b'"{' and len(items) == 1 and isinstance(items[0], Rejection) and items[0].reason == "not_otlp":
            return [_event(value)]
        for item in items:
            if isinstance(item, Measured):
                found += self._metrics.of(item, place)
            else:
                found.append(item)
        self.counts["items"] += len(items)
        if passed_over := self._decoder.passed_over:
            self.counts.update(items=passed_over, log_records_without_event=passed_over)
            self._decoder.passed_over = 0
        return found

    def _tells(self, name: str, severity: int) -> bool:
        return self._lines.tells(name, severity) or self._actions.tells(name)

    def fold(self) -> Fold:
        """See `Source`."""
        return Fold(self._settings, self._origin, self._actions, self._lines)


def _event(value: bytes) -> AnyEvent | Rejection:
    """A record that is no OTLP: an event that was logged and shipped as `raw`, or nothing that says when and where it was."""
    event = decode_event(value)
    if not isinstance(event, Rejection):
        return event
    return Rejection(
        "not_otlp", "", "neither OTLP nor an event; `raw` log records have neither time nor resource: set otlp_json instead"
    )
