"""The scenarios that come with the program, and those in files of one's own: found by name, read, run in every arrangement."""

from __future__ import annotations

import tempfile
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from models.configuration import Analysis
from models.findings import Change, Quality, encode_finding
from models.scenarios import ARRANGEMENTS, Outcome, Scenario, judge, play, read_scenario
from streams.settings_file import SettingsError, load
from streams.sources.traces import SUFFIX

PACKAGE = "scenarios"


class Unreadable(Exception):
    """There is no such scenario, or its text is wrong. One line: what, where."""


class Played(msgspec.Struct, frozen=True):
    """A scenario that has been run: every revision, what became of its expectations, and the arrangements that gave other findings."""

    scenario: Scenario
    changes: tuple[Change, ...]
    outcomes: tuple[Outcome, ...]
    differing: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """All expectations, in every arrangement."""
        return not self.differing and all(outcome.holds for outcome in self.outcomes)


def names() -> list[str]:
    """The names of all that come with the program, folder by folder."""
    return [name for name, _ in _shelf()]


def scenario(name: str) -> Scenario:
    """By its name, with or without its folder, or by the path of a file. Raises Unreadable."""
    if name.endswith(SUFFIX):
        try:
            return _read(Path(name).name.removesuffix(SUFFIX), Path(name).read_text(encoding="utf-8"), name)
        except (OSError, UnicodeDecodeError) as error:
            raise Unreadable(f"{name}: {getattr(error, 'strerror', None) or 'not text'}") from error
    for full, file in _shelf():
        if name in (full, full.rpartition("/")[2]):
            return _read(full, file.read_text(encoding="utf-8"), full)
    raise Unreadable(f"there is no scenario {name!r}; interplay scenario list names them all, and a file's name ends in {SUFFIX}")


def settings(scenario: Scenario) -> Analysis:
    """The defaults, with what the scenario sets. Raises Unreadable."""
    if not scenario.settings:
        return Analysis()
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".toml", prefix="scenario-") as file:
        file.write(scenario.settings)
        file.flush()
        try:
            return load(file.name, {}).settings.analysis
        except SettingsError as error:
            told = "; ".join(error.mistakes).replace(f"{file.name}: ", "")
            raise Unreadable(f"{scenario.name}: its settings: {told}") from error


def run(scenario: Scenario) -> Played:
    """In every arrangement; the streamed one is judged. Raises Unreadable."""
    analysis = settings(scenario)
    played = {name: play(scenario.events, analysis, name) for name in ARRANGEMENTS}
    told = {name: [_comparable(change) for change in changes] for name, changes in played.items()}
    differing = tuple(name for name in ARRANGEMENTS if told[name] != told["streamed"])
    streamed = played["streamed"]
    return Played(scenario, tuple(streamed), tuple(judge(scenario.expectations, streamed)), differing)


def _comparable(change: Change) -> bytes:
    """A revision without `quality`, which tells how the data came."""
    return encode_finding(msgspec.structs.replace(change.finding, quality=Quality()))


def _shelf() -> list[tuple[str, Traversable]]:
    """FOLDER/NAME with the file, sorted."""
    found = [
        (f"{folder.name}/{file.name.removesuffix(SUFFIX)}", file)
        for folder in files(PACKAGE).iterdir()
        if folder.is_dir()
        for file in folder.iterdir()
        if file.name.endswith(SUFFIX)
    ]
    return sorted(found, key=lambda entry: entry[0])


def _read(name: str, text: str, where: str) -> Scenario:
    try:
        return read_scenario(name, text)
    except ValueError as error:
        raise Unreadable(f"{where}: {error}") from error
