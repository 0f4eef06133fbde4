"""Merging rows by key: the winner stays whatever the order of arrival, and touched rollups follow in the same transaction."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

import duckdb

from aether_tui.cache import rollups, span_rollups, thrift
from aether_tui.cache.flags import FLAGS, flagged
from aether_tui.cache.lease import ROW_GROUP
from aether_tui.cache.parsed import run
from aether_tui.cache.schema import quoted, stored_columns
from aether_tui.cache.staging import arrive, content, derived, revision, stage
from aether_tui.cache.tombstones import outlived
from aether_tui.records import TABLES, Column, Row, Table
from aether_tui.records.source import Reject, Whole
from aether_tui.records.tables import SPANS

SLICE_ROWS: Final = 10_000
"""Rows merged under one lease to begin with, so that a lease stays under 300 ms."""
LARGEST_SLICE: Final = 3 * ROW_GROUP
PREPARED_ROWS: Final = 20_000
"""Spans from which it pays to compute before the lease what they add to rollups: what they share with stored traces is
computed twice."""
_LEASE_S: Final = 0.2  # then comes the checkpoint

RAW_LIMIT: Final = 4000
"""Characters of a rejected row that are kept."""
_REJECTED: Final = tuple(Column(name, "text", "") for name in ("table", "reason", "place", "raw"))


@dataclass(slots=True)
class Pace:
    """How many rows fit into a lease here and now: every lease pays for its checkpoint and for the buckets it touches, so
    the fewer the better, as long as nobody waits for more than 300 ms."""

    rows: int = field(default_factory=lambda: SLICE_ROWS)
    fewest: int = field(default_factory=lambda: SLICE_ROWS)

    def took(self, rows: int, seconds: float) -> None:
        """Learn from a lease; a small one teaches nothing."""
        if rows >= self.rows:
            fitting = int(rows * _LEASE_S / max(seconds, 0.001))
            rows = max(self.fewest, min(fitting, 2 * self.rows, LARGEST_SLICE))
            self.rows = rows - rows % ROW_GROUP if rows > ROW_GROUP else rows  # what is left over costs as much again


@dataclass(slots=True)
class Merged:
    """What a merge did. `late` rows are older than what retention keeps or than a deletion: counted, not stored."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0
    late: int = 0
    by_table: dict[str, Merged] = field(default_factory=dict)
    by_part: dict[int, Merged] = field(default_factory=dict)
    """What became of the rows of each of the `Parts` that were told apart."""

    def add(self, table: str, other: Merged) -> None:
        """Count `other` as part of `table` and of the whole."""
        part = self.by_table.setdefault(table, Merged())
        for into in (self, part):
            into.inserted += other.inserted
            into.updated += other.updated
            into.unchanged += other.unchanged
            into.removed += other.removed
            into.late += other.late
        for number, one in other.by_part.items():
            self.by_part.setdefault(number, Merged()).add(table, one)


Parts = Mapping[str, Mapping[int, int]]
"""Of a table: the place of the first row of each part among the rows that arrive, and the number of that part."""


