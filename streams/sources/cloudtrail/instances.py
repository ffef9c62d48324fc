"""Instances that are launched, ended, started and stopped, and what that does to the capacity of their Auto Scaling group."""

from __future__ import annotations

import re

import msgspec
from msgspec import UNSET, UnsetType

from streams.sources.cloudtrail.calls import Call
from streams.sources.cloudtrail.change import EXISTS, STATE, Change, Changes, elements
from streams.sources.cloudtrail.record import Object
from streams.sources.cloudtrail.values import at

# states on the way to where a call sends an instance
ARRIVED = {"pending": "running", "stopping": "stopped", "shutting-down": "terminated"}
GROUP_TAGS = ("aws:autoscaling:groupName", "karpenter.sh/nodepool", "karpenter.sh/provisioner-name", "eks:nodegroup-name")
CAPACITY = "desiredCapacity"
_FROM_TO = re.compile(r"in response to a user request, (?:shrinking|increasing) the capacity from (\d{1,9}) to (\d{1,9})")


def launched(_call: Call, request: Object, answer: Object) -> Changes:
    """Whose they are is said by their tags."""
    tags = at(request, "tagSpecificationSet.items.*.tags") or at(answer, "instancesSet.items.*.tagSet")
    named = {str(tag.get("key")): tag.get("value") for each in elements(tags) for tag in elements(each) if isinstance(tag, dict)}
    owner = next((f"/autoscaling/group/{named[tag]}" for tag in GROUP_TAGS if named.get(tag)), "")
    for each in elements(at(answer, "instancesSet")):
        name = at(each, "instanceId")
        if isinstance(name, str):
            yield Change(
                resource=f"instance/{name}", parameter=EXISTS, verb="launch", old=None if owner else False, new=True, owner=owner
            )


def terminated(call: Call, request: Object, answer: Object) -> Changes:
    """The owner is known from the launch, or of a group's own call from the request or its answer."""
    activities = [answer.get("activity"), *elements(answer.get("activities"))]
    groups = [request.get("autoScalingGroupName"), *(at(each, "autoScalingGroupName") for each in activities)]
    group = next((f"/autoscaling/group/{name}" for name in groups if isinstance(name, str) and name), "")
    names, by = _named(request), -1 if request.get("shouldDecrementDesiredCapacity") is True else 0
    for name in names:
        yield Change(resource=f"/ec2/instance/{name}", parameter=EXISTS, verb="terminate", old=True, new=False, owner=group, by=by)
    if names and call.service == "autoscaling":
        for change in capacity(group, request, answer, -len(names)):
            yield change if group else msgspec.structs.replace(change, group_of=f"/ec2/instance/{names[0]}")


def judged(call: Call, request: Object, answer: Object) -> Changes:
    """An instance that is called unhealthy is ended by its group, and replaced."""
    if str(request.get("healthStatus")).lower() == "unhealthy":
        yield from terminated(call, {"instanceId": request.get("instanceId")}, answer)


def switched(_call: Call, request: Object, answer: Object) -> Changes:
    """From one state to another, as the answer tells."""
    states = {str(at(each, "instanceId")): each for each in elements(at(answer, "instancesSet"))}
    for name in _named(request):
        before, after = (at(states.get(name), f"{when}State.name") for when in ("previous", "current"))
        new = ARRIVED.get(str(after), after)
        old = ARRIVED.get(str(before), before)
        yield Change(
            resource=f"instance/{name}",
            parameter=STATE,
            verb="start" if new == "running" else "stop",
            new=new if isinstance(new, str) else UNSET,
            old=old if isinstance(old, str) else UNSET,
        )


def capacity(group: str, request: Object, answer: Object, by: int) -> Changes:
    """The group wants so many more, or fewer where the call says that it shall. Its answer tells from what to what, else the log does."""
    if by > 0 or request.get("shouldDecrementDesiredCapacity") is True:
        causes = [at(each, "cause") for each in (answer.get("activity"), *elements(answer.get("activities")))]
        steps = [_FROM_TO.search(cause) for cause in causes if isinstance(cause, str)]
        numbers = sorted(int(number) for step in steps if step for number in step.groups())
        old: int | UnsetType
        new: int | UnsetType
        old, new = (numbers[0], numbers[-1]) if by > 0 and numbers else (numbers[-1], numbers[0]) if numbers else (UNSET, UNSET)
        yield Change(resource=group, parameter=CAPACITY, verb="scale", old=old, new=new, by=by)


def _named(request: Object) -> list[str]:
    listed = [at(each, "instanceId") for each in elements(at(request, "instancesSet"))]
    return [name for name in (*listed, *elements(request.get("instanceIds")), request.get("instanceId")) if isinstance(name, str)]
