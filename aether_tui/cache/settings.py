"""Settings of DuckDB that hold for some statements only, or from some on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Final

import duckdb

from aether_tui.cache.parsed import run

HELD_MB: Final = 256
"""MB of memory that are held for temporary tables of a load."""


@contextmanager
def _setting(cursor: duckdb.DuckDBPyConnection, name: str, value: str) -> Iterator[None]:
    run(cursor, f"SET GLOBAL {name} = '{value}'")
    try:
        yield
    finally:
        # It holds for every cursor of the process, and one whose transaction failed takes no word any more. After a fatal error there
        # is another DuckDB, where it was never set.
        with suppress(duckdb.Error), cursor.cursor() as other:
            run(other, f"RESET GLOBAL {name}")


def hash_the_last(cursor: duckdb.DuckDBPyConnection) -> AbstractContextManager[None]:
    """Statements within hash the table that a join names last. Where DuckDB has no statistics, or many conditions to guess by, it
    would hash the many spans to look the few rows up in them, and lose their order, too."""
    return _setting(cursor, "disabled_optimizers", "build_side_probe_side")


def by_all_rows(cursor: duckdb.DuckDBPyConnection) -> AbstractContextManager[None]:
    """Statements within look for rows by their number where the same transaction has added some: with two threads DuckDB 2.0 now and
    then loses the first and the last of those that were there before, when the numbers sought become a filter of the scan."""
    return _setting(cursor, "disabled_optimizers", "join_filter_pushdown")


def one_thread(cursor: duckdb.DuckDBPyConnection) -> AbstractContextManager[None]:
    """Statements within fill one row group after the other. DuckDB's threads would begin one each where a row group of the temporary
    table ends, and `tidy` would write them again."""
    return _setting(cursor, "threads", "1")


def for_large_files(cursor: duckdb.DuckDBPyConnection) -> None:
    """What holds from a load on until the process ends, since nothing sets it back.

    Memory for blocks of tables is kept: what is given back to the system comes again as new pages, which takes 2 to 3 % of the CPU of a
    load. And Parquet is read as it is needed: fetched ahead, a row group of a million long rows (pyarrow makes them so) takes hundreds
    of MB more.
    """
    run(cursor, f"SET GLOBAL block_allocator_memory = '{HELD_MB}MB'")
    run(cursor, "SET GLOBAL disable_parquet_prefetching = true")
