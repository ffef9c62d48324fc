"""The knobs of a Kubernetes object: the leaves below `spec` (or the hashes of what `data` holds) as {path: value}.

    {"spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "app", "image": "a:1"}]}}}}
        ->  {"spec.replicas": 3, "spec.template.spec.containers[app].image": "a:1"}

Lists of named things are taken by name, other lists are sets of members. What may hold a secret (environment, arguments, the content of
ConfigMaps and Secrets) is told as a hash, never as it is.
"""

from __future__ import annotations

import re
import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import msgspec

from models.events import Scalar, Value
from streams.sources.kubernetes.nodes import without_mirrored
from streams.sources.kubernetes.quantities import canonical
from streams.sources.kubernetes.record import Json, Object
from streams.sources.secrets import NAMED, POINTERS, hashed

Knobs = dict[str, Value]

DEEPEST = 24  # levels below spec; what is deeper is one leaf
LEAVES = 2000  # of one object; a larger one (the schema of a custom resource) is one knob, told as a hash
MEMBERS = 500  # of one set; a larger one is told as a hash
TEXT = 512  # characters; longer ones are told as a hash
OPAQUE = frozenset({"args", "command", "env", "value", "data", "binaryData", "stringData", "postStart", "preStop", "exec"})
AMOUNTS = frozenset({"requests", "limits", "hard", "minAllowed", "maxAllowed", "overhead"})  # fields whose members are quantities
CREDENTIAL = re.compile(r"://[^/\s]*@|[?&](?:[^=&\s]*(?:token|key|secret|sig|passw)[^=&\s]*)=|hooks\.", re.I)
CONTENT = frozenset({"configmaps", "secrets"})
GATEWAY = frozenset({"httproutes", "grpcroutes", "tcproutes", "tlsroutes"})
WITHOUT_SPEC: dict[str, tuple[str, ...]] = {  # kinds that say beside `metadata` what they want
    "clusterroles": ("rules", "aggregationRule"),
    "mutatingwebhookconfigurations": ("webhooks",),
    "priorityclasses": ("value", "preemptionPolicy"),
    "roles": ("rules",),
    "storageclasses": ("allowVolumeExpansion",),
    "validatingwebhookconfigurations": ("webhooks",),
}
REFERENCES: dict[str, tuple[str, ...]] = {  # sets of other objects, beside `metadata`
    "clusterrolebindings": ("subjects",),
    "rolebindings": ("subjects",),
    "serviceaccounts": ("secrets", "imagePullSecrets"),
}
ROUTED = frozenset({"rules", "defaultBackend", "backend"})  # of an Ingress: which backends it leads to
REPLICAS = "spec.replicas"
_INTEGERS = 1 << 63


def knobs_of(resource: str, obj: Object) -> Knobs:
    """Every knob of an object, by path. A scale to zero leaves `replicas` out, and so it is set here."""
    if resource in CONTENT:
        return {path: value for part in ("data", "binaryData", "stringData") for path, value in _content(part, obj.get(part))}
    if resource in REFERENCES:
        parts = (part for part in REFERENCES[resource] if part in obj)
        return {part: tuple(sorted({_subject(each) for each in _listed(obj[part])})) for part in parts}
    if resource in WITHOUT_SPEC:
        return {path: value for part in WITHOUT_SPEC[resource] if part in obj for path, value in _leaves(part, obj[part], 0, False)}
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return {}
    if resource == "nodes":
        spec = without_mirrored(spec)
    if resource == "ingresses":
        rest: Object = {key: value for key, value in spec.items() if key not in ROUTED}
        routed = {"spec.backends": tuple(sorted(_backends(spec)))} if len(rest) < len(spec) else {}
        return {**dict(_leaves("spec", rest, 0, False)), **routed}
    if resource in GATEWAY:
        spec = {**spec, "rules": {f"{number}": _rule(rule) for number, rule in enumerate(_listed(spec.get("rules")))}}
    found = {sys.intern(path): value for path, value in _leaves("spec", spec, 0, False)}  # many objects have the same paths
    if len(found) > LEAVES:
        return {"spec": hashed(spec)}
    if obj.get("kind") == "Scale":
        return {REPLICAS: found.get(REPLICAS, 0)}
    return found


