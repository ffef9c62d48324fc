"""A finding as a paragraph: everything a reader needs, and doubts where there are any."""

from __future__ import annotations

import io

from fights import finding, resolved

from models.findings import Quality, Reach
from models.instants import HOUR, MINUTE, SECOND
from streams.report import ago, at_least, paragraph
from streams.terminal import Terminal

PLAIN = Terminal(io.StringIO(), {})


def test_an_open_finding_reads_like_this() -> None:
    assert paragraph(finding(), PLAIN).splitlines() == [
        "warning thrashing/sustained: cost-optimizer and perf-scaler fight over db/orders replicas",
        "  Open since 2025-11-25T01:55:49Z, 4m so far in prod-eu; confidence 90%: the events themselves prove it.",
        "  perf-scaler raised db/orders replicas 8 -> 16 because p95 was 840.",
        "  cost-optimizer put back 8, five times.",
        "  f_1",
    ]


def test_resolution_reach_doubts_and_the_query() -> None:
    reach = (Reach("svc/cart", 0.7, ("db/orders", "svc/cart")),)
    over = resolved(4, 1_764_036_060 * SECOND, blast_radius=reach, quality=Quality(late=3, degraded=True))
    text = paragraph(over, PLAIN, stored=True)
    assert "resolved at 2025-11-25T02:01:00Z in prod-eu" in text
    assert "It may hit next: svc/cart (70%)." in text
    assert "analysis.limits" in text
    assert "3 events came too late" in text
    assert text.endswith("f_1: interplay query \"SELECT * FROM findings WHERE finding_id = 'f_1'\"")


def test_a_long_story_is_shortened_in_the_middle() -> None:
    text = paragraph(finding(explanation=tuple(f"sentence {n}" for n in range(20))), PLAIN)
    assert "sentence 3\n  ... 10 more ...\n  sentence 14" in text
    assert "... " not in paragraph(finding(explanation=tuple(f"sentence {n}" for n in range(11))), PLAIN)


def test_severities_are_ordered() -> None:
    assert [at_least(finding(severity=s), "error") for s in ("info", "warning", "error", "critical")] == [False, False, True, True]


def test_spans_in_words() -> None:
    spans = (0, 999 * SECOND // 1000, 5 * SECOND, 90 * SECOND, 2 * HOUR + 3 * MINUTE + 4 * SECOND, 49 * HOUR + 59 * MINUTE, HOUR)
    assert [ago(span) for span in spans] == ["under 1s", "under 1s", "5s", "1m30s", "2h3m", "2d1h", "1h"]
