"""The likeliest way through the graph from a root to what descends from it."""

from __future__ import annotations

from models.events import Key, key
from models.graph import REPAIR_LIMIT, Link, Node


def path(node: Node, root: Node) -> list[tuple[Link, Node]]:
    """The best path from `root` to `node` as (link, effect), cause first; empty where there is none."""
    steps: list[tuple[Link, Node]] = []
    here = node
    while here is not root:
        best: tuple[float, Key, Link] | None = None
        for link in here.parents:
            for up in link.cause.descents():
                if up.root is not root:
                    continue
                rank = (up.path * link.probability, key(link.cause.event), link)
                if best is None or (rank[0], best[1]) > (best[0], rank[1]):
                    best = rank
        if best is None or len(steps) > REPAIR_LIMIT:
            return []
        steps.append((best[2], here))
        here = best[2].cause
    return steps[::-1]
