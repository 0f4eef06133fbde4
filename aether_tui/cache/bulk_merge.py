"""Merging the parts of a large file: several slices in one lease as long as nobody waits for the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import duckdb

from aether_tui.cache import rollups, span_rollups
from aether_tui.cache.lease import ROW_GROUP
from aether_tui.cache.merge import (
    Merged,
    Note,
    Origin,
    Pace,
    Write,
    count,
    decide,
    merge_slice,
    merge_staged,
    open_slice,
    prepare,
    stage_incoming,
    store_incoming,
    write_note,
)  # fmt: skip
from aether_tui.records.tables import SPANS

SLICE: Final = ROW_GROUP
"""Spans that are stored before the lease looks whether somebody waits: whole row groups, which are written once."""
TOGETHER: Final = 2
"""Slices of one lease at most: what they add to rollups is added once, and then takes as long as storing a slice."""
_STAGED: Final = f"staged_{SPANS.name}"

Slices = Sequence[tuple[int, int]]


def merge_part(
    cursor: duckdb.DuckDBPyConnection,
    write: Write,
    asked: Callable[[], bool],
    origin: Origin,
    result: Merged,
    pace: Pace,
) -> None:
    """Merge `staged_spans`, with the columns `flags.FLAGS`, and drop it. `asked` says whether somebody waits."""
    fresh, known = _apart(cursor, write, origin)
    slices, apart = _slices(cursor, fresh)
    if slices:
        prepare(cursor, slices)
    at = 0
    while at < len(slices):
        with write(cursor):
            some = slices[: at + (1 if apart else TOGETHER)]
            end, merged = _merge_fresh(cursor, asked, origin, some, at)
            write_note(cursor, origin, Note(), merged.inserted)
        result.add(SPANS.name, merged)
        at = end
    if known:
        merge_staged(cursor, write, origin, [SPANS], Note(), result, pace, only=known)
    else:
        cursor.execute(f"DROP TABLE {_STAGED}")


def _apart(cursor: duckdb.DuckDBPyConnection, write: Write, origin: Origin) -> tuple[range, range]:
    """Which rows of `staged_spans` are of traces that are not stored yet, and which others there are: behind them, if need be
    put there, or before them, with not more than as many among them.

    What the first add to rollups is known before the lease. Each lease looks again for itself.
    """
    rows = count(cursor, _STAGED)
    with write(cursor):
        span_rollups.look_up(cursor, _STAGED, origin.source)
    if not count(cursor, "tasks_known"):
        return range(rows), range(0)
    them = "trace_id IN (SELECT trace_id FROM tasks_known)"
    extent = f"SELECT min(rowid), max(rowid) + 1, count(*) FROM {_STAGED} WHERE {them}"
    first, end, known = cursor.execute(extent).fetchone() or (0, rows, rows)
    if end <= 2 * known:  # most files begin with what the one before ended with
        return range(end, rows), range(end)
    if rows - first <= 2 * known:
        return range(first), range(first, rows)
    cursor.execute(f"CREATE TEMP TABLE sorted AS SELECT * FROM {_STAGED} WHERE NOT {them}")
    fresh = count(cursor, "sorted")
    cursor.execute(f"INSERT INTO sorted SELECT * FROM {_STAGED} WHERE {them}")
    cursor.execute(f"DROP TABLE {_STAGED}")
    cursor.execute(f"ALTER TABLE sorted RENAME TO {_STAGED}")
    return range(fresh), range(fresh, rows)


def _slices(cursor: duckdb.DuckDBPyConnection, fresh: range) -> tuple[Slices, bool]:
    """Ranges of about `SLICE` of these rows of `staged_spans`, and whether some trace is in two of them.

    Where traces run at once and lie across each other it cannot be helped.
    """
    if not fresh:
        return [], False
    rows = f"{_STAGED} WHERE rowid >= {fresh.start} AND rowid < {fresh.stop}"
    begins = f"SELECT rowid AS _row, trace_id, trace_id IS DISTINCT FROM lag(trace_id) OVER () AS _begins FROM {rows}"
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE begun AS SELECT _row, trace_id FROM ({begins}) WHERE _begins")
    (apart,) = cursor.execute("SELECT count(*) - count(DISTINCT trace_id) FROM begun").fetchone() or (0,)
    cuts = "SELECT min(_row) FROM begun GROUP BY (_row - $first) // $slice ORDER BY ALL"
    starts = [low for (low,) in cursor.execute(cuts, {"first": fresh.start, "slice": SLICE}).fetchall()]
    return list(zip(starts, [*starts[1:], fresh.stop], strict=True)), bool(apart)


def _merge_fresh(
    cursor: duckdb.DuckDBPyConnection, asked: Callable[[], bool], origin: Origin, slices: Slices, at: int
) -> tuple[int, Merged]:
    """Inside a lease, store slices from number `at` until somebody waits; returns the number of the next and what was done."""
    low, high = slices[at][0], slices[-1][1]
    late = open_slice(cursor, SPANS, origin, f"{_STAGED} WHERE rowid >= {low} AND rowid < {high}")
    same, changed = decide(cursor, SPANS, origin, high - low - late, range(at, len(slices)))
    if late or same or changed or count(cursor, "tasks_known"):
        rollups.start(cursor)
        merged = merge_slice(cursor, SPANS, _STAGED, origin, *slices[at], range(at, at + 1))
        rollups.refresh(cursor)
        return at + 1, merged
    end = at
    while end == at or (end < len(slices) and not asked()):
        stage_slice(cursor, origin, *slices[end])
        store_incoming(cursor, SPANS)
        end += 1
    stage_slice(cursor, origin, low, slices[end - 1][1])
    span_rollups.follow(cursor, "incoming", None, range(at, end))
    rollups.start(cursor)
    if rollups.touch_scored(cursor, "incoming"):
        rollups.refresh(cursor)
    return end, Merged(inserted=slices[end - 1][1] - low)


def stage_slice(cursor: duckdb.DuckDBPyConnection, origin: Origin, low: int, high: int) -> None:
    """Temporary view `incoming` of some rows of `staged_spans` as they are stored."""
    open_slice(cursor, SPANS, origin, f"{_STAGED} WHERE rowid >= {low} AND rowid < {high}")
    stage_incoming(cursor, SPANS, origin, known=False)
