"""Which controller wrote: from the user name, and the user agent where many tools share one. The table is data; names are stable.

A service account that is not in the table is `<namespace>/<name>`; whoever is no part of the system is a person or a bot with a
certificate or token of their own: `user/<name>`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

import msgspec

from streams.settings import AgentName
from streams.sources.kubernetes.record import Record

Part: TypeAlias = Literal["", "plan", "node"]
SERVICE_ACCOUNT = "system:serviceaccount:"
MOST_KNOWN = 10_000  # pairs of user and user agent whose name is remembered
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
    "endpoint-controller": ("endpoint-controller", "plan"),
    "endpointslice-controller": ("endpointslice-controller", "plan"),
    "attachdetach-controller": ("attachdetach-controller", "plan"),
    "persistent-volume-binder": ("persistent-volume-binder", "plan"),
    "pvc-protection-controller": ("pvc-protection-controller", "plan"),
    "pv-protection-controller": ("pv-protection-controller", "plan"),
    "service-account-controller": ("service-account-controller", "plan"),
    "disruption-controller": ("disruption-controller", "plan"),
    "clusterrole-aggregation-controller": ("clusterrole-aggregation-controller", "plan"),
    "resourcequota-controller": ("resourcequota-controller", "plan"),
    "node-controller": ("node-controller", "plan"),
    "taint-eviction-controller": ("taint-eviction-controller", "plan"),
    "kwok-controller": ("kwok", "node"),
    "descheduler-sa": ("descheduler", ""),
    "descheduler": ("descheduler", ""),
    "argocd-application-controller": ("argocd-application-controller", ""),
    "argocd-applicationset-controller": ("argocd-applicationset-controller", ""),
    "argocd-server": ("argocd-server", ""),
    "argo-rollouts": ("argo-rollouts", ""),
    "argocd-image-updater": ("argocd-image-updater", ""),
    "kustomize-controller": ("kustomize-controller", ""),
    "helm-controller": ("helm-controller", ""),
    "source-controller": ("source-controller", ""),
    "image-automation-controller": ("image-automation-controller", ""),
    "flagger": ("flagger", ""),
    "keda-operator": ("keda", ""),
    "karpenter": ("karpenter", ""),
    "cluster-autoscaler": ("cluster-autoscaler", ""),
    "cluster-autoscaler-aws-cluster-autoscaler": ("cluster-autoscaler", ""),
    "vpa-updater": ("vpa-updater", ""),
    "vpa-recommender": ("vpa-recommender", ""),
    "vpa-admission-controller": ("vpa-admission-controller", ""),
    "goldilocks-controller": ("goldilocks", ""),
    "external-dns": ("external-dns", ""),
    "cert-manager": ("cert-manager", ""),
    "ingress-nginx": ("ingress-nginx", ""),
    "aws-load-balancer-controller": ("aws-load-balancer-controller", ""),
    "tiller": ("helm", ""),
    "gitlab-runner": ("gitlab-runner", ""),
    "jenkins": ("jenkins", ""),
    "kured": ("kured", ""),
    "kube-downscaler": ("kube-downscaler", ""),
    "reloader": ("reloader", ""),
}
OF_A_TEAM = frozenset(  # a cluster may have several, which may fight: outside of its usual namespace one is named with its own
    {
        "argocd-application-controller", "argocd-applicationset-controller", "argocd-server", "argocd-image-updater",
        "kustomize-controller", "helm-controller", "tiller", "gitlab-runner", "jenkins",
    }
)  # fmt: skip
HOMES = "kube-system", "flux-system", "openshift-gitops"
USERS: dict[str, tuple[str, Part]] = {
    "system:kube-scheduler": ("kube-scheduler", ""),
    "system:kube-controller-manager": ("kube-controller-manager", "plan"),
    "system:cluster-autoscaler": ("cluster-autoscaler", ""),
    "system:apiserver": ("kube-apiserver", "plan"),
}
MANAGER = "system:kube-controller-manager"
CONTROLLERS = "-controller", "-autoscaler", "-collector", "-publisher"
BUILT_IN = "kube-system"  # whose service accounts need no namespace before the name
NODE = "system:node:"


MANAGED = "eks:", "aks-", "gke-", "system:gke-", "system:cloud-controller-manager"  # what the provider itself runs
_ROLE = re.compile(r"arn:aws[a-z-]*:sts::\d+:assumed-role/([^/]+)/(.+)")  # how EKS names who has assumed a role
GOOGLE = ".iam.gserviceaccount.com"
CERTIFICATES = "kubernetes-admin", "kubernetes-super-admin", "masterclient", "clusterAdmin", "admin"
TOOLS: dict[str, str] = {  # programs that many people and bots share one credential for: the agent is the program
    "argocd-application-controller": "argocd-application-controller",
    "kustomize-controller": "kustomize-controller",
    "helm-controller": "helm-controller",
    "keda": "keda",
    "keda-operator": "keda",
    "karpenter": "karpenter",
    "cluster-autoscaler": "cluster-autoscaler",
    "descheduler": "descheduler",
    "external-dns": "external-dns",
    "terraform-provider-kubernetes": "terraform",
    "HashiCorp": "terraform",
    "Terraform": "terraform",
    "pulumi-kubernetes": "pulumi",
    "pulumi-resource-kubernetes": "pulumi",
    "GitHub-Actions": "github-actions",
    "gitlab-runner": "gitlab-runner",
    "helm": "helm",
    "Helm": "helm",
}


class Agents:
    """The table, and above it the names of the operator's own (`[[agent]]`)."""

    def __init__(self, named: Sequence[AgentName] = ()) -> None:
        self._named = named
        self._known: dict[tuple[str, str], tuple[str, Part]] = {}

    def agent_of(self, record: Record) -> Agent:
        """Who wrote. With impersonation it is who was acted for; the instance stays the process that asked."""
        asked = record.user
        acting = record.impersonated_user or asked
        tool = record.user_agent.split("/", 1)[0].split(" ", 1)[0]
        name, part = self._name(acting.username, record.user_agent, tool)
        pod = (asked.extra or {}).get(POD_NAME, [])
        where = pod[0] if pod else (record.source_ips[0] if record.source_ips else "")
        if acting.username.startswith(NODE):
            where = acting.username.removeprefix(NODE)
        instance = "/".join(text for text in (name, tool if tool not in name else "", where) if text)
        return Agent(name, instance[:256], part)

    def _name(self, username: str, user_agent: str, tool: str) -> tuple[str, Part]:
        key = (username, user_agent[:512])
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            found = self._known[key] = self._looked_up(username, user_agent, tool)
        return found

    def _looked_up(self, username: str, user_agent: str, tool: str) -> tuple[str, Part]:
        for each in self._named:
            if fnmatchcase(username, each.user) and fnmatchcase(user_agent, each.user_agent):
                return each.name, ""
        if username == MANAGER:  # all its controllers under one credential: the program's own name is followed by the controller's
            username = (
                SERVICE_ACCOUNT + f"{BUILT_IN}:{user_agent.rpartition('/')[2]}" if user_agent.endswith(CONTROLLERS) else username
            )
        return _named(username, tool)


