"""OTLP metrics as samples: temporalities, resets, histograms of both kinds, summaries, and what rules make of names and roles."""

from __future__ import annotations

import random
import sys
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from otlp_records import as_json, as_protobuf, at, attributes, both, request, told

from models.events import Sample
from models.rejection import Rejection
from streams.settings import MetricRule, Otlp, Settings
from streams.sources.opentelemetry import Otlp as Source
from streams.sources.opentelemetry.record import Point
from streams.sources.opentelemetry.samples import quantile_of
from streams.sources.source import Origin

DELTA, CUMULATIVE = 1, 2


def point(seconds: float, since: float | None = 0.0, **fields: Any) -> dict:
    """A data point of the time `seconds`; `values` are its attributes."""
    made = {"timeUnixNano": str(at(seconds)), "attributes": attributes(fields.pop("values", {})), **fields}
    return made if since is None else {**made, "startTimeUnixNano": str(at(since))}


def metric(kind: str, *points: dict, name: str = "m", unit: str = "By", **data: Any) -> dict:
    """One metric."""
    return {"name": name, "unit": unit, kind: {"dataPoints": list(points), **data}}


def samples(*metrics: dict, settings: Otlp | None = None) -> list[tuple[float, str, float, str]]:
    """(seconds, metric, value, unit) of all samples, the same from either encoding; they all are of the process."""
    found = both(request("metrics", metrics), settings=settings)
    assert all(isinstance(event, Sample) for event in found)
    return [((event.time - at(0)) / 1e9, event.metric, round(event.value, 9), event.unit) for event in found]


def test_a_gauge_is_what_it_says_and_attributes_name_its_series() -> None:
    found = samples(metric("gauge", point(1, asInt="3", values={"b": "x", "a": 7}), point(2, asDouble=1.5), point(3, asInt="0")))
    assert found == [(1, "m{a=7,b=x}", 3, "By"), (2, "m", 1.5, "By"), (3, "m", 0, "By")]


def test_a_sum_of_deltas_is_a_rate_over_its_own_interval() -> None:
    found = samples(
        metric("sum", point(10, 0, asInt="50"), point(20, 20, asInt="1"), aggregationTemporality=DELTA, isMonotonic=True)
    )
    assert found == [(10, "m", 5, "By/s")]


def test_a_cumulative_sum_is_a_rate_between_two_points() -> None:
    points = [point(seconds, asInt=str(count)) for seconds, count in ((10, 100), (20, 150), (40, 250))]
    data = {"aggregationTemporality": CUMULATIVE, "isMonotonic": True}
    assert samples(metric("sum", *points, **data)) == [(20, "m", 5, "By/s"), (40, "m", 5, "By/s")]
    assert samples(metric("sum", *points, unit="{request}", **data))[0][3] == "1/s"


def test_a_cumulative_sum_that_also_falls_is_a_level() -> None:
    found = samples(metric("sum", point(1, asInt="5"), point(2, asInt="3"), aggregationTemporality=CUMULATIVE))
    assert [value for _, _, value, _ in found] == [5, 3]


@pytest.mark.parametrize(
    ("third", "want"),
    [
        (point(30, 25, asInt="10"), [5, 2]),  # began anew at 25 and says so: 10 in 5 s
        (point(30, 0, asInt="10"), [5]),  # fell without a word: nothing is known of the interval
        (point(30, 25, asInt="900"), [5, 180]),  # began anew and is higher than before
    ],
)
def test_a_counter_that_began_anew(third: dict, want: list[float]) -> None:
    points = [point(10, asInt="100"), point(20, asInt="150"), third]
    found = samples(metric("sum", *points, aggregationTemporality=CUMULATIVE, isMonotonic=True))
    assert [value for _, _, value, _ in found] == want


def histogram(seconds: float, counts: list[int], total: float, since: float = 0.0, **fields: Any) -> dict:
    """A point with the bounds 10, 20, 40."""
    return point(
        seconds,
        since,
        count=str(sum(counts)),
        sum=total,
        bucketCounts=[str(count) for count in counts],
        explicitBounds=[10, 20, 40],
        **fields,
    )


def test_a_histogram_is_its_rates_and_chosen_quantiles() -> None:
    settings = Otlp(quantiles=("0.5", "0.99"))
    wanted = [(10, "m.count", 1, "1/s"), (10, "m.sum", 15, "By/s"), (10, "m.p50", 15, "By"), (10, "m.p99", 20, "By")]
    assert (
        samples(metric("histogram", histogram(10, [0, 10, 0, 0], 150), aggregationTemporality=DELTA), settings=settings)[:3]
        == wanted[:3]
    )
    cumulative = metric(
        "histogram", histogram(0.5, [7, 0, 3, 0], 100), histogram(10.5, [7, 10, 3, 0], 250), aggregationTemporality=CUMULATIVE
    )
    assert samples(cumulative, settings=settings)[:3] == [(10.5, *rest) for _, *rest in wanted[:3]]


