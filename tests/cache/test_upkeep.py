"""info, verify, prune, compact, reset, and their commands."""

from __future__ import annotations

import io
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from aether_tui.cache import Cache, schema
from aether_tui.cli import main
from aether_tui.config import Config
from aether_tui.errors import ConfigurationError, NoData
from aether_tui.ingest import Ingest
from aether_tui.records import TABLES, Row
from tests.cache.samples import DAY_ONE, NOW, dump, everything, fresh, full, rows, spans, store

pytestmark = pytest.mark.xdist_group("upkeep")  # its world is made once

SPANS = TABLES["spans"]
CUT = DAY_ONE + timedelta(days=6)
CUT_NOW = (CUT + timedelta(days=30)).replace(tzinfo=NOW.tzinfo)


def sound(cache: Cache) -> bool:
    """No finding but the orphans that random keys leave."""
    return [line for line in cache.verify() if "belong to no row" not in line] == []


def test_info(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    with pytest.raises(NoData):
        cache.info()
    store(cache, spans(50))
    info = cache.info()
    assert (info.path, info.schema_version, info.bytes) == (cache.path, schema.VERSION, cache.path.stat().st_size)
    assert list(info.tables) == ["spans"]
    table = info.tables["spans"]
    with cache.read() as lease:
        assert lease.rows("SELECT min(start) AS a, max(start) AS b FROM spans") == [{"a": table.first, "b": table.last}]
    assert table.rows == 50


@pytest.fixture(scope="module")
def linked_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache without orphans."""
    cache, data = fresh(tmp_path_factory.mktemp("linked")), everything(40)
    for name, parent in (("test_cases", "run_id"), ("work_transitions", "item_id")):
        place = [column.name for column in TABLES[name].columns].index(parent)
        data[name] = [(*row[:place], f"id{n // 3}", *row[place + 1 :]) for n, row in enumerate(data[name])]
    store(cache, data)
    assert cache.verify() == []
    return cache.path


@pytest.fixture
def linked(linked_file: Path, tmp_path: Path) -> Cache:
    cache = fresh(tmp_path)
    cache.path.parent.mkdir()
    shutil.copyfile(linked_file, cache.path)
    return cache


@pytest.mark.parametrize(
    "broken",
    [
        {
            "INSERT INTO spans FROM spans LIMIT 1": "spans: 1 keys",
            "DELETE FROM test_runs WHERE id = 'id1'": "test_cases: 3 rows belong to no row of test_runs",
            "DELETE FROM work_items WHERE id = 'id0'": "work_transitions: 3 rows",
        },
        {
            "UPDATE llm_hourly SET calls = calls + 1": "llm_hourly",
            "UPDATE duration_hist SET n = 7 WHERE kind = 'ci_run'": "duration_hist (hist_ci)",
            "UPDATE flow_items SET completed = NULL": "flow_items",
            "INSERT INTO cost_daily (day, rows) VALUES ('2020-01-01', 1)": "cost_daily",
        },
        {"DELETE FROM tasks WHERE trace_id = 't0'": "tasks", "DELETE FROM flow_daily": "flow_daily"},
    ],
    ids=["rows", "sums of rows", "sums of sums"],
)
def test_verify_finds(linked: Cache, broken: dict[str, str]) -> None:
    """Each of what is broken at the same time, none of which shows in the place of another."""
    with linked._write() as connection:
        for statement in broken:
            connection.execute(statement)
    found = linked.verify()
    for finding in broken.values():
        assert any(line.startswith(finding) for line in found), (finding, found)


def test_flow_that_an_older_program_counted_wrong_is_counted_again(linked: Cache) -> None:
    ingest = Ingest(Config(), bytes(32))
    linked.rederive(ingest, ingest.mapping_hash)
    with linked._write() as connection:
        connection.execute("UPDATE flow_items SET transitions = transitions - 1 WHERE id = 'id3'")
    assert [line.partition(" ")[0] for line in linked.verify()] == ["flow_items"]
    linked.begin(ingest, ingest.mapping_hash, {}, now=NOW, derived_by=ingest.derived_by)
    assert linked.verify() == []


def test_prune_keeps_rollups_and_counts_late_rows(tmp_path: Path) -> None:
    cache, names = fresh(tmp_path), ("llm_hourly", "tasks", "coverage_daily", "task_coverage_daily", "duration_hist")
    store(cache, everything(300))
    before = {name: rows for name, rows in dump(cache).items() if name in names}
    assert cache.prune({"spans": 10**9}, now=CUT_NOW) == {"spans": 0}  # no day is so long ago
    days = {"spans": 30, "pull_requests": 30, "deployments": 30}
    would = cache.prune(days, now=CUT_NOW, dry_run=True)
    assert dump(cache)["spans"] != []
    assert cache.prune(days, now=CUT_NOW) == would
    assert all(0 < gone < 300 for gone in would.values())
    assert {name: rows for name, rows in dump(cache).items() if name in names} == before
    with cache.read() as lease:
        assert lease.rows("SELECT count(*) AS n FROM spans WHERE start < $cut", {"cut": CUT}) == [{"n": 0}]
        assert lease.rows(
            "SELECT count(*) AS n FROM pull_requests WHERE merged < $cut AND created < $cut", {"cut": CUT}
        ) == [{"n": 0}]
    assert sound(cache)
    # The same rows again: those before the cut are late, the others unchanged, and no rollup moves.
    merged = cache.merge("s", "x", {"spans": rows("spans", 300)}, mapping_hash="m1", now=NOW)
    assert (merged.late, merged.unchanged) == (would["spans"], 300 - would["spans"])
    assert {name: rows for name, rows in dump(cache).items() if name in names} == before
    assert cache.prune(days, now=CUT_NOW) == dict.fromkeys(days, 0)


def test_new_rows_after_a_prune_refresh_only_what_is_complete(tmp_path: Path) -> None:
    def span(number: int, day: float) -> Row:
        return full(
            SPANS, trace_id="t", span_id=f"{number}", start=DAY_ONE + timedelta(days=day), model="m", input_tokens=1
        )

    cache = fresh(tmp_path)
    store(cache, {"spans": [span(1, 1), span(2, 5.5), span(3, 6.5)]})
    cache.prune({"spans": 30}, now=CUT_NOW)
    store(cache, {"spans": [span(4, 7.5), span(5, 6.6)]})
    with cache.read() as lease:
        calls = lease.rows("SELECT day, sum(calls) AS n FROM coverage_daily GROUP BY day ORDER BY day")
        assert [(row["day"] - DAY_ONE.replace(hour=0)).days for row in calls] == [1, 5, 6, 7]  # type: ignore[operator]
        assert [row["n"] for row in calls] == [1, 1, 2, 1]
        assert lease.rows("SELECT start, calls FROM tasks") == [
            {"start": DAY_ONE + timedelta(days=1), "calls": 3}
        ]  # frozen
    assert sound(cache)


def test_tables_that_cannot_be_pruned_are_refused(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    store(cache, spans(3))
    for name in ("work_items", "work_transitions", "spams"):
        with pytest.raises(ConfigurationError) as caught:
            cache.prune({name: 3}, now=NOW)
        assert caught.value.where == f"privacy.retention_days.{name}"


def test_compact_gives_space_back_and_loses_nothing(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    for seed in range(4):
        store(cache, spans(3000, seed), source=f"{seed}")
    with cache._write() as connection:
        connection.execute("DELETE FROM spans WHERE source <> '0'")
        connection.execute("CREATE TABLE large AS SELECT hash(range) AS h FROM range(1000000)")
    with cache._write() as connection:
        connection.execute("DROP TABLE large")
    kept = dump(cache, but=())
    with cache._leases.alone(9) as connection:
        connection.execute("CHECKPOINT cache")
    before, after = cache.compact()
    assert after < before
    assert cache.path.stat().st_mode & 0o777 == 0o600
    assert dump(cache, but=()) == kept
    assert not list(cache.path.parent.glob("*.compact*"))
    with cache.read() as lease:
        assert lease.rows("SELECT count(*) AS n FROM incidents") == [{"n": 0}]
    store(cache, spans(3000, 1), source="1")
    again = cache.compact()
    assert again[1] <= again[0]


def test_reset(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    assert not cache.reset()
    store(cache, spans(3))
    (cache.path.parent / "state").mkdir()
    assert cache.reset()
    assert sorted(path.name for path in cache.path.parent.iterdir()) == ["cache.turn", "state"]
    store(cache, spans(3))


def test_incidents_are_work_items_of_that_type(tmp_path: Path) -> None:
    cache = fresh(tmp_path)
    items = TABLES["work_items"]
    store(
        cache,
        {
            "work_items": [
                full(
                    items,
                    id="1",
                    type="incident",
                    labels=("x", "Service:api"),
                    priority="high",
                    created=DAY_ONE,
                    completed=CUT,
                ),
                full(items, id="2", type="incident", project="web"),
                full(items, id="3", type="bug"),
            ]
        },
    )
    with cache.read() as lease:
        found = lease.rows("SELECT id, opened, resolved, severity, service FROM incidents ORDER BY id")
    assert found == [
        {"id": "1", "opened": DAY_ONE, "resolved": CUT, "severity": "high", "service": "api"},
        {"id": "2", "opened": None, "resolved": None, "severity": None, "service": "web"},
    ]


# --- Commands ------------------------------------------------------------------------------------------------------


class Command(Protocol):
    """Runs `aether-tui cache …` in a folder; status, stdout and stderr."""

    def __call__(self, folder: Path, *arguments: str) -> tuple[int, str, str]: ...


@pytest.fixture
def aether(capsys: pytest.CaptureFixture[str]) -> Command:
    def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["-w", str(folder), "--as-of", "2026-11-21", "cache", *arguments])
        out, error = capsys.readouterr()
        return int(end.value.code or 0), out, error

    return run


def test_commands(tmp_path: Path, aether: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "aether.toml").write_text("[privacy.retention_days]\nspans = 140\n")
    cache = Cache(tmp_path / ".aether" / "cache.duckdb")
    status, out, error = aether(tmp_path, "info")
    assert (status, out, error.count("\n")) == (3, "", 1)
    store(cache, spans(50))
    status, out, _ = aether(tmp_path, "info", "--format", "json")
    found = json.loads(out)
    assert (status, set(found), set(found["tables"]["spans"])) == (
        0, {"path", "bytes", "schema_version", "tables"}, {"rows", "from", "to"},
    )  # fmt: skip
    assert found["tables"]["spans"]["from"].endswith("Z")
    assert aether(tmp_path, "verify")[:2] == (0, "the cache is sound\n")
    status, out, _ = aether(tmp_path, "prune", "--dry-run", "--format", "json")
    pruned = json.loads(out)
    assert (status, pruned["dry_run"]) == (0, True)
    gone = f"spans: {pruned['tables']['spans']} rows older than 140 days"
    monkeypatch.setattr("sys.stdin", io.StringIO())
    status, out, error = aether(tmp_path, "prune")  # nobody answers: nothing goes
    assert (status, out, error.startswith(f"{gone} would go")) == (130, "", True)
    assert cache.info().tables["spans"].rows == 50
    assert aether(tmp_path, "prune", "--yes")[1] == f"{gone} went\n"
    assert cache.info().tables["spans"].rows == 50 - pruned["tables"]["spans"]
    assert aether(tmp_path, "compact")[0] == 0
    with cache._write() as connection:
        connection.execute("DELETE FROM llm_hourly")
    status, out, error = aether(tmp_path, "verify", "--format", "json")
    assert (status, json.loads(out)["ok"], error.count("\n")) == (1, False, 1)
    assert aether(tmp_path, "reset", "--yes")[0] == 0
    assert not cache.exists()


def test_a_damaged_cache_is_one_line_and_status_5(tmp_path: Path, aether: Command) -> None:
    (tmp_path / "aether.toml").write_text("")
    (tmp_path / ".aether").mkdir()
    (tmp_path / ".aether" / "cache.duckdb").write_text("hello")
    status, out, error = aether(tmp_path, "info")
    assert (status, out, error.count("\n"), "damaged" in error) == (5, "", 1, True)
