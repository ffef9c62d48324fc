"""Which controller wrote: from the user name, and the user agent where many tools share one. The table is data; names are stable.

A service account that is not in the table is `<namespace>/<name>`; whoever is no part of the system is a person or a bot with a
certificate or token of their own: `user/<name>`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from streams.sources.kubernetes.record import Record

Part: TypeAlias = Literal["", "plan", "node"]
SERVICE_ACCOUNT = "system:serviceaccount:"
POD_NAME = "authentication.kubernetes.io/pod-name"


class Agent(msgspec.Struct, frozen=True):
    """`name` is the controller, `instance` the process. `part` is "plan" for one that only carries out what another object says."""

    name: str
    instance: str
    part: Part


# Service account -> controller. A "plan" controller makes and ends the objects that a workload asks for: derived from another's write.
ACCOUNTS: dict[str, tuple[str, Part]] = {
    "deployment-controller": ("deployment-controller", "plan"),
    "replicaset-controller": ("replicaset-controller", "plan"),
    "replication-controller": ("replication-controller", "plan"),
    "statefulset-controller": ("statefulset-controller", "plan"),
    "daemon-set-controller": ("daemon-set-controller", "plan"),
    "job-controller": ("job-controller", "plan"),
    "cronjob-controller": ("cronjob-controller", "plan"),
    "generic-garbage-collector": ("garbage-collector", "plan"),
    "namespace-controller": ("namespace-controller", "plan"),
    "ttl-after-finished-controller": ("ttl-after-finished-controller", "plan"),
    "root-ca-cert-publisher": ("root-ca-cert-publisher", "plan"),
    "pod-garbage-collector": ("pod-garbage-collector", "plan"),
    "kwok-controller": ("kwok", "node"),
    "descheduler-sa": ("descheduler", ""),
    "descheduler": ("descheduler", ""),
    "argocd-application-controller": ("argocd-application-controller", ""),
    "kustomize-controller": ("kustomize-controller", ""),
    "helm-controller": ("helm-controller", ""),
    "keda-operator": ("keda", ""),
    "karpenter": ("karpenter", ""),
    "cluster-autoscaler": ("cluster-autoscaler", ""),
    "vpa-updater": ("vpa-updater", ""),
    "vpa-recommender": ("vpa-recommender", ""),
    "external-dns": ("external-dns", ""),
}
USERS: dict[str, tuple[str, Part]] = {
    "system:kube-scheduler": ("kube-scheduler", ""),
    "system:kube-controller-manager": ("kube-controller-manager", "plan"),
    "system:apiserver": ("kube-apiserver", "plan"),
}
BUILT_IN = "kube-system"  # whose service accounts need no namespace before the name
NODE = "system:node:"


def agent_of(record: Record) -> Agent:
    """Who wrote. With impersonation it is who was acted for; the instance stays the process that asked."""
    asked = record.user
    acting = record.impersonated_user or asked
    name, part = _named(acting.username)
    pod = (asked.extra or {}).get(POD_NAME, [])
    where = pod[0] if pod else (record.source_ips[0] if record.source_ips else "")
    if acting.username.startswith(NODE):
        where = acting.username.removeprefix(NODE)
    tool = record.user_agent.split("/", 1)[0].split(" ", 1)[0]
    instance = "/".join(text for text in (name, tool if tool not in name else "", where) if text)
    return Agent(name, instance[:256], part)


def _named(username: str) -> tuple[str, Part]:
    if username in USERS:
        return USERS[username]
    if username.startswith(NODE):
        return "kubelet", "node"
    if username.startswith(SERVICE_ACCOUNT):
        namespace, _, account = username.removeprefix(SERVICE_ACCOUNT).partition(":")
        if account in ACCOUNTS and (namespace == BUILT_IN or ACCOUNTS[account][1] == ""):
            return ACCOUNTS[account]
        return (account if namespace == BUILT_IN else f"{namespace}/{account}"), ""
    if username.startswith("system:"):
        return username.removeprefix("system:") or "unknown", ""
    return f"user/{username or 'unknown'}", ""