def test_a_histogram_with_other_bounds_keeps_its_rates_and_loses_one_quantile() -> None:
    other = point(20, count="20", sum=300.0, bucketCounts=["15", "5"], explicitBounds=[15])
    found = samples(metric("histogram", histogram(10, [0, 10, 0, 0], 150), other, aggregationTemporality=CUMULATIVE))
    assert found == [(20, "m.count", 1, "1/s"), (20, "m.sum", 15, "By/s")]


def test_an_exponential_histogram_has_quantiles_too() -> None:
    data = point(10, count="8", sum=40.0, scale=0, zeroCount="0", positive={"offset": 2, "bucketCounts": ["8"]})
    found = samples(metric("exponentialHistogram", data, aggregationTemporality=DELTA), settings=Otlp(quantiles=("0.5",)))
    assert found == [(10, "m.count", 0.8, "1/s"), (10, "m.sum", 4, "By/s"), (10, "m.p50", 6, "By")]  # 4 to 8


def test_a_summary_says_its_quantiles_itself() -> None:
    points = [
        point(seconds, count=str(count), sum=10.0 * count, quantileValues=[{"quantile": 0.99, "value": 12.0}])
        for seconds, count in ((10, 4), (20, 14))
    ]
    assert samples(metric("summary", *points)) == [
        (10, "m.p99", 12, "By"),
        (20, "m.p99", 12, "By"),
        (20, "m.count", 1, "1/s"),
        (20, "m.sum", 10, "By/s"),
    ]


def test_quantiles_stay_within_the_observations() -> None:
    draw = random.Random(3)
    for _ in range(300):
        bounds = tuple(pairwise(sorted(draw.uniform(-50, 50) for _ in range(6))))
        counts = [draw.randint(0, 5) for _ in bounds]
        if any(counts):
            values = [quantile_of(bounds, counts, q / 10) for q in range(11)]
            held = [pair for pair, count in zip(bounds, counts, strict=True) if count]
            assert values == sorted(values) and held[0][0] <= values[0] and values[-1] <= held[-1][1]


def test_a_histogram_that_says_no_sum_has_none() -> None:
    data = point(10, count="10", bucketCounts=["0", "10"], explicitBounds=[10])
    assert [each[1] for each in samples(metric("histogram", data, aggregationTemporality=DELTA))] == ["m.count", "m.p95"]


def test_what_is_no_number_is_passed_over_and_counted() -> None:
    counts: Counter[str] = Counter()
    record = request("metrics", [metric("gauge", point(1, asDouble="NaN"), point(2, asInt="4", flags=1), point(3, asInt="4"))])
    assert [event.value for event in told(as_json(record), counts=counts)] == [4]
    assert counts["no_value"] == 2


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (metric("gauge", {"asInt": "1"}), ("missing_field", "metrics[0].gauge.dataPoints[0].timeUnixNano")),
        ({"name": "m"}, ("missing_field", "metrics[0].data")),
        (metric("gauge", point(1, asInt="1"), name=""), ("missing_field", "metrics[0].name")),
        (
            metric(
                "histogram", point(1, count="1", sum=1.0, bucketCounts=["1"], explicitBounds=[1, 2]), aggregationTemporality=DELTA
            ),
            ("wrong_type", "metrics[0].histogram.dataPoints[0].bucketCounts"),
        ),
        (metric("gauge", point(1, asInt="x")), ("wrong_type", "metrics[0].gauge.dataPoints[0]")),
    ],
)
def test_a_bad_metric_is_refused_alone_with_its_place(bad: dict, why: tuple[str, str]) -> None:
    found = told(as_json(request("metrics", [bad, metric("gauge", point(1, asInt="1"), name="good")])))
    refusals = [
        (event.reason, event.path.removeprefix("resourceMetrics[0].scopeMetrics[0]."))
        for event in found
        if isinstance(event, Rejection)
    ]
    assert refusals == [why]
    assert [event.metric for event in found if isinstance(event, Sample)] == ["good"]


def test_rules_name_resources_and_roles() -> None:
    rule = MetricRule(
        metric="http.*",
        match=(("http.route", "/cart*"),),
        resource="svc{http.route}",
        name="requests",
        attributes=("method",),
        role="demand",
    )
    rules = Otlp(metric=(rule, MetricRule(metric="http.*", ignore=True)))
    values = {"http.route": "/cart/add", "method": "POST", "status": 200}
    (event,) = both(
        request("metrics", [metric("gauge", point(1, asInt="7", values=values), point(2, asInt="1"), name="http.load")]),
        settings=rules,
    )
    assert (event.resource, event.metric, event.role, event.value) == ("svc/cart/add", "requests{method=POST}", "demand", 7)


def test_an_exemplar_is_kept_as_the_trace_to_look_at() -> None:
    exemplar = {"timeUnixNano": str(at(1)), "asDouble": 3.0, "traceId": "0a" * 16, "spanId": "0b" * 8}
    document = request(
        "metrics", [metric("histogram", histogram(10, [0, 10, 0, 0], 150, exemplars=[exemplar]), aggregationTemporality=DELTA)]
    )
    assert {event.traceparent for event in told(as_json(document))} == {f"00-{'0a' * 16}-{'0b' * 8}-01"}
    assert told(as_protobuf(document)) == told(as_json(document))


