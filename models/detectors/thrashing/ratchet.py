"""Two agents drive each other on, always the same way: each answers the other's last value with a larger one (or a smaller one).

    a: 10 ──read──► b: 13 ──read──► a: 13.2 ──► b: 17 ──► ...      no swing turns, yet nobody stops

Along the best links of the causal graph, from this write back: two agents in turn, each on its own knob. Fires where the
mean of ln(z_k / z_(k-2)) over six steps is clearly not zero, all steps go one way, and three rounds moved by more than 41 % and by more
than twice what demand moved. Source: the price bots of 2011, 0.9983 x and 1.27059 x the other's price. The fingerprint is the knobs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

from models.configuration import Thrashing
from models.domain import Domain
from models.episodes import Piece, Sighting, subject_of
from models.events import Action, ref
from models.explain import change, list_names, told
from models.findings import CausalEdge, Root
from models.graph import Link, Node
from models.values import number

STEPS = 6  # each against the one two before: three rounds
LEAST = 0.05  # mean step, ln units
WIDEST = 700.0  # ln units; e to more than that is no float: from the least to the largest float it is 1,435
STEEP = math.log(10.0)  # a move of three rounds that scores 1


def seen(node: Node, domain: Domain, settings: Thrashing) -> Iterable[Sighting]:
    """A sighting where this write is the latest of at least three rounds of escalation."""
    if not any([link.cause.parents for link in node.parents]):
        return  # no ladder: most reactions answer something that nobody's write led to
    links = _ladder(node, node.event.time - domain.settings.window)
    if len(links) < STEPS + 1:
        return
    writes = [node.event, *(link.cause.event for link in links)][::-1]
    rungs = [write for write in writes if isinstance(write, Action)]
    values = [math.log(number(write.new) or 1.0) for write in rungs]
    steps = [later - earlier for earlier, later in zip(values, values[2:], strict=False)]
    mean = sum(steps) / len(steps)
    spread = sum((step - mean) ** 2 for step in steps) / len(steps)
    move = abs(values[-1] - values[-1 - STEPS])
    one_way = all(step * mean > 0 for step in steps)
    if not one_way or abs(mean) <= max(LEAST, 2.0 * math.sqrt(spread / STEPS)) or move <= math.log(settings.ratchet_move):
        return
    edge = rungs[-1].time - domain.settings.memory
    if domain.demand.drivers(rungs, edge).span(rungs[0].time, rungs[-1].time) * 2.0 >= move:
        return
    yield _sighting(rungs, links, mean, move, settings)


def _ladder(node: Node, edge: int) -> list[Link]:
    """The links from this write back, newest first: two agents in turn, each on its own knob, numbers above zero. A write before `edge`
    (ns) is the last: the graph knows no causes of what has left its window."""
    links: list[Link] = []
    places: list[tuple[str, str, str]] = []
    here = node
    while len(links) <= STEPS:
        place = _place(here)
        if place is None or (len(places) >= 2 and places[-2] != place) or (places and _alike(places[-1], place)):
            return links[:-1]
        places.append(place)
        parents = here.parents if here.event.time >= edge else ()
        link = next((link for link in parents if _place(link.cause) is not None), None)
        if link is None:
            return links
        links.append(link)
        here = link.cause
    return links[: STEPS + 1]


def _alike(one: tuple[str, str, str], other: tuple[str, str, str]) -> bool:
    return one[0] == other[0] or one[1:] == other[1:]  # a staircase on one knob is no ratchet, however many climb it


def _place(node: Node) -> tuple[str, str, str] | None:
    event = node.event
    if not isinstance(event, Action) or event.outcome != "applied" or (number(event.new) or 0.0) <= 0.0:
        return None
    return (event.agent, event.resource, event.parameter)


def _sighting(rungs: list[Action], links: list[Link], mean: float, move: float, settings: Thrashing) -> Sighting:
    event = rungs[-1]
    knobs = sorted({(write.resource, write.parameter) for write in rungs})
    agents = tuple(sorted({write.agent for write in rungs}))
    path = math.prod(link.probability for link in links) ** (1.0 / len(links))
    shown = " and ".join(f"{resource} {parameter}" for resource, parameter in knobs)
    points = min(1.0, move / STEEP)
    return Sighting(
        pattern="thrashing",
        kind="ratchet",
        subject=subject_of("ratchet", *(name for knob in knobs for name in knob)),
        pieces=tuple(Piece(write, "escalation", change(write), told(write)) for write in rungs),
        counts="steps",
        counted=("escalation",),
        title=f"{list_names(agents)} drive each other {'up' if mean > 0 else 'down'} on {shown}",
        agents=agents,
        resources=tuple(sorted({resource for resource, _ in knobs})),
        parameters=tuple(sorted({parameter for _, parameter in knobs})),
        roots=(Root(ref(rungs[0]), rungs[0].resource, rungs[0].agent, round(path, 6)),),
        edges=tuple(
            CausalEdge(
                ref(earlier),
                ref(later),
                "explicit" if link.relation == "explicit" else "reads",
                link.probability,
                round((later.time - earlier.time) / 1e9, 3),
            )
            for (earlier, later), link in zip(pairwise(rungs), links[::-1], strict=True)
        ),
        severity="error" if points >= 0.4 else "warning",
        score=points,
        confidence=path,
        basis="cited",
        metrics={"round_ratio": math.exp(mean), "three_rounds": math.exp(min(move, WIDEST))},
        ends=event.time + max(settings.hold, 3 * (event.time - rungs[-3].time)),
    )