class Write(Protocol):
    """Opens a write lease (one transaction) that sees the temporary tables of `cursor`."""

    def __call__(self, cursor: duckdb.DuckDBPyConnection) -> AbstractContextManager[duckdb.DuckDBPyConnection]: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from and when they arrived (naive UTC); `mapping_hash` says how they were derived."""

    source: str
    stream: str
    mapping_hash: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """What goes into `sync_state` and `rejects` with the last transaction of a merge."""

    cursor: str | None = None
    rejects: Sequence[Reject] = ()
    state: Mapping[str, object] | None = None
    success: bool = False
    error: str | None = None


def merge_rows(
    cursor: duckdb.DuckDBPyConnection,
    write: Write,
    origin: Origin,
    rows: Mapping[str, Sequence[Row]],
    note: Note,
    pace: Pace | None = None,
    whole: Sequence[Whole] = (),
    parts: Parts | None = None,
) -> Merged:
    """Merge full rows by key in as many leases as they need; `note` commits with the last one.

    What the rows are the `whole` of loses, with the first, what is stored of it and not among them. `parts` are counted apart, too.
    """
    result = Merged()
    staged = []
    for name, arriving in rows.items():
        if arriving:
            stage(cursor, f"staged_{name}", TABLES[name], arriving, placed=bool(parts))
            staged.append(TABLES[name])
    merge_staged(cursor, write, origin, staged, note, result, pace, whole, parts=parts)
    return result


def merge_staged(
    cursor: duckdb.DuckDBPyConnection,
    write: Write,
    origin: Origin,
    staged: Sequence[Table],
    note: Note,
    result: Merged,
    pace: Pace | None = None,
    whole: Sequence[Whole] = (),
    *,
    only: range | None = None,
    parts: Parts | None = None,
) -> None:
    """Merge the temporary tables `staged_<name>` and drop them.

    Of a table of which `only` these rows are left most are known, so that nothing of them is computed before the lease.
    """
    pace = pace or Pace()
    losing = [(one, one.table in staged) for one in whole]
    ranges = {table: only or range(count(cursor, f"staged_{table.name}")) for table in staged}
    waiting = deque((table, rows.start, rows.stop) for table, rows in ranges.items())
    while True:
        lease = list(_cut(waiting, pace.rows))
        large = [one for one in lease if one[0] is SPANS and one[2] - one[1] >= PREPARED_ROWS and only is None]
        ahead = prepare(cursor, [(low, high) for _, low, high in large]) if large else {}
        ends = Note() if waiting else note
        began = time.process_time()  # where others work, too, smaller leases would only be more of them
        while True:
            with suppress(thrift.Tight):
                done = merge_lease(cursor, write, origin, lease, ahead, ends, losing, parts)
                break
            thrift.widen(cursor)
        losing = [] if lease else losing
        result.rejected += len(ends.rejects)
        pace.took(sum(high - low for _, low, high in lease), time.process_time() - began)
        for table, part in done:
            result.add(table.name, part)
        if not waiting:
            break
    for table in staged:
        run(cursor, f"DROP TABLE staged_{table.name}")


def merge_lease(
    cursor: duckdb.DuckDBPyConnection,
    write: Write,
    origin: Origin,
    lease: Sequence[tuple[Table, int, int]],
    ahead: Mapping[int, range],
    note: Note,
    whole: Sequence[tuple[Whole, bool]],
    parts: Parts | None = None,
) -> list[tuple[Table, Merged]]:
    """One transaction: slices of staged tables, what each `whole` (did its table come?) loses, their rollups and the note."""
    done: list[tuple[Table, Merged]] = []
    with write(cursor):
        if lease:
            rollups.start(cursor)
            for one, came in whole:
                done.append((one.table, Merged(removed=_remove_missing(cursor, origin, one, came))))
        for table, low, high in lease:
            number = ahead.get(low) if table is SPANS else None
            own = (parts or {}).get(table.name)
            done.append((table, merge_slice(cursor, table, f"staged_{table.name}", origin, low, high, number, own)))
        if lease:
            rollups.refresh(cursor)
        store_rejects(cursor, origin, note.rejects)
        write_note(cursor, origin, note, sum(part.inserted for _, part in done))
    return done


def _remove_missing(cursor: duckdb.DuckDBPyConnection, origin: Origin, one: Whole, came: bool) -> int:
    """Remove what is stored of some things and has not come with them; returns how many rows."""
    table = one.table
    of_them = " OR ".join(f'"{column}" IN (SELECT unnest($ids))' for column in one.columns)
    same = " AND ".join(f't."{name}" = s."{name}"' for name in table.key)
    missing = f" WHERE NOT EXISTS (FROM staged_{table.name} AS s WHERE {same})" if came else ""
    with thrift.looking(cursor, len(one.ids)):  # keys first, as they are looked for among all that is stored
        run(
            cursor,
            f"CREATE OR REPLACE TEMP TABLE theirs AS SELECT rowid AS _row FROM {table.name} "
            f"WHERE source = $source AND ({of_them})",
            {"source": origin.source, "ids": list(one.ids)},
        )
    if not (theirs := count(cursor, "theirs")):
        return 0
    with thrift.looking(cursor, theirs):
        found = run(
            cursor,
            f"SELECT _row FROM (SELECT rowid AS _row, {quoted(table.key)} FROM {table.name} "
            f"WHERE rowid IN (SELECT _row FROM theirs)) AS t{missing}",
        ).fetchall()
    if found:  # hardly ever: whole rows are looked at only then
        leaving = f"{table.name} WHERE rowid IN ({', '.join(str(row) for (row,) in found)})"
        rollups.touch(cursor, table.name, f"(FROM {leaving})")
        run(cursor, f"DELETE FROM {leaving}")
    return len(found)


def prepare(cursor: duckdb.DuckDBPyConnection, slices: Sequence[tuple[int, int]]) -> dict[int, range]:
    """Compute before the lease what needs no look at what is stored, for adjoining slices of `staged_spans`.

    Returns their numbers by first row.
    """
    numbers = {low: range(number, number + 1) for number, (low, _) in enumerate(slices)}
    number = " ".join(f"WHEN rowid >= {low} THEN {one.start}" for low, one in reversed(numbers.items()))
    run(
        cursor,
        f"CREATE OR REPLACE TEMP VIEW coming AS SELECT CAST(CASE {number} END AS BIGINT) AS source, * "
        f"FROM staged_spans WHERE rowid >= {slices[0][0]} AND rowid < {slices[-1][1]}",
    )
    span_rollups.prepare(cursor, "coming")
    return numbers


def count(cursor: duckdb.DuckDBPyConnection, table: str) -> int:
    """Rows of a table, or of a table and a condition."""
    (rows,) = run(cursor, f"SELECT count(*) FROM {table}").fetchone() or (0,)
    return int(rows)


def _cut(waiting: deque[tuple[Table, int, int]], room: int) -> Iterator[tuple[Table, int, int]]:
    """Slices of at most `room` rows in all, taken off what waits."""
    while waiting and room:
        table, low, end = waiting.popleft()
        high = min(end, low + room)
        if high < end:
            waiting.appendleft((table, high, end))
        if low < high:
            yield table, low, high
        room -= high - low


def merge_slice(
    cursor: duckdb.DuckDBPyConnection,
    table: Table,
    staged: str,
    origin: Origin,
    low: int,
    high: int,
    ahead: range | None = None,
    parts: Mapping[int, int] | None = None,
) -> Merged:
    """Merge rows `low` to `high` of a staged table inside an open transaction and bring rollups, or notes of what they need, along.

    `ahead` are the numbers of the slices in what was prepared, `parts` those of the table.
    """
    late = open_slice(cursor, table, origin, f"{staged} WHERE rowid >= {low} AND rowid < {high}")
    alive = high - low - late
    same, changed = decide(cursor, table, origin, alive, ahead)
    new = alive - same - changed
    come = f"(SELECT rowid AS _n, _place FROM {staged} WHERE rowid >= {low} AND rowid < {high})" if late else "slice"
    by_part = _by_part(cursor, come, parts, known=bool(same or changed)) if parts else {}
    if new or changed:
        stage_incoming(cursor, table, origin, known=bool(same or changed))
        gone = None
        if changed:
            gone = f"(FROM {table.name} WHERE rowid IN (SELECT _row FROM decided WHERE changed))"
        if table.name == "spans":
            gone = gone and f"({flagged(gone)})"
            come = "incoming"
            if new == high - low:  # views of views take longer to be understood than their rows to be read
                come = "arriving"
                rows_as_staged = f"{staged} WHERE rowid >= {low} AND rowid < {high}"
                source = f"{_literal(origin.source)} AS source"
                run(cursor, f"CREATE OR REPLACE TEMP VIEW {come} AS SELECT {source}, * FROM {rows_as_staged}")
            span_rollups.follow(cursor, come, gone, None if late or same or changed else ahead)
            rollups.touch_scored(cursor, "incoming")
        else:
            for rows in filter(None, ("incoming", gone)):
                rollups.touch(cursor, table.name, rows)
        if changed:
            run(cursor, f"DELETE FROM {table.name} WHERE rowid IN (SELECT _row FROM decided WHERE changed)")
        store_incoming(cursor, table)
    return Merged(inserted=new, updated=changed, unchanged=same, late=late, by_part=by_part)


def _by_part(
    cursor: duckdb.DuckDBPyConnection, come: str, parts: Mapping[int, int], *, known: bool
) -> dict[int, Merged]:
    """What becomes of the rows that `come`, by the number of their part; those that are not in `slice` are late."""
    changed, decided = ("d.changed", "LEFT JOIN decided AS d USING (_n)") if known else ("CAST(NULL AS BOOLEAN)", "")
    alive = "TRUE" if come == "slice" else "_n IN (SELECT _n FROM slice)"
    found = run(
        cursor,
        f"SELECT _part, count(*) FILTER (_alive) - count({changed}), count(*) FILTER ({changed}), count(*) FILTER (NOT {changed}), "
        f"count(*) FILTER (NOT _alive) FROM (SELECT _n, _place, {alive} AS _alive FROM {come}) "
        f"ASOF JOIN (SELECT unnest($firsts) AS _first, unnest($numbers) AS _part) ON _place >= _first {decided} GROUP BY _part",
        {"firsts": list(parts), "numbers": list(parts.values())},
    ).fetchall()
    return {number: Merged(new, updated, same, late=late) for number, new, updated, same, late in found}


def stage_incoming(cursor: duckdb.DuckDBPyConnection, table: Table, origin: Origin, *, known: bool) -> None:
    """Temporary relation `incoming` of what is to be stored of `slice`, with the columns of the stored table, and `FLAGS` of spans."""
    kept, rows = f"TIMESTAMP '{origin.now}'", "slice AS s"
    names = [*stored_columns(table), *(FLAGS if table is SPANS else ())]
    if known:
        kept, rows = (
            f"coalesce(d._kept, {kept})",
            "slice AS s LEFT JOIN decided AS d USING (_n) WHERE d.changed IS DISTINCT FROM FALSE",
        )
    source, mapping_hash = _literal(origin.source), _literal(origin.mapping_hash)
    full = f"SELECT {source} AS source, s.*, {mapping_hash} AS mapping_hash, {kept} AS ingested_at FROM {rows}"
    coming = f"SELECT {quoted(names)} FROM ({full})"
    if known:  # what is stored is about to change
        run(cursor, f"CREATE OR REPLACE TEMP TABLE decided_rows AS {coming}")
        coming = "FROM decided_rows"
    run(cursor, f"CREATE OR REPLACE TEMP VIEW incoming AS {coming}")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def store_incoming(cursor: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Store what `stage_incoming` staged."""
    run(cursor, f"INSERT INTO {table.name} SELECT {quoted(stored_columns(table))} FROM incoming")


