"""Audit events written for tests, as an API server would log them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from models.events import Action, AnyEvent, Sample
from models.instants import HOUR, SECOND, format_time, parse_time
from models.rejection import Rejection
from streams.settings import Settings
from streams.sources.in_order import WAITING, translated
from streams.sources.kubernetes import Audit
from streams.sources.source import Origin

START = parse_time("2026-11-24T10:00:00Z")
HPA = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
GITOPS = "system:serviceaccount:gitops:sync"


def deployment(replicas: int, version: int, **spec: Any) -> dict[str, Any]:
    """A Deployment as the server answers it."""
    return {
        "kind": "Deployment",
        "metadata": {"name": "cart", "namespace": "shop", "resourceVersion": str(version)},
        "spec": {"replicas": replicas, **spec},
    }


def scale(replicas: int, version: int, ran: int = 0) -> dict[str, Any]:
    """A Scale as the server answers it: zeros are left out."""
    spec, status = ({"replicas": count} if count else {} for count in (replicas, ran))
    return {"kind": "Scale", "metadata": {"name": "cart", "resourceVersion": str(version)}, "spec": spec, "status": status}


def audit(
    at: float, user: str, verb: str, target: str, answer: Any = None, request: Any = None, code: int = 200, **more: Any
) -> dict[str, Any]:
    """One event, `at` seconds from the start; the target is resource/name or resource/name/subresource."""
    resource, name, subresource = [*target.split("/"), "", ""][:3]
    event = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "auditID": f"{at}-{user}-{target}",
        "stage": "ResponseComplete",
        "requestURI": f"/apis/apps/v1/namespaces/shop/{resource}/{name}",
        "verb": verb,
        "user": {"username": user},
        "sourceIPs": ["10.0.0.7"],
        "userAgent": "kubectl/v1.36.3 (linux/amd64)",
        "objectRef": {"resource": resource, "namespace": "shop", "name": name, "subresource": subresource},
        "responseStatus": {"code": code},
        "stageTimestamp": format_time(START + int(at * SECOND)),
    }
    if answer is not None:
        event["responseObject"] = answer
    if request is not None:
        event["requestObject"] = request
    return {**event, **more}


def read(
    lines: Iterable[Any], waiting: int = WAITING, domain: str = "default"
) -> tuple[list[Action], list[Rejection], Counter[str]]:
    """What a log becomes: actions, rejections, and what was passed over. Lines are bytes, or objects to be written as JSON."""
    found, counts = became(lines, waiting, domain=domain)
    return (
        [event for event in found if isinstance(event, Action)],
        [event for event in found if isinstance(event, Rejection)],
        counts,
    )


def samples(lines: Iterable[Any]) -> list[Sample]:
    """The samples that a log holds."""
    return [event for event in became(lines)[0] if isinstance(event, Sample)]


def became(
    lines: Iterable[Any], waiting: int = WAITING, pane: int = 2 * HOUR, domain: str = "default"
) -> tuple[list[AnyEvent | Rejection], Counter[str]]:
    """All that a log becomes, and what was passed over."""
    counts: Counter[str] = Counter()
    written = ((number, line if isinstance(line, bytes) else json.dumps(line).encode()) for number, line in enumerate(lines, 1))
    return [found for _, found in translated(written, Audit(Settings(), Origin(domain=domain)), pane, counts, waiting)], counts


def told(actions: Iterable[Action]) -> list[tuple[str, str, object, object]]:
    """(agent, knob, old, new) of each."""
    return [(action.agent, action.parameter, action.old, action.new) for action in actions]
