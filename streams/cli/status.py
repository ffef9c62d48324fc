"""`interplay status`: is it healthy, is it blind, and why did it find nothing?"""

from __future__ import annotations

import asyncio
import time

from streams.cli.command import CANNOT, FOUND, OK, Command, Context
from streams.status.telling import blind_spots, knowns, tables, wrongs


def _run(context: Context) -> int:
    from streams.status.reading import read_report  # only here: Kafka's client takes its time to import

    settings, out = context.settings(), context.out
    report = asyncio.run(read_report(settings, time.time_ns()))
    wrong, blind = wrongs(report, settings.analysis.time), blind_spots(report)
    if wrong:
        head = out.paint("Something is wrong.", "red")
    elif report.troubles:
        head = out.paint("Not everything can be told.", "yellow")
    elif blind:
        head = out.paint("Healthy, with a blind spot.", "yellow")
    else:
        head = out.paint("Healthy.", "green")
    out.say(head)
    for sentence in (*wrong, *report.troubles, *blind):
        out.say(out.wrap(sentence, "  "))
    for sentence in knowns(report):
        out.say(out.wrap(sentence))
    for text in tables(report):
        out.say("\n" + text)
    return FOUND if wrong else CANNOT if report.troubles else OK


COMMAND = Command(
    name="status",
    summary="tell whether it works, whether it is blind, and why it found nothing",
    details="""\
Reads everything from Kafka, so it needs no worker: lag of each role, what holds the watermark, what share of the actions carries
old values, reads and causes, open findings, dead letters, late events.""",
    examples=("interplay status", "interplay status --config production.toml || page-somebody"),
    exits="0 healthy, or with a blind spot, which is told; 1 something is wrong; 2 it cannot be told, as when Kafka is away",
    run=_run,
)
