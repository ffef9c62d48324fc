"""FastMCP's client and server in one process, within spans of agents: with_mcp.py PREFIX own (FastMCP's and the MCP SDK's spans, which
have no arguments) or traceloop."""

from __future__ import annotations

import asyncio
import os
import sys

os.environ["FASTMCP_LOG_ENABLED"] = "false"  # a traceback in colours takes longer than the call

from opentelemetry import trace
from recording import MODEL, get_replicas, play, recorder, scale_service

recorded = recorder()
if sys.argv[2] == "traceloop":
    from opentelemetry.instrumentation.mcp import McpInstrumentor

    McpInstrumentor().instrument()

from fastmcp import Client, FastMCP  # noqa: E402

server = FastMCP("shop-tools")
server.tool(scale_service)
server.tool(get_replicas)
tracer = trace.get_tracer("agent")


async def _call(client, name, arguments):
    try:
        await client.call_tool(name, arguments)
    except Exception as error:  # of the tool that fails
        print(f"{error!r}"[:80], file=sys.stderr)


async def _run(agent, steps):
    said = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent}
    with tracer.start_as_current_span(f"invoke_agent {agent}", attributes=said):
        async with Client(server) as client:
            for calls in steps:
                await asyncio.sleep(MODEL)
                await asyncio.gather(*(_call(client, name, arguments) for name, arguments in calls))
            await asyncio.sleep(MODEL)


def run_turn(agent, steps):
    """One run of one agent."""
    asyncio.run(_run(agent, steps))


play(run_turn, recorded, sys.argv[1])
