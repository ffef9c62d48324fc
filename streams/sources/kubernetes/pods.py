"""Pods: made where they are placed, and unmade where somebody other than their own controller or kubelet ends them, by workload.

A pod that leaves a drained node, or that the scheduler takes away for a higher priority, says nothing against its placement, nor its
successor's against the leaving: both are acknowledged. A single pod, of no workload, stands for itself.
"""

from __future__ import annotations

from collections import Counter

from msgspec import UNSET, UnsetType

from models.events import Action, Value
from models.lifecycles import NEWEST
from streams.sources.kubernetes.bodies import as_object, has_run, node_of, reason_of
from streams.sources.kubernetes.naming import controller_by_name, controller_of, resource_name
from streams.sources.kubernetes.nodes import is_emptied
from streams.sources.kubernetes.objects import Known, Objects
from streams.sources.kubernetes.record import Json, Object, Ref
from streams.sources.kubernetes.write import Write

EXISTS, PLACE = "exists", "spec.nodeName"
MOST_CORDONING = 1000


class Pods:
    """Of one cluster. `counts` tells what became no action."""

    def __init__(self, objects: Objects, cluster: str, counts: Counter[str]) -> None:
        self._objects, self._cluster, self._counts = objects, cluster, counts
        self._cordoning: set[str] = set()  # agents that changed nodes in a way that the log does not show

    def wrote_nodes(self, agent: str) -> None:
        """What the agent wrote to a node is not in the log: it may have been a cordon."""
        if len(self._cordoning) < MOST_CORDONING:
            self._cordoning.add(agent)

    def events(self, write: Write, ref: Ref, known: Known, asked: Json, answered: Object, name: str) -> list[Action] | None:
        """What a request does to a pod; None where it changes one as it may change any object."""
        known.owner = known.owner or controller_of(answered) or controller_by_name(name)
        owner = resource_name(self._cluster, ref.namespace, *known.owner) if known.owner else ""
        if ref.subresource == "binding":
            target = as_object(asked).get("target")
            before, known.node = known.node, str(target.get("name") or "") if isinstance(target, dict) else ""
            known.ended = False
            left = self._left(write.resource, owner, known.placed)
            bound = write.action("bind", PLACE, None, known.node[:512] or "unknown", owner=owner, acknowledges=left)
            known.placed = [*known.placed[:1], bound.id] if known.node == before else [bound.id]
            known.placer = write.agent.name
            return [bound]
        if ref.subresource == "eviction" or write.record.verb == "delete":
            known.node = known.node or node_of(answered)
            ours = write.agent.part != "" or known.maker == write.agent.name
            if known.ended or (ref.subresource == "" and (ours or has_run(answered))):
                self._counts["derived"] += 1
                return []
            known.ended = True
            if ref.subresource == "" and not known.owner and known.maker:  # a single pod: it stands for nothing but itself
                return [write.action("delete", EXISTS, True, False)]
            old: Value | UnsetType = known.node[:512] or UNSET
            verb = "evict" if ref.subresource == "eviction" else "delete"
            leaves = known.placer == write.agent.name or self._drains(write.agent.name, known.node)  # a scheduler's own: preempted
            ended = write.action(
                verb, PLACE, old, None, owner=owner, why=reason_of(asked), acknowledges=known.placed if leaves else []
            )
            known.placed = []
            if leaves and owner:
                drained = self._objects.get(owner).drained
                drained.append((write.resource, ended.id))
                del drained[:-NEWEST]
            return [ended]
        if write.record.verb == "create":
            again = known.ended and not known.owner and write.agent.part == ""
            known.maker, known.ended = write.agent.name, False
            if again:  # a single pod that another had ended is back under its name
                return [write.action("create", EXISTS, False, True)]
            self._counts["derived"] += 1
            return []
        return None

    def _left(self, pod: str, owner: str, placed: list[str]) -> list[str]:
        """What a placement follows: the pod's own eviction from a drained node; its own placement, where its controller had ended it;
        the last eviction of another pod of the workload, whose place it takes. Each once."""
        waiting = self._objects.get(owner).drained if owner else []
        own = next((place for place in reversed(range(len(waiting))) if waiting[place][0] == pod), -1)
        if not waiting or (own < 0 and placed):
            return placed
        return [waiting.pop(own)[1]]

    def _drains(self, agent: str, node: str) -> bool:
        """The node is being emptied: who leaves it says nothing against having been placed there, nor the successor against leaving.

        Where the policy hides what is written to nodes, whoever writes to them and then evicts is taken to have cordoned."""
        if node in ("", "unknown"):
            return agent in self._cordoning
        known = self._objects.get(resource_name(self._cluster, "", "node", node))
        return is_emptied(known.knobs) or (not known.whole and agent in self._cordoning)
