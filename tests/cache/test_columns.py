"""Spans of large files by columns: the same rows and rollups as the way through Python, row by row."""

from __future__ import annotations

import gzip
import json
import random
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aether_tui.cache import Cache, parts, span_rollups
from aether_tui.cache.bulk import bulk_parts
from aether_tui.cache.bulk_rows import read_bulk
from aether_tui.cache.schema import ROLLUPS
from aether_tui.cache.settings import hash_the_last
from aether_tui.cache.staging import arrive
from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.ingest.provable import shortened, unclean
from aether_tui.ingest.redact import MAX_CHARS, Redactor
from aether_tui.records import Column, Row, Value
from aether_tui.records.source import Bulk, Malformed, Reject
from aether_tui.records.tables import SPANS
from tests.cache.samples import NOW, fresh
from tests.ingest.test_redact import CANARIES, ENCODED, VENDORS

KEY = bytes(32)
TEXTS: list[Value] = [
    None,
    None,
    "ok",
    "chat",
    "plain words",
    " NULL ",
    "null",
    "",
    "  ",
    "Käse",
    "a\u200bb",
    "mail me: jo@example.org",
    "tel. +49 30 1234567",
    "4111 1111 1111 1111",
    "4111111111111111",
    "AKIAIOSFODNN7EXAMPLE",
    "password=hunter2!",
    "token is abcDEF123456",
    "12345678901234567",
    "10.1.2.3",
    "client ip 10.1.2.3",
    "DE89 3704 0044 0532 0130 00",
    "DE89370400440532013000",
    "2026-11-21 10:00:00",
    "v1.2.3.4",
    "x" * 10_050,
    "\x1b[31mred",
    "https://u:p@h/x?sig=abc",
    "Bearer abcdefgh12345",
    "(212) 555-0142",
    "030 1234567",
    "hf_" + "a" * 34,
    "'; --",
]
JSON: list[Value] = [
    None,
    "{}",
    '{"app.feature":"search","app.team":"red"}',
    '{"feature": "a" , "team" : "b", "scenario":"s1"}',
    '{"app":{"feature":"nested"}}',
    '{"feature":["x"],"team":"t"}',
    '{"feature":1.50,"team":true,"app.intent":null}',
    '{"feature":"a","feature":"b"}',
    '{"team":"t",}',
    '{"team":"K\u00e4se","app":\n{"feature":"f"}}',
    '{"team":"t","gen_ai.prompt.0.content":"said","n":1.50}',
    '{"feature":"f" , "gen_ai" : {"prompt":{"0":"said"},"seed":7}}',
    '{"feature":"f","user":[{"name":"jo"}],"\\u0067en_ai.prompt":"said"}',
    '{"feature":"events and user. names","x":1e999,"input.value":"said"}',
    '{"x":NaN}',
    '{"x":1e999,"team":"q"}',
    "not json",
    '["team"]',
    '"team"',
    '{"note":"jo@example.org","team":"t"}',
    '{"note":"a\\nb","team":"t"}',
    '{"api_key":"abc","team":"t"}',
    '{"client.address":"10.0.0.1","feature":"f"}',
    '{"max_tokens":4096,"app.outcome":"resolved","feature":"f"}',
    '{"n":4111111111111111,"feature":"f"}',
    '{"deep":' + "[" * 1100 + "]" * 1100 + ',"team":"t"}',
    '{"deployment.environment":"prod","outcome":"no"}',
    '{"feature":"a, NULL, b","team":"x"}',
    '{"test.scenario":"","scenario":"ü"}',
    '{"app.feature":12345678901234567890,"app.team":-0.0}',
    '{"feature":"a\\nb \\"q\\"","team":"x\\/y"}',
    '{"app\\/x":"1","note":"' + "y\\t" * 200 + '","team":"t"}',
    '{"long":[' + "1," * 200 + '2],"note":"say \\"it\\"","team":"t"}',
    '{"note":"C:\\\\n","team":"t"}',
    '{"note":"password\\" \\"hunter2","team":"t"}',
    '{"app":{"feature":"n","team":"b","x":[{"y":1}]},"note":{"a":"b"},"team":"t"}',
    '{"app":{"feature":"n"},"app.feature":"m"}',
    '{"app.feature":"m","app":{"feature":"n"}}',
    '{"app":{"feature":"n"},"app":{"other":"m"}}',
    '{"deployment":{"environment":{"name":"prod"}}}',
    '{"deployment.environment":{"name":"prod"},"x":{"deployment":1}}',
    '{"x":{"app.feature":"no"},"team":"t"}',
    '{"app":{"feature":""},"feature":"z"}',
    '[{"feature":"z"}]',
]
MODELS: list[Value] = [
    None,
    "gpt-4o",
    "gpt-4o-mini",
    "gemini-2.5-pro",
    "o3",
    "deepseek-chat",
    "nobody-knows",
    "priced-one",
    "odd-one",
]
CONFIG = Config.model_validate(
    {
        "prices": [
            {
                "model": "priced-*",
                "input_usd_per_million": "2.5",
                "output_usd_per_million": "10",
                "valid_from": "2026-07-02",
            },
            {
                "model": "odd-*",
                "input_usd_per_million": "0.12345678",
                "output_usd_per_million": "1",
                "valid_from": "2020-01-01",
            },
        ],
        "mapping": {"features": {"search": "find", "f*": "fff"}, "environments": {"prod": "production"}},
    }
)


