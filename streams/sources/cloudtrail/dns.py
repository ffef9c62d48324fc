"""Route 53: each record set is a knob, and so are its weight, its failover role and its time to live.

UPSERT api.example.com. CNAME setIdentifier blue, weight 90
    ->  hostedzone/Z1/api.example.com  CNAME[blue] -> blue.example.com,  CNAME[blue].weight -> 90
"""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from models.events import Value
from streams.sources.cloudtrail.calls import Call
from streams.sources.cloudtrail.change import Change, Changes, elements
from streams.sources.cloudtrail.record import Object
from streams.sources.cloudtrail.values import at, clipped, plain, resource_of

PROPERTIES = (("weight", "weight"), ("failover", "failover"), ("tTL", "ttl"))  # in the request, of the parameter
MINOR = frozenset({"ttl"})  # every record set has one, and hardly anybody changes it
CHALLENGE = "_acme-challenge."  # proofs to a certificate authority: each is set and taken away again, which is no hunting
NAMES = frozenset({"CNAME", "NS", "PTR"})  # records whose values are names


def records(call: Call, request: Object, answer: Object) -> Changes:
    """A deletion names what it deletes, and so the value that stood; what is deleted and made again in one batch is one change."""
    zone = resource_of(call.service, call.resource, request, answer)
    found: dict[tuple[str, str], Change] = {}
    for each in elements(at(request, "changeBatch.changes")) if zone else ():
        record, action = at(each, "resourceRecordSet"), str(at(each, "action"))
        name, kind = at(record, "name"), at(record, "type")
        if not isinstance(record, dict) or not isinstance(name, str) or not isinstance(kind, str) or not kind:
            continue
        if name.startswith(CHALLENGE):
            continue
        which = record.get("setIdentifier")
        resource, parameter = f"{zone}/{_name(name)}", f"{kind}[{which}]"[:256] if which else kind
        _add(found, resource, parameter, action, _answers(record, kind))
        for where, property_ in PROPERTIES:
            _add(found, resource, f"{parameter}.{property_}", action, plain(record.get(where)), property_)
    yield from found.values()


def _add(
    found: dict[tuple[str, str], Change], resource: str, parameter: str, action: str, value: Value, property_: str = ""
) -> None:
    """One knob of a record set; a property goes without a word together with its record set."""
    if property_ and (value is None or isinstance(value, tuple)):
        return
    gone, before = action == "DELETE", found.get((resource, parameter))
    old: Value | UnsetType = before.old if before else value if gone else None if action == "CREATE" else UNSET
    found[resource, parameter] = Change(
        resource=resource,
        parameter=parameter,
        verb="scale" if property_ == "weight" else "set" if property_ else action.lower(),
        old=old,
        new=None if gone else value,
        quiet=bool(property_) and gone,
        minor=property_ in MINOR,
    )


def _answers(record: Object, kind: str) -> Value:
    alias = at(record, "aliasTarget.dNSName")
    listed = (
        [f"alias {_name(alias)}"]
        if isinstance(alias, str)
        else [str(at(each, "value")) for each in elements(record.get("resourceRecords"))]
    )
    members = tuple(sorted({clipped(_name(each) if kind in NAMES else each) for each in listed}))
    return members[0] if kind == "CNAME" and len(members) == 1 else members[:1000]


def _name(text: str) -> str:
    """A name as Route 53 compares it: whatever its case, with or without the dot at its end, `*` also as `\\052`."""
    return text.rstrip(".").lower().replace("\\052", "*")
