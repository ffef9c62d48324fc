"""The recorder: one agent's voice. Every call emits at most one CloudEvent (contract, version 1), returns at once and never raises."""

from __future__ import annotations

import inspect
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from interplay_sdk import context
from interplay_sdk.act import Act
from interplay_sdk.contract import READ
from interplay_sdk.emitter import Emitter, never_raises
from interplay_sdk.shapes import rfc3339, text
from interplay_sdk.sinks import Sink
from interplay_sdk.tracked import Says, Tracked
from interplay_sdk.unknown import UNKNOWN

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from interplay_sdk.contract import ActionFields

C = TypeVar("C")

KNOBS_MOST = 10_000  # last values remembered per recorder


def _no_act(recorder: Recorder) -> Act:
    return Act(recorder, None, {})


class Recorder(Emitter):
    """Events of one agent instance. `source` names the instance (default: agent, host and process), `agent` the controller behind it.

    Remembers the last value that this recorder wrote or read of each knob, and fills `old` from it where a call does not say: what the
    agent believed, which may be stale, and that is worth knowing. Threads may share one recorder. `clock` answers ns since the epoch.
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
        super().__init__(agent, sink, source, domain, mandate, clock)
        self._known: OrderedDict[tuple[str, str], Any] = OrderedDict()

    # -- actions

    @never_raises(lambda self: "")
    def act(self, verb: str, resource: str, parameter: str = "", **more: Unpack[ActionFields]) -> str:
        """Records a finished action; answers its name, "source id", or "" where nothing could be recorded.

        `more` is in `ActionFields`; `old` may be a getter. Reads remembered in this context are added, and forgotten.
        """
        fields = cast(dict[str, Any], more)
        fields["old"] = self.old(resource, parameter or verb, fields.get("old", UNKNOWN))
        return self._act(str(uuid.uuid4()), (verb, resource, parameter), fields, context.causes(), [])

    @never_raises(_no_act)
    def action(self, verb: str, resource: str, parameter: str = "", **more: Unpack[ActionFields]) -> Act:
        """The same around the code that does it: `with` or `async with`. `old` is taken at entry; an exception makes the outcome `failed`
        and passes on. Whatever is recorded inside has this action as its cause."""
        return Act(self, (verb, resource, parameter), cast(dict[str, Any], more))

    @never_raises(lambda self: "")
    def finish(
        self, id: str, what: tuple[str, str, str], more: dict[str, Any], causes: tuple[str, ...], reads: list[context.Reading]
    ) -> str:
        """Records an action whose name was given out before; called by `Act`."""
        return self._act(id, what, more, causes, reads)

    def _act(
        self, id: str, what: tuple[str, str, str], more: dict[str, Any], causes: tuple[str, ...], reads: list[context.Reading]
    ) -> str:
        verb, resource, parameter = what
        fields = {"agent": self.agent, "verb": verb, "parameter": parameter or verb, "mandate": self.mandate, **more}
        given, at = fields.pop("causes", None), fields.pop("time", None)
        fields["reads"] = [*self._given_reads(fields.get("reads")), *reads, *self.take_reads()]
        data = self._fit("action", fields)
        ref = self._emit("action", resource, data, id=id, causes=(*self._given_causes(given), *causes), at=at)
        if "new" in data and data.get("outcome", "applied") == "applied":
            self._know(resource, data["parameter"], data["new"])
        return ref

    def _given_reads(self, given: Any) -> list[Any]:
        if not given:
            return []
        now = rfc3339(self.now())  # a read that is given without a time is taken as of now
        return [
            (*read, *(UNKNOWN, None)[len(read) - 2 :], now) if isinstance(read, tuple) and 2 <= len(read) < 5 else read
            for read in given
        ]

    def _given_causes(self, given: Any) -> Iterable[str]:
        for cause in given or () if isinstance(given, (list, tuple, set, frozenset, type(None))) else [given]:
            if isinstance(cause, str):
                yield text(cause, self._note("causes"))
            else:
                self.trouble("causes", f"a name such as 'source id' is needed, not {type(cause).__name__}")

    def old(self, resource: str, parameter: str, given: Any, awaits: bool = False) -> Any:
        """The old value: from a getter, as given, or what this recorder wrote or read last. An awaitable is answered if `awaits`."""
        try:
            if not callable(given):
                return self._known.get((resource, parameter), UNKNOWN) if given is UNKNOWN else given
            found = given()
        except Exception as error:
            self.trouble("the old value is unknown", repr(error))
            return UNKNOWN
        if inspect.isawaitable(found) and not awaits:
            if inspect.iscoroutine(found):
                found.close()
            self.trouble("the old value is unknown", "an async getter needs `async with rec.action(...)`")
            return UNKNOWN
        return found

    async def awaited(self, pending: Awaitable[Any]) -> Any:
        """What an async getter answers, or UNKNOWN."""
        try:
            return await pending
        except Exception as error:
            self.trouble("the old value is unknown", repr(error))
            return UNKNOWN

    def _know(self, resource: str, parameter: str, value: Any) -> None:
        with self._lock:
            self._known[resource, parameter] = value
            self._known.move_to_end((resource, parameter))
            if len(self._known) > KNOBS_MOST:
                self._known.popitem(last=False)

    # -- reads

    @never_raises(lambda self: None)
    def read(self, resource: str, metric: str, value: Any = UNKNOWN, *, version: Any = None, time: Any = None) -> None:
        """Remembers an observation; the next action of this recorder in this context rests on it. `time` is ns, a datetime or RFC 3339."""
        given = {
            "resource": resource,
            "metric": metric,
            "value": value,
            "version": version,
            "time": self.now() if time is None else time,
        }
        reading = READ(given, self._note("read"))
        context.remember(id(self), reading)
        if "value" in reading:
            self._know(reading["resource"], reading.get("metric", ""), reading["value"])

    def take_reads(self) -> list[context.Reading]:
        """What this recorder's next action rests on."""
        return context.take_reads(id(self))

    def decision(self) -> context.Block:
        """Inside the block, whatever is read, also in tasks and threads that it starts (`asyncio.gather` of reads), belongs to every
        action of the block."""
        return context.decision()

    def track(self, client: C, reads: Mapping[str, Says]) -> C:
        """A stand-in for `client` that remembers reads. `reads` maps a method's name to a function of (result, *arguments) that answers
        (resource, metric, value), or without a value. Plain and async methods; everything else passes through."""
        return cast(C, Tracked(self, client, dict(reads or {})))

    @never_raises(lambda self: None)
    def note_read(self, says: Says, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Remembers what a tracked client answered."""
        self.read(*says(result, *args, **kwargs))

    # -- the other events

    @never_raises(lambda self: "")
    def sample(self, resource: str, metric: str, value: float, unit: str = "", role: str = "", time: Any = None) -> str:
        """One telemetry value; `role` is "demand" for a driver that no agent controls, or "capacity". A measurement carries no causes."""
        data = self._fit("sample", {"metric": metric, "value": value, "unit": unit, "role": role})
        return self._emit("sample", resource, data, at=time)

    @never_raises(lambda self: "")
    def transition(
        self,
        resource: str,
        metric: str,
        before: Any,
        after: Any,
        *,
        severity: str = "",
        text: str = "",
        slo: bool = False,
        time: Any = None,
    ) -> str:
        """A resource's state or an alert changed."""
        fields = {"metric": metric, "from": before, "to": after, "severity": severity, "text": text, "slo": slo}
        return self._emit("transition", resource, self._fit("transition", fields), causes=context.causes(), at=time)

    @never_raises(lambda self: "")
    def dependency(
        self,
        dependent: str,
        dependency: str,
        kind: str = "calls",
        *,
        weight: float = 1.0,
        until: Any = None,
        removed: bool = False,
        time: Any = None,
    ) -> str:
        """`dependent` depends on `dependency`: load travels that way, failure and latency travel back."""
        fields = {"from": dependent, "to": dependency, "kind": kind, "weight": weight, "until": until, "removed": removed}
        return self._emit("dependency", dependent, self._fit("dependency", fields), causes=context.causes(), at=time)

    @never_raises(lambda self: "")
    def intent(
        self,
        resource: str,
        parameter: str = "",
        *,
        desired: Any = UNKNOWN,
        until: Any = None,
        reason: str = "",
        closed: bool = False,
        time: Any = None,
    ) -> str:
        """A declared intent without an action: maintenance, a freeze. `until` is ns, a datetime or RFC 3339."""
        fields = {
            "agent": self.agent,
            "parameter": parameter,
            "desired": desired,
            "until": until,
            "reason": reason,
            "closed": closed,
        }
        return self._emit("intent", resource, self._fit("intent", fields), causes=context.causes(), at=time)

    @never_raises(lambda self: "")
    def verdict(self, resource: str, rollout: str, verdict: str, payload: str = "", time: Any = None) -> str:
        """A guard or canary judged a rollout: pass, fail or block."""
        fields = {"agent": self.agent, "rollout": rollout, "verdict": verdict, "payload": payload}
        return self._emit("verdict", resource, self._fit("verdict", fields), causes=context.causes(), at=time)

    # -- causes across calls

    @never_raises(lambda self: context.Block())
    def caused_by(self, *names: str) -> context.Block:
        """Inside the block, these events ("source id") cause what is recorded."""
        return context.caused_by(tuple(self._given_causes(names)))

    @never_raises(lambda self: None)
    def inject(self, headers: Any) -> None:
        """Puts the present causes into the headers of an outgoing call: a mapping, or a list of (name, bytes) as Kafka has them."""
        context.inject(headers)

    @never_raises(lambda self: context.Block())
    def extract(self, headers: Any) -> context.Block:
        """Inside the block, the causes that came with an incoming call. Without any, what is recorded has none."""
        return context.caused_by(*context.read_headers(headers))
