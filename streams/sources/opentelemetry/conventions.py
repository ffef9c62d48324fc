"""How agent frameworks and their instrumentations write tool calls and agents' names, as data; and spans levelled by it.

Whatever a span calls them, a levelled one has them as OpenTelemetry's conventions for generative AI do, so that rules, templates and the
guess look in one place:

    gen_ai.operation.name        execute_tool, of a tool call
    gen_ai.tool.name             scale_service
    gen_ai.tool.call.arguments   {"service": "cart", "replicas": 8}
    gen_ai.tool.call.result      what came back
    gen_ai.agent.name            whose run the span is, or lies in

docs/opentelemetry.md names each convention's source; tests/data/agent_spans holds what the frameworks wrote.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from streams.sources.opentelemetry.naming import text
from streams.sources.opentelemetry.record import SERVER, Note, Span
from streams.sources.opentelemetry.templates import parsed
from streams.sources.opentelemetry.values import Attributes, Json

OPERATION, TOOL, ARGUMENTS, RESULT, AGENT = (
    "gen_ai.operation.name",
    "gen_ai.tool.name",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.agent.name",
)
EXECUTES = "execute_tool"
Part: TypeAlias = Literal["", "run", "call", "serves"]


class Convention(NamedTuple):
    """One way to write them. Of several attributes the first that is there counts."""

    mark: str  # the attribute that tells spans of this convention (or "span.name"),
    call: str  # its value for a tool call,
    run: str = ""  # and for an agent's run
    tool: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    result: tuple[str, ...] = ()
    named: tuple[str, ...] = ()  # the agent, of any span; "a>b" is member b of the JSON in a
    titled: tuple[str, ...] = ()  # the agent, of its run only: elsewhere the same attribute is another name
    served: str = ""  # the mark's value for a span that serves a call which its caller tells too


CONVENTIONS = (
    Convention(  # GenAI semantic conventions; before them pydantic-ai, Google's ADK and Traceloop had attributes of their own
        OPERATION,
        EXECUTES,
        "invoke_agent",
        tool=(TOOL,),
        arguments=(ARGUMENTS, "tool_arguments", "gcp.vertex.agent.tool_call_args", "traceloop.entity.input"),
        result=(RESULT, "tool_response", "gcp.vertex.agent.tool_response", "traceloop.entity.output"),
        named=(AGENT, "agent_name"),
    ),
    Convention("mcp.method.name", "tools/call", tool=(TOOL, "mcp.tool.name"), arguments=(ARGUMENTS,), result=(RESULT,)),
    Convention(
        "openinference.span.kind",
        "TOOL",
        "AGENT",
        tool=("tool.name",),
        arguments=("input.value",),
        result=("output.value",),
        named=("agent.name", "metadata>lc_agent_name"),
        titled=("graph.node.id",),  # CrewAI
    ),
    Convention(
        "traceloop.span.kind",
        "tool",
        "agent",
        tool=("traceloop.entity.name",),
        arguments=("traceloop.entity.input",),
        result=("traceloop.entity.output",),
        named=("traceloop.association.properties.lc_agent_name", "traceloop.workflow.name"),
        titled=("traceloop.entity.name",),
        served="server",
    ),
    Convention(  # Logfire's spans of the OpenAI Agents SDK
        "logfire.msg_template",
        "Function: {name}",
        "Agent run: {name!r}",
        tool=("name",),
        arguments=("input",),
        result=("output",),
        named=("agent_name",),
        titled=("name",),
    ),
    Convention(  # pydantic-ai before its version 2
        "span.name",
        "running tool",
        "agent run",
        tool=(TOOL,),
        arguments=("tool_arguments",),
        result=("tool_response",),
        titled=("agent_name",),
    ),
)
MARKS = frozenset(each.mark for each in CONVENTIONS) | {AGENT, TOOL, "agent_name"}
ENVELOPES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (  # (members of what wraps the arguments, the way to them)
    (("input_str", "inputs"), ("inputs",)),  # LangChain's callbacks, by Traceloop
    (("input_str", "metadata"), ("input_str",)),
    (("tool_name", "arguments"), ("arguments",)),  # MCP, by Traceloop
    (("method", "params"), ("params", "arguments")),  # JSON-RPC's request
)
NOTES = (  # span events of the GenAI conventions before 1.37, as strands-agents writes them: (event, its attribute, what it is)
    ("gen_ai.tool.message", "content", ARGUMENTS),
    ("gen_ai.choice", "message", RESULT),
)
_WRAPPED = re.compile(r'"(?:kwargs|input_str|tool_name|method)"')  # what some member of an envelope is called
_SPAN_NAMES = re.compile(r"(?:.*\b)?(?:execute_tool|tools/call) (\S+)")  # as the conventions ask: "{operation} {tool}"
_RUN_NAMES = re.compile(r"(.+)\.run")  # smolagents, by OpenInference
_DEFAULTS = (  # what agents without a name are called: all services' alike
    "AgentExecutor", "CodeAgent", "LangGraph", "MultiStepAgent", "RunnableSequence", "ToolCallingAgent",
)  # fmt: skip
WRITTEN = 4096  # characters of arguments that are read as Python writes them


def levelled(span: Span) -> tuple[Span, Part]:
    """The span with what it tells under the names above, itself where that is nothing new; and what it is in an agent's work."""
    attributes = span.attributes
    if MARKS.isdisjoint(attributes):
        return span, ""
    told: dict[str, Json] = {}
    agent, part = "", _served(span)
    for each in CONVENTIONS:
        mark = _mark(span, each)
        if mark is None:
            continue
        agent = agent or _first_text(attributes, each.named)
        if mark == each.run:
            agent = agent or _first_text(attributes, each.titled) or _by_span_name(span, each)
            part = part or "run"
        elif mark == each.call:
            part = part or "call"
            _tell(told, TOOL, attributes, each.tool, text)
            _tell(told, ARGUMENTS, attributes, each.arguments, _unwrapped)
            _tell(told, RESULT, attributes, each.result, lambda value: value)
            told[OPERATION] = EXECUTES
    if OPERATION in told:
        if TOOL not in told:
            named = _SPAN_NAMES.fullmatch(span.name)
            told[TOOL] = named[1] if named else span.name if "openinference.span.kind" in attributes else ""
        _from_notes(told, span.notes)
    if agent:
        told[AGENT] = agent
    if all(key in attributes and attributes[key] == value for key, value in told.items()):
        return span, part
    return msgspec.structs.replace(span, attributes={**attributes, **told}), part


