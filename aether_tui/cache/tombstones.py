"""Tombstones: at an instant, a source no longer had a thing. What it said of it before that does not bring it back."""

from __future__ import annotations

from datetime import datetime

import duckdb

from aether_tui.records import Table
from aether_tui.records.tables import SPANS, WORK_ITEMS


def outlived(cursor: duckdb.DuckDBPyConnection, table: Table, source: str, said: datetime) -> str:
    """SQL condition: a row of `table`, said at that instant, is of nothing that has gone since."""
    if table is SPANS:  # by far the most rows, and nobody deletes one
        return "TRUE"
    # What rows of other tables are `of` are work items.
    columns = {table.name: table.key[0], **({WORK_ITEMS.name: table.of} if table.of else {})}
    quoted = source.replace("'", "''")
    gone = f"""FROM tombstones WHERE source = '{quoted}' AND "at" > TIMESTAMP '{said}'"""
    known = {name for (name,) in cursor.execute(f'SELECT DISTINCT "table" {gone}').fetchall()}
    outlived = (
        f'"{column}" NOT IN (SELECT key {gone} AND "table" = \'{name}\')'
        for name, column in columns.items()
        if name in known
    )
    return " AND ".join(outlived) or "TRUE"
