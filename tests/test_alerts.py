"""What pages, what does not and why; what on-call reads; what is wrong with settings."""

from __future__ import annotations

import msgspec
import pytest
from fights import ALERT, NOW, finding, resolved

from models.findings import Finding
from models.instants import HOUR, MINUTE, SECOND, format_time
from streams.alerts import TARGETS, configured_targets
from streams.alerts.alertmanager import Alertmanager, labels, payload
from streams.alerts.message import notice
from streams.alerts.policy import Decision, Standing, decide
from streams.settings import Alert


def reason(record: Finding, alert: Alert = ALERT, published: int = NOW, standing: Standing | None = None) -> tuple[str, str]:
    decision, _ = decide(record, alert, published, standing)
    return decision.action, decision.reason


def test_every_reason_to_page_or_to_stay_silent() -> None:
    fires = Standing(1, in_time=True, fired=True)
    assert reason(finding()) == ("fire", "new")
    assert reason(finding(2), standing=fires) == ("refresh", "open")
    assert reason(resolved(2, NOW), standing=fires) == ("resolve", "ended")
    assert reason(resolved(3, NOW), standing=Standing(2, in_time=True, fired=True, ended=True)) == ("silent", "already_ended")
    assert reason(resolved(1, NOW)) == ("silent", "already_ended")
    assert reason(finding(1), standing=fires) == ("silent", "repeated")
    assert reason(finding(detected=NOW - 3 * HOUR)) == ("silent", "too_old")
    assert reason(finding(severity="info")) == ("silent", "below_severity")
    assert reason(finding(confidence=0.4)) == ("silent", "below_confidence")
    assert decide(finding(), ALERT, NOW, None, waived=True)[0] == Decision("silent", "waived")
    assert decide(finding(2), ALERT, NOW, fires, waived=True)[0] == Decision("refresh", "open")
    assert reason(finding(), msgspec.structs.replace(ALERT, observe_only=True)) == ("silent", "observe_only")


def test_max_age_is_a_border_and_counts_from_publication() -> None:
    assert reason(finding(detected=NOW - ALERT.max_age)) == ("fire", "new")
    assert reason(finding(detected=NOW - ALERT.max_age - 1)) == ("silent", "too_old")
    assert reason(finding(detected=NOW - 3 * HOUR), published=NOW - 3 * HOUR) == ("fire", "new")


def test_a_fight_known_in_time_pages_when_it_grows_an_hour_later() -> None:
    _, standing = decide(finding(severity="info"), ALERT, NOW, None)
    later = finding(9, updated=NOW + HOUR, severity="error")
    assert reason(later, published=NOW + HOUR, standing=standing) == ("fire", "new")


def test_a_backfilled_episode_stays_silent_when_it_goes_on_live() -> None:
    _, standing = decide(finding(detected=NOW - 24 * HOUR), ALERT, NOW, None)
    for revision in (2, 3):
        live = finding(revision, detected=NOW - 24 * HOUR, updated=NOW, severity="critical")
        decision, standing = decide(live, ALERT, NOW, standing)
        assert decision.reason == "too_old"
    assert reason(resolved(4, NOW), standing=standing) == ("silent", "already_ended")


def test_what_fired_goes_on_below_the_threshold_and_opens_again_under_its_id() -> None:
    standing: Standing | None = None
    seen = []
    for record in (finding(), finding(2, severity="info", confidence=0.1), resolved(3, NOW), finding(4)):
        decision, standing = decide(record, ALERT, NOW, standing)
        seen.append(decision.action)
    assert seen == ["fire", "refresh", "resolve", "refresh"]


def test_after_compaction_the_first_revision_left_speaks_for_the_others() -> None:
    hours_long = finding(40, detected=NOW - 5 * HOUR, updated=NOW - 12 * SECOND)
    assert reason(hours_long) == ("refresh", "open")
    assert reason(resolved(41, NOW - 12 * SECOND, detected=NOW - 5 * HOUR)) == ("resolve", "ended")
    assert reason(finding(40, detected=NOW - 5 * HOUR, updated=NOW - 4 * HOUR)) == ("silent", "too_old")
    assert reason(resolved(41, NOW - 4 * HOUR, detected=NOW - 5 * HOUR)) == ("silent", "already_ended")


