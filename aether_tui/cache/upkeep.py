"""What is in the cache, whether it is sound, and how it stays small."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb

from aether_tui.cache import rollups
from aether_tui.cache.lease import ROW_GROUPS, written_anew
from aether_tui.cache.merge import newest_instant
from aether_tui.cache.schema import ROLLUPS, local, quoted, read_all
from aether_tui.errors import ConfigurationError
from aether_tui.records import TABLES, Table
from aether_tui.records.definitions import definition, render

FRAGMENTED: Final = 0.25
"""Share of free blocks from which `compact` writes the file anew."""

FLOW_COUNTED: Final = "flow_counted"
"""Key in `meta` of a cache whose flow has been counted again."""

KEPT_WHOLE: Final = ("work_items", "work_transitions", "outcomes")
"""Tables whose whole history is what flow, and how tasks ended, is computed from; they are small and never pruned."""

_PARENTS: Final = {
    "work_transitions": ("item_id", "work_items", "id"),
    "test_cases": ("run_id", "test_runs", "id"),
}


@dataclass(frozen=True, slots=True)
class TableInfo:
    """Rows of a record table and the instants they span."""

    rows: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Info:
    """The cache at a glance."""

    path: Path
    bytes: int
    schema_version: int
    tables: dict[str, TableInfo]


def table_info(cursor: duckdb.DuckDBPyConnection) -> dict[str, TableInfo]:
    """Every record table that holds rows."""
    found = {}
    for table in TABLES.values():
        sql = f'SELECT count(*), min("{table.at}"), max("{table.at}") FROM {table.name}'
        for rows, first, last in cursor.execute(sql).fetchall():
            if rows:
                found[table.name] = TableInfo(rows, first, last)
    return found


def findings(cursor: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Sentences on what is wrong: doubled keys, orphans, rollups that differ from their definition. As `read_all` before that."""
    read_all(cursor)
    for table in TABLES.values():
        doubled = _count(
            cursor,
            f"SELECT count(*) FROM (SELECT 1 FROM {table.name} GROUP BY source, {quoted(table.key)} HAVING count(*) > 1)",
        )
        if doubled:
            yield f"{table.name}: {doubled:,} keys are stored more than once"
    for name, (column, parent, key) in _PARENTS.items():
        complete = rollups.thawed(cursor, parent, f'c."{TABLES[name].at}"')
        orphans = _count(
            cursor,
            f"SELECT count(*) FROM {name} AS c WHERE {complete} AND NOT EXISTS "
            f"(FROM {parent} AS p WHERE p.source = c.source AND p.{key} = c.{column})",
        )
        if orphans:
            yield f"{name}: {orphans:,} rows belong to no row of {parent}"
    yield from _differing_rollups(cursor)


def _differing_rollups(cursor: duckdb.DuckDBPyConnection) -> Iterator[str]:
    whole = {name: name for name in (*TABLES, "flow_items")} | {
        "tasks": f"(SELECT * FROM tasks WHERE {local('tasks')})",
        "flow_events": f"({render(definition('flow_events'), {'flow_items': 'flow_items'})})",
    }
    frozen_tasks = f"(SELECT source, trace_id FROM tasks WHERE NOT ({rollups.thawed(cursor, 'spans', 'start')}))"
    definitions = [(rollup.table, rollup.sql, rollup.owned(), rollup) for rollup in rollups.DAILY]
    for name, sql, owned, rollup in (
        *definitions,
        ("tasks", "tasks", "TRUE", None),
        ("flow_items", "flow_items", "TRUE", None),
        ("flow_daily", "flow_daily", "TRUE", None),
        ("changes", "changes", "TRUE", None),
    ):
        keep = "TRUE"
        if rollup is not None:
            keep = rollups.thawed(cursor, "spans" if rollup.source == "tasks" else rollup.source, rollup.bucket)
        elif name == "tasks":
            keep = f"(source, trace_id) NOT IN {frozen_tasks}"
        columns = quoted(list(ROLLUPS[name]))
        rows = rollups.tasks_sql("spans") if sql == "tasks" else render(definition(sql), whole)
        wanted = f"SELECT {columns} FROM ({rows}) WHERE {keep}"
        stored = f"SELECT {columns} FROM {name} WHERE {owned} AND {local(name)} AND {keep}"
        # One look for both: what a definition says is computed once, and nothing is numbered as EXCEPT ALL does.
        both = f"SELECT 1 AS _more, * FROM ({wanted}) UNION ALL SELECT -1, * FROM ({stored})"
        ((missing, surplus),) = cursor.execute(
            "SELECT coalesce(sum(n) FILTER (n > 0), 0), coalesce(-sum(n) FILTER (n < 0), 0) "
            f"FROM (SELECT sum(_more) AS n FROM ({both}) GROUP BY {columns})"
        ).fetchall()
        if missing or surplus:
            yield f"{name} ({sql}): {missing:,} rows missing or different, {surplus:,} that should not be there"


