"""The data plane as ratios, in one run: `python -m benchmarks.plane` (AETHER_BENCH_SPANS, 300,000 unless told; `--keep DIR`).

Spans from Parquet and JSON lines against DuckDB's own CREATE TABLE AS of the same file, per CPU second; a merge of which a
tenth is known; ten thousand rows of the newest day and of an old one, in a small cache and in the large one; every report's
queries, the same numbers from raw rows, and whether both are equal. Prints a table and writes `benchmarks/plane.json`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.receiver import peak_mb

HERE = Path(__file__).resolve().parent
NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAYS, EACH, SMALL, NEW = 30, 10, 100_000, 10_000
LATE_DAYS, FEW = 20, 2000

SPANS = """
SELECT md5((i // {each})::VARCHAR) AS trace_id, printf('%016x', hash(i)) AS span_id,
  CASE WHEN i % {each} > 0 THEN printf('%016x', hash(i // {each} * {each})) END AS parent_id,
  CASE WHEN i % {each} = 0 THEN 'agent' WHEN i % 3 = 0 THEN 'execute_tool find' ELSE 'chat gpt-4o' END AS name,
  CASE WHEN i % {each} = 0 THEN 'invoke_agent' WHEN i % 3 = 0 THEN 'execute_tool' ELSE 'chat' END AS operation,
  TIMESTAMP '{first}' + to_microseconds((i // {each} - {low} // {each}) * {step_us} + (i % {each}) * 900000) AS start,
  CASE WHEN i % {each} = 0 THEN 9.0 ELSE 0.5 + hash(i) % 400000 / 1000000 END AS duration_s,
  CASE WHEN call THEN 0.1 + hash(i + 1) % 400 / 1000 END AS time_to_first_token_s, CASE WHEN call THEN 'openai' END AS provider,
  CASE WHEN call THEN ['gpt-4o', 'gpt-4o-mini', 'gpt-4.1', 'o3'][1 + (hash(i // {each}) % 4)::INT] END AS model,
  CASE WHEN call THEN (500 + hash(i) % 4000)::BIGINT END AS input_tokens,
  CASE WHEN call THEN (hash(i + 2) % 400)::BIGINT END AS output_tokens,
  CASE WHEN hash(i) % 50 = 0 THEN 'error' ELSE 'ok' END AS status,
  CASE WHEN hash(i) % 50 = 0 THEN ['TimeoutError', 'RateLimitError', 'ToolError'][1 + (hash(i + 7) % 3)::INT] END AS error_type,
  'conv-' || hash(i // 30) % 100000 AS conversation, 'user-' || hash(i // 30) % 5000 AS "user",
  ['answers', 'search', 'billing'][1 + (hash(i // {each}) % 3)::INT] AS source_service, 'production' AS source_environment,
  CASE WHEN call THEN md5((i % 777777)::VARCHAR) END AS request_hash,
  ['plan', 'answer', 'rewrite'][1 + (hash(i) % 3)::INT] AS prompt_name, 'v' || hash(i // 100000) % 9 AS prompt_version,
  '{{"app.feature":"f' || hash(i // {each}) % 12 || '","app.team":"team' || hash(i // {each}) % 5
    || '","gen_ai.request.max_tokens":4096,"gen_ai.request.temperature":0.2,"app.note":"'
    || substr(md5(i::VARCHAR), 1, 18) || '"}}' AS attributes
FROM (SELECT i, i % {each} > 0 AND i % 3 > 0 AS call FROM range({low}, {high}) t(i))
"""

SAID = """
SELECT *, CASE WHEN model <> '' THEN {prompt} END AS prompt, CASE WHEN model <> '' THEN {completion} END AS completion FROM ({spans})
"""
WORDS = """
list_aggregate([(['the', 'customer', 'asked', 'about', 'refund', 'policy', 'order', 'shipping', 'delay', 'please', 'explain', 'invoice',
'account', 'billing', 'error', 'model', 'answer', 'question', 'is', 'not', 'with', 'for', 'a', 'of'])[1 + (hash(span_id, j) % 24)::INT]
FOR j IN range({first}, {last})], 'string_agg', ' ')
"""
SHORT = 300, 100
"""Words of a prompt and of a completion: so many that DuckDB itself writes about 150,000 such spans of Parquet in a second of CPU."""
LONG = 1500, 100
"""So many as 2,000 tokens, which is what a prompt has on average in `AzureLLMInferenceTrace_code.csv.gz` (2,048 over 8,819 calls)."""


OTLP = """
SELECT json_array(json_object('resource', json_object('attributes', json_array(
    json_object('key', 'service.name', 'value', json_object('stringValue', 'answers')))),
  'scopeSpans', json_array(json_object('spans', json_group_array(json_object(
    'traceId', md5((i // 10)::VARCHAR), 'spanId', printf('%016x', hash(i + 1)),
    'parentSpanId', CASE WHEN i % 10 > 0 THEN printf('%016x', hash(i // 10 * 10 + 1)) ELSE '' END, 'name', 'chat gpt-4o',
    'startTimeUnixNano', (epoch_ns(TIMESTAMP '{first}') + i * 900000000)::VARCHAR,
    'endTimeUnixNano', (epoch_ns(TIMESTAMP '{first}') + i * 900000000 + 500000000)::VARCHAR,
    'attributes', json_array(
      json_object('key', 'gen_ai.operation.name', 'value', json_object('stringValue', 'chat')),
      json_object('key', 'gen_ai.response.model', 'value', json_object('stringValue', 'gpt-4o-2024-08-06')),
      json_object('key', 'app.feature', 'value', json_object('stringValue', 'f' || hash(i // 10) % 12)),
      json_object('key', 'gen_ai.usage.input_tokens', 'value', json_object('intValue', (hash(i) % 4000)::VARCHAR)),
      json_object('key', 'gen_ai.usage.output_tokens', 'value', json_object('intValue', (hash(i + 1) % 400)::VARCHAR)){more}
    ))))))) AS "resourceSpans"
FROM {of} GROUP BY i // 100 ORDER BY i // 100
"""
MORE = "".join(
    f""",
      json_object('key', '{name}', 'value', json_object({value}))"""
    for name, value in {
        "gen_ai.provider.name": "'stringValue', 'openai'", "gen_ai.request.model": "'stringValue', 'gpt-4o'",
        "openinference.span.kind": "'stringValue', 'LLM'", "llm.model_name": "'stringValue', 'gpt-4o-2024-08-06'",
        "llm.provider": "'stringValue', 'openai'", "llm.token_count.prompt": "'intValue', (hash(i) % 4000)::VARCHAR",
        "llm.token_count.completion": "'intValue', (hash(i + 1) % 400)::VARCHAR",
        "llm.token_count.total": "'intValue', (hash(i) % 4000 + hash(i + 1) % 400)::VARCHAR",
    }.items()
)  # fmt: skip
"""What spans of instrumented model calls carry besides: those of `otlp/captured/python-sdk-1.45.2.protobuf.bin` have such twelve."""
MESSAGES = """,
      json_object('key', 'gen_ai.input.messages', 'value', json_object('stringValue', messages('user', prompt))),
      json_object('key', 'gen_ai.output.messages', 'value', json_object('stringValue', messages('assistant', completion)))
"""


def otlp_lines(path: Path, spans: int, first: datetime, *, few: bool = False, said: bool = False) -> Path:
    """A file as the collector's file exporter writes it, a hundred spans a line, in the order of time: of thirteen attributes, or `few`;
    with messages of `LONG` in each span if `said`."""
    of = f"range({spans}) t(i)"
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE MACRO messages(role, said) AS "
            "json_array(json_object('role', role, 'parts', json_array(json_object('type', 'text', 'content', said))))::VARCHAR"
        )
        if said:
            of = f"(SELECT *, i AS span_id FROM {of})"
            of = f"(SELECT *, {', '.join(f'{text} AS {name}' for name, text in words(*LONG).items())} FROM {of})"
        sql = OTLP.format(first=f"{first:%Y-%m-%d %H:%M:%S}", of=of, more=MORE * (not few) + MESSAGES * said)
        connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT json)")
    return path


def words(prompt: int, completion: int) -> dict[str, str]:
    """SQL of a prompt and a completion of so many words, others for each `span_id`."""
    ends = {"prompt": (0, prompt), "completion": (prompt, prompt + completion)}
    return {name: WORDS.format(first=begin, last=end) for name, (begin, end) in ends.items()}


def make(
    path: Path, low: int, high: int, first: datetime, span_days: float, said: tuple[int, int] | None = None
) -> Path:
    """A file of spans numbered `low` to `high`, spread over some days from `first`; the form is the one of its name. With words that were
    `said` in a model call, it has columns of them, which are not kept."""
    step_us = int(span_days * 86_400_000_000 // max((high - low) // EACH, 1))
    sql = SPANS.format(low=low, high=high, first=f"{first:%Y-%m-%d %H:%M:%S}", each=EACH, step_us=step_us)
    if said:
        sql = SAID.format(spans=sql, **words(*said))
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT {'parquet' if path.suffix == '.parquet' else 'json'})")
    return path


def cpu_s() -> float:
    return time.process_time()


DERIVED = {
    "source": "'files'", "mapping_hash": "'0123456789abcdef'", "ingested_at": "TIMESTAMP '2026-11-21'",
    "cost_usd": "CAST(input_tokens * 0.0000025 AS DECIMAL(38, 12))", "cost_status": "CASE WHEN model <> '' THEN 'priced' END",
    "price_version": "CASE WHEN model <> '' THEN 'genai-prices' END", "environment": "source_environment",
    "service": "source_service", "feature": "prompt_name", "team": "prompt_version",
}  # fmt: skip
"""What stands in a baseline for the columns that loading adds."""


def kept(path: Path) -> str:
    """SELECT of every column that the cache keeps of a file of ours, nothing cleaned or looked up."""
    return f"SELECT {kept_cells(path, DERIVED)} FROM '{path}'"


def kept_cells(path: Path, derived: Mapping[str, str], of: str = "") -> str:
    """What a SELECT from a file of ours picks for the columns that the cache keeps."""
    from aether_tui.cache.schema import sql_type, stored_columns
    from aether_tui.records.tables import SPANS

    with duckdb.connect() as connection:
        there = {name: f'{of}"{name}"' for name, *_ in connection.execute(f"DESCRIBE FROM '{path}'").fetchall()}
    types = {column.name: sql_type(column) for column in SPANS.columns}
    cells = {**there, **derived}
    names = stored_columns(SPANS)
    return ", ".join(f'{cells.get(name) or f"CAST(NULL AS {types[name]})"} AS "{name}"' for name in names)


def ctas(path: Path, selected: str = "") -> float:
    """CPU seconds of DuckDB's own CREATE TABLE AS from a file into a file, best of two; as it is unless `selected`."""
    read = f"read_parquet('{path}')" if path.suffix == ".parquet" else f"read_json('{path}')"
    read = f"({selected})" if selected else read
    best = float("inf")
    for _ in range(2 if path.stat().st_size < 1 << 28 else 1):
        with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
            connection.execute(f"ATTACH '{folder}/x.duckdb' AS x")
            began = cpu_s()
            connection.execute(f"CREATE TABLE x.t AS FROM {read}")
            connection.execute("DETACH x")
            best = min(best, cpu_s() - began)
    return best


# --- One load, in a process of its own -----------------------------------------------------------------------------


def load(path: Path, cache: Path) -> dict[str, float]:
    """Load a file of spans or a folder of them, or of OTLP by its name, as `aether-tui load` does: CPU, rows, memory and the longest
    lease, which is how long somebody may have to wait."""
    from aether_tui.cache import Cache
    from aether_tui.sync.intake import Counts, Intake, Writer
    from aether_tui.sync.joining import Joining
    from aether_tui.sync.loading import pages_of
    from connectors.otlp import OtlpFiles
    from connectors.spans import SpanFiles

    files = OtlpFiles() if path.name.startswith("otlp") else SpanFiles()
    writer = Writer(Cache(cache), ready(), lambda: NOW)
    writer.open()
    leases: list[tuple[float, float]] = []
    attach = writer.cache._write

    @contextlib.contextmanager
    def timed(cursor: Any = None, **options: bool) -> Iterator[Any]:
        with attach(cursor, **options) as connection:
            began = cpu_s(), time.perf_counter()
            yield connection
        leases.append((time.perf_counter() - began[1], cpu_s() - began[0]))

    writer.cache._write = timed  # type: ignore[method-assign,assignment]
    began, intake, counts = cpu_s(), Intake(writer, "spans", "files"), Counts()
    joining = Joining(intake)
    for one in sorted(path.iterdir()) if path.is_dir() else [path]:
        for page in pages_of(files, [one], NOW, writer.ingest):
            joining.put(page, counts, lambda *_: None)
    joining.flush()
    intake.finish()
    used = cpu_s() - began
    return {
        "cpu_s": used, "rows": counts.rows, "peak_mb": peak_mb(os.getpid()), "longest_lease_ms": 1e3 * max(wall for wall, _ in leases),
        "lease_cpu_ms": 1e3 * max(cpu for _, cpu in leases),
    }  # fmt: skip


def ready() -> Any:
    """An `Ingest` that has read the table of prices: what a process does once is left out, as the start of DuckDB is of `ctas`."""
    from aether_tui.config import Config
    from aether_tui.ingest import Ingest

    ingest = Ingest(Config(), bytes(32))
    ingest.deriver.prices.of_day(None, "", NOW)
    return ingest


def staged(path: Path) -> dict[str, float]:
    """CPU seconds of reading, cleaning, pricing and mapping alone, and of writing the result: no merge, no rollups."""
    from aether_tui.cache.bulk import bulk_parts, scanned
    from aether_tui.cache.columns import stage_spans
    from aether_tui.cache.lease import ROW_GROUPS
    from aether_tui.cache.schema import quoted
    from aether_tui.cache.settings import for_large_files
    from aether_tui.records.source import Bulk
    from aether_tui.records.tables import SPANS
    from aether_tui.sync.loading import pages_of
    from connectors.otlp import OtlpFiles
    from connectors.spans import SpanFiles

    ingest = ready()
    pages = pages_of(OtlpFiles() if path.name.startswith("otlp") else SpanFiles(), [path], NOW, ingest)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for_large_files(connection)
        connection.execute(f"ATTACH '{folder}/x.duckdb' AS x ({ROW_GROUPS.lstrip(', ')})")
        columns, writing, began = quoted([column.name for column in SPANS.columns]), 0.0, cpu_s()
        to = "CREATE TABLE x.t AS"
        for page in pages:
            found = page.bulk or page.scan or (page.small and page.small.join([(path, page.small.data)]))
            if found is None:
                continue
            for part, _ in bulk_parts(connection, found, []) if isinstance(found, Bulk) else scanned(connection, found):
                stage_spans(connection, "ready", part, ingest, found.nulls)
                since = cpu_s()
                connection.execute(f"{to} SELECT 'files' AS source, {columns} FROM ready")
                to = "INSERT INTO x.t"
                writing += cpu_s() - since
        since = cpu_s()
        connection.execute("DETACH x")
        return {"cpu_s": cpu_s() - began, "write_s": writing + cpu_s() - since}


def child(*arguments: str) -> dict[str, float]:
    """What one step says of itself, from a fresh process."""
    command = [sys.executable, "-m", "benchmarks.plane", "--child", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE.parent)
    return dict(json.loads(done.stdout))


def alone_of(path: Path) -> dict[str, float]:
    """`staged`, best of two, as `ctas` is."""
    return min((child("staged", str(path)) for _ in range(2)), key=lambda found: found["cpu_s"])


# --- Reports -------------------------------------------------------------------------------------------------------


def reports(cache_path: Path, runs: int) -> dict[str, float]:
    """Milliseconds each report holds the cache (open and queries): the p95 of some runs, by report."""
    from aether_tui.cache import Cache
    from aether_tui.config import Config
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.diagnostics.registry import REPORTS
    from aether_tui.diagnostics.run import run_report
    from aether_tui.workspace.folder import Workspace

    cache, held = Cache(cache_path), 0.0
    attach = cache.read

    @contextlib.contextmanager
    def timed() -> Iterator[Any]:
        nonlocal held
        began = time.perf_counter()
        with attach() as lease:
            held += time.perf_counter() - began

            def timing(ask: Callable[..., Any]) -> Callable[..., Any]:
                def asked(*arguments: Any) -> Any:
                    nonlocal held
                    began = time.perf_counter()
                    try:
                        return ask(*arguments)
                    finally:
                        held += time.perf_counter() - began

                return asked

            lease.rows, lease.several = timing(lease.rows), timing(lease.several)  # type: ignore[method-assign]
            yield lease

    cache.read = timed  # type: ignore[method-assign,assignment]
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "aether.toml").write_text("")
        workspace, config, clock = Workspace(Path(folder)), Config(), Clock.of(NOW, "28d")
        for name in REPORTS:
            times = []
            for _ in range(runs + 1):
                held = 0.0
                run_report(name, workspace, config, clock, cache)
                times.append(1e3 * held)
            found[name] = sorted(times[1:])[int(0.95 * runs)]
    return found


PAIRS = {
    "cost by model": (
        "SELECT model, sum(cost_usd), sum(calls) FROM llm_hourly WHERE hour >= $since GROUP BY model ORDER BY ALL",
        "SELECT model, sum(cost_usd), count(*) FROM spans WHERE {model_call} AND start >= $since GROUP BY model ORDER BY ALL",
    ),
    "tasks by feature": (
        "SELECT feature, count(*), sum(cost_usd), sum(tokens) FROM tasks WHERE start >= $since GROUP BY feature ORDER BY ALL",
        "SELECT feature, count(*), sum(cost_usd), sum(tokens) FROM ({tasks}) WHERE start >= $since GROUP BY feature ORDER BY ALL",
    ),
    "p95 of latency by model": (
        "WITH h AS (SELECT segment, bucket, sum(n) AS n FROM duration_hist WHERE kind = 'llm_latency' AND day >= $since GROUP BY ALL), "
        "c AS (SELECT *, sum(n) OVER (PARTITION BY segment ORDER BY bucket) AS upto, sum(n) OVER (PARTITION BY segment) AS total FROM h) "
        "SELECT segment, pow(1.02, min(bucket) + 0.5) FROM c WHERE upto >= ceil(0.95 * total) GROUP BY segment ORDER BY segment",
        "SELECT model, quantile_disc(duration_s, 0.95) FROM spans WHERE {model_call} AND start >= $since GROUP BY model ORDER BY model",
    ),
}


def rollups_against_raw(cache_path: Path) -> tuple[dict[str, float], float]:
    """How many times faster the same numbers come from rollups (open included), and the largest relative difference."""
    from aether_tui.cache import Cache
    from aether_tui.cache.rollups import definition, render

    cache = Cache(cache_path)
    since = {"since": NOW.replace(tzinfo=None) - timedelta(days=28)}
    faster, worst = {}, 0.0
    for name, (rolled, raw) in PAIRS.items():
        text = render(raw.replace("{tasks}", definition("tasks")), {"spans": "spans"})
        answers, times = [], []
        for sql in (rolled, text):
            took, answer = timed_read(cache, sql, since)
            answers.append(answer)
            times.append(took)
        assert len(answers[0]) == len(answers[1]) > 1, name
        faster[name] = times[1] / times[0]
        for one, other in zip(*answers, strict=True):
            for a, b in zip(one, other, strict=True):
                if isinstance(a, str) or a is None:
                    assert a == b, (name, a, b)
                else:
                    worst = max(worst, abs(float(a) - float(b)) / abs(float(b)))
    return faster, worst


def timed_read(cache: Any, sql: str, params: dict[str, object]) -> tuple[float, list[tuple[Any, ...]]]:
    """Best of five of a lease with one query in it, and its answer."""
    best, answer = float("inf"), []
    for _ in range(5):
        began = time.perf_counter()
        with cache.read() as lease:
            answer = [tuple(row.values()) for row in lease.rows(sql, params)]
        best = min(best, time.perf_counter() - began)
    return best, answer


# --- The whole -----------------------------------------------------------------------------------------------------


def of_kind(
    kind: str, spans: int, own: float, alone: dict[str, float], loaded: dict[str, float]
) -> Iterator[tuple[str, float, str, float, str]]:
    """Rows of one kind of file."""
    yield f"{kind}, no merge, over own", own / alone["cpu_s"], "x", 0.8, ">="
    yield f"{kind}, merge and rollups, over own", own / loaded["cpu_s"], "x", 0.5, ">="
    yield f"CPU of a load of {kind}", 1e6 * loaded["cpu_s"] / spans, "us/span", 0, "."


def measure(spans: int, folder: Path, say: Callable[[str], None]) -> list[tuple[str, float, str, float, str]]:
    """Every number: name, value, unit, bar, and which side of it is good."""
    first, end = NOW.replace(tzinfo=None) - timedelta(days=DAYS), NOW.replace(tzinfo=None)
    whole = make(folder / "whole.parquet", 0, spans, first, DAYS)
    cache = folder / "cache.duckdb"
    for path in folder.glob("*.duckdb*"):
        path.unlink()
    say("load")
    own, own_kept = ctas(whole), ctas(whole, kept(whole))
    alone, loaded = alone_of(whole), child("load", str(whole), str(cache))
    some = max(spans // 3, 50_000)
    said = make(folder / "said.parquet", 0, spans, first, DAYS, SHORT)
    kinds = {
        "spans and texts": (said, spans),
        "JSON lines": (make(folder / "lines.ndjson", 0, some, first, DAYS), some),
        "JSON lines and texts": (make(folder / "said.ndjson", 0, some, first, DAYS, LONG), some),
        "OTLP lines": (otlp := otlp_lines(folder / "otlp.ndjson", spans, first), spans),
        "OTLP lines, few attributes": (otlp_lines(folder / "otlp-few.ndjson", some, first, few=True), some),
        "OTLP lines and texts": (otlp_lines(folder / "otlp-said.ndjson", some // 3, first, said=True), some // 3),
    }
    others = []
    for kind, (path, rows) in kinds.items():
        say(kind)
        found = alone_of(path), child("load", str(path), str(folder / f"{path.name}.duckdb"))
        assert found[-1]["rows"] == rows
        others += of_kind(kind, rows, ctas(path), *found)
    say("merge")
    merged = {}
    known = make(folder / "known.parquet", 0, spans // 10, first, DAYS / 10)
    for path, before in (
        (whole, known),
        (said, known),
        (otlp, otlp_lines(folder / "otlp-known.ndjson", spans // 10, first)),
    ):
        overlap = folder / f"overlap-{path.stem}.duckdb"
        child("load", str(before), str(overlap))
        merged[path] = child("load", str(path), str(overlap))["cpu_s"]
    say("small files")
    (few := folder / "few").mkdir(exist_ok=True)
    for n in range(some // FEW):
        make(
            few / f"{n:05}.parquet",
            n * FEW,
            (n + 1) * FEW,
            first + timedelta(days=DAYS * n * FEW / some),
            DAYS * FEW / some,
        )
    small_files = child("load", str(few), str(folder / "few.duckdb"))
    say("newest day")
    small = folder / "small.duckdb"
    child("load", str(make(folder / "small.parquet", 0, SMALL, first, DAYS)), str(small))
    new = [
        make(folder / f"new{n}.parquet", 10**9 + n * NEW, 10**9 + (n + 1) * NEW, end - timedelta(hours=9 - n), 1 / 24)
        for n in range(3)
    ]
    late = make(folder / "late.parquet", 2 * 10**9, 2 * 10**9 + NEW, end - timedelta(days=LATE_DAYS), 1 / 24)
    newest = {path: [child("load", str(one), str(path)) for one in new] for path in (small, cache)}
    cpu = {path: min(one["cpu_s"] for one in found) for path, found in newest.items()}
    late_cpu = {path: child("load", str(late), str(path))["cpu_s"] for path in (small, cache)}
    say("reports")
    held = reports(cache, 20)
    slowest = max(held, key=held.__getitem__)
    faster, worst = rollups_against_raw(cache)
    return [
        ("ingest, no merge, over own CREATE TABLE AS", own / alone["cpu_s"], "x", 0.8, ">="),
        ("load with merge and rollups, over own", own / loaded["cpu_s"], "x", 0.5, ">="),
        ("load of which a tenth is known, over own", own / merged[whole], "x", 0.5, ">="),
        ("spans and texts, a tenth known, over own", ctas(said) / merged[said], "x", 0.5, ">="),
        ("OTLP lines, a tenth known, over own", ctas(otlp) / merged[otlp], "x", 0.5, ">="),
        *others,
        ("CPU of a load", 1e6 * loaded["cpu_s"] / loaded["rows"], "us/span", 0, "."),
        (
            f"files of {FEW:,} spans over one file, CPU of a span",
            small_files["cpu_s"] / small_files["rows"] / loaded["cpu_s"] * loaded["rows"],
            "x",
            2,
            "<=",
        ),
        ("CPU of own CREATE TABLE AS", 1e6 * own / spans, "us/span", 0, "."),
        ("CPU of that with the columns that are kept", 1e6 * own_kept / spans, "us/span", 0, "."),
        (
            "CPU of reading, cleaning, pricing, mapping",
            1e6 * (alone["cpu_s"] - alone["write_s"]) / spans,
            "us/span",
            0,
            ".",
        ),
        ("CPU of writing", 1e6 * alone["write_s"] / spans, "us/span", 0, "."),
        ("memory of a load", loaded["peak_mb"], "MB", 1200, "<="),
        ("longest wait for the cache during a load, CPU", loaded["lease_cpu_ms"], "ms", 300, "<="),
        ("longest lease of a load, wall", loaded["longest_lease_ms"], "ms", 0, "."),
        ("10 k newest rows, large over small cache", cpu[cache] / cpu[small], "x", 1.5, "<="),
        ("10 k late rows, large over small cache", late_cpu[cache] / late_cpu[small], "x", 0, "."),
        ("longest lease of 10 k newest rows, CPU", min(one["lease_cpu_ms"] for one in newest[cache]), "ms", 300, "<="),
        (
            "longest lease of 10 k newest rows, wall",
            min(one["longest_lease_ms"] for one in newest[cache]),
            "ms",
            0,
            ".",
        ),
        (f"slowest report's queries, p95 ({slowest})", held[slowest], "ms", 100, "<="),
        *((f"raw over rollups: {name}", ratio, "x", 5, ">=") for name, ratio in faster.items()),
        ("largest difference to raw rows", 100 * worst, "%", 1, "<="),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        step, *paths = options.child
        found = load(Path(paths[0]), Path(paths[1])) if step == "load" else staged(Path(paths[0]))
        print(json.dumps(found))
        return 0
    spans = int(os.environ.get("AETHER_BENCH_SPANS", "300000").replace("_", ""))
    with tempfile.TemporaryDirectory(prefix="aether-plane-") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = measure(spans, folder, lambda step: print(f"… {step}", file=sys.stderr))
    missed = 0
    for name, value, unit, bar, side in rows:
        good = side == "." or (value >= bar if side == ">=" else value <= bar)
        missed += not good
        goal = "" if side == "." else f"{side} {bar:g}"
        print(f"{'✓' if good else '■'} {name:<52}{value:>10.3g} {unit:<8}{goal}")
    result = {
        "spans": spans, "load_1min": os.getloadavg()[0],
        "rows": [{"name": n, "value": round(v, 4), "unit": u, "bar": b, "good_is": s} for n, v, u, b, s in rows],
    }  # fmt: skip
    (HERE / "plane.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
