"""`interplay demo`: broker, topics, store and workers as real processes, the agents in this one, and what is found on the screen.

It ends by itself: when everything that was found has been resolved and the rows are in the store (exit code 0), or with one clear line and
the path of a log (1). Ctrl-C ends it too. Whatever the end, no process and no port is left.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaConsumer
from interplay_sdk import KafkaSink, Recorder

from models.findings import SEVERITIES, Finding, decode_finding
from streams.demo import SETTINGS
from streams.demo.incident import Clock, Incident, Monitor
from streams.demo.parts import DemoFailed, Parts, healthy, plan
from streams.demo.screen import Screen
from streams.settings import ROLES, Settings, topic
from streams.terminal import Terminal, program, table

SEED = 7
FACTOR = 16.0  # simulated seconds to one real second
LIMIT = 66.0  # real seconds that the incident and its resolution may take
CALM = 45.0  # simulated seconds without a deed after which the agents count as calm


class Story(msgspec.Struct):
    """What has happened so far: the newest and the gravest revision of each finding, and when the last deed was (simulated seconds)."""

    findings: dict[str, Finding]
    gravest: dict[str, Finding] = {}
    acted: float = 0.0

    def take(self, finding: Finding) -> None:
        """A newer revision. Of two that are equally severe, the later tells more."""
        self.findings[finding.finding_id] = finding
        worst = self.gravest.get(finding.finding_id, finding)
        if SEVERITIES.index(finding.severity) >= SEVERITIES.index(worst.severity):
            self.gravest[finding.finding_id] = finding

    def over(self, now: float) -> bool:
        """The agents are calm, something was found, and all of it is resolved."""
        found = self.findings.values()
        return bool(found) and now - self.acted > CALM and all(finding.status == "resolved" for finding in found)


def demo(terminal: Terminal, errors: Terminal, directory: Path, seed: int = SEED) -> int:
    """Runs the demo and answers its exit code: 0 when all that was found was resolved and stored, 1 on failure, 130 on Ctrl-C."""
    screen = Screen(terminal, FACTOR)
    directory.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=directory / "agents.log", filemode="w", level=logging.WARNING)  # this process: Kafka's clients
    try:
        asyncio.run(_interruptible(screen, directory, seed))
    except DemoFailed as failure:
        terminal.clear()
        errors.say(f"interplay demo: {failure}")
        return 1
    except (asyncio.CancelledError, KeyboardInterrupt):
        terminal.clear()
        errors.say("interplay demo: interrupted; everything it started has ended")
        return 130
    return 0


async def _interruptible(screen: Screen, directory: Path, seed: int) -> None:
    """The demo as a task that the first SIGINT, SIGTERM or SIGHUP cancels; further ones do not break off the cleaning up (seconds)."""
    task = asyncio.create_task(_demo(screen, directory, seed))
    loop = asyncio.get_running_loop()
    signals: list[int] = []

    def interrupt(number: int) -> None:
        signals.append(number)
        if len(signals) == 1:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, interrupt, number)
    await task


async def _demo(screen: Screen, directory: Path, seed: int) -> None:
    say = screen.terminal.say
    for sentence in (
        "Five agents, on-call, a database and two queues. Demand rises 11 %, one queue's consumers are slow for a while; all else "
        "follows from the agents' own rules (--seed N for another course).",
        f"Accelerated: one second here is {FACTOR:.0f} s there, and every time constant of the analysis is as much shorter.",
        "Times are those of the events (UTC); [in brackets] are minutes:seconds of the simulated system.",
    ):
        say(screen.terminal.wrap(sentence))
    say()
    async with Parts(directory, plan(directory, FACTOR), screen.dot) as parts:
        await _start(screen, parts)
        story = await _live(screen, parts, seed)
        screen.doing("waiting until every row is in the store")
        await parts.until("all findings are in the store", lambda: _stored(parts, story))
        screen.doing("ending the workers and the broker")
    if not await _stored(parts, story):  # by the command that the user is told, now that nobody else has the store open
        raise DemoFailed(f"the store lost rows when the workers ended; log: {directory}/store.log")
    _tell(screen, parts, story)


async def _start(screen: Screen, parts: Parts) -> None:
    """Broker, topics and store, workers; each step is named."""
    settings = parts.settings

    async def workers_up() -> bool:
        ports = range(settings.worker.http_port, settings.worker.http_port + len(ROLES))
        return all([await healthy(settings.worker.http_host, port) for port in ports])

    began = time.monotonic()
    screen.doing("starting an embedded Kafka-compatible broker")
    await parts.start_broker()
    screen.doing("creating topics and the embedded ClickHouse store")
    await parts.interplay("init", "init")
    screen.doing(f"starting the Faust workers {', '.join(ROLES)}")
    for role in ROLES:
        await parts.start(role, *parts.command("worker", role))
    await parts.until("all workers are ready", workers_up)
    screen.done(time.monotonic() - began)


async def _live(screen: Screen, parts: Parts, seed: int) -> Story:
    """The agents act while the findings topic is read. Raises DemoFailed unless all that is found resolves in time."""
    story = Story({})
    reading = asyncio.create_task(_read_findings(screen, parts.settings, story))
    try:
        await _act(screen, parts, seed, story, reading)
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
    still = [finding.title for finding in story.findings.values() if finding.status == "open"]
    if still or not story.findings:
        what = f"still open after {LIMIT:.0f} s: {'; '.join(still)}" if still else f"nothing was found in {LIMIT:.0f} s"
        raise DemoFailed(f"{what}; logs: {parts.directory}/*.log")
    return story


async def _act(screen: Screen, parts: Parts, seed: int, story: Story, reading: asyncio.Task[None]) -> None:
    """Lets simulated seconds pass at their pace until the story is over."""
    settings = parts.settings
    sinks = {name: KafkaSink(settings.kafka.bootstrap, topic=topic(settings, name)) for name in ("events", "telemetry")}
    recorders: list[Recorder] = []
    incident: Incident | None = None

    def recorder(sink: str = "events", **who: str) -> Recorder:
        recorders.append(Recorder(sink=sinks[sink], clock=lambda: incident.stamp() if incident else time.time_ns(), **who))
        return recorders[-1]

    try:
        clock = Clock(time.time_ns(), FACTOR)
        who = {"agent": "monitor", "source": "monitor/1"}
        incident = Incident(seed, clock, recorder, Monitor(recorder("telemetry", **who), recorder(**who)))
        incident.monitor.start()
        screen.doing("the system runs, agents watch it")
        while (time.time_ns() - clock.start) / 1e9 < LIMIT and not story.over(incident.world.now):
            if reading.done():
                reading.result()
            parts.check()
            _advance(screen, incident, story)
            await asyncio.sleep(max(0.0, (clock.at(incident.world.now) - time.time_ns()) / 1e9))
    finally:
        for each in recorders:
            await asyncio.to_thread(each.close, 2.0)


def _advance(screen: Screen, incident: Incident, story: Story) -> None:
    for what in incident.advance():
        story.acted = incident.world.now
        screen.happened(incident.clock.at(incident.world.now), incident.world.now, what)
    if incident.world.now - story.acted > CALM and incident.world.now % FACTOR == 0:
        if incident.world.now - story.acted <= CALM + FACTOR:
            screen.doing("the agents are calm; findings end when nothing more has happened for a while")
        screen.dot()


async def _read_findings(screen: Screen, settings: Settings, story: Story) -> None:
    """Shows every revision on the findings topic, from its beginning."""
    consumer = AIOKafkaConsumer(
        topic(settings, "findings"), bootstrap_servers=settings.kafka.bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=100
    )
    await consumer.start()
    try:
        async for record in consumer:
            if record.value is None:
                continue
            finding = decode_finding(record.value)
            seen = story.findings.get(finding.finding_id)
            if seen is None or finding.revision > seen.revision:  # a worker that starts again may announce a revision twice
                story.take(finding)
                screen.finding(finding)
    finally:
        await consumer.stop()


async def _stored(parts: Parts, story: Story) -> bool:
    """True once the store has the last revision of every finding."""
    rows = await parts.ask(
        "SELECT finding_id, max(revision) AS newest, argMax(status, revision) AS state FROM findings GROUP BY finding_id"
    )
    there = {(row["finding_id"], row["newest"], row["state"]) for row in rows}
    return all((finding.finding_id, finding.revision, finding.status) in there for finding in story.findings.values())


def _tell(screen: Screen, parts: Parts, story: Story) -> None:
    """What was found, and how to ask for it."""
    say, paint = screen.terminal.say, screen.terminal.paint
    findings = sorted(story.gravest.values(), key=lambda finding: finding.started_at)
    head = f"Found, resolved and stored: {len(findings)} findings, here at their gravest. No agent logged an error; all did their jobs."
    say("\n" + paint(screen.terminal.wrap(head), "bold"))
    rows = [(f.pattern, f.kind, f.severity, f.title) for f in findings]
    say(table(("pattern", "kind", "severity", "who and what"), rows, screen.terminal.width))
    where = "" if parts.config == SETTINGS else f"--config {parts.config} "
    interplay = program(sys.argv[0], sys.executable)
    say("\nAsk the store:")
    for sql in (
        "SELECT started_at, pattern, kind, severity, title FROM findings FINAL ORDER BY started_at",
        f"SELECT arrayJoin(explanation) FROM findings FINAL WHERE finding_id = '{findings[0].finding_id}'",
    ):
        say(f'  {interplay} query {where}"{sql}"')
    say(f"Logs of broker and workers: {parts.directory}/*.log")
