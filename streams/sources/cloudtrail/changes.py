"""From one call to what it changes: resources, parameters, new values, and old ones where the answer tells. The log's part is `known`'s."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import msgspec
from msgspec import UNSET, UnsetType

from models.events import Value
from models.values import same
from streams.sources.cloudtrail.calls import ANSWERS, CALLS, Call
from streams.sources.cloudtrail.change import EXISTS, Change, Changes, elements
from streams.sources.cloudtrail.dns import records
from streams.sources.cloudtrail.instances import capacity, judged, launched, switched, terminated
from streams.sources.cloudtrail.network import allowed, respelled, revoked, routed, unrouted
from streams.sources.cloudtrail.record import Json, Object
from streams.sources.cloudtrail.values import at, clipped, given, lasting, member, plain, resource_of, short

PROCESSES = (
    "Launch", "Terminate", "AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck", "InstanceRefresh",
    "ReplaceUnhealthy", "ScheduledActions",
)  # fmt: skip
ACTS = {"reboot": "restart", "value": "set", "promotion": "promote", "writer": "failover", "primaryClusterId": "failover"}
SILENT = frozenset({"reboot", "value", "promotion"})  # what happens to them has no value that is told
OWNERS = (
    ("dBClusterIdentifier", "cluster"), ("sourceDBInstanceIdentifier", "db"), ("readReplicaSourceDBInstanceIdentifier", "db"),
)  # fmt: skip
SCALED = ("desired", "capacity", "count", "size", "concurren", "brokers", "nodes", "units", "weight")


def changes(call: Call, request: Object, answer: Object) -> list[Change]:
    """Empty where the request names no resource, or nothing that the table knows."""
    if (
        call.service == "autoscaling" and "scalableDimension" in request and not call.own
    ):  # of Application Auto Scaling, under its older name
        call = CALLS["application-autoscaling", "PutScalingPolicy"]
    if call.how in BY_SERVICE:
        return list(BY_SERVICE[call.how](call, request, answer))
    resource = resource_of(call.service, call.resource, request, answer)
    return list(HOWS[call.how](call, resource, request, answer)) if resource else []


def _set(call: Call, resource: str, request: Object, answer: Object) -> Changes:
    for knob in call.knobs:
        if knob.element is not None:
            for each in elements(at(request, knob.paths[0])):
                name = at(each, knob.element[0])
                if isinstance(name, str) and name:
                    yield _assigned(call, resource, clipped(name), at(each, knob.element[1]), UNSET)
            continue
        value = given(request, knob)
        answered = at(answer, knob.answer) if knob.answer else None
        if answered is not None and (not knob.paths or not isinstance(value, UnsetType)):
            value = answered
        if not isinstance(value, UnsetType):
            shown = at(answer, ANSWERS[call.service] + knob.paths[0]) if call.service in ANSWERS and knob.paths else None
            old = UNSET if shown is None or shown == value else plain(shown)
            yield _assigned(call, resource, knob.name, value, old, " ".join(knob.paths))
        elif knob.answer and not knob.paths:  # what only the answer tells is set, to what is not known
            yield Change(resource=resource, parameter=knob.name)


def _assigned(call: Call, resource: str, name: str, value: Json, old: Value | UnsetType, path: str = "") -> Change:
    verb = "scale" if not isinstance(value, str) and _scales(name) else "set"
    hidden = f"{name} {path}" if call.own else name
    return Change(resource=resource, parameter=name, verb=verb, new=plain(value, call.service, hidden), old=old)


@lru_cache(maxsize=4096)
def _scales(name: str) -> bool:
    return any(word in name.lower() for word in SCALED)


def _add(call: Call, resource: str, request: Object, answer: Object) -> Changes:
    yield from _members(call, resource, request, answer, enter=True)


def _remove(call: Call, resource: str, request: Object, answer: Object) -> Changes:
    yield from _members(call, resource, request, answer, enter=False)


def _members(call: Call, resource: str, request: Object, answer: Object, *, enter: bool) -> Changes:
    for knob in call.knobs:
        named = given(request, knob)
        every = PROCESSES if knob.name == "suspendedProcesses" and isinstance(named, UnsetType) else ()  # none named means all
        moved = tuple(sorted({*every, *(member(each) for each in elements(named))}))
        if moved:
            verb = "add" if enter else "remove"
            yield Change(
                resource=resource, parameter=knob.name, verb=verb, enter=moved if enter else (), leave=() if enter else moved
            )
            if knob.by:
                yield from capacity(resource, request, answer, len(moved) * knob.by)


def _make(call: Call, resource: str, request: Object, answer: Object) -> Changes:
    owner = _owner(call, request, answer)
    yield Change(resource=resource, parameter=EXISTS, verb="create", old=None if owner else False, new=True, owner=owner)
    for change in HOWS["service" if call.service == "ecs" else "set"](call, resource, request, answer):
        yield msgspec.structs.replace(change, quiet=True)


def _unmake(call: Call, resource: str, request: Object, answer: Object) -> Changes:
    owner = _owner(call, request, answer)
    yield Change(resource=resource, parameter=EXISTS, verb="delete", old=True, new=False, owner=owner)


def _owner(call: Call, request: Object, answer: Object) -> str:
    """A replica is of its cluster, or of the database that it copies."""
    if call.service != "rds" or not call.resource.startswith("db/"):
        return ""
    for path, above in OWNERS:
        found = at(request, path) or at(answer, path)
        if isinstance(found, str) and found:
            return f"/rds/{above}/{short(found).rpartition('/')[2]}"
    return ""


def _act(call: Call, resource: str, request: Object, _: Object) -> Changes:
    for knob in call.knobs:
        value = UNSET if knob.name in SILENT and not call.own else given(request, knob)
        new = UNSET if isinstance(value, UnsetType) else plain(value, call.service, knob.name)
        yield Change(resource=resource, parameter=knob.name, verb=ACTS.get(knob.name, "act"), new=new)


def _service(call: Call, resource: str, request: Object, answer: Object) -> Changes:
    """ECS: the answer tells which task definition is on its way out, and what the request leaves as it is."""
    former = {
        str(at(each, "taskDefinition")) for each in elements(at(answer, "service.deployments")) if at(each, "status") == "ACTIVE"
    }
    for change in _set(call, resource, request, answer):
        old = plain(next(iter(former)), "ecs") if change.parameter == "taskDefinition" and len(former) == 1 else UNSET
        yield msgspec.structs.replace(change, old=UNSET if same(old, change.new) else old)
    for name in ("desiredCount", "taskDefinition"):
        stands = at(answer, f"service.{name}")
        if name not in request and isinstance(stands, int | str):
            yield Change(resource=resource, parameter=name, new=plain(stands, "ecs"), quiet=True)


def _table(call: Call, resource: str, request: Object, answer: Object) -> Changes:
    """DynamoDB: a table and its indexes, each with a throughput of its own."""
    yield from _set(call, resource, request, answer)
    stand = {str(at(each, "indexName")): each for each in elements(at(answer, "tableDescription.globalSecondaryIndexes"))}
    for each in elements(at(request, "globalSecondaryIndexUpdates")):
        index, throughput = at(each, "update.indexName"), at(each, "update.provisionedThroughput")
        if isinstance(index, str) and index and isinstance(throughput, dict):
            shown: Json = {"tableDescription": stand.get(index)}
            assert isinstance(shown, dict)
            yield from _set(call, f"{resource}/index/{index}", {"provisionedThroughput": throughput}, shown)


def _target(call: Call, request: Object, answer: Object) -> Changes:
    """Application Auto Scaling: bounds of what another service owns, and so under that service's name."""
    named, dimension = at(request, "resourceId"), at(request, "scalableDimension")
    if not isinstance(named, str) or not isinstance(dimension, str):
        return
    service, part = dimension.partition(":")[0], dimension.rpartition(":")[2]
    resource = f"/{service}/{short(named).replace(':', '/').replace('replication-group/', 'replicationgroup/')}"
    policy = at(request, "policyName")  # a resource may follow several policies at once
    name = f"{part}.policy[{policy[:128]}]" if isinstance(policy, str) and policy else part
    for change in _set(call, resource, request, answer):
        yield msgspec.structs.replace(change, parameter=f"{name}.{change.parameter}")


