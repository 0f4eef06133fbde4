"""Tombstones: at an instant, a source no longer had a thing. What it said of it before that does not bring it back."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import duckdb

from aether_tui.cache.parsed import run
from aether_tui.records import TABLES, Table
from aether_tui.records.source import Name
from aether_tui.records.tables import SPANS

_BETWEEN: Final = "\x1f"


def name(thing: Name) -> str:
    """What a source calls a thing, as one text."""
    return thing if isinstance(thing, str) else _BETWEEN.join(thing)


def named(table: Table) -> str:
    """SQL: the same of a row of `table`."""
    columns = [f'"{column}"' for column in table.name_columns]
    return columns[0] if len(columns) == 1 else f"concat_ws(chr({ord(_BETWEEN)}), {', '.join(columns)})"


def belonging(table: Table) -> dict[str, list[str]]:
    """Columns with names of things of `table`, of the other tables whose rows belong to them."""
    columns = {name: [column for of, column in other.of if of == table.name] for name, other in TABLES.items()}
    return {name: found for name, found in columns.items() if found}


def outlived(cursor: duckdb.DuckDBPyConnection, table: Table, source: str, said: datetime) -> str:
    """SQL condition: a row of `table`, said at that instant, is of nothing that has gone since."""
    if table is SPANS:  # by far the most rows, and nobody deletes one
        return "TRUE"
    things = [(table.name, named(table)), *((of, f'"{column}"') for of, column in table.of)]
    quoted = source.replace("'", "''")
    gone = f"""FROM tombstones WHERE source = '{quoted}' AND "at" > TIMESTAMP '{said}'"""
    known = {name for (name,) in run(cursor, f'SELECT DISTINCT "table" {gone}').fetchall()}
    outlived = (
        f"({thing} NOT IN (SELECT key {gone} AND \"table\" = '{of}')) IS NOT FALSE"
        for of, thing in things
        if of in known
    )
    return " AND ".join(outlived) or "TRUE"