def named_by(resource: str, patch: Json) -> set[str]:
    """The paths that a request's body names: a merge, strategic or apply patch is a partial object, a JSON patch a list of places."""
    if isinstance(patch, dict):
        return set(knobs_of(resource, patch))
    paths: set[str] = set()
    for step in patch if isinstance(patch, list) else ():
        place = step.get("path") if isinstance(step, dict) and step.get("op") != "test" else None
        if isinstance(place, str):
            paths.add(".".join(part.replace("~1", "/").replace("~0", "~") for part in place.strip("/").split("/")))
    return paths


class Reading:
    """The same, and the labels and annotations that the operator says are knobs, by globs over their keys."""

    def __init__(self, metadata: Sequence[str] = ()) -> None:
        self._metadata = metadata

    def of(self, resource: str, obj: Object) -> Knobs:
        """See `knobs_of`."""
        found = knobs_of(resource, obj)
        return {**found, **dict(self._labels(obj))} if self._metadata else found

    def named_by(self, resource: str, patch: Json) -> set[str]:
        """See `named_by`."""
        found = named_by(resource, patch)
        return found | {path for path, _ in self._labels(patch)} if self._metadata and isinstance(patch, dict) else found

    def _labels(self, obj: Object) -> Iterator[tuple[str, Value]]:
        meta = obj.get("metadata")
        for part in ("labels", "annotations"):
            values = meta.get(part) if isinstance(meta, dict) else None
            for key, value in values.items() if isinstance(values, dict) else ():
                if isinstance(value, str) and any(fnmatchcase(key, glob) for glob in self._metadata):
                    yield f"metadata.{part}[{key[:253]}]", _short(value)


def _content(part: str, data: Json) -> Iterator[tuple[str, Value]]:
    """`stringData` is what a Secret's `data` will be, before the server encodes it."""
    for key, value in data.items() if isinstance(data, dict) else ():
        if part == "stringData" and isinstance(value, str):
            value = b64encode(value.encode(errors="replace")).decode()
        yield f"{'data' if part == 'stringData' else part}[{key[:253]}]", hashed(value) if value is not None else None


def _backends(spec: Object) -> Iterator[str]:
    """host/path -> service:port, of every rule and of the default."""
    rules = spec.get("rules")
    for rule in rules if isinstance(rules, list) else ():
        http = rule.get("http") if isinstance(rule, dict) else None
        paths = http.get("paths") if isinstance(http, dict) else None
        for path in paths if isinstance(paths, list) else ():
            if isinstance(rule, dict) and isinstance(path, dict):
                yield _short(f"{rule.get('host') or '*'}{path.get('path') or '/'} -> {_service(path.get('backend'))}")
    default = spec.get("defaultBackend") or spec.get("backend")
    if default:
        yield _short(f"* -> {_service(default)}")


def _subject(subject: Json) -> str:
    """Of a role binding: ServiceAccount ci/deployer, User alice; of a service account the name of a Secret."""
    if not isinstance(subject, dict):
        return "?"
    namespace = f"{subject['namespace']}/" if subject.get("namespace") else ""
    return _short(f"{subject.get('kind') or ''} {namespace}{subject.get('name')}".lstrip())


