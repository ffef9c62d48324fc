"""Whether a revision of a finding reaches on-call, and why (or why not). Pure: a fold over the findings topic, finding by finding.

The rules, in the order in which they are asked:

1. What fired stays one alert until it is resolved, even when a later revision falls below a threshold.
2. What has already ended pages nobody: it is in the store.
3. What was not known in time pages nobody, so a backfill is silent: when its first revision was *published*, it had been
   detected longer than `max_age` ago. Asked once and remembered: a fight that grows into an error after an hour was known in
   time, and pages.
4. Then severity, confidence, the waivers (`streams.waivers`: what is covered pages nobody; once the waiver has expired in event
   time, the next revision does), and the observe-only mode, which therefore counts exactly what would have fired.

Everything asked is in the record: the finding, and the moment Kafka stamped it with. So after a restart the state is rebuilt
from the compacted findings topic alone, by the same fold. Where compaction has left only later revisions, the first that is
left speaks for those before it: published within `max_age` of its own newest evidence, and past rule 4, it counts as fired.
That takes one case wrong: an episode opened by a backfill that goes on live, its first revisions compacted away, fires at the
next restart. The other answer would let every fight that outlasts `max_age` end as a false "resolved" whenever this role
restarts.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from models.findings import SEVERITIES, Finding
from models.instants import HOUR, parse_time
from streams.settings import Alert

Action: TypeAlias = Literal["fire", "refresh", "resolve", "silent"]
Reason: TypeAlias = Literal[
    "new",
    "open",
    "ended",
    "repeated",
    "already_ended",
    "too_old",
    "below_severity",
    "below_confidence",
    "waived",
    "observe_only",
    "stale",
]

# Loaded at a start, an open finding whose last revision is older than this is left alone: no episode outlives the knobs' memory
# (2 h) without new evidence, so it is the analysis that has been standing still, and the next revision will tell.
STALE = 2 * HOUR


class Decision(msgspec.Struct, frozen=True):
    """What to do with one revision, and the rule that says so."""

    action: Action
    reason: Reason


class Standing(msgspec.Struct, frozen=True):
    """What is remembered of a finding: its newest revision, whether it was known in time, has fired, has ended."""

    revision: int
    in_time: bool
    fired: bool = False
    ended: bool = False


def decide(
    finding: Finding, alert: Alert, published_ns: int, standing: Standing | None, waived: bool = False
) -> tuple[Decision, Standing]:
    """Judges one revision, published at `published_ns`, after what was known of it. ValueError if a time in it cannot be read."""
    if standing is not None and finding.revision <= standing.revision:
        return Decision("silent", "repeated"), standing
    in_time = standing.in_time if standing is not None else _known_in_time(finding, published_ns, alert.max_age)
    objection = _objection(finding, alert, in_time, waived)
    fired = standing.fired if standing is not None else finding.revision > 1 and objection is None
    if finding.status == "resolved":
        after = Standing(finding.revision, in_time, fired, ended=True)
        if fired and not (standing is not None and standing.ended):
            return Decision("resolve", "ended"), after
        return Decision("silent", "already_ended"), after
    after = Standing(finding.revision, in_time, fired=fired or objection is None)
    if fired:
        return Decision("refresh", "open"), after
    return Decision("silent", objection) if objection else Decision("fire", "new"), after


def _known_in_time(finding: Finding, published_ns: int, max_age: int) -> bool:
    moment = finding.detected_at if finding.revision == 1 else finding.resolved_at or finding.updated_at
    return published_ns - parse_time(moment) <= max_age


def _objection(finding: Finding, alert: Alert, in_time: bool, waived: bool) -> Reason | None:
    """The rule that keeps an open finding from firing, if one does."""
    if not in_time:
        return "too_old"
    if SEVERITIES.index(finding.severity) < SEVERITIES.index(alert.min_severity):
        return "below_severity"
    if finding.confidence < alert.min_confidence:
        return "below_confidence"
    if waived:
        return "waived"
    return "observe_only" if alert.observe_only else None
