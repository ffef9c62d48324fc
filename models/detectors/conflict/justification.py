"""When what goes against a declared intent is right: a justified rollback, told as a remark and never as a conflict.

The holder itself allows it (`abort_if`), more happened than it had announced (`max_ratio`), or a guard of the configuration
(`conflict.slo_guards`) answers a service level that broke after the intent was declared and that the intent had not announced. Who may
guard comes from the configuration alone: what an event says of its own rank counts for nothing.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from models.configuration import Conflict
from models.detectors.conflict.case import OPERATORS
from models.domain import Domain
from models.events import Action, Condition, Expectation, Read, Transition, key
from models.explain import deed
from models.graph import Node
from models.instants import clock_time
from models.intents import Declared
from models.remarks import Remark
from models.values import number, same, text

WELL = ("", "info", "ok")  # severities of a transition that says that nothing is wrong


class Weighed(NamedTuple):
    """What the writer read of the announced effects; whether it cannot be told if they went beyond that; the remark where it was right."""

    hits: list[tuple[Expectation, Read]]
    unknown: bool
    rollback: Remark | None


def weighed(node: Node, event: Action, intent: Declared, domain: Domain, settings: Conflict) -> Weighed:
    """`event` goes against `intent`: is it right to?"""
    hits = _announced(event, intent)
    beyond = [_beyond(expected, read, intent, domain) for expected, read in hits]
    why = _allowed(event, intent) or _exceeded(hits, beyond, intent) or _guarded(node, event, intent, settings)
    remark = Remark("justified_rollback", f"{clock_time(event.time)} {deed(event)}: {why}.") if why else None
    return Weighed(hits, None in beyond, remark)


def _allowed(event: Action, intent: Declared) -> str:
    """Which of the holder's own conditions the writer's reads meet, for a sentence; "" where none."""
    clause = intent.intent if isinstance(intent, Action) else None
    for condition in clause.abort_if if clause is not None else ():
        read = _met(condition, event)
        if read is not None:
            bound = f"{condition.op} {text(condition.value)}"
            return f"{read.metric} was {text(read.value)} ({bound}), under which {intent.agent} lets itself be undone"
    return ""


def _announced(event: Action, intent: Declared) -> list[tuple[Expectation, Read]]:
    """What the writer read of the effects that the intent had announced."""
    clause = intent.intent if isinstance(intent, Action) else None
    expected = clause.expects if clause is not None else ()
    return [(e, read) for e in expected for read in event.reads if (read.resource, read.metric) == (e.resource, e.metric)]


def _beyond(expected: Expectation, read: Read, intent: Declared, domain: Domain) -> bool | None:
    """Whether what was read exceeds the announced ratio to what it was; None where that cannot be told."""
    if expected.max_ratio is None:
        return False
    before, now = _before(expected, intent, domain), number(read.value)
    if before is None or now is None:
        return None
    return now > expected.max_ratio * before


def _exceeded(hits: list[tuple[Expectation, Read]], beyond: list[bool | None], intent: Declared) -> str:
    """The first effect that went beyond what was announced, for a sentence; "" where none did."""
    for (expected, read), more in zip(hits, beyond, strict=True):
        if more:
            return f"{read.metric} was {text(read.value)}, more than {expected.max_ratio:g} times what {intent.agent} had found"
    return ""


def _guarded(node: Node, event: Action, intent: Declared, settings: Conflict) -> str:
    """The service level that a guard of the configuration answers, for a sentence; "" where it is no guard or cites none."""
    guards = settings.slo_guards
    if not any(fnmatchcase(name, guard) for guard in guards for name in (event.agent, event.mandate) if name):
        return ""
    clause = intent.intent if isinstance(intent, Action) else None
    expected = {(e.resource, e.metric) for e in clause.expects} if clause is not None else set()
    for link in node.parents:
        broke = link.cause.event
        if not isinstance(broke, Transition) or not broke.slo or broke.severity in WELL or key(broke) < key(intent):
            continue
        if (broke.resource, broke.metric) not in expected:
            return f"{broke.resource} {broke.metric}, a service level, went to {text(broke.after)}, which {intent.agent} had not announced"
    return ""


def _before(expected: Expectation, intent: Declared, domain: Domain) -> float | None:
    """The metric when the intent was declared: as the holder read it, or as transitions tell."""
    name = (expected.resource, expected.metric)
    for read in intent.reads if isinstance(intent, Action) else ():
        if (read.resource, read.metric) == name and number(read.value) is not None:
            return number(read.value)
    states = domain.variables.transitions(name)
    earlier = [state for state in states if key(state) < key(intent)]
    if earlier:
        return number(earlier[-1].after)
    return number(states[0].before) if states else None


def _met(condition: Condition, event: Action) -> Read | None:
    bound = number(condition.value)
    compare = OPERATORS.get(condition.op)
    for read in event.reads:
        if (read.resource, read.metric) == (condition.resource, condition.metric):
            value = number(read.value)
            if compare is not None and value is not None and bound is not None and compare(value, bound):
                return read
            if condition.op == "==" and same(read.value, condition.value):
                return read
    return None
