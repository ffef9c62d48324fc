"""A corpus of broken records: (name, value, headers, reason). More than 200, made by rule so that each rule of the contract is met."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

Record = tuple[str, bytes, list[tuple[str, bytes]], str]
LIMIT = 1 << 20
TYPES = ("action", "sample", "transition", "dependency", "intent", "verdict")
DATA: dict[str, dict[str, object]] = {
    "action": {"agent": "perf", "verb": "scale", "parameter": "replicas", "old": 8, "new": 16},
    "sample": {"metric": "p95", "value": 840.0},
    "transition": {"metric": "health", "from": "ok", "to": "bad"},
    "dependency": {"from": "svc/cart", "to": "db/orders"},
    "intent": {"agent": "ann", "reason": "freeze"},
    "verdict": {"agent": "canary", "rollout": "r1", "verdict": "fail"},
}
REQUIRED = {
    "action": ("agent", "verb"), "sample": ("metric", "value"), "transition": ("metric",), "dependency": ("from", "to"),
    "intent": ("agent",), "verdict": ("agent", "rollout", "verdict"),
}  # fmt: skip
WRONG: tuple[tuple[str, str, object], ...] = (
    ("action", "old", {"a": 1}),
    ("action", "new", [[1]]),
    ("action", "new", [{"a": 1}]),
    ("action", "reads", {}),
    ("action", "reads", [1]),
    ("action", "reads", [{"resource": 1}]),
    ("action", "version", [1]),
    ("action", "version", {}),
    ("action", "outcome", "perhaps"),
    ("action", "outcome", 1),
    ("action", "why", "because"),
    ("action", "why", {"rule": 1}),
    ("action", "constraints", [1]),
    ("action", "constraints", [{"name": "x", "priority": "high"}]),
    ("action", "alternatives", "none"),
    ("action", "intent", "hold"),
    ("action", "intent", {"abort_if": [{"resource": "r", "metric": "m", "op": "~", "value": 1}]}),
    ("action", "intent", {"handoff_to": "router"}),
    ("action", "intent", {"expects": [{"resource": "r", "max_ratio": "half"}]}),
    ("action", "acknowledges", "a1"),
    ("action", "deletes", 1),
    ("action", "rollout", 5),
    ("action", "mandate", ["x"]),
    ("action", "owner", False),
    ("action", "parameter", 1),
    ("action", "agent", None),
    ("sample", "value", "840"),
    ("sample", "value", None),
    ("sample", "value", True),
    ("sample", "value", [1]),
    ("sample", "unit", 1),
    ("sample", "role", "driver"),
    ("sample", "role", 1),
    ("transition", "from", {"a": 1}),
    ("transition", "to", {}),
    ("transition", "slo", "yes"),
    ("transition", "slo", 1),
    ("transition", "severity", 3),
    ("transition", "text", []),
    ("dependency", "weight", "much"),
    ("dependency", "removed", "no"),
    ("dependency", "kind", 1),
    ("intent", "closed", "no"),
    ("intent", "desired", {"a": 1}),
    ("intent", "reason", 1),
    ("intent", "parameter", {}),
    ("verdict", "verdict", "maybe"),
    ("verdict", "verdict", 1),
    ("verdict", "payload", 1),
)


def good(kind: str = "action", **attributes: object) -> dict[str, object]:
    """A valid event of a type, with attributes replaced."""
    event: dict[str, object] = {
        "specversion": "1.0", "id": "a1", "source": "agents/perf/1", "type": f"interplay.{kind}.v1",
        "time": "2026-11-24T02:17:06.5Z", "subject": "db/orders", "data": dict(DATA[kind]),
    }  # fmt: skip
    event.update(attributes)
    return event


def _json(event: object) -> bytes:
    return json.dumps(event).encode()


def _without(kind: str, *path: str) -> bytes:
    event = good(kind)
    inner = event
    for name in path[:-1]:
        inner = inner[name]  # type: ignore[assignment]
    del inner[path[-1]]
    return _json(event)


def broken() -> Iterator[Record]:
    """All of them."""
    structured = [("content-type", b"application/cloudevents+json")]
    for kind in TYPES:
        for name in ("id", "source", "type", "time"):
            yield f"{kind} without {name}", _without(kind, name), structured, "missing_field"
        yield f"{kind} without specversion", _without(kind, "specversion"), structured, "not_cloudevents"
        yield f"{kind} without data", _without(kind, "data"), structured, "missing_field"
        if kind != "dependency":
            yield f"{kind} without subject", _without(kind, "subject"), structured, "missing_field"
        for name in REQUIRED[kind]:
            yield f"{kind} without data.{name}", _without(kind, "data", name), structured, "missing_field"
        for name in ("id", "source", "time", "type", "subject", "domain", "traceparent", "causationid"):
            yield f"{kind} with a number as {name}", _json(good(kind, **{name: 7})), structured, "wrong_type"
        for data in (None, [], "text", 5):
            yield f"{kind} with data {data!r}", _json(good(kind, data=data)), structured, "wrong_type"
    for kind, name, value in WRONG:
        yield f"{kind} data.{name} = {value!r}", _json(good(kind, data={**DATA[kind], name: value})), structured, "wrong_type"
    for time in (
        "",
        "yesterday",
        "2026-11-24",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-24T25:00:00Z",
        "2026-11-24T02:17:06",
    ):
        yield f"time {time!r}", _json(good(time=time)), structured, "bad_time"
    for time in ("1969-12-31T23:59:59Z", "2262-06-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"):
        yield f"time {time!r}", _json(good(time=time)), structured, "time_out_of_range"
    for kind in ("", "interplay.action.v2", "interplay.Action.v1", "com.example.order", "x" * 5000):
        reason = "unknown_type" if kind else "missing_field"
        yield f"type {kind[:30]!r}", _json(good(type=kind)), structured, reason
    for version in ("0.3", "1", "2.0", ""):
        yield f"specversion {version!r}", _json(good(specversion=version)), structured, "not_cloudevents"
    for field, value in (
        ("agent", "a" * 513),
        ("verb", "v" * 513),
        ("old", "x" * 4097),
        ("new", ["m"] * 1001),
        ("acknowledges", ["a"] * 65),
    ):
        yield f"{field} of {len(value)}", _json(good(data={**DATA["action"], field: value})), structured, "too_long"
    for name, text in (
        ("id", "i" * 513),
        ("source", "s" * 513),
        ("subject", "s" * 513),
        ("domain", "d" * 513),
        ("causationid", ["a"] * 65),
    ):
        yield f"{name} of {len(text)}", _json(good(**{name: text})), structured, "too_long"
    yield "257 reads", _json(good(data={**DATA["action"], "reads": [{"resource": "r"}] * 257})), structured, "too_long"
    yield from _not_json(structured)
    yield from _modes(structured)


def _not_json(structured: list[tuple[str, bytes]]) -> Iterator[Record]:
    text = _json(good())
    for cut in range(1, len(text), max(1, len(text) // 30)):
        yield f"cut at byte {cut}", text[:cut], structured, "not_json"
    rng = random.Random(1)
    for i in range(20):
        yield f"binary junk {i}", b"\x00\xff" + rng.randbytes(rng.randrange(1, 2000)), structured, "not_json"
    yield "not UTF-8", text.replace(b"perf", b"pe\xff\xfe"), structured, "not_json"
    yield "a lone surrogate", text.replace(b"perf", b"\\ud800"), structured, "not_json"
    yield "NaN", text.replace(b"16", b"NaN"), structured, "not_json"
    yield "Infinity", text.replace(b"16", b"Infinity"), structured, "not_json"
    yield "a number beyond floats", text.replace(b"16", b"1e999"), structured, "wrong_type"
    for digits in (310, 1000, 4000, 4400, 100_000):
        yield f"an integer of {digits} digits", text.replace(b"16", b"9" * digits), structured, "wrong_type"
        yield f"a version of {digits} digits", text.replace(b'"old": 8', b'"version": ' + b"9" * digits), structured, "wrong_type"
        yield f"a member of {digits} digits", text.replace(b"16", b"[1, -" + b"9" * digits + b"]"), structured, "wrong_type"
    for times in (1, 100_000):  # what msgspec's messages look like, inside the record
        forged = {"metric": "m", "value": 1, "role": " - at `$.id`" * times}
        yield (
            f"a role that forges a path {times} times",
            _json(good("sample", data=forged))[: LIMIT - 2000],
            structured,
            "wrong_type" if times == 1 else "not_json",
        )
        quoting = " - at `$" * times
        yield f"a type that quotes {times} times", _json(good(type=quoting)), structured, "unknown_type"
        yield f"a specversion that quotes {times} times", _json(good(specversion=quoting)), structured, "not_cloudevents"
    yield "two objects", text + text, structured, "not_json"
    for opening in (b"[", b'{"a":'):
        yield f"100,000 nested {opening!r}", opening * 100_000, [], "too_deep"
        yield (
            f"data nested by {opening!r}",
            text.replace(b'"db/orders"', b'"x", "extra": ' + opening * 100_000),
            structured,
            "too_deep",
        )
    for value in (b"null", b"1", b'"text"', b"true"):
        yield f"JSON {value!r}", value, structured, "not_cloudevents"
    yield "an array in structured mode", b"[]", structured, "not_cloudevents"
    yield "an empty value", b"", structured, "not_json"
    yield "10 MB", _json(good(note="x" * 10_000_000)), structured, "too_large"
    yield "one byte too many", b" " * (LIMIT + 1), structured, "too_large"


def _modes(structured: list[tuple[str, bytes]]) -> Iterator[Record]:
    batch = [("content-type", b"application/cloudevents-batch+json; charset=utf-8")]
    yield "a batch that is an object", _json(good()), batch, "batch_not_array"
    yield "a batch that is cut", _json([good()])[:-3], batch, "not_json"
    yield "a batch of too many", b"[" + b"1," * 20_000 + b"1]", batch, "too_large"
    yield "a batch of a number", b"[1]", batch, "not_cloudevents"
    yield "a batch of a bad event", _json([good(time="x")]), batch, "bad_time"
    binary = [
        ("ce_specversion", b"1.0"), ("ce_id", b"a1"), ("ce_source", b"s"), ("ce_type", b"interplay.action.v1"),
        ("ce_time", b"2026-11-24T02:17:06Z"), ("ce_subject", b"db/orders"), ("content-type", b"application/json"),
    ]  # fmt: skip
    data = _json(DATA["action"])
    for name in ("ce_id", "ce_source", "ce_type", "ce_time", "ce_subject"):
        yield f"binary without {name}", data, [h for h in binary if h[0] != name], "missing_field"
    yield "binary without ce_specversion", data, binary[1:], "not_cloudevents"
    yield "binary with text data", b"hello", binary, "not_json"
    yield "binary without data", b"", binary, "wrong_type"
    yield "binary of another content type", data, [*binary[:-1], ("content-type", b"text/plain")], "not_json"
    yield "binary with a broken list of causes", data, [*binary, ("ce_causationid", b"[1,")], "not_json"
    yield "binary with a list of numbers as causes", data, [*binary, ("ce_causationid", b"[1]")], "wrong_type"
    yield "binary with an id that is not UTF-8", data, [binary[0], ("ce_id", b"\xff\xfe"), *binary[2:]], "wrong_type"
    yield "binary with data that go on into attributes", data + b', "id": "forged"', binary, "not_json"
    yield "binary with a bad time", data, [*binary[:4], ("ce_time", b"now"), *binary[5:]], "bad_time"
