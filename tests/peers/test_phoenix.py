"""The connector `phoenix` against Phoenix itself: spans sent to it by a real SDK come back by windows and pages."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import set_span_in_context

from aether_tui.cache import Cache
from connectors.base import Gone
from connectors.phoenix import Phoenix, PhoenixSettings
from tests.command import aether
from tests.connectors.pull import call, network, pull

PROGRAM = Path(sys.prefix) / "phoenix" / "bin" / "phoenix"
"""Where `make test-peers` installs it, in an environment of its own."""
AT = datetime(2026, 11, 19, 8, tzinfo=UTC)
PATIENCE_S = 180


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with 25 traces of two spans, of project `assist`, two minutes apart."""
    if not PROGRAM.exists():
        pytest.skip(f"Phoenix is not installed ({PROGRAM}): run `make test-peers`")
    folder, port = tmp_path_factory.mktemp("phoenix"), free()
    environment = {
        **os.environ, "PHOENIX_WORKING_DIR": str(folder), "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free()), "PHOENIX_TELEMETRY_ENABLED": "false",
    }  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([PROGRAM, "serve"], env=environment, stdout=log, stderr=log)

    def wait(ready: Callable[[], bool]) -> None:
        """It takes a minute to start for the first time, and stores spans after it has answered for them."""
        end = time.monotonic() + PATIENCE_S
        while not ready():
            assert server.poll() is None and time.monotonic() < end, (folder / "log").read_text()[-3000:]
            time.sleep(0.2)

    try:
        wait(lambda: asked(f"{url}/v1/projects") is not None)
        send(url)
        wait(lambda: len((asked(f"{url}/v1/projects/assist/spans?limit=100") or {}).get("data", ())) == 50)
        yield url
    finally:
        server.terminate()
        server.wait(60)


def asked(url: str, query: str = "") -> dict[str, Any] | None:
    """What it answers (to a query in GraphQL); None while it does not."""
    sent = urllib.request.Request(url, json.dumps({"query": query}).encode() if query else None)
    sent.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(sent, timeout=5) as answer:
            return cast("dict[str, Any]", json.load(answer))
    except OSError:
        return None


def send(url: str) -> None:
    provider = TracerProvider(resource=Resource({"openinference.project.name": "assist", "service.name": "assist-api"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url}/v1/traces")))
    tracer = provider.get_tracer("peer")
    for number in range(25):
        begin = int((AT + timedelta(minutes=2 * number)).timestamp()) * 10**9
        task = tracer.start_span("task", start_time=begin, attributes={"openinference.span.kind": "AGENT"})
        told = {
            "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.token_count.prompt": 100 + number,
            "llm.token_count.completion": 7, "llm.cost.total": 0.001,
        }  # fmt: skip
        asked = tracer.start_span("ask", context=set_span_in_context(task), start_time=begin + 10**6, attributes=told)
        asked.end(begin + 10**9)
        task.end(begin + 2 * 10**9)
    provider.shutdown()


def told(url: str, path: str, body: dict[str, Any]) -> None:
    sent = urllib.request.Request(
        f"{url}{path}?sync=true", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(sent, timeout=30) as answer:
        assert answer.status == 200


def source(url: str, *projects: str) -> Phoenix:
    return Phoenix(PhoenixSettings(url=url, projects=list(projects), anonymous=True), {}, network())


def test_every_span_comes_back_by_pages_and_once(phoenix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.phoenix._PER_PAGE", "20")
    one = source(phoenix, "assist")
    done = pull(one)
    assert done.error is None
    rows = done.table("spans")
    assert len(rows) == 50
    assert one._network.requests >= 3
    calls = [row for row in rows if row["model"]]
    assert sorted(row["input_tokens"] for row in calls) == list(range(100, 125))
    assert {(row["output_tokens"], row["duration_s"], row["model"]) for row in calls} == {(7, 0.999, "gpt-4o")}
    assert {row["parent_id"] for row in calls} == {row["span_id"] for row in rows if not row["model"]}
    assert min(row["start"] for row in rows) == AT.replace(tzinfo=None)

    again = pull(source(phoenix, "assist"), since=done.cursor)
    assert again.error is None
    assert {row["span_id"] for row in again.table("spans")} <= {row["span_id"] for row in rows}


def test_an_absent_project_is_named_and_the_other_one_is_read(phoenix: str) -> None:
    done = pull(source(phoenix, "nobody", "assist"))
    assert isinstance(done.error, Gone)
    assert "nobody" in done.error.what
    assert len(done.table("spans")) == 50


def test_counts_and_tokens_are_those_of_phoenix_and_a_second_sync_changes_nothing(phoenix: str, tmp_path: Path) -> None:
    counted = ("recordCount", "traceCount", "tokenCountPrompt", "tokenCountCompletion")
    told = asked(
        f"{phoenix}/graphql",
        f"{{ projects {{ edges {{ node {{ name {' '.join(counted)} }} }} }} }}",
    )
    assert told
    (of_project,) = [edge["node"] for edge in told["data"]["projects"]["edges"] if edge["node"]["name"] == "assist"]
    table = f'[sources.phoenix]\nurl = "{phoenix}"\nprojects = ["assist", "default"]\nanonymous = true\n'
    (tmp_path / "aether.toml").write_text(table)
    events = [
        [json.loads(line) for line in aether("sync", "--format", "json", cwd=tmp_path).out.splitlines()] for _ in "12"
    ]
    changes = [(done[-1]["inserted"], done[-1]["updated"]) for done in events]
    assert changes == [(50, 0), (0, 0)]
    sums = "count(*) AS n, count(DISTINCT trace_id) AS traces, sum(input_tokens) AS read, sum(output_tokens) AS written"
    with Cache(tmp_path / ".aether" / "cache.duckdb").read() as lease:
        (stored,) = lease.rows(
            f"SELECT {sums}, CAST(sum(cost_usd) AS VARCHAR) AS usd, max(cost_status) AS status FROM spans"
        )
    assert [stored[name] for name in ("n", "traces", "read", "written")] == [of_project[name] for name in counted]
    assert (stored["usd"], stored["status"]) == ("0.025000000000", "reported")


def test_the_check_reaches_it(phoenix: str) -> None:
    one = source(phoenix, "assist")
    assert call(one, one.check) == phoenix.removeprefix("http://")


def test_what_was_said_of_spans_and_traces_comes_back_without_its_words(phoenix: str) -> None:
    spans = pull(source(phoenix, "assist")).table("spans")
    one, other = spans[0], spans[7]
    words = {"explanation": "words that somebody wrote"}
    for of, name, result in (
        ("span", one["span_id"], {"label": "helpful", "score": 1.0}),
        ("span", other["span_id"], {"score": 0.25}),
        ("trace", other["trace_id"], {"label": "resolved"}),
        ("span", other["span_id"], {}),  # nothing but words
    ):
        said = {
            "name": f"of a {of} {len(result)}",
            "annotator_kind": "HUMAN",
            "result": {**result, **words},
            f"{of}_id": name,
        }
        told(phoenix, f"/v1/{of}_annotations", {"data": [said]})
    done = pull(source(phoenix, "assist"), "annotations")
    found = sorted((row["trace_id"], row["span_id"] or "", row["value"], row["kind"]) for row in done.table("outcomes"))
    assert done.error is None
    assert found == sorted([
        (one["trace_id"], one["span_id"], "helpful", "HUMAN"),
        (other["trace_id"], other["span_id"], "0.25", "HUMAN"),
        (other["trace_id"], "", "resolved", "HUMAN"),
    ])  # fmt: skip
    assert "somebody" not in repr(done.table("outcomes"))
