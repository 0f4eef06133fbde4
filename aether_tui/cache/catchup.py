"""Bringing a cache whose tables lack columns, or that lacks tables, up to the models: additive, whole, and idempotent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb

from aether_tui.cache import rollups, schema
from aether_tui.records import TABLES
from aether_tui.records.definitions import definition, render


def migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Bring the attached file (read-write, as `cache`) to the newest version, whole or not at all.

    Raises CacheTrouble when a newer program made the file; it is not touched.
    """
    version = schema.stored_version(connection)
    if version > schema.VERSION:
        raise schema.newer(path)
    if version == schema.VERSION:
        return
    cursor = connection.cursor()
    try:
        cursor.execute("USE cache")
        _in_transaction(cursor, catch_up if version else schema.create_all)
    finally:
        cursor.close()


def _in_transaction(cursor: duckdb.DuckDBPyConnection, work: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
    cursor.execute("BEGIN")
    try:
        work(cursor)
        cursor.execute("COMMIT")
    except BaseException:
        with suppress(duckdb.Error):  # where the disk is full, DuckDB has done so itself
            cursor.execute("ROLLBACK")
        raise


def catch_up(cursor: duckdb.DuckDBPyConnection) -> None:
    """Give every table the columns of its model, in order; what they should hold is derived and rolled up again.

    A new derived column is filled when rows are next derived (their `mapping_hash` is emptied); rollups are filled here,
    but for frozen buckets, whose new columns stay null.
    """
    cursor.execute("DROP VIEW IF EXISTS incidents")
    for table in TABLES.values():
        added = _extend(cursor, table.name, schema.record_ddl(table), schema.stored_columns(table))
        if added & {column.name for column in table.derived}:
            cursor.execute(f"UPDATE {table.name} SET mapping_hash = ''")
    renamed = _hours_for_days(cursor)
    stale = renamed + [
        name
        for name, columns in ((name, schema.rollup_columns(name)) for name in schema.ROLLUPS)
        if _extend(cursor, name, schema.plain_ddl(name, columns), list(columns)) - {"origin", *schema.COMPUTED}
    ]
    for name, columns in schema.BOOKKEEPING.items():
        _extend(cursor, name, schema.plain_ddl(name, columns), list(columns))
    computed = ", ".join(f"{name} = {render(text, {})}" for name, text in schema.COMPUTED.items())
    cursor.execute(f"UPDATE tasks SET {computed} WHERE kind IS NULL")
    if "task_coverage_daily" in stale:
        stale.remove("task_coverage_daily")
        _requests_by_day(cursor)
    cursor.execute(schema.INCIDENTS)
    if stale:
        rollups.start(cursor)
        for name in rollups.read_by(stale):
            rollups.touch(cursor, name, name)
        rollups.refresh(cursor)
    cursor.execute("UPDATE meta SET value = $version WHERE key = 'schema_version'", {"version": str(schema.VERSION)})


def _requests_by_day(cursor: duckdb.DuckDBPyConnection) -> None:
    """Requests are counted by more words than before version 14: anew, on the days of which there are requests."""
    days = "SELECT DISTINCT date_trunc('day', start) AS day, origin FROM tasks"
    cursor.execute(
        f"DELETE FROM task_coverage_daily AS r USING ({days}) AS d WHERE r.day = d.day AND r.origin IS NOT DISTINCT FROM d.origin"
    )
    columns = schema.quoted(list(schema.ROLLUPS["task_coverage_daily"]))
    for (origin,) in cursor.execute("SELECT DISTINCT origin FROM tasks").fetchall():
        text = render(
            definition("task_coverage_daily"), {"tasks": "(FROM tasks WHERE origin IS NOT DISTINCT FROM $origin)"}
        )
        cursor.execute(
            f"INSERT INTO task_coverage_daily ({columns}, origin) SELECT {columns}, $origin FROM ({text})",
            {"origin": origin},
        )


def _hours_for_days(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    """Two rollups of version 3 by day are by hour now; a frozen day stays whole, in its first hour."""
    renamed = []
    known = "SELECT 1 FROM duckdb_tables() WHERE database_name = 'cache' AND table_name = $name"
    for before, name in {"steps_daily": "steps_hourly", "prompts_daily": "prompts_hourly"}.items():
        if cursor.execute(known, {"name": before}).fetchone():
            cursor.execute(f"ALTER TABLE {before} RENAME TO {name}")
            cursor.execute(f"ALTER TABLE {name} RENAME COLUMN day TO hour")
            cursor.execute(f"DELETE FROM {name} WHERE {rollups.thawed(cursor, 'spans', 'hour')}")
            renamed.append(name)
    return renamed


def _extend(cursor: duckdb.DuckDBPyConnection, name: str, ddl: str, columns: list[str]) -> set[str]:
    """The columns that `name` lacked; rows are inserted by position, so a wider table is made anew."""
    sql = "SELECT column_name FROM duckdb_columns() WHERE database_name = 'cache' AND table_name = $name"
    known = [row[0] for row in cursor.execute(sql, {"name": name}).fetchall()]
    if known == columns:
        return set()
    if not known:
        cursor.execute(ddl)
        return set(columns)
    cursor.execute(f"ALTER TABLE {name} RENAME TO {name}_before")
    cursor.execute(ddl)
    cursor.execute(
        f"INSERT INTO {name} BY NAME SELECT {schema.quoted([c for c in known if c in columns])} FROM {name}_before"
    )
    cursor.execute(f"DROP TABLE {name}_before")
    return set(columns) - set(known)
