"""`Cache`: what the rest of the program sees of the DuckDB file."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import duckdb

from aether_tui.cache import thrift
from aether_tui.cache.bulk import bulk_parts, scanned, scanned_files
from aether_tui.cache.bulk_merge import PREPARED, merge_part
from aether_tui.cache.bulk_rows import read_bulk as bulk_rows
from aether_tui.cache.bulk_rows import translated
from aether_tui.cache.damage import CacheDamaged
from aether_tui.cache.export import Export
from aether_tui.cache.joint import Files
from aether_tui.cache.lease import ROW_GROUP, leases_of
from aether_tui.cache.look import ReadLease
from aether_tui.cache.merge import Merged, Note, Origin, Pace, Parts, merge_rows, write_note
from aether_tui.cache.parts import divisible
from aether_tui.cache.rederive import PATIENCE_S, SLICE_ROWS, Deriver, rederive_rows, tables_behind
from aether_tui.cache.rollups import raw_from
from aether_tui.cache.schema import read_all, stored_version
from aether_tui.cache.settings import for_large_files
from aether_tui.cache.staging import naive
from aether_tui.cache.sweep import Sweep, Swept
from aether_tui.cache.tally import tallied
from aether_tui.cache.upkeep import (
    FLOW_COUNTED,
    Info,
    compact,
    count_flow_again,
    count_older,
    findings,
    keep_note,
    noted,
    prunable,
    prune,
    table_info,
    used_blocks,
)
from aether_tui.errors import NoData
from aether_tui.records import Row, Table
from aether_tui.records.source import PLACE, Bulk, Pushed, Refused, Reject, Replace, Scan, Tally, Together, Whole
from aether_tui.records.tables import SPANS

if TYPE_CHECKING:
    from aether_tui.cache.columns import Preparer
    from aether_tui.cache.pushed import Cleaner


TIDY_ROWS: Final = 2_000
"""Rows from which a merge of a frugal process leaves its row groups as they are: putting them together takes as much memory
as the merge."""
TIDIED: Final = 8
"""Row groups of each table that are put together in one lease: 0.15 to 0.25 s of CPU for all tables. Of four only every second or third
lease frees a block, and one that frees none is taken for the end."""
RENEWED_EVERY: Final = 5
"""Merges after which a frugal process begins anew with DuckDB: each leaves up to half a MB that only its end gives back."""


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where a stream of a source stands; `rows` is how many it holds in the cache."""

    cursor: str | None
    last_attempt: datetime | None
    last_success: datetime | None
    last_error: str | None
    rows: int
    state: Mapping[str, object] = field(default_factory=dict)