def span(rng: random.Random, number: int) -> dict[str, Value]:
    """A raw span with the oddities of strangers; some keys come twice."""
    number = number if rng.random() < 0.9 else number // 2
    tokens: list[Value] = [None, 0, 5, 1000, 250_000, 900_000_000]
    return {
        "trace_id": rng.choice([f"{number // 4:032x}", f"{number // 4:032x}", f"jo@example.org {number // 4}"]),
        "span_id": f"{number:016d}",
        "parent_id": rng.choice([None, f"{number // 4 * 4:016d}"]),
        "name": rng.choice([*TEXTS, "chat gpt-4o"]),
        "operation": rng.choice(["chat", "chat", "execute_tool", "invoke_agent", None, "embeddings"]),
        "start": datetime(2026, 7, 1) + timedelta(seconds=rng.randrange(250_000), microseconds=rng.randrange(10**6)),  # noqa: DTZ001
        "duration_s": rng.choice([None, 0.25, -1.0, 1e12, rng.random() * 9]),
        "time_to_first_token_s": rng.choice([None, 0.1]),
        "provider": rng.choice([None, "openai", "google", "deepseek", "nobody"]),
        "model": rng.choice(MODELS),
        "input_tokens": rng.choice([*tokens, 700]),
        "output_tokens": rng.choice(tokens),
        "cached_tokens": rng.choice([None, None, 0, 500, 10**9]),
        "cache_write_tokens": rng.choice([None, None, 100]),
        "reasoning_tokens": rng.choice([None, None, 3]),
        "reported_cost_usd": rng.choice([None] * 5 + [Decimal("0.00000012")]),
        "status": rng.choice(["ok", "error", None]),
        "error_type": rng.choice(TEXTS),
        "conversation": rng.choice(TEXTS),
        "user": rng.choice([None, "Jo", "jo ", "x@y.org", " "]),
        "source_service": rng.choice([None, "api", "find-me"]),
        "source_environment": rng.choice([None, "prod", "staging", "moon"]),
        "request_hash": rng.choice([None, "ab" * 16, "4111111111111111"]),
        "request": rng.choice([None, "what is my balance?"]),
        "prompt_name": rng.choice(TEXTS),
        "prompt_version": rng.choice([None, "1"]),
        "attributes": rng.choice(JSON),
    }


