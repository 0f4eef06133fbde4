"""Names under which traces carry what we store: one versioned table, because no convention of AI spans is stable.

Sources: OpenTelemetry GenAI registry 1.41 and its older names, OpenInference, traceloop (OpenLLMetry), Langfuse,
Pydantic AI and the AI SDK. Within a field the first name that a span carries wins, so a span under two conventions counts once.
"""

from __future__ import annotations

VERSION = "2026-11"

FIELDS: dict[str, tuple[str, ...]] = {
    "model": (
        "gen_ai.response.model", "llm.response.model", "gen_ai.request.model", "llm.model_name", "embedding.model_name",
        "reranker.model_name", "llm.request.model", "langfuse.observation.model.name", "ai.response.model", "ai.model.id",
    ),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider"),
    "operation": (
        "gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind", "llm.request.type",
        "langfuse.observation.type",
    ),
    "input_tokens": (
        "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens",
        "ai.usage.promptTokens", "ai.usage.inputTokens",
    ),
    "output_tokens": (
        "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
        "llm.usage.completion_tokens", "ai.usage.completionTokens", "ai.usage.outputTokens",
    ),
    "cached_tokens": (
        "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens", "gen_ai.usage.details.cached_tokens",
        "llm.token_count.prompt_details.cache_read", "ai.usage.cachedInputTokens",
    ),
    "cache_write_tokens": (
        "gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.details.cache_write_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens", "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning", "ai.usage.reasoningTokens",
    ),
    "usage_json": ("langfuse.observation.usage_details",),
    "cost": ("llm.cost.total", "gen_ai.usage.cost", "operation.cost"),
    "cost_prompt": ("llm.cost.prompt",),
    "cost_completion": ("llm.cost.completion",),
    "cost_json": ("langfuse.observation.cost_details",),
    "first_token_s": ("gen_ai.response.time_to_first_chunk", "gen_ai.response.time_to_first_token"),
    "first_token_ms": ("ai.response.msToFirstChunk",),
    "first_token_at": ("langfuse.observation.completion_start_time",),
    "conversation": (
        "gen_ai.conversation.id", "session.id", "langfuse.session.id", "traceloop.association.properties.session_id",
    ),
    "user": ("enduser.id", "user.id", "langfuse.user.id", "traceloop.association.properties.user_id"),
    "prompt_name": ("gen_ai.prompt.name", "langfuse.observation.prompt.name", "llm.prompt_template.name"),
    "prompt_version": ("gen_ai.prompt.version", "langfuse.observation.prompt.version", "llm.prompt_template.version"),
    "error_type": ("error.type", "exception.type"),
    "level": ("langfuse.observation.level",),
    "service": ("service.name",),
    "environment": ("deployment.environment.name", "deployment.environment", "langfuse.environment"),
}  # fmt: skip
"""Field → attribute names in order of preference."""

OPERATIONS: dict[str, str | None] = {
    # OpenInference span kinds
    "llm": "chat", "embedding": "embeddings", "tool": "execute_tool", "agent": "invoke_agent", "retriever": "retrieval",
    "reranker": "rerank", "chain": "chain", "guardrail": "guardrail", "evaluator": "evaluate", "prompt": "prompt",
    # traceloop
    "workflow": "invoke_workflow", "task": "chain", "completion": "text_completion",
    # Langfuse
    "generation": "chat", "span": None, "event": None,
    # placeholders
    "unknown": None, "": None,
}  # fmt: skip
"""Other conventions' kinds of span → operation of the GenAI conventions; a name that is not here is kept as it is."""

INPUT: tuple[str, ...] = (
    "gen_ai.input.messages", "input.value", "langfuse.observation.input", "traceloop.entity.input", "gen_ai.prompt",
    "ai.prompt.messages", "ai.prompt",
)  # fmt: skip
"""Attributes that hold the whole input of a request, in order of preference."""

INPUT_PARTS: tuple[str, ...] = ("gen_ai.prompt.", "llm.input_messages.", "llm.prompts", "embedding.embeddings.")
"""Prefixes of attributes that together hold the input, one per message and field."""

INPUT_EVENTS: tuple[str, ...] = (
    "gen_ai.content.prompt", "gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message",
    "gen_ai.tool.message",
)  # fmt: skip
"""Events that hold the input."""

BESIDE_INPUT: tuple[tuple[str, str], ...] = (
    ("system", "gen_ai.system_instructions"), ("tools", "gen_ai.tool.definitions"), ("settings", "llm.invocation_parameters"),
)  # fmt: skip
"""What belongs to a request and is carried beside its messages: its name in an OpenAI request, and the attribute."""

OUTPUT: tuple[str, ...] = (
    "gen_ai.output.messages", "output.value", "langfuse.observation.output", "traceloop.entity.output", "gen_ai.completion",
    "ai.response.text", "ai.response.object",
)  # fmt: skip
"""Attributes that hold the whole output of a request, in order of preference."""

OUTPUT_PARTS: tuple[str, ...] = ("gen_ai.completion.", "llm.output_messages.", "llm.completions")
"""Prefixes of attributes that together hold the output."""

OUTPUT_EVENTS: tuple[str, ...] = ("gen_ai.content.completion", "gen_ai.choice")
"""Events that hold the output."""

FIRST_TOKEN_EVENTS: tuple[str, ...] = ("First Token Stream Event", "llm.content.completion.chunk")
"""Events that mark the first token of a stream."""
