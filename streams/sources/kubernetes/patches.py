"""A JSON patch as the partial object that a merge patch would be: where the log holds no answer, it is all there is.

[{"op": "replace", "path": "/spec/replicas", "value": 5}]  ->  {"spec": {"replicas": 5}}
"""

from __future__ import annotations

from streams.sources.kubernetes.record import Json, Object

WRITES = frozenset({"add", "replace", "remove"})


def as_partial(steps: list[Json]) -> Object | None:
    """None where a step goes by a position in a list, or moves things: what it wrote cannot be told without the object."""
    partial: Object = {}
    for step in steps:
        op, path = (step.get("op"), step.get("path")) if isinstance(step, dict) else (None, None)
        if op == "test":
            continue
        if not isinstance(step, dict) or not isinstance(path, str) or not path.startswith("/") or op not in WRITES:
            return None
        *above, last = [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]
        if any(part == "-" or part.isdigit() for part in [*above, last]):
            return None
        place = partial
        for part in above:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                return None
            place = inner
        place[last] = None if op == "remove" else step.get("value")
    return partial
