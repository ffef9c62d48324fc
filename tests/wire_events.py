"""Events as producers write them: CloudEvents JSON, the inverse of `models.decode`, for tests that begin with structs."""

from __future__ import annotations

from typing import Any

import msgspec

from models.events import Action, Dependency, Event, Intent, Sample, Transition, Verdict
from models.instants import format_time

ENVELOPE = {"time", "source", "id", "domain", "resource", "causes", "traceparent", "late", "kind"}


def cloudevent(event: Event) -> bytes:
    """One record in structured mode."""
    data = {name: value for name, value in msgspec.to_builtins(event).items() if name not in ENVELOPE}
    if isinstance(event, Action):
        data["reads"] = [_timed(read, "time") for read in data.get("reads", ())]
        if "intent" in data:
            data["intent"] = _timed(data["intent"], "until")
        kind = "action"
    elif isinstance(event, Intent):
        data, kind = _timed(data, "until"), "intent"
    elif isinstance(event, Dependency):
        data, kind = _timed(data, "until"), "dependency"
        data |= {"from": data.pop("dependent"), "to": data.pop("dependency"), "kind": data.pop("relation", "")}
    elif isinstance(event, Sample | Verdict):
        kind = "sample" if isinstance(event, Sample) else "verdict"
    else:
        assert isinstance(event, Transition)
        data["from"], data["to"], kind = data.pop("before", None), data.pop("after", None), "transition"
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "type": f"interplay.{kind}.v1",
        "id": event.id,
        "source": event.source,
        "time": format_time(event.time),
        "domain": event.domain,
        "subject": event.resource,
        "data": data,
    }
    if event.causes:
        envelope["causationid"] = list(event.causes)
    return msgspec.json.encode(envelope)


def _timed(data: dict[str, Any], name: str) -> dict[str, Any]:
    return {**data, name: format_time(data[name])} if data.get(name) is not None else data
