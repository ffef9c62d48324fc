"""JSON Schemas (2020-12) of what goes in and what comes out, generated from the types that are decoded and encoded.

Producers in any language can be written against them: `interplay schema event`. The committed copies are in schemas/ (tested to be equal).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from models import wire
from models.findings import Finding

Json: TypeAlias = dict[str, object]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TYPES: dict[str, type[msgspec.Struct]] = {
    "interplay.action.v1": wire.ActionData,
    "interplay.sample.v1": wire.SampleData,
    "interplay.transition.v1": wire.TransitionData,
    "interplay.dependency.v1": wire.DependencyData,
    "interplay.intent.v1": wire.IntentData,
    "interplay.verdict.v1": wire.VerdictData,
}


def _components(types: list[type[msgspec.Struct]]) -> tuple[list[Json], dict[str, Json]]:
    references, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    return list(references), dict(definitions)


def event_schema() -> Json:
    """One event as a CloudEvents object in structured mode, of any of the six types."""
    references, definitions = _components([*TYPES.values(), wire.Attributes])
    shared = definitions.pop("Attributes")
    attributes = shared["properties"]
    assert isinstance(attributes, dict)
    common = {name: schema for name, schema in attributes.items() if name != "type"}
    common["subject"] = {**common["subject"], "description": "the resource acted on or described, such as db/orders"}
    variants = []
    for (name, _), reference in zip(TYPES.items(), references, strict=False):
        required = ["specversion", "id", "source", "type", "time", "data"]
        properties = {**common, "type": {"const": name}, "data": reference}
        if name != "interplay.dependency.v1":
            required.append("subject")
            properties["subject"] = {**common["subject"], "minLength": 1}
        variants.append({"title": name, "type": "object", "properties": properties, "required": required})
    return {"$schema": DRAFT, "title": "interplay event", "oneOf": variants, "$defs": definitions}


def finding_schema() -> Json:
    """One revision of a finding, as on the findings topic."""
    references, definitions = _components([Finding])
    return {"$schema": DRAFT, "title": "interplay finding", **references[0], "$defs": definitions}


SCHEMAS: dict[str, Callable[[], Json]] = {"event": event_schema, "finding": finding_schema}
