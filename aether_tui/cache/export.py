"""Exports that replace: a whole export is collected in memory, then swapped in scope by scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import duckdb

from aether_tui.cache import rollups
from aether_tui.cache.merge import (
    LARGEST_SLICE,
    SLICE_ROWS,
    Merged,
    Note,
    Origin,
    Write,
    count,
    merge_slice,
    merge_staged,
    store_rejects,
    write_note,
)
from aether_tui.cache.schema import quoted
from aether_tui.cache.settings import by_all_rows
from aether_tui.cache.staging import arrive, deduplicate
from aether_tui.errors import ConfigurationError
from aether_tui.records import TABLES, Row
from aether_tui.records.source import Replace


class OlderExport(ConfigurationError):
    """An export older than the stored one of the same scope; `scope` and both dates say which."""

    def __init__(self, scope: str, stored: datetime, given: datetime) -> None:
        super().__init__(
            f"the export of {given:%Y-%m-%d %H:%M} is older than the stored one of {stored:%Y-%m-%d %H:%M}",
            where=scope,
            next_step="load the newer export, or use --force",
        )
        self.scope, self.stored, self.given = scope, stored, given


SORTED_ROWS: Final = LARGEST_SLICE
"""Rows of an export that are sorted at a time. DuckDB packs what is added to a table by fewer than 122,880."""

_PROVIDERS: Final = (("amazon", "aws"), ("microsoft", "azure"), ("google", "gcp"), ("oracle", "oci"))
"""Words in the names of one provider."""


class Export:
    """Rows of an export that replaces, collected in memory until it is whole: the file never holds half of one."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, origin: Origin, replace: Replace) -> None:
        self.table = TABLES[replace.table]
        self.origin, self.replace = origin, replace
        self._cursor = cursor
        self._empty = True

    def add(self, rows: Sequence[Row]) -> None:
        """Collect full rows."""
        if not rows:
            return
        arrive(self._cursor, "part", self.table.columns, rows)
        verb = "CREATE OR REPLACE TEMP TABLE export AS" if self._empty else "INSERT INTO export"
        self._cursor.execute(f"{verb} SELECT * FROM part")
        self._empty = False

    def close(self) -> None:
        """Forget what was collected."""
        self._cursor.close()

    def finish(self, write: Write, note: Note, *, force: bool) -> Merged:
        """Replace every scope the export holds, each within one transaction; `note` commits with the last.

        Raises OlderExport, before anything is written, when a scope holds a newer export and `force` is not given.
        """
        result, cursor = Merged(), self._cursor
        if self._empty:
            merge_staged(cursor, write, self.origin, [], note, result)
            return result
        if self.replace.repeats:
            self._number()
        scopes = self._scopes()
        with write(cursor):
            if not force:
                self._refuse_older([text for text, _ in scopes])
        for low, high in _batches([rows for _, rows in scopes]):
            # Before the transaction: rows it has not committed yet have no small rowids, by which slices are cut.
            self._stage_batch(low, high, sum(rows for _, rows in scopes[low:high]))
            last = high == len(scopes)
            with write(cursor):
                part = self._replace_batch()
                self._remember([text for text, _ in scopes[low:high]])
                result.rejected += store_rejects(cursor, self.origin, note.rejects) if last else 0
                write_note(cursor, self.origin, note if last else Note(), part.inserted - part.removed)
            result.add(self.table.name, part)
        return result

    def _scopes(self) -> list[tuple[str, int]]:
        """Temporary table `scopes`, numbered by rowid; each as text with its rows."""
        names = ", ".join(f'{_meant(name)} AS "{name}"' for name in self.replace.scope)
        self._cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE scopes AS SELECT {names}, count(*) AS _rows FROM export GROUP BY ALL ORDER BY ALL"
        )
        found = self._cursor.execute("FROM scopes ORDER BY rowid").fetchall()
        return [(_scope_text(self.replace.scope, values), rows) for *values, rows in found]

    def _number(self) -> None:
        """Temporary table `again` of the rows whose key an earlier row has, with their ordinals among those."""
        key = quoted(self.table.key)
        self._cursor.execute(  # by hashes first, which take a fraction of the room of keys
            f"CREATE OR REPLACE TEMP TABLE again AS SELECT rowid AS _row, row_number() OVER (PARTITION BY {key} ORDER BY rowid) - 1 "
            f"AS _number FROM export WHERE hash({key}) IN (SELECT hash({key}) FROM export GROUP BY ALL HAVING count(*) > 1) "
            "QUALIFY _number > 0"
        )

    def _stage_batch(self, low: int, high: int, rows: int) -> None:
        cursor = self._cursor
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE batch AS FROM scopes WHERE rowid >= {low} AND rowid < {high}")
        come = f"FROM {self._of_batch('export')}"
        if self.replace.repeats:
            key = quoted(self.table.key)
            numbered = f"concat({key}, '-', coalesce(a._number, 0)) AS {key}"
            come = f"SELECT r.* REPLACE ({numbered}) {come} LEFT JOIN again AS a ON a._row = r.rowid"
        # Only now, and some at a time, as sorting takes twice the room of what is sorted.
        deduplicate(cursor, "staged_scope", self.table, f"({come})", pieces=-(-rows // SORTED_ROWS))

    def _of_batch(self, table: str) -> str:
        """SQL: rows of a table that belong to a scope of the batch. Of those for which EXISTS holds DuckDB would copy the table first."""
        same = " AND ".join(f'b."{name}" IS NOT DISTINCT FROM {_meant(name, "r.")}' for name in self.replace.scope)
        return f"{table} AS r SEMI JOIN batch AS b ON {same}"

    def _replace_batch(self) -> Merged:
        cursor, table = self._cursor, self.table
        rollups.start(cursor)
        (rows,) = cursor.execute("SELECT count(*) FROM staged_scope").fetchone() or (0,)
        part = merge_slice(cursor, table, "staged_scope", self.origin, 0, rows)
        keys = quoted(table.key)
        cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE gone AS SELECT r.rowid AS _row FROM {self._of_batch(table.name)} WHERE source = $source "
            f"AND ({keys}) NOT IN (SELECT ({keys}) FROM staged_scope)",
            {"source": self.origin.source},
        )
        part.removed = count(cursor, "gone")
        if part.removed:
            removed = f"FROM {table.name} WHERE rowid IN (SELECT _row FROM gone)"
            with by_all_rows(cursor):
                rollups.touch(cursor, table.name, f"({removed})")
                cursor.execute(f"DELETE {removed}")
        rollups.refresh(cursor)
        return part

    def _refuse_older(self, scopes: Sequence[str]) -> None:
        stored: Mapping[str, datetime] = dict(
            self._cursor.execute(
                'SELECT scope, as_of FROM exports WHERE source = $source AND "table" = $table',
                {"source": self.origin.source, "table": self.table.name},
            ).fetchall()
        )
        for scope in scopes:
            if scope in stored and self.replace.as_of < stored[scope]:
                raise OlderExport(scope, stored[scope], self.replace.as_of)

    def _remember(self, scopes: Sequence[str]) -> None:
        key = {"source": self.origin.source, "table": self.table.name, "scopes": list(scopes)}
        self._cursor.execute(
            'DELETE FROM exports WHERE source = $source AND "table" = $table AND list_contains($scopes, scope)', key
        )
        self._cursor.execute(
            "INSERT INTO exports SELECT $source, $table, unnest($scopes), $as_of", {**key, "as_of": self.replace.as_of}
        )


def _meant(name: str, prefix: str = "") -> str:
    """SQL: what a column of a scope means. A provider has one name in one version of FOCUS and another in the next."""
    column = f'{prefix}"{name}"'
    if name != "provider":
        return column
    lower = f"lower(trim({column}))"
    known = " ".join(
        rf"WHEN regexp_matches({lower}, '\b({'|'.join(words)})\b') THEN '{words[0]}'" for words in _PROVIDERS
    )
    return f"CASE {known} ELSE {lower} END"


def _batches(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ranges of scopes of about `SLICE_ROWS` rows; a scope is never split."""
    low, rows = 0, 0
    for place, size in enumerate(sizes):
        if rows and rows + size > SLICE_ROWS:
            yield low, place
            low, rows = place, 0
        rows += size
    yield low, len(sizes)


def _scope_text(names: Sequence[str], values: Sequence[object]) -> str:
    return ", ".join(f"{name}={'' if value is None else value}" for name, value in zip(names, values, strict=True))
