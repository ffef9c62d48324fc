"""Knob values: how far two are apart, and on which scale a list of them moves.

Positive numbers move on a logarithmic scale (10 % is 10 % anywhere), numbers that touch zero on log(1 + v), others linearly against the
largest of them; everything else (strings, booleans, sets) is categorical: equal or not.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence

from msgspec import UNSET, UnsetType

from models.events import Scalar, Value

NUMBERS = (int, float)
HUGE = int(1e300)
SINGLE = {None: b"null", False: b"false", True: b"true"}


def number(value: object) -> float | None:
    """The value as a number; None for what is none (booleans are categorical)."""
    if type(value) is float:
        return value if -1e300 < value < 1e300 else None
    return float(value) if type(value) is int and -HUGE < value < HUGE else None


def distance(a: Value | UnsetType, b: Value | UnsetType) -> float:
    """How far apart two values of one knob are: 0 = equal; ln units for numbers of one sign, 1 for any other difference. Symmetric."""
    if a is UNSET or b is UNSET:
        return 0.0 if a is b else 1.0
    x, y = number(a), number(b)
    if x is None or y is None:
        return 0.0 if same(a, b) else 1.0
    if x == y:
        return 0.0
    if x > 0 and y > 0:
        return abs(math.log(x) - math.log(y))  # a quotient can underflow
    if x >= 0 and y >= 0:
        return abs(math.log1p(x) - math.log1p(y))
    return abs(x - y) / max(abs(x), abs(y))


def same(a: Value | UnsetType, b: Value | UnsetType) -> bool:
    """Exactly the same value; a list counts as a set of members, a boolean is no number."""
    if a is b:
        return True
    mine, other = type(a), type(b)
    if mine is tuple or other is tuple:
        return mine is other and _same_members(a, b)  # type: ignore[arg-type]
    return a == b and (mine is other or (mine in NUMBERS and other in NUMBERS))


def _same_members(a: tuple[Scalar, ...], b: tuple[Scalar, ...]) -> bool:
    """Python takes 1, 1.0 and True for one member, which matters only where there are others than texts."""
    members = set(a)
    return members == set(b) and (set(map(type, members)) == {str} or category(a) == category(b))


def category(value: Value | UnsetType) -> object:
    """What stands for a value where it is compared with many: equal exactly where the values are the `same`. A list of a thousand
    members becomes a digest of 16 bytes, so that all further comparisons are cheap; numbers and texts stand for themselves."""
    if isinstance(value, tuple):
        members = "\n".join(sorted(set(map(repr, value))))  # a repr has no line break in it
        return hashlib.blake2b(members.encode(), digest_size=16).digest()
    if isinstance(value, bool) or value is None:
        return SINGLE[value]
    return None if value is UNSET else value


def scale(values: Iterable[Value | UnsetType]) -> Sequence[float] | None:
    """The values on the scale that suits all of them; None if any is no number, so that the knob is categorical."""
    numbers = []
    for value in values:
        plain = number(value)
        if plain is None:
            return None
        numbers.append(plain)
    lowest = min(numbers, default=0.0)
    if lowest > 0:
        return list(map(math.log, numbers))
    if lowest >= 0:
        return [math.log1p(v) for v in numbers]
    largest = max(abs(v) for v in numbers)
    return [v / largest for v in numbers]


def text(value: Value | UnsetType) -> str:
    """How sentences show a value."""
    if value is UNSET:
        return "?"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        shown = ", ".join(text(member) for member in value[:6])
        return "{" + shown + (", ..." if len(value) > 6 else "") + "}"
    whole = str(value)
    return whole if len(whole) <= 60 else whole[:57] + "..."
