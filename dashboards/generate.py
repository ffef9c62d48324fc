"""Writes dashboards/overview.json: Grafana's classic JSON model, schemaVersion 42. Run by `make dashboards`.

The JSON is committed; tests compare it with what this writes, and run every query on the real engine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import queries as sql
from builders import TABLE, TIME_SERIES, Dict, choice, column, lines, mapped, panel, query, row, stat, thresholds

SEVERITY = {"info": "blue", "warning": "yellow", "error": "orange", "critical": "red"}
PATTERN = {"thrashing": "orange", "intent_conflict": "purple", "cascade": "red", "convergence": "blue"}
MOVES = {1: ("raised", "orange"), 2: ("lowered", "blue"), 3: ("set", "purple"), 4: ("failed", "red"), 5: ("considered", "text")}


def findings_panels() -> list[Dict]:
    """What is wrong now, and since when."""
    badge: Dict = {"type": "color-text"}
    by_severity = mapped({name: (name, color) for name, color in SEVERITY.items()})
    wide: Dict = {"type": "auto", "wrapText": True}
    return [
        panel(
            "table",
            "Open findings",
            "What agents do to each other right now. A link from an alert also shows its finding when it is over.",
            (0, 4, 24, 10),
            [query(sql.OPEN_TABLE, TABLE)],
            none="no open findings",
            options={"showHeader": True, "cellHeight": "md", "footer": {"show": False}},
            overrides=[
                column("Severity", mappings=by_severity, custom__cellOptions=badge, custom__width=90),
                column("In sentences", custom__cellOptions=wide, custom__width=620),
                column("What", custom__cellOptions=wide),
                column("Since", unit="dateTimeFromNow", custom__width=120),
                column("Confidence", unit="percentunit", custom__width=100),
            ],
        ),
    ]


def fight_panels() -> list[Dict]:
    """How many episodes were open when, and who fights whom."""
    by_pattern = [column(name, color={"mode": "fixed", "fixedColor": color}) for name, color in PATTERN.items()]
    return [
        lines(
            "Open findings over time by pattern",
            "How many episodes were open in each interval of event time.",
            (0, 14, 12, 8),
            sql.OPEN_OVER_TIME,
            "short",
            "no findings in this time range",
            bars=True,
            overrides=by_pattern,
            displayName="${__field.labels.pattern}",
            decimals=0,
        ),
        panel(
            "nodeGraph",
            "Agents that fight",
            "Who turns against whom: an edge is a pair of agents named by one thrashing or intent conflict; red is open.",
            (12, 14, 12, 16),
            [query(sql.NODES, TABLE, "nodes"), query(sql.EDGES, TABLE, "edges")],
            none="no fights in this time range",
            options={
                "nodes": {"mainStatUnit": "short", "secondaryStatUnit": "short"},
                "edges": {"mainStatUnit": "short"},
                "zoomMode": "cooperative",
            },
        ),
        panel(
            "table",
            "Who fights whom over what",
            "Pairs and groups of agents with the knob they fight over, episodes in the time range.",
            (0, 22, 12, 8),
            [query(sql.FIGHTS, TABLE)],
            none="no fights in this time range",
            options={"showHeader": True, "footer": {"show": False}},
            overrides=[column("Last", unit="dateTimeFromNow"), column("Agents", custom__width=220)],
        ),
    ]


def action_panels() -> list[Dict]:
    """What the agents did."""
    moves = mapped({str(code): move for code, move in MOVES.items()})
    return [
        row("Actions", 30),
        panel(
            "state-timeline",
            "The lane of actions",
            "One lane per agent and knob, the 30 busiest: colours that alternate between two lanes are a fight.",
            (0, 31, 24, 10),
            [query(sql.LANES, TIME_SERIES)],
            none="no actions in this time range",
            options={
                "mergeValues": False,
                "showValue": "never",
                "rowHeight": 0.8,
                "perPage": 15,
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            },
            mappings=moves,
            displayName="${__field.labels.lane}",
            custom={"fillOpacity": 80, "lineWidth": 0, "insertNulls": 300000},
        ),
        panel(
            "table",
            "Actions",
            "The newest 200 actions with what they changed and why.",
            (0, 41, 24, 8),
            [query(sql.ACTIONS, TABLE)],
            none="no actions in this time range",
            options={"showHeader": True, "footer": {"show": False}},
            overrides=[column("Time", unit="dateTimeAsIso", custom__width=180), column("Why", custom__width=400)],
        ),
    ]


def quality_panels() -> list[Dict]:
    """How much of what happened we see, and how soon."""
    shares = thresholds((None, "red"), (0.5, "yellow"), (0.9, "green"))
    gauge: Dict = {"type": "gauge", "mode": "basic"}
    covered = [
        column(name, unit="percentunit", min=0, max=1, thresholds=shares, custom__cellOptions=gauge)
        for name in ("With old", "With reads", "With causes")
    ]
    return [
        row("Data quality", 49),
        lines(
            "Late events",
            "Events further behind their partition's newest than the lateness: stored and counted, not analysed.",
            (0, 50, 8, 8),
            sql.LATE,
            "short",
            "no events in this time range",
            bars=True,
            displayName="${__field.labels.domain}",
            decimals=0,
        ),
        panel(
            "table",
            "Coverage",
            "Share of each agent's actions that say the old value, what was read, and their cause. Nothing follows from what is missing.",
            (8, 50, 8, 8),
            [query(sql.COVERAGE, TABLE)],
            none="no actions in this time range",
            options={"showHeader": True, "footer": {"show": False}},
            overrides=covered,
        ),
        lines(
            "Ingestion lag",
            "From event time to the row in the store. High in a backfill, the lateness plus a second or two when live.",
            (16, 50, 8, 8),
            sql.LAG,
            "s",
            "no events in this time range",
        ),
        lines(
            "What holds the watermark",
            "How far behind the reducing worker's clock each source partition is known; findings wait for the one that is furthest behind.",
            (0, 58, 24, 7),
            sql.KNOWN,
            "s",
            "no ticks in this time range: is reduce running?",
            displayName="${__field.labels.partition}",
        ),
    ]


def stats() -> list[Dict]:
    """The top line: is something wrong, and is the analyzer blind?"""
    good, bad = (None, "green"), "red"
    return [
        stat(
            "Open now",
            "Episodes that are going on.",
            0,
            sql.OPEN_COUNT,
            "short",
            "0",
            thresholds(good, (1, "orange"), (5, bad)),
        ),
        stat("Actions seen", "Distinct actions in the time range.", 6, sql.ACTION_COUNT, "short", "0", thresholds((None, "text"))),
        stat(
            "Newest event",
            "Age of the newest event in the store: if it grows, nothing arrives.",
            12,
            sql.DATA_AGE,
            "s",
            "no events yet",
            thresholds(good, (120, "orange"), (600, bad)),
        ),
        stat(
            "Late",
            "Share of events that came too late to be analysed.",
            18,
            sql.LATE_SHARE,
            "percentunit",
            "no events in this time range",
            thresholds(good, (0.001, "orange"), (0.01, bad)),
        ),
    ]


def overview() -> Dict:
    """The Overview dashboard."""
    panels = [*stats(), *findings_panels(), *fight_panels(), *action_panels(), *quality_panels()]
    for number, each in enumerate(panels, start=1):
        each["id"] = number
    return {
        "uid": "interplay-overview",
        "title": "interplay overview",
        "tags": ["interplay"],
        "schemaVersion": 42,
        "version": 1,
        "editable": False,
        "description": "Agents that each act correctly and together break things: who does what to whom, since when, because of what.",
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "utc",
        "weekStart": "",
        "links": [],
        "annotations": {"list": []},
        "panels": list(panels),
        "templating": {
            "list": [
                {
                    "type": "datasource",
                    "name": "datasource",
                    "label": "Data source",
                    "query": "grafana-clickhouse-datasource",
                    "current": {},
                    "options": [],
                    "refresh": 1,
                },
                choice("domain", "Domain", sql.DOMAINS),
                choice(
                    "agent",
                    "Agent",
                    sql.AGENTS,
                ),
                {
                    "type": "textbox",
                    "name": "finding",
                    "label": "Finding",
                    "query": "",
                    "current": {"text": "", "value": ""},
                    "options": [],
                },
            ]
        },
    }


def render() -> str:
    """The file's text."""
    return json.dumps(overview(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    target = Path(__file__).parent / "overview.json"
    target.write_text(render())
    print(f"wrote {target}", file=sys.stderr)
