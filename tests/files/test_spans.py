"""Spans under our own column names, loaded by the command from every format."""

from __future__ import annotations

import bz2
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from aether_tui.cache import Cache
from aether_tui.records.never_stored import NEVER_STORED
from tests.command import aether

ATTRIBUTES = json.dumps(
    {"app.feature": "search", "mail": "canary@example.com", **{f"{name}.x": "Canary" for name in NEVER_STORED},
     "gen_ai": {"input": {"messages": [{"content": "Canary"}]}, "seed": 7}}
)  # fmt: skip
ROWS = (
    "SELECT md5(i::VARCHAR) AS trace_id, md5('s' || i)[:16] AS span_id, TIMESTAMP '2026-11-01 10:00:00' + to_seconds(i) AS start, "
    "0.5 + i AS duration_s, 'chat' AS operation, 'openai' AS provider, 'gpt-4o' AS model, 1000 * i AS input_tokens, "
    "10 AS output_tokens, 'canary@example.com said ' || i AS name, 'Canary Person' AS \"user\", "
    f"'{ATTRIBUTES}' AS attributes, "
    "'gold' AS tier, i AS \"cost centre\", 'Canary' AS \"Prompt\", 'Canary' AS \"User.name\" FROM range(1, 21) AS t(i)"
)


@pytest.mark.parametrize("name", ["spans.parquet", "spans.csv", "spans.ndjson", "spans.csv.gz"])
def test_every_format_gives_the_same_clean_priced_rows(tmp_path: Path, name: str) -> None:
    (tmp_path / "aether.toml").write_text("")
    form = "PARQUET" if "parquet" in name else "CSV, HEADER" if "csv" in name else "JSON"
    duckdb.sql(f"COPY ({ROWS}) TO '{tmp_path / name}' (FORMAT {form})")
    done = aether("load", name, "--format", "json", cwd=tmp_path)
    assert done.code == 0, done.err
    (file,) = done.json["files"]
    assert (file["kind"], file["rows"], file["rejected"], file["merged"]["inserted"]) == ("spans", 20, 0, 20)
    with Cache(tmp_path / ".aether" / "cache.duckdb").read() as lease:
        stored = lease.rows("FROM spans ORDER BY start")
        (rolled,) = lease.rows("SELECT sum(calls) AS calls, sum(cost_usd) AS usd FROM llm_hourly")
    assert stored[0]["start"] == datetime(2026, 11, 1, 10, 0, 1)  # noqa: DTZ001  # instants in rows are naive UTC
    assert {(row["feature"], row["cost_status"]) for row in stored} == {("search", "priced")}
    attributes = [json.loads(row["attributes"]) for row in stored]
    assert {tuple(sorted(found)) for found in attributes} == {("app.feature", "cost centre", "gen_ai", "mail", "tier")}
    assert [(found["tier"], found["cost centre"]) for found in attributes[:2]] == [("gold", "1"), ("gold", "2")]
    # 2.50 and 10.00 USD per million tokens of gpt-4o: 20 × 21 / 2 thousand in, 20 × 10 out.
    assert (rolled["calls"], rolled["usd"]) == (20, Decimal("0.527"))
    assert "anary" not in str(stored)
    assert aether("load", name, "--format", "json", cwd=tmp_path).json["files"][0]["merged"]["unchanged"] == 20


def test_what_is_not_spans_is_said(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text("")
    (tmp_path / "no.csv").write_text("trace_id,start\n1,2\n")
    aether("load", "no.csv", "--as", "spans", cwd=tmp_path).refuses(2, "no.csv", "span_id")
    line = json.dumps({"trace_id": "a" * 32, "span_id": "b" * 16, "start": "2026-11-01T10:00:00Z"}) + "\n"
    (tmp_path / "packed.ndjson.bz2").write_bytes(bz2.compress(line.encode()))
    aether("load", "packed.ndjson.bz2", cwd=tmp_path).refuses(2, "packed", "unpack")
    (tmp_path / "ends.csv").write_bytes(b"trace_id,span_id,start\r\na,b,2026-11-01\r\na,c,2026-11-01\n")
    aether("load", "ends.csv", cwd=tmp_path).refuses(2, "ends.csv", "more than one kind of line ends")
    counts = [line.replace("}", f', "{name}": {value}}}') for name, value in ODD]
    never = [line.replace("2026-11-01T10:00:00Z", start) for start in NEVER]
    odd = [line, "not json\n", *counts, *never]
    (tmp_path / "odd.ndjson").write_text("".join(odd))
    done = aether("load", "odd.ndjson", "--format", "json", cwd=tmp_path)
    assert (done.json["files"][0]["rows"], done.json["files"][0]["rejected"]) == (1, 1 + len(NEVER) + len(ODD))
    for name, value in ODD[:3]:
        assert f"{name} is not a count: {value}" in done.err
    starts = ", ".join(f"TRY_CAST('{start}' AS TIMESTAMPTZ)" for start in NEVER[1:])
    duckdb.sql(
        f"COPY (SELECT '{'a' * 32}' AS trace_id, '{'c' * 16}' AS span_id, unnest([{starts}]) AS start) "
        f"TO '{tmp_path / 'odd.parquet'}' (FORMAT PARQUET)"
    )
    done = aether("load", "odd.parquet", "--format", "json", cwd=tmp_path)
    assert (done.json["files"][0]["rows"], done.json["files"][0]["rejected"]) == (0, len(NEVER) - 1)
    assert "start is not a time" in done.err


NEVER = (
    "yesterday",
    "infinity",
    "-infinity",
    "0044-03-15 (BC)",
    "0001-01-01T00:00:00+10:00",
    "9999-12-31T23:00:00-10:00",
)
ODD = (
    ("input_tokens", -5), ("output_tokens", 10**9 + 1), ("cached_tokens", 4 * 10**18), ("reported_cost_usd", 9 * 10**25),
    ("reported_cost_usd", -3),
)  # fmt: skip


def test_numbers_that_no_call_has_are_missing_and_stop_nothing(tmp_path: Path) -> None:
    """Sums of an hour could hold none of them."""
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.output_tokens": "7",
                  "gen_ai.usage.input_tokens": "4" + 18 * "0"}  # fmt: skip
    said = [{"key": name, "value": {"stringValue": value}} for name, value in attributes.items()]
    spans = [
        {"traceId": f"{n:032x}", "spanId": f"{n:016x}", "startTimeUnixNano": "1790000000000000000",
         "attributes": [*said, {"key": "gen_ai.usage.cost", "value": {"stringValue": cost}}]}
        for n, cost in enumerate(("9e25", "-3", "-0.25"), 1)
    ]  # fmt: skip
    (tmp_path / "aether.toml").write_text("")
    (tmp_path / "huge.json").write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
    assert aether("load", "huge.json", cwd=tmp_path).code == 0
    with Cache(tmp_path / ".aether" / "cache.duckdb").read() as lease:
        found = lease.rows(
            "SELECT sum(calls) AS n, sum(input_tokens) AS i, sum(output_tokens) AS o, sum(cost_usd) AS c FROM llm_hourly"
        )
    assert found == [{"n": 3, "i": None, "o": 21, "c": None}]
