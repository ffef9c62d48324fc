"""`intent_read_as_fault` across knobs: an announced effect that another agent reads, and cancels with a knob of its own."""

from __future__ import annotations

import msgspec
import pytest
from small_histories import became, kinds, moment, only, wrote

from models.analyzer import Analyzer
from models.events import Action, Clause, Condition, Expectation, Read
from models.intents import Intents, announced_effects

FAULT = ["intent_conflict intent_read_as_fault"]
SEEN = (Read("svc/west", "rps", 150),)


def moved(direction: str = "up", ratio: float | None = None, **clause: object) -> Action:
    expects = (Expectation("svc/west", "rps", direction, ratio),)
    intent = Clause(expects=expects, reason="failover", **clause)  # type: ignore[arg-type]
    return wrote(0, "failover", "east", "west", "lb/front region", intent=intent, reads=(Read("svc/west", "rps", 100),))


def shed(seconds: float = 60, direction: str = "down", effect: str = "svc/west rps", **more: object) -> Action:
    resource, metric = effect.split()
    clause = Clause(expects=(Expectation(resource, metric, direction),))
    fields: dict[str, object] = {"intent": clause, "reads": SEEN, **more}
    return wrote(seconds, "shedder", fields.pop("old", 1), 0.6, "svc/west share", **fields)  # type: ignore[arg-type]


def test_cancelling_an_announced_effect_with_another_knob_is_found() -> None:
    finding = only(moved(), shed())
    assert [f"{finding.pattern} {finding.kind}"] == FAULT
    assert (finding.severity, finding.basis, finding.confidence) == ("error", "cited", 0.9)
    assert finding.agents == ("failover", "shedder") and finding.parameters == ("region", "share")
    assert finding.roots[0].agent == "shedder"
    assert finding.explanation[-1].endswith(
        " to move svc/west rps down, after it had seen it: failover had announced 60 s before (failover) that it would go up."
    )
    assert kinds(moved("down"), shed(direction="up")) == FAULT


@pytest.mark.parametrize(
    "writer",
    [
        shed(direction="up"),  # it helps
        shed(direction=""),
        shed(effect="svc/west p95"),  # another metric
        shed(reads=()),  # nothing says that it saw the effect
        shed(reads=(Read("svc/east", "rps", 150),)),
        shed(reads=(Read("svc/west", "rps", 150, moment(-1)),)),  # seen before the intent was declared
        shed(intent=None),  # nothing says that it wants the opposite
        shed(601),  # the window is over
        shed(outcome="rejected"),
        shed(old=0.6),  # it was so already
        shed(acknowledges=("failover@0",)),
        msgspec.structs.replace(shed(), agent="failover"),
    ],
)
def test_what_does_not_cancel_it(writer: Action) -> None:
    assert kinds(moved(), writer) == []


def test_whoever_names_a_change_of_the_effect_as_its_cause_has_seen_it() -> None:
    high, before = became(30, "svc/west rps", "ok", "high"), became(-5, "svc/west rps", "low", "ok")
    assert kinds(moved(), high, shed(reads=(), causes=("monitor@30",))) == FAULT
    assert kinds(before, moved(), shed(reads=(), causes=("monitor@-5",))) == []  # it had come before
    assert kinds(moved(), became(30, "svc/east rps", "ok", "high"), shed(reads=(), causes=("monitor@30",))) == []


def test_of_many_holders_the_newest_are_asked() -> None:
    intents, many = Intents(), [msgspec.structs.replace(moved(), id=f"f{i}", resource=f"lb/{i}") for i in range(20)]
    for event in many:
        intents.declare(event)
    assert intents.expecting(("svc/west", "rps"), shed(), 600 * 10**9, 0, 8) == many[-8:]


def test_what_was_handed_over_aborted_or_exceeded_is_justified() -> None:
    for first, writer in (
        (moved(handoff_to=("shedder",)), shed()),
        (moved(abort_if=(Condition("svc/west", "rps", ">", 120),)), shed()),
        (moved(ratio=1.2), shed()),
    ):
        assert kinds(first, writer) == []
    assert kinds(moved(ratio=2.0), shed()) == FAULT
    analyzer = Analyzer()
    for event in (moved(ratio=1.2), shed()):
        analyzer.feed(event)
    analyzer.finish()
    assert analyzer.remarks.counts["justified_rollback"] == 1


def test_an_intent_that_the_holder_closed_announces_nothing_more() -> None:
    assert kinds(moved(), wrote(30, "failover", "west", "east", "lb/front region"), shed()) == []


def test_without_what_the_metric_was_before_it_is_less_sure_and_says_so() -> None:
    finding = only(msgspec.structs.replace(moved(ratio=2.0), reads=()), shed())
    assert finding.confidence == 0.8
    assert finding.explanation[-1].endswith("What rps was before, in failover's `reads`, would settle whether it went beyond that.")


def test_the_register_of_announced_effects_follows_the_last_words() -> None:
    intents, effect, action = Intents(), ("svc/west", "rps"), shed()
    assert announced_effects(moved()) == {effect}
    (register,) = intents.declare(moved())
    assert intents.expecting(effect, action, 600 * 10**9, 0, 8) == [moved()]
    assert intents.expecting(effect, moved(), 600 * 10**9, 0, 8) == []  # its own
    assert intents.expecting(effect, action, 600 * 10**9, moment(1), 8) == []  # too old to be asked for
    intents.drop(register, moved())
    assert intents.expecting(effect, action, 600 * 10**9, 0, 8) == [] and not intents.registers
