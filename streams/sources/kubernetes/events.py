"""Kubernetes Events (core/v1, events.k8s.io/v1) as transitions: warnings, and what a node went through.

They come in three ways: written to the API server, and so in its audit log where the policy keeps their bodies; as JSON from an event
exporter; and from `kubectl get events -o json`, one by one. A pod's events are told of its workload, the lasting thing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from models.events import AnyEvent, Transition
from models.foreign import Foreign, Place, Translator
from models.instants import parse_time
from models.rejection import Rejection, clipped, explained
from streams.settings import Settings
from streams.sources.kubernetes.groups import kind_said
from streams.sources.kubernetes.naming import controller_by_name, resource_name
from streams.sources.secrets import without_secrets
from streams.sources.source import Headers, Nothing, Origin

RESCALED = "SuccessfulRescale"
STATES = frozenset(
    {"NodeReady", "NodeNotReady", "NodeSchedulable", "NodeNotSchedulable", "Rebooted", "Preempted", "TaintManagerEviction"}
)
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class About(msgspec.Struct, frozen=True, rename="camel"):
    """The object that an event is about."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    api_version: str = ""


class Meta(msgspec.Struct, frozen=True, rename="camel"):
    """What names one event."""

    name: str = ""
    uid: str = ""
    creation_timestamp: str | None = None


class Series(msgspec.Struct, frozen=True, rename="camel"):
    """How often it was seen again."""

    count: int = 0
    last_observed_time: str | None = None


class Component(msgspec.Struct, frozen=True):
    """Who reports."""

    component: str = ""


class Happening(msgspec.Struct, frozen=True, rename="camel"):
    """One Event of either API group."""

    reason: str
    metadata: Meta = Meta()
    involved_object: About | None = None
    regarding: About | None = None
    message: str = ""
    note: str = ""
    type: str = ""
    count: int | None = None
    series: Series | None = None
    event_time: str | None = None
    last_timestamp: str | None = None
    first_timestamp: str | None = None
    source: Component | None = None
    reporting_component: str = ""
    reporting_controller: str = ""
    # as events.k8s.io/v1 names what core/v1 calls count, lastTimestamp, firstTimestamp and source
    deprecated_count: int | None = None
    deprecated_last_timestamp: str | None = None
    deprecated_first_timestamp: str | None = None
    deprecated_source: Component | None = None

    @property
    def about(self) -> About:
        """What it is about."""
        return self.involved_object or self.regarding or About()

    @property
    def text(self) -> str:
        """What it says."""
        return (self.message or self.note)[:1000]

    @property
    def when(self) -> str:
        """The newest of its times that there is, RFC 3339."""
        seen = self.series.last_observed_time if self.series else None
        last = seen or self.last_timestamp or self.deprecated_last_timestamp or self.event_time
        return last or self.first_timestamp or self.deprecated_first_timestamp or self.metadata.creation_timestamp or ""

    @property
    def seen(self) -> int:
        """How often, so far."""
        return self.series.count if self.series else self.count or self.deprecated_count or 1

    @property
    def reporter(self) -> str:
        """Which component tells; "" where none is named."""
        source = self.source or self.deprecated_source
        return self.reporting_component or self.reporting_controller or (source.component if source else "")


class _Wrapped(msgspec.Struct):
    """As the event router writes them, and `kubectl get events --watch --output-watch-events -o json`."""

    event: msgspec.Raw = msgspec.Raw()
    object: msgspec.Raw = msgspec.Raw()


class _Listed(msgspec.Struct):
    items: list[msgspec.Raw]


_happening = msgspec.json.Decoder(Happening).decode
_wrapped = msgspec.json.Decoder(_Wrapped).decode
_listed = msgspec.json.Decoder(_Listed).decode


def recognised(line: bytes) -> bool:
    """Whether a line is an Event, or holds one."""
    if b'"involvedObject"' not in line and b'"regarding"' not in line:
        return False
    try:
        return any(each.about.name for each in happenings(line))
    except _BAD:
        return False


def happenings(line: bytes) -> list[Happening]:
    """The Events of one record. Raises what decoding raises."""
    return [_happening(each) for each in _parts(line)]


def _parts(line: bytes) -> list[bytes | msgspec.Raw]:
    """The Events of one record, each in its bytes. Raises what decoding raises."""
    try:
        _happening(line)
    except msgspec.ValidationError:
        if b'"items"' in line:
            return [*_listed(line).items]
        wrapped = _wrapped(line)
        if part := bytes(wrapped.event) or bytes(wrapped.object):
            return [part]
    return [line]


def transition(event: Happening, origin: Origin) -> Transition | None:
    """What it tells; None for what is routine. Raises ValueError for a bad time."""
    about, warning = event.about, event.type == "Warning"
    if not about.name or not event.reason or not (warning or event.reason in STATES):
        return None
    kind, name = kind_said(about.kind, about.api_version), about.name
    if kind == "pod" and (owner := controller_by_name(name)):
        kind, name = owner
    return Transition(
        time=parse_time(event.when),
        source=f"k8s/{origin.cluster}/{event.reporter or 'events'}"[:512],
        id=f"{event.metadata.uid or event.metadata.name}#{event.seen}"[:512],
        domain=origin.domain,
        resource=resource_name(origin.cluster, "" if kind == "node" else about.namespace, kind or "object", name)[:512],
        metric=event.reason[:512],
        after=event.type or "Normal",
        severity="warning" if warning else "info",
        text=without_secrets(f"{about.name}: {event.text}"[:1000])[:1000],
    )


def _refused(error: Exception, place: str) -> Rejection:
    why = explained(error)
    if why.reason != "not_cloudevents":
        return msgspec.structs.replace(why, path=f"{place}{why.path}".rstrip("."))
    return Rejection("wrong_type", f"{place}{why.path}".rstrip("."), "no Kubernetes Event")


class Events:
    """A `Source`: each stands for itself."""

    def __init__(self, settings: Settings, origin: Origin) -> None:
        self.counts: Counter[str] = Counter()
        self._origin = origin

    def parse(self, value: bytes, headers: Headers, place: Place) -> Sequence[AnyEvent | Foreign | Rejection]:
        """See `Source`."""
        found: list[AnyEvent | Foreign | Rejection] = []
        try:
            parts = _parts(value)
        except _BAD as error:
            return [_refused(error, "")]
        for number, part in enumerate(parts):
            place = f"items[{number}]." if part is not value else ""
            try:
                told = transition(_happening(part), self._origin)
            except _BAD as error:
                found.append(_refused(error, place))
            except ValueError as error:
                found.append(Rejection("bad_time", f"{place}lastTimestamp", clipped(str(error))))
            else:
                self.counts["changes" if told else "routine"] += 1
                found += [told] if told else []
        return found

    def fold(self) -> Translator:
        """See `Source`."""
        return Nothing()
