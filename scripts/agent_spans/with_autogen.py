"""autogen-agentchat with its ReplayChatCompletionClient and its own spans, which never have arguments: with_autogen.py PREFIX."""

from __future__ import annotations

import asyncio
import json
import sys

from autogen_agentchat.agents import AssistantAgent
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, ModelInfo, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient
from recording import MODEL, get_replicas, play, recorder, scale_service

INFO = ModelInfo(vision=False, function_calling=True, json_output=False, family="unknown", structured_output=False)


class Slow(ReplayChatCompletionClient):
    """Answers what the script says."""

    async def create(self, *args, **kw):
        """See `ReplayChatCompletionClient`."""
        await asyncio.sleep(MODEL)
        return await super().create(*args, **kw)


def run_turn(agent, steps):
    """One run of one agent."""
    answers = [
        CreateResult(
            finish_reason="function_calls",
            content=[FunctionCall(id=f"c{at}{n}", name=name, arguments=json.dumps(given)) for n, (name, given) in enumerate(calls)],
            usage=RequestUsage(1, 1),
            cached=False,
        )
        for at, calls in enumerate(steps)
    ]
    client = Slow([*answers, "done"], model_info=INFO)
    made = AssistantAgent(agent, client, tools=[scale_service, get_replicas], max_tool_iterations=5)
    asyncio.run(made.run(task="look after the shop"))


recorded = recorder()
play(run_turn, recorded, sys.argv[1])
