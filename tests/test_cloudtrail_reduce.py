"""CloudTrail through reduce: any polls, crashes and refills give the events of one reading, also old values that earlier calls tell."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest
import test_translation
from small_histories import moment
from test_cloudtrail_calls import ELB
from test_cloudtrail_stories import MANAGED, NODES, shrunk
from test_translation import TIME, Record, played, whole
from trail_records import AUTOSCALER, SCHEDULER, START, TERRAFORM, call, desired, role, user

from models.events import Action
from models.instants import MINUTE
from models.panes import Panes
from models.reduction import ReduceProgress
from models.translation import TranslatingReducer
from streams.settings import Settings
from streams.sources.cloudtrail import CLOUDTRAIL, CloudTrail
from streams.sources.source import Origin

SETTINGS = Settings()
SETTINGS = msgspec.structs.replace(SETTINGS, analysis=msgspec.structs.replace(SETTINGS.analysis, memory=MINUTE))
SHIFT = START - moment(0)  # these records begin at another moment than `small_histories`
TARGETS = {"targetGroupArn": f"{ELB}:targetgroup/web/1"}


def reducer(progress: ReduceProgress | None = None) -> TranslatingReducer:
    source = CloudTrail(SETTINGS, Origin())
    return TranslatingReducer("trail/0", TIME, Panes(source.fold, CLOUDTRAIL.pane(SETTINGS)), progress)


@pytest.fixture(autouse=True)
def _reduce_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_translation, "reducer", reducer)


def one(draw: random.Random, at: float) -> dict[str, Any]:
    """A call: a group's capacity, a target that comes or goes, an instance that is launched or ended; some refused, some told twice."""
    who = draw.choice((AUTOSCALER, SCHEDULER, TERRAFORM, user("x")))
    number, kind = draw.randrange(4), draw.randrange(8)
    more: dict[str, Any] = {"errorCode": "AccessDenied"} if draw.random() < 0.1 else {}
    more |= {"sharedEventID": f"s-{int(at) // 9}"} if draw.random() < 0.2 else {}
    more["eventID"] = f"{at}-{kind}-{draw.random()}"
    if kind == 0:
        return desired(at, who, number, **more)
    if kind == 1:
        what = draw.choice(("Register", "Deregister"))
        return call(
            at, who, f"elasticloadbalancing:{what}Targets", {**TARGETS, "targets": [{"id": f"i-{number}", "port": 80}]}, **more
        )
    if kind == 4:  # and what a service carries out because of it
        scaling = {"name": "prod", "nodegroupName": "workers", "scalingConfig": {"desiredSize": number}}
        return call(at, who, "eks:UpdateNodegroupConfig", scaling, **more)
    if kind == 5:
        return call(
            at, MANAGED, "autoscaling:UpdateAutoScalingGroup", {"autoScalingGroupName": NODES, "desiredCapacity": number}, **more
        )
    if kind == 6:
        return shrunk(int(at), who, f"i-{number}", group="checkout" if number else "") | more
    items = {"instancesSet": {"items": [{"instanceId": f"i-{number}"}]}}
    if kind == 2:
        tags = {"items": [{"tags": [{"key": "karpenter.sh/nodepool", "value": "spot"}]}]}
        who = draw.choice((who, role("AWSServiceRoleForAutoScaling", "AutoScaling")))
        return call(at, who, "ec2:RunInstances", {"tagSpecificationSet": tags}, items, **more)
    return call(at, who, "ec2:TerminateInstances", items, **more)


def partition(seed: int, count: int = 250) -> list[Record]:
    """Records in the order of their arrival, some twice; several calls a second."""
    draw, source, found = random.Random(seed), CloudTrail(SETTINGS, Origin()), []
    for number in range(count):
        at = number * 1.5 // 1
        value = json.dumps(one(draw, at)).encode()
        for _ in range(1 + (draw.random() < 0.2)):
            found.append(Record(SHIFT + moment(at + draw.uniform(0, 9)), tuple(source.parse(value, (), None))))
    end = source.parse(json.dumps(desired(5000, TERRAFORM, 1)).encode(), (), None)
    return [*sorted(found, key=lambda record: record.appended), Record(SHIFT + moment(5000), tuple(end))]


@pytest.mark.parametrize("seed", range(30))
def test_polls_crashes_and_refills_make_no_difference(seed: int) -> None:
    records = partition(seed)
    out, _ = played(records, seed, 0.2)
    wanted = whole(records)
    assert out.events == wanted.events and out.refused == wanted.refused


def test_the_property_sees_refills_and_old_values_of_every_sort() -> None:
    runs = [played(partition(seed), seed, 0.2) for seed in range(10)]
    assert sum(refilled > 0 for _, refilled in runs) > 5
    actions = [event for out, _ in runs for event in out.events.values() if isinstance(event, Action)]
    told = [action for action in actions if isinstance(action.old, int | tuple) and not isinstance(action.old, bool)]
    assert len(told) > 500 and sum(bool(action.owner) for action in actions) > 500
    assert {type(action.old) for action in told} == {int, tuple} and {action.outcome for action in actions} == {
        "applied",
        "rejected",
    }
