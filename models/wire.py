"""The outside form of events: CloudEvents 1.0 attributes and one data object per type, as producers write them (contract, section 1).

These structs are only decoded and described (JSON Schema), never kept: `conversion` turns them into `events`. Extra fields are ignored.
The type is the tag of a union, so one pass of msgspec over the bytes checks attributes and data alike.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

# Names and lists are bounded, so that a finding that names them fits into a record; free text is cut, not refused (`conversion`).
Text = Annotated[str, Meta(min_length=1, max_length=512)]
Name = Annotated[str, Meta(max_length=512)]
Time = Annotated[str, Meta(max_length=64, description="RFC 3339, any precision to ns")]
Subject = Annotated[str, Meta(min_length=1, max_length=512, description="the resource acted on or described, such as db/orders")]
Word = Annotated[str, Meta(max_length=4096)]  # a value; longer content belongs in as its hash
Members = Annotated[list[int | float | Name | bool | None], Meta(max_length=1000)]
Wire = int | float | Word | bool | Members | None  # what a knob can hold; a list is a set of members
Names = Annotated[list[Name], Meta(max_length=64)]
Link = Annotated[str, Meta(max_length=1100)]  # an id, or "source id"
Links = Annotated[list[Link], Meta(max_length=64)]


class ReadData(msgspec.Struct, gc=False):
    """An observation that an action rests on."""

    resource: Text
    metric: Name = ""
    value: Wire | UnsetType = UNSET
    time: Time | None = None
    version: int | float | Name | None = None


class ExpectationData(msgspec.Struct, gc=False):
    """An effect that an intent announces."""

    resource: Text
    metric: Name = ""
    direction: Name = ""
    max_ratio: float | None = None


class ConditionData(msgspec.Struct, gc=False):
    """A bound under which an intent lets itself be undone."""

    resource: Text
    metric: Text
    op: Literal[">", ">=", "<", "<=", "==", "!="]
    value: Wire


class ClauseData(msgspec.Struct, gc=False):
    """The intent that an action carries."""

    until: Time | None = None
    expects: Annotated[list[ExpectationData], Meta(max_length=64)] = []
    abort_if: Annotated[list[ConditionData], Meta(max_length=64)] = []
    reason: Name = ""
    handoff_to: Names = []


class ConstraintData(msgspec.Struct, gc=False):
    """A bound that the agent respects."""

    name: Text
    priority: Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)] | None = None
    value: Wire = None


class WhyData(msgspec.Struct, gc=False):
    """The agent's reasons; the text is shown, never parsed."""

    rule: str = ""
    text: str = ""


class AlternativeData(msgspec.Struct, gc=False):
    """What the agent considered and did not do."""

    verb: Name = ""
    reason_rejected: str = ""


class ActionData(msgspec.Struct, gc=False):
    """`interplay.action.v1`: an agent changed, or tried to change, something."""

    agent: Text
    verb: Text
    parameter: Name = ""
    mandate: str = ""
    old: Wire | UnsetType = UNSET
    new: Wire | UnsetType = UNSET
    version: int | float | Name | None = None
    outcome: Literal["applied", "failed", "rejected", "considered"] = "applied"
    owner: Name = ""
    reads: Annotated[list[ReadData], Meta(max_length=256)] = []
    constraints: Annotated[list[ConstraintData], Meta(max_length=64)] = []
    why: WhyData | None = None
    alternatives: Annotated[list[AlternativeData], Meta(max_length=64)] = []
    intent: ClauseData | None = None
    acknowledges: Links = []
    deletes: Links = []
    rollout: Name = ""


class SampleData(msgspec.Struct, gc=False):
    """`interplay.sample.v1`: one telemetry value."""

    metric: Text
    value: float
    unit: Name = ""
    role: Literal["", "demand", "capacity"] = ""


class TransitionData(msgspec.Struct, gc=False, rename={"before": "from", "after": "to"}):
    """`interplay.transition.v1`: a resource's state or an alert changed."""

    metric: Text
    before: Wire = None
    after: Wire = None
    severity: Name = ""
    text: str = ""
    slo: bool = False


class DependencyData(msgspec.Struct, gc=False, rename={"dependent": "from", "dependency": "to", "relation": "kind"}):
    """`interplay.dependency.v1`: `from` depends on `to`."""

    dependent: Text
    dependency: Text
    relation: Name = ""
    weight: float = 1.0
    until: Time | None = None
    removed: bool = False


class IntentData(msgspec.Struct, gc=False):
    """`interplay.intent.v1`: a declared intent without an action of its own."""

    agent: Text
    parameter: Name = ""
    desired: Wire | UnsetType = UNSET
    until: Time | None = None
    reason: Name = ""
    closed: bool = False


class VerdictData(msgspec.Struct, gc=False):
    """`interplay.verdict.v1`: a guard or canary judged a rollout."""

    agent: Text
    rollout: Text
    verdict: Literal["pass", "fail", "block"]
    payload: Name = ""


class Attributes(msgspec.Struct, gc=False, kw_only=True, tag_field="type"):
    """The CloudEvents attributes that all types share."""

    specversion: Literal["1.0"]
    id: Text
    source: Text
    time: Time
    domain: Name = "default"
    causationid: Link | Links = ""
    traceparent: Name = ""


class ActionEvent(Attributes, gc=False, kw_only=True, tag="interplay.action.v1"):
    """The whole event."""

    subject: Subject
    data: ActionData


class SampleEvent(Attributes, gc=False, kw_only=True, tag="interplay.sample.v1"):
    """The whole event."""

    subject: Subject
    data: SampleData


class TransitionEvent(Attributes, gc=False, kw_only=True, tag="interplay.transition.v1"):
    """The whole event."""

    subject: Subject
    data: TransitionData


class DependencyEvent(Attributes, gc=False, kw_only=True, tag="interplay.dependency.v1"):
    """The whole event; the data name both resources, so the subject is optional."""

    subject: Name = ""
    data: DependencyData


class IntentEvent(Attributes, gc=False, kw_only=True, tag="interplay.intent.v1"):
    """The whole event."""

    subject: Subject
    data: IntentData


class VerdictEvent(Attributes, gc=False, kw_only=True, tag="interplay.verdict.v1"):
    """The whole event."""

    subject: Subject
    data: VerdictData


WireEvent: TypeAlias = ActionEvent | SampleEvent | TransitionEvent | DependencyEvent | IntentEvent | VerdictEvent
TYPES = (
    "interplay.action.v1",
    "interplay.sample.v1",
    "interplay.transition.v1",
    "interplay.dependency.v1",
    "interplay.intent.v1",
    "interplay.verdict.v1",
)


class Versioned(msgspec.Struct, gc=False):
    """What makes an object a CloudEvent at all: asked only when there is no type that we know."""

    specversion: Literal["1.0"]