def open_slice(cursor: duckdb.DuckDBPyConnection, table: Table, origin: Origin, rows: str) -> int:
    """Temporary view `slice` of the rows that retention still keeps and no deletion has overtaken; returns how many are not in it."""
    since = rollups.raw_from(cursor, table.name)
    late = f"{newest_instant(table)} < TIMESTAMP '{since}'" if since else "FALSE"
    alive = outlived(cursor, table, origin.source, origin.now)
    if alive != "TRUE":
        late = f"{late} OR NOT ({alive})"
    run(cursor, f"CREATE OR REPLACE TEMP VIEW slice AS SELECT rowid AS _n, * FROM {rows} AND ({late}) IS NOT TRUE")
    if late == "FALSE":
        return 0
    gone = run(cursor, f"SELECT count(*) FROM {rows} AND {late}").fetchone()
    return int(gone[0]) if gone else 0


def newest_instant(table: Table) -> str:
    """SQL: the latest instant that places a row of `table` in time (for retention)."""
    names = dict.fromkeys((table.at, *rollups.days_of(table.name)))
    return f"greatest({quoted(tuple(names))})"


def decide(
    cursor: duckdb.DuckDBPyConnection, table: Table, origin: Origin, rows: int, ahead: range | None
) -> tuple[int, int]:
    """Temporary table `decided` of those of the `rows` rows of `slice` that are stored already (at `_row`): whether they have `changed`.

    Returns how many are the same and how many have changed. Keys first: finding 10 k keys among a million rows takes 23 ms,
    with all columns it would take 60.
    """
    on = " AND ".join(f't."{name}" = s."{name}"' for name in table.key)
    stored = f"SELECT {quoted(table.key)}, rowid AS _row FROM {table.name} WHERE source = $source"
    if table.name == "spans":
        within = span_rollups.look_up(cursor, "slice", origin.source, ahead)
        # What has no start belongs to no task; there is hardly any.
        stored = f"{stored} AND {within} UNION ALL {stored} AND start IS NULL"
    with thrift.looking(cursor, rows):
        run(
            cursor,
            f"CREATE OR REPLACE TEMP TABLE found AS SELECT s._n, t._row FROM slice AS s JOIN ({stored}) AS t ON {on}",
            {"source": origin.source},
        )
    if not count(cursor, "found"):
        return 0, 0
    run(
        cursor,
        f"CREATE OR REPLACE TEMP TABLE stored AS SELECT rowid AS _row, {revision(table)} AS _revision, "
        f"{content(table)} AS _content, {derived(table)} AS _derived, mapping_hash AS _mapping, ingested_at AS _ingested "
        f"FROM {table.name} WHERE rowid IN (SELECT _row FROM found)",
    )
    arriving = (
        f"SELECT _n, {revision(table)} AS _revision, {content(table)} AS _content, {derived(table)} AS _derived FROM slice "
        "WHERE _n IN (SELECT _n FROM found)"
    )
    newer = "a._revision > t._revision OR (a._revision = t._revision AND a._content > t._content)"
    run(
        cursor,
        "CREATE OR REPLACE TEMP TABLE decided AS SELECT _n, t._row, "
        "CASE WHEN a._content = t._content THEN t._ingested END AS _kept, "
        "CASE WHEN a._content = t._content THEN a._derived <> t._derived OR t._mapping <> $mapping_hash "
        f"ELSE {newer} END AS changed "
        f"FROM ({arriving}) AS a JOIN found USING (_n) JOIN stored AS t USING (_row)",
        {"mapping_hash": origin.mapping_hash},
    )
    changed = count(cursor, "decided WHERE changed")
    return count(cursor, "decided") - changed, changed


