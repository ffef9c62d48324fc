"""What agent frameworks really wrote (tests/data/agent_spans), without any rule: fights are found, quiet recordings are silent."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from msgspec import UNSET
from otlp_records import as_json, request, span, told
from test_cli import interplay

from models.events import Action
from models.instants import MINUTE
from models.rejection import Rejection
from streams.settings import ActionRule, ReadRule, Settings
from streams.settings import Otlp as OtlpSettings
from streams.sources.in_order import translated
from streams.sources.opentelemetry import Otlp
from streams.sources.opentelemetry.conventions import CONVENTIONS
from streams.sources.source import Origin

DATA = Path(__file__).parent / "data" / "agent_spans"
HIDDEN = sorted(file.name.removesuffix("_fight.jsonl.gz") for file in DATA.glob("*_hidden_fight.jsonl.gz"))  # without arguments
OPEN = sorted(name for file in DATA.glob("*_fight.jsonl.gz") if (name := file.name.removesuffix("_fight.jsonl.gz")) not in HIDDEN)
SERVICE = "agents"
FIGHT = [("autoscaler", 8), ("cost_optimizer", 3)] * 3 + [("autoscaler", 8), ("cost_optimizer", 3)]
QUIET = [
    ("autoscaler", "cart", 5, "applied"),
    ("cost_optimizer", "checkout", 3, "applied"),
    ("autoscaler", "cart", 99, "failed"),
    ("autoscaler", "cart", 6, "applied"),
    ("cost_optimizer", "checkout", 3, "applied"),
]


def actions(name: str, run: int = 10 * MINUTE, read: tuple[ReadRule, ...] = ()) -> tuple[list[Action], Counter[str]]:
    """The writes of a recording in order of time, and what was passed over. A run ends after what it did: `run` (ns) is waited for it."""
    settings, counts = OtlpSettings(run=run, read=read), Counter[str]()
    records = enumerate(gzip.decompress((DATA / f"{name}.jsonl.gz").read_bytes()).splitlines(), 1)
    found = [event for _, event in translated(records, Otlp(Settings(otlp=settings), Origin()), settings.topology, counts)]
    assert not [event for event in found if isinstance(event, Rejection)]
    return sorted((event for event in found if isinstance(event, Action)), key=lambda event: event.time), counts


def findings(name: str, tmp_path: Path) -> list[dict]:
    done = interplay("analyze", str(DATA / f"{name}.jsonl.gz"), "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", OPEN)
def test_every_write_of_a_fight_is_told_once_with_who_and_what(name: str) -> None:
    found, counts = actions(f"{name}_fight")
    cart = [event for event in found if event.resource.endswith("scale_service/cart")]
    assert [(event.agent, event.new) for event in cart] == FIGHT
    assert [event.old for event in cart] == [4, 8, 3, 8, 3, 8, 3, 8]  # as the tool's result says
    assert {event.parameter for event in found} == {"replicas"} and {event.outcome for event in found} == {"applied"}
    assert {event.why.text for event in cart if event.why} == {"p95 is high", "too expensive"}
    (other,) = (event for event in found if event not in cart)  # the call at the same time as one of them
    assert (other.agent, other.resource.rpartition("/")[2], other.new) == ("autoscaler", "checkout", 5)
    assert counts["writes_without_arguments"] == 0


@pytest.mark.parametrize("name", OPEN)
def test_a_fight_is_found_without_any_rule_and_a_quiet_recording_is_silent(name: str, tmp_path: Path) -> None:
    (finding,) = findings(f"{name}_fight", tmp_path)
    assert (finding["pattern"], finding["kind"], finding["agents"]) == ("thrashing", "sustained", ["autoscaler", "cost_optimizer"])
    assert findings(f"{name}_quiet", tmp_path) == []


@pytest.mark.parametrize("name", OPEN)
def test_reads_are_no_writes_and_what_failed_says_so(name: str) -> None:
    found, _ = actions(f"{name}_quiet")
    assert [(event.agent, event.resource.rpartition("/")[2], event.new, event.outcome) for event in found] == QUIET


@pytest.mark.parametrize("name", HIDDEN)
def test_calls_whose_arguments_are_not_recorded_are_no_events_but_are_told(name: str, tmp_path: Path) -> None:
    """Nobody knows which service was scaled: two agents, each with its own, would be a fight over `tool/scale_service`."""
    for story, writes in (("fight", 9), ("quiet", 5)):
        found, counts = actions(f"{name}_{story}")
        assert (found, counts["writes_without_arguments"] >= writes) == ([], True)
    for story in ("fight", "quiet"):  # in one of which there are other events
        done = interplay("analyze", str(DATA / f"{name}_{story}.jsonl.gz"), cwd=tmp_path)
        assert done.returncode == 0 and "what they wrote is not recorded" in " ".join(done.stdout.split())


def test_every_convention_is_one_that_something_writes() -> None:
    for convention in CONVENTIONS:
        said: dict = {"key": convention.mark, "value": {"stringValue": convention.call}}
        if convention.mark == "span.name":
            said = {"name": convention.call}
        mark = json.dumps(said, separators=(",", ":"))[1:-1].encode()
        assert any(mark in gzip.decompress(file.read_bytes()) for file in DATA.glob("*.gz")), convention.mark


# --- whose run a write lies in ----------------------------------------------------------------------------------------------------


def test_a_write_without_a_name_is_its_agents_where_the_run_is_waited_for() -> None:
    named = {name: {event.agent for event in actions(f"{name}_fight", run=0)[0]} for name in OPEN}
    assert named["openai_agents_traceloop"] == {SERVICE}  # only the run says whose it is, and it ends 20 s later
    assert named["pydantic_ai_5"] == {"autoscaler", "cost_optimizer"}  # each call says it
    assert {event.agent for event in actions("openai_agents_traceloop_fight", run=MINUTE)[0]} == {"autoscaler", "cost_optimizer"}


def test_analyze_says_where_a_worker_would_name_otherwise(tmp_path: Path) -> None:
    for name, said in (("openai_agents_traceloop", True), ("pydantic_ai_5", False)):
        done = interplay("analyze", str(DATA / f"{name}_fight.jsonl.gz"), cwd=tmp_path)
        assert ("a worker would call them their service's" in " ".join(done.stdout.split())) is said
    _, counts = actions("openai_agents_traceloop_fight", run=MINUTE)
    assert counts["named_by_their_run"] == 9


def agent_run(length: float, number: int = 1) -> list[dict]:
    called = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "set_mode"}
    called["gen_ai.tool.call.arguments"] = '{"service": "cart", "mode": "eco"}'
    run = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "saver"}
    return [
        span("execute_tool set_mode", 2, 1, start=1, end=2, trace=number, values=called),
        span("execute_tool set_mode", 3, 1, start=length - 2, end=length - 1, trace=number, values=called),
        span("invoke_agent saver", 1, start=0, end=length, trace=number, values=run),
    ]


@pytest.mark.parametrize(("length", "agent"), [(55.0, "saver"), (65.0, "ops")])
def test_all_writes_of_one_run_have_one_name(length: float, agent: str) -> None:
    settings = OtlpSettings(run=MINUTE)
    found = told(as_json(request("traces", agent_run(length), "ops")), settings=settings)
    assert [event.agent for event in found if isinstance(event, Action)] == [agent] * 2


@pytest.mark.parametrize(("workflow", "agent"), [("LangGraph", "ops"), ("restocking", "restocking")])
def test_what_all_agents_without_a_name_are_called_is_no_name(workflow: str, agent: str) -> None:
    """Two services' agents would be one, who does not fight itself."""
    said = {"traceloop.span.kind": "tool", "traceloop.entity.name": "set_mode", "traceloop.workflow.name": workflow}
    said["traceloop.entity.input"] = '{"service": "cart", "mode": "eco"}'
    (event,) = told(as_json(request("traces", [span("set_mode.tool", 1, values=said)], "ops")))
    assert isinstance(event, Action) and event.agent == agent