def _named(username: str, tool: str) -> tuple[str, Part]:
    if username in USERS:
        return USERS[username]
    if username.startswith(NODE):
        return "kubelet", "node"
    if username.startswith(SERVICE_ACCOUNT):
        namespace, _, account = username.removeprefix(SERVICE_ACCOUNT).partition(":")
        if account in ACCOUNTS and (namespace == BUILT_IN or ACCOUNTS[account][1] == ""):
            name, part = ACCOUNTS[account]
            own = account in OF_A_TEAM and namespace not in HOMES and not account.startswith(namespace)
            return (f"{namespace}/{name}" if own else name), part
        if account == "default" and tool in TOOLS:
            return f"{namespace}/{TOOLS[tool]}", ""
        return (account if namespace == BUILT_IN else f"{namespace}/{account}"), ""
    if username.startswith(MANAGED):
        return username.removeprefix("system:"), ""
    if username.startswith("system:"):
        return username.removeprefix("system:") or "unknown", ""
    if tool in TOOLS and (username in CERTIFICATES or username.endswith(("-bot", "[bot]"))):
        return TOOLS[tool], ""
    if role := _ROLE.match(username):
        return (f"user/{role[2]}" if "@" in role[2] else f"role/{role[1]}"), ""  # sessions of programs have ever new names
    if username.endswith(GOOGLE):
        return username.removesuffix(GOOGLE), ""
    return f"user/{username or 'unknown'}", ""
