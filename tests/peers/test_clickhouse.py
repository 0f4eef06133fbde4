"""The connector `clickhouse` against ClickHouse itself (chdb), with the collector's own table: spans, and rollups made there."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from aether_tui.cache import Cache
from aether_tui.cache.schema import PUSHED, ROLLUPS
from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.records import Value
from aether_tui.records.tables import SPANS
from aether_tui.sync.engine import Outcome, run
from aether_tui.sync.intake import Writer
from aether_tui.sync.plan import plan
from aether_tui.workspace.folder import Workspace
from connectors import clickhouse, otlp_scan
from connectors.base import Bulk, Reject, Row
from connectors.clickhouse import ClickHouse, ClickHouseSettings
from connectors.clickhouse_spans import Present, spans_sql
from connectors.otlp_attributes import Resource
from connectors.otlp_span import Span, span_row
from tests.connectors.pull import at_once, network, pull

pytest.importorskip("chdb", reason="chdb is not installed: group `peers`")

from tests.peers.clickhouse import OTEL_TRACES, Peer, serving

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MANY = int(os.environ.get("AETHER_PARITY_SPANS", "4000"))
"""Spans that parity is shown on; the number of the specification is 5,000,000."""

# Traces of five spans over two days and a half: an agent with two model calls, a tool and a retrieval; some fail, some have
# nothing to say, names and models repeat, and values come in every form that senders use.
FILL = """
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes,
    SpanAttributes, Duration, StatusCode, Events.Timestamp, Events.Name, Events.Attributes)
SELECT began + toIntervalMillisecond(p * 700), lower(hex(MD5(toString(t)))), leftPad(lower(hex(cityHash64(t, p, 'span'))), 16, '0'),
    if(p = 0, '', leftPad(lower(hex(cityHash64(t, 0, 'span'))), 16, '0')),
    ['handle request', 'chat plan', 'execute_tool lookup 12345', 'chat answer', 'retrieve docs'][p + 1], 'Internal',
    ['assist-api', 'search', 'batch'][h % 3 + 1],
    map('service.name', ['assist-api', 'search', 'batch'][h % 3 + 1], 'deployment.environment.name',
        ['production', 'staging', 'prod-eu', ''][h % 4 + 1]),
    multiIf(
        p = 0, map('gen_ai.operation.name', 'invoke_agent', 'app.feature', ['refund', 'search', 'invoice'][h % 3 + 1],
            'app.team', if(h % 7 = 0, 'red', 'blue'), 'app.outcome', if(h % 5 = 0, 'failure', 'success')),
        p = 2, map('openinference.span.kind', 'TOOL', 'app.feature', 'refund'),
        p = 4, map('gen_ai.operation.name', 'retrieval'),
        h % 11 = 0, map('gen_ai.operation.name', 'chat', 'gen_ai.request.model', 'model-nobody-sells',
            'gen_ai.usage.input_tokens', '12', 'gen_ai.usage.output_tokens', '3'),
        h % 13 = 0, map('langfuse.observation.type', 'generation', 'langfuse.observation.model.name', 'gpt-4o-mini',
            'langfuse.observation.usage_details',
            concat('{"input":', toString(h % 900), ',"output":', toString(h % 80), ',"input_cached_tokens":7}')),
        h % 17 = 0, map('llm.model_name', 'gpt-4o', 'openinference.span.kind', 'LLM', 'llm.token_count.prompt', '10',
            'llm.token_count.completion', 'many', 'llm.cost.total', concat('0.', toString(100000 + h % 1000))),
        map('gen_ai.operation.name', 'chat', 'gen_ai.response.model', ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5'][h % 3 + 1],
            'gen_ai.provider.name', ['openai', 'openai', 'anthropic'][h % 3 + 1],
            'gen_ai.usage.input_tokens', toString(h % 5000), 'gen_ai.usage.output_tokens', toString(h % 700),
            'gen_ai.usage.cache_read.input_tokens', toString(h % 300), 'gen_ai.response.time_to_first_token',
            toString((h % 2000) / 1000), 'user.id', concat('person ', toString(h % 50)),
            'gen_ai.prompt.name', 'answer', 'gen_ai.prompt.version', toString(h % 4))),
    if(p = 0, 4000000000, 0) + h % 900000000, ['Unset', 'Ok', 'Error'][h % 3 + 1],
    if(p = 3 AND h % 3 = 2, [began], []), if(p = 3 AND h % 3 = 2, ['exception'], []),
    if(p = 3 AND h % 3 = 2, [map('exception.type', 'TimeoutError')], [])