# --- one call, told by several spans ----------------------------------------------------------------------------------------------

CALL = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "scale_service",
    "gen_ai.tool.call.arguments": '{"service": "cart", "replicas": 8}',
}


def served(**between: str) -> list[tuple[str, str]]:
    """A call, and in another process what serves it, which tells the same again; (agent, resource) of what becomes of that."""
    client = [span("execute_tool scale_service", 1, start=0, end=3, values={**CALL, "gen_ai.agent.name": "autoscaler"})]
    server = [
        span("mcp.server", 2, 1, start=1, end=2.5, values=between),
        span("scale_service.tool", 3, 2, start=1.1, end=2, values=CALL),
    ]
    found = told(as_json(request("traces", server, "shop-tools")), as_json(request("traces", client, "agents")))
    return [(event.agent, event.resource) for event in found if isinstance(event, Action)]


def test_what_serves_a_call_in_another_process_tells_it_again() -> None:
    once = [("autoscaler", "tool/scale_service/cart")]
    assert served() == once
    assert served(**{"traceloop.span.kind": "server"}) == once
    within = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper"}
    assert served(**within) == [("helper", "tool/scale_service/cart"), *once]  # what an agent does is its own


def test_a_server_whose_caller_tells_nothing_is_all_there_is() -> None:
    spans = [
        span("mcp.server", 2, start=1, end=2.5, values={"traceloop.span.kind": "server"}),
        span("scale_service.tool", 3, 2, start=1.1, end=2, values=CALL),
    ]
    assert [event.agent for event in told(as_json(request("traces", spans, "shop-tools"))) if isinstance(event, Action)] == [
        "shop-tools"
    ]