def write(path: Path, rows: list[dict[str, Value]]) -> Bulk:
    """The spans as a file of the form its name says."""
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            arrive(connection, "spans", SPANS.raw, [tuple(row.values()) for row in rows])
            connection.execute(f"COPY (FROM spans) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    else:
        path.write_text(
            "".join(json.dumps({k: v for k, v in row.items() if v is not None}, default=str) + "\n" for row in rows)
        )
    form: Literal["parquet", "ndjson"] = "parquet" if path.suffix == ".parquet" else "ndjson"
    return Bulk((path,), form, SPANS, {column.name: (column.name,) for column in SPANS.raw})


def contents(cache: Cache) -> dict[str, list[tuple[Value, ...]]]:
    """Everything that is stored of spans."""
    with cache.read() as lease:
        return {name: lease.cursor.execute(f"FROM {name} ORDER BY ALL").fetchall() for name in ("spans", *ROLLUPS)}


def by_rows(cache: Cache, bulk: Bulk, ingest: Ingest) -> list[Reject]:
    rejects: list[Reject] = []
    rows: list[Row] = [row for part in cache.read_bulk(bulk, 10_000, rejects) for row in part["spans"]]
    cache.merge("spans", "files", {"spans": ingest.prepare(SPANS, rows)}, mapping_hash=ingest.mapping_hash, now=NOW)
    return rejects


def by_columns(cache: Cache, bulk: Bulk, ingest: Ingest) -> list[Reject]:
    rejects: list[Reject] = []
    assert cache.takes_bulk(bulk)
    cache.merge_bulk("spans", "files", bulk, ingest, mapping_hash=ingest.mapping_hash, now=NOW, rejects=rejects)
    return rejects


@pytest.mark.parametrize("name", ["a.parquet", "b.ndjson"])
@pytest.mark.parametrize("seed", [1])
def test_by_columns_equals_row_by_row(tmp_path: Path, name: str, seed: int) -> None:
    rng = random.Random(seed)
    bulk = write(tmp_path / name, [span(rng, number) for number in range(500)])
    cache, other = fresh(tmp_path), Cache(tmp_path / "other.duckdb")
    assert by_columns(cache, bulk, Ingest(CONFIG, KEY)) == by_rows(other, bulk, Ingest(CONFIG, KEY)) == []
    found, wanted = contents(cache), contents(other)
    for table in wanted:
        assert found[table] == wanted[table], table
    assert len(wanted["spans"]) > 400
    assert {row[SPANS_COST_STATUS] for row in wanted["spans"]} >= {"reported", "priced", "unpriced", None}
    assert cache.verify() == []


SPANS_COST_STATUS = 1 + [column.name for column in SPANS.columns].index("cost_status")


@pytest.mark.parametrize("name", ["a.parquet", "b.ndjson"])
def test_bad_rows_are_the_same_rejects(tmp_path: Path, name: str) -> None:
    rng = random.Random(3)
    rows = [span(rng, number) for number in range(250)]
    rows[7]["trace_id"] = None
    if name.endswith("ndjson"):
        rows[9]["duration_s"] = "inf"
        odd = ("NULL", " null ", "", "12", " 12 ", "12.5", "-3", "1e300", "9" * 12, "then")
        columns = [column.name for column in SPANS.raw if column.kind in ("int", "float", "money", "time")]
        for place, (column, value) in enumerate((one, word) for one in columns for word in odd):
            rows[30 + place][column] = value
    bulk = write(tmp_path / name, rows)
    if name.endswith("ndjson"):
        lines = (tmp_path / name).read_text().splitlines()
        lines[20] = lines[20][:30]
        (tmp_path / name).write_text("\n".join(lines))  # and no newline at the end
    cache, other = fresh(tmp_path), Cache(tmp_path / "other.duckdb")
    found, wanted = by_columns(cache, bulk, Ingest(CONFIG, KEY)), by_rows(other, bulk, Ingest(CONFIG, KEY))
    assert sorted(map(str, found)) == sorted(map(str, wanted))
    assert found
    assert contents(cache)["spans"] == contents(other)["spans"]


def test_the_users_own_patterns_apply(tmp_path: Path) -> None:
    odd = {"span_attributes": {"scenario": ["", "app..x", ".feature"]}}
    config = Config.model_validate({"privacy": {"patterns": ["wor[dk]s"]}, "mapping": odd})
    rng = random.Random(4)
    bulk = write(tmp_path / "a.parquet", [span(rng, number) for number in range(300)])
    cache, other = fresh(tmp_path), Cache(tmp_path / "other.duckdb")
    by_columns(cache, bulk, Ingest(config, KEY))
    by_rows(other, bulk, Ingest(config, KEY))
    assert contents(cache) == contents(other)
    assert "plain words" not in str(contents(cache))
    assert "[private:" in str(contents(cache))


PIECES = st.sampled_from(
    [
        *(str(text) for text in TEXTS if text and len(str(text)) < 100),
        "key",
        "secret",
        "=",
        ":",
        ": ",
        " ",
        "-",
        ".",
        "/",
        "(",
        ")",
        "+",
        "00",
        "0",
        "1",
        "49",
        "555",
        "4242424242424242",
        "a",
        "Z",
        "_",
        "GB82WEST12345698765432",
        "sk-",
        "is",
        '"',
        "'",
        "\n",
        "\t",
        "\\",
        "x" * 21,
        "[",
        "]",
        "{",
        "}",
        ",",
        "://",
        "?",
        "&",
        "code",
        "ip",
        "phone",
        "nr",
        "%40",
        "%3a",
        "curl -u ",
        "--pwd ",
        "login a password ",
        "Kennwort",
        "</",
        ">",
        "AKIAIOSFODNN7EXAMPLE",
        "x1Y2" * 10,
        "discord.com/api/webhooks/1234567890123456/",
        "::",
        "2001:db8",
        "client.address",
        b64encode(b"key=a1b2 jane@example.com").decode(),
    ]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=7).map("".join), min_size=1, max_size=60))