def test_points_of_a_series_may_come_in_any_order() -> None:
    points = [point(10.0 * n, asInt=str(n * n)) for n in range(1, 30)]
    records = [
        as_json(request("metrics", [metric("sum", each, aggregationTemporality=CUMULATIVE, isMonotonic=True)])) for each in points
    ]
    want = told(*records)
    random.Random(5).shuffle(records)
    assert told(*records, records[0]) == want and len(want) == 28


def exponential(seconds: float, counts: list[int], offset: int = 0, scale: int = 0, **fields: Any) -> dict:
    made = {
        "count": str(sum(counts)),
        "sum": 1.0,
        "scale": scale,
        "positive": {"offset": offset, "bucketCounts": [*map(str, counts)]},
    }
    return point(seconds, **{**made, **fields})


def exponentials(*points: dict, temporality: int = CUMULATIVE) -> list[tuple[float, str, float, str]]:
    return samples(metric("exponentialHistogram", *points, aggregationTemporality=temporality), settings=Otlp(quantiles=("0.5",)))


@pytest.mark.parametrize(("scale", "offset", "median"), [(-10, -1, 0.5), (-10, 0, sys.float_info.max), (20, 0, 1.0), (-11, 0, 1.0)])
def test_the_coarsest_and_the_finest_scale_of_an_exponential_histogram(scale: int, offset: int, median: float) -> None:
    (found,) = [
        value for _, name, value, _ in exponentials(exponential(10, [8], offset, scale), temporality=DELTA) if name == "m.p50"
    ]
    assert found == pytest.approx(median, rel=1e-5) or (scale == -11 and found > 1)


def test_an_exponential_histogram_over_a_change_of_scale_and_a_restart_of_its_process() -> None:
    found = exponentials(
        exponential(0, [4]),
        exponential(10, [4, 0, 8]),  # 8 between 4 and 8
        exponential(20, [12, 8], scale=-1),  # coarser: what was counted between the two scales has no quantile
        exponential(30, [12, 8, 4], scale=-1),
        exponential(45, [3], scale=-1, since=40),  # another process
    )
    assert [(time, name, value) for time, name, value, _ in found if name != "m.sum"] == [
        (10, "m.count", 0.8), (10, "m.p50", 6), (20, "m.count", 0.8), (30, "m.count", 0.4), (30, "m.p50", 40),
        (45, "m.count", 0.6), (45, "m.p50", 2.5),
    ]  # fmt: skip


def test_points_of_many_series_share_their_buckets() -> None:
    """What is remembered of 20,000 series of 100 buckets took 400 MB."""
    points = [exponential(10, [1000] * 100, values={"route": f"/{n}"}) for n in range(3)]
    record = as_protobuf(request("metrics", [metric("exponentialHistogram", *points, aggregationTemporality=CUMULATIVE)]))
    found = [each for each in Source(Settings(), Origin()).parse(record, (), 1) if isinstance(each, Point)]
    assert len(found) == 3 and len({id(each.bounds) for each in found}) == 1
    assert all(sys.getsizeof(each.buckets) < 1000 for each in found)


@pytest.mark.parametrize("count", ["-1", str(1 << 64)])
def test_counts_beyond_what_the_format_has_are_refused(count: str) -> None:
    bad = point(10, count="1", sum=1.0, bucketCounts=[count, "0"], explicitBounds=[1])
    (why,) = told(as_json(request("metrics", [metric("histogram", bad, aggregationTemporality=DELTA)])))
    assert isinstance(why, Rejection) and why.reason == "wrong_type" and "dataPoints[0]" in why.path


def test_delta_and_cumulative_of_one_name_stay_apart_by_their_process() -> None:
    found = []
    for service, temporality in (("a", DELTA), ("b", CUMULATIVE)):
        points = [point(seconds, seconds - 10, asInt="50") for seconds in (10, 20)]
        sums = [metric("sum", each, aggregationTemporality=temporality, isMonotonic=True) for each in points]
        found += both(request("metrics", sums, service))
    assert [(event.resource, event.value) for event in found] == [("service/a", 5.0), ("service/a", 5.0), ("service/b", 5.0)]


def test_a_broken_exemplar_costs_no_measurement() -> None:
    good = {"traceId": "1" * 32, "spanId": "2" * 16, "timeUnixNano": str(at(1)), "asDouble": 1.0}
    broken = {**good, "spanId": "xyz"}
    for exemplars, trace in (([good, broken], f"00-{'1' * 32}-{'2' * 16}-01"), ([broken], "")):
        (event,) = told(as_json(request("metrics", [metric("gauge", point(1, asInt="1", exemplars=exemplars))])))
        assert isinstance(event, Sample) and event.traceparent == trace
