"""Folders of small files of spans: what is read together is what is read file by file, and each file is told by itself."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from aether_tui.cache import Cache
from aether_tui.cache.bulk import bulk_parts
from aether_tui.cache.joint import Files
from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.records.source import Malformed, Page, Reject
from aether_tui.sync.intake import Writer
from aether_tui.sync.loading import load
from connectors.otlp import OtlpFiles
from connectors.spans import SpanFiles
from tests.cache.samples import NOW, dump
from tests.files.test_otlp_scan import body, one_document

Span = dict[str, object]


def spans(first: int, last: int, **more: object) -> list[Span]:
    """Traces of ten spans, one a second."""
    return [
        {
            "trace_id": f"{n // 10:032x}", "span_id": f"{n:016x}", "start": f"2026-11-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z",
            "duration_s": 0.5, "operation": "chat", "provider": "openai", "model": "gpt-4o", "input_tokens": 1000 + n,
            "output_tokens": 10, "name": f"mail canary{n}@example.com", "user": f"Canary {n % 7}", "attributes": "{}", **more,
        }
        for n in range(first, last)
    ]  # fmt: skip


def lines(rows: Sequence[Span], end: str = "\n") -> bytes:
    return (end.join(json.dumps(row) for row in rows) + end).encode()


def parquet(path: Path, rows: Sequence[Span], selected: str = "*") -> None:
    (path.parent / "rows").write_bytes(lines(rows))
    read = f"SELECT {selected} FROM read_json('{path.parent}/rows', format='newline_delimited')"
    duckdb.sql(f"COPY ({read}) TO '{path.parent}/made' (FORMAT parquet)")
    (path.parent / "made").rename(path)
    (path.parent / "rows").unlink()


def as_lines(folder: Path) -> None:
    """Whole files, and what strangers and broken exporters put between them."""
    for n in range(6):
        (folder / f"a{n}.ndjson").write_bytes(lines(spans(25 * n, 25 * n + 25)))
    (folder / "b1.ndjson").write_bytes(lines(spans(150, 160)) + lines(spans(160, 161, start="never", input_tokens=-5)))
    (folder / "b2.ndjson").write_bytes(lines(spans(170, 175)) + b"no\n\n \n" + lines(spans(175, 180))[:-1])
    (folder / "b3.ndjson").write_bytes(lines(spans(180, 185), "\r\n") + b'{"span_id": "cut')
    (folder / "b4.ndjson").write_bytes(gzip.compress(lines(spans(190, 200))))
    (folder / "b5.ndjson").write_bytes(gzip.compress(lines(spans(200, 240)), 1)[:-30])
    (folder / "b6.ndjson").write_bytes(
        lines(spans(240, 250, tier="gold", centre=4)) + lines(spans(250, 251, later=True))
    )
    (folder / "b7.ndjson").write_bytes(lines(spans(260, 262, Tier="silver", attributes={"x": {"y": 1}})))
    (folder / "b8.ndjson").write_bytes(b"\xef\xbb\xbf" + lines(spans(270, 272)))
    (folder / "b9.ndjson").write_bytes(lines(spans(280, 282, name="half \ud83d of a pair", Start="twice")))
    (folder / "c1.ndjson").write_bytes(lines(spans(0, 20)))  # known from another file
    (folder / "c2.ndjson").write_bytes(lines(spans(30, 40, name="said otherwise")))


def as_parquet(folder: Path) -> None:
    for n in range(6):
        parquet(folder / f"a{n}.parquet", spans(25 * n, 25 * n + 25))
    parquet(
        folder / "b1.parquet",
        spans(150, 160),
        "* REPLACE (CASE WHEN input_tokens < 1155 THEN -5 ELSE input_tokens END AS input_tokens)",
    )
    parquet(
        folder / "b2.parquet",
        spans(160, 170),
        "* REPLACE (CASE WHEN span_id > '00000000000000a3' THEN span_id END AS span_id)",
    )
    parquet(folder / "b3.parquet", spans(170, 180, tier="gold"))
    parquet(folder / "b4.parquet", spans(180, 190), "* REPLACE (start::VARCHAR AS start)")
    parquet(folder / "b5.parquet", spans(190, 200), "*, 7 AS file_index")
    parquet(folder / "b6.parquet", [*spans(200, 240)])
    whole = (folder / "b6.parquet").read_bytes()
    (folder / "b6.parquet").write_bytes(whole[:40] + b"\0" * 400 + whole[440:])  # its footer is whole
    parquet(folder / "b7 [1]*'.parquet", spans(240, 250))
    (folder / "day=7").mkdir()
    for n in range(2):
        parquet(folder / "day=7" / f"a{n}.parquet", spans(300 + 5 * n, 305 + 5 * n))
    parquet(folder / "c1.parquet", spans(0, 20))
    parquet(folder / "c2.parquet", spans(30, 40, name="said otherwise"))


@pytest.mark.parametrize("make", [as_lines, as_parquet])
@pytest.mark.parametrize("rows", [60, 10**6])
def test_a_folder_is_what_its_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], rows: int
) -> None:
    make(tmp_path)
    monkeypatch.setattr("aether_tui.cache.parts.PART_ROWS", rows)
    paths = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    (page,) = SpanFiles().pages(paths[:1], NOW)
    bulk, files, refused, rejects = page.bulk, Files(), dict[int, str](), list[Reject]()
    assert bulk is not None
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        parts = bulk_parts(connection, replace(bulk, paths=tuple(paths)), rejects, files)
        found = [row for sql, _ in parts for row in connection.execute(sql).fetchall()]
        for number, path in enumerate(paths):
            theirs = [row[:-1] for row in found if files.firsts[max(p for p in files.firsts if p <= row[-1])] == number]
            bad: list[Reject] = []
            try:
                parts = bulk_parts(connection, replace(bulk, paths=(path,)), bad)
                good = [row for sql, _ in parts for row in connection.execute(sql).fetchall()]
            except Malformed as error:
                refused[number] = error.what
                continue
            assert sorted(map(str, theirs)) == sorted(map(str, good)), path
            assert list(files.rejects.get(number, ())) == bad, path
            assert files.rows.get(number, len(good)) == len(good)
    assert {number: error.what for number, error in files.refused.items()} == refused
    assert len(refused) == 1
    assert sum(map(len, files.rejects.values())) == len(rejects) >= 3
    assert len(files.rows) >= 10  # most are read with others


def test_each_file_of_a_folder_is_told_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces go on from file to file, one of which is known in part, one damaged, and two have a bad row."""
    monkeypatch.setattr("aether_tui.sync.joining.BULK_BYTES", 1)
    cache, told = Cache(tmp_path / "cache.duckdb"), list[str]()
    writer = Writer(cache, Ingest(Config(), bytes(32)), lambda: NOW)
    (folder := tmp_path / "files").mkdir()
    said = {"gen_ai.input.messages": "Canary said"}
    for n in range(4):
        (folder / f"a{n}.ndjson").write_bytes(lines(spans(25 * n, 25 * n + 25)))
    (folder / "b1.ndjson").write_bytes(
        lines([*spans(90, 110), *spans(110, 111, start="never", request="Canary", attributes=said)])
    )
    (folder / "b2.ndjson").write_bytes(gzip.compress(lines(spans(1000, 1400)))[:-30])
    (folder / "b3.ndjson").write_bytes(lines([*spans(20, 30), *spans(110, 120)]) + b'{"user": "Canary\n')
    for turn in range(2):
        found = load([folder], kinds=[SpanFiles()], writer=writer, now=NOW, tell=told.append)
        news = [(one.counts.inserted, one.counts.updated, one.counts.unchanged, one.counts.rejected) for one in found]
        known = [sum(one[:3]) for one in news]
        assert known == [25, 25, 25, 25, 20, 0, 20]
        assert [one[3] for one in news] == [0, 0, 0, 0, 1, 0, 1]
        assert sum(one[0] for one in news) == (0 if turn else 120)
        assert [bool(one.error) for one in found] == [False] * 5 + [True, False]
        assert "cut short" in found[5].error
    assert told == 2 * [
        "rejected b1.ndjson row 21: start is not a time: never",
        "rejected b3.ndjson row 21: not JSON",
    ]
    with cache.read() as lease:
        stored = lease.rows("SELECT count(*) AS n, count(DISTINCT trace_id) AS traces FROM spans")
        (state,) = lease.rows("SELECT last_error FROM sync_state")
    assert stored == [{"n": 120, "traces": 12}]
    assert "b2.ndjson" in str(state["last_error"])
    assert "anary" not in str(dump(cache))
    assert cache.verify() == []