def test_what_is_not_called_unclean_is_only_cut(texts: list[str]) -> None:
    redactor = Redactor(KEY)
    values = [*texts, *(json.dumps({"a": text, text: 1}) for text in texts), *(f'{{"x":"{text}"}}' for text in texts)]
    values += [value.replace("/", "\\/") for value in values]
    ways = {"text": redactor.text, "id": lambda value, _: redactor.identifier(value), "json": redactor.json}
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE v AS SELECT unnest($values) AS value", {"values": values})
        connection.execute("CREATE TABLE pads AS SELECT $1::BLOB AS inside, $2::BLOB AS outside", redactor.pads)
        for kind, most in (("text", 0), ("text", 300), ("id", 0), ("json", 0), ("json", 20)):
            condition = unclean(Column("c", kind, "", most=most), "value")  # type: ignore[arg-type]
            cut = shortened(Column("c", kind, "", most=most), "value") if kind == "json" else "value"  # type: ignore[arg-type]
            clean = connection.execute(f"SELECT value, {cut} FROM v, pads WHERE NOT {condition}").fetchall()
            for value, kept in clean:
                assert ways[kind](value, most or MAX_CHARS) == kept


def test_what_cleaning_replaces_is_called_unclean() -> None:
    said = [frame.replace("{}", one) for one in (*CANARIES, *VENDORS, *ENCODED) for frame in ("{}", "({})", "x={}&y")]
    with duckdb.connect() as connection:
        for kind, values in (("text", said), ("id", said), ("json", [json.dumps({"a": one}) for one in said])):
            condition = unclean(Column("c", kind, ""), "value")  # type: ignore[arg-type]
            sql = f"SELECT value FROM (SELECT unnest($values) AS value) WHERE NOT {condition}"
            assert connection.execute(sql, {"values": values}).fetchall() == []


