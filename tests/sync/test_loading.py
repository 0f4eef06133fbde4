"""`load` by the command line, on files made here: kinds, packing, bad lines, bad files, folders, patterns."""

from __future__ import annotations

import gzip
import json
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import count as numbers
from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.sync.intake import Writer
from aether_tui.sync.loading import Loaded
from aether_tui.sync.loading import load as load_files
from connectors.junit import JUnitFiles
from connectors.otlp import OtlpFiles
from tests.command import Done, aether
from tests.ingest.test_redact import CANARIES
from tests.sync.test_engine import leaks


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "acme"
    root.mkdir()
    (root / "aether.toml").touch()
    return root


def span_line(number: int, text: str = "chat") -> str:
    span = {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": text,
        "startTimeUnixNano": str(1_790_000_000_000_000_000 + number * 1_000_000_000),
        "endTimeUnixNano": str(1_790_000_001_000_000_000 + number * 1_000_000_000),
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "100"}},
            {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "10"}},
            {"key": "app.note", "value": {"stringValue": text}},
            {"key": "user.id", "value": {"stringValue": text}},
        ],
        "status": {"code": 2, "message": text},
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": f"svc {text}"}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]})


def traces(first: int, last: int, text: str = "chat") -> str:
    return "\n".join(span_line(number, text) for number in range(first, last))


def load(workspace: Path, *arguments: str | Path) -> Done:
    return aether("load", *arguments, "--format", "json", cwd=workspace)


def count(workspace: Path, table: str = "spans") -> object:
    with Cache(workspace / ".aether" / "cache.duckdb").read() as lease:
        return lease.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]


def test_the_shape_that_scripts_rely_on(workspace: Path) -> None:
    (workspace / "a.jsonl").write_text(traces(1, 11))
    done = load(workspace, "a.jsonl")
    assert done.code == 0, done.err
    assert done.json["files"][0] == {
        "path": "a.jsonl", "kind": "otlp", "rows": 10, "rejected": 0, "late": 0,
        "merged": {"inserted": 10, "updated": 0, "unchanged": 0, "removed": 0}, "problems": [],
    }  # fmt: skip
    again = load(workspace, "a.jsonl").json["files"][0]["merged"]
    assert again == {"inserted": 0, "updated": 0, "unchanged": 10, "removed": 0}
    with Cache(workspace / ".aether" / "cache.duckdb").read() as lease:
        (row,) = lease.rows("SELECT DISTINCT source, cost_status FROM spans")
    assert row == {"source": "otlp", "cost_status": "priced"}


def test_rows_that_retention_no_longer_keeps_are_counted_apart(workspace: Path) -> None:
    (workspace / "a.jsonl").write_text(traces(1, 11))
    load(workspace, "a.jsonl")
    (workspace / "aether.toml").write_text("[privacy.retention_days]\nspans = 1\n")
    pruned = aether("--as-of", "2100-01-01", "cache", "prune", "--yes", "--format", "json", cwd=workspace)
    assert pruned.json["tables"] == {"spans": 10}
    again = load(workspace, "a.jsonl").json["files"][0]
    assert (again["rows"], again["late"], sum(again["merged"].values())) == (10, 10, 0)
    said = aether("load", "a.jsonl", cwd=workspace)
    assert "10 rows (0 new, 0 changed, 0 known, 10 late)" in said.out
    assert "late: older than privacy.retention_days keeps" in said.err


def test_packed_files_folders_and_patterns(workspace: Path) -> None:
    folder = workspace / "in"
    folder.mkdir()
    (folder / "one.jsonl.gz").write_bytes(gzip.compress(traces(1, 5).encode()))
    (folder / "two.jsonl.xz").write_bytes(lzma.compress(traces(5, 9).encode()))
    with zipfile.ZipFile(folder / "three.zip", "w") as archive:
        archive.writestr("deep/x.jsonl", traces(9, 13))
    (folder / "README.md").write_text("not data")
    done = load(workspace, folder)
    assert done.code == 0, done.err
    assert [Path(entry["path"]).name for entry in done.json["files"]] == ["one.jsonl.gz", "x.jsonl", "two.jsonl.xz"]
    assert [Path(entry["path"]).name for entry in done.json["skipped"]] == ["README.md"]
    assert "README.md" in done.err
    assert count(workspace) == 12
    assert load(workspace, "in/*.gz").json["files"][0]["merged"]["unchanged"] == 4
    load(workspace, "nothing/*.gz").refuses(2, "nothing/*.gz", "no file matches")