def _served(span: Span) -> Part:
    """Whether it serves a call that its caller tells too."""
    attributes = span.attributes
    if any(each.served and attributes.get(each.mark) == each.served for each in CONVENTIONS):
        return "serves"
    return "serves" if span.kind == SERVER and _is_call(span) else ""


def _is_call(span: Span) -> bool:
    return any(_mark(span, each) == each.call for each in CONVENTIONS)


def _mark(span: Span, convention: Convention) -> Json:
    return span.name if convention.mark == "span.name" else span.attributes.get(convention.mark)


def _tell(told: dict[str, Json], key: str, attributes: Attributes, names: Sequence[str], made: Callable[[Json], Json]) -> None:
    for name in names:
        if key not in told and attributes.get(name) not in (None, ""):
            told[key] = made(attributes[name])


def _first_text(attributes: Attributes, names: Sequence[str]) -> str:
    for name in names:
        attribute, _, member = name.partition(">")
        value = attributes.get(attribute)
        if member and value is not None:
            within = parsed(value)
            value = within.get(member) if isinstance(within, dict) else None
        if isinstance(value, str) and value and value not in _DEFAULTS:
            return value
    return ""


def _by_span_name(span: Span, convention: Convention) -> str:
    """What some call their spans of a run: "autoscaler.run"."""
    named = _RUN_NAMES.fullmatch(span.name) if convention.mark == "openinference.span.kind" else None
    return named[1] if named and named[1] not in _DEFAULTS else ""


def _unwrapped(value: Json) -> Json:
    """A call's arguments without what wraps them."""
    if isinstance(value, str) and _WRAPPED.search(value) is None:
        return _literal(value)
    within = parsed(value)
    if isinstance(within, dict):
        args, kwargs = within.get("args"), within.get("kwargs")
        if isinstance(args, list) and isinstance(kwargs, dict):  # smolagents, by OpenInference; Traceloop's @tool
            return {f"argument {place}": each for place, each in enumerate(args, 1)} | kwargs
        for members, way in ENVELOPES:
            if all(member in within for member in members):
                found: Json = within
                for name in way:
                    found = found.get(name) if isinstance(found, Mapping) else None
                return _literal(found)
    return _literal(value)


def _literal(value: Json) -> Json:
    """A dictionary as Python writes it, as LangChain does before version 1: what it says. Other values as they are."""
    if not isinstance(value, str) or len(value) > WRITTEN or not value.startswith("{'"):
        return value
    try:
        read: Json = msgspec.json.decode(msgspec.json.encode(ast.literal_eval(value)))  # nothing that JSON does not have
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, msgspec.MsgspecError):
        return value
    return read


def _from_notes(told: dict[str, Json], notes: Sequence[Note]) -> None:
    for note in notes:
        for name, attribute, key in NOTES:
            if note.name == name and key not in told and attribute in note.attributes:
                told[key] = note.attributes[attribute]