def test_plain_values_are_not_called_unclean() -> None:
    """Or the whole way would be no faster than before."""
    plain = [
        "chat gpt-4o-2024-08-06",
        "invoke_agent billing",
        "TimeoutError",
        "2026-11-21T10:00:00Z",
        "0.25",
        "production",
        "task-runner/1.2.3",
    ]
    attributes = [
        '{"app.feature":"search","gen_ai.request.max_tokens":4096,"http.status_code":200}',
        '{"session":"5f2c1f0e-8a51-4b8e-9d3e-2b1a7c9d0e4f","at":"2026-11-21T10:00:00Z"}',
    ]
    with duckdb.connect() as connection:
        for kind, values in {
            "text": plain,
            "json": attributes,
            "id": ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"],
        }.items():
            condition = unclean(Column("c", kind, ""), "value")  # type: ignore[arg-type]
            sql = f"SELECT value FROM (SELECT unnest($values) AS value) WHERE {condition}"
            assert connection.execute(sql, {"values": values}).fetchall() == []


def test_a_second_load_in_other_parts_adds_nothing(tmp_path: Path) -> None:
    rng = random.Random(5)
    rows = [span(rng, number) for number in range(300)]
    cache, ingest = fresh(tmp_path), Ingest(CONFIG, KEY)
    by_columns(cache, write(tmp_path / "a.parquet", rows), ingest)
    before = contents(cache)
    rng.shuffle(rows)
    merged = cache.merge_bulk(
        "spans",
        "files",
        write(tmp_path / "b.parquet", rows),
        ingest,
        mapping_hash=ingest.mapping_hash,
        now=datetime(2026, 12, 1, tzinfo=UTC),
        rejects=[],
    )
    assert (merged.inserted, merged.updated) == (0, 0)
    assert contents(cache) == before


def test_what_several_loads_and_merges_leave_apart_is_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report reads a block for each row group: one a merge, of processes that merge once each, would be thousands in a year."""
    monkeypatch.setattr("aether_tui.cache.bulk_merge.MOST", 60)
    cache, ingest, rng = fresh(tmp_path), Ingest(CONFIG, KEY), random.Random(8)
    groups = "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info($1)"

    def apart() -> list[int]:
        with cache.read() as lease:
            tables = ("tasks", "llm_hourly", "steps_hourly")
            return [lease.cursor.execute(groups, [name]).fetchall()[0][0] for name in tables]

    by_columns(cache, write(tmp_path / "a.parquet", [span(rng, number) for number in range(150)]), ingest)
    cache.tidy()
    assert apart() == [1, 1, 1]
    for number in range(2):  # each as by a process of its own
        monkeypatch.setattr(cache._leases, "_merges", 0)
        rows = ingest.prepare(SPANS, [tuple(span(rng, 200 + number).values())])
        cache.merge("spans", "files", {"spans": rows}, mapping_hash=ingest.mapping_hash, now=NOW)
    assert max(apart()) <= 2


def test_putting_together_goes_on_while_a_lease_has_something_to_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row groups that three of make one: two leases in a row may free no block when each does little."""
    monkeypatch.setattr("aether_tui.cache.lease.ROW_GROUPS", ", ROW_GROUP_SIZE 2048")
    cache = Cache(tmp_path / "cache.duckdb")
    for number in range(13):
        with cache._of_files() as cursor, cache._write(cursor, tidy=0):
            texts = ", ".join(f"md5((i + {700 * number + column})::VARCHAR)" for column in range(3))
            cursor.execute(
                f"INSERT INTO rejects SELECT 's', 'x', TIMESTAMP '2026-11-21', 'spans', {texts} FROM range(700) t(i)"
            )
    cache.tidy()
    with cache.read() as lease:
        groups = "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('rejects')"
        assert lease.cursor.execute(groups).fetchall()[0][0] <= 13 * 700 / 2048 + 2


