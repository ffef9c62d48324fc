"""One partition's foreign records through reduce, as a worker does it that dies now and then."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from models.events import Event
from models.instants import MINUTE
from models.reduction import ReduceProgress, decode_reduce_progress, encode_reduce_progress
from models.translation import TranslatingReducer

Opened = Callable[[ReduceProgress | None], tuple[Any, TranslatingReducer]]


def reduced_by(opened: Opened, log: list[tuple[int, bytes]], rng: random.Random, crash: float, poll: int) -> list[Event]:
    """`log` is (append time, value); polls of 1 to `poll` records, a crash with probability `crash` after each, four at most."""
    (source, reducer), saved, position, out, crashes = opened(None), None, 0, list[Event](), 0
    while position < len(log):
        for offset in range(position, min(len(log), position + rng.randint(1, poll))):
            appended, value = log[offset]
            assert not reducer.feed(offset, appended, source.parse(value, (), offset))
            position = offset + 1
        ended = position == len(log)
        out += reducer.release(log[position - 1][0] + (10 * MINUTE if ended else 0), ended).events
        if rng.random() < 0.5:
            saved = reducer.progress()
        if crashes < 4 and rng.random() < crash:
            crashes += 1
            source, reducer = opened(decode_reduce_progress(encode_reduce_progress(saved)) if saved else None)
            position = reducer.resume_offset
    return out
