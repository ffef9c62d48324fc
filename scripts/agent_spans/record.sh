#!/bin/bash
# Makes tests/data/agent_spans again: each framework in an environment of its own below the directory $1, with the newest versions that
# fit (it needs a package registry and uv). A minute or two.
set -eu
work=$1; here=$(cd "$(dirname "$0")" && pwd); to=$(cd "$here/../../tests/data/agent_spans" && pwd)
otel="opentelemetry-sdk opentelemetry-exporter-otlp-proto-common"

made() {  # NAME PACKAGES...: an environment, where it is not there yet
  local name=$1; shift
  [ -d "$work/$name" ] && return
  uv venv -q --python 3.11 "$work/$name"
  # shellcheck disable=SC2086
  uv pip install -q --python "$work/$name/bin/python" $otel "$@"
}

recorded() {  # NAME PROGRAM FILE ARGUMENTS...
  local name=$1 program=$2 file=$3; shift 3
  "$work/$name/bin/python" "$here/with_$program.py" "$to/$file" "$@"
}

made pydantic-ai pydantic-ai-slim
recorded pydantic-ai pydantic_ai pydantic_ai_2 2
recorded pydantic-ai pydantic_ai pydantic_ai_5 5
recorded pydantic-ai pydantic_ai pydantic_ai_hidden 5 hidden
made pydantic-ai-1 "pydantic-ai-slim==1.0.*" "opentelemetry-sdk<1.37"
recorded pydantic-ai-1 pydantic_ai pydantic_ai_1 default
made openai-openinference openai-agents openinference-instrumentation-openai-agents
recorded openai-openinference openai_agents openai_agents_openinference openinference
made openai-traceloop openai-agents opentelemetry-instrumentation-openai-agents
recorded openai-traceloop openai_agents openai_agents_traceloop traceloop
made openai-logfire openai-agents logfire
recorded openai-logfire openai_agents openai_agents_logfire logfire
made langgraph-openinference langchain langgraph openinference-instrumentation-langchain
recorded langgraph-openinference langgraph langgraph_openinference openinference
made langgraph-traceloop langchain langgraph opentelemetry-instrumentation-langchain
recorded langgraph-traceloop langgraph langgraph_traceloop traceloop
made langgraph-0-traceloop "langchain<0.4" "langgraph<1" "opentelemetry-instrumentation-langchain<0.50" "wrapt<2" "opentelemetry-sdk<1.39" \
  "opentelemetry-instrumentation<0.60b0"
recorded langgraph-0-traceloop langgraph langgraph_0_traceloop traceloop
made strands "strands-agents>=1"
recorded strands strands strands_events
OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental recorded strands strands strands
made smolagents smolagents openinference-instrumentation-smolagents
recorded smolagents smolagents smolagents_openinference
made autogen autogen-agentchat autogen-ext
recorded autogen autogen autogen_hidden
made adk "google-adk>=2"
recorded adk adk adk_hidden
OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_AND_EVENT \
  recorded adk adk adk
made semantic-kernel semantic-kernel
recorded semantic-kernel semantic_kernel semantic_kernel
made fastmcp fastmcp
recorded fastmcp mcp mcp_hidden own
made mcp-traceloop "mcp<2" "fastmcp<2.14" opentelemetry-instrumentation-mcp
recorded mcp-traceloop mcp mcp_traceloop traceloop
