"""`interplay config`: the effective settings and where each came from; secrets are masked."""

from __future__ import annotations

from argparse import ArgumentParser

from streams.cli.command import OK, Command, Context
from streams.settings_file.reference import page
from streams.settings_file.tables import written_tables
from streams.settings_file.values import FORMS, lookup, written


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--changed", action="store_true", help="only what differs from the defaults")
    parser.add_argument(
        "--reference", action="store_true", help="print docs/configuration.md: every key, type, default and meaning"
    )


def _run(context: Context) -> int:
    if context.arguments.reference:
        context.out.say(page().rstrip())
        return OK
    loaded = context.loaded()
    table = ""
    for name in FORMS:
        origin = loaded.origins[name]
        if context.arguments.changed and origin == "default":
            continue
        section, key = name.rsplit(".", 1)
        if section != table:
            context.out.say(("\n" if table else "") + context.out.paint(f"[{section}]", "bold"))
            table = section
        line = f"{key} = {written(name, lookup(loaded.settings, name))}"
        context.out.say(f"{line:<44} {context.out.paint(f'# {origin}', 'dim')}")
    for table in written_tables(loaded.settings):
        context.out.say("\n" + table)
    return OK


COMMAND = Command(
    name="config",
    summary="print the effective settings and where each came from",
    details="The output is TOML that the program reads back, except for masked secrets.",
    examples=("interplay config", "INTERPLAY_ANALYSIS__WINDOW=10m interplay config --changed"),
    exits="0 printed; 2 a mistake in the settings: each is told in one line",
    run=_run,
    arguments=_arguments,
)
