"""The outside form of events: CloudEvents 1.0 attributes and one data object per type, as producers write them (contract, section 1).

These structs are only decoded and described (JSON Schema), never kept: `decode` turns them into `events`. Extra fields are ignored.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from models.events import Scalar

Text = Annotated[str, Meta(min_length=1)]
Time = Annotated[str, Meta(description="RFC 3339, any precision to ns")]
Wire = int | float | str | bool | list[Scalar] | None  # what a knob can hold; a list is a set of members


class Attributes(msgspec.Struct, kw_only=True):
    """The CloudEvents attributes."""

    specversion: Literal["1.0"]
    id: Text
    source: Text
    type: Text
    time: Time
    subject: str = ""
    domain: str = "default"
    causationid: str | list[str] = ""
    traceparent: str = ""


class Envelope(Attributes, kw_only=True):
    """The whole event; `data` is decoded by type."""

    data: msgspec.Raw = msgspec.Raw(b"")


class ReadData(msgspec.Struct):
    """An observation that an action rests on."""

    resource: Text
    metric: str = ""
    value: Wire | UnsetType = UNSET
    time: Time | None = None
    version: int | float | str | None = None


class ExpectationData(msgspec.Struct):
    """An effect that an intent announces."""

    resource: Text
    metric: str = ""
    direction: str = ""
    max_ratio: float | None = None


class ConditionData(msgspec.Struct):
    """A bound under which an intent lets itself be undone."""

    resource: Text
    metric: Text
    op: Literal[">", ">=", "<", "<=", "==", "!="]
    value: Wire


class ClauseData(msgspec.Struct):
    """The intent that an action carries."""

    until: Time | None = None
    expects: list[ExpectationData] = []
    abort_if: list[ConditionData] = []
    reason: str = ""
    handoff_to: list[str] = []


class ConstraintData(msgspec.Struct):
    """A bound that the agent respects."""

    name: Text
    priority: int | None = None
    value: Wire = None


class WhyData(msgspec.Struct):
    """The agent's reasons; the text is shown, never parsed."""

    rule: str = ""
    text: str = ""


class AlternativeData(msgspec.Struct):
    """What the agent considered and did not do."""

    verb: str = ""
    reason_rejected: str = ""


class ActionData(msgspec.Struct):
    """`interplay.action.v1`: an agent changed, or tried to change, something."""

    agent: Text
    verb: Text
    parameter: str = ""
    mandate: str = ""
    old: Wire | UnsetType = UNSET
    new: Wire | UnsetType = UNSET
    version: int | float | str | None = None
    outcome: Literal["applied", "failed", "rejected", "considered"] = "applied"
    owner: str = ""
    reads: list[ReadData] = []
    constraints: list[ConstraintData] = []
    why: WhyData | None = None
    alternatives: list[AlternativeData] = []
    intent: ClauseData | None = None
    acknowledges: list[str] = []
    deletes: list[str] = []
    rollout: str = ""


class SampleData(msgspec.Struct):
    """`interplay.sample.v1`: one telemetry value."""

    metric: Text
    value: float
    unit: str = ""
    role: Literal["", "demand", "capacity"] = ""


class TransitionData(msgspec.Struct, rename={"before": "from", "after": "to"}):
    """`interplay.transition.v1`: a resource's state or an alert changed."""

    metric: Text
    before: Wire = None
    after: Wire = None
    severity: str = ""
    text: str = ""
    slo: bool = False


class DependencyData(msgspec.Struct, rename={"dependent": "from", "dependency": "to", "relation": "kind"}):
    """`interplay.dependency.v1`: `from` depends on `to`."""

    dependent: Text
    dependency: Text
    relation: str = ""
    weight: float = 1.0
    until: Time | None = None
    removed: bool = False


class IntentData(msgspec.Struct):
    """`interplay.intent.v1`: a declared intent without an action of its own."""

    agent: Text
    parameter: str = ""
    desired: Wire | UnsetType = UNSET
    until: Time | None = None
    reason: str = ""
    closed: bool = False


class VerdictData(msgspec.Struct):
    """`interplay.verdict.v1`: a guard or canary judged a rollout."""

    agent: Text
    rollout: Text
    verdict: Literal["pass", "fail", "block"]
    payload: str = ""
