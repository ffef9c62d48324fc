"""Movement that a change of state asks for: failover after a fault, failback after recovery; and what is only the loop's own effect."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from small_histories import became, findings, moment, only, wrote

from models.detectors.thrashing.states import EFFECT_S as SECONDS
from models.events import Event, Read

PRIMARY, HEALTH = "db/orders primary", "db/orders health_a"


def switches(gaps: Sequence[float], after: float, cited: bool = True, by_id: bool = False) -> list[Event]:
    """The zone's health changes so many seconds after the switch before, and whoever cites it switches `after` seconds later."""
    events: list[Event] = [wrote(0, "setup", "zone-b", "zone-a", PRIMARY)]
    at = 0.0
    for i, gap in enumerate(gaps):
        sick = i % 2 == 0
        at += gap
        state = became(at, HEALTH, *(("ok", "degraded") if sick else ("degraded", "ok")))
        reads = (Read(resource="db/orders", metric="health_a", value=state.after, time=moment(at + 1)),)
        at += after
        agent, values = ("failover", ("zone-a", "zone-b")) if sick else ("failback", ("zone-b", "zone-a"))
        more: dict[str, object] = {"causes": (state.id,)} if by_id else {"reads": reads} if cited else {}
        events += [state, wrote(at, agent, *values, PRIMARY, **more)]
    return events


def thrash(events: Sequence[Event]) -> list[str]:
    return [finding.kind for finding in findings(*events) if finding.pattern == "thrashing"]


@pytest.mark.parametrize("by_id", [False, True])
def test_failover_after_a_fault_and_failback_after_the_recovery_are_no_fight(by_id: bool) -> None:
    assert thrash(switches([400] * 7, 20, by_id=by_id)) == []


def test_uncited_states_excuse_nothing() -> None:
    assert thrash(switches([400] * 7, 20, cited=False)) == ["sustained"]


def test_a_state_that_changes_soon_after_the_switch_may_be_its_effect() -> None:
    assert thrash(switches([30] * 7, 400)) == ["sustained"]
    assert thrash(switches([SECONDS] * 7, 20)) == []
    assert thrash(switches([SECONDS - 1] * 7, 20)) == ["sustained"]


def test_a_state_from_before_the_write_that_is_turned_back_excuses_nothing() -> None:
    old = became(0, HEALTH, "ok", "degraded")
    read = Read(resource="db/orders", metric="health_a", value="degraded", time=moment(1))
    back = [
        wrote(300.0 * i, ["failover", "failback"][i % 2], *(("a", "b") if i % 2 else ("b", "a")), PRIMARY, reads=(read,))
        for i in range(1, 8)
    ]
    assert only(old, *back).kind == "sustained"


def test_a_change_after_the_observation_was_not_seen() -> None:
    events = [
        wrote(e.time / 1e9 - moment(0) / 1e9, e.agent, e.old, e.new, PRIMARY, reads=tuple(_stale(r) for r in e.reads))  # type: ignore[attr-defined]
        if e.id.startswith("fail")
        else e
        for e in switches([400] * 7, 20)
    ]
    assert thrash(events) == ["sustained"]


def _stale(read: Read) -> Read:
    assert read.time is not None
    return Read(resource=read.resource, metric=read.metric, value=read.value, time=read.time - 30 * 10**9)


def test_members_that_a_fault_takes_out_and_a_recovery_puts_back_are_no_fight() -> None:
    def moved(cited: bool) -> list[Event]:
        events: list[Event] = []
        for i in range(8):
            at, sick = 400.0 * (i + 1), i % 2 == 0
            state = became(at, "node/b health", *(("ok", "bad") if sick else ("bad", "ok")))
            reads = (Read(resource="node/b", metric="health", value=state.after, time=state.time),) if cited else ()
            sets = (("a", "b"), ("a",)) if sick else (("a",), ("a", "b"))
            events += [state, wrote(at + 5, ["taker", "putter"][i % 2], *sets, "lb/main targets", reads=reads)]
        return events

    assert thrash(moved(cited=False)) == ["membership"]
    assert thrash(moved(cited=True)) == []