def test_the_message_says_who_what_whom_since_when_on_what_evidence() -> None:
    words = notice(finding(), ALERT.dashboard_url)
    assert words.summary == ("cost-optimizer and perf-scaler fight over db/orders replicas, since 2025-11-25 01:55:49 UTC [f_1]")
    assert words.evidence == (
        "01:56:49 reversal 0 -> 8; … 5 more …; 01:58:49 reversal 6 -> 8; 01:59:09 reversal 7 -> 8; 01:59:29 reversal 8 -> 8"
    )
    assert words.description.splitlines() == [*finding().explanation, f"Evidence: {words.evidence}"]
    assert words.link == (
        "http://grafana:3000/d/interplay-overview?var-finding=f_1&var-domain=prod-eu&from=1764035449000&to=1764036289000"
    )
    assert notice(finding(), "").link == ""


def test_hostile_texts_stay_short_and_on_one_line() -> None:
    words = notice(finding(title="x\r\n\x1b[31m" + "y" * 5000, explanation=("a\nb\x00" * 3000,), evidence=(), domain='d"\n'), "")
    assert "\n" not in words.summary and "\x1b" not in words.summary
    assert len(words.summary) <= 300 and words.summary.endswith("[f_1]")
    assert len(words.description) <= 2000 and words.description.startswith("a b a b")


def test_labels_are_what_an_episode_keeps_for_life() -> None:
    first = labels(notice(finding(), ""))
    grown = finding(7, severity="critical", kind="growing", title="other", confidence=0.99, resources=("db/orders", "svc/cart"))
    assert labels(notice(grown, "")) == first
    assert first == {"alertname": "AgentThrashing", "pattern": "thrashing", "domain": "prod-eu", "finding_id": "f_1"}
    assert labels(notice(finding(pattern="intent_conflict"), ""))["alertname"] == "AgentIntentConflict"


def test_payload_ends_ahead_while_open_and_at_a_fixed_moment_once_resolved() -> None:
    fires = payload(notice(finding(), ""), NOW, 60 * SECOND)
    assert (fires["startsAt"], fires["endsAt"]) == (format_time(NOW), format_time(NOW + 4 * MINUTE))
    ended = payload(notice(finding(2), "", ended_ns=NOW), NOW + HOUR, 60 * SECOND)
    assert ended["endsAt"] == format_time(NOW) and "startsAt" not in ended


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"alertmanager": "alertmanager:9093"}, "alert.alertmanager: 'alertmanager:9093' is not an http or https URL"),
        ({"alertmanager": "ftp://me:secret@host/x"}, "alert.alertmanager: 'ftp://host/x' is not"),
        ({"alertmanager": "http://me:secret@host:99999"}, "alert.alertmanager: 'http://host:99999' is not"),
        ({"alertmanager": "http://me:secret@[::1"}, "alert.alertmanager: 'http://[::1' is not"),
        ({"dashboard_url": "grafana/d/x"}, "alert.dashboard_url: 'grafana/d/x' is not an http or https URL"),
        ({"tls_ca": "/nowhere/ca.pem"}, "alert.tls_ca: cannot read certificates from /nowhere/ca.pem"),
    ],
)
def test_settings_that_cannot_work_are_one_clear_line(change: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        configured_targets(msgspec.structs.replace(ALERT, **change))
    assert complaint in str(caught.value) and "secret" not in str(caught.value) and "\n" not in str(caught.value)


def test_each_target_is_known_by_its_key() -> None:
    assert {key: target.name for key, target in zip(TARGETS, configured_targets(ALERT), strict=True)} == {
        "alertmanager": Alertmanager.name
    }
