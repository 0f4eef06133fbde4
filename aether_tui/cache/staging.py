"""Python rows → a temporary DuckDB table, by columns: numpy arrays are the fastest way in that needs no other library."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import msgspec

from aether_tui.cache.schema import quoted, sql_type
from aether_tui.records import Column, Row, Table, Value

if TYPE_CHECKING:  # readers do without numpy: it costs 60 ms and 20 MB
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic] | np.ma.MaskedArray[tuple[int], np.dtype[np.generic]]


def stage(cursor: duckdb.DuckDBPyConnection, name: str, table: Table, rows: Sequence[Row]) -> None:
    """Make temporary table `name` of full rows (`Table.columns` order), deduplicated by key, in order of time.

    Of equal keys the one with the highest revision stays, then the one with the highest content hash.
    Raises ValueError when a row has another length than the table.
    """
    if rows and len(rows[0]) != len(table.columns):
        raise ValueError(f"rows of {table.name} have {len(rows[0])} values, not {len(table.columns)}")
    arrive(cursor, "arrived", table.columns, rows)
    deduplicate(cursor, name, table, "arrived")
    cursor.execute("DROP TABLE arrived")


def arrive(cursor: duckdb.DuckDBPyConnection, name: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    """Make temporary table `name` of rows as they are. Raises ValueError for rows of different lengths."""
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    cursor.register(
        "arriving", {column.name: _array(column, values) for column, values in zip(columns, cells, strict=True)}
    )
    try:
        picked = ", ".join(f'{_read(column)} AS "{column.name}"' for column in columns)
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {picked} FROM arriving")
    finally:
        cursor.unregister("arriving")


def deduplicate(cursor: duckdb.DuckDBPyConnection, name: str, table: Table, rows: str) -> None:
    """Temporary table `name` of the winners among `rows`, its rowids in order of time."""
    key = quoted(table.key)
    winners = rows
    doubled = cursor.execute(f"SELECT count(*) - count(DISTINCT ({key})) FROM {rows}").fetchone()
    if doubled and doubled[0]:
        winners = (
            f"(FROM {rows} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {revision(table)} DESC, "
            f"{content(table)} DESC, {derived(table)} DESC) = 1)"
        )
    cursor.execute(
        f'CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {winners} ORDER BY "{table.at}" NULLS FIRST, {key}'
    )


def settle(cursor: duckdb.DuckDBPyConnection, name: str, table: Table, rows: str) -> None:
    """As `deduplicate`, of a temporary table that is given away: one in order but for an hour only gets the name.

    Traces that run at once lie across each other; what is gained by sorting is that a slice touches few hours.
    """
    late = f'"{table.at}" < lag("{table.at}") OVER () - INTERVAL 1 HOUR'
    asked = f"SELECT count(*) - count(DISTINCT hash({quoted(table.key)})) + count_if(_late) FROM (SELECT *, {late} AS _late FROM {rows})"
    (wrong,) = cursor.execute(asked).fetchone() or (0,)
    if wrong:
        deduplicate(cursor, name, table, rows)
        cursor.execute(f"DROP TABLE {rows}")
    else:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.execute(f"ALTER TABLE {rows} RENAME TO {name}")


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


def _read(column: Column) -> str:
    name = f'"{column.name}"'
    if column.kind == "texts":
        return f"from_json({name}, '[\"VARCHAR\"]')"
    if column.kind == "float":
        return f"CASE WHEN isfinite({name}) THEN {name} END"
    cast = "TRY_CAST" if column.kind == "money" else "CAST"  # NaN and Infinity have no decimal
    return f"{cast}({name} AS {sql_type(column)})"


def _array(column: Column, values: Sequence[Value]) -> Array:
    import numpy as np

    kind = column.kind
    if kind in ("time", "day"):
        return np.array(values, dtype="datetime64[us]")
    if kind in ("int", "float", "bool"):
        dtype = {"int": np.int64, "float": np.float64, "bool": np.bool_}[kind]
        return np.ma.array([value or 0 for value in values], mask=[value is None for value in values], dtype=dtype)
    if kind == "texts":
        return _objects([None if value is None else msgspec.json.encode(value).decode() for value in values])
    if kind == "money":
        return _objects([None if value is None else str(value) for value in values])
    return _objects(values)


def _objects(values: Sequence[Value]) -> Array:
    import numpy as np

    # An array made by np.array(values) would look into the values; this one holds them as they are.
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def naive(instant: datetime) -> datetime:
    """UTC without zone, as stored."""
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
