"""The analyzer from outside: only ticks move time, late and repeated events are counted and judge nothing, domains are apart."""

from __future__ import annotations

import msgspec
import pytest
from small_histories import changes, findings, moment, only, turns, until, wrote

from models.analyzer import Analyzer
from models.configuration import Analysis, Limits
from models.detectors import detectors
from models.detectors.cascade import Cascades
from models.detectors.conflict import Conflicts
from models.detectors.opposition import Opposition
from models.detectors.thrashing import Thrash
from models.events import Event, Tick
from models.findings import Change
from models.instants import MINUTE

FIGHT: list[Event] = turns(["cost", "perf"], [8, 16, 8, 16, 8, 16], 10)


def fed(analyzer: Analyzer, *events: Event) -> list[Change]:
    return [change for event in events for change in analyzer.feed(event)]  # type: ignore[arg-type]


def tick(seconds: float, partition: str = "file/0") -> Tick:
    return Tick(partition=partition, watermark=moment(seconds), mode="live")


def test_an_event_says_nothing_before_a_tick_has_passed_it() -> None:
    analyzer = Analyzer()
    assert fed(analyzer, *FIGHT) == []
    assert analyzer.feed(tick(30)) == []
    (opened,) = analyzer.feed(tick(30.5))
    assert opened.verb == "opened"


def test_all_partitions_must_have_passed_it() -> None:
    analyzer = Analyzer(partitions=("e/0", "e/1"))
    fed(analyzer, *FIGHT)
    assert analyzer.feed(tick(100, "e/0")) == []
    assert analyzer.feed(tick(100, "e/1")) != []


def test_a_tick_of_a_partition_that_is_not_in_the_map_is_an_error() -> None:
    with pytest.raises(KeyError):
        Analyzer().feed(tick(0, "e/9"))


def test_the_order_of_feeding_does_not_matter() -> None:
    assert changes(*FIGHT[::-1]) == changes(*FIGHT)


def test_one_tick_or_many_give_the_same_changes() -> None:
    stepwise, together = Analyzer(), Analyzer()
    fed(stepwise, *FIGHT, until(500))
    fed(together, *FIGHT, until(500))
    told = [change for seconds in range(0, 501, 7) for change in stepwise.feed(tick(seconds))] + stepwise.feed(tick(501))
    assert told == together.feed(tick(501)) and len(told) > 2


def test_a_late_event_is_counted_judges_nothing_and_shows_in_the_quality() -> None:
    late = msgspec.structs.replace(wrote(15, "other", 1, 64), late=True)
    finding = only(*FIGHT, late)
    assert finding.quality.late == 1
    assert finding.agents == ("cost", "perf")


def test_a_late_event_of_another_domain_does_not_show() -> None:
    assert only(*FIGHT, msgspec.structs.replace(wrote(15, "other", 1, 64, domain="eu"), late=True)).quality.late == 0


def test_repeats_change_nothing_and_are_counted() -> None:
    analyzer = Analyzer()
    fed(analyzer, *FIGHT, *FIGHT)
    assert analyzer.finish() == changes(*FIGHT)
    assert analyzer.counters()["duplicates"] == len(FIGHT)


def test_domains_are_apart() -> None:
    mixed = [msgspec.structs.replace(event, domain="ab"[i % 2]) for i, event in enumerate(FIGHT)]
    assert findings(*mixed) == []
    copied = [msgspec.structs.replace(event, domain=domain) for event in FIGHT for domain in "ab"]
    assert [finding.domain for finding in findings(*copied)] == ["a", "b"]


def test_the_end_of_the_input_makes_all_of_it_known_and_announces_what_is_pending() -> None:
    told = changes(*FIGHT)
    assert [change.verb for change in told] == ["opened", "updated"]
    assert told[-1].finding.metrics["reversals"] == 4
    assert told[-1].finding.status == "open"


def test_an_input_without_events_has_no_findings() -> None:
    assert Analyzer().finish() == []


def test_an_end_comes_before_an_event_of_the_same_time() -> None:
    ends = only(*FIGHT).ends
    more = turns(["cost", "perf"], [16, 8, 16, 8, 16], 10, (ends - moment(0)) / 1e9)
    first, second = findings(*FIGHT, *more)
    assert first.status == "resolved" and second.metrics["reversals"] == 3


def test_the_counters_tell_what_came_and_what_was_left_out() -> None:
    analyzer = Analyzer()
    fed(analyzer, *FIGHT, msgspec.structs.replace(wrote(1, "x", 1, 2), late=True))
    analyzer.feed(tick(20))
    fed(analyzer, wrote(5, "y", 1, 2))
    counters = analyzer.counters()
    expected = {
        "late": 1,
        "below": 1,
        "pending": 3,
        "events": 2,
        "actions": 2,
        "with_old": 2,
        "with_reads": 0,
        "open": 0,
        "cycles": 0,
    }
    assert {name: counters[name] for name in expected} == expected


def test_the_memory_is_bounded_by_event_time() -> None:
    analyzer = Analyzer(Analysis(memory=MINUTE))
    fed(analyzer, *(wrote(10 * i, "a", i, i + 1) for i in range(50)))
    analyzer.finish()
    assert len(analyzer.domain("default").memory) == 6


def test_all_patterns_judge_with_the_configured_thresholds() -> None:
    settings = Analysis()
    assert detectors(settings) == (
        Thrash(settings.thrashing),
        Conflicts(settings.conflict, settings.facts_age),
        Opposition(settings.conflict),
        Cascades(settings.cascade, settings.window),
    )


def test_beyond_the_limit_of_open_findings_none_is_opened_and_it_shows() -> None:
    few = msgspec.structs.replace(Analysis(), limits=Limits(episodes=1))
    analyzer = Analyzer(few)
    other = [msgspec.structs.replace(event, resource="db/carts", id=f"{event.id}-b", time=event.time + 1) for event in FIGHT]
    fed(analyzer, *FIGHT, *other)
    told = analyzer.finish()
    assert {change.finding.resources for change in told} == {("db/orders",)}
    assert analyzer.counters()["episodes_shed"] > 0
    assert told[-1].finding.quality.degraded
