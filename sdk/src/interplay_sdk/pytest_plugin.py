"""A pytest plugin: a test in which agents fight fails, with the sentences of the finding.

    def test_the_agents_settle(interplay_recorder):
        scaler = Scaler(interplay_recorder("perf-scaler"))
        saver = Saver(interplay_recorder("cost-optimizer"))
        simulate(scaler, saver)

The fixture gives recorders whose events go to one file. When the test has passed, the installed program `interplay` analyses the file,
and what `interplay_fail_on` matches fails the test, unless a waiver covers it. pytest loads this module by itself (entry point pytest11);
nothing else of the SDK imports it, so agents do not need pytest.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from interplay_sdk.recorder import Recorder
from interplay_sdk.sinks import JsonlSink

DEFAULT_FAIL_ON = ("any:warning",)
TIMEOUT_S = 120.0
_INSTALL = "install it beside pytest or with pipx, or say in the setting interplay_command how to run it"


class RecordedTest:
    """What the fixture `interplay_recorder` is: call it for a recorder, and give `sink` or `path` to what makes its own."""

    def __init__(self, path: Path, command: list[str], fail_on: tuple[str, ...], config: str, directory: Path) -> None:
        self.path = path
        self.sink = JsonlSink(path)
        self._command = command
        self._fail_on = fail_on
        self._config = config
        self._directory = directory

    def __call__(self, agent: str, **more: Any) -> Recorder:
        """A recorder of one agent; `more` is what `Recorder` takes, such as `clock` for tests that run faster than their world."""
        return Recorder(agent, self.sink, **more)

    def findings(self) -> list[dict[str, Any]]:
        """The findings in what has been recorded so far, as the contract has them, for tests that look at them."""
        done = self._analyze("--format", "json")
        if done.returncode != 0:
            pytest.fail(f"interplay_recorder: {_last_line(done.stderr)}", pytrace=False)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def objection(self) -> str:
        """Why the test fails: the program's own words; "" where nothing matches."""
        if not self.path.exists() or not self.path.stat().st_size:
            return (
                "interplay_recorder: no event was recorded; give the agents interplay_recorder(...), or do not ask for the fixture"
            )
        done = self._analyze("--strict", *(part for rule in self._fail_on for part in ("--fail-on", rule)))
        if done.returncode == 0:
            return ""
        if done.returncode == 1:
            return done.stdout.rstrip() + f"\n(the events: {self.path})"
        return f"interplay_recorder: {_last_line(done.stderr)}"

    def _analyze(self, *options: str) -> subprocess.CompletedProcess[str]:
        config = ["--config", self._config] if self._config else []
        command = [*self._command, "analyze", str(self.path), *config, *options]
        try:
            return subprocess.run(
                command, cwd=self._directory, capture_output=True, encoding="utf-8", errors="replace", timeout=TIMEOUT_S
            )
        except subprocess.TimeoutExpired:
            pytest.fail(f"interplay_recorder: the analysis of {self.path} took more than {TIMEOUT_S:.0f} s", pytrace=False)
        except OSError as error:
            pytest.fail(f"interplay_recorder: {command[0]} cannot be run: {error.strerror}; {_INSTALL}", pytrace=False)


_RECORDED = pytest.StashKey[RecordedTest]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The settings, of which the first two are options as well."""
    group = parser.getgroup("interplay", "interplay: tests in which agents fight fail")
    what = "what fails a test, as in `interplay analyze --fail-on`; default: any:warning"
    group.addoption("--interplay-fail-on", action="append", metavar="PATTERN[:SEVERITY]", help=f"{what}; may be repeated")
    group.addoption("--interplay-config", metavar="FILE", help="settings and waivers (TOML), as in `interplay analyze --config`")
    parser.addini("interplay_fail_on", f"{what}; separated by spaces", type="args", default=list(DEFAULT_FAIL_ON))
    parser.addini("interplay_config", "settings and waivers (TOML), relative to the root directory", default="")
    parser.addini("interplay_command", "how to run the program, if not as `interplay`", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Names the marker."""
    config.addinivalue_line(
        "markers", "interplay(fail_on=..., config=...): other rules for this test; fail_on is one or a list, and [] fails nothing"
    )


@pytest.fixture
def interplay_recorder(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[RecordedTest]:
    """Recorders for the agents of this test; what they record is analysed when the test has passed."""
    config = request.config
    marker = request.node.get_closest_marker("interplay")
    told: dict[str, Any] = marker.kwargs if marker is not None else {}
    fail_on = told.get("fail_on", config.getoption("interplay_fail_on") or config.getini("interplay_fail_on"))
    settings = told.get("config") or config.getoption("interplay_config") or config.getini("interplay_config")
    recorded = RecordedTest(
        path=tmp_path / "interplay-events.jsonl",
        command=_command(config),
        fail_on=(fail_on,) if isinstance(fail_on, str) else tuple(fail_on),
        config=str(settings),
        directory=config.rootpath,
    )
    request.node.stash[_RECORDED] = recorded
    yield recorded
    recorded.sink.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Around the test itself, so that a finding is a failure of the test and not an error after it."""
    try:
        result = yield
    except (Exception, pytest.fail.Exception):
        recorded = item.stash.get(_RECORDED, None)
        if recorded is not None and recorded.path.exists():
            item.add_report_section("call", "interplay", f"what the agents recorded: {recorded.path}")
        raise
    recorded = item.stash.get(_RECORDED, None)
    objection = recorded.objection() if recorded is not None else ""
    if objection:
        pytest.fail(objection, pytrace=False)
    return result


def _command(config: pytest.Config) -> list[str]:
    given: list[str] = config.getini("interplay_command")
    if given:
        return given
    found = shutil.which("interplay", path=str(Path(sys.executable).parent)) or shutil.which("interplay")
    if found is None:
        pytest.fail(
            f"interplay_recorder: the program interplay is neither beside {sys.executable} nor on PATH; {_INSTALL}", pytrace=False
        )
    return [found]


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "interplay ended without saying why"
