"""The alert role without Kafka: takes findings as they are published, and keeps every target told.

One notifier per partition of the findings topic. At assignment `load` what the partition holds, to its end; then `observe` each
record, `tick` every second, and commit an offset once it is `settled`. At revocation throw the notifier away: the next owner
loads the same partition and goes on under the same identities. What carries alerts over a crash is the topic itself, not the
offset: `load` reads from the beginning.

An episode that opens and ends while we, or the target, are away pages nobody; one that is still open when we are back does.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from models.findings import Finding
from streams.alerts.delivery import KEEP_RESOLVED, Delivery
from streams.alerts.message import Notice, notice
from streams.alerts.policy import STALE, Decision, Standing, decide
from streams.alerts.target import Target
from streams.settings import Alert, Waiver
from streams.waivers import ruling, sentence

LIMIT = 10_000  # findings remembered per partition

log = logging.getLogger(__name__)


class Snapshot(msgspec.Struct, frozen=True):
    """How it stands: findings remembered, alerts firing, notices without an answer yet, trouble with a target, counters."""

    remembered: int
    firing: int
    pending: int
    trouble: str
    counters: dict[str, int]


class Notifier:
    """See the module. Methods are called from one event loop."""

    def __init__(self, alert: Alert, targets: Sequence[Target], waivers: Sequence[Waiver] = (), limit: int = LIMIT) -> None:
        observe_only = alert.observe_only or not targets
        self._alert = msgspec.structs.replace(alert, observe_only=observe_only)
        self._deliveries = () if observe_only else tuple(Delivery(target, alert.resend) for target in targets)
        self._waivers = tuple(waivers)
        self._limit = limit
        self._standings: dict[str, Standing] = {}  # least recently changed first
        self._counts: Counter[str] = Counter()

    def load(self, records: Iterable[tuple[Finding, int]], now_ns: int) -> None:
        """Rebuilds the state at a start from (finding, the ns that Kafka stamped it with) in the order of the log.

        Open alerts, and those that ended a short while ago, go out at the next tick.
        """
        newest: dict[str, tuple[Notice, int]] = {}
        for finding, published_ns in records:
            if self._judge(finding, published_ns).action != "silent":
                newest.pop(finding.finding_id, None)
                newest[finding.finding_id] = (self._worded(finding, published_ns), published_ns)
            if len(newest) > self._limit:
                del newest[next(iter(newest))]
        for words, published_ns in newest.values():
            if words.finding_id not in self._standings:
                continue
            if now_ns - published_ns > (STALE if words.ended_ns is None else KEEP_RESOLVED):
                self._counts["silent_stale"] += 1
                continue
            self._offer(words)

    def observe(self, finding: Finding, published_ns: int) -> Decision:
        """Takes one record of the findings topic with the ns that Kafka stamped it with. ValueError if a time in it is none."""
        decision = self._judge(finding, published_ns)
        self._counts[decision.action if decision.action != "silent" else f"silent_{decision.reason}"] += 1
        if decision.action == "fire" and (expired := ruling(finding, self._waivers)) is not None:
            self._counts["waiver_expired"] += 1
            log.warning("finding %s fires: %s", finding.finding_id, sentence(expired))
        if decision.action != "silent":
            self._offer(self._worded(finding, published_ns))
        return decision

    def forget(self, finding_id: str) -> None:
        """Takes a tombstone of the findings topic."""
        self._standings.pop(finding_id, None)
        for delivery in self._deliveries:
            delivery.forget(finding_id)

    async def tick(self, now_ns: int) -> None:
        """Sends to every target what is due. Returns after one attempt, at the latest when the target's timeout is over."""
        await asyncio.gather(*(delivery.tick(now_ns) for delivery in self._deliveries))

    def settled(self, finding_id: str, revision: int) -> bool:
        """Whether every target has answered to this revision or a newer one, or nothing of it is to be sent."""
        return all(delivery.settled(finding_id, revision) for delivery in self._deliveries)

    def snapshot(self) -> Snapshot:
        """For metrics and status. Counters: fire (waiver_expired: some of these), refresh, resolve, silent_<reason>, shed, and each
        target's <target>_sent, _refused, _failed."""
        counters = dict(self._counts)
        for delivery in self._deliveries:
            counters |= {f"{delivery.target.name}_{name}": count for name, count in delivery.counters.items()}
        return Snapshot(
            remembered=len(self._standings),
            firing=max((delivery.firing for delivery in self._deliveries), default=0),
            pending=sum(delivery.pending for delivery in self._deliveries),
            trouble="; ".join(delivery.trouble for delivery in self._deliveries if delivery.trouble),
            counters=counters,
        )

    def _judge(self, finding: Finding, published_ns: int) -> Decision:
        given = ruling(finding, self._waivers)
        waived = given is not None and not given.expired
        decision, standing = decide(finding, self._alert, published_ns, self._standings.get(finding.finding_id), waived)
        self._standings.pop(finding.finding_id, None)
        if len(self._standings) >= self._limit:
            self._shed()
        self._standings[finding.finding_id] = standing
        return decision

    def _worded(self, finding: Finding, published_ns: int) -> Notice:
        return notice(finding, self._alert.dashboard_url, published_ns if finding.status == "resolved" else None)

    def _offer(self, words: Notice) -> None:
        for delivery in self._deliveries:
            delivery.offer(words)

    def _shed(self) -> None:
        """At the limit the oldest that does not fire goes first: its next revision, if one comes, is judged anew."""
        idle = (finding_id for finding_id, standing in self._standings.items() if standing.ended or not standing.fired)
        self.forget(next(idle, next(iter(self._standings))))
        self._counts["shed"] += 1
