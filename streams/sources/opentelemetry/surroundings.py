"""The newest spans of a partition, by name: what lies around a span, whose run it is in, what caused it, and whether it was told already.

It holds `otlp.spans` at most, the newest: what comes needs the newest around it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import UNSET

from models.events import Read
from streams.sources.opentelemetry.conventions import AGENT, Part
from streams.sources.opentelemetry.guess import Draft
from streams.sources.opentelemetry.naming import Entity, text
from streams.sources.opentelemetry.record import CLIENT, CONSUMER, PRODUCER, SERVER, Span

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
    part: Part
    entity: Entity
    drafts: tuple[Draft, ...]


class Surroundings:
    """Of one partition, or one kind of file. `run` (ns): what lasts longer names nobody."""

    def __init__(self, spans: int, run: int) -> None:
        self._most, self._run = spans, run
        self._known: dict[str, Known] = {}
        self._oldest: deque[str] = deque()  # of the known
        self._served: dict[str, Entity] = {}  # by the client's span, who served it
        self._reads: dict[str, deque[Read]] = {}  # by the span that they were made in, or when that has ended, the one around it

    def remember(self, span: Span, part: Part, drafts: Sequence[Draft]) -> list[int]:
        """Takes in a levelled span; answers the times (ns) of those that it lets go for that."""
        gone = list(self._make_room()) if len(self._known) >= self._most else []
        # all calls of one run have one name: those at its end would have its agent's, and those that were told before would not
        agent = text(span.attributes.get(AGENT)) if span.time - span.start <= self._run else ""
        self._oldest.append(span.id)
        known = Known(span.time, span.parent, span.links, agent, span.kind, part, span.entity, tuple(drafts))
        self._known[span.id] = known
        if span.kind in (SERVER, CONSUMER):
            self._served.update(dict.fromkeys(_clients(span), span.entity))
        if known.part != "run" and span.parent and (reads := self._reads.pop(span.id, None)):
            self._reads.setdefault(span.parent, deque(maxlen=READS)).extend(reads)  # a step of a run has ended: its run knows
        return gone

    def saw(self, read: Read, parent: str) -> None:
        """Takes in an observation that was made below a span."""
        self._reads.setdefault(parent, deque(maxlen=READS)).append(read)

    def served(self, span: str) -> Entity | None:
        """Who served a client's span."""
        return self._served.get(span)

    def _make_room(self) -> Iterator[int]:
        while len(self._known) >= self._most:
            if (known := self._known.pop(self._oldest.popleft(), None)) is None:
                continue  # it was told twice
            yield known.time
            if (reads := self._reads.get(known.parent)) and (reads[-1].time or 0) <= known.time:
                del self._reads[known.parent]  # the newest was that of this span, or of one before it
            if known.kind in (SERVER, CONSUMER):
                for client in _clients(known):
                    self._served.pop(client, None)

    def reads_before(self, span: str, time: int) -> tuple[Read, ...]:
        """What was read in the spans around one before it began: an agent's run looks first, and acts then."""
        if not self._reads:
            return ()
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

    def causes(self, span: str, certain: bool = False) -> tuple[str, ...]:
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

    def agent(self, span: str) -> str:
        """Whose run a span is, or lies in; "" where nobody says so."""
        known = self._known.get(span)
        if known is not None and known.agent:
            return known.agent
        return next((above.agent for _, above in self._ancestors(span) if above is not None and above.agent), "")

    def is_told_above(self, draft: Draft, span: Span) -> bool:
        """Whether an enclosing span tells of the same write: of the same process, as a tool call and the client's call within it; or of the
        caller, where what serves a call tells it again. What an agent does in its run is its own."""
        known = self._known.get(span.id)
        call, own = known is not None and known.part == "call", True
        for _, above in self._ancestors(span.id):
            if above is None:
                return False
            own = own and above.part != "run"
            if call and own and above.part == "serves":
                return bool(above.parent)
            if above.entity.source != span.source and not (call and own):
                return False
            for other in above.drafts:
                if (other.resource, other.parameter, other.new) == (draft.resource, draft.parameter, draft.new):
                    return draft.new is not UNSET or other.verb == draft.verb
        return False

    def client(self, span: Span) -> Known | None:
        """The span that a server's serves."""
        above = self._known.get(span.parent)
        return above if above is not None and above.kind == CLIENT else None

    def producers(self, span: Span) -> list[Known]:
        """The spans whose messages a consumer's took."""
        return [each for each in map(self._known.get, _clients(span)) if each is not None and each.kind == PRODUCER]


def _clients(span: Span | Known) -> list[str]:
    """The spans that a server or consumer serves."""
    return [name for name in (span.parent, *span.links[:LINKS]) if name]
