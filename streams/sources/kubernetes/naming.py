"""Kubernetes objects as resources, `k8s/<cluster>/<namespace>/<kind>/<name>` (`-` for no namespace), and whose they are."""

from __future__ import annotations

import re

from streams.sources.kubernetes.groups import kind_said
from streams.sources.kubernetes.record import Json, Object

NO_NAMESPACE = "-"
_KINDS = {
    "endpoints": "endpoints", "ingresses": "ingress", "storageclasses": "storageclass", "networkpolicies": "networkpolicy",
    "prometheuses": "prometheus", "eventbus": "eventbus", "redis": "redis",
}  # fmt: skip
MADE_BY = {  # the label that tells which ReplicaSet a pod is of -> what made the ReplicaSet
    "pod-template-hash": "deployment",
    "rollouts-pod-template-hash": "rollout",  # Argo Rollouts
}
# What the server appends to names it makes up has neither vowels nor the digits 0, 1 and 3 (k8s.io/apimachinery/pkg/util/rand).
_POD = re.compile(r"^(.+)-[bcdfghjklmnpqrstvwxz2456789]{5}$")
_REPLICA_SET = re.compile(r"^(.+)-[bcdfghjklmnpqrstvwxz2456789]{6,10}$")
_ORDINAL = re.compile(r"^(.+)-\d+$")


def kind_of(resource: str) -> str:
    """deployments -> deployment, ingresses -> ingress, services.serving.knative.dev -> service.serving.knative.dev."""
    plural, dot, group = resource.partition(".")
    return _singular(plural) + dot + group


def _singular(resource: str) -> str:
    if resource in _KINDS:
        return _KINDS[resource]
    if resource.endswith("ies"):
        return resource[:-3] + "y"
    return resource[:-2] if resource.endswith(("sses", "xes", "ches")) else resource.removesuffix("s")


def resource_name(cluster: str, namespace: str, kind: str, name: str) -> str:
    """The resource; every part is there."""
    return f"k8s/{cluster}/{namespace or NO_NAMESPACE}/{kind}/{name}"


def controller_of(obj: Object) -> tuple[str, str] | None:
    """(kind, name) of the object that controls this one, by its owner references; the label tells the Deployment of a ReplicaSet's pod."""
    meta = obj.get("metadata")
    if not isinstance(meta, dict):
        return None
    refs, labels = meta.get("ownerReferences"), meta.get("labels")
    for ref in refs if isinstance(refs, list) else ():
        if isinstance(ref, dict) and ref.get("controller") is True:
            kind, name = kind_said(str(ref.get("kind") or ""), str(ref.get("apiVersion") or "")), str(ref.get("name") or "")
            return _above(kind, name, labels) if kind and name else None
    return None


def controller_by_name(pod: str) -> tuple[str, str] | None:
    """The workload of a pod of which no more than the name is known."""
    if plain := _POD.match(pod):
        if above := _REPLICA_SET.match(plain[1]):
            return "deployment", above[1]
        return "workload", plain[1]
    ordinal = _ORDINAL.match(pod)
    return ("statefulset", ordinal[1]) if ordinal else None


def controller_of_set(replica_set: str) -> tuple[str, str]:
    """The Deployment of a ReplicaSet of which no more than the name is known; itself where nobody made that up."""
    above = _REPLICA_SET.match(replica_set)
    return ("deployment", above[1]) if above else ("replicaset", replica_set)


def _above(kind: str, name: str, labels: Json) -> tuple[str, str]:
    for label, above in MADE_BY.items():
        digest = labels.get(label) if isinstance(labels, dict) else None
        if kind == "replicaset" and isinstance(digest, str) and digest and name.endswith(f"-{digest}"):
            return above, name[: -len(digest) - 1]
    return kind, name
