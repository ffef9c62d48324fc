"""Log records as transitions: those of rules, and all others from a severity on; Kubernetes Events as `kubernetes.events` tells them.

The collector's `k8s_events` receiver writes a log record for each Event: its reason is an attribute, the object one of the Resource's.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from models.events import Transition
from models.instants import format_time
from streams.settings import LogRule, Otlp
from streams.sources.kubernetes.events import About, Happening, Meta, transition
from streams.sources.opentelemetry.naming import bounded, text
from streams.sources.opentelemetry.record import REASON, Line
from streams.sources.opentelemetry.templates import Scope, Template, as_text, as_value
from streams.sources.secrets import without_secrets
from streams.sources.source import Origin

TEXT_LIMIT = 1000
_LEAST = {"debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21, "none": 1000}
_SEVERITIES = ((21, "critical"), (17, "error"), (13, "warning"), (0, "info"))


class Lines:
    """The rules, made ready."""

    def __init__(self, settings: Otlp) -> None:
        self._rules: Sequence[_Rule] = [_Rule(rule) for rule in settings.log]
        self._least = _LEAST[settings.min_severity]

    def tells(self, name: str, severity: int) -> bool:
        """Whether a log record of this event name and severity can be a transition, but for one that is a Kubernetes Event."""
        return severity >= self._least or any(not rule.rule.event or fnmatchcase(name, rule.rule.event) for rule in self._rules)

    def transition(self, line: Line, domain: str) -> Transition | None:
        """What a log record tells of a state, if anything."""
        body = "" if line.body is None else as_text(line.body)
        severity = next(word for least, word in _SEVERITIES if line.severity >= least)
        scope = Scope(line.attributes, {"body": line.body}, line.entity.attributes)
        rule = next((rule for rule in self._rules if rule.fits(line, body, scope)), None)
        if rule is None and REASON in line.attributes:
            return transition(_happening(line, body), Origin(line.entity.cluster, domain))
        if rule is None and line.severity < self._least:
            return None
        if rule is not None and rule.rule.ignore:
            return None
        resource = rule.resource.filled(scope) if rule and rule.rule.resource else line.entity.resource
        if not resource:
            return None
        after = rule.after.value(scope) if rule and rule.rule.after else severity
        return Transition(
            time=line.time,
            source=line.source,
            id=line.id,
            domain=domain,
            resource=bounded(resource),
            traceparent=f"00-{line.span}-01" if line.span else "",
            metric=bounded(rule.metric.filled(scope) or "log" if rule else f"log {line.name}".strip()),
            before=as_value(rule.before.value(scope)) if rule else None,
            after=as_value(after),
            severity=(rule.severity.filled(scope) if rule else "") or severity,
            text=without_secrets(body[:TEXT_LIMIT])[:TEXT_LIMIT],
            slo=rule.rule.slo if rule else False,
        )


def _happening(line: Line, body: str) -> Happening:
    said = Scope(line.attributes, line.entity.attributes)

    def word(name: str) -> str:
        return text(said.get(name))

    count = said.get("k8s.event.count")
    about = About(word("k8s.object.kind"), word("k8s.namespace.name"), word("k8s.object.name"), word("k8s.object.api_version"))
    return Happening(
        reason=word(REASON),
        metadata=Meta(word("k8s.event.name"), word("k8s.event.uid")),
        involved_object=about,
        message=body,
        type="Warning" if line.severity >= _LEAST["warn"] else "Normal",
        count=count if isinstance(count, int) else None,
        last_timestamp=format_time(line.time),
    )


class _Rule:
    def __init__(self, rule: LogRule) -> None:
        self.rule = rule
        self.resource, self.metric, self.severity = Template(rule.resource), Template(rule.metric), Template(rule.severity)
        self.before, self.after = Template(rule.before), Template(rule.after)

    def fits(self, line: Line, body: str, scope: Scope) -> bool:
        rule = self.rule
        return (
            (not rule.event or fnmatchcase(line.name, rule.event))
            and (not rule.body or fnmatchcase(body, rule.body))
            and scope.matches(rule.match)
        )
