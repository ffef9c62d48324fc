"""The recorder: one agent's voice. Every public call emits at most one CloudEvent (contract, version 1) and returns at once."""

from __future__ import annotations

import functools
import logging
import os
import socket
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from typing import Any, TypeVar

import orjson

from interplay_sdk import context
from interplay_sdk.act import Act
from interplay_sdk.sinks import Sink
from interplay_sdk.tracked import Tracked
from interplay_sdk.unknown import UNKNOWN

logger = logging.getLogger("interplay_sdk")

F = TypeVar("F", bound=Callable[..., Any])
KNOBS_MOST = 10_000  # last values remembered per recorder
_VALUES = (bool, int, float, str, type(None))


def rfc3339(moment: int | float | str | datetime) -> str:
    """ns since the epoch, a datetime or RFC 3339 text -> RFC 3339 in UTC."""
    if isinstance(moment, str):
        return moment
    if isinstance(moment, datetime):
        return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    seconds, nanos = divmod(int(moment), 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanos:09d}Z"


def plain(value: Any) -> Any:
    """A value as the contract has them: scalars as they are, collections as lists of scalars, anything else as text."""
    if isinstance(value, _VALUES):
        return value
    if isinstance(value, (list, tuple)):
        return [member if isinstance(member, _VALUES) else str(member) for member in value]
    if isinstance(value, (set, frozenset)):
        return sorted(member if isinstance(member, str) else str(member) for member in value)
    return str(value)


def _safely(call: F) -> F:
    """An agent must not fail because it is observed: errors are counted, and the first is logged."""

    @functools.wraps(call)
    def guarded(self: Recorder, *args: Any, **kwargs: Any) -> Any:
        try:
            return call(self, *args, **kwargs)
        except Exception as error:
            self.trouble(f"{call.__name__} was not recorded: {error!r}")
            return ""

    return guarded  # type: ignore[return-value]


