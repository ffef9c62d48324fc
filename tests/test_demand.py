"""Demand: one sample a bucket counts, whatever is sent twice or left out; what moved how far; and what leaves the memory."""

from __future__ import annotations

import math

import pytest
from small_histories import moment, wrote

from models.demand import BUCKET, DRIVERS, EVERY, Demand
from models.events import Read, Sample


def sample(seconds: float, value: float, resource: str = "web") -> Sample:
    return Sample(time=moment(seconds), source="lb", id=f"{seconds}", resource=resource, metric="rps", value=value, role="demand")


def filled(*points: tuple[float, float]) -> Demand:
    demand = Demand()
    for seconds, value in points:
        demand.add(sample(seconds, value))
    return demand


def test_the_first_sample_of_a_bucket_counts() -> None:
    assert BUCKET == 10 * 10**9
    twice = filled((0, 1), (3, 99), (3, 99), (10, 5), (19, 99)).drivers([wrote(60, "hpa", 1, 2, "web replicas")], 0)
    assert twice.span(moment(0), moment(60)) == pytest.approx(math.log(6) - math.log(2))


def test_moves_are_from_the_extreme_since_the_run_began() -> None:
    driver = filled((0, 100), (10, 400), (20, 200)).drivers([wrote(60, "hpa", 1, 2, "web replicas")], 0)
    assert driver.move(moment(0), moment(25), up=False) == pytest.approx(math.log(401 / 201))
    assert driver.move(moment(0), moment(25), up=True) == pytest.approx(math.log(201 / 101))
    assert driver.move(moment(20), moment(25), up=True) == 0.0


def test_a_knob_is_driven_by_its_own_resource_and_by_what_its_writes_cite() -> None:
    demand = filled((0, 1), (10, 2))
    assert demand.drivers([wrote(60, "hpa", 1, 2, "web replicas")], 0)
    assert not demand.drivers([wrote(60, "hpa", 1, 2, "db replicas")], 0)
    assert demand.drivers([wrote(60, "hpa", 1, 2, "db replicas", reads=(Read("web", "rps", 2),))], 0)


def test_what_leaves_the_memory_leaves() -> None:
    demand = filled((0, 1), (10, 2), (20, 3))
    demand.forget(moment(10))
    assert len(demand) == 1 and not demand.drivers([wrote(60, "hpa", 1, 2, "web replicas")], 0)
    demand.forget(moment(20))
    assert len(demand) == 1  # all series are looked at, so not at every call
    demand.forget(moment(10) + EVERY)
    assert len(demand) == 0


def test_a_resource_with_very_many_series_costs_a_write_no_more() -> None:
    demand = Demand()
    for metric in range(200):
        for i in range(2):
            fields = {"id": f"{metric}/{i}", "resource": "web", "metric": f"rps{metric:03}", "role": "demand"}
            demand.add(Sample(time=moment(10 * i), source="lb", value=i, **fields))
    drivers = demand.drivers([wrote(60, "hpa", 1, 2, "web replicas")], 0)
    assert len(drivers._series) == DRIVERS