def prunable(retention_days: Mapping[str, int], now: datetime) -> Iterator[tuple[Table, datetime]]:
    """Tables with the first day that is kept. Raises ConfigurationError for a table that is unknown or kept whole."""
    for name, days in sorted(retention_days.items()):
        where = f"privacy.retention_days.{name}"
        if name in KEPT_WHOLE:
            raise ConfigurationError(
                "other numbers are computed from its whole history, so it is never pruned",
                where=where,
                next_step="remove the key",
            )
        if name not in TABLES:
            raise ConfigurationError(
                "no such table",
                where=where,
                next_step=f"use one of {', '.join(n for n in TABLES if n not in KEPT_WHOLE)}",
            )
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        yield TABLES[name], today - timedelta(days=min(days, (today - today.min).days))


def count_older(cursor: duckdb.DuckDBPyConnection, table: Table, since: datetime) -> int:
    """Rows that retention lets go."""
    return _count(cursor, f"SELECT count(*) FROM {table.name} WHERE {newest_instant(table)} < TIMESTAMP '{since}'")


def prune(cursor: duckdb.DuckDBPyConnection, table: Table, since: datetime) -> int:
    """Delete raw rows older than `since` and freeze their rollups (`raw_from`); returns how many rows went."""
    before = rollups.raw_from(cursor, table.name)
    if before is not None and before >= since:
        return 0
    older = f"FROM {table.name} WHERE {newest_instant(table)} < TIMESTAMP '{since}'"
    rollups.start(cursor)
    if table.name in rollups.FOLLOWED:
        rollups.touch(cursor, table.name, f"({older})")
    rows = _count(cursor, f"DELETE {older}")
    keep_note(cursor, f"raw_from:{table.name}", since.isoformat())
    rollups.refresh(cursor)
    return rows


def used_blocks(cursor: duckdb.DuckDBPyConnection) -> int:
    """Blocks of the attached file that hold something."""
    return _count(cursor, "SELECT total_blocks - free_blocks FROM pragma_database_size() WHERE database_name = 'cache'")


def noted(cursor: duckdb.DuckDBPyConnection, key: str) -> str | None:
    """What the cache says of itself under a key of `meta`."""
    row = cursor.execute("SELECT value FROM meta WHERE key = $key", {"key": key}).fetchone()
    return row[0] if row else None


def keep_note(cursor: duckdb.DuckDBPyConnection, key: str, value: str) -> None:
    """Have the cache say so from now on."""
    cursor.execute("DELETE FROM meta WHERE key = $key", {"key": key})
    cursor.execute("INSERT INTO meta VALUES ($key, $value)", {"key": key, "value": value})


def count_flow_again(cursor: duckdb.DuckDBPyConnection) -> None:
    """Compute items anew that lack some of their changes of states: programs before `settings.by_all_rows` now and then missed some."""
    rollups.start(cursor)
    cursor.execute(
        "INSERT INTO touched_things SELECT 'flow_items', source, id FROM work_items LEFT JOIN flow_items AS f USING (source, id) "
        "LEFT JOIN (SELECT source, item_id AS id, count(*) AS n FROM work_transitions GROUP BY ALL) AS t USING (source, id) "
        "WHERE f.transitions IS DISTINCT FROM coalesce(t.n, 0)"
    )
    rollups.refresh(cursor)
    keep_note(cursor, FLOW_COUNTED, "1")


def compact(cursor: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Fold the log in; a file with many free blocks is written anew and swapped in whole."""
    cursor.execute("CHECKPOINT cache")
    size = "SELECT free_blocks / greatest(total_blocks, 1) FROM pragma_database_size() WHERE database_name = 'cache'"
    row = cursor.execute(size).fetchone()
    if not row or row[0] < FRAGMENTED:
        return
    fresh = written_anew(path)
    quoted_path = str(fresh).replace("'", "''")
    try:
        cursor.execute(f"ATTACH '{quoted_path}' AS fresh (READ_WRITE{ROW_GROUPS})")
        try:
            cursor.execute("COPY FROM DATABASE cache TO fresh")
        finally:
            cursor.execute("DETACH fresh")
        cursor.execute("DETACH cache")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _count(cursor: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = cursor.execute(sql).fetchone()
    return int(row[0]) if row else 0
