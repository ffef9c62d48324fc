"""Files that other projects test their parsers with: each is read, or refused once with the reason; never a crash, never line by line."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.decode import Rejection
from models.events import Verdict
from models.instants import parse_time
from streams.cli.lines import Sourcing, read
from streams.settings import Settings
from streams.sources.cloudevents import decode_record

DATA = Path(__file__).parent / "data"
LIMIT = 1 << 20
FILES = sorted(
    path
    for folder in ("jaeger", "uber_crisp_jaeger", "otlp_examples", "k8s_audit_falco")
    for path in (DATA / folder).rglob("*.json")
)
NO_FORMAT = ("queries.json", "queries_es.json", "fal_01_003.json")  # queries of Jaeger's tests; what Falco refuses as well

# what the folders hold -> the kind as which they are recognised, or the reason for which they are refused
EXPECTED = {
    "jaeger/storage_integration/traces": "otlp",
    "jaeger/storage_memory": "otlp",
    "jaeger/thrift_converter": "unknown_type",
    "uber_crisp_jaeger": "unknown_type",
    "otlp_examples": "otlp",
    "k8s_audit_falco": "k8s-audit",
}


def outcome(path: Path) -> tuple[set[str], Counter[str]]:
    """The kinds as which a file was read, and the reasons for which parts of it were refused."""
    sourcing = Sourcing(Settings())
    found = [each for _, each in read([str(path)], sourcing)]
    return set(sourcing.logs), Counter(each.reason for each in found if isinstance(each, Rejection))


def test_all_of_the_corpus_is_here() -> None:
    assert Counter(path.relative_to(DATA).parts[0] for path in FILES) == {
        "jaeger": 42,
        "uber_crisp_jaeger": 33,
        "otlp_examples": 4,
        "k8s_audit_falco": 47,
    }


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(DATA)) for path in FILES])
def test_a_file_is_read_or_refused_for_the_right_reason(path: Path) -> None:
    kinds, refused = outcome(path)
    name = str(path.relative_to(DATA))
    if path.name in NO_FORMAT:
        assert (kinds, refused) == (set(), {"not_cloudevents": 1})
        return
    expected = next(what for folder, what in EXPECTED.items() if name.startswith(folder))
    if expected == "unknown_type":
        assert (kinds, refused) == (set(), {"unknown_type": 1})
    else:
        assert kinds == {expected} and not refused


def blocks(text: str) -> list[str]:
    return re.findall(r'"""\n(.*?)\n\s*"""', text, re.S)


def table(text: str, heading: str) -> dict[str, str]:
    """The rows of the table below a heading."""
    rows = re.search(rf"{re.escape(heading)}\n((?:\s*\|.*\n)+)", text)
    assert rows
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in rows[1].splitlines()]
    return {name: value for name, value in cells if name != "key"}


def scenarios(name: str) -> Iterator[tuple[str, list[tuple[str, bytes]], dict[str, str]]]:
    """Each scenario of a feature, with each of its examples: payload, headers as of Kafka, expected attributes."""
    text = (DATA / "cloudevents" / "features" / name).read_text()
    for part in re.split(r"\n\s*Scenario", text)[1:]:
        examples = re.findall(r"^\s*\| (application/[^|]*\S) *\|", part.partition("Examples:")[2] + "\n", re.M) or [""]
        for content in examples:
            scenario = part.replace("<contentType>", content)
            payload = blocks(scenario)[0]
            if name.startswith("http"):
                head, _, payload = payload.partition("\n\n")
                pairs = [line.strip().split(": ", 1) for line in head.splitlines() if ": " in line]
                headers = {key.replace("ce-", "ce_"): value for key, value in pairs}
            else:
                headers = table(scenario, "And Kafka headers:")
            yield payload, [(key, value.encode()) for key, value in headers.items()], table(scenario, "Then the attributes are:")


@pytest.mark.parametrize("name", ["kafka-protocol-binding.feature", "http-protocol-binding.feature"])
def test_the_bindings_of_cloudevents_carry_their_attributes(name: str) -> None:
    """Their own type is refused as unknown, which says that all else was understood; with a type of ours the attributes are theirs."""
    seen = 0
    for payload, headers, expected in scenarios(name):
        (refused,) = decode_record(payload.encode(), headers, LIMIT)
        assert isinstance(refused, Rejection) and refused.reason == "unknown_type"
        data = {"agent": "canary", "rollout": "r", "verdict": "pass"}
        if any(key.lower().startswith("ce_") for key, _ in headers):
            ours = [(key, b"interplay.verdict.v1" if key == "ce_type" else value) for key, value in headers]
            (found,) = decode_record(json.dumps(data).encode(), [*ours, ("ce_subject", b"x")], LIMIT)
        else:
            changed = {**json.loads(payload), "type": "interplay.verdict.v1", "subject": "x", "data": data}
            (found,) = decode_record(json.dumps(changed).encode(), headers, LIMIT)
        assert isinstance(found, Verdict)
        assert (found.id, found.source, found.time) == (expected["id"], expected["source"], parse_time(expected["time"]))
        seen += 1
    assert seen >= 3


def conformance(version: str) -> list[tuple[dict[str, Any], str]]:
    """The documents of one version: context attributes, and the data as text."""
    files = sorted((DATA / "cloudevents" / "yaml").rglob(f"{version}*.yaml"))
    documents = [document for path in files for document in yaml.load_all(path.read_text(), Loader=yaml.BaseLoader)]
    assert len(files) == 2 and len(documents) >= 7
    return [(document["ContextAttributes"], document["Data"]) for document in documents]


def test_documents_of_version_1_are_refused_for_what_they_are() -> None:
    reasons = Counter[str]()
    for attributes, data in conformance("v1"):
        headers = [(f"ce_{key}", value.encode()) for key, value in attributes.items() if isinstance(value, str)]
        content = attributes.get("datacontenttype", "application/json")
        (found,) = decode_record(data.encode(), [*headers, ("content-type", content.encode())], LIMIT)
        assert isinstance(found, Rejection)
        reasons[found.reason] += 1
        assert found.reason == ("unknown_type" if "json" in content else "not_json"), attributes
    assert reasons == {"unknown_type": 5, "not_json": 3}


def test_documents_of_version_0_3_are_not_read() -> None:
    for attributes, data in conformance("v03"):
        event = {**{key: value for key, value in attributes.items() if isinstance(value, str)}, "data": data}
        (found,) = decode_record(json.dumps(event).encode(), [], LIMIT)
        ours = {
            **event,
            "type": "interplay.verdict.v1",
            "time": "2018-04-05T03:56:24Z",
            "subject": "x",
            "data": {"agent": "a", "rollout": "r", "verdict": "pass"},
        }
        (also,) = decode_record(json.dumps(ours).encode(), [], LIMIT)
        for each in (found, also):
            assert isinstance(each, Rejection) and (each.reason, each.path) == ("not_cloudevents", "specversion")
