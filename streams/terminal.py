"""Writing for people: colour where a terminal shows it, tables that line up, paragraphs that fit the width. Plain text everywhere else."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import Literal, TextIO, TypeAlias

Style: TypeAlias = Literal["bold", "dim", "red", "yellow", "green", "cyan"]
_CODES: dict[Style, str] = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "green": "32", "cyan": "36"}
_WIDEST = 120  # longer lines are hard to read


class Terminal:
    """One output stream. Colour follows https://no-color.org: none where NO_COLOR is set, on a dumb terminal, or into a file or pipe."""

    def __init__(self, stream: TextIO, environment: Mapping[str, str]) -> None:
        self._stream = stream
        self.interactive = stream.isatty() and environment.get("TERM") != "dumb"
        self.colour = self.interactive and not environment.get("NO_COLOR")
        self.width = min(shutil.get_terminal_size().columns, _WIDEST) if self.interactive else 10**9
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
        """The text in lines that fit, each indented; unbroken into files and pipes, so that they can be searched."""
        return textwrap.fill(text, self.width, initial_indent=indent, subsequent_indent=indent, break_long_words=False)

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


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns that line up, with a rule below the header; columns of numbers to the right."""
    columns = list(zip(header, *rows, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    right = [bool(rows) and all(_is_number(cell) for cell in column[1:]) for column in columns]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if numeric else cell.ljust(width) for cell, width, numeric in zip(cells, widths, right, strict=True)
        )
        return "  ".join(padded).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *(line(row) for row in rows)])


def _is_number(cell: str) -> bool:
    return cell == "-" or cell.replace(",", "").replace(".", "", 1).replace("-", "", 1).removesuffix(" %").isdigit()
