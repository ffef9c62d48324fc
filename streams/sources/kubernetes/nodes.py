"""Nodes that are being emptied: whoever leaves one says nothing against having been placed there.

A cordon says so (`kubectl drain`), or the taint of an autoscaler that takes the node away: Karpenter and cluster-autoscaler set no cordon.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.events import Value
from streams.sources.kubernetes.record import Json, Object

CORDON, TAINTS = "spec.unschedulable", "spec.taints"
LEAVING = (
    "ToBeDeletedByClusterAutoscaler=",
    "karpenter.sh/disrupted=",
    "karpenter.sh/disruption=",
    "aws-node-termination-handler/",
    "cloud.google.com/impending-node-termination=",
)
MIRRORED = (
    "node.kubernetes.io/",
    "node.cloudprovider.kubernetes.io/",
)  # what the node controller copies from a cordon or a condition


def without_mirrored(spec: Object) -> Object:
    """A node's spec without the taints that only repeat what its cordon and its conditions say: no knob of anybody."""
    taints = spec.get("taints")
    if not isinstance(taints, list):
        return spec
    kept: list[Json] = [each for each in taints if not (isinstance(each, dict) and str(each.get("key")).startswith(MIRRORED))]
    rest: Object = {key: value for key, value in spec.items() if key != "taints"}
    return {**rest, "taints": kept} if kept else rest


def is_emptied(knobs: Mapping[str, Value]) -> bool:
    """By a node's knobs."""
    taints = knobs.get(TAINTS)
    members = taints if isinstance(taints, tuple) else ()
    return knobs.get(CORDON) is True or any(str(member).startswith(LEAVING) for member in members)
