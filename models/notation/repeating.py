"""Loops in the notation: a block that is written once and happens again and again, each round so much later than the one before.

    every 4m x 10
      17:52:46 karpenter@karpenter#out{n} terminate node/{n} in_use true -> false
      17:54:55 karpenter@karpenter#in{n} launch node/{n+1} in_use false -> true
    end

`{n}` is the number of the round, from 1, also as `{n+K}` and `{n-K}`; times are those of the first round.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from msgspec.structs import replace

from models.events import Action, AnyEvent, Dependency, Intent
from models.instants import parse_duration

Placed: TypeAlias = tuple[int, str, int]  # line number, its text, ns by which its times are later than they are written

MOST = 10_000  # rounds of one block
_LOOP = re.compile(r"every\s+(\S+)\s+x\s+(\d+)")
_ROUND = re.compile(r"\{n([+-]\d+)?\}")
_PASSED_OVER = ("#", "expect ")


def spread(lines: Iterable[str]) -> Iterator[Placed]:
    """The lines that say something, loops unrolled round by round. A loop that is wrong comes as the line that is not understood."""
    block: list[tuple[int, str]] | None = None
    head, number = (0, ""), 0
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith(_PASSED_OVER):
            continue
        if block is None and not text.startswith("every "):
            yield number, text, 0
        elif block is None:
            head, block = (number, text), []
        elif text != "end":
            block.append((number, text))
        else:
            yield from _rounds(head, block)
            block = None
    if block is not None:
        yield (*head, 0)


def _rounds(head: tuple[int, str], block: list[tuple[int, str]]) -> Iterator[Placed]:
    period, count = _loop(head[1])
    if not 1 <= count <= MOST:
        yield (*head, 0)
        return
    for turn in range(count):
        for number, text in block:
            yield number, _ROUND.sub(lambda found, n=turn + 1: str(n + int(found[1] or 0)), text), turn * period  # type: ignore[misc]


def _loop(text: str) -> tuple[int, int]:
    """Period in ns and number of rounds; no rounds where the line is no loop."""
    found = _LOOP.fullmatch(text)
    try:
        return (parse_duration(found[1]), int(found[2])) if found else (0, 0)
    except ValueError:
        return 0, 0


def later(event: AnyEvent, shift: int) -> AnyEvent:
    """The same event `shift` ns later, and with it every moment that it names."""
    moved = replace(event, time=event.time + shift)
    if isinstance(moved, Intent | Dependency) and moved.until is not None:
        return replace(moved, until=moved.until + shift)
    if isinstance(moved, Action):
        reads = tuple(replace(read, time=read.time + shift) if read.time is not None else read for read in moved.reads)
        clause = moved.intent
        if clause is not None and clause.until is not None:
            clause = replace(clause, until=clause.until + shift)
        return replace(moved, reads=reads, intent=clause)
    return moved
