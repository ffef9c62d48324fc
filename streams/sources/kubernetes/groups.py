"""Kinds of others under the name of a built-in one: Knative's `services` beside the core's, of the same names in the same namespace."""

from __future__ import annotations

BUILT_IN = frozenset(
    {
        "configmaps", "cronjobs", "daemonsets", "deployments", "events", "horizontalpodautoscalers", "ingresses", "jobs", "namespaces",
        "nodes", "pods", "replicasets", "secrets", "services", "statefulsets",
    }
)  # fmt: skip


def in_group(resource: str, group: str) -> str:
    """The resource, with its API group where it is another's: services.serving.knative.dev."""
    foreign = resource in BUILT_IN and "." in group and not group.endswith(".k8s.io")
    return f"{resource}.{group}" if foreign else resource


def kind_said(kind: str, api_version: str) -> str:
    """The kind that an object says of another, in the same way: `Service` of serving.knative.dev/v1 is service.serving.knative.dev."""
    said = kind.lower()
    group = api_version.rpartition("/")[0]
    plural = f"{said}es" if said.endswith("s") else f"{said}s"
    return f"{said}.{group}" if in_group(plural, group) != plural else said
