"""From one persisted (or refused) request to actions: which knob of which object went from what to what, by whom.

    patch deployments/scale {"spec": {"replicas": 2}}  ->  scale k8s/<cluster>/shop/deployment/checkout spec.replicas 6 -> 2

A new value is what the server answered, else what the request says; an old one is the object's last state in this log. What a workload's
own controllers make and end follows from somebody else's write: it is counted as `derived`. Their changes of ReplicaSets carry their
Deployment as `rollout`, so that they never fight with themselves, and still with a hand that scales the ReplicaSet.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from msgspec import UNSET
from msgspec.structs import replace

from models.events import Action, Dependency, Value
from models.instants import SECOND
from models.values import same
from streams.settings import Settings
from streams.sources.kubernetes.agents import Agents
from streams.sources.kubernetes.bodies import Bodies, as_object, contested, fields_of, is_dry, name_of, replicas_that_ran
from streams.sources.kubernetes.dependencies import Dependencies
from streams.sources.kubernetes.knobs import CONTENT, REPLICAS, Knobs, Reading
from streams.sources.kubernetes.naming import controller_of, kind_of, resource_name
from streams.sources.kubernetes.objects import Known, Objects
from streams.sources.kubernetes.pods import EXISTS, PLACE, Pods
from streams.sources.kubernetes.record import Json, Object, Record, Ref
from streams.sources.kubernetes.write import Write
from streams.sources.secrets import hashed
from streams.sources.source import Origin

REFUSED = frozenset({403, 409, 422, 429})
NODES = frozenset({"nodes", "nodeclaims", "machines"})  # things that an autoscaler makes and ends under ever new names
MOST_KNOBS = 200  # of one write; more are told as one change of all of it
STAGED = frozenset(
    {"flagger", "argo-rollouts"}
)  # they step forth and back by plan, once a release: none of it is against themselves
KEDA = "keda"
ACTIVATING = frozenset({KEDA, "knative-serving/controller"})  # nor what follows a trigger, or a request, that the log does not show
AUTOSCALER = "horizontal-pod-autoscaler"
SHARED = {KEDA, AUTOSCALER}  # one autoscaler by design: KEDA turns on and off, its HPA does the rest
AUTOSCALERS, BOUNDS = "horizontalpodautoscalers", ("spec.minReplicas", "spec.maxReplicas")
FOLLOWS = (
    300 * SECOND
)  # after its bounds were moved, an autoscaler goes there or back by them: as long as its default stabilization
OPERATES = 60 * SECOND  # an operator carries out a change of what owns its objects: most look again at once, or every half minute
BY_POSITION = "what was written is not in the log: a JSON patch by positions in lists, without the object that was answered"
CUT = "what was written is not in the log: the API server cuts off what is larger than --audit-log-truncate-max-event-size says"
HIDDEN = "what was written is not in the log: the audit policy keeps the metadata of such requests only"


class Changes:
    """Requests of one cluster in the order in which they were answered. `counts` tells what became no action, and why."""

    def __init__(self, settings: Settings, origin: Origin, counts: Counter[str]) -> None:
        self._origin = origin
        self._cluster = origin.cluster
        self._agents = Agents(settings.agent)
        self._knobs = Reading(settings.kubernetes.metadata)
        self._dependencies = Dependencies(origin)
        self._counts = counts
        self._objects = Objects()
        self._pods = Pods(self._objects, origin.cluster, counts)

    def events(self, record: Record, bodies: Bodies, time: int, version: int | None) -> list[Action | Dependency]:
        """What the request changed at `time` (ns), to which version; empty where that is nothing. Raises what decoding a body raises."""
        ref = record.object_ref or Ref()
        asked, answered = bodies.decoded()
        if record.verb == "deletecollection":
            return self._all_deleted(record, ref, asked, answered, time)
        name = ref.name or name_of(answered) or name_of(as_object(asked))
        if not name or is_dry(asked):
            self._counts["dry_run" if name else "no_name"] += 1
            return []
        code = record.response_status.code if record.response_status else 0
        resource = resource_name(self._cluster, ref.namespace, kind_of(ref.resource), name)
        write = Write(record, self._agents.agent_of(record), resource, self._origin, time, version, bodies)
        if not 200 <= code < 300:
            return [*self._failed(write, ref, asked, code)]
        found = self._applied(write, ref, asked, answered, name)
        if record.verb == "delete" or (answered and ref.subresource == ""):
            gone = record.verb == "delete"
            return [
                *found,
                *self._dependencies.seen(ref.resource, ref.namespace, name, {} if gone else answered, time, record.audit_id),
            ]
        return [*found]

    def _applied(self, write: Write, ref: Ref, asked: Json, answered: Object, name: str) -> list[Action]:
        record, known = write.record, self._objects.get(write.resource)
        if ref.resource == "pods":
            told = self._pods.events(write, ref, known, asked, answered, name)
            return told if told is not None else self._changed(write, ref, known, asked, answered)
        if record.verb == "delete":
            return self._deleted(write, ref, known)
        if record.verb == "create" or (record.response_status and record.response_status.code == 201):
            return self._created(write, ref, known, answered or as_object(asked))
        return self._changed(write, ref, known, asked, answered)

    def _all_deleted(self, record: Record, ref: Ref, asked: Json, answered: Object, time: int) -> list[Action | Dependency]:
        """A deletion of a whole collection: of each member where the answer names them, else of "*"."""
        code = record.response_status.code if record.response_status else 0
        agent = self._agents.agent_of(record)
        if not 200 <= code < 300 or agent.part != "" or is_dry(asked):
            self._counts["derived" if agent.part else "without_effect"] += 1
            return []
        items = answered.get("items")
        found: list[Action | Dependency] = []
        for item in items[:MOST_KNOBS] if isinstance(items, list) else ():
            if name := name_of(as_object(item)):
                resource = resource_name(self._cluster, ref.namespace, kind_of(ref.resource), name)
                single = replace(record, verb="delete", audit_id=f"{record.audit_id}#{name}")
                write = Write(single, agent, resource, self._origin, time, None, Bodies(single))
                found += self._applied(write, ref, asked, as_object(item), name)
                found += self._dependencies.seen(ref.resource, ref.namespace, name, {}, time, record.audit_id)
        if items:
            return found
        resource = resource_name(self._cluster, ref.namespace, kind_of(ref.resource), "*")
        return [
            Write(record, agent, resource, self._origin, time, None, Bodies(record)).action(
                "deletecollection", EXISTS, UNSET, False
            )
        ]

    def _failed(self, write: Write, ref: Ref, asked: Json, code: int) -> list[Action]:
        outcome = "rejected" if code in REFUSED else "failed"
        if code in (404, 0) or (code == 429 and ref.subresource != "eviction") or write.agent.part == "plan":
            self._counts["without_effect"] += 1
            return []
        if ref.subresource == "scale":
            wanted = self._knobs.of(ref.resource, as_object(asked)).get(REPLICAS, UNSET) if asked else UNSET
            return [write.action("scale", REPLICAS, UNSET, wanted, outcome=outcome)]
        told = write.record.response_status.message if write.record.response_status else ""
        if fields := contested(told):
            wants = self._knobs.of(ref.resource, as_object(asked)) if asked else {}
            return [write.action("apply", path, UNSET, wants.get(path, UNSET), outcome=outcome, why=told) for path in fields]
        verb = "evict" if ref.subresource == "eviction" else write.record.verb
        return [write.action(verb, PLACE if verb == "evict" else "spec", UNSET, UNSET, outcome=outcome)]

    def _created(self, write: Write, ref: Ref, known: Known, obj: Object) -> list[Action]:
        now, before = write.bodies.knobs(self._knobs, ref.resource), known.knobs
        known.knobs, known.whole = dict(now), bool(obj)
        known.author, known.writers = write.agent.name, {}
        known.owner, known.maker, known.ended = controller_of(obj), write.agent.name, False
        if write.agent.part != "":  # a kubelet that registers its node, too: somebody else had it made
            self._counts["derived"] += 1
            return []
        old = None if ref.resource in NODES else False
        again = [path for path in sorted(now) if path in before and not same(before[path], now[path])]
        # it was there before, with other values
        rewritten = [write.action("create", path, before[path], now[path], owner=write.resource) for path in again]
        return [write.action("create", EXISTS, old, True, rollout=write.own_life), *rewritten]

    def _deleted(self, write: Write, ref: Ref, known: Known) -> list[Action]:
        maker, planned = known.maker, write.agent.part != "" or known.ended
        known.ended, known.maker = True, ""
        if planned:
            self._counts["derived"] += 1
            return []
        new = None if ref.resource in NODES else False
        return [write.action("delete", EXISTS, True, new, rollout=write.own_life if maker in ("", write.agent.name) else "")]

    def _changed(self, write: Write, ref: Ref, known: Known, asked: Json, answered: Object) -> list[Action]:
        """Update, patch and apply alike: what differs from before, and of a patch also what it names and leaves as it is."""
        scale = ref.subresource == "scale"
        patch = write.record.verb == "patch"
        known.owner = known.owner or controller_of(answered)
        if not answered and not isinstance(asked, dict):
            known.unknown()
            if ref.resource == "nodes":
                self._pods.wrote_nodes(write.agent.name)
            return [self._hidden(write, ref, asked)]
        whole = bool(answered) and not scale
        now = write.bodies.knobs(self._knobs, ref.resource)
        now = known.after(now) if patch and not answered else now
        named = {REPLICAS} if scale else (self._knobs.named_by(ref.resource, asked) if patch else set())
        if scale and known.old(REPLICAS) is UNSET:
            before = replicas_that_ran(answered)  # what ran before the write: a fair stand-in for what was wanted
            if before is not None:
                known.knobs[REPLICAS] = before
        if patch and whole and ref.resource != "ingresses" and (unseen := known.catch_up(now, fields_of(asked))):
            self._counts["changes_by_requests_not_in_the_log"] += unseen
        if not whole and not scale and not patch:
            whole = True  # an update without an answer sends all of the object
        paths = set(now) | (set(known.knobs) if whole and known.whole else set())
        plan = self._plan(write, ref, known)
        found = [self._one(write, ref, known, path, now.get(path), named, plan) for path in sorted(paths)]
        known.knobs = dict(now) if whole else {**known.knobs, **now}
        known.whole = known.whole or whole
        told = [action for action in found if action is not None]
        if told:
            known.changed = write.time, write.agent.name
        if ref.resource == AUTOSCALERS and any(action.parameter in BOUNDS for action in told):
            self._objects.get(self._target(ref, known)).bounded = write.time
            self._objects.get(write.resource)  # the one that is being written to
        if len(told) > MOST_KNOBS:
            return [write.action(write.record.verb, "spec", UNSET, hashed({path: str(value) for path, value in now.items()}))]
        if not told:
            self._counts["unchanged" if known.knobs else "without_knobs"] += 1
        return told

    def _target(self, ref: Ref, autoscaler: Known) -> str:
        """The resource that an autoscaler scales."""
        kind, name = (str(autoscaler.knobs.get(f"spec.scaleTargetRef.{field}") or "") for field in ("kind", "name"))
        return resource_name(self._cluster, ref.namespace, kind.lower(), name)

    def _hidden(self, write: Write, ref: Ref, asked: Json) -> Action:
        cut = asked is None and write.record.level.startswith("Request")  # the policy keeps them, and they are not there
        self._counts["values_cut_off_by_the_server" if cut else "values_hidden_by_the_audit_policy"] += 1
        why = BY_POSITION if isinstance(asked, list) else CUT if cut else HIDDEN
        if ref.subresource == "scale":
            return write.action("scale", REPLICAS, UNSET, UNSET, why=why)
        return write.action(write.record.verb, "data" if ref.resource in CONTENT else "spec", UNSET, UNSET, why=why)

    def _plan(self, write: Write, ref: Ref, known: Known) -> str:
        """What a write carries out, as a name; "" where it is the writer's own will. An operator's is what it was last told by another."""
        if write.agent.name in STAGED:
            return write.own_life
        if known.owner is None:
            return ""
        if write.agent.part == "plan":
            return f"{ref.namespace}/{'/'.join(known.owner)}"
        changed = self._objects.peek(resource_name(self._cluster, ref.namespace, *known.owner)).changed
        told = changed is not None and changed[1] != write.agent.name and write.time - changed[0] <= OPERATES
        return f"{write.agent.name} {ref.namespace}/{'/'.join(known.owner)}" if told else ""

    def _one(self, write: Write, ref: Ref, known: Known, path: str, new: Value, named: set[str], plan: str) -> Action | None:
        old = known.old(path)
        touched = bool(named) and not named.isdisjoint(_above(path))
        if same(old, new) or (old is UNSET and not touched):
            writers = known.writers_of(path)
            if not touched or write.agent.name in writers or not writers:  # its own value again, or nobody's: no second owner
                if touched and not writers:
                    known.writers[path] = (write.agent.name,)
                return None
            known.writers[path] = (*writers, write.agent.name)
        else:
            known.writers[path] = (write.agent.name,)
        verb = "scale" if path == REPLICAS else "set" if ref.resource not in CONTENT else "write"
        fields = write.resource if old is None or new is None else ""  # owned by their object: setting one makes no thing
        if path != REPLICAS:
            return write.action(verb, path, old, new, rollout=plan, owner=fields)
        if write.agent.name == AUTOSCALER and known.bounded is not None and write.time - known.bounded <= FOLLOWS:
            plan = f"bounds {write.resource}"
        activates = write.agent.name in ACTIVATING and 0 in (old, new)
        agrees = {write.agent.name, known.scaler} == SHARED and (activates or write.agent.name != KEDA)
        told = write.action(
            verb,
            path,
            old,
            new,
            owner=fields,
            rollout=write.own_life if activates else plan,
            acknowledges=[known.scaled] if agrees else [],
        )
        known.scaler, known.scaled = write.agent.name, told.id
        return told


@lru_cache(maxsize=10_000)
def _above(path: str) -> frozenset[str]:
    """The path and every path above it."""
    return frozenset({path}) | {path[:at] for at, char in enumerate(path) if char in ".["}


__all__ = ["Changes", "Knobs"]
