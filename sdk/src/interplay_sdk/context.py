"""What a task or thread carries along: the events that cause what it does next, its trace, and what it has read since it last acted.

Context variables follow `await`, tasks and `contextvars.copy_context`; a new thread starts empty, as Python has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import orjson

Reading = dict[str, Any]

READS_MOST = 64  # remembered until the next action; the oldest go first

_causes: ContextVar[tuple[str, ...]] = ContextVar("interplay_causes", default=())
_trace: ContextVar[str] = ContextVar("interplay_traceparent", default="")
_reads: ContextVar[tuple[tuple[int, Reading], ...]] = ContextVar("interplay_reads", default=())


def causes() -> tuple[str, ...]:
    """Names ("source id") of the events that cause what happens here."""
    return _causes.get()


def trace() -> str:
    """The W3C traceparent that came in with the call, or nothing."""
    return _trace.get()


@contextmanager
def caused_by(names: tuple[str, ...], traceparent: str = "") -> Iterator[None]:
    """Inside the block, these events are the cause."""
    cause, span = _causes.set(names), _trace.set(traceparent or _trace.get())
    try:
        yield
    finally:
        _causes.reset(cause)
        _trace.reset(span)


def remember(owner: int, reading: Reading) -> None:
    """A read that the owner's next action in this context rests on."""
    _reads.set((*_reads.get(), (owner, reading))[-READS_MOST:])


def take_reads(owner: int) -> list[Reading]:
    """The owner's reads since it last acted in this context; they are forgotten."""
    found = _reads.get()
    if not found:
        return []
    _reads.set(tuple(item for item in found if item[0] != owner))
    return [reading for who, reading in found if who == owner]


def inject(headers: MutableMapping[str, str]) -> MutableMapping[str, str]:
    """Puts the present causes, and the trace, into the headers of an outgoing call."""
    names = _causes.get()
    if names:
        headers["causationid"] = orjson.dumps(names).decode()
    if _trace.get():
        headers["traceparent"] = _trace.get()
    return headers


def read_headers(headers: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """(causes, traceparent) of an incoming call; anything unreadable counts as absent."""
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    text = lowered.get("causationid", "")
    names: tuple[str, ...] = (text,) if text else ()
    if text.startswith("["):
        try:
            names = tuple(name for name in orjson.loads(text) if isinstance(name, str))
        except orjson.JSONDecodeError:
            names = ()
    return names, lowered.get("traceparent", "")
