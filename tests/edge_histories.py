"""Random histories on a coarse grid of times: writes fall on the very edges of the memory, of the window, of what may be an effect.

Stories that `histories` does not tell: switches that cite states, three queues, very many short lives, steps under demand, sets.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from histories import BEGIN, MEMORY, SETTINGS

from models.detectors.thrashing.states import EFFECT_S
from models.events import Action, Event, Read, Sample, Transition
from models.instants import SECOND

EDGES = (MEMORY, MEMORY // 2, SETTINGS.window, EFFECT_S * SECOND, MEMORY - EFFECT_S * SECOND)
GAPS = (1, 5, 20, 30, 60, 120, EFFECT_S - 1, EFFECT_S, EFFECT_S + 1)


class Story:
    """One domain's events, and the time of the story (ns)."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.now, self.events = rng, BEGIN, list[Event]()
        self.weights, self.size = {"a": 50, "b": 30, "c": 20}, 20.0

    def write(self, agent: str, knob: str, old: object, new: object, delay: int = 0, **more: object) -> None:
        resource, _, parameter = knob.partition(" ")
        self.events.append(
            Action(
                time=self.now + delay, source=f"s/{agent}", id=f"e{len(self.events)}", domain="d", agent=agent, verb="set",
                resource=resource, parameter=parameter, old=old, new=new, **more,  # type: ignore[arg-type]
            )
        )  # fmt: skip

    def state(self, before: str, after: str, ago: int) -> Transition:
        event = Transition(
            time=self.now - ago, source="monitor", id=f"e{len(self.events)}", domain="d", resource="db", metric="health",
            before=before, after=after,
        )  # fmt: skip
        self.events.append(event)
        return event


def switches(story: Story, i: int) -> None:
    rng, sick = story.rng, i % 2 == 0
    ago = rng.choice([0, 1, 5]) * SECOND
    state = story.state(*(("ok", "bad") if sick else ("bad", "ok")), ago)
    more: dict[str, object] = {}
    if rng.random() < 0.8:
        seen = rng.choice([None, story.now, state.time, state.time - 1])
        more["reads"] = (Read(resource="db", metric="health", value=state.after, time=seen),)
    elif rng.random() < 0.5:
        more["causes"] = (state.id,)
    story.write("failover" if sick else "failback", "db primary", *(("a", "b") if sick else ("b", "a")), **more)


def lives(story: Story, i: int) -> None:
    number = (i + 1) // 2 if story.rng.random() < 0.9 else story.rng.randrange(i + 1)
    owner = {"owner": "deployment/x"} if story.rng.random() < 0.95 else {}
    values = (None, "up") if i % 2 else ("up", None)
    story.write(("scheduler", "replicaset")[i % 2], f"pod/x-{number} phase", *values, **owner)


def queues(story: Story, i: int) -> None:
    rng = story.rng
    giver, taker = rng.sample("abc", 2) if rng.random() < 0.3 else ("ab" if i % 2 else "ba")
    before, moved = dict(story.weights), rng.choice([5, 10, 20])
    story.weights[giver] -= moved
    story.weights[taker] += moved
    for queue in rng.sample([giver, taker], 2):
        story.write("router", f"q/{queue} weight", before[queue], story.weights[queue], rng.choice([0, 0, 1]))


def steps(story: Story, i: int) -> None:
    up, before = (i // 4) % 2, story.size
    story.size = max(1.0, round(before * (1.3 if up else 1 / 1.3), 3))
    if story.rng.random() < 0.3:
        load = story.rng.choice([100.0, 103.0, 130.0])
        name = f"e{len(story.events)}"
        story.events.append(
            Sample(time=story.now, source="gw", id=name, domain="d", resource="web", metric="requests", value=load, role="demand")
        )
    story.write("ab"[up], "web replicas", before, story.size)


def members(story: Story, i: int) -> None:
    rng = story.rng
    new = tuple(sorted(rng.sample("abcdef", rng.randint(0, 5)))) if rng.random() < 0.5 else ("a", "b")[: 1 + i % 2]
    reads = (Read(resource="db", metric="health", value="bad", time=story.now),) if rng.random() < 0.3 else ()
    story.write("pq"[i % 2], "lb targets", None, new, reads=reads)


PLAYS: tuple[Callable[[Story, int], None], ...] = (switches, lives, queues, steps, members)


def edges(seed: int) -> list[Event]:
    """A history; equal on every machine."""
    rng = random.Random(f"edges {seed}")
    story = Story(rng)
    for _ in range(rng.randint(1, 4)):
        play, gap = rng.choice(PLAYS), rng.choice(GAPS) * SECOND
        count = rng.choice([6, 12, 30, 90]) if gap <= 30 * SECOND else rng.choice([6, 12])
        jump = rng.randrange(count) if rng.random() < 0.6 else -1
        for i in range(count):
            story.now += gap if rng.random() < 0.9 else rng.choice([0, 2 * gap])
            if i == jump:
                story.now += rng.choice(EDGES) + rng.choice([-1, 0, 0, 0, 1, -gap])
            play(story, i)
    return sorted(story.events, key=lambda event: event.time)