FROM (
    SELECT number AS n, intDiv(number, 5) AS t, number % 5 AS p, bitAnd(cityHash64(number, 'seed'), 0x7fffffff) AS h,
        toDateTime64('2026-11-18 01:00:00', 9, 'UTC') + toIntervalMicrosecond(cityHash64(t) % 205000000000) AS began
    FROM numbers({many})
) SETTINGS session_timezone = 'UTC'
"""

MAPPING = {
    "span_attributes": {"feature": ["app.feature"], "team": ["app.team"], "outcome": ["app.outcome"]},
}


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """The server with `MANY` spans."""
    with serving(tmp_path_factory.mktemp("clickhouse")) as peer:
        peer.run(OTEL_TRACES)
        peer.run(FILL.replace("{many}", str(MANY)))
        yield peer


def synced(
    folder: Path,
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
    mapping: dict[str, Any] = MAPPING,
    error: str = "",
    full: bool = False,
    **settings: Any,
) -> tuple[Cache, Outcome]:
    """A workspace after one sync, which ended with `error`."""
    monkeypatch.setenv("AETHER_CLICKHOUSE_KEY", peer.key)
    (folder / ".aether").mkdir(parents=True, exist_ok=True)
    place = Workspace(folder)
    config = Config.model_validate({
        "sources": {"clickhouse": {
            "url": peer.url, "days_back": 3, "task_days": 30, "max_execution_s": 7200, **settings,
        }}, "mapping": mapping,
    })  # fmt: skip
    jobs = plan(config, place, (), now=lambda: NOW)
    for job in jobs:
        job.network.sleep = at_once
    cache = Cache(place.cache_path)
    # One key for all, so that people get one hash.
    writer = Writer(cache, Ingest(config, b"k" * 32), lambda: NOW)
    (outcome,) = asyncio.run(run(jobs, writer, lambda _: None, full=full))
    assert error in outcome.error and bool(error) == bool(outcome.error), outcome.error
    return cache, outcome


def loaded(folder: Path, peer: Peer) -> tuple[Cache, int]:
    """A cache with the spans of the server, by a file: as the connector makes them in SQL, derived and rolled up here."""
    folder.mkdir(parents=True)
    found = peer.session.query(
        "SELECT groupUniqArrayArray(mapKeys(SpanAttributes)), groupUniqArrayArray(mapKeys(ResourceAttributes)) FROM otel_traces",
        "JSONCompact",
    )
    present = Present(*json.loads(str(found))["data"][0])
    words = ("app.feature", "app.team", "app.outcome")
    own = [column.name for column in SPANS.raw if column.name in _OWN]
    said = ", ".join(f"'{name}', word_{place}" for place, name in enumerate(words))
    path = folder / "spans.parquet"
    peer.run(
        f"SELECT {', '.join(own)}, toString(reported_cost_usd) AS reported_cost_usd, toJSONString(map({said})) AS attributes "
        f"FROM ({spans_sql('otel_traces', 'TRUE', present, words)}) INTO OUTFILE '{path}' FORMAT Parquet "
        "SETTINGS session_timezone = 'UTC', prefer_column_name_to_alias = 1, "
        "cast_keep_nullable = 1, output_format_parquet_string_as_string = 1"
    )
    config = Config.model_validate({"mapping": MAPPING})
    ingest, cache = Ingest(config, b"k" * 32), Cache(folder / "cache.duckdb")
    cache.ensure()
    rejects: list[Reject] = []
    columns = {name: (name,) for name in (*own, "reported_cost_usd", "attributes")}
    merged = cache.merge_bulk(
        "clickhouse", "traces", Bulk((path,), "parquet", SPANS, columns), ingest, mapping_hash=ingest.mapping_hash, now=NOW,
        rejects=rejects,
    )  # fmt: skip
    assert not rejects
    return cache, merged.inserted


_OWN = frozenset((
    "trace_id", "span_id", "parent_id", "name", "operation", "start", "duration_s", "time_to_first_token_s", "provider", "model",
    "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens", "user", "status",
    "source_service", "source_environment", "prompt_name", "prompt_version",
))  # fmt: skip


def differences(here: Cache, there: Cache, name: str) -> tuple[int, int, float]:
    """Rows of a rollup, how many are on one side only (or null on one), and the largest relative difference of a number."""
    values = [column for column, kind in ROLLUPS[name].items() if kind.startswith(("BIGINT", "DOUBLE", "DECIMAL"))]
    keys = [column for column in ROLLUPS[name] if column not in values]
    same = " AND ".join(f'a."{key}" IS NOT DISTINCT FROM b."{key}"' for key in keys)
    nulls = " OR ".join(f'(a."{v}" IS NULL) <> (b."{v}" IS NULL)' for v in values)
    apart = [
        f'coalesce(abs(a."{v}" - b."{v}") / nullif(CAST(abs(a."{v}") AS DOUBLE), 0), abs(a."{v}" - b."{v}"), 0)'
        for v in values
    ]
    with duckdb.connect() as connection:
        for place, cache in {"here": here, "there": there}.items():
            connection.execute(f"ATTACH '{cache.path}' AS {place} (READ_ONLY)")
        ((rows, alone, worst),) = connection.execute(
            f"SELECT count(*), count_if(a._ IS NULL OR b._ IS NULL OR {nulls}), max(greatest({', '.join(apart)}, 0)) "
            f"FROM (SELECT 1 AS _, * FROM here.{name}) AS a FULL JOIN (SELECT 1 AS _, * FROM there.{name}) AS b ON {same}"
        ).fetchall()
    return rows, alone, worst


def test_rollups_made_in_clickhouse_are_those_made_here(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.perf_counter()
    if MANY > 100_000:
        here, count = loaded(tmp_path / "here", peer)
    else:
        here, whole = synced(tmp_path / "here", peer, monkeypatch)
        count = whole.counts.inserted
    assert count == MANY
    between, sent = time.perf_counter(), sum(peer.sent)
    there, groups = synced(tmp_path / "there", peer, monkeypatch, mode="rollups", slice_spans=max(1000, MANY // 4))
    for name in PUSHED:
        rows, alone, worst = differences(here, there, name)
        assert rows > 3, name
        assert alone == 0, name
        assert worst < 1e-9, name
    with there.read() as lease:
        assert lease.rows("SELECT count(*) AS n FROM spans") == [{"n": 0}]
    assert here.verify() == there.verify() == []
    print(
        f"{MANY:,} spans: {between - began:.1f} s as spans, {time.perf_counter() - between:.1f} s as rollups with comparison; "
        f"{sent:,} and {sum(peer.sent) - sent:,} bytes; {count:,} and {groups.counts.inserted:,} rows"
    )


def everything(cache: Cache) -> dict[str, list[dict[str, Value]]]:
    with cache.read() as lease:
        return {name: [dict(row) for row in lease.rows(f"FROM {name} ORDER BY ALL")] for name in PUSHED}


def test_spans_and_rollups_of_one_source_never_count_twice(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans, _ = synced(tmp_path / "spans", peer, monkeypatch, days_back=1)
    before = everything(spans)
    synced(tmp_path / "spans", peer, monkeypatch, error="would count twice", mode="rollups", days_back=1)
    assert everything(spans) == before
    rollups, _ = synced(tmp_path / "rollups", peer, monkeypatch, mode="rollups", days_back=1)
    before = everything(rollups)
    synced(tmp_path / "rollups", peer, monkeypatch, error="would count twice", full=True, mode="spans", days_back=1)
    assert everything(rollups) == before


def test_a_day_that_did_not_change_is_not_asked_for_again(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, first = synced(tmp_path, peer, monkeypatch, mode="rollups", days_back=1)
    before, asked = everything(cache), len(peer.asked)
    _, second = synced(tmp_path, peer, monkeypatch, mode="rollups", days_back=1)
    assert first.counts.inserted > second.counts.inserted == 0
    again = [one["sql"] for one in peer.asked[asked:]]
    assert 0 < len(again) <= 3
    assert not any("GROUP BY" in sql for sql in again)
    assert everything(cache) == before


def test_another_mapping_is_derived_there_as_by_a_first_sync(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"span_attributes": {"feature": ["app.team"]}, "environments": {"prod-eu": "production"}}
    changed, _ = synced(tmp_path / "changed", peer, monkeypatch, mode="rollups", days_back=1)
    before = everything(changed)
    synced(tmp_path / "changed", peer, monkeypatch, other, mode="rollups", days_back=1)
    fresh, _ = synced(tmp_path / "fresh", peer, monkeypatch, other, mode="rollups", days_back=1)
    assert everything(changed) == everything(fresh) != before


HOSTILE = (
    b"'; DROP TABLE otel_traces; --",
    b"a\\'b\\\\",
    b"{low:String}",
    b"${x} %s {{}}",
    b"\x1b[31mred",
    "\u202egnp".encode(),
    b"tab\tnew\nline",
    b'`"',
    "\u00fc".encode() * 100,
    b"w" * 300,
    "\U0001f600".encode() * 300,
    "\u05d0\u05d1\u05d2 \u0645\u0631".encode(),
    b"nothing\x00follows",
    b"half \xff\xfe\xc3 a word",
    b"half \xfd\xfe\xc3 a word",
    "\u00c4RGER \u0130 \u1e9e".encode(),
    b"ask bob@example.com about it",
    b" spaces around ",
    b"a" * 250 + b" bob@example.com",
)


COUNTS = ("5", "-5", "4000000000000000000", "many")
AMOUNTS = ("0.5", "9e25", "-9e15", "-0.25", "0.125")


def one_by_one(peer: Peer, name: str) -> Iterator[Row]:
    """The rows of every span, from its columns."""
    cells = (
        "toUnixTimestamp64Nano(Timestamp)", "toString(Duration)", "TraceId", "SpanId", "ParentSpanId", "SpanName", "lower(StatusCode)",
        "ServiceName", "ResourceAttributes", "SpanAttributes", "arrayMap(t -> toUnixTimestamp64Nano(t), Events.Timestamp)", "Events.Name",
        "Events.Attributes",
    )  # fmt: skip
    sql = f"SELECT {', '.join(cells)} FROM {name} SETTINGS output_format_json_quote_64bit_integers = 0"
    for raw in json.loads(bytes(peer.session.query(sql, "JSONCompact").bytes()))["data"]:
        start, length, trace, own, parent, called, code, service, resource, attributes, *events = raw
        at, names, said = events
        span = Span(
            trace, own, parent, called, start, start + int(length), attributes, {"ok": 1, "error": 2, "status_code_error": 2}.get(code, 0),
            list(zip(names, at, said, strict=True)),
        )  # fmt: skip
        kept = {key: value for key, value in resource.items() if key != "service.name" or value}
        yield span_row(span, Resource({"service.name": service, **kept}))


def test_spans_are_the_rows_that_their_columns_make(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    peer.run(OTEL_TRACES.replace("otel_traces (", "odd_traces (", 1))
    words = [
        *HOSTILE,
        *(word.encode() for word in (*COUNTS, *AMOUNTS, "", "007", "1e3", " 12", "0.250", "ERROR", "a/b", "LLM")),
    ]
    names = (
        "gen_ai.operation.name", "gen_ai.response.model", "gen_ai.usage.input_tokens", "gen_ai.usage.reasoning_tokens", "session.id",
        "gen_ai.response.time_to_first_token", "ai.response.msToFirstChunk", "langfuse.observation.level", "error.type", "app.other",
        "service.name", "gen_ai.prompt.version",
    )  # fmt: skip
    for place, word in enumerate(words, 1):
        told, every = f"unhex('{word.hex()}')", str(list(names))
        service, code, parent = (
            "" if place % 3 else "api",
            ("Ok", "STATUS_CODE_ERROR", "Unset")[place % 3],
            "0" * 16 * (place % 2),
        )
        event = ("[now64(9)]", f"[{told}]", f"[map({told}, {told})]") if place % 7 == 0 else ("[]", "[]", "[]")
        peer.run(
            "INSERT INTO odd_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, ServiceName, ResourceAttributes, SpanAttributes, "
            "Duration, StatusCode, Events.Timestamp, Events.Name, Events.Attributes) SELECT "
            f"toDateTime64('2026-11-20 10:00:00.123456789', 9, 'UTC') + {place % 7}, '{place:032X}', "
            f"leftPad(lower(hex(toUInt64({place * 100} + number))), 16, '0'), '{parent}', if(number % 3 = 0, {told}, 'chat'), "
            f"if(number % 4 = 0, {told}, '{service}'), map('service.name', '{service}', 'host', if(number % 5 = 0, {told}, 'h')), "
            f"map({every}[number + 1], {told}, 'app.any', 'a/b'), {10 ** (place % 20)}, '{code}', {', '.join(event)} "
            f"FROM numbers({len(names)})"
        )
    monkeypatch.setattr(clickhouse, "_PER_ANSWER", 100)
    monkeypatch.setattr(clickhouse, "worth", lambda _, *, said: True)
    for table, at_least in (("otel_traces", MANY // 2), ("odd_traces", 100)):
        done = pull(
            ClickHouse(ClickHouseSettings(url=peer.url, table=table, days_back=3), {"key": peer.key}, network())
        )
        assert (done.error, done.rejects) == (None, [])
        found = {row["span_id"]: tuple(row.values()) for row in done.table("spans")}
        assert found == {row[1]: row for row in one_by_one(peer, table)}
        scans = [page.scan for page in done.pages if isinstance(page.scan, otlp_scan.Scan)]
        assert sum(scan.taken for scan in scans) > at_least


def test_hostile_words_stay_words_here_and_there(peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = 'od`d "table'
    name = '`od\\`d "table`'
    peer.run(OTEL_TRACES.replace("otel_traces (", f"{name} (", 1))

    for place, word in enumerate(HOSTILE, 1):
        told = f"unhex('{word.hex()}')"
        peer.run(
            f"INSERT INTO {name} (Timestamp, TraceId, SpanId, SpanName, ServiceName, ResourceAttributes, SpanAttributes, Duration, "
            f"StatusCode) SELECT toDateTime64('2026-11-20 10:00:00', 9, 'UTC') + {place}, '{place:032x}', '{place:016x}', {told}, "
            f"{told}, map('service.name', {told}, 'deployment.environment.name', {told}), map('gen_ai.operation.name', 'chat', "
            f"'gen_ai.request.model', {told}, 'gen_ai.usage.input_tokens', '{COUNTS[place % 4]}', 'app.feature', {told}, {told}, {told}, "
            f"'user.id', {told}, 'gen_ai.prompt.name', {told}, 'llm.cost.total', '{AMOUNTS[place % 5]}'), 1000000, 'Ok'"
        )
    here, whole = synced(tmp_path / "here", peer, monkeypatch, table=table, days_back=1)
    assert whole.counts.inserted == len(HOSTILE)
    there, _ = synced(tmp_path / "there", peer, monkeypatch, mode="rollups", days_back=1, table=table)
    for rollup in PUSHED:
        _, alone, worst = differences(here, there, rollup)
        assert (alone, worst < 1e-9) == (0, True), rollup
    with there.read() as lease:
        ((calls,),) = lease.cursor.execute("SELECT sum(calls) FROM llm_hourly").fetchall()
    assert calls == len(HOSTILE)
    assert not any(control in str(everything(there)) for control in ("\\x1b", "\u202e"))
    assert peer.run("SELECT count() FROM otel_traces").strip() == str(MANY)
