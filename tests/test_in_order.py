"""The reader of every source: any order within the hold gives the same; what comes later is counted and left out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from audit_records import GITOPS, audit, became, deployment
from hypothesis import given, settings
from hypothesis import strategies as st

from models.events import Action
from models.foreign import Foreign
from models.instants import SECOND
from models.panes import Panes
from streams.cli.lines import Sourcing, read
from streams.settings import Settings
from streams.sources.in_order import HOLD, InOrder
from streams.sources.kinds import KINDS
from streams.sources.source import Origin


def writes(moments: list[float], versions: list[int]) -> list[dict[str, Any]]:
    """One object's writes; each sets its version as the replicas."""
    return [
        audit(at, GITOPS, "update", "deployments/cart", deployment(version, version))
        for at, version in zip(moments, versions, strict=True)
    ]


@settings(max_examples=60)
@given(st.data())
def test_the_order_of_an_objects_versions_does_not_rest_on_what_was_released_together(data: st.DataObject) -> None:
    moments = sorted(data.draw(st.lists(st.integers(0, 400), min_size=2, max_size=12, unique=True)))
    versions = data.draw(st.permutations([7 + place for place in range(len(moments))]))
    log = writes([moment / 10 for moment in moments], list(versions))
    whole = became(log)[0]
    for waiting in (1, 3):
        assert became(log, waiting)[0] == whole
    kind = KINDS["k8s-audit"].open(Settings(), Origin())
    parsed = [each for line in log for each in kind.parse(json.dumps(line).encode(), (), 0) if isinstance(each, Foreign)]
    fold, found = kind.fold(), list[object]()
    for each in parsed:
        found += [event for _, event in fold.translate(each)]
        if data.draw(st.booleans()):
            found += [event for _, event in fold.passed(each.time)]
    found += [event for _, event in fold.passed(parsed[-1].time + 60 * SECOND)]
    assert found == whole


@pytest.mark.parametrize(("gap", "order"), [(0.9, [11, 12, 13]), (1.1, [12, 11, 13])])
def test_versions_change_places_within_a_second(gap: float, order: list[int]) -> None:
    log = writes([1, 1 + gap, 9], [12, 11, 13])
    seen = [event.version for event in became([audit(0, GITOPS, "create", "deployments/cart", deployment(2, 10)), *log])[0]
            if isinstance(event, Action) and event.parameter == "spec.replicas"]  # fmt: skip
    assert seen == order


def test_what_comes_too_late_is_counted_and_a_repeat_is_left_out() -> None:
    source = KINDS["k8s-audit"].open(Settings(), Origin())
    log = writes([1, 1, 20, 21, 22, 2], [11, 11, 12, 13, 14, 15])
    order = InOrder(Panes(source.fold, 3600 * SECOND), waiting=1)
    found: list[object] = []
    for number, line in enumerate(log, 1):
        for record in source.parse(json.dumps(line).encode(), (), number):
            assert isinstance(record, Foreign)
            found += order.feed(record)
    found += order.finish()
    assert HOLD == 10 * SECOND and (order.late, order.repeated) == (0, 1)  # 2 is after 1, the last that had to leave
    assert list(order.feed(record)) == [] and order.late == 1


def test_lines_before_the_first_that_says_what_it_is_are_told(tmp_path: Any) -> None:
    file = tmp_path / "rotated.log"
    log = writes([1, 2], [11, 12])
    file.write_text('tail": "of a line"}\n' + "\n".join(json.dumps(line) for line in log) + "\n")
    sourcing = Sourcing(Settings())
    found = list(read([str(file)], sourcing))
    assert found[0][0] == (0, 1) and getattr(found[0][1], "reason", "") == "not_json" and sourcing.logs["k8s-audit"]["changes"] == 2
