"""A fold that began anew not too long ago: what it answers rests on a bounded horizon, whatever the fold remembers.

Event time is cut into panes. The records of pane k are answered by the fold that began with pane k-1; meanwhile the one that began with
pane k takes them in too and gets ready, unanswered. So an answer rests on nothing older than two panes, and whoever reads back so far
gives the same answers.

    pane            k-1          k           k+1
    fold of k-1      ready ......ANSWERS.....|
    fold of k                    ready.......ANSWERS ...

A fold without a record before a pane is the same as one that began with it, so that a short log pays for one fold only. Folds take turns
`delay` after the border, once whatever waited for that has been answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from models.foreign import Foreign, Found, Translator


class Panes:
    """A `Translator` made of one that `begin` makes, empty, whenever it is called. `pane` is in ns."""

    def __init__(self, begin: Callable[[], Translator], pane: int) -> None:
        self._begin = begin
        self._pane = pane
        self._folds: list[tuple[int, Translator]] = []  # (pane of its first record, fold); the first one answers
        self._counts: Counter[str] = Counter()  # of the folds that answered before
        self.delay = begin().delay

    @property
    def memory(self) -> int:
        """ns: an answer for a record rests on nothing that is older by more."""
        return 2 * self._pane + self.delay

    @property
    def counts(self) -> Counter[str]:
        """What the folds passed over while they answered."""
        return self._counts + self._folds[0][1].counts if self._folds else self._counts

    def pane_of(self, time: int) -> int:
        """The number of the pane that a moment (ns) lies in."""
        return time // self._pane

    def start_of(self, time: int) -> int:
        """From which event time (ns) on all records have to be read, so that what is answered by `passed` after `time` is right."""
        return ((time - self.delay) // self._pane - 1) * self._pane

    def translate(self, record: Foreign) -> Sequence[Found]:
        """See `Translator`."""
        answers = self._turn(record.time)
        pane = record.time // self._pane
        if not self._folds or self._folds[-1][0] < pane:
            self._folds.append((pane, self._begin()))
        for _, fold in self._folds[1:]:
            fold.translate(record)
        found = self._folds[0][1].translate(record)
        return [*answers, *found] if answers else found

    def passed(self, time: int) -> Sequence[Found]:
        """See `Translator`."""
        answers = self._turn(time)
        for _, fold in self._folds[1:]:
            fold.passed(time)
        if not self._folds:
            return answers
        return [*answers, *self._folds[0][1].passed(time)]

    def _turn(self, time: int) -> list[Found]:
        """Lets go of the folds whose last pane has passed. What they answer until then is theirs, what comes after it is the next one's."""
        answers: list[Found] = []
        while self._folds:
            border = (self._folds[0][0] + 2) * self._pane + self.delay
            if time < border:
                break
            answers += self._folds[0][1].passed(border)
            for _, fold in self._folds[1:]:
                fold.passed(border)
            self._counts += self._folds.pop(0)[1].counts
            if self._folds:
                self._folds[0][1].counts.clear()
        return answers
