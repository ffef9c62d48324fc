"""`interplay worker [ROLE...]`: the Faust workers, one process per role."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError

from streams.cli.command import Command, Context
from streams.settings import ROLES, Role


def role(text: str) -> Role:
    """The role of that name. Raises ArgumentTypeError with the choices."""
    for known in ROLES:
        if known == text:
            return known
    raise ArgumentTypeError(f"no role {text!r}; choose from {', '.join(ROLES)}")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("roles", metavar="ROLE", nargs="*", type=role, help=f"{', '.join(ROLES)}; all of them where none is named")


def _run(context: Context) -> int:
    from streams.worker import run_roles  # only here: Faust takes half a second to import

    settings = context.settings()
    return run_roles(settings, context.arguments.roles or ROLES)


COMMAND = Command(
    name="worker",
    summary="run the workers: reduce, analyze, store and alert, or some of them",
    details="""\
Each role is a process and a consumer group of its own; start several of a role, on any machines, and they share its partitions.
SIGTERM and Ctrl-C end them cleanly. Run `interplay init` once before.""",
    examples=("interplay worker", "interplay worker reduce", "interplay worker store alert --config production.toml"),
    exits="0 ended when asked; 1 a role gave up and wants to be started again; 2 bad usage, or something is away at the start",
    run=_run,
    arguments=_arguments,
    logs=True,
)
