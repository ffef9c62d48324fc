"""Colour, tables and progress, on a real pseudo-terminal and into a pipe."""

from __future__ import annotations

import io
import os
import pty

import pytest

from streams.terminal import Terminal, table


class Screen:
    """The far end of a pseudo-terminal."""

    def __init__(self) -> None:
        self._far, near = pty.openpty()
        self.stream = os.fdopen(near, "w")

    def seen(self) -> str:
        self.stream.flush()
        return os.read(self._far, 65536).decode()


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
    assert all(line.startswith("  word") and len(line) <= terminal.width for line in lines)


def test_tables_line_up_and_numbers_stand_right() -> None:
    assert table(("role", "lag", "share"), [("reduce", "7", "5 %"), ("store", "1,200", "50 %")]).splitlines() == [
        "role      lag  share",
        "------  -----  -----",
        "reduce      7    5 %",
        "store   1,200   50 %",
    ]
    assert table(("a", "b"), []) == "a  b\n-  -"
