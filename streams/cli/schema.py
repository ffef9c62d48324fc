"""`interplay schema`: the JSON Schemas of events and findings, for producers and consumers in any language."""

from __future__ import annotations

import json
from argparse import ArgumentParser

from streams.cli.command import OK, Command, Context

NAMES = ("event", "finding")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", choices=NAMES, help="only this one; without a name: both, as one JSON object by name")


def _run(context: Context) -> int:
    from models.schemas import event_schema, finding_schema  # only here: they are generated when asked for

    schemas = {"event": event_schema, "finding": finding_schema}
    name = context.arguments.name
    document = schemas[name]() if name else {each: make() for each, make in schemas.items()}
    context.out.say(json.dumps(document, indent=2))
    return OK


COMMAND = Command(
    name="schema",
    summary="print the JSON Schemas of events and findings",
    details="Generated from the types that the analyzer decodes into.",
    examples=("interplay schema", "interplay schema finding > finding.schema.json"),
    exits="0 printed; 2 bad usage",
    run=_run,
    arguments=_arguments,
)
