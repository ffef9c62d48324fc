"""Intent conflicts that one write proves by itself, O(1) against the knob's last write and its open intents.

`version_regression`: an older payload over a newer one, by another writer instance. `lost_update`: a writer replaced a value that it
never saw. `override`: what another agent declared it would hold is undone inside its window, unacknowledged; `intent_read_as_fault`:
undone because of the very effect the holder had announced. A write that changes nothing adds a co-owner and is no conflict; a holder's
own abort condition, met by what the writer read, is a justified rollback. Staleness alone never fires. Sources: lost update (Adya et al.,
2000); declared desired state with an owner (Kubernetes server-side apply). The fingerprint is kind, knob and the two agents.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable

import msgspec
from msgspec import UNSET, UnsetType

from models.configuration import Conflict
from models.domain import Domain
from models.episodes import Piece, Sighting, Standing, subject_of
from models.events import Action, Condition, Intent, Value, key, ref
from models.explain import change, deed, told
from models.findings import Basis, CausalEdge, Root, Severity
from models.graph import Node
from models.instants import clock_time, format_duration
from models.intents import Declared, desired, open_until, reason, released
from models.values import distance, number, same, text

MOST_INTENTS = 8  # newest intents on one knob that a write is held against
GRAVE = ("freeze", "failover", "maintenance", "incident")
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


class Conflicts(msgspec.Struct, frozen=True):
    """The same-variable rules. `facts_age` (ns) bounds how old a last write may be."""

    settings: Conflict
    facts_age: int

    def judge(self, node: Node, domain: Domain, standing: Callable[[str, str], Standing]) -> Iterable[Sighting]:
        """Every rule that this write breaks; each alone suffices."""
        event = node.event
        if not isinstance(event, Action) or event.outcome != "applied":
            return ()
        current = domain.variables.current((event.resource, event.parameter), event.time - self.facts_age)
        intents = domain.intents.open(event, self.settings.intent_window, event.time - self.facts_age)[-MOST_INTENTS:]
        rival = current if current is not None and current.source != event.source else None
        if rival is None and not intents:
            return ()
        return self._judged(event, current, rival, intents, domain)

    def _judged(
        self, event: Action, current: Action | None, rival: Action | None, intents: list[Declared], domain: Domain
    ) -> Iterable[Sighting]:
        if rival is not None:
            yield from self._regression(event, rival)
        standing = current.new if current is not None else event.old  # its own word, where nothing else is known
        if event.new is not UNSET and _close(event.new, standing):
            return  # idempotent: a co-owner
        if rival is not None:
            yield from self._lost_update(event, rival, domain.graph.skew(event.source, rival.source))
        writes = domain.variables.actions((event.resource, event.parameter)) if intents else []
        for intent in intents:
            yield from self._override(event, intent, _stood(intent, writes, current))

    def _regression(self, event: Action, current: Action) -> Iterable[Sighting]:
        newer, older = current.version, event.version
        if not isinstance(newer, int | float) or not isinstance(older, int | float) or older >= newer:
            return
        yield self._sighting(
            "version_regression",
            event,
            current,
            ("victim", "root"),
            title=f"{event.agent} took {event.resource} {event.parameter} back from version {text(newer)} to {text(older)}",
            sentence=f"{clock_time(event.time)} {deed(event)} with version {text(event.version)}, "
            f"{_lag(event, current)} after {current.source} had installed version {text(current.version)}.",
            score=0.8,
            severity="error",
            confidence=0.95,
            metrics={"versions_back": float(newer - older)},
        )

    def _lost_update(self, event: Action, current: Action, skew: int) -> Iterable[Sighting]:
        if event.old is UNSET or event.new is UNSET or current.new is UNSET or _close(event.old, current.new):
            return
        yield self._sighting(
            "lost_update",
            event,
            current,
            ("victim", "root"),
            title=f"{event.agent} overwrote {current.agent}'s {event.resource} {event.parameter} without having seen it",
            sentence=f"{clock_time(event.time)} {deed(event)}, but {current.source} had made it {text(current.new)} "
            f"{_lag(event, current)} before: that update is lost.",
            score=0.5,
            severity="warning",
            confidence=0.80 if skew > self.settings.skew_limit else 0.95,
            metrics={},
        )

    def _override(self, event: Action, intent: Declared, stood: Value | UnsetType) -> Iterable[Sighting]:
        if released(intent, event):
            return
        wanted = desired(intent)
        replaced = intent.old if isinstance(intent, Action) else UNSET
        undone = replaced is not UNSET and _close(event.new, replaced)
        away = not _close(event.new, wanted) if wanted is not UNSET else stood is UNSET or not _close(event.new, stood)
        if not undone and not away:
            return
        clause = intent.intent if isinstance(intent, Action) else None
        if clause is not None and any(_met(condition, event) for condition in clause.abort_if):
            return  # a justified rollback: the holder itself allows it
        expected = clause.expects if clause is not None else ()
        read = {(r.resource, r.metric) for r in event.reads}
        fault = [e for e in expected if (e.resource, e.metric) in read]
        why = reason(intent)
        until = open_until(intent, self.settings.intent_window)
        left = f" until {clock_time(until)}" if until is not None else ""
        holds = f"{intent.agent} holds {event.resource} {event.parameter or intent.resource}"
        told_fault = f" It acted on {fault[0].metric}, which {intent.agent} had announced." if fault else ""
        yield self._sighting(
            "intent_read_as_fault" if fault else "override",
            event,
            intent,
            ("victim", "root"),
            title=f"{event.agent} overrode {intent.agent}'s {why or 'intent'} on {event.resource} {event.parameter}",
            sentence=f"{clock_time(event.time)} {deed(event)}, while {holds}"
            f"{f' at {text(wanted)}' if wanted is not UNSET else ''}{f' ({why})' if why else ''}{left}.{told_fault}",
            score=0.8 if fault or why in GRAVE else 0.6,
            severity="error" if fault or why in GRAVE else "warning",
            confidence=0.9,
            metrics={"window_left_s": (until - event.time) / 1e9 if until is not None else 0.0},
        )

    def _sighting(
        self,
        kind: str,
        event: Action,
        other: Declared,
        roles: tuple[str, str],
        *,
        title: str,
        sentence: str,
        score: float,
        severity: Severity,
        confidence: float,
        metrics: dict[str, float],
    ) -> Sighting:
        agents = tuple(sorted({event.agent, other.agent}))
        basis: Basis = "certificate"
        first = Piece(other, roles[0], _note(other), _told(other))
        pieces = (
            (first, Piece(event, roles[1], change(event), sentence))
            if key(other) < key(event)
            else (Piece(event, roles[1], change(event), sentence),)
        )
        lag = round((event.time - other.time) / 1e9, 3)
        return Sighting(
            pattern="intent_conflict",
            kind=kind,
            subject=subject_of(kind, event.resource, event.parameter, *agents),
            pieces=pieces,
            counts="violations",
            counted=("root",),
            title=title,
            agents=agents,
            resources=(event.resource,),
            parameters=(event.parameter,),
            roots=(Root(ref(event), event.resource, event.agent, confidence),),
            edges=(CausalEdge(ref(other), ref(event), "overwrites", confidence, lag),),
            severity=severity,
            score=score,
            confidence=confidence,
            basis=basis,
            metrics={"lag_s": lag, **metrics},
            ends=event.time + self.settings.hold,
        )


DEADBAND = 0.1


def _stood(intent: Declared, writes: list[Action], current: Action | None) -> Value | UnsetType:
    """What the knob held when the intent was declared: by the last write before, by what the first one after it found, or as it is."""
    after = next((i for i, write in enumerate(writes) if key(write) > key(intent)), None)
    if after is None or (after == 0 and writes[0].old is UNSET):
        return current.new if current is not None else UNSET
    return writes[after - 1].new if after else writes[0].old


def _close(a: object, b: object) -> bool:
    return distance(a, b) < DEADBAND  # type: ignore[arg-type]


def _lag(event: Action, other: Action) -> str:
    seconds = (event.time - other.time) / 1e9
    return f"{seconds:.3g} s" if seconds < 600 else format_duration(int(seconds) * 1_000_000_000)


def _note(event: Declared) -> str:
    return change(event) if isinstance(event, Action) else f"intent: {reason(event) or text(desired(event))}"


def _told(event: Declared) -> str:
    if isinstance(event, Intent):
        what = f"{event.resource} {event.parameter}".strip()
        return f"{clock_time(event.time)} {event.agent} declared that {what} stays as it is ({event.reason or 'no reason given'})."
    return told(event)


def _met(condition: Condition, event: Action) -> bool:
    bound = number(condition.value)
    compare = OPERATORS.get(condition.op)
    for read in event.reads:
        if (read.resource, read.metric) == (condition.resource, condition.metric):
            value = number(read.value)
            if compare is not None and value is not None and bound is not None and compare(value, bound):
                return True
            if condition.op == "==" and same(read.value, condition.value):
                return True
    return False
