"""Spans, log records and cumulative points in order become events. A span waits for the spans around it, which may end after it.

    A: execute_tool     |--------------------|   is known last, and is the cause of B
    client                |---------------|
    server                 |------------|
    B: execute_tool           |----|             is known first: waits `wait` from its end

What a span's ancestors are by then is what it is answered with. A cause that is not known by then is named all the same: its id is that of
its span, and the graph joins the two when it comes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from hashlib import blake2b

import msgspec
from msgspec import UNSET

from models.events import Action, AnyEvent, Dependency, Read, Transition, Why
from models.foreign import Foreign, Found
from streams.settings import Otlp
from streams.sources.opentelemetry.actions import TEXT_LIMIT, Actions
from streams.sources.opentelemetry.guess import Draft, is_tool_call
from streams.sources.opentelemetry.lines import Lines
from streams.sources.opentelemetry.naming import Entity, bounded, peer_of, text
from streams.sources.opentelemetry.record import CLIENT, CONSUMER, PRODUCER, SERVER, Line, Point, Span
from streams.sources.opentelemetry.series import Rates
from streams.sources.secrets import without_secrets
from streams.sources.source import Origin

READS = 16  # below one span; the newest
GENERATIONS = 64  # of ancestors that are looked through
LINKS = 16  # of one span


class Known(msgspec.Struct):
    """What is remembered of a span. `agent` is what it gives to the spans below: "" where it runs longer than they wait for it."""

    time: int
    parent: str
    links: tuple[str, ...]
    agent: str
    kind: int
    entity: Entity
    drafts: tuple[Draft, ...]


class Fold:
    """A `Translator`."""

    def __init__(self, settings: Otlp, origin: Origin, actions: Actions, lines: Lines) -> None:
        self.counts: Counter[str] = Counter()
        self.delay = 2 * settings.wait
        self._settings = settings
        self._domain = origin.domain
        self._actions = actions
        self._lines = lines
        self._rates = Rates(settings, origin.domain, self.counts)
        self._known: dict[str, Known] = {}
        self._oldest: deque[str] = deque()  # of the known
        self._served: dict[str, Entity] = {}  # by the client's span, who served it
        self._reads: dict[str, deque[Read]] = {}  # by the span that they were made in
        self._waiting: deque[tuple[Span | Line, list[Draft]]] = deque()
        self._told: dict[bytes, int] = {}  # the hash of what was told (log texts are long), and in which interval of time

    def translate(self, record: Foreign) -> Sequence[Found]:
        """See `Translator`."""
        found = self._due(record.time)
        if isinstance(record, Point):
            return [*found, *((record.place, sample) for sample in self._rates.of(record))]
        if isinstance(record, Span):
            drafts = self._actions.of_span(record)
            self._remember(record, drafts)
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
            found += ((record.place, event) for event in self._answer(record, drafts))
        return found

    def _remember(self, span: Span, drafts: list[Draft]) -> None:
        while len(self._known) >= self._settings.spans:
            self._forget(self._oldest.popleft(), span.time)
        if span.parent and (read := self._actions.read_of(span)):
            self._reads.setdefault(span.parent, deque(maxlen=READS)).append(read)
        elif not drafts and is_tool_call(span):
            self.counts["tool_calls_without_event"] += 1
        # all calls of one run have one name: those at its end would have its agent's, and those that were told before would not
        short = span.time - span.start <= self._settings.wait
        agent = text(span.attributes.get("gen_ai.agent.name")) if short else ""
        self._oldest.append(span.id)
        self._known[span.id] = Known(span.time, span.parent, span.links, agent, span.kind, span.entity, tuple(drafts))
        if span.kind in (SERVER, CONSUMER):
            self._served.update(dict.fromkeys(_clients(span), span.entity))

    def _forget(self, name: str, now: int) -> None:
        """The oldest goes: what comes needs the newest around it. It is counted where spans still waited for it."""
        if (known := self._known.pop(name, None)) is None:
            return  # it was told twice
        self.counts["forgotten_spans"] += now - known.time <= self.delay
        if (reads := self._reads.get(known.parent)) and (reads[-1].time or 0) <= known.time:
            del self._reads[known.parent]  # the newest was that of this span, or of one before it
        if known.kind in (SERVER, CONSUMER):
            for client in _clients(known):
                self._served.pop(client, None)

    def _answer(self, record: Span | Line, drafts: list[Draft]) -> Iterator[AnyEvent]:
        span = record.id if isinstance(record, Span) else record.span
        for draft in drafts:
            if isinstance(record, Span) and self._is_told_above(draft, record):
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
                    causes = self._causes(span, certain=True)
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
            causes=tuple(cause for cause in self._causes(span) if cause not in own),
            traceparent=f"00-{span}-01" if span else "",
            agent=draft.agent or self._agent(span) or record.entity.service,
            verb=draft.verb,
            parameter=draft.parameter,
            old=draft.old,
            new=draft.new,
            version=draft.version,
            outcome=draft.outcome,
            reads=self._reads_before(span, start) if self._reads else (),
            why=Why(text=draft.why) if draft.why else None,
        )

    def _reads_before(self, span: str, time: int) -> tuple[Read, ...]:
        """What was read in the spans around one before it began: an agent's run looks first, and acts then."""
        found = [read for above, _ in self._ancestors(span) for read in self._reads.get(above, ())]
        return tuple(sorted((read for read in found if (read.time or 0) <= time), key=lambda read: read.time or 0)[-READS:])

    def _ancestors(self, span: str) -> Iterator[tuple[str, Known | None]]:
        """The spans above one, nearest first, as far as they are known; the first that is not ends it."""
        known = self._known.get(span)
        for _ in range(GENERATIONS):
            if known is None or not known.parent:
                return
            name, known = known.parent, self._known.get(known.parent)
            yield name, known

    def _causes(self, span: str, certain: bool = False) -> tuple[str, ...]:
        """The nearest action above, and those that the span's links name. `certain` leaves out what may turn out to be no action."""
        known = self._known.get(span)
        if known is None:
            return ()
        if certain and known.drafts:
            return (known.drafts[0].id,)
        found = [*self._nearest(self._ancestors(span), certain)]
        for link in known.links[:LINKS]:
            linked = self._known.get(link)
            found += self._nearest(iter([(link, linked), *self._ancestors(link)]), certain)
        return tuple(dict.fromkeys(found))

    def _nearest(self, spans: Iterator[tuple[str, Known | None]], certain: bool) -> Iterator[str]:
        for name, known in spans:
            if known is None:
                if not certain:
                    yield name
                return
            if known.drafts:
                yield known.drafts[0].id
                return

    def _agent(self, span: str) -> str:
        known = self._known.get(span)
        if known is not None and known.agent:
            return known.agent
        return next((above.agent for _, above in self._ancestors(span) if above is not None and above.agent), "")

    def _is_told_above(self, draft: Draft, span: Span) -> bool:
        """Whether an enclosing span of the same process tells of the same write: a tool call and the client's call within it."""
        for _, above in self._ancestors(span.id):
            if above is None or above.entity.source != span.source:
                return False
            for other in above.drafts:
                if (other.resource, other.parameter, other.new) == (draft.resource, draft.parameter, draft.new):
                    return draft.new is not UNSET or other.verb == draft.verb
        return False

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
            server = self._served.get(span.id)
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
                pairs += ((above.entity.resource, own, "delivers") for above in self._producers(span))
        elif (client := self._known.get(span.parent)) is not None and client.kind == CLIENT:
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

    def _producers(self, span: Span) -> list[Known]:
        return [each for each in map(self._known.get, _clients(span)) if each is not None and each.kind == PRODUCER]

    def _failure(self, span: Span) -> Iterator[Transition]:
        """A failed request as a transition of what served it; of the other side, where that tells nothing itself."""
        resource = span.entity.resource
        if span.kind in (CLIENT, PRODUCER):
            if span.id in self._served:
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
                causes=self._causes(span.id, certain=True),
                traceparent=f"00-{span.id}-01",
                metric=bounded(without_secrets(f"errors {span.name}")),
                before="ok",
                after="error",
                severity="error",
                text=without_secrets(f"{span.name}: {why}"[:TEXT_LIMIT])[:TEXT_LIMIT],
            )


def _clients(span: Span | Known) -> list[str]:
    """The spans that a server or consumer serves."""
    return [name for name in (span.parent, *span.links[:LINKS]) if name]
