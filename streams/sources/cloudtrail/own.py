"""Calls that the operator adds to the table (`[[cloudtrail.call]]`), written as its lines are (docs/cloudtrail.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from streams.settings import CallRule
from streams.sources.cloudtrail.calls import CALLS, SERVICES, Call, knob_of

Table: TypeAlias = Mapping[tuple[str, str], Call]

CHANGES = ("set", "add", "remove", "make", "unmake", "act")
NEEDS = {  # changes that need parameters
    "set": "sets", "add": "adds members to", "remove": "removes members from", "act": "happens to",
}  # fmt: skip
_NAME = r"[^\s{}:<=/.#]+"
_PATH = rf"{_NAME}(?:\.{_NAME})*"
_PLACE = rf"(?:<?{_PATH}#?|=[^\s{{}}/]+)"
_RESOURCE = re.compile(rf"(?:[^\s{{}}]|\{{{_PLACE}(?:/{_PLACE})*\}})+")
_PARAMETER = re.compile(rf"{_PATH}(?:/{_PATH})*(?:<{_PATH})?(?:=[^\s=:]+)?|{_NAME}:=\S+|{_NAME}:<{_PATH}|{_PATH}:{_PATH}:{_PATH}")


def trouble_of_resource(text: str) -> str:
    """What is wrong with the name of a resource; "" where nothing is."""
    if _RESOURCE.fullmatch(text) and len(text) <= 256:
        return ""
    return (
        f'write what stands below the service, with paths into the request in braces, such as "cluster/{{name/arn#}}", not {text!r}'
    )


def trouble_of_parameter(text: str) -> str:
    """What is wrong with a parameter; "" where nothing is."""
    if _PARAMETER.fullmatch(text) and len(text) <= 256:
        return ""
    return f"write a path into the request, and a name where its last part is none: size.desired=desiredSize, not {text!r}"


def table_of(rules: Iterable[CallRule]) -> Table:
    """The table with these lines, which count before its own."""
    found = dict(CALLS)
    for rule in rules:
        service = rule.service.removesuffix(".amazonaws.com")
        service = SERVICES.get(service, service)
        call = Call(service, rule.change, rule.resource, tuple(map(knob_of, rule.parameters)), rule.regional, own=True)
        found |= {(service, name): call for name in rule.calls}
    return found


__all__ = ["CHANGES", "NEEDS", "Table", "table_of", "trouble_of_parameter", "trouble_of_resource"]
