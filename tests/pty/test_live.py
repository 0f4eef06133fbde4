"""Model calls of a real SDK on the open Budgets screen, by way of the receiver that `o` starts."""

import re

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.pty.terminal import Terminal, installed

FILE = (
    "version: 1\ncurrency: USD\nbudgets:\n"
    "  - {id: llm.tokens, surface: llm, metric: model.tokens, match: {service: agents}, limit: 90_000_000 tokens/month}\n"
)


@pytest.mark.slow
def test_tokens_tick_while_an_application_runs(tmp_path):
    (tmp_path / "aether.toml").write_text("")
    (tmp_path / "optimization").mkdir()
    (tmp_path / "optimization" / "budgets.yaml").write_text(FILE)
    with Terminal(installed("--start", "budgets"), 120, 40, tmp_path) as terminal:
        terminal.until(lambda text: "No budget could be measured" in text)
        terminal.press("o")
        text = terminal.until(lambda text: "spans/min :" in text)
        port = re.search(r"spans/min :(\d+)", text).group(1)
        provider = TracerProvider(resource=Resource({"service.name": "agents"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"http://127.0.0.1:{port}/v1/traces")))
        tracer = provider.get_tracer("test")
        for calls in range(1, 4):
            with tracer.start_as_current_span("chat gpt-4o") as span:
                span.set_attribute("gen_ai.operation.name", "chat")
                span.set_attribute("gen_ai.request.model", "gpt-4o")
                span.set_attribute("gen_ai.usage.input_tokens", 2_000_000)
            provider.force_flush()
            terminal.until(lambda text, so_far=2 * calls: re.search(rf"llm\.tokens\b.* {so_far}\.0+ M tokens", text))
        provider.shutdown()
        terminal.press("o")
        terminal.until(lambda text: "receiver stopped" in text)
        terminal.press("q")
        assert terminal.end() == 0