# --- names and wrappings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "is_write"),
    [
        ("shop-scale_service", True),  # Semantic Kernel: plugin and function
        ("mcp__shop__scale_service", True),
        ("scale-service", True),
        ("get-open_orders", False),  # reads what is open
        ("list-add_ons", False),
        ("shop-get_replicas", False),
        ("scaler", False),
    ],
)
def test_names_with_what_groups_tools_before_them(tool: str, is_write: bool) -> None:
    found = told(as_json(request("traces", [span("x", 1, values={**CALL, "gen_ai.tool.name": tool})])))
    assert [type(event) for event in found] == [Action] * is_write


@pytest.mark.parametrize(
    "given",
    [
        {"args": [], "kwargs": {"service": "cart", "replicas": 8}},
        {"args": ["cart"], "kwargs": {"replicas": 8}},
        {"input_str": "{'service': 'cart', 'replicas': 8}", "tags": [], "metadata": {}},
        {"input_str": "x", "inputs": {"service": "cart", "replicas": 8}, "metadata": {"a": "b"}},
        {"tool_name": "scale_service", "arguments": {"service": "cart", "replicas": 8}},
        {"method": "tools/call", "params": {"name": "scale_service", "arguments": {"service": "cart", "replicas": 8}}},
    ],
)
def test_what_wraps_arguments_is_no_argument(given: dict) -> None:
    call = {"traceloop.span.kind": "tool", "traceloop.entity.name": "scale_service", "traceloop.entity.input": json.dumps(given)}
    (event,) = told(as_json(request("traces", [span("scale_service.tool", 1, values=call)])))
    assert isinstance(event, Action) and (event.resource, event.parameter, event.new) == ("tool/scale_service/cart", "replicas", 8)


@pytest.mark.parametrize(
    "result",
    [
        {"previous_replicas": 4},
        [{"type": "text", "text": '{"previous_replicas": 4}'}],
        {"content": [{"type": "text", "text": '{"previous_replicas": 4}'}], "isError": False},
        {"output": {"lc": 1, "kwargs": {"content": '{"previous_replicas": 4}'}}},
    ],
)
def test_the_value_before_is_found_in_a_wrapped_result(result: object) -> None:
    call = {**CALL, "gen_ai.tool.call.result": json.dumps(result)}
    (event,) = told(as_json(request("traces", [span("x", 1, values=call)])))
    assert isinstance(event, Action) and event.old == 4


