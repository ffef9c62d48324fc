"""Which spans, span events and log records are actions, and what they say of the write. Rules of the configuration come first.

Without a rule: an event `agent.action` says all itself, and a tool call whose name begins like a write (`scale_replicas`, `setWeight`)
is one to what its arguments name: numbers and switches are parameters with their new values, texts name the resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from models.events import Read, Value, Version
from streams.settings import ActionRule, ReadRule
from streams.sources.opentelemetry.naming import bounded, text
from streams.sources.opentelemetry.record import SERVER, Line, Span
from streams.sources.opentelemetry.templates import Scope, Template, as_text, as_value, parsed
from streams.sources.opentelemetry.values import Attributes, Json
from streams.sources.secrets import NAMED

AGENT = "gen_ai.agent.name"
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
WRITES = frozenset((
    "add", "apply", "assign", "change", "configure", "cordon", "create", "decrease", "delete", "demote", "deploy", "disable",
    "drain", "enable", "evict", "failover", "increase", "kill", "modify", "move", "patch", "pause", "promote", "provision", "put",
    "reduce", "release", "remove", "replace", "reroute", "resize", "restart", "resume", "revert", "rollback", "rollout", "route",
    "scale", "set", "shift", "start", "stop", "switch", "terminate", "throttle", "toggle", "uncordon", "update", "upgrade",
    "write",
))  # fmt: skip
OUTCOMES = ("applied", "failed", "rejected", "considered")
REFUSED = (403, 409, 412, 422)  # answers that say that nothing was done
TEXT_LIMIT = 1000
NAMES, PARAMETERS = 8, 16  # of one tool call
_FIRST_WORD = re.compile(r"[A-Za-z][a-z]*")


class Draft(NamedTuple):
    """An action but for what only the spans around it tell. `id` is unique in its source; `agent` "" is not known yet."""

    id: str
    time: int  # ns; 0: that of the span
    agent: str
    resource: str
    verb: str
    parameter: str
    old: Value | UnsetType
    new: Value | UnsetType
    version: Version
    outcome: str
    why: str


class Actions:
    """The rules, made ready."""

    def __init__(self, rules: Sequence[ActionRule], guess: bool, reads: Sequence[ReadRule] = ()) -> None:
        compiled = [_Rule(rule) for rule in rules]
        self._spans = [rule for rule in compiled if not rule.event]
        self._events = [*(rule for rule in compiled if rule.event), _Rule(SAID)]
        self._reads = [_ReadRule(rule) for rule in reads]
        self._guess = guess

    def of_span(self, span: Span) -> list[Draft]:
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
        if found or not self._guess or not _is_tool_call(span):
            return found
        return list(_guessed(span))

    def read_of(self, span: Span) -> Read | None:
        """The observation that a span is."""
        for rule in self._reads:
            if not rule.span or fnmatchcase(span.name, rule.span):
                scope = Scope(span.attributes, {"span.name": span.name}, span.entity.attributes)
                if scope.matches(rule.match):
                    return rule.read(scope, span.time)
        return None

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
            why=self.why.filled(scope)[:TEXT_LIMIT],
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
    simple = as_value(value)
    return bounded(simple) if isinstance(simple, str) else simple if isinstance(simple, int | float) else None


def _plain(value: Value | UnsetType) -> Value:
    return None if isinstance(value, UnsetType) else value


def _outcome(span: Span) -> str:
    if not span.failed:
        return "applied"
    status = span.attributes.get("http.response.status_code") or span.attributes.get("error.type")
    return "rejected" if text(status) in map(str, REFUSED) else "failed"


def _is_tool_call(span: Span) -> bool:
    """A tool call, told by who called: what serves it tells the same call again."""
    attributes = span.attributes
    if span.kind == SERVER:
        return False
    return attributes.get("gen_ai.operation.name") == "execute_tool" or attributes.get("mcp.method.name") == "tools/call"


def _guessed(span: Span) -> Iterator[Draft]:
    attributes = span.attributes
    tool = text(attributes.get("gen_ai.tool.name") or attributes.get("mcp.tool.name"))
    verb = first_word(tool)
    if verb not in WRITES:
        return
    given = parsed(attributes.get("gen_ai.tool.call.arguments"))
    arguments = {key: value for key, value in given.items() if not NAMED.search(key)} if isinstance(given, dict) else {}
    names = [value for key, value in sorted(arguments.items()) if isinstance(value, str) and value and key != "resource"][:NAMES]
    named = arguments.get("resource")
    resource = named if isinstance(named, str) and named else "/".join(["tool", tool, *names])
    values = {key: value for key, value in sorted(arguments.items()) if isinstance(value, int | float)}
    outcome = _outcome(span)
    for place, (parameter, new) in enumerate(list(values.items())[:PARAMETERS] or [(verb, None)]):
        yield Draft(
            id=f"{span.id}.{parameter}"[:500] if place else span.id,
            time=0,
            agent=bounded(text(attributes.get(AGENT))),
            resource=bounded(resource),
            verb=verb,
            parameter=bounded(parameter) or verb,
            old=_previous(attributes, parameter),
            new=UNSET if new is None else as_value(new),
            version=None,
            outcome=outcome,
            why="",
        )


def _previous(attributes: Attributes, parameter: str) -> Value | UnsetType:
    result = parsed(attributes.get("gen_ai.tool.call.result"))
    if isinstance(result, dict):
        for key in (f"old_{parameter}", f"previous_{parameter}", "old", "previous"):
            if isinstance(found := result.get(key), int | float):
                return as_value(found)
    return UNSET


def first_word(tool: str) -> str:
    """The verb of a tool's name: scale_replicas, scaleReplicas and scale-replicas all scale."""
    word = _FIRST_WORD.search(tool.rpartition(".")[2].rpartition("/")[2])
    return word[0].lower() if word else ""
