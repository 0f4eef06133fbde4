"""A changed mapping or price derives stored rows again: locally, offline, from what the source said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final

import duckdb

from aether_tui.cache.lease import ReadLease
from aether_tui.cache.merge import Merged, Origin, Write, merge_staged
from aether_tui.cache.schema import quoted
from aether_tui.cache.staging import stage
from aether_tui.records import TABLES, Row, Table, Value

CHUNK_ROWS: Final = 10_000
"""Rows derived between two leases."""

Derive = Callable[[Table, Sequence[Row]], list[Row]]
Read = Callable[[], AbstractContextManager[ReadLease]]


def rederive_rows(
    cursor: duckdb.DuckDBPyConnection, read: Read, write: Write, derive: Derive, mapping_hash: str, now: datetime
) -> int:
    """Derive every row with another `mapping_hash` again, in short leases; returns how many.

    The merge does the rest: equal content with another derivation replaces the row and refreshes its buckets.
    """
    total = 0
    for table in TABLES.values():
        while found := _stale(read, table, mapping_hash):
            for source, rows in found.items():
                stage(cursor, f"staged_{table.name}", table, derive(table, rows))
                merge_staged(cursor, write, Origin(source, "", mapping_hash, now), [table], None, Merged())
                total += len(rows)
    return total


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
