"""semantic-kernel with a scripted chat service and its own spans, with content: with_semantic_kernel.py PREFIX."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any, ClassVar

os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS"] = "true"
os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE"] = "true"

import recording

recorded = recording.recorder()  # before semantic_kernel is imported

from semantic_kernel.agents import ChatCompletionAgent  # noqa: E402
from semantic_kernel.connectors.ai.chat_completion_client_base import ChatCompletionClientBase  # noqa: E402
from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior  # noqa: E402
from semantic_kernel.contents import ChatMessageContent, FunctionCallContent, TextContent  # noqa: E402
from semantic_kernel.functions import KernelPlugin, kernel_function  # noqa: E402


class Scripted(ChatCompletionClientBase):
    """Answers what the script says."""

    SUPPORTS_FUNCTION_CALLING: ClassVar[bool] = True
    steps: Any = None
    at: int = 0

    async def _inner_get_chat_message_contents(self, chat_history, settings):
        await asyncio.sleep(recording.MODEL)
        calls = self.steps[self.at] if self.at < len(self.steps) else []
        self.at += 1
        asked = [
            FunctionCallContent(id=f"c{self.at}{n}", name=f"shop-{name}", arguments=json.dumps(_renamed(given)))
            for n, (name, given) in enumerate(calls)
        ]
        return [ChatMessageContent(role="assistant", items=asked or [TextContent(text="done")], ai_model_id="scripted")]


def _renamed(given):
    """It fills in a parameter called `service` itself."""
    return {"app" if name == "service" else name: value for name, value in given.items()}


class Shop:
    """A plugin."""

    @kernel_function
    def scale_service(self, app: str, replicas: int, reason: str = "") -> str:
        """Sets how many replicas a service runs."""
        return recording.scale_service(app, replicas, reason)

    @kernel_function
    def get_replicas(self, app: str) -> str:
        """Tells how many replicas a service runs."""
        return recording.get_replicas(app)


async def _run(agent, steps):
    made = ChatCompletionAgent(
        service=Scripted(ai_model_id="scripted", steps=steps),
        name=agent,
        plugins=[KernelPlugin.from_object("shop", Shop())],
        function_choice_behavior=FunctionChoiceBehavior.Auto(),
    )
    async for _ in made.invoke(messages="look after the shop"):
        pass


def run_turn(agent, steps):
    """One run of one agent."""
    asyncio.run(_run(agent, steps))


recording.play(run_turn, recorded, sys.argv[1])
