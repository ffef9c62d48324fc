"""Who speaks, and what becomes of it: an agent's identity, the counters, and the envelope of every event."""

from __future__ import annotations

import functools
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

import orjson

from interplay_sdk import context
from interplay_sdk.contract import EVENTS
from interplay_sdk.lifetime import survives_fork
from interplay_sdk.shapes import Unfit, moment, name, rfc3339
from interplay_sdk.sinks import Sink

logger = logging.getLogger("interplay_sdk")

E = TypeVar("E", bound="Emitter")
P = ParamSpec("P")
R = TypeVar("R")

BYTES_MOST = 1_000_000  # of an event; brokers and the analyzer take 1 MiB with its headers
TROUBLES_MOST = 32  # kinds of trouble that are logged, once each

_users: WeakKeyDictionary[Sink, int] = WeakKeyDictionary()  # how many open recorders a sink has


def never_raises(
    otherwise: Callable[[E], R],
) -> Callable[[Callable[Concatenate[E, P], R]], Callable[Concatenate[E, P], R]]:
    """An agent must not fail because it is observed: errors, wrong arguments among them, are counted, and `otherwise` answers."""

    def decorate(call: Callable[Concatenate[E, P], R]) -> Callable[Concatenate[E, P], R]:
        @functools.wraps(call)
        def guarded(self: E, *args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return call(self, *args, **kwargs)
            except Unfit as unfit:
                self.trouble(f"{call.__name__} did nothing", str(unfit))
            except Exception as error:
                self.trouble(f"{call.__name__} did nothing", repr(error))
            return otherwise(self)

        return cast(Callable[Concatenate[E, P], R], guarded)

    return decorate


class Emitter:
    """See `Recorder`, which says what happened; this sends it."""

    def __init__(
        self,
        agent: str,
        sink: Sink,
        source: str,
        domain: str,
        mandate: str,
        clock: Callable[[], int],
    ) -> None:
        self._lock = threading.Lock()
        self._unfit = 0
        self._logged: set[str] = set()
        self._sink, self._clock, self._open = sink, clock, True
        _users[sink] = _users.get(sink, 0) + 1
        survives_fork(self)
        self.agent = self._identity("agent", agent, "unnamed")
        self.source = self._identity(
            "source", source or f"agents/{self.agent}/{socket.gethostname()}-{os.getpid()}", "agents/unnamed"
        )
        self.domain = self._identity("domain", domain, "default")
        self.mandate = mandate

    def _identity(self, field: str, given: Any, otherwise: str) -> str:
        try:
            return name(given, self._note("Recorder"))
        except Unfit as unfit:
            self.trouble(f"Recorder: {field}", f"{unfit}; {otherwise!r} is used")
            return otherwise

    def after_fork(self) -> None:
        """In the child: another thread may have held the parent's lock."""
        self._lock = threading.Lock()

    # -- counters and the end

    @property
    def sent(self) -> int:
        """Events that the sink has delivered."""
        return self._sink.sent

    @property
    def dropped(self) -> int:
        """Events that the sink had no room or no time for."""
        return self._sink.dropped

    @property
    def failed(self) -> int:
        """Calls of which something, or everything, could not be recorded, and events that the sink could never deliver."""
        return self._unfit + self._sink.failed

    def trouble(self, what: str, detail: str) -> None:
        """Counts something that could not be recorded, and logs it the first time that it is of this kind."""
        with self._lock:
            self._unfit += 1
            if what in self._logged or len(self._logged) >= TROUBLES_MOST:
                return
            self._logged.add(what)
        logger.warning(
            "interplay: %s: %s (agent %s; more of this kind are only counted)", what, detail, getattr(self, "agent", "?")
        )

    def _note(self, call: str) -> Callable[[str], None]:
        def note(detail: str) -> None:
            what, _, why = detail.partition(": ")
            self.trouble(f"{call}, {what}", why)

        return note

    @never_raises(lambda self: False)
    def flush(self, timeout_s: float = 2.0) -> bool:
        """Waits, at most so long, until everything recorded so far is delivered; False where something is not."""
        return self._sink.flush(timeout_s)

    @never_raises(lambda self: None)
    def close(self, timeout_s: float = 2.0) -> None:
        """Sends what waits, for at most so long. The sink is closed with the last recorder that uses it."""
        with self._lock:
            was_open, self._open = self._open, False
        if was_open:
            _users[self._sink] -= 1
        if _users[self._sink] > 0:
            self._sink.flush(timeout_s)
        else:
            self._sink.close(timeout_s)

    # -- events

    def now(self) -> int:
        """ns since the epoch, by the recorder's clock; by the system's, where that fails."""
        try:
            return int(self._clock())
        except Exception as error:
            self.trouble("the clock failed", repr(error))
            return time.time_ns()

    def _fit(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        """The data of an event as the contract allows it. Raises Unfit where a required field is not."""
        fitted: dict[str, Any] = EVENTS[kind](fields, self._note(kind))
        return fitted

    def _emit(
        self, kind: str, subject: str, data: dict[str, Any], *, id: str = "", causes: Iterable[str] = (), at: Any = None
    ) -> str:
        """Sends one event, keyed by its subject; answers its name. Raises Unfit without a subject, or where it is too large."""
        note = self._note(kind)
        try:
            resource = name(subject, note)
        except Unfit as unfit:
            raise Unfit(f"the resource must be a path such as db/orders: {unfit}") from None
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": id or str(uuid.uuid4()),
            "source": self.source,
            "type": f"interplay.{kind}.v1",
            "time": self._time(at, note),
            "subject": resource,
            "domain": self.domain,
        }
        because = list(dict.fromkeys(cause for cause in causes if cause))
        if because:
            event["causationid"] = because if len(because) > 1 else because[0]
        if context.trace():
            event["traceparent"] = context.trace()
        event["data"] = data
        encoded = orjson.dumps(event)
        if len(encoded) > BYTES_MOST:
            raise Unfit(f"an event of {len(encoded)} bytes; {BYTES_MOST} is the most")
        self._sink.put(resource, encoded, kind == "sample")
        return f"{self.source} {event['id']}"

    def _time(self, at: Any, note: Callable[[str], None]) -> str:
        if at is not None:
            try:
                return moment(at, note)
            except Unfit as unfit:
                note(f"time: {unfit}; now is used")
        return rfc3339(self.now())
