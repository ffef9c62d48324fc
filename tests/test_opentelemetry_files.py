"""Files of OTLP in all forms that the collector's file exporter writes, the settings' rules, and `interplay analyze` on them."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml
from otlp_records import as_json, as_protobuf, both, request, span, told
from test_cli import interplay
from test_opentelemetry import log, tool

from models.events import Action, Dependency, Sample, Transition
from models.rejection import Rejection
from streams.settings import ActionRule, LogRule, MetricRule
from streams.settings_file import SettingsError, load
from streams.settings_file.otlp_rules import read_actions, read_logs, read_metrics, read_reads, written_rule
from streams.sources.files import head, opened
from streams.sources.opentelemetry.files import recognised, records

DATA = Path(__file__).parent / "data" / "otlp"
EXAMPLES = Path(__file__).parent / "data" / "otlp_examples"


def prefixed(*messages: bytes) -> bytes:
    """As the file exporter frames what is no line."""
    return b"".join(len(message).to_bytes(4, "big") + message for message in messages)


def fight() -> list[dict]:
    """Two agents that undo each other's replicas, every minute, for half an hour."""
    found = []
    for minute in range(30):
        agent, replicas = (("perf-scaler", 8), ("cost-saver", 2))[minute % 2]
        call = span(
            "execute_tool scale_replicas", minute + 1, trace=minute + 1, start=60.0 * minute, end=60.0 * minute + 1,
            values={
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "scale_replicas",
                "gen_ai.tool.call.arguments": json.dumps({"deployment": "cart", "replicas": replicas}),
            },
        )  # fmt: skip
        found.append(request("traces", [call], agent))
    return found


@pytest.mark.parametrize("form", ["lines", "document", "prefixed", "zstd"])
def test_a_fight_is_found_in_every_form_of_file(form: str, tmp_path: Path) -> None:
    if form == "lines":
        data = b"\n".join(map(as_json, fight()))
    elif form == "document":
        whole = {"resourceSpans": [group for document in fight() for group in document["resourceSpans"]]}
        data = json.dumps(whole, indent=2).encode()
    else:
        data = prefixed(*(as_protobuf(document) if form == "prefixed" else compressed(as_json(document)) for document in fight()))
    file = tmp_path / "traces"
    file.write_bytes(data)
    ran = interplay("analyze", str(file), "--format", "json", cwd=tmp_path)
    code, out, err = ran.returncode, ran.stdout, ran.stderr
    (finding,) = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and finding["pattern"] == "thrashing" and finding["agents"] == ["cost-saver", "perf-scaler"]
    assert finding["resources"] == ["tool/scale_replicas/cart"] and finding["parameters"] == ["replicas"]
    assert "otlp: 30 spans, log records and metrics" in err


def test_a_real_file_exporters_four_forms_are_the_same_events() -> None:
    found = {}
    for file in sorted((DATA.parent / "otlp_files").glob("telemetry.*")):
        with opened(str(file)) as content:
            assert recognised(head(content)), file.name
            found[file.name] = told(*(record for _, record in records(content) if isinstance(record, bytes)))
    assert len(found) == 4 and all(events == found["telemetry.json"] for events in found.values())
    kinds = Counter(type(event) for event in found["telemetry.json"])
    assert kinds[Action] == 16 and kinds[Dependency] and kinds[Transition] and kinds[Sample] and not kinds[Rejection]


def test_a_line_may_be_as_long_as_the_batches_of_a_busy_collector() -> None:
    spans = [span("GET", n + 1, kind=2, values={"url.path": "/" + "x" * 800}) for n in range(1_500)]
    line = as_json(request("traces", [*spans, tool(9_999, arguments='{"deployment": "cart", "replicas": 3}')]))
    assert len(line) > 1 << 20
    found = [record for _, record in records(io.BufferedReader(io.BytesIO(line + b"\n" + line)))]
    assert [record.strip() for record in found if isinstance(record, bytes)] == [line, line]


def test_a_byte_order_mark_before_a_whole_document_is_passed_over() -> None:
    data = b"\xef\xbb\xbf" + json.dumps(request("traces", [tool(1)]), indent=1).encode()
    ((_, record),) = records(io.BufferedReader(io.BytesIO(data)))
    assert isinstance(record, bytes) and [type(event) for event in told(record)] == [Action]


def compressed(data: bytes) -> bytes:
    """One zstd frame."""
    import cramjam

    return bytes(cramjam.zstd.compress(data))


