"""A finding as a paragraph: everything a reader needs, and doubts where there are any."""

from __future__ import annotations

import io

from fights import NOW, finding, resolved

from models.findings import Quality, Reach
from models.instants import HOUR, MINUTE, SECOND
from streams.report.text import paragraph
from streams.report.words import ago, at_least, figures
from streams.terminal import Terminal

PLAIN = Terminal(io.StringIO(), {})
HEADLINE = "cost-optimizer and perf-scaler fight over db/orders replicas: 5 reversals in 4 min, confidence 0.90."
TOLD = (HEADLINE, "perf-scaler raised db/orders replicas 8 -> 16 because p95 was 840.", "cost-optimizer put back 8, five times.")
FIGHT = {"reversals": 5.0, "period_s": 88.0, "fight_index": 1.0, "pressure": 3.17, "half_life_s": 900.0}


def test_an_open_finding_reads_like_this() -> None:
    assert paragraph(finding(explanation=TOLD, metrics=FIGHT, detected=NOW + 123_456_789), PLAIN).splitlines() == [
        "warning thrashing/sustained: cost-optimizer and perf-scaler fight over db/orders replicas",
        "  Open since 2025-11-25T01:56:00Z, 4m so far in prod-eu; 90 % sure: a certificate, from the events alone.",
        "  5 reversals, a full swing takes 88 s, two agents pushing against each other.",
        "  perf-scaler raised db/orders replicas 8 -> 16 because p95 was 840.",
        "  cost-optimizer put back 8, five times.",
        "  f_1",
    ]


def test_resolution_reach_doubts_and_the_query() -> None:
    reach = (Reach("svc/cart", 0.7, ("db/orders", "svc/cart")),)
    over = resolved(4, 1_764_036_060 * SECOND, blast_radius=reach, quality=Quality(late=3, degraded=True))
    text = paragraph(over, PLAIN, stored=True)
    assert "resolved at 2025-11-25T02:01:00Z in prod-eu" in text
    assert "It may hit next: svc/cart (70 %)." in text
    assert "analysis.limits" in text
    assert "3 events came too late" in text
    assert text.endswith("f_1: interplay query \"SELECT * FROM findings WHERE finding_id = 'f_1'\"")


def test_a_long_story_is_shortened_in_the_middle() -> None:
    text = paragraph(finding(explanation=tuple(f"sentence {n}" for n in range(-1, 20))), PLAIN)
    assert "sentence 3\n  ... 10 more ...\n  sentence 14" in text
    assert "... " not in paragraph(finding(explanation=tuple(f"sentence {n}" for n in range(-1, 11))), PLAIN)


def test_figures_are_few_and_in_words() -> None:
    alone = finding(agents=("a",), metrics={**FIGHT, "reversals": 1.0, "period_s": 0.0, "fight_index": 0.0})
    assert figures(alone) == "1 reversal, one agent hunting"
    both_ways = finding(agents=("a", "b", "c"), metrics={**FIGHT, "period_s": 20_079.2, "fight_index": 0.2})
    assert figures(both_ways) == "5 reversals, a full swing takes 5 h 34 min, three agents that each push both ways"
    assert figures(finding(metrics={"violations": 2.0, "lag_s": 1.064})) == "2 violations, the last 1.06 s after what it overrode"
    assert (
        figures(finding(metrics={"reactions": 9.0, "depth": 6.0, "size": 11.3, "span_s": 10.4}))
        == "9 reactions, 6 deep, over 10.4 s"
    )
    assert figures(finding(metrics={})) == ""


def test_severities_are_ordered() -> None:
    assert [at_least(finding(severity=s), "error") for s in ("info", "warning", "error", "critical")] == [False, False, True, True]


def test_spans_in_words() -> None:
    spans = (0, 999 * SECOND // 1000, 5 * SECOND, 90 * SECOND, 2 * HOUR + 3 * MINUTE + 4 * SECOND, 49 * HOUR + 59 * MINUTE, HOUR)
    assert [ago(span) for span in spans] == ["under 1s", "under 1s", "5s", "1m30s", "2h3m", "2d1h", "1h"]