def test_a_load_among_which_some_is_known_ends_as_a_clean_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known rows are the first or the last or lie scattered in what comes, alone or with the whole of their traces."""
    monkeypatch.setattr("aether_tui.cache.bulk_merge.MOST", 100)
    rng = random.Random(7)
    start, plain = datetime(2026, 7, 1), {"model": "gpt-4o", "provider": "openai", "input_tokens": 5}  # noqa: DTZ001
    in_order = (
        {"trace_id": f"{n // 4:032x}", "span_id": f"{n:016x}", "start": start + timedelta(0, n)} for n in range(300)
    )
    rows = [span(rng, 1) | plain | {"output_tokens": 7, "cached_tokens": 1} | own for own in in_order]
    other, ingest = Cache(tmp_path / "other.duckdb"), Ingest(CONFIG, KEY)
    bulk, longer = write(tmp_path / "all.parquet", rows), Cache(tmp_path / "longer.duckdb")

    def leases(cache: Cache) -> int:
        taken, write_lease = [], cache._write

        def noted(*args: Any, **options: bool) -> Any:
            taken.append(args)
            return write_lease(*args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(cache, "_write", noted)
            by_columns(cache, bulk, ingest)
        return len(taken)

    assert leases(other) >= 1 + 3  # one to look up what is known, then the slices
    with monkeypatch.context() as patch:
        patch.setattr("aether_tui.cache.bulk_merge.LONG", 0)
        assert leases(longer) >= 1 + 3 * 3  # much to store in each row
    assert contents(longer) == contents(other)
    for number, known in enumerate((rng.sample(rows, 30), rows[10:90:2], rows[250:])):
        cache = Cache(tmp_path / f"{number}.duckdb")
        by_columns(cache, write(tmp_path / "some.parquet", known), ingest)
        by_columns(cache, write(tmp_path / "all.parquet", rows), ingest)
        assert contents(cache) == contents(other)
        assert cache.verify() == []


@pytest.mark.parametrize(("name", "apart_s"), [("a.parquet", 4.5), ("b.ndjson", 0)])
def test_a_trace_that_goes_on_in_the_next_part_is_put_together_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, apart_s: float
) -> None:
    """Traces of seven spans, across each other or one after the other; then some spans come twice, and one trace is longer than a part."""
    for limit in (("parts.PART_ROWS", 96), ("parts._BLOCK", 4096), ("bulk_merge.MOST", 96), ("bulk_merge.OVER", 8)):
        monkeypatch.setattr(f"aether_tui.cache.{limit[0]}", limit[1])
    rng, first = random.Random(9), datetime(2026, 7, 1)  # noqa: DTZ001
    starts = sorted((n // 7 * 10 + n % 7 * apart_s, n) for n in range(280))
    rows = [
        span(rng, 1)
        | {"model": "gpt-4o", "provider": "openai", "input_tokens": 5, "output_tokens": 7, "cached_tokens": 1}
        | {"trace_id": f"{n // 7:032x}", "span_id": f"{n:016x}", "start": first + timedelta(0, at)}
        for at, n in starts
    ]
    cache, other, ingest = fresh(tmp_path), Cache(tmp_path / "other.duckdb"), Ingest(CONFIG, KEY)
    leases, stage_known = [], span_rollups._stage_known

    def noted(*args: Any) -> Any:
        leases.append(known := stage_known(*args))
        return known

    monkeypatch.setattr(span_rollups, "_stage_known", noted)
    by_columns(cache, write(tmp_path / name, rows), ingest)
    assert len(leases) >= 3
    assert not any(known.any for known in leases)
    odd = [row | {"trace_id": "f" * 32} if 20 < n < 200 and n % 5 else row for n, row in enumerate(rows)]
    by_columns(cache, bulk := write(tmp_path / name, [*odd, *rng.sample(odd, 9)]), ingest)
    assert any(known.any for known in leases)
    by_rows(other, write(tmp_path / "all.parquet", rows), ingest)
    by_rows(other, bulk, ingest)
    assert contents(cache) == contents(other)
    assert cache.verify() == []


def test_long_rows_come_in_smaller_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(8)
    bulk = write(tmp_path / "a.parquet", [span(rng, number) for number in range(5000)])
    monkeypatch.setattr("aether_tui.cache.parts.PART_BYTES", 10_000)
    with duckdb.connect() as connection:
        found = list(parts.parts(connection, bulk.paths[0], "parquet", tuple(bulk.columns)))
        assert len(list(parts.parts(connection, bulk.paths[0], "parquet", ("status",)))) == 1  # the others are not read
        counts = [connection.execute(f"SELECT count(*) FROM {part.relation}").fetchone() for part in found]
    assert [part.first for part in found] == [0, 1920, 3840]
    assert counts == [(1920,), (1920,), (1160,)]
    assert all(part.copied for part in found)  # they are not made of whole row groups, of 2,048 rows


def test_a_part_of_a_whole_row_group_comes_with_pieces_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in (("PART_ROWS", 4097), ("PART_BYTES", 30_000)):
        monkeypatch.setattr(f"aether_tui.cache.parts.{limit[0]}", limit[1])
    cells = "'t' AS trace_id, i::VARCHAR AS span_id, random() AS duration_s, random() AS time_to_first_token_s"
    path, rejects = tmp_path / "a.parquet", list[Reject]()
    columns = {column.name: (column.name,) for column in SPANS.raw}
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {cells} FROM range(2049) t(i)) TO '{path}' (ROW_GROUP_SIZE 2048)")
        found = [
            connection.execute(f"SELECT count(DISTINCT span_id) FROM ({raw})").fetchone()
            for raw, _ in bulk_parts(connection, Bulk((path,), "parquet", SPANS, columns), rejects)
        ]
    assert found == [(2049,)]
    assert not rejects


def test_lines_whose_texts_are_not_kept_come_in_parts_by_what_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(9)
    rows = [span(rng, number) | {"prompt": "x" * 2000} for number in range(60)]
    bulk = write(tmp_path / "a.ndjson", rows)
    lines = bulk.paths[0].read_text().splitlines()
    bad = [json.dumps(json.loads(lines[0]) | {"span_id": "0", "start": "never"}) for _ in range(2)]
    bulk.paths[0].write_text("\n".join([*lines[:9], bad[0], *lines[9:50], bad[1], *lines[50:]]) + "\n")
    for limit in (("parts.RUN_BYTES", 32_000), ("parts._BLOCK", 4096)):
        monkeypatch.setattr(f"aether_tui.cache.{limit[0]}", limit[1])
    rejects: list[Reject] = []
    with duckdb.connect() as connection:
        alone = len(list(parts.parts(connection, bulk.paths[0], "ndjson", tuple(bulk.columns))))
        found = [
            (connection.execute(f"SELECT count(*) FROM ({raw}) WHERE span_id <> '0'").fetchone() or (0,), more)
            for raw, more in bulk_parts(connection, bulk, rejects)
        ]
    assert len(found) <= alone // 2
    assert sum(count for (count,), _ in found) == 60
    assert [more for _, more in found] == [*[True] * (len(found) - 1), False]
    assert [reject.where for reject in rejects] == ["a.ndjson row 10", "a.ndjson row 52"]


@pytest.mark.parametrize(
    ("data", "spans", "rejected"),
    [
        (b"\n \r\n", [], []),
        (b'\xef\xbb\xbf{"span_id":"1"}\n{"span_id":"2"}\n', ["1", "2"], []),  # as Windows begins texts
        (b'\n{"span_id":"1"}\n\n  \nno\n{"span_id":"2"}\n\n', ["1", "2"], ["row 5"]),
        (b'{"span_id":"1"}\r\n{"span_id":"2"}\n{"span_id":"3"}\r\nno', ["1", "2", "3"], ["row 4"]),
        (b'{"span_id":"1"}\n{"span_id":"2"}\r\n\r\nno\r\n{"span_id":"3"}\n5', ["1", "2", "3"], ["row 4", "row 6"]),
        (b"5", [], ["row 1"]),
        (
            b'{"span_id":"\\\\ud83d\\\\\\ud83d"}\n{"span_id":"\\uDE00\\u0041\\ud83d\\ude80\\ud83d"}',
            ["\\ud83d\\", "A\U0001f680"],
            [],
        ),
        (b'{"span_id":"1"}\n{"span_id":"\xff"}\n{"span_id":"3"}\n', ["1", "3"], ["line 2"]),
        (
            b'{"span_id":"1"}\n5\n[]\n{"span_id":"2", "": 1, "color": "a", "Color": "b"}\n',
            ["1", "2"],
            ["row 2", "row 3"],
        ),
    ],
    ids=["blank", "marked", "between", "ends", "other ends", "one byte", "halves of pairs", "no text", "no objects"],
)
def test_lines_as_strangers_write_them_are_read_or_rejected_in_any_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, spans: list[str], rejected: list[str]
) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(data.replace(b'{"', b'{"trace_id":"t","'))
    columns = {column.name: (column.name,) for column in SPANS.raw}
    bulk = Bulk((path,), "ndjson", SPANS, columns, beside=("attributes", lambda name: name not in columns))
    wanted: list[Reject] = []
    with duckdb.connect() as connection:
        assert [row[1] for part in read_bulk(connection, bulk, 100, wanted) for row in part["spans"]] == spans
        assert [reject.where for reject in wanted] == [f"a.ndjson {place}" for place in rejected]
        for size in (1 << 20, 30):
            monkeypatch.setattr("aether_tui.cache.parts.RUN_BYTES", size)
            found: list[Reject] = []
            rows = [row for raw, _ in bulk_parts(connection, bulk, found) for row in connection.execute(raw).fetchall()]
            assert [row[1] for row in rows] == spans
            assert found == wanted


@pytest.mark.slow
def test_many_small_parts_packed_or_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(6)
    whole = write(tmp_path / "a.ndjson", [span(rng, number) for number in range(200)])
    packed = tmp_path / "b.ndjson"
    packed.write_bytes(gzip.compress((tmp_path / "a.ndjson").read_bytes()))
    cut = tmp_path / "c.ndjson"
    cut.write_bytes(packed.read_bytes()[:4000])
    cache, other = fresh(tmp_path), Cache(tmp_path / "other.duckdb")
    by_columns(other, whole, Ingest(CONFIG, KEY))
    monkeypatch.setattr("aether_tui.cache.parts.RUN_BYTES", (tmp_path / "a.ndjson").stat().st_size // 4)
    by_columns(cache, replace(whole, paths=(packed,)), Ingest(CONFIG, KEY))
    assert contents(cache) == contents(other)
    with pytest.raises(Malformed, match=r"c\.ndjson: the compressed file is cut short or damaged"):
        by_columns(cache, replace(whole, paths=(cut,)), Ingest(CONFIG, KEY))
    monkeypatch.setattr("aether_tui.cache.parts.LONGEST_LINE", 50_000)
    (tmp_path / "d.ndjson").write_text("x" * 200_000)
    with pytest.raises(Malformed, match="a line longer than"):
        by_columns(cache, replace(whole, paths=(tmp_path / "d.ndjson",)), Ingest(CONFIG, KEY))


def test_what_holds_for_one_statement_ends_with_it_even_where_its_transaction_fails() -> None:
    with duckdb.connect() as connection:
        cursor, asked = connection.cursor(), "SELECT current_setting('disabled_optimizers')"
        cursor.execute("BEGIN")
        with pytest.raises(duckdb.InvalidInputException), hash_the_last(cursor):
            assert connection.execute(asked).fetchone() == ("build_side_probe_side",)
            cursor.execute("SELECT error('full')")
        assert connection.execute(asked).fetchone() == ("",)