class Cache:
    """The local DuckDB file. Opens nothing until it is used, and never keeps the file open."""

    def __init__(self, path: Path, *, wait_s: float = 30.0) -> None:
        self.path = path
        self.wait_s = wait_s
        self._leases = leases_of(path)
        self._pace = Pace()
        self._exports: dict[tuple[str, str], Export] = {}
        self._local: set[str] = set()
        self._frugal = False
        self._room = thrift.ROOM
        self._merges = self._sweeps = 0
        self._merging: duckdb.DuckDBPyConnection | None = None
        self._stopped = False

    def frugal(self) -> None:
        """Work in one thread, which takes less memory and less CPU for many small merges; large files get all cores."""
        self._frugal = True
        self._leases.threads(1)

    def _renew(self) -> None:
        """Where nothing is collected in DuckDB's memory, let go of it now and then."""
        self._merges += 1
        if self._frugal and self._merges % RENEWED_EVERY == 0 and not self._exports and not self._sweeps:
            self._leases.renew()

    @contextmanager
    def _of_files(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that reads large files, on all cores."""
        before, connection = self._leases.threads(0), self._leases.cursor()
        try:
            yield connection
        finally:
            connection.close()
            self._leases.threads(before)

    def stop(self) -> None:
        """End the merge that another thread is at: it is rolled back and raises duckdb.InterruptException, as all later ones do.

        A query that begins in this instant is missed: call it until that thread is done.
        """
        self._stopped = True
        if (merging := self._merging) is not None:
            with suppress(duckdb.Error):
                merging.interrupt()

    def exists(self) -> bool:
        """Whether there is a cache file."""
        return self.path.exists()

    def interrupted(self) -> bool:
        """Whether a writer was stopped and left its log; the next look folds in what it had committed. Raises CacheTrouble."""
        return self._leases.interrupted(self.wait_s)

    def read(self) -> AbstractContextManager[ReadLease]:
        """A short read lease. Raises NoData without a cache, CacheTrouble when it is locked too long, damaged or newer."""
        return self._leases.read(self.wait_s)

    @contextmanager
    def _look(self) -> Iterator[ReadLease]:
        """A read lease in which a frugal process may look through whole tables."""
        with self.read() as lease:
            if self._frugal:
                thrift.thrifty(lease.cursor, self._room)
            yield lease

    def beside(self) -> duckdb.DuckDBPyConnection:
        """A connection to this process's in-memory database (`memory.main`), where a list is paged without a lease."""
        return self._leases.cursor()

    def ensure(self) -> Path | None:
        """Make sure that a sound cache exists, for commands that write: call it first.

        A cache that does not open is moved aside and begun anew, or only its log (`.wal`), where the rest is whole; returns where to, for
        the message to the user. One that opens and turns out to be unreadable later ends the command, and is moved aside, too.
        """
        self._leases.mends = True
        try:
            with self._write():
                return None
        except CacheDamaged as damaged:
            with self._write():
                return damaged.moved_to

    def begin(
        self, deriver: Deriver, mapping_hash: str, retention_days: Mapping[str, int], *, now: datetime, derived_by: str
    ) -> tuple[Path | None, int]:
        """What `ensure`, `rederive` and `prune` do, in one look where nothing is to be done; every block is read where a reader met
        damage. `derived_by` is kept, for reports to compare the configuration with.

        Returns where a damaged cache was moved to, and how many rows were derived again.
        """
        self._leases.mends = True
        made, behind, due = True, False, list(prunable(retention_days, naive(now)))
        before = counted = None
        try:
            with self._look() as lease:
                if self._leases.damage.doubted:
                    read_all(lease.cursor)
                    self._leases.damage.trust()
                behind = bool(tables_behind(lease, mapping_hash))
                before, counted = noted(lease.cursor, "derived_by"), noted(lease.cursor, FLOW_COUNTED)
                due = [
                    (table, since) for table, since in due if (raw_from(lease.cursor, table.name) or since.min) < since
                ]
        except NoData:
            made = False
        except CacheDamaged as damaged:  # what is left may be whole
            _, derived = self.begin(deriver, mapping_hash, retention_days, now=now, derived_by=derived_by)
            return damaged.moved_to, derived
        if due or not made:
            with self._write() as connection:
                for table, since in due:
                    prune(connection, table, since)
        derived = self.rederive(deriver, mapping_hash) if behind else 0
        if before != derived_by or not counted:
            with self._write() as connection:
                if not counted:
                    count_flow_again(connection)
                keep_note(connection, "derived_by", derived_by)
        return None, derived

    def merge(
        self,
        source: str,
        stream: str,
        rows: Mapping[str, Sequence[Row]],
        *,
        mapping_hash: str,
        now: datetime,
        cursor: str | None = None,
        rejects: Sequence[Reject] = (),
        replace: Replace | None = None,
        state: Mapping[str, object] | None = None,
        complete: bool = False,
        force: bool = False,
        whole: Sequence[Whole] = (),
        parts: Parts | None = None,
    ) -> Merged:
        """Store full rows (`Table.columns` order) with rollups, rejects, cursor and state; `complete` notes a success.

        Many rows take several short leases, each one transaction; cursor, state, rejects and success commit with the last.
        `parts` of the rows are counted apart, too.
        With `replace` rows are only collected in memory (cursor and rejects are ignored) until `complete`, which swaps the
        whole export in, scope by scope. Raises OlderExport (unless `force`) before anything is written, CacheTrouble.
        """
        origin = Origin(source, stream, mapping_hash, naive(now))
        note = Note(cursor=cursor, rejects=rejects, state=state, success=complete)
        if replace is not None:
            export = self._export(origin, replace)
            export.add(rows.get(replace.table, ()))
            if not complete:
                return Merged()
            del self._exports[source, stream]
            try:
                return export.finish(self._write, note, force=force)
            finally:
                export.close()
        if self._stopped:
            raise duckdb.InterruptException("stopped")
        self._renew()
        connection = self._merging = self._leases.cursor()
        if self._frugal:
            thrift.thrifty(connection, self._room)
        few = 0 < sum(map(len, rows.values())) < TIDY_ROWS
        try:
            write = partial(self._write_spans, source) if rows.get(SPANS.name) else self._write
            write = partial(write, tidy=0) if self._frugal and not few else write
            merged = merge_rows(connection, write, origin, rows, note, self._pace, whole, parts)
            self._room = thrift.room(connection) or self._room
            return merged
        finally:
            self._merging = None
            connection.close()

    def sweep(
        self,
        source: str,
        stream: str,
        table: Table,
        *,
        now: datetime,
        of: tuple[str, Sequence[str]] | None = None,
    ) -> Sweep:
        """Begin to collect what is alive in a source; `swept` removes the rest of the table, and what belongs to it.

        `of` is a column and its values: other rows are not looked for.
        """
        self._sweeps += 1
        connection = self._leases.cursor()
        if self._frugal:
            thrift.thrifty(connection, self._room)
        return Sweep(connection, Origin(source, stream, "", naive(now)), table, of)

    def swept(self, sweep: Sweep, *, force: bool = False) -> Swept:
        """Remove what was not collected, unless it is so much that something else is wrong. Raises CacheTrouble."""
        try:
            return sweep.finish(self._write, force=force)
        finally:
            sweep.close()
            self._sweeps -= 1

    def push(
        self,
        source: str,
        stream: str,
        pushed: Pushed,
        cleaner: Cleaner,
        *,
        mapping_hash: str,
        now: datetime,
        cursor: str | None = None,
    ) -> int:
        """Store rollups that a source computed itself, in the place of what it said of these days before; returns how many rows.

        Raises Refused when spans of that source are here: they would count twice. CacheTrouble.
        """
        from aether_tui.cache.pushed import store_pushed  # readers do without

        connection = self._leases.cursor()
        try:
            origin = Origin(source, stream, mapping_hash, naive(now))
            return store_pushed(connection, self._write, origin, pushed, cleaner, Note(cursor=cursor))
        finally:
            connection.close()

    def merge_bulk(
        self,
        source: str,
        stream: str,
        bulk: Bulk | Scan,
        preparer: Preparer,
        *,
        mapping_hash: str,
        now: datetime,
        rejects: list[Reject],
        files: Files | None = None,
    ) -> Merged:
        """Store the spans of `bulk` without a row of them passing through Python; of files only where `takes_bulk`. After the last
        of several, `tidy`.

        Rows that cannot be read are appended to `rejects`. Raises Malformed; what was stored before stays. With `files` each is for
        itself, and what becomes of it is told there.
        """
        from aether_tui.cache.columns import stage_spans  # which knows prices and redaction: readers do without

        origin, result = Origin(source, stream, mapping_hash, naive(now)), Merged()
        pace, write = Pace(ROW_GROUP, ROW_GROUP), partial(self._write_spans, source, tidy=0)
        with self._of_files() as connection:
            for_large_files(connection)
            if isinstance(bulk, Bulk):
                found = bulk_parts(connection, bulk, rejects, files)
            elif files is not None:
                found = scanned_files(connection, cast("Together", bulk), files)
            else:
                found = scanned(connection, bulk)
            parts = {SPANS.name: files.firsts} if files is not None else None
            held = False
            for raw, more in found:
                with translated(bulk.paths) if isinstance(bulk, Bulk) and files is None else nullcontext():
                    stage_spans(
                        connection, PREPARED, raw, preparer, bulk.nulls, *([PLACE] * (files is not None)), begun=held
                    )
                held = merge_part(connection, write, origin, result, pace, more=more, parts=parts)
            if held:
                merge_part(connection, write, origin, result, pace, more=False, parts=parts)
        if files is not None:
            files.complete(result)
        return result

    def tidy(self) -> None:
        """Put together the row groups that `merge_bulk` left apart, some in each of several short leases, until that frees no more
        blocks: every look at a table reads a block for each of them, however few rows it has."""
        left, used = True, 0
        with self._of_files() as connection:
            while left:
                with self._write(connection, tidy=TIDIED) as cursor:
                    before, used = used, used_blocks(cursor)
                    left = not before or used < before
                    if left:
                        # Where no row is written, a checkpoint puts nothing together.
                        keep_note(cursor, "blocks", str(used))

    @staticmethod
    def takes_bulk(bulk: Bulk) -> bool:
        """Whether `merge_bulk` can: spans in Parquet or JSON lines. Raises Malformed for a missing or empty file."""
        return bulk.table is SPANS and bulk.hash_key is None and divisible(bulk.paths, bulk.format)

    def read_bulk(
        self, bulk: Bulk, chunk: int = 50_000, rejects: list[Reject] | None = None
    ) -> Iterator[Mapping[str, list[Row]]]:
        """Raw rows of `bulk`'s files by table name, cast to the table's types; nothing is stored, no lease is taken.

        Rows that cannot be read are appended to `rejects`, complete when the iterator is spent. Raises Malformed.
        """
        with self._of_files() as connection:
            yield from bulk_rows(connection, bulk, chunk, [] if rejects is None else rejects)

    def tally(self, tally: Tally, rejects: list[Reject]) -> list[Row]:
        """What `tally` counts; nothing is stored, no lease is taken. Raises Malformed."""
        connection = self._leases.cursor()
        try:
            return tallied(connection, tally, rejects)
        finally:
            connection.close()

    def rederive(self, deriver: Deriver, mapping_hash: str) -> int:
        """Derive again, from stored raw rows, every row that another mapping derived; returns how many. One process at a time.

        Interrupted, it goes on where it stopped. A damaged cache is moved aside
        and raises CacheDamaged.
        """
        self._leases.mends = True
        with self._leases.deriving(PATIENCE_S), self._leases.cursor() as connection:
            derived = rederive_rows(connection, self._look, self._write, deriver, mapping_hash)
        if derived > SLICE_ROWS:  # each lease leaves a row group of what it moved
            self.tidy()
        return derived

    def note(
        self,
        source: str,
        stream: str,
        *,
        now: datetime,
        error: str | None = None,
        success: bool = False,
        state: Mapping[str, object] | None = None,
    ) -> None:
        """Record an attempt, its error or its success, without rows. A success clears the last error."""
        with self._write() as connection:
            write_note(
                connection, Origin(source, stream, "", naive(now)), Note(state=state, success=success, error=error)
            )

    def recalled(self, key: str) -> str | None:
        """What `remember` kept; None without a cache."""
        try:
            with self.read() as lease:
                return noted(lease.cursor, key)
        except NoData:
            return None

    def remember(self, key: str, value: str) -> None:
        """Keep a note for as long as there is this cache."""
        with self._write() as connection:
            keep_note(connection, key, value)

    def cursors(self) -> dict[tuple[str, str], StreamState]:
        """State by (source, stream); empty without a cache."""
        try:
            with self.read() as lease:
                found = lease.rows("SELECT * FROM sync_state ORDER BY source, stream")
        except NoData:
            return {}
        return {(str(row["source"]), str(row["stream"])): _state(row) for row in found}

    def forget(self, configured: Collection[str], files: str) -> None:
        """Drop the state of streams that never gave anything and that no source asks for any more; `files` is that of loads."""
        known = self.cursors().items()
        empty = {name for name, state in known if state.last_success is None and not state.rows and name[1] != files}
        if gone := [name for name in sorted(empty) if name[0] not in configured]:
            with self._write() as connection:
                connection.executemany("DELETE FROM sync_state WHERE source = ? AND stream = ?", gone)

    def info(self) -> Info:
        """Size, schema version, rows and instants per table. Raises NoData without a cache."""
        with self.read() as lease:
            tables = table_info(lease.cursor)
            version = stored_version(lease.cursor)
        return Info(self.path, self._bytes(), version, tables)

    def verify(self) -> list[str]:
        """What is wrong, in sentences; empty when all is well. Raises NoData, and CacheDamaged for unreadable blocks."""
        with self.read() as lease:
            return list(findings(lease.cursor))

    def prune(self, retention_days: Mapping[str, int], *, now: datetime, dry_run: bool = False) -> dict[str, int]:
        """Delete raw rows older than their table's days; rollups stay, frozen. Returns rows by table.

        With `dry_run` only counts. Raises ConfigurationError for a table that cannot be pruned, NoData without a cache.
        """
        tables = list(prunable(retention_days, naive(now)))
        with self.read() as lease:
            found = {table.name: count_older(lease.cursor, table, since) for table, since in tables}
        if not dry_run:
            for table, since in tables:
                with self._write() as connection:
                    found[table.name] = prune(connection, table, since)
        return found

    def compact(self) -> tuple[int, int]:
        """Give free space back to the disk; returns bytes before and after. Raises NoData without a cache."""
        with self.read():
            before = self._bytes()
        with self._leases.alone(self.wait_s) as connection:
            compact(connection, self.path)
        return before, self._bytes()

    def reset(self) -> bool:
        """Delete the cache; False when there is none. `sync` and `load` fill a new one, documents are untouched."""
        if not self.exists():
            return False
        self._leases.remove(self.wait_s)
        return True

    def _bytes(self) -> int:
        return sum(path.stat().st_size for path in (self.path, self._leases.wal) if path.exists())

    def _write(
        self, cursor: duckdb.DuckDBPyConnection | None = None, *, tidy: int | None = None
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return self._leases.write(self.wait_s, cursor, tidy=tidy)

    @contextmanager
    def _write_spans(
        self, source: str, cursor: duckdb.DuckDBPyConnection | None = None, *, tidy: int | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """A write lease for spans of `source`. Raises Refused when there are rollups which it computed itself: they would count twice."""
        with self._write(cursor, tidy=tidy) as connection:
            if source not in self._local:
                asked = "SELECT 1 FROM coverage_daily WHERE origin = $1 LIMIT 1"
                if connection.execute(asked, [source]).fetchall():
                    raise Refused(
                        f"rollups that {source} computed are in the cache: its spans would count twice",
                        hint="give it another name in aether.toml with its kind, or run `aether-tui cache reset` and sync",
                    )
                self._local.add(source)
            yield connection

    def _export(self, origin: Origin, replace: Replace) -> Export:
        key = (origin.source, origin.stream)
        export = self._exports.get(key)
        if export is None or export.replace != replace or export.origin.mapping_hash != origin.mapping_hash:
            if export is not None:
                export.close()
            export = self._exports[key] = Export(self._leases.cursor(), origin, replace)
        return export


def _state(row: Mapping[str, object]) -> StreamState:
    def instant(name: str) -> datetime | None:
        value = row[name]
        return value if isinstance(value, datetime) else None

    def text(name: str) -> str | None:
        value = row[name]
        return None if value is None else str(value)

    state = json.loads(text("state") or "{}")
    rows = row["rows"]
    return StreamState(
        text("cursor"), instant("last_attempt"), instant("last_success"), text("last_error"),
        rows if isinstance(rows, int) else 0, state,
    )  # fmt: skip
