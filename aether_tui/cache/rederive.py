"""A changed mapping or price derives stored rows again: locally, offline, from what the source said.

Some rows at a time, each time stored in one lease, so that it goes on where it was stopped. Derived columns follow from words that
repeat (states, teams, prices of a day): each combination is derived once. Rows that stay as they are only get the new hash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final, Protocol

import duckdb

from aether_tui.cache import rollups, span_rollups
from aether_tui.cache.flags import FLAGS, flagged
from aether_tui.cache.lease import ROW_GROUP
from aether_tui.cache.look import ReadLease
from aether_tui.cache.merge import Write, count
from aether_tui.cache.parsed import run
from aether_tui.cache.schema import quoted, sql_type
from aether_tui.cache.staging import arrive, content
from aether_tui.cache.thrift import look
from aether_tui.records import TABLES, Row, Table, Value
from aether_tui.records.tables import SPANS

if TYPE_CHECKING:
    from aether_tui.ingest import derive

SLICE_ROWS: Final = ROW_GROUP
"""Rows derived in one lease: those of a row group, whose columns are then written once."""
SLICE_BYTES: Final = 32 << 20
"""Bytes of texts they may be derived from, but for the last of them."""
PATIENCE_S: Final = 600.0
"""Seconds to wait for another process that derives: it most likely leaves nothing to do."""

Read = Callable[[], AbstractContextManager[ReadLease]]


class Deriver(Protocol):
    """Computes derived columns."""

    @property
    def deriver(self) -> derive.Deriver:
        """That of spans."""
        ...

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
        behind = {table: _sources(lease, table, mapping_hash) for table in tables_behind(lease, mapping_hash)}
    for table, sources in behind.items():
        for source, rows in sources.items():
            left = rows
            # Places move when deleted rows are cleared away, and rows that change meanwhile are left: then once more from the first.
            while left > 0 and (done := _derive(cursor, write, deriver, table, source, mapping_hash, left)):
                left -= done
            total += rows - left
    return total


def tables_behind(lease: ReadLease, mapping_hash: str) -> list[Table]:
    """Tables with rows that another mapping derived."""
    asked = " UNION ALL ".join(
        f"(SELECT '{name}' AS name FROM {name} WHERE mapping_hash <> $hash LIMIT 1)" for name in TABLES
    )
    found = look(lease.cursor, lambda: lease.rows(asked, {"hash": mapping_hash}))
    return [TABLES[str(row["name"])] for row in found]


def _sources(lease: ReadLease, table: Table, mapping_hash: str) -> dict[str, int]:
    """How many rows of a table another mapping derived, by source."""
    sql = f"SELECT source, count(*) AS n FROM {table.name} WHERE mapping_hash <> $hash GROUP BY source ORDER BY source"
    found = look(lease.cursor, lambda: lease.rows(sql, {"hash": mapping_hash}))
    return {str(row["source"]): int(str(row["n"])) for row in found}


def _derive(
    cursor: duckdb.DuckDBPyConnection,
    write: Write,
    deriver: Deriver,
    table: Table,
    source: str,
    mapping_hash: str,
    rows: int,
) -> int:
    """The columns, rollups and hashes of at least so many rows, from the first on, until there are no more; returns how many.

    What is derived in one lease was read in the one before, and computed while others could write.
    """
    done = 0
    with write(cursor):
        last = _take(cursor, deriver, table, source, mapping_hash, -1)
    while last >= 0 and done < rows:
        marks = f"SELECT _row, {quoted(_marks(table))}, {content(table)} AS _content FROM taken"
        run(cursor, f"CREATE OR REPLACE TEMP TABLE marks AS {marks}")
        if table.derived:
            _stage(cursor, deriver, table, "taken")
        with write(cursor):
            _check(cursor, table)
            if table.derived:
                rollups.start(cursor)
                _store(cursor, table, source)
                rollups.refresh(cursor)
            derived = f"UPDATE {table.name} SET mapping_hash = $hash WHERE rowid IN (FROM stale)"
            run(cursor, derived, {"hash": mapping_hash})
            done += count(cursor, "stale")
            last = _take(cursor, deriver, table, source, mapping_hash, last)
    return done


def _take(
    cursor: duckdb.DuckDBPyConnection, deriver: Deriver, table: Table, source: str, mapping_hash: str, last: int
) -> int:
    """Temporary table `taken` of the rows that come next after the `last`; returns the last of them or -1."""
    texts = [column for column in table.raw if column.name in deriver.inputs(table) and sql_type(column) == "VARCHAR"]
    raw = quoted([column.name for column in table.raw])
    length = " + ".join([f'coalesce(strlen("{column.name}"), 0)' for column in texts]) or "0"
    run(
        cursor,
        "CREATE OR REPLACE TEMP TABLE stale AS SELECT _row FROM (SELECT *, sum(_length) OVER (ROWS UNBOUNDED PRECEDING) AS _upto "
        f"FROM (SELECT rowid AS _row, {length} AS _length FROM {table.name} "
        f"WHERE rowid > $last AND source = $source AND mapping_hash <> $hash "
        f"LIMIT {SLICE_ROWS})) WHERE _upto - _length < {SLICE_BYTES}",
        {"source": source, "hash": mapping_hash, "last": last},
    )
    run(
        cursor,
        f"CREATE OR REPLACE TEMP TABLE taken AS SELECT rowid AS _row, source, {raw}, mapping_hash FROM {table.name} "
        "WHERE rowid IN (FROM stale)",
    )
    (end,) = run(cursor, "SELECT coalesce(max(_row), -1) FROM taken").fetchone() or (-1,)
    return int(end)


def _marks(table: Table) -> tuple[str, ...]:
    """What a row is known by. Another one may have got its place, and it may have come again with other columns."""
    return ("source", *table.key, "mapping_hash")


def _check(cursor: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Temporary table `stale` of the rows that are still what was taken; others are left as they are."""
    same = " AND ".join(f's."{name}" IS NOT DISTINCT FROM t."{name}"' for name in _marks(table))
    run(
        cursor,
        f"CREATE OR REPLACE TEMP TABLE stale AS SELECT _row FROM {table.name} AS s JOIN marks AS t ON s.rowid = _row "
        f"WHERE {same} AND {content(table, 's.')} = _content",
    )
    if table.derived and count(cursor, "stale") < count(cursor, "again"):
        run(cursor, "DELETE FROM again WHERE _row NOT IN (FROM stale)")


