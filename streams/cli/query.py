"""`interplay query SQL`: asks the store, a ClickHouse server or the embedded one, read-only."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser

from streams.cli.command import OK, Command, Context
from streams.demo import SETTINGS as DEMO_SETTINGS
from streams.settings import Settings
from streams.settings_file import load
from streams.terminal import table

_FILES = {"csv": "CSVWithNames", "tsv": "TabSeparatedWithNames"}  # as ClickHouse writes them


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("sql", metavar="SQL", help="a SELECT; - reads it from standard input")
    parser.add_argument("--format", choices=("text", "json", *_FILES), default="text", help="text: a table; json: one row per line")


def _run(context: Context) -> int:
    from streams.store import query, raw  # only here: the store's client takes its time to import

    sql = sys.stdin.read() if context.arguments.sql == "-" else context.arguments.sql
    if context.arguments.format in _FILES:
        context.out.say(raw(_settings(context), sql, _FILES[context.arguments.format]).decode("utf-8", "replace").rstrip("\n"))
        return OK
    names, rows = query(_settings(context), sql)
    if context.arguments.format == "json":
        for row in rows:
            context.out.say(json.dumps(dict(zip(names, row, strict=True)), default=str))
        return OK
    context.out.say(table(names, [tuple(str(value) for value in row) for row in rows]))
    context.err.say(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}")
    return OK


def _settings(context: Context) -> Settings:
    """The settings; where nobody has set anything, those of the store that the demo left here, if it did."""
    loaded = context.loaded()
    if set(loaded.origins.values()) == {"default"} and DEMO_SETTINGS.exists():
        context.err.say(f"(the demo's store: --config {DEMO_SETTINGS})")
        return load(str(DEMO_SETTINGS), {}).settings
    return loaded.settings


COMMAND = Command(
    name="query",
    summary="ask the store in SQL",
    details="Tables and their columns: SHOW TABLES, DESCRIBE findings. Times are UTC. After a demo, its store answers.",
    examples=(
        'interplay query "SELECT started_at, title FROM findings ORDER BY started_at DESC LIMIT 10"',
        "interplay query --format json - < question.sql",
    ),
    exits="0 answered; 2 the store is away, or the SQL is wrong",
    run=_run,
    arguments=_arguments,
)
