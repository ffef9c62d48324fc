"""One write, from which its actions are made: who, when, which object, which version."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UnsetType

from models.events import Action, Value, Why
from streams.sources.kubernetes.agents import Agent
from streams.sources.kubernetes.bodies import Bodies
from streams.sources.kubernetes.record import Record
from streams.sources.source import Origin


class Write:
    """What the actions of one request share."""

    def __init__(
        self, record: Record, agent: Agent, resource: str, origin: Origin, time: int, version: int | None, bodies: Bodies
    ) -> None:
        self.bodies = bodies
        self.record, self.agent, self.resource = record, agent, resource
        self.own_life = f"{agent.name} {resource}"
        self._source = f"k8s/{origin.cluster}/{agent.instance}"
        self._domain = origin.domain
        self.time, self._version = time, version

    def action(
        self,
        verb: str,
        parameter: str,
        old: Value | UnsetType,
        new: Value | UnsetType,
        *,
        owner: str = "",
        outcome: str = "applied",
        rollout: str = "",
        why: str = "",
        acknowledges: Sequence[str] = (),
    ) -> Action:
        """One action; its id is the auditID and the knob."""
        return Action(
            time=self.time,
            source=self._source,
            domain=self._domain,
            id=f"{self.record.audit_id}#{parameter}"[:512],
            resource=self.resource,
            agent=self.agent.name,
            verb=verb,
            parameter=parameter,
            old=old,
            new=new,
            version=self._version if outcome == "applied" else None,
            outcome=outcome,
            owner=owner,
            rollout=rollout,
            acknowledges=tuple(each for each in acknowledges if each),
            why=Why(text=why[:1000]) if why else None,
        )
