"""Any JSON as a source (`kind = "json"`): each record goes through the `[[map]]` rules of the settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from models.events import AnyEvent
from models.foreign import Place, Translator
from models.rejection import Rejection, clipped, explained
from streams.settings import Settings, SettingsError
from streams.sources.documents import split
from streams.sources.mapping.applying import Made, made_of
from streams.sources.mapping.paths import Json
from streams.sources.mapping.reading import read_rule
from streams.sources.mapping.rules import Rule
from streams.sources.source import Headers, Kind, Nothing, Origin, without_fold

_decode = msgspec.json.Decoder().decode
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Mapped:
    """A `Source` without a fold: what a rule makes needs no order."""

    def __init__(self, settings: Settings, origin: Origin) -> None:
        self.counts: Counter[str] = Counter()
        self._rules = rules_of(settings, origin.rules)
        self._domain = origin.domain

    def parse(self, value: bytes, headers: Headers, place: Place) -> Sequence[AnyEvent | Rejection]:
        """See `Source`."""
        try:
            found = records(value)
        except _BAD as error:
            return (unread(error),)
        made: list[AnyEvent | Rejection] = []
        for raw, record in found:
            outcomes: list[Made] = []
            for each in made_of(record, raw, self._rules, self._domain):
                if isinstance(each, Made):
                    outcomes.append(each)
                elif each.element:
                    self.counts["elements"] += 1
            self.counts["mapped" if any(each.event is not None for each in outcomes) else "ignored" if outcomes else "no_rule"] += 1
            made += [each.event for each in outcomes if each.event is not None]
        return made

    def fold(self) -> Translator:
        """See `Source`."""
        return Nothing()


def unread(error: Exception) -> Rejection:
    """Why a line is no JSON, or holds a number beyond what is a number here."""
    rejection = explained(error)
    if rejection.reason != "not_cloudevents":
        return rejection
    return Rejection("wrong_type", "", clipped(str(error)))


MAPPED = Kind(
    lambda head: False, Mapped, "mapped", "records that became events", split, without_fold
)  # by no look alone, since any JSON could be meant: by the rules, see `claimed`


def rules_of(settings: Settings, names: Sequence[str] = ()) -> tuple[Rule, ...]:
    """Those of the settings, whose tables were checked when they were loaded, or some of them. Raises SettingsError where there is none."""
    if not settings.map:
        where = "interplay.toml of this directory, or --config FILE"
        raise SettingsError([f"json: there is no [[map]] rule in the settings ({where}); docs/mapping.md shows one to begin with"])
    return tuple(read_rule(msgspec.json.decode(each.table)) for each in settings.map if not names or each.name in names)


def claimed(line: bytes, rules: Sequence[Rule]) -> bool:
    """Whether a rule applies that asks anything: such a line is what the settings were written for."""
    asking = [rule for rule in rules if rule.when]
    try:
        found = records(line) if asking else []
    except _BAD:
        return False
    return any(isinstance(each, Made) for raw, record in found for each in made_of(record, raw, asking))


def records(value: bytes) -> list[tuple[bytes, Json]]:
    """The record of a line, or those of an array, each with its bytes. Raises msgspec's errors, or RecursionError."""
    decoded: Json = _decode(value)
    if not isinstance(decoded, list):
        return [(value.strip(), decoded)]
    return [(msgspec.json.encode(each), each) for each in decoded]
