"""Merging the parts of a large file: what is new of a part is known before the lease, trace by trace."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

import duckdb

from aether_tui.cache import span_rollups
from aether_tui.cache.lease import ROW_GROUP
from aether_tui.cache.merge import Merged, Note, Origin, Pace, Write, count, merge_lease, merge_staged, prepare
from aether_tui.records.tables import SPANS

MOST: Final = 3 * ROW_GROUP
"""Spans of a lease at most, and half of them where traces go on in the next: they are put together again. What one `INSERT` brings
beyond whole row groups is written once; what a second one of the same transaction brings is written twice."""
_STAGED: Final = f"staged_{SPANS.name}"

Slices = Sequence[tuple[int, int]]


def merge_part(
    cursor: duckdb.DuckDBPyConnection,
    write: Write,
    origin: Origin,
    result: Merged,
    pace: Pace,
) -> None:
    """Merge `staged_spans`, with the columns `flags.FLAGS`, and drop it. `pace` is of what is known."""
    fresh, known = _apart(cursor, write, origin)
    slices = _slices(cursor, fresh)
    ahead = prepare(cursor, slices) if slices else {}
    for low, high in slices:
        for table, merged in merge_lease(cursor, write, origin, [(SPANS, low, high)], ahead, Note(), ()):
            result.add(table.name, merged)
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


def _slices(cursor: duckdb.DuckDBPyConnection, fresh: range) -> Slices:
    """Ranges of these rows of `staged_spans`, of about the same size. No trace is in two, unless traces run at once and lie across
    each other."""
    if not fresh:
        return []
    rows = f"{_STAGED} WHERE rowid >= {fresh.start} AND rowid < {fresh.stop}"
    begins = f"SELECT rowid AS _row, trace_id, trace_id IS DISTINCT FROM lag(trace_id) OVER () AS _begins FROM {rows}"
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE begun AS SELECT _row, trace_id FROM ({begins}) WHERE _begins")
    (across,) = cursor.execute("SELECT count(*) - count(DISTINCT trace_id) FROM begun").fetchone() or (0,)
    slices = ceil(len(fresh) / (MOST // 2 if across else MOST))
    cuts = "SELECT min(_row) FROM begun GROUP BY (_row - $first) // $rows ORDER BY ALL"
    given = {"first": fresh.start, "rows": ceil(len(fresh) / slices)}
    starts = [low for (low,) in cursor.execute(cuts, given).fetchall()]
    return list(zip(starts, [*starts[1:], fresh.stop], strict=True))
