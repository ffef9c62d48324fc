"""The SDK's pytest plugin, run by pytest itself on tests of agents, with the installed program."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parent.parent

FIGHT = """
import itertools

def fight(recorder, resource="db/orders"):
    clock = itertools.count(1_800_000_000_000_000_000, 30_000_000_000).__next__
    up, down = recorder("perf-scaler", clock=clock), recorder("cost-optimizer", clock=clock)
    for _ in range(5):
        up.act("scale", resource, "replicas", old=8, new=16)
        down.act("scale", resource, "replicas", old=16, new=8)
"""


@pytest.fixture
def outer(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with the plugin, without the settings of whoever runs these tests."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'sdk' / 'src'}")
    monkeypatch.delenv("INTERPLAY_CONFIG", raising=False)
    return pytester


def run(outer: pytest.Pytester, test: str, *options: str) -> pytest.RunResult:
    outer.makepyfile(FIGHT + test)
    # by module and not by entry point, so that it is this tree's plugin, whether or not the SDK is installed
    return outer.runpytest_subprocess("-p", "no:interplay", "-p", "interplay_sdk.pytest_plugin", "-p", "no:cacheprovider", *options)


def test_agents_that_fight_fail_the_test_with_the_findings_sentences(outer: pytest.Pytester) -> None:
    done = run(outer, "def test_settle(interplay_recorder):\n    fight(interplay_recorder)\n")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "error thrashing/sustained: cost-optimizer and perf-scaler fight over db/orders replicas*",
            "*perf-scaler raised db/orders replicas 8 -> 16*",
            "Fails: --fail-on any:warning matches 1 finding.",
            "(the events: */interplay-events.jsonl)",
        ]
    )
    assert "interplay_sdk" not in done.stdout.str()  # no traceback through the plugin


def test_agents_that_do_not_fight_pass(outer: pytest.Pytester) -> None:
    test = 'def test_calm(interplay_recorder):\n    interplay_recorder("a").act("scale", "db", "replicas", old=1, new=2)\n'
    run(outer, test).assert_outcomes(passed=1)


def test_rules_come_from_marker_option_and_ini_in_this_order(outer: pytest.Pytester) -> None:
    test = """
import pytest

def test_plain(interplay_recorder):
    fight(interplay_recorder)

@pytest.mark.interplay(fail_on="cascade")
def test_marked(interplay_recorder):
    fight(interplay_recorder)

@pytest.mark.interplay(fail_on=[])
def test_looks_itself(interplay_recorder):
    fight(interplay_recorder)
    (finding,) = interplay_recorder.findings()
    assert finding["kind"] == "sustained"
"""
    outer.makeini("[pytest]\ninterplay_fail_on = intent_conflict thrashing:critical\n")
    run(outer, test, "--strict-markers").assert_outcomes(passed=3)
    run(outer, test, "--interplay-fail-on", "thrashing").assert_outcomes(passed=2, failed=1)


def test_a_waiver_of_the_projects_settings_lets_it_pass(outer: pytest.Pytester) -> None:
    waiver = """
[[waiver]]
pattern = "thrashing"
agents = ["perf-scaler", "cost-optimizer"]
resource = "db/*"
owner = "me"
reason = "a drill"
expires = 2100-01-01
"""
    outer.makefile(".toml", interplay=waiver)  # found in the root directory, as the program finds it
    test = "def test_meant(interplay_recorder):\n    fight(interplay_recorder)\n"
    run(outer, test).assert_outcomes(passed=1)
    outer.makefile(".toml", other="[kafka]\n")
    run(outer, test, "--interplay-config", "other.toml").assert_outcomes(failed=1)


def test_what_cannot_be_analysed_fails_in_one_line(outer: pytest.Pytester) -> None:
    silent = run(outer, "def test_silent(interplay_recorder):\n    pass\n")
    silent.assert_outcomes(failed=1)
    silent.stdout.fnmatch_lines(["interplay_recorder: no event was recorded; *"])
    missing = run(outer, "def test_it(interplay_recorder):\n    fight(interplay_recorder)\n", "-o", "interplay_command=/nowhere/x")
    missing.assert_outcomes(failed=1)
    missing.stdout.fnmatch_lines(["interplay_recorder: /nowhere/x cannot be run: No such file or directory; install it *"])
    wrong = run(outer, "def test_it(interplay_recorder):\n    fight(interplay_recorder)\n", "--interplay-fail-on", "trashing")
    wrong.assert_outcomes(failed=1)
    wrong.stdout.fnmatch_lines(["interplay_recorder: *no pattern 'trashing'; choose from any, thrashing, *"])


def test_an_event_that_is_refused_fails_the_test(outer: pytest.Pytester) -> None:
    test = """
def test_calm(interplay_recorder):
    interplay_recorder("a").act("scale", "db", "replicas", old=1, new=2)
    with open(interplay_recorder.path, "a") as file:
        file.write("junk\\n")
"""
    done = run(outer, test)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["interplay_recorder: */interplay-events.jsonl:2: *"])


def test_without_the_program_one_line_says_so(outer: pytest.Pytester) -> None:
    outer.makeconftest("import sys\nsys.executable = '/nowhere/python'\n")
    outer._monkeypatch.setenv("PATH", "/nowhere")
    done = run(outer, "def test_it(interplay_recorder):\n    fight(interplay_recorder)\n")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(
        ["interplay_recorder: the program interplay is neither beside /nowhere/python nor on PATH; install it *"]
    )


def test_a_test_that_fails_by_itself_says_where_the_events_are(outer: pytest.Pytester) -> None:
    done = run(outer, "def test_it(interplay_recorder):\n    fight(interplay_recorder)\n    assert 1 == 2\n")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*assert 1 == 2", "what the agents recorded: */interplay-events.jsonl"])
    done.stdout.no_fnmatch_line("*Fails: --fail-on*")


def test_pytest_finds_it_and_agents_do_not_need_pytest() -> None:
    project = tomllib.loads((ROOT / "sdk" / "pyproject.toml").read_text())["project"]
    module = import_module(project["entry-points"]["pytest11"]["interplay"])
    assert callable(module.pytest_addoption)
    assert not any(dependency.startswith("pytest") for dependency in project["dependencies"])
    code = "import sys, interplay_sdk; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT / "sdk" / "src").returncode == 0
