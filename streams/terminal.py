"""Writing for people: colour where a terminal shows it, tables that line up, paragraphs that fit the width. Plain text everywhere else."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Literal, TextIO, TypeAlias

Style: TypeAlias = Literal["bold", "dim", "red", "yellow", "green", "cyan"]
_CODES: dict[Style, str] = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "green": "32", "cyan": "36"}
_WIDEST = 120  # longer lines are hard to read
_NARROWEST = 8  # characters that a column of a clipped table keeps
UNBOUNDED = 10**9  # the width of files and pipes


class Terminal:
    """One output stream. Colour follows https://no-color.org: none where NO_COLOR is set, on a dumb terminal, or into a file or pipe."""

    def __init__(self, stream: TextIO, environment: Mapping[str, str]) -> None:
        self._stream = stream
        self.interactive = stream.isatty() and environment.get("TERM") != "dumb"
        self.colour = self.interactive and not environment.get("NO_COLOR")
        self.width = min(shutil.get_terminal_size().columns, _WIDEST) if self.interactive else UNBOUNDED
        self._transient = False

    def paint(self, text: str, style: Style) -> str:
        """The text in a style, where there is colour."""
        return f"\033[{_CODES[style]}m{text}\033[0m" if self.colour else text

    def say(self, text: str = "") -> None:
        """One line, or several."""
        self.clear()
        self._stream.write(text + "\n")
        self._stream.flush()

    def wrap(self, text: str, indent: str = "") -> str:
        """The text in lines that fit, all but the first indented two more; unbroken into files and pipes, so that they can be searched."""
        return textwrap.fill(
            text,
            self.width,
            initial_indent=indent,
            subsequent_indent=indent + "  ",
            break_long_words=False,
            break_on_hyphens=False,  # a name such as cost-optimizer stays whole
        )

    def progress(self, text: str) -> None:
        """A line that the next output replaces; nothing where nobody watches."""
        if self.interactive:
            self._stream.write("\r\033[2K" + text[: self.width - 1])
            self._stream.flush()
            self._transient = True

    def clear(self) -> None:
        """Takes the progress line away."""
        if self._transient:
            self._stream.write("\r\033[2K")
            self._transient = False


def figure(value: float) -> str:
    """A number as all sentences of ours write it: three digits, more only before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def program(started_as: str, executable: str) -> str:
    """What to type for `interplay`: the name where the shell finds it, else the path this process was started by (`sys.argv[0]`)."""
    if shutil.which("interplay"):
        return "interplay"
    if Path(started_as).name == "__main__.py":
        return f"{_from_here(executable)} -m streams.cli"
    return _from_here(started_as)


def _from_here(path: str) -> str:
    here, absolute = Path.cwd(), Path(path).absolute()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else path


def table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int = UNBOUNDED) -> str:
    """Columns that line up, with a rule below the header; columns of numbers to the right. Cells are stacked where `width` is too small."""
    columns = list(zip(header, *rows, strict=True))
    widths = _fitting([max(len(cell) for cell in column) for column in columns], width)
    right = [bool(rows) and all(_is_number(cell) for cell in column[1:]) for column in columns]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(room) if numeric else cell.ljust(room) for cell, room, numeric in zip(cells, widths, right, strict=True)
        )
        return "  ".join(padded).rstrip()[:width]

    def stacked(cells: Sequence[str]) -> list[str]:
        pieces = [
            [cell] if len(cell) <= room else textwrap.wrap(cell, room, break_on_hyphens=False)
            for cell, room in zip(cells, widths, strict=True)
        ]
        return [line(level) for level in zip_longest(*pieces, fillvalue="")]

    rule = "  ".join("-" * room for room in widths)[:width]
    return "\n".join([*stacked(header), rule, *(text for row in rows for text in stacked(row))])


def _fitting(widths: list[int], width: int) -> list[int]:
    """The widths, the widest of them made smaller until all fit, or none can give more."""
    widths = list(widths)
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _is_number(cell: str) -> bool:
    return cell == "-" or cell.replace(",", "").replace(".", "", 1).replace("-", "", 1).removesuffix(" %").isdigit()
