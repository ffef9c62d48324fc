"""Which way a knob is going, in O(1) a write: whether the next one could be a reversal at all, so that nobody need look at its history.

The zigzag of `zigzag.py`, followed from wherever the knob was first seen, with its lowest and highest value as long as it has gone no way.
Whatever a zigzag that begins later turns at, this one turns at too: the later one first goes some way when the value is a dead band away
from where it began, which is a value this one has seen; it then goes the same way from the same extreme, and both go on alike. The other
way round does not hold, so this tells no reversals; it only spares the search for them.
"""

from __future__ import annotations

import math

LEAST = 1e-290  # of values that are followed: far from where floats lose their digits


class Course:
    """Of values of at least `LEAST`. A dead band in ln units is a factor here, so that no logarithm is taken."""

    __slots__ = ("_down", "_highest", "_lowest", "_up", "_way")

    def __init__(self, origin: float, deadband: float) -> None:
        band = deadband * (1.0 - 1e-9) - 1e-12  # a little less, since logarithms are rounded and so are products
        self._up, self._down = math.exp(band), math.exp(-band)
        self._lowest = self._highest = origin
        self._way = 0  # 1 up: `_highest` is the extreme; -1 down: `_lowest` is

    def note(self, value: float) -> None:
        """Takes in the next value."""
        if self._way >= 0 and value > self._highest:
            self._highest = value
        if self._way <= 0 and value < self._lowest:
            self._lowest = value
        if self._way <= 0 and value >= self._lowest * self._up:
            self._way, self._highest = 1, value
        elif self._way >= 0 and value <= self._highest * self._down:
            self._way, self._lowest = -1, value

    def turns(self, value: float) -> bool:
        """Whether a zigzag could turn at this value."""
        if self._way > 0:
            return value <= self._highest * self._down
        return self._way < 0 and value >= self._lowest * self._up
