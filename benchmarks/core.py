"""Core events per second, cost at ten times everything, and bytes per live event: `python benchmarks/core.py` (`make bench`).

The events are made from `mix.toml` (seeded), encoded as the signals topic has them, and fed to one `Analyzer`. The floor is decoding alone.
"""

from __future__ import annotations

import gc
import platform
import random
import subprocess
import sys
import time
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from models.analyzer import Analyzer
from models.events import Action, Event, Read, Tick, Transition, Why, decode_signal, encode_signal
from models.instants import SECOND

BEGIN = 1_760_000_000 * SECOND
SEED = 20261124
BATCH = 2000  # events between ticks


class Mix:
    """A deterministic stream of events."""

    def __init__(
        self, mix: dict[str, object], scale_agents: int = 1, scale_resources: int = 1, rate: float | None = None, ramp: str = "ramp"
    ) -> None:
        self.rng = random.Random(SEED)
        self.agents = int(mix["agents"]) * scale_agents  # type: ignore[call-overload]
        self.resources = int(mix["resources"]) * scale_resources  # type: ignore[call-overload]
        self.rate = rate or float(mix["rate_per_s"])  # type: ignore[arg-type]
        self.mix = mix
        self.steps, self.factor = int(mix[ramp]["steps"]), float(mix[ramp]["factor"])  # type: ignore[index]
        self.value: dict[int, object] = {}
        self.step: dict[int, int] = {}
        self.recent: list[Event] = []

    def event(self, i: int) -> Event:
        rng, mix = self.rng, self.mix
        at = BEGIN + int(i / self.rate * SECOND)
        knob = rng.randrange(self.resources)
        resource = f"k8s/prod/team-{knob % 40}/deployment/service-{knob}"
        if rng.random() < mix["events_share"]["transition"]:  # type: ignore[index]
            return Transition(
                time=at, source="prometheus/0", id=f"t{i}", resource=resource, metric="health", before="ok", after="slow"
            )
        kind = knob / self.resources
        step = self.step[knob] = self.step.get(knob, -1) + 1
        old = self.value.get(knob, 10)
        who = (knob * 7) % self.agents
        new: object
        if kind < mix["knobs"]["fight"]:  # type: ignore[index]
            new, who = (20, who) if step % 2 == 0 else (10, (who + 1) % self.agents)
        elif kind < mix["knobs"]["fight"] + mix["knobs"]["deploy"]:  # type: ignore[index]
            old, new = (f"sha-{step - 1:x}-{knob:x}", f"sha-{step:x}-{knob:x}")
        else:
            place = step % (2 * self.steps)
            new = round(10 * self.factor ** min(place, 2 * self.steps - place), 3)
        self.value[knob] = new
        links: dict[str, object] = {}
        draw = rng.random()
        cause = rng.choice(self.recent) if self.recent else None
        if cause is not None and draw < mix["links"]["explicit"]:  # type: ignore[index]
            links["causes"] = (cause.id,)
        elif isinstance(cause, Action) and draw < mix["links"]["explicit"] + mix["links"]["reads"]:  # type: ignore[index]
            links["reads"] = (Read(cause.resource, cause.parameter, cause.new, cause.time),)
        event = Action(
            time=at, source=f"agents/agent-{who}/pod-0", id=f"a{i}", resource=resource, agent=f"agent-{who}", verb="set",
            parameter="replicas", old=old, new=new, version=step, why=Why(rule="p95_latency_ms > 300"), **links,  # type: ignore[arg-type]
        )  # fmt: skip
        self.recent = [*self.recent[-49:], event]
        return event


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def run(events: int, mix: Mix, settle: int) -> tuple[float, float, int, int, int]:
    """(events/s of the core, of decoding alone, live events, bytes per live event, revisions), measured after `settle` events."""
    raws = [encode_signal(mix.event(i)) for i in range(events)]  # type: ignore[arg-type]
    began = time.process_time()
    for raw in raws:
        decode_signal(raw)
    floor = time.process_time() - began
    gc.collect()
    before = resident()
    analyzer, changes, began = Analyzer(), 0, time.process_time()
    for i, raw in enumerate(raws):
        if i == settle:
            began = time.process_time()
        signal = decode_signal(raw)
        analyzer.feed(signal)
        if i % BATCH == BATCH - 1:
            tick = Tick(partition="file/0", watermark=BEGIN + int(i / mix.rate * SECOND), mode="live")
            changes += len(analyzer.feed(tick))
    took = time.process_time() - began
    live = len(analyzer.domain("default").memory)
    return (events - settle) / took, events / floor, live, (resident() - before) // max(live, 1), changes


def main() -> None:
    gc.set_threshold(100_000, 50, 100)
    mix = tomllib.loads((Path(__file__).parent / "mix.toml").read_text())
    if len(sys.argv) > 1:  # one case, in a process of its own so that memory is its own
        agents, resources, rate, events, settle = (float(v) for v in sys.argv[1:6])
        figures = run(int(events), Mix(mix, int(agents), int(resources), rate, *sys.argv[6:]), int(settle))
        print(*figures)
        return
    n = int(mix["events"])
    rate = float(mix["rate_per_s"])
    cases = (
        ("the mix", 1, 1, rate, n),
        ("10x agents", 10, 1, rate, n),
        ("10x resources", 1, 10, rate, n),
        ("1/10 live events (window and rate)", 1, 1, rate / 10, n // 4),
        ("every ramp hunts", 1, 1, rate, n, "hunting"),
    )
    print(
        f"core, CPU time of one process; seed {SEED}; CPython {platform.python_version()}, {platform.machine()}; {n} events of mix.toml"
    )
    print(f"{'case':<36}{'events/s':>10}{'µs each':>9}{'decode only':>13}{'live':>9}{'B/live':>8}{'revisions':>11}")
    for name, agents, resources, case_rate, events, *ramp in cases:
        out = subprocess.run(
            [sys.executable, __file__, *(str(v) for v in (agents, resources, case_rate, events, events // 3, *ramp))],
            check=True, capture_output=True, text=True,
        ).stdout.split()  # fmt: skip
        speed, floor, live, size, revisions = (float(v) for v in out)
        print(f"{name:<36}{speed:>10,.0f}{1e6 / speed:>9.1f}{floor:>13,.0f}{live:>9,.0f}{size:>8,.0f}{revisions:>11,.0f}")


if __name__ == "__main__":
    main()
