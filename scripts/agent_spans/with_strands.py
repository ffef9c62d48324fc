"""strands-agents with a scripted Model and its own spans: with_strands.py PREFIX; by newer conventions if
OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental."""

from __future__ import annotations

import asyncio
import json
import sys

from recording import MODEL, get_replicas, play, recorder, scale_service

recorded = recorder()  # before strands is imported

from strands import Agent, tool  # noqa: E402
from strands.models.model import Model  # noqa: E402

TOOLS = [tool(scale_service), tool(get_replicas)]


class Scripted(Model):
    """Answers what the script says."""

    def __init__(self, steps):
        self.steps, self.at = steps, 0

    def update_config(self, **kw):
        """See `Model`."""

    def get_config(self):
        """See `Model`."""
        return {"model_id": "scripted"}

    async def structured_output(self, *args, **kw):
        """See `Model`."""
        yield {}

    async def stream(self, *args, **kw):
        """See `Model`."""
        await asyncio.sleep(MODEL)
        calls = self.steps[self.at] if self.at < len(self.steps) else []
        yield {"messageStart": {"role": "assistant"}}
        for n, (name, arguments) in enumerate(calls):
            yield {"contentBlockStart": {"start": {"toolUse": {"name": name, "toolUseId": f"t{self.at}{n}"}}}}
            yield {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps(arguments)}}}}
            yield {"contentBlockStop": {}}
        if not calls:
            yield {"contentBlockStart": {"start": {}}}
            yield {"contentBlockDelta": {"delta": {"text": "done"}}}
            yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if calls else "end_turn"}}
        self.at += 1


def run_turn(agent, steps):
    """One run of one agent."""
    Agent(name=agent, model=Scripted(steps), tools=TOOLS, callback_handler=None)("look after the shop")


play(run_turn, recorded, sys.argv[1])
