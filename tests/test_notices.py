"""Kubernetes Events and Alertmanager's messages that are odd, partly broken, or from an API that names its fields otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from otlp_records import attributes, both, request
from test_kubernetes_surroundings import alerts, happened, message, parsed

from models.events import Transition
from models.instants import parse_time
from models.rejection import Rejection
from streams.settings import Settings
from streams.sources.alertmanager import Alerts
from streams.sources.kinds import KINDS
from streams.sources.source import Origin


def other_api(**more: Any) -> dict[str, Any]:
    """As `kubectl get events.v1.events.k8s.io -o json` shows an Event that a component wrote through core/v1."""
    return {
        "kind": "Event", "apiVersion": "events.k8s.io/v1", "reason": "BackOff", "type": "Warning", "note": "why", "eventTime": None,
        "metadata": {"name": "x.1", "uid": "u1", "creationTimestamp": "2026-11-24T09:00:00Z"},
        "regarding": {"kind": "Pod", "namespace": "shop", "name": "cart-5756bfb997-6qd4n"}, "deprecatedCount": 2,
        "deprecatedFirstTimestamp": "2026-11-24T09:00:00Z", "deprecatedLastTimestamp": "2026-11-24T10:00:05Z",
        "deprecatedSource": {"component": "kubelet"}, **more,
    }  # fmt: skip


def test_an_event_is_the_same_through_either_api() -> None:
    assert parsed(other_api()) == parsed(happened("BackOff"))
    (again,) = parsed(other_api(deprecatedCount=3, deprecatedLastTimestamp="2026-11-24T10:05:05Z"))
    assert (again.id, again.time) == ("u1#3", parse_time("2026-11-24T10:05:05Z"))  # it goes on: no repeat of the first


def test_events_as_kubectl_watches_them() -> None:
    assert parsed({"type": "MODIFIED", "object": happened("BackOff")}) == parsed(happened("BackOff"))
    assert [each.reason for each in parsed({"type": "BOOKMARK", "object": {"kind": "Event"}})] == ["missing_field"]


def test_one_bad_event_of_a_list_costs_no_other() -> None:
    broken = [happened("Failed", lastTimestamp="soon"), {"reason": "x", "count": "many", "involvedObject": {"name": "y"}}, 7]
    found = parsed({"kind": "EventList", "items": [happened("BackOff"), *broken, happened("Unhealthy")]})
    assert [each.metric for each in found if isinstance(each, Transition)] == ["BackOff", "Unhealthy"]
    assert [(each.reason, each.path) for each in found if isinstance(each, Rejection)] == [
        ("bad_time", "items[1].lastTimestamp"),
        ("wrong_type", "items[2].count"),
        ("wrong_type", "items[3]"),
    ]
    assert parsed({"kind": "EventList", "items": []}) == []


def test_one_bad_alert_of_a_group_costs_no_other() -> None:
    group = message("firing", pod="a")
    group["alerts"] += [{"status": "firing"}, {**message("resolved")["alerts"][0], "endsAt": "0001-01-01T00:00:00Z"}]
    group["alerts"].append({**message("resolved", pod="b")["alerts"][0], "fingerprint": "f2"})
    found = alerts(group)
    assert [(each.after, each.id) for each in found if isinstance(each, Transition)] == [
        ("firing", "f1 firing 2026-11-24T10:00:00Z"),
        ("resolved", "f2 resolved 2026-11-24T10:05:00Z"),  # that it fired was never told: it is resolved all the same
    ]
    assert [(each.reason, each.path) for each in found if isinstance(each, Rejection)] == [
        ("missing_field", "alerts[1].labels"),
        ("bad_time", "alerts[2].endsAt"),
    ]


def test_alerts_that_a_receiver_cut_off_are_counted() -> None:
    source = Alerts(Settings(), Origin())
    assert len(source.parse(json.dumps({**message("firing"), "truncatedAlerts": 3}).encode(), (), 0)) == 1
    assert source.counts == {"changes": 1, "truncated": 3}


def test_a_repeat_and_the_same_alert_firing_again() -> None:
    """What a message repeats after `repeat_interval` is one event; what fires anew has begun at another time."""
    again = message("firing")
    again["alerts"][0]["startsAt"] = "2026-11-24T11:00:00Z"
    first, repeat, second = alerts(message("firing")), alerts(message("firing")), alerts(again)
    assert first == repeat and first[0].id != second[0].id
    other = message("firing", severity="warning")  # other labels are another alert
    other["alerts"][0]["fingerprint"] = "f2"
    assert alerts(other)[0].id != first[0].id


def test_no_secret_in_the_texts() -> None:
    told = message("firing")
    told["alerts"][0]["annotations"]["summary"] = "GET https://bot:hunter2@x/?token=hunter2 fails"
    assert alerts(told)[0].text == "GET https://bot:hidden@x/?token=hidden fails"
    (event,) = parsed(happened("Failed", message="pull from https://bot:hunter2@registry/x"))
    assert event.text == "cart-5756bfb997-6qd4n: pull from https://bot:hidden@registry/x"


@pytest.mark.parametrize("kind", ["k8s-events", "alertmanager", "json"])
def test_a_kind_that_remembers_nothing_reads_nothing_again(kind: str) -> None:
    """`interplay init` asks the topic to keep what a restart reads back: two panes."""
    assert KINDS[kind].pane(Settings()) <= 1_000_000_000 < KINDS["k8s-audit"].pane(Settings())


def by_collector(event: dict[str, Any], **moved: str) -> dict[str, Any]:
    """What the collector's `k8s_events` receiver makes of an Event (k8s_event_to_logdata.go); `moved` are attributes of the Resource."""
    about = event["involvedObject"]
    warning = event["type"] == "Warning"
    named = {
        "k8s.event.reason": event["reason"], "k8s.event.name": event["metadata"]["name"], "k8s.event.uid": event["metadata"]["uid"],
        "k8s.event.count": event["count"], **({} if moved else {"k8s.namespace.name": about["namespace"]}),
    }  # fmt: skip
    record = {
        "timeUnixNano": str(parse_time(event["lastTimestamp"])), "severityNumber": 13 if warning else 9, "severityText": event["type"],
        "body": {"stringValue": event["message"]}, "attributes": attributes(named),
    }  # fmt: skip
    document = request("logs", [record])
    own = {
        "k8s.node.name": "n1",
        "k8s.object.kind": about["kind"],
        "k8s.object.name": about["name"],
        "k8s.cluster.name": "prod",
        **moved,
    }
    document["resourceLogs"][0]["resource"]["attributes"] = attributes(own)
    return document


@pytest.mark.parametrize("moved", [{}, {"k8s.namespace.name": "shop"}])
def test_an_event_that_the_collector_ships_is_told_as_any_other(moved: dict[str, str]) -> None:
    for event in (happened("BackOff"), happened("NodeNotReady", kind="Node", name="n1", type="Normal")):
        (direct,), (shipped,) = parsed(event), both(by_collector(event, **moved))
        names = ("time", "resource", "metric", "after", "severity", "text")
        assert [getattr(shipped, name) for name in names] == [getattr(direct, name) for name in names]
    assert both(by_collector(happened("Pulled", type="Normal"), **moved)) == []
