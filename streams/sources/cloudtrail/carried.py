"""What a service carries out because somebody changed a group: it is no second fight, and passed over, with two exceptions.

- A group replaces an instance that another agent ended: that launch answers the end, and is told.
- A managed node group passes its size on to its Auto Scaling group, which others scale directly: that is told as a call of whoever
  changed the node group, so that both meet at one knob.

    terraform  UpdateNodegroupConfig workers desiredSize 3  ->  eks-nodegroup  UpdateAutoScalingGroup eks-workers-... desiredCapacity 3
        is  terraform  scale autoscaling/group/eks-workers-... desiredCapacity -> 3
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from msgspec import UnsetType

from models.events import Value
from models.instants import MINUTE
from models.values import same
from streams.sources.cloudtrail.change import EXISTS, Change
from streams.sources.cloudtrail.known import MOST, Known, kept

# (who carries out, on which service) -> what somebody else's call already said
DERIVED = frozenset(
    {
        ("autoscaling", "ec2"),  # instances of a group, for its desired capacity
        ("eks-nodegroup", "autoscaling"),
        ("eks-nodegroup", "ec2"),
        ("ec2-fleet", "ec2"),
        ("ec2-spot-fleet", "ec2"),
    }
)
FOLLOWS = 15 * MINUTE  # event time: by then an ended instance is replaced, and a node group's size has reached its group
SIZES = {"desiredCapacity": "desiredSize", "minSize": "minSize", "maxSize": "maxSize"}  # of the group, of the node group
_GROUP = re.compile(r"(aws/[^/]*/[^/]*)/autoscaling/group/eks-(.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NODE_GROUP = re.compile(r"(aws/[^/]*/[^/]*)/eks/nodegroup/[^/]+/(.+)")


class Asked(msgspec.Struct, frozen=True):
    """A size that somebody gave a node group."""

    agent: str
    call: str
    time: int  # ns
    value: Value


class Carried:
    """Of one log, in canonical order. Its memory is bounded as `Known`'s is."""

    def __init__(self, known: Known, most: int = MOST) -> None:
        self._known = known
        self._most = most
        self._vacant: dict[str, tuple[int, int]] = {}  # group -> how many, since when
        self._asked: dict[tuple[str, str, str], Asked] = {}  # account and region, node group, size

    def asked(self, agent: str, call: str, time: int, changes: Sequence[Change]) -> None:
        """An agent changed this: its sizes of node groups are awaited at the group below."""
        for change in changes:
            match = _NODE_GROUP.fullmatch(change.resource) if change.parameter in SIZES.values() else None
            if match is not None and not isinstance(change.new, UnsetType):
                cause = f"{call}#{change.parameter}" if len(changes) == 1 else f"{call}#{match[2]}.{change.parameter}"
                kept(self._asked, (match[1], match[2], change.parameter), Asked(agent, cause, time, change.new), self._most)

    def vacate(self, owner: str, time: int) -> None:
        """One of the group's instances was ended by somebody else, and shall be replaced."""
        kept(self._vacant, owner, (self._vacant.get(owner, (0, 0))[0] + 1, time), self._most)

    def out(self, agent: str, time: int, changes: Sequence[Change]) -> list[Change]:
        """Those changes of a service that are told; of all launches it is remembered for which group they are."""
        told = []
        for change in changes:
            if change.parameter == EXISTS:
                told += self._replaced(change, time)
            elif agent == "eks-nodegroup":
                told += self._passed_on(change, time)
        return told

    def _replaced(self, change: Change, time: int) -> list[Change]:
        if change.new is not True or not change.owner:
            return []
        self._known.own(change.resource, change.owner)
        count, since = self._vacant.pop(change.owner, (0, 0))
        if count == 0 or time - since > FOLLOWS:
            return []
        if count > 1:
            self._vacant[change.owner] = (count - 1, since)
        return [change]

    def _passed_on(self, change: Change, time: int) -> list[Change]:
        group, size = _GROUP.fullmatch(change.resource), SIZES.get(change.parameter)
        asked = self._asked.get((group[1], group[2], size)) if group and size else None
        if asked is None or time - asked.time > FOLLOWS or not same(asked.value, change.new):
            return []
        return [msgspec.structs.replace(change, agent=asked.agent, causes=(asked.call,))]


__all__ = ["DERIVED", "Carried"]
