"""JSON Schemas (2020-12) of what goes in and what comes out, generated from the types that are decoded and encoded.

Producers in any language can be written against them: `interplay schema event`. The committed copies are in schemas/ (tested to be equal).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from models.findings import Finding
from models.wire import WireEvent

Json: TypeAlias = dict[str, object]

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def event_schema() -> Json:
    """One event as a CloudEvents object in structured mode, of any of the six types."""
    return {"$schema": DRAFT, "title": "interplay event", **msgspec.json.schema(WireEvent)}


def finding_schema() -> Json:
    """One revision of a finding, as on the findings topic."""
    return {"$schema": DRAFT, "title": "interplay finding", **msgspec.json.schema(Finding)}


SCHEMAS: dict[str, Callable[[], Json]] = {"event": event_schema, "finding": finding_schema}