def test_records_as_they_came_from_kafka_are_recognised() -> None:
    for file in (*DATA.glob("*.json"), *DATA.glob("otlp_*.bin"), DATA / "part_spans.bin", *EXAMPLES.glob("*.json")):
        assert recognised(file.read_bytes()[:8192]), file.name
        assert [number for number, _ in records(io.BufferedReader(io.BytesIO(file.read_bytes())))] == [1], file.name


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\n\n\n\n\n\n\n\n\n\n\n",
        b'{"specversion":"1.0"}',
        b"14:00 agent scale",
        b"\x00\x00\x00\x05hello",
        b'["resourceSpans"]',
    ],
)
def test_other_files_are_not(head: bytes) -> None:
    assert not recognised(head)


@pytest.mark.parametrize("cut", [2, 30])
def test_a_file_that_is_cut_short_says_so_and_gives_what_is_whole(cut: int) -> None:
    data = prefixed(*(as_protobuf(document) for document in fight()[:3]))
    found = [record for _, record in records(io.BufferedReader(io.BytesIO(data[:-cut])))]
    assert [isinstance(record, Rejection) for record in found] == [False, False, True] and "cut short" in found[2].detail


def test_rules_are_read_and_written_back(tmp_path: Path) -> None:
    file = tmp_path / "interplay.toml"
    file.write_text("""
[otlp]
wait = "2s"
quantiles = ["0.5"]

[[otlp.action]]
match = { "gen_ai.tool.name" = "set_*" }
resource = "k8s/prod/{arguments.ns}/deployment/{arguments.name}"
new = "{arguments.replicas}"

[[otlp.read]]
span = "get *"
resource = "svc/{a}"
value = "{b}"

[[otlp.metric]]
metric = "http.server.*"
attributes = ["http.route"]
role = "demand"

[[otlp.log]]
body = "breaker *"
after = "{to}"
slo = true
""")
    otlp = load(str(file), {}).settings.otlp
    assert otlp.wait == 2_000_000_000 and otlp.action[0].match == (("gen_ai.tool.name", "set_*"),)
    again = tmp_path / "again.toml"
    again.write_text("\n".join(written_rule(rule) for rules in (otlp.action, otlp.read, otlp.metric, otlp.log) for rule in rules))
    assert load(str(again), {}).settings.otlp.action == otlp.action
    assert load(str(again), {}).settings.otlp.read == otlp.read
    assert load(str(again), {}).settings.otlp.metric == otlp.metric and load(str(again), {}).settings.otlp.log == otlp.log
    ran = interplay("config", "--config", str(file), cwd=tmp_path)
    assert ran.returncode == 0 and '[[otlp.action]]\nmatch = { "gen_ai.tool.name" = "set_*" }' in ran.stdout


@pytest.mark.parametrize(
    ("read", "table", "trouble"),
    [
        (read_actions, {"span": "x"}, "resource is missing"),
        (read_actions, {"resource": "db"}, "says of nothing that it is meant: give it span or event or match"),
        (read_actions, {"span": "x", "resource": "db/{a"}, "resource 'db/{a' has a bracket without its other"),
        (read_actions, {"span": "x", "resource": "db/{}"}, "resource 'db/{}' has a field without a name"),
        (read_actions, {"span": "x", "resource": "db", "resorce": "y"}, "resorce: no such field; did you mean resource?"),
        (read_actions, {"span": "x", "resource": "db", "match": {"a": 1}}, "match must be a table of globs by attribute"),
        (read_reads, {"resource": "db", "metric": "m"}, "says of nothing that it is meant: give it span or match"),
        (read_metrics, {"metric": "m", "role": "load"}, "role must be demand or capacity, not 'load'"),
        (read_metrics, {"metric": "m", "attributes": "a"}, "attributes must be a list of attributes' names, not 'a'"),
        (read_logs, {"metric": "m"}, "says of nothing that it is meant: give it event or body or match"),
        (read_logs, {"body": "x", "slo": 1}, "slo must be true or false, not 1"),
        (read_logs, {"body": 3}, "body must be a text in quotes, not 3"),
    ],
)
def test_a_mistake_in_a_rule_is_one_line(read, table: dict, trouble: str) -> None:
    _, wrong = read([table])
    assert len(wrong) == 1 and trouble in wrong[0]


def test_a_mistake_stops_the_program(tmp_path: Path) -> None:
    file = tmp_path / "interplay.toml"
    file.write_text('[otlp]\nquantiles = ["p95"]\n[[otlp.action]]\nspan = "x"\n')
    with pytest.raises(SettingsError) as error:
        load(str(file), {})
    assert any("otlp.action 1: resource is missing" in line for line in error.value.mistakes)


def test_defaults_are_left_out_of_what_is_written() -> None:
    assert written_rule(ActionRule(span="x", resource="db")) == '[[otlp.action]]\nspan = "x"\nresource = "db"'
    assert written_rule(MetricRule(metric="m")) == '[[otlp.metric]]\nmetric = "m"'
    assert written_rule(LogRule(body="b")) == '[[otlp.log]]\nbody = "b"'


