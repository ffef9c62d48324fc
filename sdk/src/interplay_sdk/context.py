"""What a task or thread carries along: the events that cause what it does next, its trace, and what it has read since it last acted.

Context variables follow `await`, tasks, `asyncio.to_thread` and `contextvars.copy_context`; a new thread starts empty, as Python has it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, cast

Reading = dict[str, Any]

READS_MOST = 64  # remembered until the next action; the oldest go first

_causes: ContextVar[tuple[str, ...]] = ContextVar("interplay_causes", default=())
_trace: ContextVar[str] = ContextVar("interplay_traceparent", default="")
_reads: ContextVar[tuple[tuple[int, Reading], ...]] = ContextVar("interplay_reads", default=())
_decision: ContextVar[list[tuple[int, Reading]] | None] = ContextVar("interplay_decision", default=None)


def causes() -> tuple[str, ...]:
    """Names ("source id") of the events that cause what happens here."""
    return _causes.get()


def trace() -> str:
    """The W3C traceparent that came in with the call, or nothing."""
    return _trace.get()


class Block:
    """Sets context variables inside a `with` block."""

    def __init__(self, *changes: tuple[ContextVar[Any], Any]) -> None:
        self._changes = changes
        self._tokens: list[tuple[ContextVar[Any], Token[Any]]] = []

    def __enter__(self) -> None:
        self._tokens = [(variable, variable.set(value)) for variable, value in self._changes]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for variable, token in reversed(self._tokens):
            with suppress(ValueError):  # left in another context than entered, as generators may: there it was never set
                variable.reset(token)


def caused_by(names: tuple[str, ...], traceparent: str = "") -> Block:
    """Inside the block, these events are the cause."""
    return Block((_causes, names), (_trace, traceparent or _trace.get()))


def decision() -> Block:
    """Inside the block, what is read, also in tasks and threads that it starts, belongs to every action of the block."""
    return Block((_decision, []))


def remember(owner: int, reading: Reading) -> None:
    """A read that the owner's next action in this context rests on. The newest of a metric counts, so that polling does not pile up."""
    entry = (owner, reading)
    shared = _decision.get()
    if shared is None:
        _reads.set(_with(_reads.get(), entry))
    else:
        shared[:] = _with(tuple(shared), entry)


def _with(known: tuple[tuple[int, Reading], ...], entry: tuple[int, Reading]) -> tuple[tuple[int, Reading], ...]:
    what = _subject(entry)
    return (*(other for other in known if _subject(other) != what), entry)[-READS_MOST:]


def _subject(entry: tuple[int, Reading]) -> tuple[Any, ...]:
    return (entry[0], entry[1]["resource"], entry[1].get("metric"))


def take_reads(owner: int) -> list[Reading]:
    """The owner's reads since it last acted in this context, which are forgotten, and those of the decision around it, which stay."""
    found, shared = _reads.get(), _decision.get() or ()
    if found:
        _reads.set(tuple(entry for entry in found if entry[0] != owner))
    return [reading for who, reading in (*found, *shared) if who == owner]


def inject(headers: Any) -> None:
    """Puts the present causes, and the trace, into a mapping of headers, or into a list of (name, bytes) as Kafka has them."""
    carried = {"causationid": json.dumps(_causes.get()) if _causes.get() else "", "traceparent": _trace.get()}
    for name, text in carried.items():
        if text and isinstance(headers, list):
            headers.append((name, text.encode()))
        elif text:
            headers[name] = text


def read_headers(headers: Any) -> tuple[tuple[str, ...], str]:
    """(causes, traceparent) of an incoming call: a mapping or pairs, text or bytes. Anything unreadable counts as absent."""
    pairs = headers.items() if isinstance(headers, Mapping) else cast("Iterable[tuple[Any, Any]]", headers)
    found = {_text(name).lower().removeprefix("ce_"): _text(value) for name, value in pairs}
    text = found.get("causationid", "")
    names: tuple[str, ...] = (text,) if text else ()
    if text.startswith("["):
        try:
            names = tuple(name for name in json.loads(text) if isinstance(name, str) and name)
        except (ValueError, RecursionError):
            names = ()
    return names, found.get("traceparent", "")


def _text(given: Any) -> str:
    return given.decode("utf-8", "replace") if isinstance(given, bytes) else str(given)
