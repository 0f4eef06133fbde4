"""Rollups that a source computed where its spans are: cleaned, added up, and put in the place of what it said before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import duckdb

from aether_tui.cache import span_rollups
from aether_tui.cache.merge import Note, Origin, Write, write_note
from aether_tui.cache.rollups import DAILY
from aether_tui.cache.schema import COMPUTED, PUSHED, ROLLUPS, quoted
from aether_tui.cache.staging import arrive
from aether_tui.records import Column, Value
from aether_tui.records.definitions import render
from aether_tui.records.model import Kind
from aether_tui.records.source import Malformed, Pushed, Refused

_KINDS: Final[dict[str, Kind]] = {
    "VARCHAR": "text", "BIGINT": "int", "INTEGER": "int", "DOUBLE": "float", "DECIMAL(38,12)": "money",
    "BOOLEAN": "bool", "TIMESTAMP": "time",
}  # fmt: skip
_OTHER: Final[dict[str, Kind]] = {"user": "person", "source": "id", "trace_id": "id"}
_BUCKETS: Final = {rollup.table: rollup.bucket for rollup in DAILY} | {"tasks": "start"}


# What is clean may be longer, and hold digits: a name is made of it as of a span that was clean from the beginning.
_NAMED: Final = render(
    "(SELECT * REPLACE (operation || ' ' || {step_name('', substr(step, length(operation) + 2))} AS step) FROM arrived)",
    {},
)


class Cleaner(Protocol):
    """What `Ingest` does with columns."""

    def cleaned(self, column: Column, values: Sequence[Value]) -> Sequence[Value]:
        """Values of a column, cleaned."""
        ...


def store_pushed(
    cursor: duckdb.DuckDBPyConnection, write: Write, origin: Origin, pushed: Pushed, cleaner: Cleaner, note: Note
) -> int:
    """Replace what `origin.source` said of the days of `pushed` in every rollup; returns how many rows are there now.

    Raises Refused when spans of that source are stored, Malformed for rows that are none of the rollup.
    """
    total = 0
    for table in PUSHED:
        total += _stage(cursor, table, pushed, cleaner)
    with write(cursor):
        source = {"source": origin.source}
        if cursor.execute("SELECT 1 FROM spans WHERE source = $source LIMIT 1", source).fetchall():
            raise Refused(
                f"spans of {origin.source} are in the cache: rollups of the same would count twice",
                hint='give it another name in aether.toml with kind = "clickhouse", or run `aether-tui cache reset` and sync',
            )
        for table in PUSHED:
            bucket, columns = _BUCKETS[table], quoted(list(ROLLUPS[table]))
            cursor.execute(
                f"DELETE FROM {table} WHERE origin = $source AND {bucket} >= $begin AND {bucket} < $end",
                {**source, "begin": pushed.begin, "end": pushed.end},
            )
            cursor.execute(
                f"INSERT INTO {table} ({columns}, origin) SELECT {columns}, $source FROM pushed_{table}", source
            )
        write_note(cursor, origin, note, total)
    return total


def _stage(cursor: duckdb.DuckDBPyConnection, table: str, pushed: Pushed, cleaner: Cleaner) -> int:
    """Temporary table `pushed_<table>` of clean rows, one a key: two names may be one when they are clean."""
    computed = COMPUTED if table == "tasks" else {}
    kinds = {name: kind for name, kind in ROLLUPS[table].items() if name not in computed}
    given, rows = pushed.columns.get(table, list(kinds)), pushed.rows.get(table, ())
    if set(given) - set(computed) != set(kinds) or any(len(row) != len(given) for row in rows):
        raise Malformed(f"what came is no {table}: it has the columns {', '.join(given)[:200]}")
    columns = [Column(name, _OTHER.get(name, _KINDS[kinds[name]]), "") for name in kinds]
    values = zip(given, zip(*rows, strict=True), strict=True) if rows else ()
    found = dict(values)
    cells = [cleaner.cleaned(column, found[column.name]) for column in columns] if found else []
    typed = [Column(column.name, _stored(column.kind), "") for column in columns]
    arrive(cursor, "arrived", typed, list(zip(*cells, strict=True)) if cells else [])
    if computed:
        text = f"SELECT *, {', '.join(f'{render(sql, {})} AS {name}' for name, sql in computed.items())} FROM arrived"
    else:
        text = span_rollups.added_up(table, _NAMED if table == "steps_hourly" else "arrived")
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE pushed_{table} AS {text}")
    cursor.execute("DROP TABLE arrived")
    # Fetched to the end: a result that is half read keeps the next table from being staged.
    ((count,),) = cursor.execute(f"SELECT count(*) FROM pushed_{table}").fetchall()
    return int(count)


def _stored(kind: Kind) -> Kind:
    """A cleaned value is a text again."""
    return "text" if kind in ("person", "id") else kind
