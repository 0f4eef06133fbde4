"""Python rows → a temporary DuckDB table, as JSON lines: as fast as arrays of numpy, whose import alone takes 10 MB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Final

import duckdb
import msgspec

from aether_tui.cache.aside import aside
from aether_tui.cache.flags import flagged
from aether_tui.cache.parsed import run
from aether_tui.cache.schema import quoted, sql_type
from aether_tui.records import Column, Row, Table
from aether_tui.records.model import Kind
from aether_tui.records.tables import SPANS

_AT_ONCE: Final = 10_000
"""Rows on their way into DuckDB at a time."""
_TOGETHER: Final = 500
"""Rows that are written at a time."""
_SAID: Final[dict[Kind, str]] = {"texts": "VARCHAR[]", "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN"}
"""Types of what JSON says otherwise than as text."""
_ENCODER: Final = msgspec.json.Encoder()


def stage(
    cursor: duckdb.DuckDBPyConnection, name: str, table: Table, rows: Sequence[Row], *, placed: bool = False
) -> None:
    """Make temporary table `name` of full rows (`Table.columns` order), spans with `flags.FLAGS`, deduplicated by key, in order of time.

    Of equal keys the one with the highest revision stays, then the one with the highest content hash. If `placed`, `_place` says
    where each came.
    Raises ValueError when a row has another length than the table.
    """
    if rows and len(rows[0]) != len(table.columns):
        raise ValueError(f"rows of {table.name} have {len(rows[0])} values, not {len(table.columns)}")
    arrive(cursor, "arrived", table.columns, rows)
    deduplicate(cursor, name, table, "(SELECT *, rowid AS _place FROM arrived)" if placed else "arrived", new=True)
    run(cursor, "DROP TABLE arrived")


def arrive(cursor: duckdb.DuckDBPyConnection, name: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    """Make temporary table `name` of rows as they are. Raises TypeError for a row of another length."""
    own = ", ".join(f'"{column.name}" {sql_type(column)}' for column in columns)
    run(cursor, f"CREATE OR REPLACE TEMP TABLE {name} ({own})")
    line = _line(len(columns))
    picked = ", ".join(_read(place, column) for place, column in enumerate(columns))
    said = ", ".join(f"c{place}: '{_SAID.get(column.kind, 'VARCHAR')}'" for place, column in enumerate(columns))
    for start in range(0, len(rows), _AT_ONCE):
        with aside() as (file, path):
            longest = 1
            for some in range(start, min(start + _AT_ONCE, len(rows)), _TOGETHER):
                part = rows[some : min(some + _TOGETHER, start + _AT_ONCE)]
                longest = max(longest, file.write(_ENCODER.encode_lines([line(*row) for row in part])))
            file.flush()
            run(
                cursor,
                f"INSERT INTO {name} SELECT {picked} FROM read_json('{path}', format = 'newline_delimited', "
                f"maximum_object_size = $longest, columns = {{{said}}})",
                {"longest": longest},
            )


@cache
def _line(columns: int) -> type[msgspec.Struct]:
    """Rows of so many columns, as msgspec writes them fastest."""
    return msgspec.defstruct("Line", [f"c{place}" for place in range(columns)], gc=False)


def deduplicate(
    cursor: duckdb.DuckDBPyConnection, name: str, table: Table, rows: str, *, new: bool = False, pieces: int = 1
) -> None:
    """Temporary table `name` of the winners among `rows`, its rowids in order of time. Spans that are `new` get their `FLAGS`.

    Rows of a long time can be sorted in so many `pieces`, which takes less memory.
    """
    key = quoted(table.key)
    doubled = run(cursor, f"SELECT count(*) - count(DISTINCT ({key})) FROM {rows}").fetchone()
    left = winners(table, rows) if doubled and doubled[0] else rows
    if new and table is SPANS:
        left = f"({flagged(left)})"
    verb = f"CREATE OR REPLACE TEMP TABLE {name} AS"
    for within in _pieces(cursor, f'"{table.at}"', left, pieces):
        run(cursor, f'{verb} SELECT * FROM {left} WHERE {within} ORDER BY "{table.at}" NULLS FIRST, {key}')
        verb = f"INSERT INTO {name}"


def _pieces(cursor: duckdb.DuckDBPyConnection, at: str, rows: str, pieces: int) -> Iterator[str]:
    """SQL conditions that cut rows into about so many pieces of about the same size, one after the other in time."""
    found = None
    if shares := [number / pieces for number in range(1, pieces)]:
        found = run(cursor, f"SELECT quantile_disc({at}, {shares}) FROM {rows}").fetchone()
    after = "TRUE"
    for end in dict.fromkeys((found and found[0]) or ()):
        upto = f"{at} <= TIMESTAMP '{end}'"
        yield f"{upto} OR {at} IS NULL" if after == "TRUE" else f"{after} AND {upto}"
        after = f"{at} > TIMESTAMP '{end}'"
    yield after


def winners(table: Table, rows: str) -> str:
    """Relation of the rows that stay of a relation with equal keys."""
    return (
        f"(FROM {rows} QUALIFY row_number() OVER (PARTITION BY {quoted(table.key)} ORDER BY {revision(table)} DESC, "
        f"{content(table)} DESC, {derived(table)} DESC) = 1)"
    )


def revision(table: Table, prefix: str = "") -> str:
    """SQL: the revision of a row, oldest where it has none."""
    return f"coalesce({prefix}{table.revision}, TIMESTAMP '0001-01-01')" if table.revision else "0"


def content(table: Table, prefix: str = "") -> str:
    """SQL: hash of the raw columns, but for the one that says when they were read."""
    return f"hash({_names([column for column in table.raw if column.name != table.read], prefix)})"


def derived(table: Table, prefix: str = "") -> str:
    """SQL: hash of the derived columns."""
    return f"hash({_names(table.derived, prefix) or '0'})"


def _names(columns: Sequence[Column], prefix: str) -> str:
    return ", ".join(f'{prefix}"{column.name}"' for column in columns)


def _read(place: int, column: Column) -> str:
    cast = "TRY_CAST" if column.kind == "money" else "CAST"  # NaN and Infinity have no decimal
    return f"{cast}(c{place} AS {sql_type(column)})"


def naive(instant: datetime) -> datetime:
    """UTC without zone, as stored."""
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