class Recorder:
    """Events of one agent instance. `source` names the instance (default: agent, host and process), `agent` the controller behind it.

    Keeps the last value that this process wrote or read of each knob, and fills `old` from it where a call does not say. Threads may share
    one recorder. `clock` answers ns since the epoch.
    """

    def __init__(
        self,
        agent: str,
        sink: Sink,
        source: str = "",
        domain: str = "default",
        mandate: str = "",
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.agent, self.domain, self.mandate = agent, domain, mandate
        self.source = source or f"agents/{agent}/{socket.gethostname()}-{os.getpid()}"
        self.failed = 0
        self._sink, self.clock = sink, clock
        self._known: OrderedDict[tuple[str, str], Any] = OrderedDict()

    @property
    def sent(self) -> int:
        """Events that the sink has delivered."""
        return self._sink.sent

    @property
    def dropped(self) -> int:
        """Events that the sink had no room for."""
        return self._sink.dropped

    def close(self, timeout_s: float = 2.0) -> None:
        """Sends what waits, for at most so long."""
        self._sink.close(timeout_s)

    @_safely
    def act(self, verb: str, resource: str, parameter: str = "", **more: Any) -> str:
        """Records a finished action; answers its name, "source id".

        `more`: old (a value or a getter), new, version, outcome, reads, why (a rule, or {"rule", "text"}), intent, causes, constraints,
        alternatives, acknowledges, deletes, rollout, owner, time. Reads remembered in this context are added.
        """
        return self._act(str(uuid.uuid4()), verb, resource, parameter, more)

    def action(self, verb: str, resource: str, parameter: str = "", **more: Any) -> Act:
        """The same around the code that does it: `with` or `async with`. `old` is taken at entry; an exception makes the outcome `failed`
        and passes on. Whatever is recorded inside has this action as its cause."""
        return Act(self, verb, resource, parameter, more)

    @_safely
    def finish(self, name: str, verb: str, resource: str, parameter: str, more: dict[str, Any]) -> str:
        """Records an action whose name was given out before; called by `Act`."""
        return self._act(name, verb, resource, parameter, more)

    def _act(self, name: str, verb: str, resource: str, parameter: str, more: dict[str, Any]) -> str:
        knob = (resource, parameter or verb)
        reads = [self._reading(*given) if isinstance(given, tuple) else dict(given) for given in more.pop("reads", None) or ()]
        reads += context.take_reads(id(self))
        old = self.old(knob, more.pop("old", UNKNOWN))
        new = more.pop("new", UNKNOWN)
        data: dict[str, Any] = {"agent": self.agent, "verb": verb, "parameter": knob[1]}
        if self.mandate:
            data["mandate"] = self.mandate
        for field, value in (("old", old), ("new", new)):
            if value is not UNKNOWN:
                data[field] = plain(value)
        if reads:
            data["reads"] = reads
        why = more.pop("why", None)
        if why:
            data["why"] = {"rule": why} if isinstance(why, str) else dict(why)
        intent = more.pop("intent", None)
        if intent is not None:
            data["intent"] = _with_time(intent, "until")
        moment, causes = more.pop("time", None), more.pop("causes", None)
        data.update({field: value for field, value in more.items() if value is not None})
        ref = self._emit("action", resource, data, name=name, causes=causes, moment=moment)
        if new is not UNKNOWN and data.get("outcome", "applied") == "applied":
            self._know(knob, new)
        return ref

    def old(self, knob: tuple[str, str], given: Any) -> Any:
        """The old value: from a getter, as given, or what this process wrote or read last."""
        if callable(given):
            try:
                return given()
            except Exception as error:
                self.trouble(f"the getter of {knob[0]} {knob[1]} failed: {error!r}")
                return UNKNOWN
        return self._known.get(knob, UNKNOWN) if given is UNKNOWN else given

    def _know(self, knob: tuple[str, str], value: Any) -> None:
        self._known[knob] = value
        self._known.move_to_end(knob)
        if len(self._known) > KNOBS_MOST:
            self._known.popitem(last=False)

    @_safely
    def read(
        self, resource: str, metric: str, value: Any = UNKNOWN, *, version: Any = None, time: int | str | datetime | None = None
    ) -> None:
        """Remembers an observation; the next action of this recorder in this context rests on it."""
        context.remember(id(self), self._reading(resource, metric, value, version, time))
        if value is not UNKNOWN:
            self._know((resource, metric), value)

    def _reading(self, resource: str, metric: str, value: Any = UNKNOWN, version: Any = None, moment: Any = None) -> dict[str, Any]:
        reading: dict[str, Any] = {
            "resource": resource,
            "metric": metric,
            "time": rfc3339(self.clock() if moment is None else moment),
        }
        if value is not UNKNOWN:
            reading["value"] = plain(value)
        if version is not None:
            reading["version"] = version
        return reading

    def track(self, client: Any, reads: Mapping[str, Callable[..., tuple[str, str, Any]]]) -> Any:
        """A stand-in for `client` that remembers reads. `reads` maps a method's name to a function of (result, *arguments) that answers
        (resource, metric, value). Plain and async methods; everything else passes through."""
        return Tracked(self, client, dict(reads))

    # -- the other events

    @_safely
    def sample(self, resource: str, metric: str, value: float, unit: str = "", role: str = "", time: Any = None) -> str:
        """One telemetry value; `role` is "demand" for a driver that no agent controls, or "capacity"."""
        data = {"metric": metric, "value": float(value), **{k: v for k, v in (("unit", unit), ("role", role)) if v}}
        return self._emit("sample", resource, data, moment=time, causes=())

    @_safely
    def transition(
        self, resource: str, metric: str, before: Any, after: Any, *, severity: str = "", text: str = "", slo: bool = False
    ) -> str:
        """A resource's state or an alert changed."""
        data: dict[str, Any] = {"metric": metric, "from": plain(before), "to": plain(after)}
        data.update({k: v for k, v in (("severity", severity), ("text", text), ("slo", slo)) if v})
        return self._emit("transition", resource, data)

    @_safely
    def dependency(
        self, dependent: str, dependency: str, kind: str = "calls", *, weight: float = 1.0, removed: bool = False
    ) -> str:
        """`dependent` depends on `dependency`."""
        data: dict[str, Any] = {"from": dependent, "to": dependency, "kind": kind, "weight": weight}
        return self._emit("dependency", dependent, {**data, "removed": True} if removed else data)

    @_safely
    def intent(
        self,
        resource: str,
        parameter: str = "",
        *,
        desired: Any = UNKNOWN,
        until: Any = None,
        reason: str = "",
        closed: bool = False,
    ) -> str:
        """A declared intent without an action: maintenance, a freeze. `until` is ns, a datetime or RFC 3339."""
        data: dict[str, Any] = {"agent": self.agent, "parameter": parameter, "reason": reason, "closed": closed}
        if desired is not UNKNOWN:
            data["desired"] = plain(desired)
        if until is not None:
            data["until"] = rfc3339(until)
        return self._emit("intent", resource, data)

    @_safely
    def verdict(self, resource: str, rollout: str, verdict: str, payload: str = "") -> str:
        """A guard or canary judged a rollout: pass, fail or block."""
        return self._emit("verdict", resource, {"agent": self.agent, "rollout": rollout, "verdict": verdict, "payload": payload})

    # -- causes across calls

    def caused_by(self, *names: str) -> AbstractContextManager[None]:
        """Inside the block, these events ("source id") cause what is recorded."""
        return context.caused_by(tuple(name for name in names if name))

    def inject(self, headers: MutableMapping[str, str]) -> MutableMapping[str, str]:
        """Puts the present causes into the headers of an outgoing call."""
        return context.inject(headers)

    def extract(self, headers: Mapping[str, str]) -> AbstractContextManager[None]:
        """Inside the block, the causes that came with an incoming call."""
        return context.caused_by(*context.read_headers(headers))

    # -- emission

    def _emit(
        self,
        kind: str,
        resource: str,
        data: dict[str, Any],
        *,
        name: str = "",
        causes: Iterable[str] | None = None,
        moment: Any = None,
    ) -> str:
        if not isinstance(resource, str) or not resource:
            raise ValueError(f"the resource must be a path such as db/orders, not {resource!r}")
        name = name or str(uuid.uuid4())
        because = [cause for cause in (context.causes() if causes is None else causes) if cause]
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": name,
            "source": self.source,
            "type": f"interplay.{kind}.v1",
            "time": rfc3339(self.clock() if moment is None else moment),
            "subject": resource,
            "domain": self.domain,
        }
        if because:
            event["causationid"] = because
        if context.trace():
            event["traceparent"] = context.trace()
        event["data"] = data
        self._sink.put(resource, orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS))
        return f"{self.source} {name}"

    def trouble(self, what: str) -> None:
        """Counts what went wrong, and logs the first time."""
        self.failed += 1
        if self.failed == 1:
            logger.warning("interplay: %s (further troubles of %s are only counted)", what, self.source)


def _with_time(given: Mapping[str, Any], field: str) -> dict[str, Any]:
    said = dict(given)
    if said.get(field) is not None:
        said[field] = rfc3339(said[field])
    return said
