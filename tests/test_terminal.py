"""Colour, tables and progress, on a real pseudo-terminal and into a pipe."""

from __future__ import annotations

import io
import os
import pty
import shutil
from pathlib import Path

import pytest

from streams.terminal import Terminal, figure, program, table


class Screen:
    """The far end of a pseudo-terminal."""

    def __init__(self) -> None:
        self._far, near = pty.openpty()
        self.stream = os.fdopen(near, "w")

    def seen(self) -> str:
        """All of it, once: the kernel hands over what is written when it likes, so the end is read for and not a piece."""
        self.stream.close()
        told = b""
        while True:
            try:
                piece = os.read(self._far, 65536)
            except OSError:  # how Linux says that nobody holds the near end
                piece = b""
            if not piece:
                os.close(self._far)
                return told.decode()
            told += piece


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True)],
)
def test_colour_on_a_terminal(environment: dict[str, str], coloured: bool) -> None:
    screen = Screen()
    terminal = Terminal(screen.stream, environment)
    terminal.say(terminal.paint("bad", "red"))
    assert screen.seen() == ("\033[31mbad\033[0m\r\n" if coloured else "bad\r\n")


def test_a_file_gets_plain_unbroken_text_and_no_progress() -> None:
    out = io.StringIO()
    terminal = Terminal(out, {"TERM": "xterm"})
    terminal.progress("1 read")
    terminal.say(terminal.wrap("word " * 100, "  "))
    assert out.getvalue() == "  " + "word " * 99 + "word\n"


def test_progress_is_replaced_by_what_follows() -> None:
    screen = Screen()
    terminal = Terminal(screen.stream, {"TERM": "xterm"})
    terminal.progress("1 read")
    terminal.say("done")
    terminal.say("again")
    assert screen.seen() == "\r\033[2K1 read\r\033[2Kdone\r\nagain\r\n"


def test_lines_fit_the_terminal() -> None:
    terminal = Terminal(Screen().stream, {"TERM": "xterm"})
    lines = terminal.wrap("word " * 100, "  ").splitlines()
    assert len(lines) > 1
    assert all(len(line) <= terminal.width for line in lines)
    assert lines[0].startswith("  word") and all(line.startswith("    word") for line in lines[1:])


def test_names_are_not_broken_at_their_hyphens() -> None:
    terminal = Terminal(Screen().stream, {"TERM": "xterm"})
    text = "cost-optimizer " * 50
    assert terminal.wrap(text).split() == text.split()


def test_tables_line_up_and_numbers_stand_right() -> None:
    assert table(("role", "lag", "share"), [("reduce", "7", "5 %"), ("store", "1,200", "50 %")]).splitlines() == [
        "role      lag  share",
        "------  -----  -----",
        "reduce      7    5 %",
        "store   1,200   50 %",
    ]
    assert table(("a", "b"), []) == "a  b\n-  -"


def test_tables_stack_what_does_not_fit() -> None:
    rows = [("thrashing", "cost-optimizer and perf-scaler fight"), ("cascade", "short")]
    assert table(("pattern", "who and what"), rows, 27).splitlines() == [
        "pattern    who and what",
        "---------  ----------------",
        "thrashing  cost-optimizer",
        "           and perf-scaler",
        "           fight",
        "cascade    short",
    ]
    wide = table(("a" * 30, "b" * 30, "c" * 30), [("x " * 20, "y", "z" * 50)], 20)
    assert all(len(line) <= 20 for line in wide.splitlines())


def test_numbers_have_one_format() -> None:
    assert [figure(n) for n in (0, 8, 0.4652, 38.14, 100, 20079.2, 30000.0, -1234.5)] == [
        "0", "8", "0.465", "38.1", "100", "20,079", "30,000", "-1,234",
    ]  # fmt: skip


def test_a_hint_names_the_program_as_it_can_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = tmp_path / "here"
    started, executable = here / ".venv/bin/interplay", here / ".venv/bin/python"
    started.parent.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program(str(started), str(executable)) == ".venv/bin/interplay"
    assert program(".venv/bin/interplay", str(executable)) == ".venv/bin/interplay"
    assert program("/opt/x/streams/cli/__main__.py", str(executable)) == ".venv/bin/python -m streams.cli"
    assert program("/opt/bin/interplay", str(executable)) == "/opt/bin/interplay"
    started.write_text("#!/bin/sh\n")
    started.chmod(0o755)
    monkeypatch.setenv("PATH", str(started.parent))
    assert shutil.which("interplay") == str(started)
    assert program(str(started), str(executable)) == "interplay"