def test_small_files_of_otlp_are_scanned_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of any kind, as one scan and as rows: files that are packed, cut, of another signal, and no lines among them."""
    (folder := tmp_path / "files").mkdir()
    for n in range(4):
        (folder / f"a{n}.jsonl").write_bytes(body(random.Random(n), 20))
    logs = b'{"resourceLogs": []}\n'
    (folder / "b1.jsonl").write_bytes(gzip.compress(body(random.Random(6), 20)))
    (folder / "b2.jsonl").write_bytes(gzip.compress(body(random.Random(7), 200))[:-30])
    (folder / "b3.jsonl").write_bytes(logs * 3)
    (folder / "b4.jsonl").write_bytes(logs * 3 + body(random.Random(8), 20))
    (folder / "b5.jsonl").write_bytes(b"\n" + body(random.Random(0), 20) + b" \n\n")
    (folder / "b6.json").write_bytes(one_document(body(random.Random(9), 4), 1))
    (folder / "b7.jsonl").write_bytes(logs + b'{"resourceSpans": [], "spanId": 1, "resourceLogs": []}\n')
    both = []
    for scanned_from in (20_000, 1 << 40):
        monkeypatch.setattr("connectors.otlp.SCANNED_FROM", scanned_from)
        monkeypatch.setattr("aether_tui.sync.joining.SMALL_BYTES", 60_000)
        told, cache = list[str](), Cache(tmp_path / f"{scanned_from}.duckdb")
        writer = Writer(cache, Ingest(Config(), bytes(32)), lambda: NOW)
        loaded = load([folder], kinds=[OtlpFiles()], writer=writer, now=NOW, tell=told.append)
        each = {one.path.name: (one.counts.rows, one.counts.rejected, one.error, one.notes) for one in loaded}
        inserted = sum(one.counts.inserted for one in loaded)
        both.append((each, inserted, {**dump(cache), "sync_state": [], "meta": []}, sorted(told)))
        assert cache.verify() == []
    assert both[0] == both[1]
    pages = [
        next(OtlpFiles().scans([folder / f"{name}.jsonl"], NOW, said=False, texts=False)) for name in ("a1", "b1", "b5")
    ]
    assert all(page.small and not page.rows for page in pages)
    assert sum(bool(error) for _, _, error, _ in both[0][0].values()) == 3
    assert sum(rows for rows, *_ in both[0][0].values()) > 200


class Reading(SpanFiles):
    """Says which files it reads."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        self.read += [path.name for path in paths]
        return super().pages(paths, now)


