"""What depends on what, from the objects themselves: Ingresses on backends, Services on what they select, workloads on autoscalers.

ingress -> service       its backends                 load travels there, failure and latency travel back
service -> workload      its selector meets the labels of the workload's pods
workload -> autoscaler   the autoscaler's target
object -> owner          owner references, of what lasts
"""

from __future__ import annotations

from collections.abc import Iterator

from models.events import Dependency
from streams.sources.kubernetes.groups import kind_said
from streams.sources.kubernetes.naming import kind_of, resource_name
from streams.sources.kubernetes.record import Json, Object
from streams.sources.source import Origin

MOST = 20_000  # objects whose dependencies, selectors or labels are remembered; the oldest go first
WORKLOADS = frozenset({"deployments", "statefulsets", "daemonsets", "rollouts"})
AUTOSCALERS = frozenset({"horizontalpodautoscalers", "scaledobjects", "verticalpodautoscalers"})
ROUTES = frozenset({"ingresses", "httproutes", "grpcroutes", "tcproutes", "tlsroutes"})
LASTING = (
    WORKLOADS | AUTOSCALERS | ROUTES | {"services", "cronjobs", "poddisruptionbudgets"}
)  # not pods, jobs, machines under ever new names
_Edge = tuple[str, str, str]  # dependent, dependency, relation


class Dependencies:
    """Of one cluster, told when they change."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._edges: dict[str, frozenset[_Edge]] = {}  # by the object that says so
        self._selectors: dict[str, dict[str, dict[str, str]]] = {}  # namespace -> service -> its selector
        self._labels: dict[str, dict[str, dict[str, str]]] = {}  # namespace -> workload -> its pods' labels

    def seen(self, resource: str, namespace: str, name: str, obj: Object, time: int, audit_id: str) -> list[Dependency]:
        """An object as it is now; `obj` is empty where it is gone."""
        own = self._name(namespace, kind_of(resource), name)
        if resource == "services" or resource in WORKLOADS:
            found = self._by_selector(resource, namespace, own, obj)
        else:
            found = {}
        found[own] = frozenset(self._direct(resource, namespace, own, obj))
        told: list[Dependency] = []
        for source, edges in found.items():
            told += self._differences(source, edges, time, audit_id)
        return told

    def _direct(self, resource: str, namespace: str, own: str, obj: Object) -> Iterator[_Edge]:
        spec = _dict(obj.get("spec"))
        if resource in ROUTES:
            for service in sorted(set(_services(spec))):
                yield own, self._name(namespace, "service", service), "routes"
        elif resource in AUTOSCALERS:
            target = _dict(spec.get("scaleTargetRef") or spec.get("targetRef"))
            if target.get("name"):
                kind = str(target.get("kind") or "Deployment").lower()
                yield self._name(namespace, kind, str(target["name"])), own, "scaled by"
        if resource in LASTING:
            owners = _dict(obj.get("metadata")).get("ownerReferences")
            for owner in owners if isinstance(owners, list) else ():
                said = _dict(owner)
                kind, name = kind_said(str(said.get("kind") or ""), str(said.get("apiVersion") or "")), str(said.get("name") or "")
                if kind and name:
                    yield own, self._name("" if kind == "node" else namespace, kind, name), "owned by"

    def _by_selector(self, resource: str, namespace: str, own: str, obj: Object) -> dict[str, frozenset[_Edge]]:
        """The edges of every service that the object concerns: of itself, or of those that select it."""
        selectors, labels = self._selectors.setdefault(namespace, {}), self._labels.setdefault(namespace, {})
        spec = _dict(obj.get("spec"))
        known = selectors if resource == "services" else labels
        told = spec.get("selector") if resource == "services" else _dict(_dict(spec.get("template")).get("metadata")).get("labels")
        before = known.pop(own, {})
        now = {key: value for key, value in _dict(told).items() if isinstance(value, str)}
        if now:
            known[own] = now
        if now == before:
            return {}
        while len(known) > MOST:
            del known[next(iter(known))]
        concerned = (
            {own}
            if resource == "services"
            else {name for name, each in selectors.items() if _meets(each, before) or _meets(each, now)}
        )
        return {
            f"{service} selects": frozenset(
                (service, workload, "selects") for workload, pods in labels.items() if _meets(selectors.get(service, {}), pods)
            )
            for service in sorted(concerned)
        }

    def _differences(self, source: str, edges: frozenset[_Edge], time: int, audit_id: str) -> Iterator[Dependency]:
        before = self._edges.pop(source, frozenset())
        if edges:
            self._edges[source] = edges
        while len(self._edges) > MOST:
            del self._edges[next(iter(self._edges))]
        for dependent, dependency, relation in sorted(edges ^ before):
            yield Dependency(
                time=time,
                source=f"k8s/{self._origin.cluster}/objects",
                id=f"{audit_id}#{dependent} {dependency}"[:512],
                domain=self._origin.domain,
                resource=dependent,
                dependent=dependent,
                dependency=dependency,
                relation=relation,
                removed=(dependent, dependency, relation) in before,
            )

    def _name(self, namespace: str, kind: str, name: str) -> str:
        return resource_name(self._origin.cluster, namespace, kind, name[:253])


def _services(spec: Object) -> Iterator[str]:
    """Names of the services that an Ingress or a route of the Gateway API leads to."""
    waiting: list[Json] = [spec]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            service = value.get("service")
            if isinstance(service, dict) and isinstance(service.get("name"), str):
                yield str(service["name"])
            if isinstance(value.get("serviceName"), str):
                yield str(value["serviceName"])
            refs = value.get("backendRefs")
            for ref in refs if isinstance(refs, list) else ():
                if isinstance(_dict(ref).get("name"), str) and _dict(ref).get("kind", "Service") == "Service":
                    yield str(_dict(ref)["name"])
            waiting += [inner for key, inner in value.items() if key in ("rules", "http", "paths", "backend", "defaultBackend")]


def _meets(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


def _dict(value: Json) -> Object:
    return value if isinstance(value, dict) else {}
