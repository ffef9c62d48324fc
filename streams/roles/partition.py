"""One source partition in reduce: what decodes its records, what puts them in order, and the dead letters of what cannot be used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from faust.types import TP

from models.events import AnyEvent
from models.foreign import Foreign, Place
from models.panes import Panes
from models.reduction import ReduceProgress, Reducer
from models.rejection import Rejection
from models.translation import TranslatingReducer
from streams.kafka_client import MILLISECOND
from streams.metrics import Metrics
from streams.record import Record
from streams.roles.dead_letters import TOO_FAR_AHEAD, Letters
from streams.settings import Settings, SourceTopic
from streams.sources.cloudevents import decode_record
from streams.sources.kinds import KINDS
from streams.sources.source import Headers, Origin, unquoted
from streams.topics import partition_name
from streams.writing import Outgoing


class SourcePartition:
    """Of one of our topics, whose records are CloudEvents."""

    def __init__(self, tp: TP, settings: Settings, metrics: Metrics, reducer: Reducer) -> None:
        self.tp = tp
        self.reducer = reducer
        self._limit = settings.topics.record_limit
        self._metrics = metrics

    def take_in(self, record: Record) -> Sequence[Outgoing]:
        """Feeds the reducer; answers the dead letters."""
        headers = [(name, value or b"") for name, value in record.headers] if record.headers else ()
        items = self._items(record, headers)
        refused = self.reducer.feed(record.offset, record.timestamp * MILLISECOND, items)  # type: ignore[arg-type]  # the one for them
        if not refused:
            return ()
        bad = [item for item in refused if isinstance(item, Rejection)]
        ahead = [item for item in refused if not isinstance(item, Rejection)]
        for _ in ahead:
            self._metrics.add("interplay_dead_letters_total", 1, TOO_FAR_AHEAD)
        places = {id(item): f"[{i}]." for i, item in enumerate(items)} if len(items) > 1 else {}
        letters = Letters(self._limit)
        return [
            *self._letters(letters, ((record, item) for item in bad)),
            *(letter for event in ahead for letter in letters.ahead(record, event, places.get(id(event), ""))),
        ]

    def letters(self, refused: Iterable[tuple[Place, Rejection]]) -> list[Outgoing]:
        """The dead letters of rejections, whose places are records."""
        return self._letters(Letters(self._limit), refused)

    def _letters(self, letters: Letters, refused: Iterable[tuple[Place, Rejection]]) -> list[Outgoing]:
        found: list[Outgoing] = []
        for record, why in refused:
            assert isinstance(record, Record)
            self._metrics.add("interplay_dead_letters_total", 1, why.reason)
            found += letters.rejected(record, why)
        return found

    def measure(self) -> None:
        """What parsing and translating passed over: nothing here."""

    def _items(self, record: Record, headers: Headers) -> Sequence[AnyEvent | Foreign | Rejection]:
        return decode_record(record.value, headers, self._limit)


class ForeignPartition(SourcePartition):
    """Of a topic of `[[source]]`."""

    def __init__(self, tp: TP, settings: Settings, metrics: Metrics, table: SourceTopic, progress: ReduceProgress | None) -> None:
        self._source = KINDS[table.kind].open(settings, Origin(table.cluster, table.domain, table.rules))
        self._panes = Panes(self._source.fold, KINDS[table.kind].pane(settings))
        name = partition_name(tp.topic, tp.partition)
        super().__init__(tp, settings, metrics, TranslatingReducer(name, settings.analysis.time, self._panes, progress))

    def measure(self) -> None:
        """What parsing and translating passed over, by why."""
        for why, count in (self._source.counts + self._panes.counts).items():
            self._metrics.set("interplay_passed_over_total", count, self.tp.topic, str(self.tp.partition), why)

    def _items(self, record: Record, headers: Headers) -> Sequence[AnyEvent | Foreign | Rejection]:
        value = record.value or b""
        size = len(value)
        if not size:
            return [Rejection("not_json", "", "the record has no value")]
        if size > self._limit:
            return [Rejection("too_large", "", f"{size:,} bytes, at most {self._limit:,}")]
        return self._source.parse(unquoted(value), headers, record)


def opened(tp: TP, settings: Settings, metrics: Metrics, progress: ReduceProgress | None) -> SourcePartition:
    """The partition, where its reducer last stood."""
    table = next((each for each in settings.source if each.topic == tp.topic), None)
    if table is not None:
        return ForeignPartition(tp, settings, metrics, table, progress)
    name = partition_name(tp.topic, tp.partition)
    return SourcePartition(tp, settings, metrics, Reducer(name, settings.analysis.time, progress))
