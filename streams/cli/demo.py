"""`interplay demo`: an incident lived through by small real agents, with everything embedded."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from streams.cli.command import Command, Context
from streams.demo import DIRECTORY


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--directory", metavar="DIR", type=Path, default=DIRECTORY, help=f"store and logs; default {DIRECTORY}")
    parser.add_argument("--seed", metavar="N", type=int, help="another course of the same incident")


def _run(context: Context) -> int:
    from streams.demo.run import SEED, demo  # only here: it brings in the SDK and the embedded broker

    arguments = context.arguments
    return demo(context.out, context.err, arguments.directory, SEED if arguments.seed is None else arguments.seed)


COMMAND = Command(
    name="demo",
    summary="live through an incident on this machine, with everything embedded",
    details="""\
Starts an embedded broker, the workers and an embedded store; agents act on a simulated system, and each finding is told as it opens,
grows and resolves. Ends by itself in about a minute, and leaves the store for `interplay query`.""",
    examples=("interplay demo", 'interplay demo && interplay query "SELECT title, status FROM findings"'),
    exits="0 everything was found, resolved and stored; 1 it was not; 2 bad usage, or a part is not installed; 130 interrupted",
    run=_run,
    arguments=_arguments,
)
