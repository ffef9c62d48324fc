"""The tables `[[cloudtrail.call]]` of the settings file: every mistake is a line that names the table and the field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

import msgspec

from streams.settings import CallRule
from streams.sources.cloudtrail.own import CHANGES, NEEDS, trouble_of_parameter, trouble_of_resource

_CALL = re.compile(r"\w{1,128}", re.ASCII)
_FIELDS = CallRule.__struct_fields__
_NEEDED = {
    "service": 'what eventSource says, such as "wafv2"',
    "calls": 'what eventName says, such as ["UpdateWebACL"]',
    "resource": 'its name below the service, such as "webacl/{name}"',
}


def read_calls(value: object) -> tuple[tuple[CallRule, ...], list[str]]:
    """The calls of a file, and what is wrong with them, a line each."""
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        return (), ["cloudtrail.call: must be tables, each under its own [[cloudtrail.call]]"]
    found: list[CallRule] = []
    wrong: list[str] = []
    for number, table in enumerate(value, 1):
        mistakes = list(_mistakes(table))
        wrong += [f"cloudtrail.call {number}: {mistake}" for mistake in mistakes]
        if not mistakes:
            found.append(msgspec.convert(table, CallRule))
    pairs = [(rule.service.removesuffix(".amazonaws.com"), name) for rule in found for name in rule.calls]
    twice = sorted({pair for pair in pairs if pairs.count(pair) > 1})
    return tuple(found), [*wrong, *(f"cloudtrail.call: {name} of {service} is given twice" for service, name in twice)]


def _mistakes(table: Mapping[str, object]) -> Iterator[str]:
    for name in table:
        if name not in _FIELDS:
            close = difflib.get_close_matches(name, _FIELDS, n=1)
            yield f"{name}: no such field; " + (f"did you mean {close[0]}?" if close else f"it has {', '.join(_FIELDS)}")
    yield from (f"{name} is missing: {meaning}" for name, meaning in _NEEDED.items() if name not in table)
    service, resource, change = table.get("service", "x"), table.get("resource", "x"), table.get("change", "set")
    if not isinstance(service, str) or not service or not service.removesuffix(".amazonaws.com").replace("-", "").isalnum():
        yield f'service: must be a service as eventSource has it, such as "wafv2" or "wafv2.amazonaws.com", not {service!r}'
    yield from _list("calls", table.get("calls", ["x"]), 'names of calls, such as ["UpdateWebACL"]')
    if not isinstance(resource, str) or (trouble := trouble_of_resource(resource)):
        yield f"resource: {trouble if isinstance(resource, str) else f'must be a text in quotes, not {resource!r}'}"
    if change not in CHANGES:
        yield f"change: must be one of {', '.join(CHANGES)}, not {change!r}"
    elif change in NEEDS and not table.get("parameters"):
        yield f'parameters is missing: what a call that {NEEDS[str(change)]}, such as ["size.desired=desiredSize"]'
    if not isinstance(table.get("regional", True), bool):
        yield f"regional: must be true or false, not {table['regional']!r}"
    parameters = table.get("parameters", [])
    if not isinstance(parameters, list):
        yield f'parameters: must be a list, such as ["size.desired=desiredSize"], not {parameters!r}'
        return
    for each in parameters:
        if not isinstance(each, str) or (trouble := trouble_of_parameter(each)):
            yield f"parameters: {trouble if isinstance(each, str) else f'must be texts in quotes, not {each!r}'}"


def _list(name: str, value: object, what: str) -> Iterator[str]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) and _CALL.fullmatch(each) for each in value):
        yield f"{name}: must be a list of {what}, not {value!r}"
