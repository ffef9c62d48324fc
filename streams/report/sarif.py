"""SARIF 2.1.0 (OASIS standard, 2020): a rule for each kind, a result for each finding, resources as logical locations.

A result's fingerprint is the finding's id, which is the same in every reading of the same events, so viewers know it again. Waived
findings carry a suppression with owner and reason. What the run has to say for itself (late events, waivers that have expired) is in its
invocation. The physical location is the file of events, where there is one only: some viewers show no result without any.
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from models.findings import KINDS, Finding, Severity
from streams.report.judged import Judged, Report
from streams.report.words import body, shown
from streams.terminal import Terminal
from streams.waivers import sentence

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: dict[Severity, str] = {"info": "note", "warning": "warning", "error": "error", "critical": "error"}
_RULES = [f"{pattern}/{kind}" for pattern, kinds in KINDS.items() for kind in kinds]


def render(report: Report, terminal: Terminal) -> str:
    """The whole document. `terminal` does not matter: this is for programs."""
    driver: dict[str, object] = {"name": "interplay", "rules": [_rule(name) for name in _RULES]}
    if report.version:
        driver["version"] = report.version
    notes = [{"level": "note", "message": {"text": _unlinked(shown(line))}} for line in report.summary]
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
        "results": [_result(each, report.files) for each in report.judged],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _rule(name: str) -> dict[str, object]:
    pattern, kind = (word.replace("_", " ") for word in name.split("/"))
    help_text = f"What {name} asserts, and what never makes one, is in docs/patterns.md."
    return {"id": name, "shortDescription": {"text": f"{pattern}: {kind}"}, "help": {"text": help_text}}


def _result(each: Judged, files: tuple[str, ...]) -> dict[str, object]:
    finding = each.finding
    rule = f"{finding.pattern}/{finding.kind}"
    result: dict[str, object] = {
        "ruleId": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _unlinked("\n".join([shown(finding.title), *body(finding)]))},
        "locations": [_location(finding, files)],
        "fingerprints": {"findingId/v1": finding.finding_id},
        "partialFingerprints": {"findingId/v1": finding.finding_id},
        "rank": round(100 * finding.score, 1),
        "properties": _properties(each),
    }
    if rule in _RULES:
        result["ruleIndex"] = _RULES.index(rule)
    if each.ruling is not None and each.waived:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": shown(sentence(each.ruling))}]
    return result


def _unlinked(text: str) -> str:
    """A message may hold links, `[words](address)` (3.11.6 of the standard): none that an agent wrote."""
    return text.replace("](", "] (")


def _location(finding: Finding, files: tuple[str, ...]) -> dict[str, object]:
    location: dict[str, object] = {
        "logicalLocations": [{"fullyQualifiedName": shown(resource), "kind": "resource"} for resource in finding.resources]
    }
    if len(files) == 1 and files[0] != "-":
        location["physicalLocation"] = {"artifactLocation": {"uri": quote(files[0])}, "region": {"startLine": 1}}
    return location


def _properties(each: Judged) -> dict[str, object]:
    finding = each.finding
    told: dict[str, object] = {
        "domain": shown(finding.domain),
        "severity": finding.severity,
        "status": finding.status,
        "confidence": finding.confidence,
        "basis": finding.basis,
        "agents": [shown(agent) for agent in finding.agents],
        "parameters": [shown(parameter) for parameter in finding.parameters],
        "startedAt": finding.started_at,
        "updatedAt": finding.updated_at,
        "metrics": finding.metrics,
    }
    if each.broken:
        told["failOn"] = each.broken
    if each.ruling is not None and each.ruling.expired:
        told["waiverExpired"] = shown(sentence(each.ruling))
    return told
