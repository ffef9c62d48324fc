"""Records of logs that were not written for this program, and how they become events: parsed, put in order, then translated.

    record of a topic, line of a file ─► parse ─► Foreign ─► canonical order (time, source, id) ─► translate ─► events

Parsing looks at one record alone. Translating is a fold over the records in order, since an audit log says what became of a value and not
what it was before. So the order has to come first; a worker orders by the partition's watermark (`models.translation`), a file's reader by
waiting for a number of records (`streams.sources.in_order`). That findings stay a function of the events asks three things of a translator:

- what it answers for a record follows from the records before it in order, and from those up to `delay` after it. It need not forget:
  `models.panes` begins folds anew, so that nothing rests on what is older than a bounded horizon, which a refill can read again;
- its events have times of t - `delay` or later, once `passed(t)` was called: that is how far a tick may promise;
- `passed` may be called often or seldom: what it answers, all calls together, is the same; and in which call a record is answered
  depends on the times of records alone.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeAlias

import msgspec

from models.events import AnyEvent
from models.rejection import Rejection

Place: TypeAlias = object  # where a record stood: the number of its line, or the record of the topic
Found: TypeAlias = tuple[Place, AnyEvent | Rejection]  # an answer, and the place of the record that it comes from


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """What waits to be put in order. Each source adds what it needs; (time, source, id) names it: see `content`."""

    time: int  # ns since 1970
    source: str
    id: str
    place: Place = None  # as `parse` was given it; answers hand it back


def content(record: Foreign) -> bytes:
    """What a record says, wherever it stood: of several of one name the least counts, whichever came first."""
    try:
        return msgspec.json.encode(msgspec.structs.replace(record, place=None), order="deterministic", enc_hook=_plain)
    except (RecursionError, OverflowError, TypeError):
        return b""  # nested beyond reason; so the first counts


def _plain(value: object) -> object:
    return list(value) if isinstance(value, array) else None


class Translator(Protocol):
    """The fold. Of one source partition, or of one file."""

    @property
    def delay(self) -> int:
        """ns that a record waits for what comes after it; 0: none."""

    @property
    def counts(self) -> Counter[str]:
        """What was passed over, by why."""

    def translate(self, record: Foreign) -> Sequence[Found]:
        """Takes in the next record in canonical order. Never raises on bad input: that is a Rejection."""

    def passed(self, time: int) -> Sequence[Found]:
        """No record before `time` will come any more: what waited for that."""
