"""Rules of security groups and routes: which member of which set comes or goes, and which way a destination takes."""

from __future__ import annotations

from streams.sources.cloudtrail.calls import Call
from streams.sources.cloudtrail.change import Change, Changes, elements
from streams.sources.cloudtrail.record import Object
from streams.sources.cloudtrail.values import at, clipped, resource_of

WAYS = (
    "gatewayId", "natGatewayId", "instanceId", "networkInterfaceId", "transitGatewayId", "vpcPeeringConnectionId", "vpcEndpointId",
)  # fmt: skip
ALONE = ("cidrIp", "cidrIpv4", "cidrIpv6", "prefixListId", "referencedGroupId")  # of a rule with one source
SOURCES = (("ipRanges", "cidrIp"), ("ipv6Ranges", "cidrIpv6"), ("groups", "groupId"), ("prefixListIds", "prefixListId"))


def allowed(call: Call, request: Object, answer: Object) -> Changes:
    """Rules enter a security group."""
    resource, rules = resource_of("ec2", call.resource, request, answer), _rules(request)
    if resource and rules:
        yield Change(resource=resource, parameter=call.knobs[0].name, verb="authorize", enter=rules)


def revoked(call: Call, request: Object, answer: Object) -> Changes:
    """By the rules, or by their ids alone: then the answer tells which those were."""
    resource = resource_of("ec2", call.resource, request, answer)
    rules = _rules(request) or _rules({"ipPermissions": at(answer, "revokedSecurityGroupRuleSet")})
    if resource and rules:
        yield Change(resource=resource, parameter=call.knobs[0].name, verb="revoke", leave=rules)


def respelled(call: Call, request: Object, answer: Object) -> Changes:
    """Rules change in their place: each is a knob by its id."""
    resource = resource_of("ec2", call.resource, request, answer)
    changed = at(request, "ModifySecurityGroupRulesRequest.SecurityGroupRule")
    for each in (changed if isinstance(changed, list) else [changed]) if resource else ():
        name, rule = at(each, "SecurityGroupRuleId"), at(each, "SecurityGroupRule")
        if isinstance(name, str) and isinstance(rule, dict):
            said = {f"{key[:1].lower()}{key[1:]}": value for key, value in rule.items()}
            found = _rules({"ipPermissions": {"items": [said]}})
            if found:
                yield Change(resource=resource, parameter=f"rule[{name[:128]}]", new=found[0])


def _rules(request: Object) -> tuple[str, ...]:
    """tcp 443-443 10.0.0.0/8, of every rule and source."""
    found = set()
    listed = elements(at(request, "ipPermissions")) or ([request] if request.get("cidrIp") else [])
    for rule in listed:
        protocol = str(at(rule, "ipProtocol") or "-1")
        every = at(rule, "fromPort") is None or (protocol == "-1" and at(rule, "fromPort") == -1)
        ports = "*" if every else f"{at(rule, 'fromPort')}-{at(rule, 'toPort')}"
        sources = [at(each, key) for where, key in SOURCES for each in elements(at(rule, where))]
        for source in [*sources, *(at(rule, key) for key in ALONE)]:
            if source is not None:
                found.add(clipped(f"{'all' if protocol == '-1' else protocol} {ports} {source}"))
    return tuple(sorted(found))


def routed(call: Call, request: Object, answer: Object) -> Changes:
    """A destination gets a way."""
    resource, destination = resource_of("ec2", call.resource, request, answer), _destination(request)
    way = next((request[name] for name in WAYS if request.get(name)), None)
    if resource and destination and isinstance(way, str):
        yield Change(resource=resource, parameter=f"route[{destination}]", verb="route", new=clipped(way))


def unrouted(call: Call, request: Object, answer: Object) -> Changes:
    """A destination loses its way."""
    resource, destination = resource_of("ec2", call.resource, request, answer), _destination(request)
    if resource and destination:
        yield Change(resource=resource, parameter=f"route[{destination}]", verb="route", new=None)


def _destination(request: Object) -> str:
    names = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
    return next((str(request[name])[:128] for name in names if request.get(name)), "")
