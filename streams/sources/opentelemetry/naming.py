"""What an OpenTelemetry resource, or a peer that a span names, is called (docs/naming.md), and who writes its telemetry."""

from __future__ import annotations

import re
from hashlib import blake2b

import msgspec

from streams.sources.kubernetes.naming import NO_NAMESPACE, controller_by_name, controller_of_set, resource_name
from streams.sources.opentelemetry.templates import as_text
from streams.sources.opentelemetry.values import Attributes, Json
from streams.sources.secrets import without_secrets

NAME_LIMIT = 512  # characters, as for every event
_OBJECTS = {  # by the word in k8s.<word>.name: the kind
    "deployment": "deployment", "statefulset": "statefulset", "daemonset": "daemonset", "cronjob": "cronjob", "job": "job",
    "hpa": "horizontalpodautoscaler",
}  # fmt: skip
_ARN = re.compile(r"arn:[^:]*:([^:]+):([^:]*):([^:]*):(.+)")
_SERVICE_DNS = re.compile(r"^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\.|$)")


class Entity(msgspec.Struct, frozen=True):
    """What telemetry is of: OpenTelemetry's Resource with its names."""

    attributes: Attributes
    resource: str  # how events name it
    source: str  # the process that wrote, "otel/<namespace>/<service>/<instance>"
    service: str  # service.name, an agent's name where nothing says another
    cluster: str


def bounded(name: str) -> str:
    """A name that fits: the end of a longer one is its hash, so that two stay two."""
    if len(name) <= NAME_LIMIT:
        return name
    return f"{name[: NAME_LIMIT - 17]}~{blake2b(name.encode(errors='surrogatepass'), digest_size=8).hexdigest()}"


def text(value: Json) -> str:
    """An attribute as text; "" where there is none."""
    if isinstance(value, str):
        return value
    return "" if value is None else as_text(value)


def entity_of(attributes: Attributes, cluster: str) -> Entity:
    """The names of one process, from the attributes of its Resource. `cluster` is the name where they do not say it."""
    service = text(attributes.get("service.name")) or "unknown_service"
    named = text(attributes.get("k8s.cluster.name")) or cluster
    instance = next(
        (text(attributes[key]) for key in ("service.instance.id", "k8s.pod.name", "host.name") if attributes.get(key)), "-"
    )
    namespace = text(attributes.get("service.namespace"))
    source = "/".join(part for part in ("otel", namespace, service, instance) if part)
    return Entity(attributes, bounded(_resource(attributes, named, service)), bounded(source), bounded(service), named)


def _resource(attributes: Attributes, cluster: str, service: str) -> str:
    return (
        _kubernetes(attributes, cluster)
        or _aws(attributes)
        or (_service(text(attributes.get("service.namespace")), service) if attributes.get("service.name") else "")
        or _machine(attributes, cluster)
        or _service("", service)
    )


def _service(namespace: str, name: str) -> str:
    return f"service/{namespace}/{name}" if namespace else f"service/{name}"


def _kubernetes(attributes: Attributes, cluster: str) -> str:
    namespace = text(attributes.get("k8s.namespace.name"))
    for word, kind in _OBJECTS.items():
        if name := text(attributes.get(f"k8s.{word}.name")):
            return resource_name(cluster, namespace, kind, name)
    if name := text(attributes.get("k8s.replicaset.name")):
        return resource_name(cluster, namespace, *controller_of_set(name))
    if pod := text(attributes.get("k8s.pod.name")):
        kind, name = controller_by_name(pod) or ("pod", pod)
        return resource_name(cluster, namespace, kind, name)
    return ""


def _aws(attributes: Attributes) -> str:
    if attributes.get("cloud.provider") != "aws":
        return ""
    if arn := _ARN.fullmatch(text(attributes.get("cloud.resource_id"))):
        service, region, account, identity = arn.groups()
        return f"aws/{account or NO_NAMESPACE}/{region or NO_NAMESPACE}/{service}/{identity.replace(':', '/')}"
    account, region = text(attributes.get("cloud.account.id")) or NO_NAMESPACE, text(attributes.get("cloud.region")) or NO_NAMESPACE
    if name := text(attributes.get("faas.name")):
        return f"aws/{account}/{region}/lambda/function/{name}"
    if name := text(attributes.get("aws.ecs.service.name")):
        cluster = text(attributes.get("aws.ecs.cluster.arn")).rpartition("/")[2] or "default"
        return f"aws/{account}/{region}/ecs/service/{cluster}/{name}"
    return ""


def _machine(attributes: Attributes, cluster: str) -> str:
    if node := text(attributes.get("k8s.node.name")):
        return resource_name(cluster, "", "node", node)
    if host := text(attributes.get("host.name")):
        return f"host/{host}"
    namespace = text(attributes.get("k8s.namespace.name"))
    return resource_name(cluster, "", "namespace", namespace) if namespace else ""


def peer_of(attributes: Attributes, entity: Entity) -> tuple[str, str]:
    """(what the other side of a client's or producer's span is called, the relation); ("", "") where the span does not say.

    Some drivers put a whole connection string, with its password, into `db.namespace`."""
    name, relation = _peer(attributes, entity)
    return without_secrets(name), relation


def _peer(attributes: Attributes, entity: Entity) -> tuple[str, str]:
    system = text(attributes.get("messaging.system"))
    if system:
        destination = text(attributes.get("messaging.destination.name"))
        return (bounded(f"messaging/{system}/{destination}"), "publishes") if destination else ("", "")
    address = text(attributes.get("server.address")) or text(attributes.get("net.peer.name"))
    system = text(attributes.get("db.system.name")) or text(attributes.get("db.system"))
    if system:
        database = text(attributes.get("db.namespace")) or text(attributes.get("db.name"))
        return bounded(f"db/{system}/{address or NO_NAMESPACE}/{database or NO_NAMESPACE}"), "calls"
    if name := text(attributes.get("service.peer.name")) or text(attributes.get("peer.service")):
        return bounded(_service(text(attributes.get("service.peer.namespace")), name)), "calls"
    if dns := _SERVICE_DNS.match(address):
        return bounded(resource_name(entity.cluster, dns[2], "service", dns[1])), "calls"
    return (bounded(f"host/{address}"), "calls") if address else ("", "")
