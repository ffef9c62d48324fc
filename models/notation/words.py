"""The words of the notation: what may stand bare, what is a keyword, and a line that is read word by word."""

from __future__ import annotations

import json
import re

TYPES = ("transition", "dependency", "sample", "intent", "verdict")
WORDS = ("reads", "because", "holds", "until", "expects", "unless", "handoff", "deletes", "acknowledges", "after", "in")
RESERVED = re.compile(rf"{'|'.join((*TYPES, *WORDS))}|->|v-?\d.*", re.S)
TYPE = re.compile(rf"({'|'.join(TYPES)})(?!\S)")
WORD = re.compile(rf"({'|'.join(WORDS)})(?!\S)")
ARROW = re.compile(r"->(?!\S)")
COMPARISON = re.compile(r"[<>=!]+(?!\S)")
VERSION = re.compile(r'v(?=-?\d|")')
FIELD = re.compile(r"([a-z_]+)=")
BARE = re.compile(r'[^\s"@#=\[\]{}]+')
NAME = re.compile(r'[^\s"@#=\[\]{}:]+')  # where a colon follows: reads, and before # and @
SPACE = re.compile(r"\s*")
CLOCK = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?Z?")
MOMENT = re.compile(r"\d[^\s@]*")


def _number(text: str) -> float:
    value = float(text)
    if value - value != 0.0:
        raise ValueError(f"{text} is beyond all numbers")
    return value


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


plain_json = json.JSONDecoder(parse_float=_number, parse_constant=_no_constant)


class Line:
    """A place in one line, and the day on which it happens."""

    def __init__(self, text: str, day: str) -> None:
        self.text, self.day, self.at = text, day, 0

    def sees(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Whether the next word matches."""
        space = SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at
        return pattern.match(self.text, self.at)

    def take(self, pattern: re.Pattern[str]) -> str | None:
        """The next word, if it matches."""
        found = self.sees(pattern)
        if found is None:
            return None
        self.at = found.end()
        return found[found.lastindex or 0]

    def glued(self, sign: str) -> bool:
        """Whether `sign` follows without a space."""
        found = self.text.startswith(sign, self.at)
        self.at += len(sign) if found else 0
        return found

    def more(self) -> bool:
        """Whether a plain word follows: no keyword, version or field."""
        return not any(self.sees(pattern) for pattern in (WORD, ARROW, VERSION, FIELD)) and self.at < len(self.text)

    def string(self, what: str, bare: re.Pattern[str] = BARE) -> str:
        """A name or a text."""
        if self.sees(re.compile('"')):
            return str(self._literal())
        found = self.take(bare)
        if found is None:
            raise self.wrong(f"{what} is missing")
        return found

    def value(self, what: str) -> object:
        """A number, true, false, null, a list, an object or a text."""
        if self.sees(re.compile(r'["\[{]')):
            return self._literal()
        word = self.string(what)
        try:
            return plain_json.decode(word)
        except ValueError:
            return word

    def _literal(self) -> object:
        try:
            value, self.at = plain_json.raw_decode(self.text, self.at)
        except (ValueError, RecursionError) as error:
            raise self.wrong(f"not JSON ({error})") from None
        return value

    def time(self, what: str) -> str:
        """RFC 3339."""
        text = self.take(MOMENT)
        if text is None:
            raise self.wrong(f"{what} is missing")
        if CLOCK.fullmatch(text) is None:
            return text
        if not self.day:
            raise self.wrong("no line `on DATE` says of which day this time is")
        return f"{self.day}T{text.removesuffix('Z')}Z"

    def wrong(self, what: str) -> ValueError:
        """What to raise about this place."""
        return ValueError(f"column {self.at + 1}: {what}")
