"""A scenario's text: a head of comments, events in the notation, and lines `expect ...`. Every mistake is told with its line.

The head is the first block of comments: the title, then `KEY: TEXT` with the KEYS below; a comment indented by more than one blank goes
on with the text before it. `source`, `documented`, `reconstructed` and `look` must be there: a reader has to know what is a fact.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from models.events import AnyEvent, ref
from models.notation import parse
from models.scenarios.expecting import Expectation, read_expectation

KEYS = ("source", "documented", "reconstructed", "look", "near", "pending", "settings")
NEEDED = ("source", "documented", "reconstructed", "look")


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario. `near`: of which others it is a near miss. `pending`: what is missing for it to hold. `settings`: TOML, or ""."""

    name: str
    text: str
    title: str
    source: str
    documented: str
    reconstructed: str
    look: str
    near: tuple[str, ...] = ()
    pending: str = ""
    settings: str = ""
    events: tuple[AnyEvent, ...]
    expectations: tuple[Expectation, ...]

    @property
    def fires(self) -> bool:
        """Something must be found."""
        return any(expectation.wanted for expectation in self.expectations)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What must be found, as PATTERN/KIND or PATTERN."""
        return tuple(dict.fromkeys(expectation.what for expectation in self.expectations if expectation.wanted))

    @property
    def spared(self) -> tuple[str, ...]:
        """What must not be found, as PATTERN/KIND, PATTERN or "nothing"."""
        unwanted = (each for each in self.expectations if not each.wanted and not each.rest)
        return tuple(dict.fromkeys(each.what or "nothing" for each in unwanted))


def read_scenario(name: str, text: str) -> Scenario:
    """Raises ValueError with the line's number and what is wrong."""
    title, head = _head(text.split("\n"))
    missing = [key for key in NEEDED if not head.get(key)]
    if not title or missing:
        raise ValueError(f"the head lacks {', '.join(f'`# {key}: ...`' for key in missing) or 'a title in its first line'}")
    events = tuple(parse(text))
    twice = [name for name, count in Counter(map(ref, events)).items() if count > 1]
    if twice:
        raise ValueError(f"{twice[0]!r} names two events; in a loop an id needs {{n}}")
    expectations = _expectations(text)
    if not expectations:
        raise ValueError("no line `expect ...` says what must or must not be found")
    near = tuple(other.strip() for other in head.pop("near", "").split(",") if other.strip())
    return Scenario(name=name, text=text, title=title, near=near, events=events, expectations=expectations, **head)


def _head(lines: list[str]) -> tuple[str, dict[str, str]]:
    """The title, and the texts by their keys."""
    title, fields, key = "", {}, ""
    for number, line in enumerate(lines, 1):
        if not line.startswith("#"):
            break
        words = line[1:].strip()
        found = words.split(":")[0]
        if number == 1:
            title = words
        elif found in KEYS and line.startswith(f"# {found}:"):
            key = found
            fields[key] = words[len(key) + 1 :].strip()
        elif key and line.startswith("#  "):
            fields[key] = f"{fields[key]}{chr(10) if key == 'settings' else ' '}{words}".strip()
        else:
            raise ValueError(f"line {number}: the head has `# KEY: TEXT` with {', '.join(KEYS)}, then an empty line")
    return title, fields


def _expectations(text: str) -> tuple[Expectation, ...]:
    day, found = "", []
    for number, line in enumerate(text.split("\n"), 1):
        words = line.strip()
        if words.startswith("on "):
            day = words[3:].strip()
        elif words.startswith("expect "):
            try:
                found.append(read_expectation(words, day))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
    return tuple(found)
