"""Spans, log records and cumulative points in order become events. A span waits for the spans around it, which may end after it.

    A: execute_tool     |--------------------|   is known last, and is the cause of B
    client                |---------------|
    server                 |------------|
    B: execute_tool           |----|             is known first: waits `wait` from its end

A write that says no agent's name, nor has one around it by then, waits on, for `run`: an agent's run ends after what it did.

What a span's ancestors are by then is what it is answered with. A cause that is not known by then is named all the same: its id is that of
its span, and the graph joins the two when it comes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from hashlib import blake2b

import msgspec

from models.events import Action, AnyEvent, Dependency, Transition, Why
from models.foreign import Foreign, Found
from streams.settings import Otlp
from streams.sources.opentelemetry.actions import TEXT_LIMIT, Actions
from streams.sources.opentelemetry.conventions import ARGUMENTS, Part, levelled
from streams.sources.opentelemetry.guess import Draft, is_write
from streams.sources.opentelemetry.lines import Lines
from streams.sources.opentelemetry.naming import bounded, peer_of, text
from streams.sources.opentelemetry.record import CLIENT, CONSUMER, PRODUCER, SERVER, Line, Point, Span
from streams.sources.opentelemetry.series import Rates
from streams.sources.opentelemetry.surroundings import Surroundings
from streams.sources.secrets import without_secrets
from streams.sources.source import Origin


class Fold:
    """A `Translator`."""

    def __init__(self, settings: Otlp, origin: Origin, actions: Actions, lines: Lines) -> None:
        self.counts: Counter[str] = Counter()
        self._run = max(settings.wait, settings.run)
        self.delay = settings.wait + self._run
        self._settings = settings
        self._domain = origin.domain
        self._actions = actions
        self._lines = lines
        self._rates = Rates(settings, origin.domain, self.counts)
        self._around = Surroundings(settings.spans, self._run)
        self._waiting: deque[tuple[Span | Line, list[Draft]]] = deque()
        self._nameless: deque[tuple[Span | Line, list[Draft]]] = deque()  # of those that waited, writes of nobody yet
        self._told: dict[bytes, int] = {}  # the hash of what was told (log texts are long), and in which interval of time

    def translate(self, record: Foreign) -> Sequence[Found]:
        """See `Translator`."""
        found = self._due(record.time)
        if isinstance(record, Point):
            return [*found, *((record.place, sample) for sample in self._rates.of(record))]
        if isinstance(record, Span):
            record, part = levelled(record)
            drafts = self._actions.of_span(record, part)
            self._remember(record, part, drafts)
            if drafts or record.failed or record.kind >= SERVER:
                self._waiting.append((record, drafts))
        elif isinstance(record, Line):
            self._waiting.append((record, self._actions.of_line(record)))
        return found

    def passed(self, time: int) -> Sequence[Found]:
        """See `Translator`."""
        return self._due(time)

    def _due(self, time: int) -> list[Found]:
        found: list[Found] = []
        while self._waiting and self._waiting[0][0].time + self._settings.wait < time:
            record, drafts = self._waiting.popleft()
            if self._awaits_name(record, drafts):
                self._nameless.append((record, drafts))
            else:
                found += ((record.place, event) for event in self._answer(record, drafts))
        while self._nameless and self._nameless[0][0].time + self._run < time:
            record, drafts = self._nameless.popleft()
            if self._around.agent(record.id if isinstance(record, Span) else record.span):
                self.counts["named_by_their_run"] += len(drafts)
            found += ((record.place, event) for event in self._answer(record, drafts))
        return found

    def _awaits_name(self, record: Span | Line, drafts: list[Draft]) -> bool:
        if self._run == self._settings.wait or all(draft.agent for draft in drafts):
            return False
        span, above = (record.id, record.parent) if isinstance(record, Span) else (record.span, record.span)
        return bool(above) and not self._around.agent(span)

    def _remember(self, span: Span, part: Part, drafts: list[Draft]) -> None:
        awaited = self.delay if self._nameless else 2 * self._settings.wait
        for time in self._around.remember(span, part, drafts):
            self.counts["forgotten_spans"] += span.time - time <= awaited
        if span.parent and (read := self._actions.read_of(span)):
            self._around.saw(read, span.parent)
        elif not drafts and part == "call":
            hidden = is_write(span) and ARGUMENTS not in span.attributes
            self.counts["writes_without_arguments" if hidden else "tool_calls_without_event"] += 1

    def _answer(self, record: Span | Line, drafts: list[Draft]) -> Iterator[AnyEvent]:
        span = record.id if isinstance(record, Span) else record.span
        for draft in drafts:
            if isinstance(record, Span) and self._around.is_told_above(draft, record):
                self.counts["told_above"] += 1
                continue
            yield self._action(record, draft, span)
        if isinstance(record, Line):
            transition = None if drafts else self._lines.transition(record, self._domain)
            if transition is None:
                self.counts["log_records_without_event"] += not drafts
            else:
                what = (transition.resource, transition.metric, str(transition.after), transition.text)
                if first := self._first(what, record.time, self._settings.repeat):
                    causes = self._around.causes(span, certain=True)
                    yield msgspec.structs.replace(
                        transition, source=bounded(f"otel/{transition.resource}"), id=first, causes=causes
                    )
            return
        if record.kind >= SERVER:
            yield from self._dependencies(record)
        if record.failed and not drafts:
            yield from self._failure(record)

    def _action(self, record: Span | Line, draft: Draft, span: str) -> Action:
        earliest = record.time - self._settings.wait
        start = draft.time or (record.start if isinstance(record, Span) else record.time)
        own = (draft.id,) if span else ()
        return Action(
            time=min(max(start, earliest), record.time),
            source=record.source,
            id=draft.id,
            domain=self._domain,
            resource=draft.resource,
            causes=tuple(cause for cause in self._around.causes(span) if cause not in own),
            traceparent=f"00-{span}-01" if span else "",
            agent=draft.agent or self._around.agent(span) or record.entity.service,
            verb=draft.verb,
            parameter=draft.parameter,
            old=draft.old,
            new=draft.new,
            version=draft.version,
            outcome=draft.outcome,
            reads=self._around.reads_before(span, start),
            why=Why(text=draft.why) if draft.why else None,
        )

    def _first(self, what: tuple[str, ...], time: int, within: int) -> str:
        """The id of what is the first of its kind in this interval of time, and "" of what is not.

        It names the kind and the interval, not the span: where several partitions tell their first, these are repeats of one event, of
        which the earliest counts."""
        interval = time // within
        name = blake2b("\0".join(what).encode(errors="surrogatepass"), digest_size=8).digest()
        if self._told.get(name) == interval:
            self.counts["repeated"] += 1
            return ""
        if len(self._told) >= self._settings.spans:
            self._told.clear()
        self._told[name] = interval
        return f"{interval}.{name.hex()}"

    def _dependencies(self, span: Span) -> Iterator[Dependency]:
        pairs: list[tuple[str, str, str]] = []
        own = span.entity.resource
        if span.kind in (CLIENT, PRODUCER):
            server = self._around.served(span.id)
            peer, relation = peer_of(span.attributes, span.entity)
            if relation == "publishes":
                pairs.append((own, peer, relation))
            elif server is not None:
                pairs.append((own, server.resource, "calls"))
            elif peer:
                pairs.append((own, peer, relation))
        elif span.kind == CONSUMER:
            queue, relation = peer_of(span.attributes, span.entity)
            if relation == "publishes":
                pairs.append((queue, own, "delivers"))
            else:
                pairs += ((above.entity.resource, own, "delivers") for above in self._around.producers(span))
        elif (client := self._around.client(span)) is not None:
            pairs.append((client.entity.resource, own, "calls"))
        for dependent, dependency, relation in pairs:
            within = self._settings.topology
            if dependent != dependency and (first := self._first((dependent, dependency, relation), span.time, within)):
                yield Dependency(
                    time=span.time,
                    source="otel/topology",
                    id=first,
                    domain=self._domain,
                    traceparent=f"00-{span.id}-01",
                    dependent=dependent,
                    dependency=dependency,
                    relation=relation,
                )

    def _failure(self, span: Span) -> Iterator[Transition]:
        """A failed request as a transition of what served it; of the other side, where that tells nothing itself."""
        resource = span.entity.resource
        if span.kind in (CLIENT, PRODUCER):
            if self._around.served(span.id) is not None:
                return
            resource = peer_of(span.attributes, span.entity)[0]
        elif span.kind not in (SERVER, CONSUMER):
            return
        why = span.message or text(span.attributes.get("error.type")) or "failed"
        if resource and (first := self._first((resource, "errors", span.name), span.time, self._settings.repeat)):
            yield Transition(
                time=span.time,
                source=bounded(f"otel/{resource}"),
                id=first,
                domain=self._domain,
                resource=resource,
                causes=self._around.causes(span.id, certain=True),
                traceparent=f"00-{span.id}-01",
                metric=bounded(without_secrets(f"errors {span.name}")),
                before="ok",
                after="error",
                severity="error",
                text=without_secrets(f"{span.name}: {why}"[:TEXT_LIMIT])[:TEXT_LIMIT],
            )
