"""Files that DuckDB reads by itself: text, casts, rejects, hashes, damaged files."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

import duckdb
import pytest

from aether_tui.cache import bulk, parts
from aether_tui.records import TABLES, Row
from aether_tui.records.source import Bulk, Malformed, Reject
from tests.cache.samples import fresh

COSTS, SPANS = TABLES["costs"], TABLES["spans"]
COLUMNS = {
    "charge_start": ("ChargePeriodStart",),
    "billed_cost": ("BilledCost",),
    "provider": ("ServiceProviderName", "ProviderName"),
    "tags": ("Tags",),
}
HEAD = "ChargePeriodStart,BilledCost,ProviderName,Tags\n"


def read(
    tmp_path: Path,
    paths: list[Path],
    form: Literal["csv", "parquet", "ndjson"] = "csv",
    chunk: int = 1000,
    **more: object,
) -> tuple[list[dict[str, object]], list[Reject]]:
    values = {"table": COSTS, "columns": COLUMNS, "hash_key": "row_hash", **more}
    bulk = Bulk(tuple(paths), form, **values)  # type: ignore[arg-type]
    rejects: list[Reject] = []
    cache = fresh(tmp_path)
    rows: list[Row] = [row for part in cache.read_bulk(bulk, chunk, rejects) for row in part[bulk.table.name]]
    names = [column.name for column in bulk.table.raw]
    return [dict(zip(names, row, strict=True)) for row in rows], sorted(
        rejects, key=lambda reject: (" line " in reject.where, reject.where)
    )


def write(tmp_path: Path, text: str, name: str = "f.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_text_is_cast_and_nulls_are_null(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        HEAD
        + '2024-09-06 23:00:00,0.00000012,AWS,"{""a"": ""b""}"\n2024-09-07T01:00:00+02:00,1.5e-7,NULL,""\n2024-09-08,-3,,NULL\n',
    )
    rows, rejects = read(tmp_path, [path])
    assert rejects == []
    found = sorted(rows, key=lambda row: (str(row["charge_start"]), str(row["billed_cost"])))
    assert [tuple(row[name] for name in COLUMNS) for row in found] == [
        (datetime(2024, 9, 6, 23), Decimal("1.2E-7"), "AWS", '{"a": "b"}'),  # noqa: DTZ001
        (datetime(2024, 9, 6, 23), Decimal("1.5E-7"), None, None),  # noqa: DTZ001
        (datetime(2024, 9, 8), Decimal("-3"), None, None),  # noqa: DTZ001
    ]
    assert found[0]["region"] is None


def test_cells_that_do_not_cast_and_broken_lines_are_rejects(tmp_path: Path) -> None:
    path = write(
        tmp_path, HEAD + "2024-09-06,abc,AWS,\n2024-09-06,1,AWS,\nyesterday,2,AWS,\n1,2\n2024-09-06,1,2,3,4,5,6\n"
    )
    rows, rejects = read(tmp_path, [path])
    assert [row["billed_cost"] for row in rows] == [1]
    assert [(reject.reason, reject.where) for reject in rejects[:2]] == [
        ("billed_cost is not a number: abc", "f.csv row 1"),
        ("charge_start is not a time: yesterday", "f.csv row 3"),
    ]
    assert '"billed_cost":"abc"' in rejects[0].raw
    assert [(reject.raw, reject.where) for reject in rejects[2:]] == [
        ("1,2", "f.csv line 5"),
        ("2024-09-06,1,2,3,4,5,6", "f.csv line 6"),
    ]
    assert {reject.table for reject in rejects} == {"costs"}


def test_one_bad_json_line_of_a_thousand_is_one_reject(tmp_path: Path) -> None:
    lines = [f'{{"t": "a", "s": "{n}", "start": "2026-07-01T00:00:00Z"}}' for n in range(1000)]
    lines[2] = '{"t": "a", "s": '
    path = write(tmp_path, "\n".join(lines) + "\n", "f.jsonl")
    columns = {"trace_id": ("t",), "span_id": ("s",), "start": ("start",)}
    rows, rejects = read(tmp_path, [path], "ndjson", 300, table=SPANS, columns=columns, hash_key=None)
    assert {row["span_id"] for row in rows} == {str(n) for n in range(1000)} - {"2"}
    assert [(reject.reason, reject.where, reject.raw) for reject in rejects] == [
        ("not JSON", "f.jsonl row 3", f"{len(lines[2])} bytes")
    ]


def test_a_line_longer_than_what_is_read_at_a_time_is_one_reject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smaller = parts._WHOLE.replace(str(2 * parts.LONGEST_LINE), "200").replace(str(parts.LONGEST_LINE), "100")
    monkeypatch.setattr(parts, "_WHOLE", smaller)
    path = write(tmp_path, "".join(f'{{"t": "{"x" * (500 * (n == 4))}", "s": "{n}"}}\n' for n in range(9)), "f.jsonl")
    columns = {"trace_id": ("s",), "span_id": ("s",)}
    rows, rejects = read(tmp_path, [path], "ndjson", table=SPANS, columns=columns, hash_key=None)
    assert [row["span_id"] for row in rows] == [*"01235678"]
    assert [reject.where for reject in rejects] == ["f.jsonl line 5"]


def test_a_line_of_csv_that_is_too_long_is_named_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_ROOM", "store_rejects=true, max_line_size=4000, buffer_size=8000")
    path = write(tmp_path, f"{HEAD}2026-07-01,1,{'x' * 5000},\n")
    with pytest.raises(Malformed, match=r"^f\.csv: a line longer than 16 MiB$"):
        read(tmp_path, [path])


def in_parts(path: Path, form: Literal["parquet", "ndjson"]) -> tuple[list[object], list[Reject]]:
    columns = {name: (name,) for name in ("trace_id", "span_id", "start")}
    rejects: list[Reject] = []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = bulk.bulk_parts(connection, Bulk((path,), form, SPANS, columns), rejects)
        return [
            row for rows, _ in found for row in connection.execute(f"SELECT span_id FROM ({rows})").fetchall()
        ], rejects


@pytest.mark.parametrize("form", ["parquet", "ndjson"])
def test_a_large_file_of_which_no_row_can_be_read_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Literal["parquet", "ndjson"]
) -> None:
    monkeypatch.setattr(bulk, "HOPELESS", 4)
    monkeypatch.setattr(bulk, "MOST_TEXTS", 2)
    monkeypatch.setattr(parts, "PART_ROWS", 4)
    monkeypatch.setattr(parts, "_BLOCK", 100)

    def written(name: str, *starts: str) -> Path:
        path, rows = tmp_path / f"{name}.{form}", ", ".join(f"('t', 's{n}', '{at}')" for n, at in enumerate(starts))
        said = f"SELECT * FROM (VALUES {rows}) AS v(trace_id, span_id, start)"
        duckdb.execute(f"COPY ({said}) TO '{path}' (FORMAT {'parquet' if form == 'parquet' else 'json'})")
        return path

    with pytest.raises(
        Malformed, match=rf"none of its first \d rows can be read; all\.{form} row 1: start is not a time: soon"
    ):
        in_parts(written("all", *["soon"] * 9), form)
    rows, rejects = in_parts(written("later", "2026-11-21", *["soon"] * 11, "2026-11-22"), form)
    assert sorted(rows) == [("s0",), ("s12",)]
    assert [reject.where for reject in rejects] == [f"later.{form} row {n}" for n in range(2, 13)]
    assert ["soon" in reject.raw for reject in rejects] == [True] * 2 + [False] * 9
    assert {reject.reason for reject in rejects} == {"start is not a time: soon"}


def test_a_row_without_its_key_is_a_reject(tmp_path: Path) -> None:
    path = write(tmp_path, "t,s\na,1\na,\n")
    rows, rejects = read(tmp_path, [path], table=SPANS, columns={"trace_id": ("t",), "span_id": ("s",)}, hash_key=None)
    assert (len(rows), [reject.reason for reject in rejects]) == (1, ["span_id is missing"])


def test_the_key_of_a_row_is_the_same_whatever_the_order_of_rows_columns_and_files(tmp_path: Path) -> None:
    lines = ["2024-09-06,1,AWS,\n", "2024-09-06,1,AWS,\n", "2024-09-06,2,AWS,\n", "2024-09-06,1,AWS,\n"]
    whole = write(tmp_path, HEAD + "".join(lines))
    first, second = (
        write(tmp_path, HEAD + lines[2] + lines[0], "1.csv"),
        write(tmp_path, HEAD + lines[3] + lines[1], "2.csv"),
    )
    turned = write(
        tmp_path,
        "BilledCost,Tags,ProviderName,ChargePeriodStart\n" + "".join(f"{n},,AWS,2024-09-06\n" for n in (1, 2, 1, 1)),
        "t.csv",
    )
    keys = [
        sorted(str(row["row_hash"]) for row in read(tmp_path, paths)[0])
        for paths in ([whole], [first, second], [second, first], [turned])
    ]
    assert sorted(Counter(keys[0]).values()) == [1, 3]
    assert all(found == keys[0] for found in keys)


def test_packed_files_are_read_through_by_content_not_name(tmp_path: Path) -> None:
    text = HEAD + "".join(f"2024-09-06,{n},AWS,\n" for n in range(500))
    plain = write(tmp_path, text)
    (tmp_path / "packed").write_bytes(gzip.compress(text.encode()))
    duckdb.execute(
        f"COPY (FROM read_csv('{plain}', all_varchar=true)) TO '{tmp_path / 'f.csv.zst'}' (FORMAT csv, COMPRESSION zstd)"
    )
    counts = [len(read(tmp_path, [path])[0]) for path in (plain, tmp_path / "packed", tmp_path / "f.csv.zst")]
    assert counts == [500, 500, 500]


def test_parquet_types_become_ours(tmp_path: Path) -> None:
    path = tmp_path / "f[1]*.parquet"
    duckdb.execute(
        "COPY (SELECT TIMESTAMPTZ '2024-01-01 00:00:00+02' AS chargeperiodstart, 1.25::DECIMAL(10,3) AS BilledCost, "
        f"map {{'team': 'red'}} AS Tags, 'x' AS ProviderName, [1, 2] AS Other) TO '{path}' (FORMAT parquet)"
    )
    ((row,), rejects) = read(tmp_path, [path], "parquet")
    assert (row["charge_start"], row["billed_cost"], row["tags"], row["provider"], rejects) == (
        datetime(2023, 12, 31, 22), Decimal("1.25"), '{"team":"red"}', "x", [],  # noqa: DTZ001
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "cut.csv.gz",
            gzip.compress(random.Random(1).randbytes(9000).hex().encode(), mtime=0)[:4000],
            "cut short or damaged",
        ),
        ("empty.csv", b"", "empty"),
        ("odd.csv", b"a,b\n1,2\r\n3,4\r5,6\n", "cannot be told"),
        ("late.csv", b"a,b\n" + b"1,2\n" * 30_000 + b"3,4\r\n5,6\r\n", "cannot be told"),
        ("cut.parquet", b"PAR1 and no end", "arquet"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    form: Literal["csv", "parquet"] = "parquet" if name.endswith("parquet") else "csv"
    with pytest.raises(Malformed, match=words) as caught:
        read(tmp_path, [tmp_path / name], form)
    assert caught.value.what.startswith(f"{name}: ")
    assert "\n" not in caught.value.what


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"gone\.csv: No such file"):
        read(tmp_path, [tmp_path / "gone.csv"])


def test_chunks_are_bounded_and_nothing_is_stored(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + "".join(f"2024-09-06,{n},AWS,\n" for n in range(2500)))
    bulk = Bulk((path,), "csv", COSTS, COLUMNS, hash_key="row_hash")
    cache = fresh(tmp_path)
    assert [len(part[bulk.table.name]) for part in cache.read_bulk(bulk, 1000)] == [1000, 1000, 500]
    assert not cache.exists()
