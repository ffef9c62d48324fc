"""The six events of the contract, version 1, written with `shapes`; and the arguments of an action, for type checkers."""

from __future__ import annotations

from typing import Any, TypedDict

from interplay_sdk.shapes import flag, integer, listed, moment, name, number, one_of, outcome, prose, record, text, value, version

READ = record({"resource": name}, {"metric": text, "value": value, "version": version, "time": moment})

INTENT_CLAUSE = record(
    {},
    {
        "until": moment,
        "expects": listed(record({"resource": name}, {"metric": text, "direction": text, "max_ratio": number})),
        "abort_if": listed(
            record({"resource": name, "metric": name, "op": one_of(">", ">=", "<", "<=", "==", "!="), "value": value}, {})
        ),
        "reason": text,
        "handoff_to": listed(text),
    },
    alone="reason",
)

EVENTS = {
    "action": record(
        {"agent": name, "verb": name},
        {
            "parameter": text,
            "mandate": prose,
            "old": value,
            "new": value,
            "version": version,
            "outcome": outcome,
            "owner": text,
            "reads": listed(READ),
            "constraints": listed(record({"name": name}, {"priority": integer, "value": value}, alone="name")),
            "why": record({}, {"rule": prose, "text": prose}, alone="rule"),
            "alternatives": listed(record({}, {"verb": text, "reason_rejected": prose}, alone="verb")),
            "intent": INTENT_CLAUSE,
            "acknowledges": listed(text),
            "deletes": listed(text),
            "rollout": text,
        },
    ),
    "sample": record({"metric": name, "value": number}, {"unit": text, "role": one_of("demand", "capacity")}),
    "transition": record({"metric": name}, {"from": value, "to": value, "severity": text, "text": prose, "slo": flag}),
    "dependency": record({"from": name, "to": name}, {"kind": text, "weight": number, "until": moment, "removed": flag}),
    "intent": record({"agent": name}, {"parameter": text, "desired": value, "until": moment, "reason": text, "closed": flag}),
    "verdict": record({"agent": name, "rollout": name, "verdict": one_of("pass", "fail", "block")}, {"payload": text}),
}


class ActionFields(TypedDict, total=False):
    """What may be said of an action, all optional. What is not known stays out."""

    old: Any  # a value, or a getter that answers it
    new: Any
    version: int | float | str | None
    outcome: str  # applied (default), failed, rejected, considered
    reads: Any  # a list of (resource, metric, value, version, time) or of objects with these fields
    why: Any  # a rule, or {"rule": ..., "text": ...}
    intent: Any  # {"until", "expects", "abort_if", "reason", "handoff_to"}, or a reason
    causes: Any  # refs, beside what the context says
    constraints: Any  # [{"name", "priority", "value"}]
    alternatives: Any  # [{"verb", "reason_rejected"}]
    acknowledges: Any  # refs
    deletes: Any  # resources
    rollout: str
    owner: str
    time: Any  # ns, datetime or RFC 3339; default: now
