"""Findings: their bytes are the same on every machine and read back as they were."""

from __future__ import annotations

import msgspec
import pytest
from small_histories import only, turns

from models.findings import SEVERITIES, Finding, decode_finding, encode_finding


def fight() -> Finding:
    return only(*turns(["cost", "perf"], [8, 16, 8, 16, 8], 10))


def test_a_finding_reads_back_as_it_was() -> None:
    finding = fight()
    assert decode_finding(encode_finding(finding)) == finding
    assert encode_finding(decode_finding(encode_finding(finding))) == encode_finding(finding)


def test_the_order_of_metrics_does_not_show_in_the_bytes() -> None:
    finding = fight()
    turned = msgspec.structs.replace(finding, metrics=dict(reversed(finding.metrics.items())))
    assert encode_finding(turned) == encode_finding(finding)


def test_every_field_of_the_contract_is_written() -> None:
    written = msgspec.json.decode(encode_finding(fight()), type=dict[str, object])
    assert set(written) >= {
        "finding_id", "revision", "status", "pattern", "kind", "domain", "severity", "score", "confidence", "basis", "title", "agents",
        "resources", "parameters", "roots", "started_at", "detected_at", "updated_at", "as_of", "resolved_at", "evidence", "edges",
        "explanation", "metrics", "blast_radius", "quality",
    }  # fmt: skip


@pytest.mark.parametrize("raw", [b"", b"{}", b"null", encode_finding(fight()).replace(b'"open"', b'"shut"')])
def test_anything_else_is_no_finding(raw: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_finding(raw)


def test_severities_rise() -> None:
    assert SEVERITIES == ("info", "warning", "error", "critical")