def test_rules_see_every_convention_under_the_names_of_one() -> None:
    call = {"openinference.span.kind": "TOOL", "tool.name": "drain", "input.value": '{"host": "n1"}', "agent.name": "fixer"}
    rule = ActionRule(
        match=(("gen_ai.tool.name", "dr*"),), resource="node/{arguments.host}", verb="drain", agent="{gen_ai.agent.name}"
    )
    (event,) = told(as_json(request("traces", [span("drain", 1, values=call)])), settings=OtlpSettings(action=(rule,)))
    assert isinstance(event, Action) and (event.resource, event.agent) == ("node/n1", "fixer")


@pytest.mark.parametrize(
    "name", sorted({*OPEN} - {"langgraph_openinference"})
)  # which writes a bare `cart` for {"service": "cart"}
def test_by_a_rule_what_a_run_looked_at_is_read_by_what_it_does_next(name: str) -> None:
    """Whatever steps of a run (turns, cycles, nodes) lie between."""
    looked = ReadRule(
        match=(("gen_ai.tool.name", "*get_replicas"),),
        resource="x/{arguments.service|arguments.app}",
        metric="replicas",
        value="{result.replicas}",
    )
    found, _ = actions(f"{name}_fight", read=(looked,))
    seen = [{(read.resource, read.value) for read in event.reads} for event in found]
    assert seen[:2] == [{("x/cart", 4)}, {("x/cart", 8)}]
    assert seen[3:] == [set()] * 6  # another run has not looked; the third looks while it writes


def test_a_rule_looks_into_what_a_result_wraps() -> None:
    call = {
        **CALL,
        "gen_ai.tool.call.result": '{"content": [{"type": "text", "text": "{\\"before\\": {\\"replicas\\": 4}}"}], "id": 1}',
    }
    olds = {"{result.before.replicas}": 4, "{result.content.0.type}": "text", "{result.id}": 1, "{result.nothing}": UNSET}
    for old, value in olds.items():
        rule = ActionRule(match=(("gen_ai.tool.name", "scale_*"),), resource="x", old=old, new="{arguments.replicas}")
        (event,) = told(as_json(request("traces", [span("x", 1, values=call)])), settings=OtlpSettings(action=(rule,)))
        assert isinstance(event, Action) and event.old == value


@pytest.mark.parametrize(
    ("tool", "given", "resource", "parameter", "new"),
    [
        ("set_mode", "{'service': 'cart', 'mode': 'eco'}", "tool/set_mode/cart", "mode", "eco"),  # as Python writes it
        ("set_mode", "{'service': " + "[" * 3000, "tool/set_mode", "set", UNSET),
        ("disable_flag", "beta", "tool/enable_flag/beta", "enable", False),
        ("set_replicas", "8", "tool/set_replicas", "argument", 8),
        ("restart_all", "{}", "tool/restart_all", "restart", UNSET),
    ],
)
def test_a_call_that_says_its_only_argument_bare(tool: str, given: str, resource: str, parameter: str, new: object) -> None:
    call = {"openinference.span.kind": "TOOL", "tool.name": tool, "input.value": given}
    (event,) = told(as_json(request("traces", [span(tool, 1, values=call)])))
    assert isinstance(event, Action) and (event.resource, event.parameter, event.new) == (resource, parameter, new)


def test_an_attribute_of_another_meaning_makes_no_tool_call() -> None:
    """`agent.name`, `input` and `name` are anybody's: they count only beside the mark of their convention."""
    said = {
        "agent.name": "otlp/go",
        "tool.name": "scale_service",
        "input.value": '{"service": "cart", "replicas": 8}',
        "name": "scale_service",
    }
    assert told(as_json(request("traces", [span("scale_service", 1, values=said)]))) == []
    assert told(as_json(request("traces", [span("scale_service", 1, values={**said, "openinference.span.kind": "CHAIN"})]))) == []
