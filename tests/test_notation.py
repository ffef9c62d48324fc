"""The text notation: hand-written lines mean what they seem to, every event survives the way through text, mistakes are named by line."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from models.events import (
    Action,
    Alternative,
    AnyEvent,
    Clause,
    Condition,
    Constraint,
    Dependency,
    Expectation,
    Intent,
    Read,
    Sample,
    Transition,
    Verdict,
    Why,
)
from models.instants import LATEST, parse_time
from models.notation import parse, render


def at(clock: str) -> int:
    return parse_time(f"2026-11-24T{clock}Z")


READABLE: list[tuple[str, AnyEvent]] = [
    (
        '02:17:06 perf-scaler@agents/perf/1#a1 scale db/orders replicas 8 -> 16 v148 reads db/orders:p95=840 because "p95 > 300"',
        Action(
            time=at("02:17:06"), source="agents/perf/1", id="a1", agent="perf-scaler", verb="scale", resource="db/orders",
            parameter="replicas", old=8, new=16, version=148, reads=(Read("db/orders", "p95", 840),), why=Why("p95 > 300"),
        ),
    ),
    (
        "02:17:20.5 cost@agents/cost/1#b1 drain db/orders replicas -> 10 reads db/orders:replicas=16@v148@02:17:19 after a1 in prod-eu",
        Action(
            time=at("02:17:20.5"), source="agents/cost/1", id="b1", agent="cost", verb="drain", resource="db/orders", domain="prod-eu",
            parameter="replicas", new=10, reads=(Read("db/orders", "replicas", 16, at("02:17:19"), 148),), causes=("a1",),
        ),
    ),
    (
        "02:18:00 dns@enactor/2#d1 switch dns/db target east -> west holds failover until 02:40:00 outcome=failed",
        Action(
            time=at("02:18:00"), source="enactor/2", id="d1", agent="dns", verb="switch", resource="dns/db", parameter="target",
            old="east", new="west", intent=Clause(until=at("02:40:00"), reason="failover"), outcome="failed",
        ),
    ),
    (
        '02:18:00 dns@enactor/2#d2 delete dns/db holds failover expects dns/db:errors=up expects lb unless dns/db:errors >= 0.5 '
        'handoff ops deletes plan/9 acknowledges "enactor/1 i1"',
        Action(
            time=at("02:18:00"), source="enactor/2", id="d2", agent="dns", verb="delete", resource="dns/db", parameter="delete",
            intent=Clause(
                reason="failover", expects=(Expectation("dns/db", "errors", "up"), Expectation("lb")),
                abort_if=(Condition("dns/db", "errors", ">=", 0.5),), handoff_to=("ops",),
            ),
            deletes=("plan/9",), acknowledges=("enactor/1 i1",),
        ),
    ),
    (
        "02:18:01 healer@agents/healer/1#r1 restart svc/cart",
        Action(
            time=at("02:18:01"), source="agents/healer/1", id="r1", agent="healer", verb="restart", resource="svc/cart",
            parameter="restart",
        ),
    ),
    (
        "02:18:30 monitor/db#m1 transition db/orders health ok -> degraded severity=warning slo=true",
        Transition(
            time=at("02:18:30"), source="monitor/db", id="m1", resource="db/orders", metric="health", before="ok", after="degraded",
            severity="warning", slo=True,
        ),
    ),
    (
        "02:18:31 monitor/db#s1 sample db/orders p95_latency_ms 840 unit=ms",
        Sample(time=at("02:18:31"), source="monitor/db", id="s1", resource="db/orders", metric="p95_latency_ms", value=840.0, unit="ms"),
    ),
    (
        "02:00:00 topology/1#t1 dependency svc/cart -> db/orders kind=calls weight=1.4",
        Dependency(
            time=at("02:00:00"), source="topology/1", id="t1", dependent="svc/cart", dependency="db/orders", relation="calls", weight=1.4
        ),
    ),
    (
        "02:00:00 ann@people/ann#i1 intent svc/cart image -> v7 because freeze until 2026-11-25T06:00:00Z",
        Intent(
            time=at("02:00:00"), source="people/ann", id="i1", agent="ann", resource="svc/cart", parameter="image", desired="v7",
            reason="freeze", until=parse_time("2026-11-25T06:00:00Z"),
        ),
    ),
    (
        "02:00:00 canary@guards/1#g1 verdict svc/cart cfg-12 block payload=sha-1",
        Verdict(
            time=at("02:00:00"), source="guards/1", id="g1", agent="canary", resource="svc/cart", rollout="cfg-12", verdict="block",
            payload="sha-1",
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("line", "event"), READABLE, ids=[event.id for _, event in READABLE])
def test_a_line_means_what_it_says_and_is_written_so(line: str, event: AnyEvent) -> None:
    assert parse(f"on 2026-11-24\n{line}") == [event]
    written = render(event, "2026-11-24")
    assert written.replace('"v7"', "v7").replace("02:17:20.500", "02:17:20.5") == line
    assert parse(render(event)) == [event]


def test_comments_blank_lines_and_days() -> None:
    text = "# one day\non 2026-11-24\n\n23:59:59 m#1 sample r x 1\r\n  # the next\non 2026-11-25\n00:00:01 m#2 sample r x 2\n"
    first, second = parse(text)
    assert second.time - first.time == 2 * 10**9


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("02:17:06 a@s#1 scale db replicas 8 -> 16", "no line `on DATE`"),
        ("yesterday a@s#1 scale db", "the time is missing"),
        ("2026-11-24T02:17:06Z a@s scale db", "expected [AGENT@]SOURCE#ID"),
        ("2026-11-24T02:17:06Z s#1 scale db", "data.agent: `data.agent` is required"),
        ("2026-11-24T02:17:06Z a@s#1 scale", "the resource is missing"),
        ("2026-11-24T02:17:06Z a@s#1 scale db replicas 8 16", "expected ->"),
        ("2026-11-24T02:17:06Z a@s#1 scale db replicas 8 -> ", "the value after -> is missing"),
        ("2026-11-24T02:17:06Z a@s#1 scale db replicas 8 -> 16 reeds x", "not understood: 'reeds x'"),
        ("2026-11-24T02:17:06Z a@s#1 scale db replicas 8 -> 16 maturity=3", "no field 'maturity'"),
        ("2026-11-24T02:17:06Z a@s#1 scale db replicas 8 -> 16 outcome=perhaps", "data.outcome: Invalid enum value 'perhaps'"),
        ('2026-11-24T02:17:06Z a@s#1 scale db replicas 8 -> "16', "not JSON"),
        ("2026-11-24T02:17:06Z a@s#1 scale db intent=3 holds", "given twice"),
        ("2026-13-24T02:17:06Z m#1 sample r x 1", "month must be in 1..12"),
        ("on 2026-11-31", "day is out of range"),
        ("2026-11-24T02:17:06Z m#1 sample r x NaN", "data.value: Expected `float`, got `str`"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^line 3: ") as raised:
        parse(f"# a comment\n\n{line}\n")
    assert said in str(raised.value)


texts = st.one_of(
    st.sampled_from(
        ["a", "db/orders", "reads", "v2", "in", "->", "16", "null", "on", "x:y", "a b", 'say "no"', "sample", "a=b", "#1"]
    ),
    st.text(max_size=8),
)
names = texts.filter(bool)
whole = st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.one_of(whole, floats, st.booleans(), st.none(), texts)
values = st.one_of(scalars, st.lists(scalars, max_size=3).map(tuple))
versions = st.one_of(st.none(), whole, floats, texts)
times = st.integers(min_value=0, max_value=LATEST - 1)
maybe_times = st.none() | times
tuples = lambda items: st.lists(items, max_size=2).map(tuple)  # noqa: E731
maybe = lambda items: st.just(UNSET) | items  # noqa: E731

shared = {
    "time": times, "source": names, "id": names, "domain": names, "resource": names, "causes": tuples(texts),
    "traceparent": texts, "late": st.booleans(),
}  # fmt: skip
clauses = st.builds(
    Clause,
    until=maybe_times,
    expects=tuples(st.builds(Expectation, names, texts, texts, st.none() | floats)),
    abort_if=tuples(st.builds(Condition, names, names, st.sampled_from([">", ">=", "<", "<=", "==", "!="]), values)),
    reason=texts,
    handoff_to=tuples(texts),
)
simple_clauses = st.builds(Clause, until=maybe_times, reason=texts)
actions = st.builds(
    Action, **shared, agent=names, verb=names, parameter=names, mandate=texts, old=maybe(values), new=maybe(values), version=versions,
    outcome=st.sampled_from(["applied", "failed", "rejected", "considered"]), owner=texts,
    reads=tuples(st.builds(Read, names, texts, maybe(values), maybe_times, versions)),
    constraints=tuples(st.builds(Constraint, names, st.none() | whole, values)), why=st.none() | st.builds(Why, texts, texts),
    alternatives=tuples(st.builds(Alternative, texts, texts)), intent=st.none() | clauses | simple_clauses, acknowledges=tuples(texts),
    deletes=tuples(texts), rollout=texts,
)  # fmt: skip
events = st.one_of(
    actions,
    st.builds(Sample, **{**shared, "causes": st.just(()), "traceparent": st.just("")}, metric=names, value=floats, unit=texts,
              role=st.sampled_from(["", "demand", "capacity"])),
    st.builds(Transition, **shared, metric=names, before=values, after=values, severity=texts, text=texts, slo=st.booleans()),
    st.builds(Dependency, **{**shared, "resource": texts}, dependent=names, dependency=names, relation=texts, weight=floats,
              until=maybe_times, removed=st.booleans()),
    st.builds(Intent, **shared, agent=names, parameter=texts, desired=maybe(values), until=maybe_times, reason=texts, closed=st.booleans()),
    st.builds(Verdict, **shared, agent=names, rollout=names, verdict=st.sampled_from(["pass", "fail", "block"]), payload=texts),
)  # fmt: skip


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@example([Sample(time=0, source="s", id="1", resource="r", metric="m", value=-0.0)], "")
@given(st.lists(events, min_size=1, max_size=2), st.sampled_from(["", "1970-01-01", "2026-11-24"]))
def test_every_event_survives_the_way_through_text(given_events: list[AnyEvent], day: str) -> None:
    lines = [render(event, day) for event in given_events]
    assert all("\n" not in line for line in lines)
    back = parse("\n".join([f"on {day}"] * bool(day) + lines))
    assert msgspec.json.encode(back) == msgspec.json.encode(given_events)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=' "@#=[]{}:->v0123456789abceinorsudlt/,.\n\\', max_size=80))
def test_any_text_is_events_or_a_value_error(tail: str) -> None:
    try:
        parse(f"on 2026-11-24\n02:17:06 a@s#1 {tail}")
    except ValueError as error:
        assert str(error).startswith("line ")
