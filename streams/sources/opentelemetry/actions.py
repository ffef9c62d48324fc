"""Which spans, span events and log records are actions, and what they say of the write. Rules of the configuration come first.

Without a rule an event `agent.action` says all itself, and a tool call is guessed by its name and arguments (`guess`).
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from hashlib import blake2b

from msgspec import UNSET, UnsetType

from models.events import Read, Value, Version
from streams.settings import ActionRule, ReadRule
from streams.sources.opentelemetry.conventions import AGENT, Part
from streams.sources.opentelemetry.guess import Draft, guessed
from streams.sources.opentelemetry.naming import bounded, text
from streams.sources.opentelemetry.record import Line, Span
from streams.sources.opentelemetry.templates import Scope, Template, as_text, as_value
from streams.sources.opentelemetry.values import Json
from streams.sources.secrets import without_secrets

SAID = ActionRule(  # a log record's body, where it is a map, is looked into as attributes are
    event="agent.action",
    resource="{resource}",
    verb="{verb|action|'set'}",
    parameter="{parameter|'value'}",
    old="{old}",
    new="{new}",
    version="{version}",
    outcome="{outcome}",
    why="{why|intent}",
)
OUTCOMES = ("applied", "failed", "rejected", "considered")
REFUSED = (403, 409, 412, 422)  # answers that say that nothing was done
TEXT_LIMIT = 1000


class Actions:
    """The rules, made ready."""

    def __init__(self, rules: Sequence[ActionRule], guess: bool, reads: Sequence[ReadRule] = ()) -> None:
        compiled = [_Rule(rule) for rule in rules]
        self._spans = [rule for rule in compiled if not rule.event]
        self._events = [*(rule for rule in compiled if rule.event), _Rule(SAID)]
        self._reads = [_ReadRule(rule) for rule in reads]
        self._guess = guess

    def of_span(self, span: Span, part: Part) -> list[Draft]:
        """What a span and its events tell of writes."""
        attributes, process = span.attributes, span.entity.attributes
        found: list[Draft] = []
        for rule in self._spans:
            if rule.fits(span.name):
                scope = Scope(attributes, {"span.name": span.name}, process)
                if scope.matches(rule.match):
                    if draft := rule.draft(scope, span.id, 0, _outcome(span)):
                        found.append(draft)
                    break
        for note in span.notes:
            scope = Scope(note.attributes, attributes, {"span.name": span.name}, process)
            if draft := self._of_event(note.name, scope, span.id, note.time, _outcome(span)):
                found.append(draft)
        if found or not self._guess or part != "call":
            return found
        return list(guessed(span, _outcome(span)))

    def read_of(self, span: Span) -> Read | None:
        """The observation that a span is."""
        for rule in self._reads:
            if not rule.span or fnmatchcase(span.name, rule.span):
                scope = Scope(span.attributes, {"span.name": span.name}, span.entity.attributes)
                if scope.matches(rule.match):
                    return rule.read(scope, span.time)
        return None

    def tells(self, name: str) -> bool:
        """Whether a log record of this event name can be an action."""
        return bool(name) and any(rule.fits(name) for rule in self._events)

    def of_line(self, line: Line) -> list[Draft]:
        """What a log record tells of a write."""
        if not line.name:
            return []
        said = line.body if isinstance(line.body, dict) else {}
        scope = Scope(line.attributes, said, {"body": line.body}, line.entity.attributes)
        draft = self._of_event(line.name, scope, line.span or line.id, line.time, "applied")
        return [draft] if draft else []

    def _of_event(self, name: str, scope: Scope, span: str, time: int, outcome: str) -> Draft | None:
        for rule in self._events:
            if rule.fits(name) and scope.matches(rule.match):
                draft = rule.draft(scope, span, time, outcome)
                if draft is None:
                    return None
                # the same write may be said by a span event and by a log record: the id is the same then
                said = blake2b(
                    repr((draft.resource, draft.parameter, _plain(draft.new))).encode(errors="surrogatepass"), digest_size=4
                )
                return draft._replace(id=f"{span}.{said.hexdigest()}")
        return None


class _Rule:
    """One rule with its templates."""

    def __init__(self, rule: ActionRule) -> None:
        self.event = rule.event
        self.match = rule.match
        self._name = rule.event or rule.span
        self.resource, self.verb, self.parameter = Template(rule.resource), Template(rule.verb), Template(rule.parameter)
        self.old, self.new, self.version = Template(rule.old), Template(rule.new), Template(rule.version)
        self.agent, self.outcome, self.why = Template(rule.agent), Template(rule.outcome), Template(rule.why)

    def fits(self, name: str) -> bool:
        """By the name alone."""
        return not self._name or fnmatchcase(name, self._name)

    def draft(self, scope: Scope, span: str, time: int, outcome: str) -> Draft | None:
        """The write, or None where its resource is not there."""
        resource = self.resource.filled(scope)
        if not resource:
            return None
        verb, told = self.verb.filled(scope) or "set", self.outcome.filled(scope)
        old, new, version = self.old.value(scope), self.new.value(scope), self.version.value(scope)
        return Draft(
            id=span,
            time=time,
            agent=bounded(self.agent.filled(scope) or as_text(scope.get(AGENT) or "")),
            resource=bounded(resource),
            verb=bounded(verb),
            parameter=bounded(self.parameter.filled(scope) or verb),
            old=UNSET if old is None else as_value(old),
            new=UNSET if new is None else as_value(new),
            version=_version(version),
            outcome=told if told in OUTCOMES else outcome,
            why=without_secrets(self.why.filled(scope)[:TEXT_LIMIT])[:TEXT_LIMIT],
        )


class _ReadRule:
    """One rule with its templates."""

    def __init__(self, rule: ReadRule) -> None:
        self.span, self.match = rule.span, rule.match
        self.resource, self.metric, self.value = Template(rule.resource), Template(rule.metric), Template(rule.value)

    def read(self, scope: Scope, time: int) -> Read | None:
        """The observation, or None where its resource is not there."""
        resource, value = self.resource.filled(scope), self.value.value(scope)
        if not resource:
            return None
        return Read(bounded(resource), bounded(self.metric.filled(scope)), UNSET if value is None else as_value(value), time)


def _version(value: Json) -> Version:
    simple = as_text(value) if isinstance(value, bool) else as_value(value)
    return bounded(simple) if isinstance(simple, str) else simple if isinstance(simple, int | float) else None


def _plain(value: Value | UnsetType) -> Value:
    return None if isinstance(value, UnsetType) else value


def _outcome(span: Span) -> str:
    if not span.failed:
        return "applied"
    status = span.attributes.get("http.response.status_code") or span.attributes.get("error.type")
    return "rejected" if text(status) in map(str, REFUSED) else "failed"