def _stage(cursor: duckdb.DuckDBPyConnection, deriver: Deriver, table: Table, rows: str) -> None:
    """Temporary table `again` of derived columns and of `_row`; of spans with all that rollups are made of."""
    if table is SPANS:
        from aether_tui.cache.columns import stage_again  # which knows prices and redaction: readers do without

        stage_again(cursor, "again", rows, deriver.deriver, "_row", "source")
        return
    inputs = [column for column in table.raw if column.name in deriver.inputs(table)]
    names = [column.name for column in inputs]
    found = run(cursor, f"SELECT DISTINCT {quoted(names)} FROM {rows}").fetchall()
    said = [dict(zip(names, row, strict=True)) for row in found]
    words = [tuple(_cell(row.get(column.name)) for column in table.raw) for row in said]
    arrive(cursor, "words", table.columns, deriver.derive(table, words))
    same = " AND ".join(f't."{name}" IS NOT DISTINCT FROM w."{name}"' for name in names)
    derived = ", ".join(f'w."{column.name}"' for column in table.derived)
    run(
        cursor,
        f"CREATE OR REPLACE TEMP TABLE again AS SELECT t._row, {derived} FROM {rows} AS t JOIN words AS w ON {same}",
    )


def _store(cursor: duckdb.DuckDBPyConnection, table: Table, source: str) -> None:
    """Write what `again` has otherwise, and bring the rollups along."""
    names = [column.name for column in table.derived]
    before = ", ".join(f't."{name}"' for name in names)
    differs = " OR ".join(f't."{name}" IS DISTINCT FROM a."{name}"' for name in names)
    run(
        cursor,
        f"CREATE OR REPLACE TEMP TABLE before AS SELECT a._row, {before} FROM {table.name} AS t JOIN again AS a ON t.rowid = a._row "
        f"WHERE {differs}",
    )
    if not count(cursor, "before"):
        return
    if table is SPANS:
        _follow(cursor, source, names)
    else:
        rollups.touch(cursor, table.name, f"(FROM {table.name} WHERE rowid IN (SELECT _row FROM before))")
    sets = ", ".join(f'"{name}" = a."{name}"' for name in names)
    run(
        cursor,
        f"UPDATE {table.name} SET {sets} FROM (FROM again WHERE _row IN (SELECT _row FROM before)) AS a "
        f"WHERE {table.name}.rowid = a._row",
    )


def _follow(cursor: duckdb.DuckDBPyConnection, source: str, names: Sequence[str]) -> None:
    """Move the rollups of spans from what stands in `before` to what stands in `again`."""
    come = "(FROM again WHERE _row IN (SELECT _row FROM before))"
    were = ", ".join(f'b."{name}"' for name in names)
    gone = f"(SELECT a.* EXCLUDE ({quoted([*FLAGS, *names])}), {were} FROM again AS a JOIN before AS b USING (_row))"
    run(cursor, f"CREATE OR REPLACE TEMP TABLE gone AS {flagged(gone)}")
    span_rollups.look_up(cursor, come, source, stored=True)
    span_rollups.follow(cursor, come, "gone", None)
    rollups.touch_scored(cursor, come)


def _cell(value: Value | list[str]) -> Value:
    return tuple(value) if isinstance(value, list) else value
