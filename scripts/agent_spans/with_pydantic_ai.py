"""pydantic-ai with its FunctionModel and its own spans: with_pydantic_ai.py PREFIX VERSION [hidden], the version of
InstrumentationSettings, or `default`."""

from __future__ import annotations

import sys
import time

from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.instrumented import InstrumentationSettings
from recording import MODEL, get_replicas, play, recorder, scale_service


def run_turn(agent, steps):
    """One run of one agent."""

    def model(messages, info):
        time.sleep(MODEL)
        done = sum(isinstance(message, ModelResponse) for message in messages)
        if done >= len(steps):
            return ModelResponse(parts=[TextPart("done")])
        return ModelResponse(parts=[ToolCallPart(name, arguments) for name, arguments in steps[done]])

    Agent(FunctionModel(model), name=agent, tools=[scale_service, get_replicas]).run_sync("look after the shop")


recorded = recorder()
version = {} if sys.argv[2] == "default" else {"version": int(sys.argv[2])}
Agent.instrument_all(InstrumentationSettings(**version, include_content="hidden" not in sys.argv))
play(run_turn, recorded, sys.argv[1])
