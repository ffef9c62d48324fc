"""Fuzzes Kubernetes audit logs and Events, and Alertmanager's messages: any bytes give events or rejections, and always the same.

    python tests/fuzz_kubernetes.py                            30 s of seeded mutations of records; exits 1 on a crash
    python tests/fuzz_kubernetes.py --seconds 600 --seed 7     longer, elsewhere in the space
    python tests/fuzz_kubernetes.py --repeat FILE              runs a crash's file alone

Half of the inputs are records of a real API server with values put in wrong places, which stay JSON; the other half have their bytes
mutated. A whole log goes through the fold: a mutated line among good ones. What comes out must survive the rest of its way.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from audit_records import became
from fuzz_json import reshaped
from fuzz_otlp import mutated
from fuzzing import command
from test_kubernetes import lines
from test_kubernetes_surroundings import ALICE, HPA, audit, happened, message

from models.events import Action, AnyEvent, Sample, decode_signal, encode_signal
from models.foreign import Foreign
from models.rejection import Rejection
from streams.settings import Settings
from streams.sources.kinds import KINDS
from streams.sources.source import Origin

REASONS = {
    "not_json", "too_deep", "unknown_type", "missing_field", "wrong_type", "bad_time", "time_out_of_range", "too_large", "too_long",
}  # fmt: skip
RECORDINGS = ("a_gitops_hpa", "f_maintenance", "g_descheduler", "e_rollout")


def seeds() -> list[Any]:
    """Changes, statuses and refusals of real recordings, wrapped ones, collections, Events and alerts."""
    found: list[Any] = []
    for name in RECORDINGS:
        records = [json.loads(line) for line in lines(name)]
        found += [each for each in records if "requestObject" in each or each.get("responseStatus", {}).get("code", 200) >= 400][
            :60
        ]
    found += [{"log": json.dumps(each)} for each in found[:5]]
    found.append({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": found[:3]})
    found.append(audit(1, ALICE, "deletecollection", "configmaps/", {"items": [{"metadata": {"name": "a"}}]}))
    found.append(audit(1, HPA, "create", "events/x", happened("BackOff"), code=201))
    return [
        *found,
        happened("BackOff"),
        {"event": happened("Failed")},
        message("firing"),
        message("resolved", pod="a", namespace="b"),
    ]


AROUND = [line for line in lines("a_gitops_hpa") if b'"scale"' in line and b"ResponseComplete" in line][:4]


def check(data: bytes) -> Counter[str]:
    """Runs one input through all three; answers what came of it. Raises whatever a bug raises."""
    came = Counter[str]()
    found = became([*AROUND, data, *AROUND])[0]
    assert found == became([*AROUND, data, *AROUND])[0], "the same record was decoded differently"
    for kind in ("k8s-events", "alertmanager"):
        KINDS[kind].recognised(data)
        alone = KINDS[kind].open(Settings(), Origin()).parse(data, (), 0)
        assert alone == KINDS[kind].open(Settings(), Origin()).parse(data, (), 0)
        found += [each for each in alone if not isinstance(each, Foreign)]
    KINDS["k8s-audit"].recognised(data)
    for item in found:
        came[item.reason if isinstance(item, Rejection) else type(item).__name__] += 1
        bounded(item)
    return came


def bounded(item: AnyEvent | Rejection) -> None:
    """Within the bounds of every event, and the same after the signals topic."""
    if isinstance(item, Rejection):
        assert item.reason in REASONS and item.detail, item
        return
    assert 0 < len(item.id) <= 512 and 0 < len(item.source) <= 512 and len(item.resource) <= 512, item
    if isinstance(item, Action):
        assert 0 < len(item.agent) <= 512 and 0 < len(item.parameter) <= 512, item
    if not isinstance(item, Sample):
        assert decode_signal(encode_signal(item)) == item, "the event changed on its way through the signals topic"


def inputs() -> Callable[[random.Random], bytes]:
    """Draws an input: a good one with values in wrong places, or with its bytes mutated."""
    pool = seeds()
    written = [json.dumps(value).encode() for value in pool]
    return lambda draw: reshaped(draw, pool) if draw.random() < 0.5 else mutated(draw, written)


if __name__ == "__main__":
    sys.exit(command(__doc__, inputs(), check))
