"""A changed mapping or price derives stored rows again: locally, offline, from what the source said.

Most derived columns follow from a few words that repeat (states, teams, repositories): those are derived once per distinct
combination and written by a join. Where nearly every row is a combination of its own (spans), row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

import duckdb

from aether_tui.cache import rollups
from aether_tui.cache.look import ReadLease
from aether_tui.cache.merge import Merged, Origin, Write, merge_staged
from aether_tui.cache.parsed import run
from aether_tui.cache.schema import quoted
from aether_tui.cache.staging import arrive, stage
from aether_tui.cache.thrift import look
from aether_tui.errors import CacheTrouble
from aether_tui.records import TABLES, Column, Row, Table, Value

CHUNK_ROWS: Final = 10_000
"""Rows derived one by one between two leases."""
JOINED_ROWS: Final = 60_000
"""Rows derived by a join in one lease."""
_REPEATED: Final = 20
"""Rows per distinct combination from which the join is used."""

Read = Callable[[], AbstractContextManager[ReadLease]]


class Deriver(Protocol):
    """Computes derived columns."""

    def inputs(self, table: Table) -> tuple[str, ...]:
        """The raw columns that `derive` looks at; none for a table without derived ones."""
        ...

    def derive(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        """Full rows of raw ones."""
        ...


def rederive_rows(
    cursor: duckdb.DuckDBPyConnection, read: Read, write: Write, deriver: Deriver, mapping_hash: str
) -> int:
    """Derive every row with another `mapping_hash` again, in short leases; returns how many.

    No more of them than there are at the time: what programs with yet another mapping go on storing is left to the next run.
    """
    total = 0
    with read() as lease:
        behind = tables_behind(lease, mapping_hash)
    for table in behind:
        rows, combinations = _count(read, table, deriver.inputs(table), mapping_hash)
        known = bool(deriver.inputs(table)) or not table.derived
        if known and rows and combinations * _REPEATED <= rows:
            total += _by_words(cursor, read, write, deriver, table, mapping_hash, rows)
            rows, _ = _count(read, table, (), mapping_hash)  # what came meanwhile, too
        total += _row_by_row(cursor, read, write, deriver, table, mapping_hash, rows)
    return total


def tables_behind(lease: ReadLease, mapping_hash: str) -> list[Table]:
    """Tables with rows that another mapping derived."""
    asked = " UNION ALL ".join(
        f"(SELECT '{name}' AS name FROM {name} WHERE mapping_hash <> $hash LIMIT 1)" for name in TABLES
    )
    found = look(lease.cursor, lambda: lease.rows(asked, {"hash": mapping_hash}))
    return [TABLES[str(row["name"])] for row in found]


def _count(read: Read, table: Table, inputs: tuple[str, ...], mapping_hash: str) -> tuple[int, int]:
    """Stale rows, and distinct combinations of what they are derived from."""
    distinct = (
        f"(SELECT DISTINCT {quoted(inputs)} FROM {table.name} WHERE mapping_hash <> $hash)" if inputs else "(SELECT 1)"
    )
    sql = f"SELECT (SELECT count(*) FROM {table.name} WHERE mapping_hash <> $hash) AS n, (SELECT count(*) FROM {distinct}) AS d"
    with read() as lease:
        (row,) = look(lease.cursor, lambda: lease.rows(sql, {"hash": mapping_hash}))
    return int(str(row["n"])), int(str(row["d"]))


# --- By distinct words ---------------------------------------------------------------------------------------------


def _by_words(
    cursor: duckdb.DuckDBPyConnection,
    read: Read,
    write: Write,
    deriver: Deriver,
    table: Table,
    mapping_hash: str,
    most: int,
) -> int:
    """Derive each distinct combination once, and write it to the rows that have it, until `most` or all are done."""
    inputs = [column for column in table.raw if column.name in deriver.inputs(table)]
    if inputs:
        _stage_words(cursor, read, deriver, table, inputs, mapping_hash)
    total = 0
    while total < most and (done := _write_words(cursor, write, table, inputs, mapping_hash)):
        total += done
    if inputs:
        run(cursor, "DROP TABLE words")
    return total


def _stage_words(
    cursor: duckdb.DuckDBPyConnection,
    read: Read,
    deriver: Deriver,
    table: Table,
    inputs: Sequence[Column],
    mapping_hash: str,
) -> None:
    """Temporary table `words`: every combination of `inputs` among stale rows, with what is derived from it."""
    names = quoted([column.name for column in inputs])
    distinct = f"SELECT DISTINCT {names} FROM {table.name} WHERE mapping_hash <> $hash"
    with read() as lease:
        found = look(lease.cursor, lambda: lease.rows(distinct, {"hash": mapping_hash}))
    rows = [tuple(_cell(row.get(column.name)) for column in table.raw) for row in found]
    arrive(cursor, "words", table.columns, deriver.derive(table, rows))


def _write_words(
    cursor: duckdb.DuckDBPyConnection, write: Write, table: Table, inputs: Sequence[Column], mapping_hash: str
) -> int:
    """One lease: rows whose columns stay only get the new hash, the others their columns and rollups; how many."""
    stale = f"SELECT rowid AS _row, * FROM {table.name} WHERE mapping_hash <> $hash LIMIT {JOINED_ROWS}"
    with write(cursor):
        if not inputs:
            run(cursor, f"CREATE OR REPLACE TEMP TABLE again AS SELECT _row FROM ({stale})", {"hash": mapping_hash})
        else:
            same = " AND ".join(f't."{column.name}" IS NOT DISTINCT FROM w."{column.name}"' for column in inputs)
            derived = [column.name for column in table.derived]
            taken = ", ".join(f'w."{name}"' for name in derived)
            differs = " OR ".join(f't."{name}" IS DISTINCT FROM w."{name}"' for name in derived)
            run(
                cursor,
                f"CREATE OR REPLACE TEMP TABLE again AS SELECT t._row, {differs} AS _changed, "
                f"{taken} FROM ({stale}) AS t JOIN words AS w ON {same}",
                {"hash": mapping_hash},
            )
            rollups.start(cursor)
            rows = f"(FROM {table.name} WHERE rowid IN (SELECT _row FROM again WHERE _changed))"
            rollups.touch(cursor, table.name, rows)
            sets = ", ".join(f'"{name}" = a."{name}"' for name in derived)
            run(
                cursor,
                f"UPDATE {table.name} SET {sets} FROM again AS a WHERE {table.name}.rowid = a._row AND a._changed",
            )
        run(
            cursor,
            f"UPDATE {table.name} SET mapping_hash = $hash WHERE rowid IN (SELECT _row FROM again)",
            {"hash": mapping_hash},
        )
        if inputs:
            rollups.refresh(cursor)
        (done,) = run(cursor, "SELECT count(*) FROM again").fetchone() or (0,)
    return int(done)


# --- Row by row ----------------------------------------------------------------------------------------------------


def _row_by_row(
    cursor: duckdb.DuckDBPyConnection,
    read: Read,
    write: Write,
    deriver: Deriver,
    table: Table,
    mapping_hash: str,
    most: int,
) -> int:
    """The merge does the rest: equal content with another derivation replaces the row and refreshes its buckets.

    Ends when `most` or all are done. Raises CacheTrouble when rows stay as they are.
    """
    done, before = Merged(), None
    while done.updated < most and (found := _stale(read, table, mapping_hash)):
        if found == before:
            stuck = sum(len(rows) for rows in found.values())
            raise CacheTrouble(
                f"{stuck:,} rows cannot be derived again: they do not read as they are stored",
                where=f"table {table.name}",
                next_step="begin anew with `aether-tui cache reset`, then sync",
            )
        before = found
        for source, rows in found.items():
            stage(cursor, f"staged_{table.name}", table, deriver.derive(table, rows))
            merge_staged(cursor, write, Origin(source, "", mapping_hash, None), [table], None, done)
    return done.updated


def _stale(read: Read, table: Table, mapping_hash: str) -> dict[str, list[Row]]:
    """The oldest raw rows that another mapping derived, by source."""
    names = [column.name for column in table.raw]
    with read() as lease:
        found = lease.rows(
            f'SELECT source, {quoted(names)} FROM {table.name} WHERE mapping_hash <> $hash ORDER BY "{table.at}" '
            f"LIMIT {CHUNK_ROWS}",
            {"hash": mapping_hash},
        )
    rows: dict[str, list[Row]] = {}
    for row in found:
        rows.setdefault(str(row["source"]), []).append(tuple(_cell(row[name]) for name in names))
    return rows


def _cell(value: Value | list[str]) -> Value:
    return tuple(value) if isinstance(value, list) else value
