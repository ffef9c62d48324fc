"""Fuzzes CloudTrail and mapped JSON: any bytes give events or rejections, never an exception, and always the same.

    python tests/fuzz_json.py                            30 s of seeded mutations of records; exits 1 on a crash
    python tests/fuzz_json.py --seconds 600 --seed 7     longer, elsewhere in the space
    python tests/fuzz_json.py --repeat FILE              runs a crash's file alone

Half of the inputs are records with values put in wrong places, which stay JSON; the other half have their bytes mutated. What comes out
must survive the rest of its way: encoded for the signals topic and read back, it is the same event, within the bounds of every event.
"""

from __future__ import annotations

import copy
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from fuzz_otlp import mutated
from fuzzing import command
from test_cloudtrail import SHAPES, fight, launched
from test_cloudtrail_calls import ONE as CALLS
from test_cloudtrail_calls import RECORD_SET, batch
from test_cloudtrail_stories import killed, shrunk, sized, weighted
from test_mapping import RECORD, TABLE, settings_of
from trail_records import TERRAFORM, became, call, desired

from models.events import Action, AnyEvent, Sample, decode_signal, encode_signal
from models.rejection import Rejection
from streams.settings import Settings
from streams.sources.mapping.source import Mapped
from streams.sources.source import Origin

REASONS = {
    "not_json", "too_deep", "unknown_type", "missing_field", "wrong_type", "bad_time", "time_out_of_range", "too_large", "too_long",
}  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 70, 1e308, "", "x" * 600, "\ud800", "arn:aws:x:y:z:a/b:c", [], {}, [None], [{}], {"items": [{}, 3]},
    {"items": {"a": 1}}, ["a", 1, None], "2026-02-30T00:00:00Z", "*", "null", {"key": "k", "value": []}, [["a"]], "@deep@", "1e999999",
)  # fmt: skip
DEEP = '"@deep@"'  # stands for a value that is nested deeply
RULES = settings_of(
    {
        **TABLE,
        "name": "nested",
        "when": [{"path": "kind", "matches": "s"}, {"path": "tags[*]", "in": ["a"]}],
        "also": True,
        "data": {
            **TABLE["data"],
            "old": {"path": "steps[*].ways[*].n"},
            "new": {"path": "size", "type": "number"},
            "why": {"text": "{cluster.name} {tags[0]}"},
            "reads": [{"resource": "{kind}", "value": {"path": "ready", "type": "boolean"}}],
        },
    },
    {
        "name": "samples",
        "type": "sample",
        "each": "steps[*]",
        "attributes": {"time": {"path": "at"}, "subject": "{@.who}"},
        "data": {"metric": "m", "value": {"path": "@.to", "type": "number"}},
    },
    {
        **TABLE,
        "name": "lists",
        "data": {**TABLE["data"], "new": {"path": "tags", "type": "list"}, "old": {"path": "@.x"}},
        "attributes": {**TABLE["attributes"], "id": "{@}", "time": "{at}"},
        "when": [{"path": "@", "matches": "a|1"}],
        "each": "tags[*]",
    },
    {
        **TABLE,
        "name": "within",
        "also": True,
        "data": {**TABLE["data"], "new": {"path": "text.Message.size"}, "agent": "{text.who[0]}"},
    },
)


MAPPED = Mapped(Settings(map=RULES), Origin())


def seeds() -> list[Any]:
    """Calls of every line that the tests have, every shape, and a record for the rules."""
    calls = [call(n, TERRAFORM, name, request, answer) for n, (name, request, answer, _) in enumerate(CALLS)]
    dns = call(0, TERRAFORM, "route53:ChangeResourceRecordSets", batch(("DELETE", RECORD_SET), ("UPSERT", RECORD_SET)))
    rules = {"items": [{"securityGroupRuleId": "sgr-1", "ipProtocol": "tcp", "fromPort": 1, "toPort": 2, "cidrIpv4": "10.0.0.0/8"}]}
    revoked = {"_return": True, "revokedSecurityGroupRuleSet": rules}
    calls += [
        call(0, TERRAFORM, "ec2:RevokeSecurityGroupIngress", {"groupId": "sg-1"}, revoked),
        call(1, TERRAFORM, "route53:ChangeResourceRecordSets", weighted(3)),
        shrunk(2, TERRAFORM, "i-1", "in response to a user request, shrinking the capacity from 7 to 6."),
        {"Records": [*sized(0, TERRAFORM, 3), desired(0, TERRAFORM, 4), launched(1, "i-1"), killed(2, "i-1"), launched(3, "i-2")]},
    ]
    shapes = [json.loads(value) for value in SHAPES.values() if value[:1] == b"{"]
    return [
        *calls,
        dns,
        *shapes,
        {"Records": fight(minutes=16)[-24:]},
        *[RECORD] * 12,
        *[{**RECORD, "text": json.dumps({"Message": json.dumps({"size": 1}), "who": ["x"]})}] * 4,
    ]


def reshaped(draw: random.Random, pool: list[Any]) -> bytes:
    """A seed with a few of its values replaced, taken away or moved."""
    value = copy.deepcopy(draw.choice(pool))
    for _ in range(draw.choice((1, 1, 2, 4))):
        inner, keys = value, []
        while isinstance(inner, dict | list) and inner and (not keys or draw.random() < 0.8):
            keys.append((inner, draw.choice(list(inner)) if isinstance(inner, dict) else draw.randrange(len(inner))))
            inner = inner[keys[-1][1]] if draw.random() < 0.9 else None
        if not keys:
            break
        holder, key = keys[-1]
        if draw.random() < 0.2:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(draw.choice(VALUES))
    depth = draw.choice((100, 480, 900))
    return json.dumps(value).replace(DEEP, "[" * depth + "1" + "]" * depth).encode("utf-8", "surrogatepass")


def mapped(data: bytes) -> list[AnyEvent | Rejection]:
    """What the rules make of it."""
    return list(MAPPED.parse(data, (), 1))


def check(data: bytes) -> Counter[str]:
    """Runs one input through both; answers what came of it. Raises whatever a bug raises."""
    came = Counter[str]()
    for name, decode in (("cloudtrail", lambda: became([data])[0]), ("json", lambda: mapped(data))):
        found = decode()
        assert found == decode(), "the same record was decoded differently"
        for item in found:
            came[f"{name} {item.reason if isinstance(item, Rejection) else type(item).__name__}"] += 1
            if isinstance(item, Rejection):
                assert item.reason in REASONS and item.detail, item
                continue
            assert 0 < len(item.id) <= 512 and 0 < len(item.source) <= 512 and len(item.resource) <= 512
            if isinstance(item, Action):
                assert 0 < len(item.agent) <= 512 and 0 < len(item.parameter) <= 512
            if not isinstance(item, Sample):
                assert decode_signal(encode_signal(item)) == item, "the event changed on its way through the signals topic"
    return came


def inputs() -> Callable[[random.Random], bytes]:
    """Draws an input: a good one with values in wrong places, or with its bytes mutated."""
    pool = seeds()
    written = [json.dumps(value).encode() for value in pool] + [value for value in SHAPES.values() if value[:1] != b"{"]
    return lambda draw: reshaped(draw, pool) if draw.random() < 0.5 else mutated(draw, written)


if __name__ == "__main__":
    sys.exit(command(__doc__, inputs(), check))
