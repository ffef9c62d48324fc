"""langchain's create_agent, which is a langgraph, with a scripted chat model: with_langgraph.py PREFIX openinference or traceloop."""

from __future__ import annotations

import sys
import time
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from recording import MODEL, get_replicas, play, recorder, scale_service

try:
    from langchain.agents import create_agent
except ImportError:  # before version 1
    from langgraph.prebuilt import create_react_agent as create_agent

TOOLS = [tool(scale_service), tool(get_replicas)]


class Scripted(BaseChatModel):
    """Answers what the script says."""

    steps: Any = None

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **kw):
        """See `BaseChatModel`."""
        return self

    def _generate(self, messages, stop=None, run_manager=None, **kw):
        time.sleep(MODEL)
        done = sum(isinstance(message, AIMessage) for message in messages)
        calls = self.steps[done] if done < len(self.steps) else []
        asked = [{"name": name, "args": arguments, "id": f"c{done}{n}"} for n, (name, arguments) in enumerate(calls)]
        return ChatResult(generations=[ChatGeneration(message=AIMessage("" if calls else "done", tool_calls=asked))])


def run_turn(agent, steps):
    """One run of one agent."""
    create_agent(Scripted(steps=steps), TOOLS, name=agent).invoke({"messages": [("user", "look after the shop")]})


recorded = recorder()
if sys.argv[2] == "openinference":
    from openinference.instrumentation.langchain import LangChainInstrumentor
else:
    from opentelemetry.instrumentation.langchain import LangchainInstrumentor as LangChainInstrumentor
LangChainInstrumentor().instrument()
play(run_turn, recorded, sys.argv[1])
