"""Google's ADK with a scripted BaseLlm and its own spans: with_adk.py PREFIX; with arguments if
OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_AND_EVENT."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from recording import MODEL, get_replicas, play, recorder, scale_service

recorded = recorder()  # before ADK is imported

from google.adk.agents import LlmAgent  # noqa: E402
from google.adk.models import BaseLlm, LlmResponse  # noqa: E402
from google.adk.runners import InMemoryRunner  # noqa: E402
from google.genai import types  # noqa: E402


class Scripted(BaseLlm):
    """Answers what the script says."""

    steps: Any = None
    at: int = 0

    async def generate_content_async(self, request, stream=False):
        """See `BaseLlm`."""
        await asyncio.sleep(MODEL)
        calls = self.steps[self.at] if self.at < len(self.steps) else []
        self.at += 1
        asked = [types.Part(function_call=types.FunctionCall(name=name, args=arguments)) for name, arguments in calls]
        yield LlmResponse(content=types.Content(role="model", parts=asked or [types.Part(text="done")]))


async def _run(agent, steps):
    made = LlmAgent(name=agent, model=Scripted(model="scripted", steps=steps), tools=[scale_service, get_replicas])
    runner = InMemoryRunner(made, app_name="shop")
    session = await runner.session_service.create_session(app_name="shop", user_id="u")
    message = types.Content(role="user", parts=[types.Part(text="look after the shop")])
    async for _ in runner.run_async(user_id="u", session_id=session.id, new_message=message):
        pass


def run_turn(agent, steps):
    """One run of one agent."""
    asyncio.run(_run(agent, steps))


play(run_turn, recorded, sys.argv[1])
