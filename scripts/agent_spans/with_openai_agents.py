"""openai-agents with a scripted Model: with_openai_agents.py PREFIX openinference, traceloop, or logfire, which instruments it."""

from __future__ import annotations

import asyncio
import json
import sys

import agents
from agents.models.interface import Model
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from recording import MODEL, get_replicas, play, recorder, scale_service

TOOLS = [agents.function_tool(scale_service), agents.function_tool(get_replicas)]


class Scripted(Model):
    """Answers what the script says."""

    def __init__(self, steps):
        self.steps, self.at = steps, 0

    async def get_response(self, *args, **kw):
        """See `Model`."""
        with agents.generation_span(model="scripted"):
            await asyncio.sleep(MODEL)
        self.at += 1
        calls = self.steps[self.at - 1] if self.at <= len(self.steps) else []
        output = [
            ResponseFunctionToolCall(type="function_call", call_id=f"c{self.at}{n}", name=name, arguments=json.dumps(arguments))
            for n, (name, arguments) in enumerate(calls)
        ] or [
            ResponseOutputMessage(
                id="m",
                type="message",
                role="assistant",
                status="completed",
                content=[ResponseOutputText(type="output_text", text="done", annotations=[])],
            )
        ]
        return agents.ModelResponse(output=output, usage=agents.Usage(), response_id=None)

    def stream_response(self, *args, **kw):
        """See `Model`, which demands one; runs here are not streamed."""
        raise NotImplementedError("runs are not streamed here")


def run_turn(agent, steps):
    """One run of one agent."""
    agents.Runner.run_sync(agents.Agent(name=agent, model=Scripted(steps), tools=TOOLS), "look after the shop")


recorded = recorder()
by = sys.argv[2]
if by == "openinference":
    from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

    OpenAIAgentsInstrumentor().instrument()
elif by == "traceloop":
    from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor

    agents.set_trace_processors([])
    OpenAIAgentsInstrumentor().instrument()
else:
    import logfire

    logfire.configure(
        send_to_logfire=False, console=False, service_name="agents", additional_span_processors=[SimpleSpanProcessor(recorded)]
    )
    logfire.instrument_openai_agents()
play(run_turn, recorded, sys.argv[1])
