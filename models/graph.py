"""The causal graph of one domain: a time-ordered DAG of actions and transitions, and how much of each event descends from which root.

Edges: *explicit* (the event names its cause: probability 0.98) and *reads* (an action read what another event wrote; see `variables`).
Attribution is linear: A(e) = sum of share(c) * A(c) over the parents c; an event without parents is a root and owns itself. Masses under
1/8 are dropped, which depends on the paths from that root alone, so that A(e) is a function of the events between a root and e.
Sources: linear root attribution after stochastic declustering (Zhuang, Ogata & Vere-Jones, JASA 2002); edges by reads (Elle, VLDB 2020).

An edge joins events at most one window apart, and a root counts for one window. An explicit cause may come later in the canonical order
(clocks differ): the edge is added when the later of the two is processed, the skew is kept, and what descends from it is attributed anew.
"""

from __future__ import annotations

import heapq
from collections import deque

import msgspec
from msgspec import UNSET

from models.awaited import Awaited
from models.events import Action, Event, Transition, key
from models.ring import Install
from models.variables import Variables

EXPLICIT = 0.98  # leaves mass for links that are wrong
MASS = 0.125  # smaller shares of a root are not carried on
NAMES = 4  # agents and resources of a path that are carried along, at most
SKEWS = 64  # late links whose skew is remembered, at most
REPAIR_LIMIT = 1000  # events attributed anew after a late link, at most


class Descent(msgspec.Struct, gc=False, eq=False):
    """How one event descends from one root: its share, and the best path there (probability, edges, agents that reacted, resources)."""

    root: Node
    mass: float
    path: float
    edges: int
    agents: tuple[str, ...]
    resources: tuple[str, ...]


class Link(msgspec.Struct, gc=False, eq=False):
    """`cause` led to the node that holds this link. `relation` is "explicit" or "reads"."""

    cause: Node
    relation: str
    probability: float


class Node(Install, gc=False, eq=False):
    """One event in the graph. `roots` is None while it is its own root; `size` counts what descends from it, itself included.

    Nodes point at their causes only, so that reference counts free them: the garbage collector would walk all of a memory for nothing.
    """

    parents: tuple[Link, ...] = ()
    roots: tuple[Descent, ...] | None = None
    size: float = 1.0

    def descents(self) -> tuple[Descent, ...]:
        """A(e): the roots this event descends from, itself where it is one."""
        return (Descent(self, 1.0, 1.0, 0, (), (self.event.resource,)),) if self.roots is None else self.roots