# --- Bookkeeping ---------------------------------------------------------------------------------------------------


def store_rejects(cursor: duckdb.DuckDBPyConnection, origin: Origin, rejects: Sequence[Reject]) -> int:
    """Store rejects that are not known yet, in their order; returns how many were given."""
    if rejects:
        rows = [(reject.table, reject.reason, reject.where, reject.raw[:RAW_LIMIT]) for reject in rejects]
        arrive(cursor, "rejected", _REJECTED, rows)
        names = quoted([column.name for column in _REJECTED])
        run(
            cursor,
            f"INSERT INTO rejects SELECT $source, $stream, $now, {names} FROM rejected WHERE ({names}) NOT IN "
            f"(SELECT ({names}) FROM rejects WHERE source = $source AND stream = $stream) "
            f"GROUP BY {names} ORDER BY min(rejected.rowid)",
            {"source": origin.source, "stream": origin.stream, "now": origin.now},
        )
        run(cursor, "DROP TABLE rejected")
    return len(rejects)


def write_note(cursor: duckdb.DuckDBPyConnection, origin: Origin, note: Note, stored: int = 0) -> None:
    """Write the stream's row of `sync_state`: `rows` counts what it holds, an absent cursor or state stays."""
    key = {"source": origin.source, "stream": origin.stream}
    old = run(
        cursor,
        "SELECT cursor, last_success, last_error, rows, state FROM sync_state WHERE source = $source AND stream = $stream",
        key,
    ).fetchone() or (None, None, None, 0, None)
    error = None if note.success else note.error or old[2]
    run(cursor, "DELETE FROM sync_state WHERE source = $source AND stream = $stream", key)
    run(
        cursor,
        "INSERT INTO sync_state VALUES ($source, $stream, $cursor, $now, $last_success, $last_error, $rows, $state)",
        {
            **key,
            "cursor": note.cursor if note.cursor is not None else old[0],
            "now": origin.now,
            "last_success": origin.now if note.success else old[1],
            "last_error": error,
            "rows": old[3] + stored,
            "state": json.dumps(note.state, sort_keys=True) if note.state is not None else old[4],
        },
    )
