"""Attributes of spans that are never stored among `attributes`, whoever brings them."""

from __future__ import annotations

from typing import Final

NEVER_STORED: Final = (
    # what was said
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.prompt", "gen_ai.completion",
    "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.tool.definitions", "gen_ai.retrieval.",
    "gen_ai.evaluation.explanation", "input.value", "output.value", "llm.input_messages", "llm.output_messages",
    "llm.prompts", "llm.completions", "llm.prompt_template.", "llm.tools", "llm.function_call", "llm.invocation_parameters",
    "retrieval.documents", "reranker.", "embedding.embeddings", "embedding.text", "embedding.vector", "tool.parameters",
    "tool_arguments", "tool_response", "traceloop.entity.input", "traceloop.entity.output",
    "langfuse.observation.input", "langfuse.observation.output", "langfuse.trace.input", "langfuse.trace.output",
    "langfuse.observation.status_message", "ai.prompt", "ai.response.text", "ai.response.object", "ai.response.toolCalls",
    "ai.toolCall.args", "ai.toolCall.result", "all_messages", "pydantic_ai.all_messages", "final_result",
    "gcp.vertex.agent.llm_", "gcp.vertex.agent.tool_", "gcp.vertex.agent.data", "exception.message",
    "exception.stacktrace", "logfire.msg", "events",
    # who it was, other than the keyed hash of the user
    "user.", "enduser.", "client.address", "langfuse.user.",
    # the machine, the same on every span
    "telemetry.", "process.", "host.", "os.", "container.", "k8s.pod.", "service.instance.id",
)  # fmt: skip
"""Prefixes of attributes that are left out of `attributes`: content, persons, and constants of the machine."""
