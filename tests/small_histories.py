"""Builders for tests that read like the specification: a few events, written by their seconds, and what the analyzer makes of them.

An event's id is "AGENT@SECONDS", so that tests can name causes; its source is the agent's one instance unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import UnsetType

from models.analyzer import Analyzer
from models.configuration import Analysis
from models.events import Action, Event, Intent, Transition, Value
from models.findings import Change, Finding
from models.instants import parse_time

BEGIN = parse_time("2026-11-23T02:00:00Z")


def moment(seconds: float) -> int:
    """ns since the epoch, so many seconds after 02:00:00."""
    return BEGIN + round(seconds * 1e9)


def wrote(
    seconds: float,
    agent: str,
    old: Value | UnsetType,
    new: Value | UnsetType,
    knob: str = "db/orders replicas",
    *,
    instance: str = "1",
    **more: object,
) -> Action:
    """An applied action of `agent` on "RESOURCE PARAMETER"."""
    resource, parameter = knob.split(" ")
    fields: dict[str, object] = {"verb": "set", "source": f"agents/{agent}/{instance}", "id": f"{agent}@{seconds:g}", **more}
    return Action(
        time=moment(seconds), agent=agent, resource=resource, parameter=parameter, old=old, new=new, **fields  # type: ignore[arg-type]
    )  # fmt: skip


def became(seconds: float, state: str, before: Value, after: Value, **more: object) -> Transition:
    """The metric of "RESOURCE METRIC" went from `before` to `after`."""
    resource, metric = state.split(" ")
    return Transition(
        time=moment(seconds), source="monitor", id=f"monitor@{seconds:g}", resource=resource, metric=metric, before=before,
        after=after, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def declared(seconds: float, agent: str, resource: str, parameter: str = "", **more: object) -> Intent:
    """`agent` declared an intent, for all parameters of the resource unless it names one."""
    return Intent(
        time=moment(seconds), source=f"people/{agent}", id=f"{agent}@{seconds:g}", resource=resource, agent=agent,
        parameter=parameter, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def until(seconds: float) -> Event:
    """Something unrelated, so that event time goes on until then."""
    return became(seconds, "clock/wall minute", None, seconds)


def turns(agents: Sequence[str], values: Sequence[Value], every: float, begin: float = 0.0, **more: object) -> list[Event]:
    """One knob through `values`, written every so many seconds by the agents in turn, each telling the value it replaced."""
    pairs = pairwise(values)
    return [
        wrote(begin + i * every, agents[i % len(agents)], old, new, **more)  # type: ignore[arg-type]
        for i, (old, new) in enumerate(pairs)
    ]


def changes(*events: Event, settings: Analysis | None = None) -> list[Change]:
    """Every revision that these events lead to."""
    analyzer = Analyzer(settings)
    for event in events:
        analyzer.feed(event)  # type: ignore[arg-type]
    return analyzer.finish()


def findings(*events: Event, settings: Analysis | None = None) -> list[Finding]:
    """The last revision of each finding, in the order in which they opened."""
    last: dict[str, Finding] = {}
    for change in changes(*events, settings=settings):
        last[change.finding.finding_id] = change.finding
    return list(last.values())


def kinds(*events: Event, settings: Analysis | None = None) -> list[str]:
    """What was found: "PATTERN KIND", in the order in which it opened."""
    return [f"{finding.pattern} {finding.kind}" for finding in findings(*events, settings=settings)]


def only(*events: Event, settings: Analysis | None = None) -> Finding:
    """The one finding that these events lead to."""
    found = findings(*events, settings=settings)
    assert len(found) == 1, [finding.title for finding in found]
    return found[0]
