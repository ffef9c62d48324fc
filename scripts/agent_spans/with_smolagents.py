"""smolagents' ToolCallingAgent with a scripted Model, instrumented by OpenInference: with_smolagents.py PREFIX."""

from __future__ import annotations

import sys
import time

from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from recording import MODEL, get_replicas, play, recorder, scale_service
from smolagents import ChatMessage, MessageRole, Model, ToolCallingAgent, tool
from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction, TokenUsage

TOOLS = [tool(scale_service), tool(get_replicas)]


class Scripted(Model):
    """Answers what the script says."""

    def __init__(self, steps):
        super().__init__(model_id="scripted")
        self.steps, self.at = steps, 0

    def generate(self, messages, **kw):
        """See `Model`."""
        time.sleep(MODEL)
        calls = self.steps[self.at] if self.at < len(self.steps) else [("final_answer", {"answer": "done"})]
        self.at += 1
        asked = [
            ChatMessageToolCall(
                id=f"c{self.at}{n}", type="function", function=ChatMessageToolCallFunction(name=name, arguments=arguments)
            )
            for n, (name, arguments) in enumerate(calls)
        ]
        return ChatMessage(role=MessageRole.ASSISTANT, content="", token_usage=TokenUsage(1, 1), tool_calls=asked)


def run_turn(agent, steps):
    """One run of one agent."""
    made = ToolCallingAgent(tools=TOOLS, model=Scripted(steps), name=agent, description="looks after the shop", verbosity_level=0)
    made.run("look after the shop")


recorded = recorder()
SmolagentsInstrumentor().instrument()
play(run_turn, recorded, sys.argv[1])
