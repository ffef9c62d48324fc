"""What agents did and what was observed: frozen structs for the six event types of the contract, version 1.

Times are integers, nanoseconds since the Unix epoch, UTC. `source` is the writer *instance*, `agent` the controller behind it.
The canonical order of events is `(time, source, id)`: see `key`. A missing value is `UNSET`, which differs from a null that was sent.
These structs are also what travels on the signals topic (tagged JSON), so a field may be added only with a default.
"""

from __future__ import annotations

from functools import lru_cache
from sys import intern
from typing import TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import force_setattr

Scalar: TypeAlias = int | float | str | bool | None
Value: TypeAlias = int | float | str | bool | tuple[Scalar, ...] | None
Version: TypeAlias = int | float | str | None
Key: TypeAlias = tuple[int, str, str]  # canonical order: time (ns), source, id


class Read(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One observation an action rests on. `metric` may be a telemetry name or a parameter that agents write."""

    resource: str
    metric: str = ""
    value: Value | UnsetType = UNSET
    time: int | None = None
    version: Version = None


class Expectation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An effect that an intent announces: `metric` on `resource` moves in `direction`, to at most `max_ratio` of what it was."""

    resource: str
    metric: str = ""
    direction: str = ""
    max_ratio: float | None = None


class Condition(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A bound under which an intent allows itself to be undone. `op` is one of > >= < <= == !=."""

    resource: str
    metric: str
    op: str
    value: Value


class Clause(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The intent that an action carries. `until` is ns since the epoch; None lasts until it is closed or the facts expire."""

    until: int | None = None
    expects: tuple[Expectation, ...] = ()
    abort_if: tuple[Condition, ...] = ()
    reason: str = ""
    handoff_to: tuple[str, ...] = ()


class Constraint(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A bound that the agent says it respects."""

    name: str
    priority: int | None = None
    value: Value = None


class Why(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Reasons as the agent gave them. `text` is shown and never parsed."""

    rule: str = ""
    text: str = ""


class Alternative(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Something the agent considered and did not do."""

    verb: str = ""
    reason_rejected: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag_field="kind"):
    """What all six types share. `resource` is the CloudEvents `subject`; reduce decides `late`, against the partition's own disorder."""

    time: int
    source: str
    id: str
    domain: str = "default"
    resource: str = ""
    causes: tuple[str, ...] = ()
    traceparent: str = ""
    late: bool = False


class Action(Event, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag="action"):
    """An agent changed, or tried to change, `parameter` of `resource` from `old` to `new`."""

    agent: str
    verb: str
    parameter: str
    mandate: str = ""
    old: Value | UnsetType = UNSET
    new: Value | UnsetType = UNSET
    version: Version = None
    outcome: str = "applied"
    owner: str = ""
    reads: tuple[Read, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    why: Why | None = None
    alternatives: tuple[Alternative, ...] = ()
    intent: Clause | None = None
    acknowledges: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    rollout: str = ""


class Sample(Event, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag="sample"):
    """One telemetry value. `role` is "", "demand" (a driver that no agent controls) or "capacity". Only demand leaves reduce."""

    metric: str
    value: float
    unit: str = ""
    role: str = ""


class Transition(Event, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag="transition"):
    """A resource's state or an alert changed."""

    metric: str
    before: Value = None
    after: Value = None
    severity: str = ""
    text: str = ""
    slo: bool = False


class Dependency(Event, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag="dependency"):
    """`dependent` depends on `dependency`: load travels that way, failure and latency travel back."""

    dependent: str
    dependency: str
    relation: str = ""
    weight: float = 1.0
    until: int | None = None
    removed: bool = False


class Intent(Event, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag="intent"):
    """A declared intent without an action of its own: maintenance, a freeze, "the autoscaler is off until ..."."""

    agent: str
    parameter: str = ""
    desired: Value | UnsetType = UNSET
    until: int | None = None
    reason: str = ""
    closed: bool = False


class Verdict(Event, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag="verdict"):
    """A guard or canary judged a rollout."""

    agent: str
    rollout: str
    verdict: str
    payload: str = ""


class Tick(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag_field="kind", tag="tick"):
    """How far one source partition is known: all below `watermark` (ns) has been emitted. Reduce writes it to all signals partitions.

    `mode` says which rule made it: clock, live, data, silent or empty (see `stream_time`). `delay` is the largest append - event time
    seen (ns), `now` the reducing worker's clock (ns): data for the rule about empty partitions, never compared with ours.
    """

    partition: str  # "topic/number"
    watermark: int
    mode: str
    delay: int = 0
    now: int = 0
    map_version: int = 1


AnyEvent: TypeAlias = Action | Sample | Transition | Dependency | Intent | Verdict
Signal: TypeAlias = Action | Sample | Transition | Dependency | Intent | Verdict | Tick


E = TypeVar("E", bound=Event)


def key(event: Event) -> Key:
    """The event's place in the canonical order."""
    return (event.time, event.source, event.id)


def ref(event: Event) -> str:
    """How findings and links name an event: "source id"."""
    return f"{event.source} {event.id}"


@lru_cache(maxsize=4096)
def _plain(rule: str) -> Why:
    return Why(rule)


def intern_names(event: E) -> E:
    """Makes equal names of decoded events one object: events live for hours, and there are far fewer names than events."""
    force_setattr(event, "source", intern(event.source))
    force_setattr(event, "resource", intern(event.resource))
    if event.domain != "default":
        force_setattr(event, "domain", intern(event.domain))
    if isinstance(event, Action):
        force_setattr(event, "agent", intern(event.agent))
        force_setattr(event, "verb", intern(event.verb))
        force_setattr(event, "parameter", intern(event.parameter))
        why = event.why
        if event.mandate:
            force_setattr(event, "mandate", intern(event.mandate))
        if why is not None:
            if why.text:
                force_setattr(why, "rule", intern(why.rule))
            else:
                force_setattr(event, "why", _plain(why.rule))
        for read in event.reads:
            force_setattr(read, "resource", intern(read.resource))
            force_setattr(read, "metric", intern(read.metric))
    elif isinstance(event, Transition):
        force_setattr(event, "metric", intern(event.metric))
    return event


_encode = msgspec.json.Encoder(order="deterministic").encode
_decoder: msgspec.json.Decoder[Signal] = msgspec.json.Decoder(Signal)


def encode_signal(signal: Signal) -> bytes:
    """One record of the signals topic."""
    return _encode(signal)


def decode_signal(raw: bytes) -> Signal:
    """The inverse of `encode_signal`. Raises msgspec.ValidationError or msgspec.DecodeError on anything else."""
    return _decoder.decode(raw)
