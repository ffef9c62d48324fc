"""`interplay init`: creates the Kafka topics and the ClickHouse schema, and checks what is there already."""

from __future__ import annotations

import asyncio

from streams.cli.command import OK, Command, Context


def _run(context: Context) -> int:
    from streams.store import init_store  # only here: the store's client takes its time to import
    from streams.topics import init_topics

    settings = context.settings()
    told: list[str] = []
    try:
        asyncio.run(init_topics(settings, told))
    finally:  # where it refuses, too: what was created stays
        for line in told:
            context.out.say(line)
    for line in init_store(settings):
        context.out.say(line)
    return OK


COMMAND = Command(
    name="init",
    summary="create or migrate the Kafka topics and the ClickHouse schema",
    details="""\
Safe to repeat: what exists is checked (partition counts, retention, compaction), never changed or deleted. To add partitions
to a source topic, let the workers drain, add them with Kafka's own tools, run init, and start the workers again.""",
    examples=("interplay init", "INTERPLAY_TOPICS__REPLICATION=3 interplay init --config production.toml"),
    exits="0 all is as it must be; 2 something is away, or cannot work as it is",
    run=_run,
)
