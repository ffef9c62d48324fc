"""OTLP as a source of events: what needs no order goes through at once, the rest waits for `fold`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

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

    def __init__(self, settings: Settings, origin: Origin, signal: str = "") -> None:
        self.counts: Counter[str] = Counter()
        self._settings = settings.otlp
        self._origin = origin
        self._decoder = Decoder(origin.cluster, signal)
        self._metrics = Metrics(settings.otlp, origin.domain, self.counts)
        self._actions = Actions(settings.otlp.action, settings.otlp.tools == "guess")
        self._lines = Lines(settings.otlp)

    def parse(self, value: bytes, headers: Headers, place: Place) -> Sequence[AnyEvent | Foreign | Rejection]:
        """See `Source`."""
        if value.lstrip()[:1] == b'"':
            return [_raw(value)]
        found: list[AnyEvent | Foreign | Rejection] = []
        items = self._decoder.decode(value, place)
        for item in items:
            if isinstance(item, Measured):
                found += self._metrics.of(item, place)
            else:
                found.append(item)
        self.counts["items"] += len(items)
        return found

    def fold(self) -> Fold:
        """See `Source`."""
        return Fold(self._settings, self._origin, self._actions, self._lines)


def _raw(value: bytes) -> AnyEvent | Rejection:
    """A log record of encoding `raw`: a JSON text, with what was logged inside. It says neither when nor by whom: an event does itself."""
    try:
        line = msgspec.json.decode(value, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Rejection("not_otlp", "", f"begins as a `raw` log record, and is no JSON text: {error}"[:300])
    event = decode_event(line.encode())
    if not isinstance(event, Rejection):
        return event
    return Rejection("not_otlp", "", "a `raw` log record has neither time nor resource: set `encoding: otlp_json` in the collector")
