"""Folds that begin anew: whoever reads back two panes gives the same answers, however long the log was before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from models.events import Action
from models.foreign import Foreign, Found
from models.panes import Panes

PANE, DELAY = 100, 7
LATER = 10**9


class Chain:
    """A fold that never forgets: each record is answered with the ids of all before it, `DELAY` after it or at once."""

    def __init__(self, delay: int = DELAY) -> None:
        self.delay = delay
        self.counts: Counter[str] = Counter()
        self._seen = ""
        self._waiting: list[tuple[int, Found]] = []

    def translate(self, record: Foreign) -> Sequence[Found]:
        self._seen += record.id
        self.counts["taken"] += 1
        place = (
            record.place,
            Action(time=record.time, source="s", id=record.id, resource="r", agent="a", verb="v", parameter="p", new=self._seen),
        )
        if not self.delay:
            return (place,)
        self._waiting.append((record.time, place))
        return ()

    def passed(self, time: int) -> Sequence[Found]:
        due = [found for at, found in self._waiting if at + self.delay <= time]
        self._waiting = [each for each in self._waiting if each[0] + self.delay > time]
        return due


def answers(times: Sequence[int], delay: int, words: frozenset[int] = frozenset()) -> dict[str, object]:
    """What the records at these times become; `words`: after which of them `passed` is called as well."""
    panes, found = Panes(lambda: Chain(delay), PANE), list[Found]()
    for number, time in enumerate(times):
        found += panes.translate(Foreign(time=time, source="s", id=f"{time}.", place=number))
        if number in words:
            found += panes.passed(time)
    found += panes.passed(LATER)
    assert panes.counts["taken"] >= len(times)
    told = {event.id: event.new for _, event in found if isinstance(event, Action)}
    assert len(told) == len(found) == len(times), "a record was answered twice, or never"
    return told


TIMES = st.lists(st.integers(0, 700), unique=True, min_size=1).map(sorted)
DELAYS = st.sampled_from([0, DELAY])


@given(TIMES, DELAYS, st.frozensets(st.integers(0, 50)))
def test_how_often_it_is_told_how_far_the_log_is_known_makes_no_difference(
    times: list[int], delay: int, words: frozenset[int]
) -> None:
    assert answers(times, delay) == answers(times, delay, words)


@given(TIMES, DELAYS, st.integers(0, 900), st.integers(0, 120))
def test_who_reads_back_far_enough_gives_the_same_answers(times: list[int], delay: int, at: int, more: int) -> None:
    begin = Panes(lambda: Chain(delay), PANE).start_of(at)
    refilled = answers([time for time in times if time >= begin - more] or [LATER - 1000], delay)
    whole = answers(times, delay)
    due = [f"{time}." for time in times if time + delay > at]  # what `passed(at)` had not answered yet
    assert [refilled[name] for name in due] == [whole[name] for name in due]


@given(TIMES, DELAYS)
def test_an_answer_rests_on_two_panes_at_most(times: list[int], delay: int) -> None:
    memory = Panes(lambda: Chain(delay), PANE).memory
    for name, seen in answers(times, delay).items():
        first, own = int(str(seen).split(".")[0]), int(name[:-1])
        assert own - memory <= first <= own and (first // PANE >= own // PANE - 1 or own % PANE < delay)


def test_a_log_within_two_panes_is_one_fold() -> None:
    begun = list[Chain]()

    def begin() -> Chain:
        begun.append(Chain())
        return begun[-1]

    panes = Panes(begin, PANE)
    for time in (5, 50, 99):
        panes.translate(Foreign(time=time, source="s", id=f"{time}."))
    assert len(begun) == 2  # one of them only tells the delay
