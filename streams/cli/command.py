"""What a command of the program is, and what it is given."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from streams.settings import Settings
from streams.settings_file import Loaded, load
from streams.terminal import Terminal

OK, FOUND, CANNOT = 0, 1, 2  # exit codes: as asked; something was found or is wrong; bad usage, unreadable input, something is away


class Trouble(Exception):
    """Something that the user can put right. Its text is one line: what, where, what to do."""


@dataclass(frozen=True)
class Context:
    """What a running command works with: its arguments, its two streams, and the environment."""

    arguments: Namespace
    out: Terminal
    err: Terminal
    environment: Mapping[str, str]

    def loaded(self) -> Loaded:
        """The settings with their origins. Raises SettingsError."""
        return load(self.arguments.config, self.environment)

    def settings(self) -> Settings:
        """The settings. Raises SettingsError."""
        return self.loaded().settings


@dataclass(frozen=True)
class Command:
    """One command: its name, its help, its arguments, and what it does (the answer is the exit code). `logs`: it writes a log."""

    name: str
    summary: str
    details: str
    examples: tuple[str, ...]
    exits: str
    run: Callable[[Context], int]
    arguments: Callable[[ArgumentParser], None] = lambda parser: None
    logs: bool = False


def everywhere() -> ArgumentParser:
    """The options of every command, as a parent: those of a command within a command (`map test`) take them in the same place."""
    shared = ArgumentParser(add_help=False)
    group = shared.add_argument_group("everywhere")
    group.add_argument("--config", metavar="FILE", default=SUPPRESS, help="settings (TOML); see docs/configuration.md")
    group.add_argument("--debug", action="store_true", default=SUPPRESS, help="show the traceback of an error")
    return shared


def program_version() -> str:
    """The version of the installed program."""
    try:
        return version("interplay")
    except PackageNotFoundError:
        return "(not installed)"
