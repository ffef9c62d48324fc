"""Paths into JSON, as `[[map]]` rules write them: names joined by dots, `[0]`, `[*]` for every element, `["a.b/c"]` for odd names.

    spec.replicas            commits[*].author.name            labels["app.kubernetes.io/name"]            @.key

`@` is the element of a rule's `each`; all other paths begin at the record. Where a text stands that holds a JSON object or array, as in
messages of SNS, a path goes on into it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple, TypeAlias, cast

import msgspec
from msgspec import UNSET, UnsetType

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Step: TypeAlias = str | int | None  # a name, a number, every element

_STEP = re.compile(r'\.?([^.\[\]"{}@\s]+)|\[(-?\d+)\]|(\[\*\])|\["([^"]*)"\]')


class Path(NamedTuple):
    """A path, read. `element`: it begins at the element. `name`: the last one, or the one above `value`; it tells a secret."""

    text: str
    element: bool
    steps: tuple[Step, ...]
    name: str

    @property
    def many(self) -> bool:
        """Whether it leads to a list of what it finds."""
        return None in self.steps


def parse_path(text: str) -> Path:
    """Raises ValueError with what is wrong."""
    if text == "$" or text.startswith(("$.", "$[")):
        raise ValueError(f"{text!r} is no path: the record itself needs no sign, leave out `$` and the dot after it")
    rest = text.removeprefix("@")
    steps: list[Step] = []
    place = 0
    while place < len(rest):
        step = _STEP.match(rest, place)
        if step is None or (place == 0 and rest.startswith(".") and not text.startswith("@")):
            raise ValueError(f'{text!r} is no path: write a.b, a[0].b, a[*].b, a["odd.name"].b, or @.b for the element of `each`')
        name, number, every, quoted = step.groups()
        steps.append(None if every else int(number) if number is not None else quoted if quoted is not None else name)
        place = step.end()
    if not steps and not text.startswith("@"):
        raise ValueError("a path is empty")
    names = ["", *(step for step in steps if isinstance(step, str))]
    return Path(text, text.startswith("@"), tuple(steps), names[-2] if names[-1] in ("value", "data") else names[-1])


def find(path: Path, record: Json, element: Json | UnsetType) -> Json | UnsetType:
    """What is there; UNSET where nothing is. With `[*]` a list of what each element has, empty ones left out."""
    start = element if path.element else record
    return UNSET if isinstance(start, UnsetType) else _walk(start, path.steps)


def _walk(value: Json, steps: tuple[Step, ...]) -> Json | UnsetType:
    for place, step in enumerate(steps):
        if type(step) is str:
            if type(value) is not dict:
                value = _within(value)
                if type(value) is not dict:
                    return UNSET
            if step not in value:
                return UNSET
            value = value[step]
        elif step is None:
            value = _within(value)
            if not isinstance(value, list):
                return UNSET
            return _every(value, steps[place + 1 :])
        elif isinstance(step, int):
            value = _within(value)
            if not isinstance(value, list) or not -len(value) <= step < len(value):
                return UNSET
            value = value[step]
    return value


def _within(value: Json) -> Json:
    """What a text holds as JSON; itself where it holds none."""
    return _decoded(value) if isinstance(value, str) and value[:1] in ("{", "[") else value


@lru_cache(maxsize=4)  # several paths go into the same text, one after the other
def _decoded(text: str) -> Json:
    try:
        return cast("Json", msgspec.json.decode(text))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def _every(values: list[Json], rest: tuple[Step, ...]) -> list[Json]:
    found: list[Json] = []
    for each in values:
        inner = _walk(each, rest)
        if isinstance(inner, list) and None in rest:
            found += inner
        elif not isinstance(inner, UnsetType):
            found.append(inner)
    return found