def _rule(rule: Json) -> Json:
    """A rule of a Gateway route, its backends by name: their weights are knobs."""
    if not isinstance(rule, dict) or not isinstance(rule.get("backendRefs"), list):
        return rule
    named: list[Json] = []
    for ref in _listed(rule["backendRefs"]):
        if isinstance(ref, dict):
            port = f":{ref['port']}" if "port" in ref else ""
            named.append({"name": f"{ref.get('name')}{port}", "weight": ref.get("weight", 1)})
    return {**rule, "backendRefs": named}


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _service(backend: Json) -> str:
    if not isinstance(backend, dict):
        return "?"
    service = backend.get("service")
    if isinstance(service, dict):
        port = service.get("port")
        number = (port.get("number") or port.get("name")) if isinstance(port, dict) else ""
        return f"{service.get('name')}:{number}"
    if "serviceName" in backend:
        return f"{backend.get('serviceName')}:{backend.get('servicePort')}"
    return hashed(backend)


def _leaves(path: str, value: Json, depth: int, opaque: bool, key: str = "", amount: bool = False) -> Iterator[tuple[str, Value]]:
    if depth > DEEPEST or len(path) > TEXT - 100:
        yield path[:TEXT], hashed(value)
    elif isinstance(value, dict):
        if value and all(isinstance(inner, str | int) for inner in value.values()) and path.endswith("elector"):
            yield path, tuple(sorted(_short(f"{key}={inner}") for key, inner in value.items()))
            return
        for inner_key, inner in value.items():
            if not inner_key.startswith("$"):  # the directives of a strategic merge patch
                step = f"[{inner_key[:253]}]" if "." in inner_key or "/" in inner_key else f".{inner_key[:253]}"
                yield from _leaves(path + step, inner, depth + 1, opaque or inner_key in OPAQUE, inner_key, key in AMOUNTS)
    elif isinstance(value, list):
        yield from _members(path, value, depth, opaque)
    else:
        yield path, hashed(value) if opaque and value is not None else _scalar(value, key, amount)


def _members(path: str, values: list[Json], depth: int, opaque: bool) -> Iterator[tuple[str, Value]]:
    named = {name: each for each in values if isinstance(each, dict) and isinstance(name := each.get("name"), str)}
    if values and len(named) == len(values) <= MEMBERS:
        for name, each in named.items():
            rest: Object = {key: inner for key, inner in each.items() if key != "name"}
            yield from _leaves(f"{path}[{name[:253]}]", rest, depth + 1, opaque)
            if not rest or rest.get("$patch") == "delete":
                yield f"{path}[{name[:253]}]", None if rest else True
    elif opaque or len(values) > MEMBERS:
        yield path, hashed(values)
    else:
        yield path, tuple(sorted({_member(each) for each in values}))


def _member(value: Json) -> str:
    if isinstance(value, dict) and "effect" in value and "key" in value:  # a taint
        return _short(f"{value['key']}={value.get('value') or ''}:{value['effect']}")
    if isinstance(value, str):
        return _told(value)
    return _short(msgspec.json.encode(_without_secrets(value), order="deterministic").decode())


def _short(text: str) -> str:
    return text if len(text) <= TEXT else hashed(text)


def _told(text: str, key: str = "") -> str:
    """A text, as a hash where it may hold a secret by the name of its field or by how it looks, or is content rather than a setting."""
    if (NAMED.search(key) and not key.endswith(POINTERS)) or "\n" in text or ("://" in text and CREDENTIAL.search(text)):
        return hashed(text)
    return _short(text)


def _without_secrets(value: Json, key: str = "") -> Json:
    if isinstance(value, dict):
        return {name: hashed(inner) if name in OPAQUE else _without_secrets(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_secrets(inner, key) for inner in value]
    return _told(value, key) if isinstance(value, str) else value


def _scalar(value: Scalar, key: str, amount: bool) -> Scalar:
    if amount and isinstance(value, str | int) and not isinstance(value, bool):
        value = canonical(str(value))  # a manifest's `cpu: 1` is a number
    if isinstance(value, str):
        return _told(value, key)
    if isinstance(value, int) and not -_INTEGERS <= value < _INTEGERS:
        return hashed(str(value))
    return value
