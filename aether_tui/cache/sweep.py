"""Deletions: what a source no longer has goes, with what belongs to it, and leaves a tombstone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import duckdb

from aether_tui.cache import rollups, thrift
from aether_tui.cache.merge import Origin, Write
from aether_tui.records import Table

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
        tables: Sequence[Table],
        of: tuple[str, Sequence[str]] | None = None,
    ) -> None:
        self._cursor, self._origin, self._tables = cursor, origin, tables
        column, names = of or ("", ())
        self._mine, self._names = (
            (f' AND list_contains($names, "{column}")', {"names": list(names)}) if of else ("", {})
        )
        cursor.execute("CREATE OR REPLACE TEMP TABLE alive (id UBIGINT)")

    def add(self, ids: Sequence[str]) -> None:
        """Collect ids, clean as they are stored."""
        self._cursor.execute("INSERT INTO alive SELECT hash(unnest(CAST($ids AS VARCHAR[])))", {"ids": list(ids)})

    def finish(self, write: Write, *, force: bool) -> Swept:
        """Remove what is gone, in one transaction; with `force` however much it is."""
        while True:
            with suppress(thrift.Tight):
                return self._finish(write, force=force)
            thrift.widen(self._cursor)

    def _finish(self, write: Write, *, force: bool) -> Swept:
        cursor, first = self._cursor, self._tables[0]
        key, origin = first.key[0], {"source": self._origin.source, **self._names}
        with write(cursor):
            (stored,) = cursor.execute(
                f"SELECT count(*) FROM {first.name} WHERE source = $source{self._mine}", origin
            ).fetchone() or (0,)
            with thrift.looking(cursor):
                cursor.execute(
                    f'CREATE OR REPLACE TEMP TABLE gone AS SELECT DISTINCT "{key}" AS id FROM {first.name} '
                    f'WHERE source = $source{self._mine} AND ingested_at <= $now AND hash("{key}") NOT IN (FROM alive)',
                    {**origin, "now": self._origin.now},
                )
            (gone,) = cursor.execute("SELECT count(*) FROM gone").fetchone() or (0,)
            if gone > max(FEW, MOST_SHARE * stored) and not force:
                return Swept(stored, gone, refused=True)
            named = {"source": self._origin.source, "table": first.name, "now": self._origin.now}
            cursor.execute(
                'DELETE FROM tombstones WHERE source = $source AND "table" = $table AND (hash(key) IN (FROM alive) OR key IN (FROM gone))',
                {"source": named["source"], "table": named["table"]},
            )
            if gone:
                cursor.execute("INSERT INTO tombstones SELECT $source, $table, id, $now FROM gone", named)
                self._remove()
        return Swept(stored, gone)

    def _remove(self) -> None:
        rollups.start(self._cursor)
        for table in self._tables:
            column = table.key[0] if table is self._tables[0] else table.of
            if column:
                rows = f'FROM {table.name} WHERE source = $source AND "{column}" IN (FROM gone)'
                with thrift.looking(self._cursor):
                    self._cursor.execute(
                        f"CREATE OR REPLACE TEMP TABLE leaving AS {rows}", {"source": self._origin.source}
                    )
                rollups.touch(self._cursor, table.name, "leaving")
                self._cursor.execute(f"DELETE {rows}", {"source": self._origin.source})
        rollups.refresh(self._cursor)

    def close(self) -> None:
        """Forget what was collected."""
        self._cursor.close()
