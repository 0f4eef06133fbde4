"""A cache of an older program gets the columns it lacks, and the rollups they feed."""

from __future__ import annotations

from pathlib import Path

from aether_tui.cache import Cache
from aether_tui.cache import schema as models
from aether_tui.records import TABLES as RECORDS
from aether_tui.records.definitions import definition, render
from tests.cache.samples import fresh, rows, store

TABLES = ("spans", "work_items", "work_transitions", "costs")


def dump(cache: Cache, name: str) -> list[str]:
    with cache.read() as lease:
        return sorted(
            map(repr, lease.rows(f"SELECT * EXCLUDE (ingested_at) FROM {name}" if name in TABLES else f"FROM {name}"))
        )


def filled(folder: Path, name: str) -> Cache:
    cache = fresh(folder, name)
    for table in TABLES:
        store(cache, {table: rows(table, 60)})
    with cache._write() as connection:  # a source that pushes: requests of some days, and one day of which none came
        connection.execute("INSERT INTO tasks SELECT * REPLACE ('s2' AS source, 's2' AS origin) FROM tasks")
        pushed = render(definition("task_coverage_daily"), {"tasks": "(FROM tasks WHERE origin = 's2')"})
        connection.execute(f"INSERT INTO task_coverage_daily BY NAME SELECT *, 's2' AS origin FROM ({pushed})")
        only = "TIMESTAMP '2001-02-03' AS day, 'f' AS feature, 7 AS tasks, 5 AS with_cluster, 0 AS with_outcome, 7 AS with_root"
        connection.execute(f"INSERT INTO task_coverage_daily BY NAME SELECT {only}, 's2' AS origin")
    return cache


def make_old(cache: Cache) -> None:
    """As a program of version 1 would have left it: a column less in records and rollups, a rollup and a table missing."""
    with cache._write() as connection:
        connection.execute("DROP VIEW incidents")
        connection.execute("ALTER TABLE spans DROP COLUMN conversation")  # raw: comes back empty
        connection.execute(
            "ALTER TABLE spans DROP COLUMN price_version"
        )  # derived: comes back when rows are derived again
        connection.execute("ALTER TABLE coverage_daily DROP COLUMN with_team")
        connection.execute("ALTER TABLE flow_items DROP COLUMN steps")
        connection.execute("ALTER TABLE tasks DROP COLUMN kind")
        connection.execute("ALTER TABLE tasks DROP COLUMN took")
        sums = ", ".join(f"sum({name}) AS {name}" for name in ("tasks", "with_cluster", "with_outcome", "with_root"))
        by_feature = f"SELECT day, environment, feature, {sums}, origin FROM task_coverage_daily GROUP BY ALL"
        connection.execute(f"CREATE OR REPLACE TABLE task_coverage_daily AS {by_feature}")
        connection.execute("DROP TABLE flow_daily")
        connection.execute("DROP TABLE exports")
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")


def test_an_older_cache_catches_up(tmp_path: Path) -> None:
    old, new = filled(tmp_path, "old"), filled(tmp_path, "new")
    make_old(old)
    for name in models.ROLLUPS:
        assert dump(old, name) == dump(new, name), name
    with old.read() as lease:
        names = [row["column_name"] for row in lease.rows("SELECT column_name FROM (DESCRIBE spans)")]
        counts = lease.rows("SELECT count(*) AS n, count(*) FILTER (WHERE mapping_hash = '') AS again FROM spans")
        kept = lease.rows("SELECT count(*) AS n, count(conversation) AS named FROM spans")
        assert lease.rows("SELECT count(*) AS n FROM incidents")[0]["n"] is not None
        assert lease.rows("SELECT value FROM meta WHERE key = 'schema_version'") == [{"value": str(models.VERSION)}]
    assert names == models.stored_columns(RECORDS["spans"])
    assert counts == [{"n": 60, "again": 60}]
    assert kept == [{"n": 60, "named": 0}]


def test_catching_up_twice_changes_nothing(tmp_path: Path) -> None:
    cache = filled(tmp_path, "one")
    before = {name: dump(cache, name) for name in (*TABLES, *models.ROLLUPS)}
    with cache._write() as connection:
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
    assert {name: dump(cache, name) for name in before} == before