def test_a_bad_line_is_one_reject_that_is_named(workspace: Path) -> None:
    lines = traces(1, 1001).splitlines()
    lines[2] = lines[2][:-9]
    (workspace / "t.jsonl").write_text("\n".join(lines))
    done = load(workspace, "t.jsonl")
    assert done.code == 0, done.err
    assert (done.json["files"][0]["rows"], done.json["files"][0]["rejected"]) == (999, 1)
    assert "t.jsonl" in done.err
    assert "3" in done.err
    with Cache(workspace / ".aether" / "cache.duckdb").read() as lease:
        (reject,) = lease.rows("SELECT place, reason FROM rejects")
    assert "t.jsonl" in str(reject["place"])
    assert "3" in str(reject["place"])


def test_a_bad_file_does_not_stop_a_good_one(workspace: Path) -> None:
    whole = gzip.compress(traces(1, 400).encode())
    (workspace / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (workspace / "poem.txt").write_text("roses are red\n")
    folder = workspace / "in"
    folder.mkdir()
    (folder / "a.zip").write_bytes(b"PK\x03\x04 cut")
    with zipfile.ZipFile(folder / "b.xlsx", "w") as workbook:
        workbook.writestr("xl/workbook.xml", "<x/>")
    (folder / "good.jsonl").write_text(traces(1, 11))
    done = load(workspace, "cut.jsonl.gz", "poem.txt", "in")
    done.refuses(2, "cut.jsonl.gz", "3 more")
    entries = {entry["path"]: entry for entry in done.json["files"]}
    assert entries["in/good.jsonl"]["rows"] == 10
    assert "damaged zip" in entries["in/a.zip"]["error"]
    assert "an Excel workbook" in entries["in/b.xlsx"]["error"]
    assert "cut short" in entries["cut.jsonl.gz"]["error"]
    assert "no kind" in entries["poem.txt"]["error"]
    assert count(workspace) == 10
    assert "cut.jsonl.gz" in aether("report", "sources", cwd=workspace).out


def test_what_was_never_loaded_is_no_source_to_mend(workspace: Path) -> None:
    (workspace / "cut.jsonl.gz").write_bytes(gzip.compress(traces(1, 11).encode())[:60])
    load(workspace, "cut.jsonl.gz", "--as", "otlp").refuses(2, "cut.jsonl.gz", "cut short")
    with Cache(workspace / ".aether" / "cache.duckdb").read() as lease:
        assert lease.rows("SELECT source FROM sync_state") == []


def test_what_is_no_data_is_refused_with_a_reason(workspace: Path) -> None:
    (workspace / "poem.txt").write_text("roses are red\n")
    load(workspace, "poem.txt").refuses(2, "poem.txt", "no kind", "otlp", "focus", "--as")
    (workspace / "tickets.csv").write_text("key,summary\nA-1,Fix it\n")
    load(workspace, "tickets.csv").refuses(2, "tickets.csv", "`--as items` (issues)")
    (workspace / "api.json").write_text('{"openapi": "3.1.0", "paths": {}}')
    load(workspace, "api.json").refuses(2, "api.json", "specification")
    (workspace / "none.csv").touch()
    load(workspace, "none.csv").refuses(2, "none.csv", "empty")
    load(workspace, "absent.csv").refuses(2, "absent.csv", "no such file")
    folder = workspace / "docs"
    folder.mkdir()
    (folder / "a.md").write_text("x")
    load(workspace, folder).refuses(2, "docs", "none of 1 files")
    assert not (workspace / ".aether" / "cache.duckdb").exists()


def test_kinds_and_sources_by_name(workspace: Path) -> None:
    (workspace / "a.jsonl").write_text(traces(1, 3))
    load(workspace, "a.jsonl", "--as", "otpl").refuses(2, "otpl", "'otlp'")
    assert load(workspace, "a.jsonl", "--as", "otlp", "--source", "gateway").code == 0
    with Cache(workspace / ".aether" / "cache.duckdb").read() as lease:
        assert lease.rows("SELECT DISTINCT source FROM spans") == [{"source": "gateway"}]
        assert lease.rows("SELECT source, stream FROM sync_state") == [{"source": "gateway", "stream": "files"}]


def test_no_canary_of_a_file_is_on_disk(workspace: Path) -> None:
    """In names, attributes, services, users, status messages, and in a line that cannot be read."""
    plain = [canary for canary in CANARIES if "\n" not in canary]
    text = " ; ".join(plain)
    broken = span_line(7, text)[:-9]
    (workspace / "t.jsonl").write_text(traces(1, 5, text) + "\n" + broken + "\n" + span_line(9, text))
    done = load(workspace, "t.jsonl")
    assert done.code == 0, done.err
    assert (done.json["files"][0]["rows"], done.json["files"][0]["rejected"]) == (5, 1)
    assert not leaks(workspace, plain)
    assert not [canary for canary in plain if canary in done.out + done.err]


def test_text_output_goes_to_stdout_and_narration_to_stderr(workspace: Path) -> None:
    (workspace / "a.jsonl").write_text(traces(1, 11))
    done = aether("load", "a.jsonl", cwd=workspace)
    assert done.out == "a.jsonl: otlp, 10 rows (10 new, 0 changed, 0 known)\n"
    assert done.err == ""


def test_a_damaged_cache_is_set_aside(workspace: Path) -> None:
    (workspace / "a.jsonl").write_text(traces(1, 11))
    assert load(workspace, "a.jsonl").code == 0
    (workspace / ".aether" / "cache.duckdb").write_bytes(b"\x00garbage" * 4096)
    done = load(workspace, "a.jsonl")
    assert done.code == 0, done.err
    assert "damaged" in done.err
    assert list((workspace / ".aether").glob("cache.duckdb.damaged-*"))
    assert count(workspace) == 10


def test_files_of_one_export_are_counted_together_on_the_first(workspace: Path) -> None:
    header = "ChargePeriodStart,BilledCost,ChargeCategory,BillingCurrency,SubAccountId,BillingPeriodStart\n"
    for number in (1, 2):
        charges = [f"2026-10-0{day},{number}.5,Usage,USD,a,2026-10-01\n" for day in range(1, 4)]
        (workspace / f"part-{number}.csv").write_text(header + "".join(charges))
    first, second = load(workspace, "part-1.csv", "part-2.csv").json["files"]
    assert (first["rows"], first["merged"]["inserted"], second["rows"]) == (6, 6, 0)
    told = aether("load", "part-1.csv", "part-2.csv", cwd=workspace).out
    assert (
        told
        == "part-1.csv: focus, 6 rows (0 new, 0 changed, 6 known)\npart-2.csv: focus, read together with part-1.csv\n"
    )


def report(path: Path, cases: int, name: str) -> None:
    rows = "".join(f'<testcase classname="C" name="{name} {number}" time="0.5"/>' for number in range(cases))
    path.write_text(f'<testsuite name="unit" timestamp="2026-09-01T08:00:00">{rows}</testsuite>')


def small_files(folder: Path) -> list[Path]:
    """Reports, and traces of which some come again, unchanged and changed, some cannot be read, and one file is broken."""
    folder.mkdir()
    for number in range(3):
        report(folder / f"r{number}.xml", number, str(number))
        lines = traces(10 * number + 1, 10 * number + 6).splitlines()
        if number == 1:
            lines += [lines[0][:-9], span_line(1), span_line(2, "another")]
        (folder / f"t{number}.jsonl").write_text("\n".join(lines))
    (folder / "r3.xml").write_text("<testsuite><testcase name='x'/>")
    (folder / "r4.xml").write_bytes((folder / "r2.xml").read_bytes())
    (folder / "r5.xml").write_text("<!DOCTYPE x [<!ENTITY a 'b'>]><testsuite/>")
    return sorted(folder.iterdir())


STORED = ("test_runs", "test_cases", "spans", "tasks", "llm_hourly", "tests_daily", "rejects", "sync_state")
CLOCKS = ("ingested_at", "at", "last_attempt", "last_success", "last_error")
"""Columns that tell when a merge was."""


def ticking() -> Callable[[], datetime]:
    """A clock that goes on with each merge."""
    ticks = numbers()
    return lambda: datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=next(ticks))


