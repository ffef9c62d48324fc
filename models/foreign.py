"""Records of logs that were not written for this program, and how they become events: parsed, put in order, then translated.

    record of a topic, line of a file ─► parse ─► Foreign ─► canonical order (time, source, id) ─► translate ─► events

Parsing looks at one record alone. Translating is a fold over the records in order, since an audit log says what became of a value and not
what it was before. So the order has to come first; a worker orders by the partition's watermark (`models.reduction`), a file's reader by
waiting for a number of lines (`streams.sources.in_order`). That findings stay a function of the events asks three things of a translator:

- what it answers for a record at time t follows from the records with times from t - `memory` to t + `delay`, and from nothing older: a
  refill begins `memory` earlier, and a fold that remembered more would differ after a restart (so folds begin anew at the borders of
  panes: one that began a pane ago answers, one that began with this pane gets ready);
- the events have times of t - `delay` or later: that is how far a tick may promise;
- `passed` may be called often or seldom: what it answers, all calls together, is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

import msgspec

from models.events import AnyEvent
from models.rejection import Rejection


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """What waits to be put in order. Each source adds what it needs; (source, id) names it, and a repeat is left out."""

    time: int  # ns since 1970
    source: str
    id: str


class Translator(Protocol):
    """The fold. Of one source partition, or of one file."""

    memory: int  # ns; 0: each record stands for itself
    delay: int  # ns that a record waits for what comes after it; 0: none
    counts: Counter[str]  # what was passed over, by why

    def translate(self, record: Foreign) -> Iterable[AnyEvent | Rejection]:
        """Takes in the next record in canonical order. Never raises on bad input: that is a Rejection."""

    def passed(self, time: int) -> Iterable[AnyEvent | Rejection]:
        """No record before `time` will come any more: what waited for that."""