def test_a_file_that_has_not_changed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aether_tui.sync.known.SETTLED_NS", 0)
    (folder := tmp_path / "files").mkdir()
    for n in range(3):
        (folder / f"a{n}.ndjson").write_bytes(lines(spans(10 * n, 10 * n + 10)))
    (folder / "b.ndjson").write_bytes(lines(spans(40, 50)) + b"no\n")
    cache = Cache(tmp_path / "cache.duckdb")

    def again(source: str | None = None, config: Config | None = None, *, force: bool = False) -> tuple[str, int, int]:
        writer = Writer(cache, Ingest(config or Config(), bytes(32)), lambda: NOW, force)
        found = load([folder], kinds=[kind := Reading()], writer=writer, now=NOW, source=source)
        return "".join(name[:2] for name in kind.read), *(
            sum(getattr(one.counts, of) for one in found) for of in ("inserted", "unchanged")
        )

    every = "a0a1a2b."
    assert again() == (every, 40, 0)
    assert again() == ("b.", 0, 40)  # a bad row is told each time
    with (folder / "a1.ndjson").open("ab") as file:
        file.write(lines(spans(60, 65)))
    assert again() == ("a1b.", 5, 40)
    assert again() == ("b.", 0, 45)
    assert again(force=True)[0] == again("other")[0] == every
    assert again(config=Config.model_validate({"privacy": {"patterns": ["x+"]}}))[0] == every
    cache.prune({"spans": 1}, now=NOW + timedelta(days=10**4))
    assert again()[0] == every
    cache.reset()
    assert again() == (every, 45, 0)


def test_a_damaged_page_refuses_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What DuckDB says of it has no class of its own, and comes when rows are looked at."""
    monkeypatch.setattr("aether_tui.sync.joining.BULK_BYTES", 1)
    (folder := tmp_path / "files").mkdir()
    for n in range(3):
        parquet(folder / f"a{n}.parquet", spans(10 * n, 10 * n + 10))
    whole = bytearray((folder / "a1.parquet").read_bytes())
    whole[4:60] = bytes(56)
    (folder / "a1.parquet").write_bytes(whole)
    writer = Writer(Cache(tmp_path / "cache.duckdb"), Ingest(Config(), bytes(32)), lambda: NOW)
    for paths, good in (([folder / "a1.parquet"], 0), ([folder], 20)):
        found = load(paths, kinds=[SpanFiles()], writer=writer, now=NOW)
        assert [bool(one.error) for one in found if one.path.name == "a1.parquet"] == [True]
        assert sum(one.counts.inserted for one in found) == good
