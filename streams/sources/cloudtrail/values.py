"""Reading a request: values by path, the resource of a template, names out of ARNs. Long texts become hashes; nothing is looked at twice.

UpdateService {"cluster": "arn:aws:ecs:...:cluster/prod", "service": "cart", "desiredCount": 4}
    {cluster#/=default}/{service#}  ->  prod/cart            desiredCount  ->  4
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import UNSET, UnsetType

from models.events import Scalar, Value
from streams.sources.cloudtrail.calls import Knob
from streams.sources.cloudtrail.record import Json, Object
from streams.sources.secrets import hashed, is_secret

MEMBERS = 1000  # of a set; longer ones are told as a hash
TEXT = 512  # characters
_INTEGERS = 1 << 63
_PLACE = re.compile(r"\{([^}]*)\}")
_OWNER = re.compile(r"arn:[^:]*:[^:]*:[^:]*:(\d{12}):|(\d{12}):function:|https://[^/]*/(\d{12})/")
_FUNCTION = re.compile(r"(?:.*:function:)?([^:]+)")  # name, name:qualifier, account:function:name, or an ARN of them
CONSTANTS: dict[str, Scalar] = {"null": None, "true": True, "false": False}


def resource_of(service: str, template: str, request: Object, answer: Object) -> str:
    """The resource below its service; "" where neither the request nor the answer names it."""
    missing = False

    def filled(match: re.Match[str]) -> str:
        nonlocal missing
        for path in match[1].split("/"):
            if path.startswith("="):
                return path[1:]
            found = at(answer, path[1:]) if path.startswith("<") else at(request, path.removesuffix("#"))
            if isinstance(found, str | int) and found != "":
                text = short(str(found)) if service != "lambda" else _function(str(found))
                return text.rpartition("/")[2] if path.endswith("#") else text
        missing = True
        return ""

    text = _PLACE.sub(filled, template)
    if service == "ssm":
        text = text.replace("parameter/parameter/", "parameter/").replace("//", "/")
    if service == "events":
        text = text.replace("rule/default/", "rule/")  # as its ARNs leave out the default bus
    return "" if missing else lasting(text)


def account_of(template: str, request: Object) -> str:
    """Whose resource a request names by its ARN, or by the address of a queue; "" where it does not say."""
    for path in _paths(template):
        found = at(request, path)
        if isinstance(found, str) and ":" in found and (owner := _OWNER.match(found)):
            return owner[1] or owner[2] or owner[3]
    return ""


@lru_cache(maxsize=4096)
def _paths(template: str) -> tuple[str, ...]:
    """Those into the request."""
    return tuple(
        path.removesuffix("#") for match in _PLACE.finditer(template) for path in match[1].split("/") if path[:1] not in "=<"
    )


def at(value: Json, path: str) -> Json:
    """The value at a path such as a.b; `*` is every element of a list. None where there is none."""
    steps = _steps(path)
    for place, step in enumerate(steps):
        if isinstance(value, dict):
            value = value.get(step)
        elif step == "*" and isinstance(value, list):
            rest = ".".join(steps[place + 1 :])
            found = [at(each, rest) if rest else each for each in value]
            return [each for each in found if each is not None]
        else:
            return None
    return value


def given(request: Object, knob: Knob) -> Json | UnsetType:
    """What the request says of the knob; UNSET where it is silent."""
    if knob.constant:
        return CONSTANTS.get(knob.constant, knob.constant)
    for path in knob.paths:
        if _steps(path)[0] in request:  # most are not there
            found = at(request, path)
            if found is not None:
                return found
    return UNSET


def plain(value: Json, service: str = "", name: str = "") -> Value:
    """A value as events have it: scalars as they are, lists and maps as sets of texts, long texts as hashes."""
    if name and is_secret(name, value):
        return "hidden"
    if isinstance(value, dict):
        items = value.get("items")
        value = items if isinstance(items, list) else [f"{key}={_inner(key, each)}" for key, each in value.items()]
    if isinstance(value, list):
        members = {member(each) for each in value}
        return tuple(sorted(members)) if len(members) <= MEMBERS else hashed(value)
    if isinstance(value, str):
        return clipped(value.rpartition("/")[2] if service == "ecs" else value)  # a task definition by name or by ARN
    if isinstance(value, int) and not -_INTEGERS <= value < _INTEGERS:
        return hashed(str(value))
    assert not isinstance(value, dict)
    return value


def _inner(name: str, value: Json) -> str:
    return "hidden" if is_secret(name, value) else hashed(value) if isinstance(value, dict | list) else str(value)


def member(value: Json) -> str:
    """One member of a set: a target as id:port, a subnet or instance as its id."""
    if isinstance(value, dict):
        name = value.get("id") or value.get("instanceId") or value.get("subnetId") or value.get("identifier")
        if isinstance(name, str):
            return clipped(short(name) + (f":{value['port']}" if value.get("port") is not None else ""))
        return hashed(value)
    return clipped(short(str(value)))


def short(text: str) -> str:
    """The resource part of an ARN, with `/` for each `:` (docs/naming.md); all else as it is."""
    return text.split(":", 5)[-1].replace(":", "/") if text.startswith("arn:") and text.count(":") >= 5 else text


def clipped(text: str) -> str:
    """The text, or its hash where it is too long for a name."""
    return text if len(text) <= TEXT else hashed(text)


def lasting(resource: str) -> str:
    """A target group without the random part of its ARN."""
    return "/".join(resource.split("/")[:2]) if resource.startswith("targetgroup/") else resource


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _function(text: str) -> str:
    match = _FUNCTION.match(text)
    return match[1] if match else text


__all__ = ["UNSET", "account_of", "at", "clipped", "given", "lasting", "member", "plain", "resource_of", "short"]