def test_small_files_share_merges_and_are_counted_each_by_itself(tmp_path: Path) -> None:
    paths, kinds = small_files(tmp_path / "in"), (JUnitFiles(), OtlpFiles())
    found = []
    for name, batches in (("each", [[path] for path in paths]), ("all", [paths])):
        writer = Writer(Cache(tmp_path / name / "c.duckdb"), Ingest(Config(), bytes(32)), ticking())
        loaded: list[Loaded] = []
        for batch in [paths[1:2], *batches]:
            loaded += load_files(batch, kinds=kinds, writer=writer, now=datetime(2026, 11, 21, tzinfo=UTC))
        with writer.cache.read() as lease:
            stored = {
                table: lease.cursor.execute(
                    f"SELECT COLUMNS(lambda c: c NOT IN {CLOCKS}) FROM {table} ORDER BY ALL"
                ).fetchall()
                for table in STORED
            }
            merges = lease.rows("SELECT count(DISTINCT ingested_at) AS n FROM spans")[0]["n"]
        said = [(one.path, asdict(one.counts), one.error, one.notes) for one in loaded]
        found.append((said, stored, merges))
    (said, stored, merges), (said_of_all, stored_of_all, merges_of_all) = found
    assert said_of_all == said
    assert stored_of_all == stored
    assert (merges, merges_of_all) == (3, 2)
    assert {counts["updated"] for _, counts, _, _ in said} == {0, 1}
    assert len(stored["rejects"]) == 1 and sum(bool(error) for _, _, error, _ in said) == 1
