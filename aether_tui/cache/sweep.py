"""Deletions: what a source no longer has goes, with what belongs to it, and leaves a tombstone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import duckdb

from aether_tui.cache import rollups, thrift
from aether_tui.cache.merge import Origin, Write
from aether_tui.cache.tombstones import belonging, name, named
from aether_tui.records import Table
from aether_tui.records.source import Name, Unlisted

MOST_SHARE: Final = 0.5
"""Share of the stored rows that may be found gone at a time; more looks like a lost permission."""
FEW: Final = 20
"""So many may go whatever their share."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: rows stored before it, of which so many are gone; `refused`: too many to believe, none removed."""

    stored: int
    gone: int
    refused: bool = False


class Sweep:
    """The ids that are alive in a source, collected in memory as hashes; then the rows without one are removed.

    What another process stored after the look began stays: the source may have made it meanwhile.
    """

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        origin: Origin,
        table: Table,
        of: tuple[str, Sequence[str]] | None = None,
    ) -> None:
        self._cursor, self._origin, self._table = cursor, origin, table
        column, names = of or ("", ())
        self._mine = f' AND list_contains($names, lower("{column}"))' if of else ""
        self._names: dict[str, object] = {"names": [one.lower() for one in names]} if of else {}
        cursor.execute("CREATE OR REPLACE TEMP TABLE alive (id UBIGINT)")

    def add(self, ids: Sequence[Name]) -> None:
        """Collect ids, clean as they are stored."""
        alive = {"ids": [name(one) for one in ids]}
        self._cursor.execute("INSERT INTO alive SELECT hash(unnest(CAST($ids AS VARCHAR[])))", alive)

    def leave(self, rows: Unlisted) -> None:
        """Look for all but these rows."""
        if not rows.column:
            self._mine += " AND FALSE"
            return
        self._mine += f' AND "{rows.column}" IS DISTINCT FROM $left{len(self._names)}'
        self._names[f"left{len(self._names)}"] = rows.value

    def finish(self, write: Write, *, force: bool) -> Swept:
        """Remove what is gone, in one transaction; with `force` however much it is."""
        while True:
            with suppress(thrift.Tight):
                return self._finish(write, force=force)
            thrift.widen(self._cursor)

    def _finish(self, write: Write, *, force: bool) -> Swept:
        cursor, table, called = self._cursor, self._table.name, named(self._table)
        origin = {"source": self._origin.source, **self._names}
        with write(cursor):
            (stored,) = cursor.execute(
                f"SELECT count(*) FROM {table} WHERE source = $source{self._mine}", origin
            ).fetchone() or (0,)
            with thrift.looking(cursor):
                cursor.execute(
                    f"CREATE OR REPLACE TEMP TABLE gone AS SELECT DISTINCT {called} AS id FROM {table} "
                    f"WHERE source = $source{self._mine} AND ingested_at <= $now AND hash({called}) NOT IN (FROM alive)",
                    {**origin, "now": self._origin.now},
                )
            (gone,) = cursor.execute("SELECT count(*) FROM gone").fetchone() or (0,)
            if gone > max(FEW, MOST_SHARE * stored) and not force:
                return Swept(stored, gone, refused=True)
            tombstone = {"source": self._origin.source, "table": table, "now": self._origin.now}
            cursor.execute(
                'DELETE FROM tombstones WHERE source = $source AND "table" = $table AND (hash(key) IN (FROM alive) OR key IN (FROM gone))',
                {"source": self._origin.source, "table": table},
            )
            if gone:
                cursor.execute("INSERT INTO tombstones SELECT $source, $table, id, $now FROM gone", tombstone)
                self._remove()
        return Swept(stored, gone)

    def _remove(self) -> None:
        cursor, origin = self._cursor, {"source": self._origin.source}
        rollups.start(cursor)
        for table, columns in {self._table.name: [named(self._table)], **belonging(self._table)}.items():
            theirs = " OR ".join(f"{column} IN (FROM gone)" for column in columns)
            rows = f"FROM {table} WHERE source = $source AND ({theirs})"
            with thrift.looking(cursor):
                cursor.execute(f"CREATE OR REPLACE TEMP TABLE leaving AS {rows}", origin)
            rollups.touch(cursor, table, "leaving")
            cursor.execute(f"DELETE {rows}", origin)
        rollups.refresh(cursor)

    def close(self) -> None:
        """Forget what was collected."""
        self._cursor.close()