def test_tool_calls_that_nobody_understands_are_counted_and_what_to_do_is_said(tmp_path: Path) -> None:
    file = tmp_path / "traces.json"
    file.write_bytes(b"\n".join(as_json(document).replace(b"scale_replicas", b"fleet_tune") for document in fight()))
    ran = interplay("analyze", str(file), cwd=tmp_path)
    assert ran.returncode == 0 and "[[otlp.action]] says what they do" in ran.stdout
    assert "otlp: 30 spans, log records and metrics; passed over: tool calls without event 30." in ran.stdout

    rule = '[[otlp.action]]\nmatch = { "gen_ai.tool.name" = "fleet_tune" }\nresource = "x/{arguments.deployment}"\n'
    (tmp_path / "interplay.toml").write_text(rule + 'parameter = "n"\nnew = "{arguments.replicas}"')
    ran = interplay("analyze", str(file), cwd=tmp_path)
    assert "1 finding " in ran.stdout and "passed over" not in ran.stdout and "[[otlp.action]]" not in ran.stdout


def test_the_rules_of_the_page_are_settings_and_do_what_it_says(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "opentelemetry.md").read_text()
    (rules,) = [block for block in re.findall(r"```toml\n(.*?)```", page, re.S) if "[[otlp.action]]" in block]
    (tmp_path / "interplay.toml").write_text(rules)
    otlp = load(str(tmp_path / "interplay.toml"), {}).settings.otlp
    arguments = '{"deployment": "cart", "replicas": 3, "reason": "load"}'
    call = span(
        "execute_tool scale_x", 1,
        values={
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "scale_x", "gen_ai.tool.call.arguments": arguments,
            "gen_ai.tool.call.result": '{"previous": 2}',
        },
    )  # fmt: skip
    (event,) = both(request("traces", [call]), settings=otlp)
    assert (event.resource, event.parameter, event.old, event.new, event.why.text) == (
        "k8s/prod/default/deployment/cart", "spec.replicas", 2, 3, "load",
    )  # fmt: skip


def test_the_collectors_settings_of_the_page_keep_what_belongs_together_together() -> None:
    """That a real collector takes them is for `make e2e-otel` to show."""
    page = (Path(__file__).parent.parent / "docs" / "opentelemetry.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    exporter = yaml.safe_load(block)["exporters"]["kafka"]
    assert {exporter[signal]["topic"] for signal in ("traces", "metrics", "logs")} == {"otlp"}
    assert exporter["record_partitioner"] == {"sticky_key": {"hasher": "murmur2"}} and exporter["producer"]["required_acks"] == -1


SPANS = request("traces", [span("x", 1)])


@pytest.mark.parametrize(
    ("record", "word"),
    [
        (gzip.compress(as_protobuf(SPANS)), "gzip"),
        (gzip.compress(as_json(SPANS)), "gzip"),
        (b"\x00\x00\x00\x00\x07" + as_protobuf(SPANS), "schema registry"),
        (len(as_protobuf(SPANS)).to_bytes(4, "big") + as_protobuf(SPANS), "length"),
        (b"[" + as_json(SPANS) + b"]", "JSON array"),
        (b"\xef\xbb\xbf" + as_json(SPANS), "byte order mark"),
    ],
)
def test_what_a_record_is_instead_is_said(record: bytes, word: str) -> None:
    (why,) = told(record)
    assert isinstance(why, Rejection) and why.reason == "not_otlp" and word in why.detail


@pytest.mark.parametrize(
    "record", [b"{}", b'{"resourceSpans":[]}', b'{"resourceLogs":[{"scopeLogs":[]}]}', b"\x0a\x00", b"\x0a\x02\x12\x00"]
)
def test_an_empty_batch_is_nothing(record: bytes) -> None:
    assert told(record) == []


def test_both_encodings_and_all_three_signals_in_one_topic() -> None:
    documents = [SPANS, request("logs", [log("slow", 17, 1)]), request("traces", [tool(2)])]
    mixed = [encode(document) for document, encode in zip(documents, (as_json, as_protobuf, as_protobuf), strict=True)]
    assert told(*mixed) == told(*map(as_json, documents)) == told(*map(as_protobuf, documents)) and len(told(*mixed)) == 2


def test_a_parent_of_zeros_is_none() -> None:
    (event,) = both(request("traces", [{**tool(1), "parentSpanId": "0" * 16}]))
    assert event.causes == () and event == both(request("traces", [tool(1)]))[0]
    (line,) = both(request("logs", [log("slow", 17, 1, traceId="0" * 32, spanId="0" * 16)]))
    assert line.traceparent == ""
