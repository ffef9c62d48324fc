"""Reduce of what is translated, broken on purpose: each way of breaking it is seen by the properties of test_translation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from test_translation import log_of, played, whole

from models.panes import Panes
from models.reduction import ReduceProgress
from models.translation import TranslatingReducer


def too_short_a_memory(patch: pytest.MonkeyPatch) -> None:
    start_of = Panes.start_of
    patch.setattr(Panes, "start_of", lambda self, time: start_of(self, time) + self._pane)


def no_memory(patch: pytest.MonkeyPatch) -> None:
    progress = TranslatingReducer.progress

    def forgetful(self: TranslatingReducer) -> ReduceProgress:
        return msgspec.structs.replace(progress(self), memory=None)

    patch.setattr(TranslatingReducer, "progress", forgetful)


def folds_without_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Panes, "_turn", lambda self, time: [])


def promises_the_watermark(patch: pytest.MonkeyPatch) -> None:
    release = TranslatingReducer.release

    def hasty(self: TranslatingReducer, now: int, at_end: bool) -> Any:
        found = release(self, now, at_end)
        tick = found.tick and msgspec.structs.replace(found.tick, watermark=self.watermark)
        return msgspec.structs.replace(found, tick=tick)

    patch.setattr(TranslatingReducer, "release", hasty)


def a_repeat_is_translated_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TranslatingReducer, "_last", property(lambda self: None, lambda self, key: None), raising=False)
    patch.setattr(TranslatingReducer, "_one_of", lambda self, item, key: item)


def a_mark_ahead_of_what_waits(patch: pytest.MonkeyPatch) -> None:
    mark = TranslatingReducer._mark

    def ahead(self: TranslatingReducer) -> Any:
        return msgspec.structs.replace(mark(self), offset=self._next)

    patch.setattr(TranslatingReducer, "_mark", ahead)


MUTANTS: list[Callable[[pytest.MonkeyPatch], None]] = [
    too_short_a_memory, no_memory, folds_without_end, promises_the_watermark, a_repeat_is_translated_again, a_mark_ahead_of_what_waits,
]  # fmt: skip


def differs(seed: int) -> bool:
    """Whether one run of the property fails."""
    log = log_of(seed, 120, 600.0, 9.0, 0.3, 0.1)
    try:
        return played(log, seed, 0.2)[0] != whole(log)
    except AssertionError:
        return True


def test_nothing_differs_where_nothing_is_broken() -> None:
    assert not any(differs(seed) for seed in range(30))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_seen(mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    assert any(differs(seed) for seed in range(30))
