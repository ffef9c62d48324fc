"""Events as text that people read and write: one per line, for examples, tests and bug reports.

    on 2026-11-24
    # what happened first
    02:17:00 monitor/db#m1 transition db/orders p95_latency_ms ok -> high severity=warning
    02:17:06 perf-scaler@agents/perf/1#a1 scale db/orders replicas 8 -> 16 v148 reads db/orders:p95_latency_ms=840 because "p95 > 300"
    02:17:20 cost@agents/cost/1#b1 drain db/orders replicas 16 -> 10 reads db/orders:replicas=16@v148@02:17:19 after a1

A line is TIME [AGENT@]SOURCE#ID, then for an action VERB RESOURCE [PARAMETER] [[OLD] -> NEW], for the others their type and

    transition RESOURCE METRIC FROM -> TO           dependency FROM -> TO            sample RESOURCE METRIC VALUE
    intent RESOURCE [PARAMETER] [-> DESIRED]        verdict RESOURCE ROLLOUT pass|fail|block

and then, in any order: vVERSION, reads RESOURCE[:METRIC][=VALUE][@vVERSION][@TIME], because REASON, holds [REASON] [until TIME] (an
action's intent), expects RESOURCE[:METRIC][=DIRECTION], unless RESOURCE:METRIC OP BOUND, handoff AGENT (what that intent announces, what
voids it, who may take over), until TIME, deletes NAME, acknowledges CAUSE, after CAUSE, in DOMAIN, and FIELD=VALUE for every other field
of the contract. A time is HH:MM:SS, UTC, of the day that the last line `on DATE` named, or a whole RFC 3339 time. Values and names are
bare words or JSON; what is quoted is text. Lines between `every PERIOD x ROUNDS` and `end` are a loop (`repeating`); lines `expect ...`
belong to scenarios (docs/scenarios.md). This is a spelling of CloudEvents and no more: each line becomes one, and the decoder's rules are
the only ones.
"""

from __future__ import annotations

from models.notation.reading import parse, parse_lines
from models.notation.writing import render

__all__ = ["parse", "parse_lines", "render"]