def _forwarded(call: Call, request: Object, answer: Object) -> Changes:
    """To which target groups a listener or rule sends, with which weights."""
    resource = resource_of(call.service, call.resource, request, answer)
    for action in elements(at(request, call.knobs[0].paths[0])) if resource else ():
        groups = elements(at(action, "forwardConfig.targetGroups")) or ([action] if at(action, "targetGroupArn") else [])
        named = {lasting(short(str(at(group, "targetGroupArn")))): at(group, "weight") for group in groups}
        if len(named) == 1:
            yield Change(resource=resource, parameter="forward", new=clipped(next(iter(named))))
        elif at(action, "type") in ("fixed-response", "redirect"):  # such as a page while something is repaired
            yield Change(resource=resource, parameter="forward", new=str(at(action, "type")))
        elif named:
            yield Change(resource=resource, parameter="forward", new=tuple(sorted(map(clipped, named))))
            for group, weight in named.items():
                if isinstance(weight, int | float):
                    yield Change(resource=resource, parameter=f"weight[{group[:256]}]", verb="scale", new=weight)


HOWS: dict[str, Callable[[Call, str, Object, Object], Changes]] = {
    "set": _set, "add": _add, "remove": _remove, "make": _make, "unmake": _unmake, "act": _act, "service": _service, "table": _table,
}  # fmt: skip
BY_SERVICE: dict[str, Callable[[Call, Object, Object], Changes]] = {
    "target": _target, "launched": launched, "terminated": terminated, "judged": judged, "switched": switched,
    "rules": respelled, "allowed": allowed, "revoked": revoked,
    "routed": routed, "unrouted": unrouted, "forwarded": _forwarded, "records": records,
}  # fmt: skip
