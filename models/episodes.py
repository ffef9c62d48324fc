"""Episodes: folds over what the detectors see. Open, update (at most once per so much event time), resolve, under one id.

All state of an open episode is its finding plus what has been seen since the last revision; `as_of` is the canonical key of the newest
evidence counted, and evidence at or below it changes nothing. So an episode read back from the findings topic folds on as if nothing had
happened. A new episode of the same subject counts only evidence after the previous one ended, or it would open with the old id.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from models.events import Event, Key, key, ref
from models.explain import beside, headline, list_names
from models.findings import LASTING, Basis, CausalEdge, Change, Evidence, Finding, Root, Severity, worse
from models.instants import format_time, parse_time

BEGINNING: Key = (-(1 << 62), "", "")
T = TypeVar("T")

NAMES = 16  # agents, resources and parameters that a finding names, at most

Subject = tuple[str, str, str]  # domain, pattern, what it is about


class Piece(msgspec.Struct, frozen=True, gc=False):
    """One event as evidence: its role, a note, and the sentence that tells it."""

    event: Event
    role: str
    note: str
    sentence: str


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """A detector's judgement at one event: what stands open, or opens now. The last piece is the event itself."""

    pattern: str
    kind: str
    subject: str
    pieces: tuple[Piece, ...]
    counts: str  # the metric that counts pieces with a counted role over the whole episode
    counted: tuple[str, ...]
    title: str
    names_others: bool = False  # the title goes on with the agents of the whole episode beside the roots'
    agents: tuple[str, ...]
    resources: tuple[str, ...]
    parameters: tuple[str, ...]
    roots: tuple[Root, ...]
    edges: tuple[CausalEdge, ...] = ()
    severity: Severity
    score: float
    confidence: float
    basis: Basis
    metrics: dict[str, float]
    ends: int  # ns: when the episode is over if nothing more is seen
    missing: str = ""  # a sentence on what events would have to carry for this to be surer


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What a detector may know of earlier judgements: is the subject open, and the key up to which evidence belongs to an ended episode."""

    open: bool
    since: Key


UNHEARD = Standing(False, BEGINNING)


class _Episode:
    """An open episode: its newest announced or pending finding, and when it ends."""

    __slots__ = ("due", "ends", "finding")

    def __init__(self, finding: Finding, ends: int) -> None:
        self.finding = finding
        self.ends = ends
        self.due: int | None = None  # ns: when what has been counted since the last revision is announced


def _merge(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*old, *new}))[:NAMES] if not set(new) <= set(old) else old


def subject_of(*parts: str) -> str:
    """What an episode is about, unmistakably: names may hold any character."""
    return msgspec.json.encode(parts).decode()


def _identity(subject: Subject, opening: Event) -> str:
    """One event opens a subject once; the first evidence, shown for context, may belong to an earlier episode too."""
    text = msgspec.json.encode((*subject, opening.time, opening.source, opening.id))
    return "f_" + hashlib.sha256(text).hexdigest()[:16]


class Episodes:
    """The episodes of one signals partition."""

    def __init__(self, coalesce: int, shown: int, most: int = 10_000) -> None:
        self._coalesce = coalesce
        self._shown = shown
        self._most = most
        self._count: Counter[str] = Counter()  # open, by domain: so the number of signals partitions does not show
        self.shed: Counter[str] = Counter()
        self._open: dict[Subject, _Episode] = {}
        self._ended: OrderedDict[Subject, Key] = OrderedDict()  # in the order of their ends
        self.timers: list[tuple[int, Subject]] = []
        self.resolved: list[tuple[int, str]] = []  # (ns, id) of findings resolved and not yet tombstoned; a heap
        self.silent = False  # while the memory is refilled: nothing opens
        self.announced = BEGINNING[0]  # ns: what was due by then has been announced before the restart
        self.judged = BEGINNING[0]  # ns: what is older was judged before the newest fact was written, and what it opened is durable

    def __len__(self) -> int:
        return len(self._open)

    def standing(self, domain: str, pattern: str, subject: str) -> Standing:
        """Asked by detectors before they judge."""
        about = (domain, pattern, subject)
        known = about in self._open or about in self._ended
        return Standing(about in self._open, self._ended.get(about, BEGINNING)) if known else UNHEARD

    def restore(self, finding: Finding) -> None:
        """The highest revision of a finding, as the findings topic has it."""
        subject = (finding.domain, finding.pattern, finding.subject)
        if finding.status == "open":
            episode = self._open[subject] = _Episode(finding, int(finding.ends))
            self._count[finding.domain] += 1
            heapq.heappush(self.timers, (episode.ends, subject))
        else:
            self._ended[subject] = max(self._ended.get(subject, BEGINNING), finding.as_of)
            heapq.heappush(self.resolved, (finding.as_of[0], finding.finding_id))

    def fold(self, domain: str, sighting: Sighting) -> Change | None:
        """Takes in one sighting; answers the opening, if it is one. Updates are announced by `fire`."""
        subject = (domain, sighting.pattern, sighting.subject)
        episode = self._open.get(subject)
        newest = sighting.pieces[-1].event
        if episode is None:
            if self.silent or newest.time < self.judged or key(newest) <= self._ended.get(subject, BEGINNING):
                return None
            if self._count[domain] >= self._most:
                self.shed[domain] += 1
                return None
            self._count[domain] += 1
            finding = self._opened(subject, sighting)
            episode = self._open[subject] = _Episode(finding, sighting.ends)
            heapq.heappush(self.timers, (episode.ends, subject))
            return Change("opened", finding)
        if key(newest) <= episode.finding.as_of or not self.counts(newest):
            return None
        episode.finding = self._grown(episode.finding, sighting)
        episode.ends = sighting.ends
        heapq.heappush(self.timers, (episode.ends, subject))
        if episode.due is None:
            episode.due = self._due(newest)
            heapq.heappush(self.timers, (episode.due, subject))
        return None

    def counts(self, event: Event) -> bool:
        """Whether what is seen at `event` can change anything: not while it was announced before the restart, as a finding or as nothing,
        by who had all of the memory at hand. Then nobody need judge it."""
        if self.new(event):
            return True
        due = (event.time // self._coalesce + 1) * self._coalesce
        return due > self.judged and not (self.silent and due <= self.announced)

    def new(self, event: Event) -> bool:
        """Nobody has judged it before a restart."""
        return not self.silent and event.time >= self.judged

    def _due(self, event: Event) -> int:
        return (event.time // self._coalesce + 1) * self._coalesce

    def fire(self) -> Change | None:
        """The earliest timer: an update that is due, an episode that is over, or nothing."""
        time, subject = heapq.heappop(self.timers)
        episode = self._open.get(subject)
        if episode is None:
            return None
        if episode.ends <= time:
            return self._resolve(subject, episode, time)
        if episode.due is not None and episode.due <= time:
            return self._announce(episode)
        return None

    def flush(self) -> list[Change]:
        """Announces what is pending, in order: for the end of a file, where no timer comes any more."""
        pending = sorted((e.due, subject) for subject, e in self._open.items() if e.due is not None)
        return [self._announce(self._open[subject]) for _, subject in pending]

    def findings(self) -> Iterable[Finding]:
        """The open ones."""
        return (e.finding for e in self._open.values())

    def forget(self, before: int) -> None:
        """Ended subjects whose evidence has left the memory (ns) need not be remembered."""
        while self._ended and next(iter(self._ended.values()))[0] < before:
            self._ended.popitem(last=False)

    def take_resolved(self, before: int) -> list[str]:
        """Ids of findings resolved before `before` (ns), each told once."""
        taken = []
        while self.resolved and self.resolved[0][0] < before:
            taken.append(heapq.heappop(self.resolved)[1])
        return taken

    def _announce(self, episode: _Episode) -> Change:
        episode.due = None
        episode.finding = msgspec.structs.replace(episode.finding, revision=episode.finding.revision + 1)
        return Change("updated", episode.finding)

    def _resolve(self, subject: Subject, episode: _Episode, time: int) -> Change:
        del self._open[subject]
        self._count[subject[0]] -= 1
        if not self._count[subject[0]]:
            del self._count[subject[0]]
        finding = msgspec.structs.replace(
            episode.finding,
            revision=episode.finding.revision + 1,
            status="resolved",
            resolved_at=format_time(time),
            as_of=(time, "", ""),
        )
        self._ended[subject] = finding.as_of
        self._ended.move_to_end(subject)
        heapq.heappush(self.resolved, (time, finding.finding_id))
        return Change("resolved", finding)

    def _opened(self, subject: Subject, sighting: Sighting) -> Finding:
        first, newest = sighting.pieces[0].event, sighting.pieces[-1].event
        empty = Finding(
            finding_id=_identity(subject, newest),
            revision=1,
            status="open",
            pattern=sighting.pattern,
            kind=sighting.kind,
            domain=subject[0],
            severity=sighting.severity,
            score=0.0,
            confidence=0.0,
            basis=sighting.basis,
            title=sighting.title,
            agents=(),
            resources=(),
            parameters=(),
            roots=sighting.roots,
            started_at=format_time(first.time),
            detected_at=format_time(newest.time),
            updated_at=format_time(newest.time),
            as_of=BEGINNING,
            subject=subject[2],
        )
        return self._grown(empty, sighting)

    def _grown(self, old: Finding, sighting: Sighting) -> Finding:
        fresh = [piece for piece in sighting.pieces if key(piece.event) > old.as_of]
        newest = fresh[-1].event
        count = old.metrics.get(sighting.counts, 0.0) + sum([piece.role in sighting.counted for piece in fresh])
        evidence = old.evidence + tuple([Evidence(ref(p.event), format_time(p.event.time), p.role, p.note) for p in fresh])
        explanation = old.explanation[1:] + tuple([piece.sentence for piece in fresh])
        known = {(edge.cause, edge.effect) for edge in old.edges} if sighting.edges else ()
        edges = old.edges + tuple([edge for edge in sighting.edges if (edge.cause, edge.effect) not in known])
        agents = _merge(old.agents, sighting.agents)
        title = f"{sighting.title} {list_names(beside(agents, old.roots))}" if sighting.names_others else sighting.title
        kept = old.kind in LASTING and sighting.kind not in LASTING  # it got worse, and that is not taken back
        title = old.title if kept else title
        first = headline(title, int(count), sighting.counts, newest.time - parse_time(old.started_at), sighting.confidence)
        first = f"{first} {sighting.missing}" if sighting.missing else first
        return msgspec.structs.replace(
            old,
            kind=old.kind if kept else sighting.kind,
            severity=worse(old.severity, sighting.severity),
            score=round(sighting.score, 6),
            confidence=round(sighting.confidence, 6),
            basis=sighting.basis,
            title=title,
            agents=agents,
            resources=_merge(old.resources, sighting.resources),
            parameters=_merge(old.parameters, sighting.parameters),
            updated_at=format_time(newest.time),
            as_of=key(newest),
            evidence=self._cut(evidence),
            edges=self._cut(edges),
            explanation=(first, *self._cut(explanation)),
            metrics={**old.metrics, **{k: round(v, 6) for k, v in sighting.metrics.items()}, sighting.counts: count},
            ends=sighting.ends,
        )

    def _cut(self, items: tuple[T, ...]) -> tuple[T, ...]:
        """The first quarter and the newest of what a finding may show."""
        if len(items) <= self._shown:
            return items
        first = self._shown // 4
        return items[:first] + items[first - self._shown :]
