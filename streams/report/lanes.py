"""A finding's evidence as a picture: one lane per parameter or metric of a resource, time to the right, a dot for each event.

Numbers are drawn to scale within their lane and joined by steps, as a knob goes; other values stand on the lane's middle. The colour
says which agent it was; who is not an agent (a transition) is grey. An SVG as text, without scripts or anything from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TypeAlias

import msgspec
from msgspec import UNSET

from models.events import Action, Event, Transition
from models.explain import event_told
from models.findings import Finding
from models.instants import clock_time
from models.values import number, text
from streams.report.words import shown

Scale: TypeAlias = Callable[[int], float]
Level: TypeAlias = Callable[[float | None], float]

WIDTH, LANE, LEFT, RIGHT, TOP, AXIS = 960, 72, 12, 12, 6, 22  # px
LABEL, PADDING = 16, 10  # px of a lane that its name takes, and that its values keep away from its edges
LANES = 8  # more are left out, and counted
LABELLED = 12  # dots in a lane up to which each has its value beside it
# Okabe and Ito's palette, which colour-blind readers can tell apart; reused from the start beyond it, so every dot has its name as well
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8b5a2b", "#5b3fa8")
NOBODY = "#808080"


class _Dot(msgspec.Struct, frozen=True):
    """One event in its lane. `before` and `after` as they are shown; `level` where the value is a number."""

    time: int
    agent: str
    after: str
    level: float | None
    before: float | None
    tip: str


def colours(findings: Sequence[Finding]) -> dict[str, str]:
    """A colour for each agent, the same in every picture of a report."""
    agents = sorted({agent for finding in findings for agent in finding.agents})
    return {agent: COLOURS[place % len(COLOURS)] for place, agent in enumerate(agents)}


def picture(finding: Finding, events: Mapping[str, Event], colour: Mapping[str, str]) -> str:
    """The SVG; "" where none of the evidence has a time and a place in a lane."""
    lanes = _lanes(finding, events)
    times = [dot.time for dots in lanes.values() for dot in dots]
    if not times:
        return ""
    start, span = min(times), max(max(times) - min(times), 1)

    def x(time: int) -> float:
        return round(LEFT + 40 + (time - start) / span * (WIDTH - LEFT - RIGHT - 80), 1)

    shown_lanes = dict(list(lanes.items())[:LANES])
    height = TOP + LANE * len(shown_lanes) + AXIS
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{_safe(finding.title)}">']
    for place, (name, dots) in enumerate(shown_lanes.items()):
        parts.append(_lane(name, dots, TOP + place * LANE, colour, x))
    left_out = len(lanes) - len(shown_lanes)
    more = f" ({left_out} more lane{'s' if left_out != 1 else ''} not shown)" if left_out else ""
    parts.append(f'<text class="axis" x="{x(start)}" y="{height - 6}">{clock_time(start)} UTC{more}</text>')
    if span > 1:
        parts.append(f'<text class="axis end" x="{x(start + span)}" y="{height - 6}">{clock_time(start + span)}</text>')
    return "".join([*parts, "</svg>"])


def _lanes(finding: Finding, events: Mapping[str, Event]) -> dict[str, list[_Dot]]:
    """Lane by lane in the order of their first events."""
    known = sorted(
        {name: events[name] for name in (item.event for item in finding.evidence) if name in events}.items(),
        key=lambda item: (item[1].time, item[0]),
    )
    lanes: dict[str, list[_Dot]] = {}
    for _, event in known:
        match event:
            case Action():
                name, after, before, who = f"{event.resource} {event.parameter}", event.new, event.old, event.agent
            case Transition():
                name, after, before, who = f"{event.resource} {event.metric}", event.after, event.before, ""
            case _:
                continue
        word = event.verb if isinstance(event, Action) and after is UNSET else text(after)
        lanes.setdefault(name, []).append(_Dot(event.time, who, word, number(after), number(before), event_told(event)))
    return lanes


def _lane(name: str, dots: list[_Dot], top: int, colour: Mapping[str, str], x: Scale) -> str:
    levels = [level for dot in dots for level in (dot.level, dot.before) if level is not None]
    low, high = (min(levels), max(levels)) if levels else (0.0, 0.0)
    bottom, room = top + LANE - PADDING, LANE - LABEL - 2 * PADDING

    def y(level: float | None) -> float:
        if level is None or high == low:
            return round(bottom - room / 2, 1)
        return round(bottom - (level - low) / (high - low) * room, 1)

    line = f'<line class="lane" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{top + LANE}" y2="{top + LANE}"/>'
    parts = [line, f'<text class="name" x="{LEFT}" y="{top + 12}">{_safe(name)}</text>', _steps(dots, x, y)]
    for dot in dots:
        fill = colour.get(dot.agent, NOBODY)
        place = f'cx="{x(dot.time)}" cy="{y(dot.level)}"'
        parts.append(f'<circle {place} r="5" fill="{fill}"><title>{_safe(dot.tip)}</title></circle>')
        if len(dots) <= LABELLED:
            parts.append(f'<text class="value" x="{x(dot.time) + 6:.1f}" y="{y(dot.level) - 5:.1f}">{_safe(dot.after[:24])}</text>')
    return "".join(parts)


def _steps(dots: list[_Dot], x: Scale, y: Level) -> str:
    """The knob's way between the writes that have numbers: it keeps a value until the next write."""
    numbers = [dot for dot in dots if dot.level is not None]
    if len(numbers) < 2:
        return ""
    path = f"M{x(numbers[0].time)} {y(numbers[0].level)}"
    for dot in numbers[1:]:
        path += f"H{x(dot.time)}V{y(dot.level)}"
    return f'<path class="steps" d="{path}"/>'


def _safe(words: str) -> str:
    return escape(shown(words))
