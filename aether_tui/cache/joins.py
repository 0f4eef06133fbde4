"""Which table of a join DuckDB hashes, and what it must not look up by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from aether_tui.cache.parsed import run


@contextmanager
def by_all_rows(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Statements within look for rows by their number where the same transaction has added some: with two threads DuckDB 2.0 now and
    then loses the first and the last of those that were there before, when the numbers sought become a filter of the scan."""
    run(cursor, "SET GLOBAL disabled_optimizers = 'join_filter_pushdown'")
    try:
        yield
    finally:
        with cursor.cursor() as other:
            run(other, "RESET GLOBAL disabled_optimizers")


@contextmanager
def hash_the_last(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Statements within hash the table that a join names last. Where DuckDB has no statistics, or many conditions to guess by, it
    would hash the many spans to look the few rows up in them, and lose their order, too."""
    run(cursor, "SET GLOBAL disabled_optimizers = 'build_side_probe_side'")
    try:
        yield
    finally:
        # It holds for every cursor of the process, and one whose transaction failed takes no word any more.
        with cursor.cursor() as other:
            run(other, "RESET GLOBAL disabled_optimizers")
