"""The JSON Schemas: committed as generated, and of one mind with the decoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from broken_records import TYPES, broken, good
from histories import SETTINGS, history
from jsonschema import Draft202012Validator

from models.analyzer import Analyzer
from models.findings import encode_finding
from models.schemas import SCHEMAS

ROOT = Path(__file__).parent.parent
EVENT = Draft202012Validator(SCHEMAS["event"]())
FINDING = Draft202012Validator(SCHEMAS["finding"]())


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_the_generated_one(name: str) -> None:
    assert json.loads((ROOT / "schemas" / f"{name}.json").read_text()) == json.loads(json.dumps(SCHEMAS[name]()))
    Draft202012Validator.check_schema(SCHEMAS[name]())


@pytest.mark.parametrize("kind", TYPES)
def test_what_decodes_validates(kind: str) -> None:
    assert EVENT.is_valid(good(kind))


def test_what_breaks_a_type_does_not_validate() -> None:
    checked = 0
    for name, value, headers, reason in broken():
        structured = len(headers) == 1 and b"batch" not in headers[0][1] and value[:1] == b"{"
        beyond_floats = b"1e999" in value or b"9" * 310 in value  # JSON Schema knows no largest number
        if structured and not beyond_floats and reason in ("missing_field", "wrong_type", "unknown_type", "not_cloudevents"):
            assert not EVENT.is_valid(json.loads(value)), name
            checked += 1
    assert checked > 150


def test_findings_of_the_analyzer_validate() -> None:
    analyzer = Analyzer(SETTINGS)
    for event in history(3):
        analyzer.feed(event)
    changes = analyzer.finish()
    assert len(changes) > 5
    for change in changes:
        FINDING.validate(json.loads(encode_finding(change.finding)))
