"""What one call changes, before the log is asked what stood there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from models.events import Value
from streams.sources.cloudtrail.record import Json

EXISTS, STATE = "exists", "state"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of one resource, named below its service, or with it where it begins with a slash.

    `enter` and `leave` are of a set; `by` adds to a number that the log has told; `quiet` is remembered and not told, and so is what is
    `minor`, unless it is known to be another value than before."""

    resource: str
    parameter: str
    verb: str = "set"
    new: Value | UnsetType = UNSET
    old: Value | UnsetType = UNSET
    enter: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    by: int = 0
    group_of: str = ""  # an instance: the change is of the group for which it was launched
    owner: str = ""  # the group of an instance, named as `resource` is
    agent: str = ""  # whose change it is, where that is not the caller's
    causes: tuple[str, ...] = ()
    quiet: bool = False
    minor: bool = False


Changes: TypeAlias = Iterator[Change]


def elements(value: Json | UnsetType) -> list[Json]:
    """A list, also as {"items": [...]}."""
    if isinstance(value, dict):
        value = value.get("items")
    return value if isinstance(value, list) else []