def _joined(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if not name or name in names or len(names) >= NAMES else (*names, name)


class CausalGraph:
    """Events of the memory by id; edges within the window."""

    def __init__(self, window: int, parents: int) -> None:
        self.window = window
        self.most_parents = parents
        self.by_id: dict[str, Node | dict[str, Node]] = {}  # the usual id is unique; where it is not, by source
        self._children: dict[Node, list[Node]] = {}  # within the window
        self._awaited: Awaited[Node] = Awaited()
        self._skews: deque[tuple[int, str, int]] = deque(maxlen=SKEWS)  # processed at (ns), source of the effect, skew
        self.cycles = self.unrepaired = 0

    def skew(self, *sources: str) -> int:
        """How far (ns) an effect's clock ran before its cause's, at most, within the memory; of these sources, or of all."""
        return max((skew for _, source, skew in self._skews if not sources or source in sources), default=0)

    def named(self, name: str, source: str) -> Node | None:
        """The event called `name`: "source id", or an id, of `source` itself if it has one, else of whoever alone has it."""
        found = self.by_id.get(name)
        if isinstance(found, dict):
            return found.get(source)
        if found is not None:
            return found
        other, _, plain = name.rpartition(" ")
        found = self.by_id.get(plain) if other else None
        if isinstance(found, dict):
            return found.get(other)
        return found if found is not None and found.event.source == other else None

    def seen(self, event: Event) -> Event | None:
        """The event of the memory that has the same (source, id)."""
        found = self.by_id.get(event.id)
        if found is None:
            return None
        if isinstance(found, dict):
            found = found.get(event.source)
        return found.event if found is not None and found.event.source == event.source else None

    def add(self, event: Event, variables: Variables) -> Node:
        """Places the next event in canonical order, with its edges. `variables` must not hold the event's own write yet."""
        node = Node(event)
        present = self.by_id.setdefault(event.id, node)
        if present is not node:
            if isinstance(present, dict):
                present[event.source] = node
            else:
                self.by_id[event.id] = {present.event.source: present, event.source: node}
        if isinstance(event, Action):
            ring = node.ring = variables.ring(event)
            # what an agent found that it had written itself links it to nobody
            if event.causes or event.reads or ring is None or ring.agent != event.agent:
                self._attach(node, variables)
        elif isinstance(event, Transition):
            if event.causes:
                self._attach(node, variables)
        else:
            return node
        if self._awaited.effects:
            named = self._awaited.by(event)
            if named:
                self._answer(node, named)
        return node

    def _links(self, node: Node, variables: Variables) -> list[Link]:
        event, earliest = node.event, node.event.time - self.window
        links: dict[Node, Link] = {}
        for name in event.causes:
            cause = self.named(name, event.source)
            if cause is not None and cause is not node and cause.event.time >= earliest:
                links[cause] = Link(cause, "explicit", EXPLICIT)
            else:
                self._awaited.name(name, node)
        if isinstance(event, Action) and (event.reads or event.old is not UNSET):
            for install, probability in variables.read_from(event, earliest):
                if isinstance(install, Node) and (install not in links or links[install].probability < probability):
                    links[install] = Link(install, "reads", probability)
        return list(links.values())

    def _attach(self, node: Node, variables: Variables) -> None:
        links = self._links(node, variables)
        if len(links) == 1:
            self._link(node, links)
            self._descend(node, links[0])
        elif links:
            self._link(node, links)
            self._attribute(node)

    def _link(self, node: Node, links: list[Link]) -> None:
        if len(links) > 1:
            links.sort(key=lambda link: (-link.probability, key(link.cause.event)))
        node.parents = tuple(links[: self.most_parents])
        for link in node.parents:
            children = self._children.get(link.cause)
            if children is None:
                self._children[link.cause] = [node]
            else:
                children.append(node)

    def _descend(self, node: Node, link: Link) -> None:
        """`_attribute` for the usual event, which is new and has one parent."""
        event, cause, probability = node.event, link.cause, link.probability
        agent = event.agent if isinstance(event, Action) else ""
        oldest, roots = event.time - self.window, []
        for up in cause.descents():
            root, mass = up.root, up.mass * probability
            if mass >= MASS and root.event.time >= oldest:
                agents, resources = _joined(up.agents, agent), _joined(up.resources, event.resource)
                roots.append(Descent(root, mass, up.path * probability, up.edges + 1, agents, resources))
                root.size += mass
        node.roots = tuple(roots)

    def _attribute(self, node: Node) -> None:
        """A(node) from its parents, and the sizes of the trees it belongs to."""
        for descent in node.roots or ():
            descent.root.size -= descent.mass
        event, parents = node.event, node.parents
        agent = event.agent if isinstance(event, Action) else ""
        total = max(1.0, sum(link.probability for link in parents)) if len(parents) > 1 else 1.0
        oldest = event.time - self.window
        found: dict[Node, Descent] = {}
        for link in parents:
            for up in link.cause.descents():
                root = up.root
                if root.event.time < oldest:
                    continue
                path, old = up.path * link.probability, found.get(root)
                mass = up.mass * link.probability / total + (old.mass if old else 0.0)
                if old is not None and old.path >= path:
                    old.mass = mass
                else:
                    agents, resources = _joined(up.agents, agent), _joined(up.resources, event.resource)
                    found[root] = Descent(root, mass, path, up.edges + 1, agents, resources)
        roots = [descent for descent in found.values() if descent.mass >= MASS]
        if len(roots) > 1:
            roots.sort(key=lambda descent: key(descent.root.event))
        node.roots = tuple(roots)
        for descent in roots:
            descent.root.size += descent.mass

    def _answer(self, node: Node, effects: list[Node]) -> None:
        """`node` is a cause that `effects` before it have named: their edges are added now, and what descends from them follows at once."""
        event = node.event
        causes = self._ancestors(node)
        changed: list[Node] = []
        for effect in dict.fromkeys(effects):  # who named it twice is linked once
            if effect is node or effect.event.time < event.time - self.window:
                continue
            if causes is None or id(effect) in causes or len(changed) >= REPAIR_LIMIT:
                self.cycles += 1  # a mutual cause, or more than can be told apart
                continue
            links = [link for link in effect.parents if link.cause is not node]
            links.append(Link(node, "explicit", EXPLICIT))
            for link in effect.parents:
                siblings = self.children(link.cause)
                if effect in siblings:
                    siblings.remove(effect)
            self._skews.append((event.time, effect.event.source, event.time - effect.event.time))
            self._link(effect, links)
            changed.append(effect)
        for stale in self._topological(self._descendants(changed)):
            self._attribute(stale)

    def _ancestors(self, node: Node) -> set[int] | None:
        """Of all that led to `node`, the identities; None where they are too many to look at."""
        stack, met = [node], {id(node)}
        while stack:
            for link in stack.pop().parents:
                if id(link.cause) not in met:
                    met.add(id(link.cause))
                    stack.append(link.cause)
            if len(met) > REPAIR_LIMIT:
                return None
        return met

    def _descendants(self, nodes: list[Node]) -> list[Node]:
        """These nodes and all that descends from them, as far as the limit allows."""
        found: dict[int, Node] = {}
        stack = list(nodes)
        while stack:
            node = stack.pop()
            if id(node) in found:
                continue
            if len(found) >= 2 * REPAIR_LIMIT:
                self.unrepaired += 1
                break
            found[id(node)] = node
            stack.extend(self.children(node))
        return list(found.values())

    def _topological(self, nodes: list[Node]) -> list[Node]:
        """Causes before effects, ties in canonical order: late links can run against it. Kahn's algorithm, O(n log n)."""
        inside = {id(node): node for node in nodes}
        missing = {i: sum(id(link.cause) in inside for link in node.parents) for i, node in inside.items()}
        ready = [(key(node.event), i) for i, node in inside.items() if not missing[i]]
        heapq.heapify(ready)
        order: list[Node] = []
        while ready:
            _, i = heapq.heappop(ready)
            order.append(inside[i])
            for child in self.children(inside[i]):
                if id(child) in missing:
                    missing[id(child)] -= 1
                    if not missing[id(child)]:
                        heapq.heappush(ready, (key(child.event), id(child)))
        return order

    def children(self, node: Node) -> list[Node]:
        """What `node` led to, directly, within the window."""
        return self._children.get(node, [])

    def retire(self, node: Node) -> None:
        """Older than the window: nothing can attach to it, nothing that descends from it counts any more."""
        node.parents = node.roots = ()
        self._children.pop(node, None)

    def forget(self, event: Event) -> None:
        """`event`, the oldest of the memory, has left it."""
        found = self.by_id.pop(event.id, None)
        if isinstance(found, dict):
            found.pop(event.source, None)
            self.by_id[event.id] = next(iter(found.values())) if len(found) == 1 else found
        while self._skews and self._skews[0][0] <= event.time:
            self._skews.popleft()
        if self._awaited.effects:
            self._awaited.forget(event.time)
