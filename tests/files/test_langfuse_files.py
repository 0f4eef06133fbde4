"""Langfuse traces of seven frameworks against the oracle."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from connectors.base import Malformed
from connectors.files import sample
from connectors.langfuse_files import LangfuseFiles
from tests.files.reading import read, stored, total

KIND = LangfuseFiles()


def trace(**observation: object) -> str:
    base = {"id": "A-1", "traceId": "T-1", "type": "GENERATION", "startTime": "2026-01-01T00:00:00Z", **observation}
    return json.dumps({"trace": {"id": "T-1", "projectId": "p"}, "observations": [base]})


def test_every_trace_equals_the_oracle(contracts: Path) -> None:
    facts = json.loads((contracts / "facts.json").read_text())
    paths = sorted((contracts / "langfuse" / "framework-traces").iterdir())
    assert len(paths) == 7
    for path in paths:
        fact = facts[f"langfuse/{path.name}"]
        assert KIND.recognises(sample(path))
        rows, rejects, _ = read(KIND, path)
        spans = rows["spans"]
        assert not rejects
        assert len(spans) == fact["observations"]
        # The oracle adds all observations; here the agent repeats the usage of its first generation, which counts once.
        repeated = (631, 35) if path.name.startswith("microsoft-agent") else (0, 0)
        assert total(spans, "input_tokens") == fact["input_usage"] - repeated[0], path.name
        assert total(spans, "output_tokens") == fact["output_usage"] - repeated[1], path.name
        costs = [cost for span in spans if isinstance(cost := span["reported_cost_usd"], Decimal)]
        assert sum(costs) == Decimal(fact["total_cost"]), path.name
        assert sum(span["parent_id"] is None for span in spans) == fact["roots"]
        models = Counter(span["model"] for span in spans if span["model"])
        assert models == {model: n for model, n in fact["models"].items() if model != "unknown"}
        assert len(costs) == fact["types"]["GENERATION"] == sum(span["operation"] == "chat" for span in spans)


def test_wall_time_of_a_trace_equals_the_oracle(contracts: Path) -> None:
    facts = json.loads((contracts / "facts.json").read_text())
    for path in sorted((contracts / "langfuse" / "framework-traces").iterdir()):
        spans = read(KIND, path)[0]["spans"]
        starts = [cast("datetime", span["start"]) for span in spans]
        ends = [
            cast("datetime", span["start"]) + timedelta(seconds=cast("float", span["duration_s"] or 0.0))
            for span in spans
        ]
        assert (max(ends) - min(starts)).total_seconds() == pytest.approx(facts[f"langfuse/{path.name}"]["wall_s"])


def test_what_was_said_is_not_stored(contracts: Path) -> None:
    said = ("tell me", "Hello Langfuse", "programmers", "Portland", "3x + 11", "Langfuse is a tool", "example.com")
    for path in sorted((contracts / "langfuse" / "framework-traces").iterdir()):
        body = gzip.decompress(path.read_bytes()).decode()
        rows, *others = read(KIND, path)
        kept = stored(rows["spans"]) + repr(others)
        for words in said:
            assert words not in kept, (path.name, words, words in body)


def test_users_conversations_and_dimensions(contracts: Path) -> None:
    folder = contracts / "langfuse" / "framework-traces"
    spans = read(KIND, folder / "google-adk-2025-08-28.json.gz")[0]["spans"]
    assert {(span["user"], span["conversation"]) for span in spans} == {("demo-user", "demo-session")}
    call = next(span for span in spans if span["operation"] == "chat")
    assert (call["provider"], call["duration_s"]) == ("gcp.vertex.agent", 0.924)
    assert json.loads(cast("str", call["attributes"]))["langfuse.trace.name"] == "invocation [hello_app]"


def test_unpriced_generations_have_no_cost_and_free_ones_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    for details, cost, wanted in (({}, 0, None), ({"total": 0}, 0, Decimal(0)), ({}, "0.1", Decimal("0.1"))):
        path.write_text(trace(costDetails=details, totalCost=cost))
        assert read(KIND, path)[0]["spans"][0]["reported_cost_usd"] == wanted


def test_tokens_of_other_observations_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(trace(type="AGENT", model="gpt-4o", inputUsage=10, outputUsage=5, totalCost=1))
    (span,) = read(KIND, path)[0]["spans"]
    assert (span["input_tokens"], span["model"], span["reported_cost_usd"]) == (None, None, None)


def test_first_token_and_errors(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(trace(completionStartTime="2026-01-01T00:00:00.4Z", endTime="2026-01-01T00:00:02Z", level="ERROR"))
    (span,) = read(KIND, path)[0]["spans"]
    assert (span["time_to_first_token_s"], span["duration_s"], span["status"]) == (0.4, 2.0, "error")
    assert (span["trace_id"], span["span_id"]) == ("t1", "a1")


def test_an_observation_that_cannot_be_read_is_a_reject(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(trace(startTime="yesterday", input="the secret canary"))
    rows, rejects, _ = read(KIND, path)
    assert rows == {"spans": [], "span_payloads": []}
    (reject,) = rejects
    assert (reject.where, reject.raw) == (f"{path} observation 1", "T-1 A-1 GENERATION")
    assert "yesterday" in reject.reason


@pytest.mark.parametrize("text", ["{", '{"trace": {}}', '{"trace": {}, "observations": 3}'])
def test_broken_traces_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(Malformed, match=r"t\.json: not "):
        read(KIND, path)
