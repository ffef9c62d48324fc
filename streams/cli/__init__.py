"""The program `interplay`: one file per command, listed in COMMANDS. Exit codes: 0 as asked, 1 found or wrong, 2 could not."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from streams.cli import analyze, config, demo, init, maps, query, scenario, schema, status, validate, worker
from streams.cli.command import CANNOT, Command, Context, everywhere, program_version
from streams.cli.trouble import describe
from streams.settings import Settings
from streams.settings_file import SettingsError
from streams.terminal import Terminal

COMMANDS: tuple[Command, ...] = (
    demo.COMMAND,
    init.COMMAND,
    worker.COMMAND,
    status.COMMAND,
    query.COMMAND,
    analyze.COMMAND,
    validate.COMMAND,
    maps.COMMAND,
    scenario.COMMAND,
    schema.COMMAND,
    config.COMMAND,
)

_DETAILS = """\
Finds autonomous agents that each act correctly and together break things: who does what to whom, since when, because of what.

Try it:          interplay demo
On your files:   interplay analyze events.jsonl
On Kafka:        interplay init, then interplay worker, then interplay status
"""
_EXITS = "exit codes: 0 done as asked; 1 something was found or is wrong; 2 bad usage, unreadable input, or something is away"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and answers its exit code; every error is one line on standard error."""
    _open_closed_streams()
    parsed, rest = parser().parse_known_args(arguments, argparse.Namespace(config=None, debug=False))
    if rest:  # by the command's own parser, whose usage is the one that helps
        getattr(parsed, "parser", parser()).error(f"unrecognized arguments: {' '.join(rest)}")
    context = Context(parsed, Terminal(sys.stdout, os.environ), Terminal(sys.stderr, os.environ), os.environ)
    if not hasattr(parsed, "command"):
        parser().print_help(sys.stderr)
        return CANNOT
    command: Command = parsed.command
    if not (command.logs or parsed.debug):
        logging.disable()  # clients log what we say in one line ourselves
    try:
        return command.run(context)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        if parsed.debug:
            traceback.print_exc()
        for line in _lines(error, context):
            context.err.say(f"interplay {command.name}: {line}")
        return CANNOT


def _open_closed_streams() -> None:
    """A standard stream that whoever started us has closed (`>&-`) reads as empty and writes to nowhere: the exit code still counts, and
    its number does not go to the first file or socket that is opened."""
    sys.stdin = sys.stdin or Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 (open as long as the process is)
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _lines(error: Exception, context: Context) -> Sequence[str]:
    if isinstance(error, SettingsError):
        return error.mistakes
    try:
        settings = context.settings()
    except SettingsError:
        settings = Settings()
    return describe(error, settings).splitlines()


def parser() -> argparse.ArgumentParser:
    """The command line: its `command` is one of COMMANDS; none where only the program was named."""
    wide = argparse.RawDescriptionHelpFormatter
    shared = everywhere()
    program = argparse.ArgumentParser("interplay", description=_DETAILS, epilog=_EXITS, formatter_class=wide, parents=[shared])
    program.add_argument("--version", action="version", version=f"interplay {program_version()}")
    commands = program.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        examples = "\n".join(f"  {example}" for example in command.examples)
        child = commands.add_parser(
            command.name,
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.\n\n{command.details}".rstrip(),
            epilog=f"examples:\n{examples}\n\nexit codes: {command.exits}",
            formatter_class=wide,
            parents=[shared],
        )
        command.arguments(child)
        child.set_defaults(command=command, parser=child)
    return program
