"""Merging the parts of a large file: what is new of a part is known before the lease, trace by trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import duckdb

from aether_tui.cache import span_rollups
from aether_tui.cache.lease import ROW_GROUP
from aether_tui.cache.merge import Merged, Note, Origin, Pace, Parts, Write, count, merge_lease, merge_staged, prepare
from aether_tui.cache.schema import quoted
from aether_tui.cache.settings import one_thread
from aether_tui.cache.staging import winners
from aether_tui.records.tables import SPANS

MOST: Final = 3 * ROW_GROUP
"""Spans of a lease at most, but for a longer trace. What one `INSERT` brings beyond whole row groups is written once; what a second
one of the same transaction brings is written twice, and what makes a row group of few rows once more by `tidy`."""
LONG: Final = 600
"""Mean characters of attributes from which a lease takes a third of that: storing them takes longer than all else of a row."""
OVER: Final = 4096
"""Spans of others after which a trace is taken to be over, where traces lie across each other."""
PREPARED: Final = "prepared"
"""Temporary table of full rows with `flags.FLAGS`."""
_STAGED: Final = f"staged_{SPANS.name}"


def merge_part(
    cursor: duckdb.DuckDBPyConnection,
    write: Write,
    origin: Origin,
    result: Merged,
    pace: Pace,
    *,
    more: bool,
    parts: Parts | None = None,
) -> bool:
    """Merge the rows of `PREPARED`. `pace` is of what is known; `parts` are counted apart, too.

    If `more` are to come, traces that may go on, and what fills no lease, stay there; returns whether there are any.
    """
    rows, over = _settle(cursor)
    most = _most(cursor)
    upto = _upto(cursor, rows, over, most) if more and rows else rows
    if held := upto < rows:
        cursor.execute(f"CREATE TEMP TABLE {PREPARED} AS FROM {_STAGED} WHERE rowid >= {upto}")
    fresh, known = _apart(cursor, write, origin, upto)
    slices = list(_slices(cursor, fresh, most))
    ahead = prepare(cursor, slices) if slices else {}
    with one_thread(cursor):
        for low, high in slices:
            for table, merged in merge_lease(cursor, write, origin, [(SPANS, low, high)], ahead, Note(), (), parts):
                result.add(table.name, merged)
    if known:
        merge_staged(cursor, write, origin, [SPANS], Note(), result, pace, only=known, parts=parts)
    else:
        cursor.execute(f"DROP TABLE {_STAGED}")
    return held


def _settle(cursor: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Make `staged_spans` of `PREPARED`: each key once, one trace after the other, in order but for an hour, so that a lease touches
    few hours and no two put the same trace together. What is so only gets the name.

    Returns how many rows there are, and how many of them come before those of traces that may go on.
    """
    asked = (
        f"SELECT count(*), count(*) - count(DISTINCT hash({quoted(SPANS.key)})), count_if(_late), "
        "count_if(_begins) - count(DISTINCT trace_id), coalesce(max(_row) FILTER (_begins), 0) FROM (SELECT *, rowid AS _row, "
        "start < lag(start) OVER () - INTERVAL 1 HOUR AS _late, "
        f"trace_id IS DISTINCT FROM lag(trace_id) OVER () AS _begins FROM {PREPARED})"
    )
    rows, doubled, late, across, begun = cursor.execute(asked).fetchone() or (0, 0, 0, 0, 0)
    if not (doubled or late or across):
        cursor.execute(f"DROP TABLE IF EXISTS {_STAGED}")
        cursor.execute(f"ALTER TABLE {PREPARED} RENAME TO {_STAGED}")
        return rows, begun
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE traces AS SELECT *, row_number() OVER (ORDER BY _open, _start NULLS FIRST) AS _place FROM "
        f"(SELECT trace_id, min(start) AS _start, max(rowid) >= {rows - OVER} AS _open FROM {PREPARED} GROUP BY trace_id)"
    )
    left = winners(SPANS, PREPARED) if doubled else PREPARED
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE {_STAGED} AS SELECT p.* FROM {left} AS p JOIN traces USING (trace_id) "
        "ORDER BY _place, start NULLS FIRST, span_id"
    )
    cursor.execute(f"DROP TABLE {PREPARED}")
    rows = count(cursor, _STAGED)
    return rows, rows - count(cursor, f"{_STAGED} WHERE trace_id IN (SELECT trace_id FROM traces WHERE _open)")


def _most(cursor: duckdb.DuckDBPyConnection) -> int:
    """How many of the spans at hand a lease takes."""
    (long,) = cursor.execute(f"SELECT coalesce(avg(strlen(attributes)), 0) >= {LONG} FROM {_STAGED}").fetchone() or (
        False,
    )
    return MOST // 3 if long else MOST


def _upto(cursor: duckdb.DuckDBPyConnection, rows: int, over: int, most: int) -> int:
    """How many rows of `staged_spans` are merged now: those that fill leases, else those of traces that are over. Neither more
    than half is held nor what nearly fills a lease."""
    *_, (full, _) = _slices(cursor, range(rows), most)
    held = min(rows // 2, 2 * most // 3)
    return next((place for place in (full, over) if rows - held <= place <= over), rows)


def _apart(cursor: duckdb.DuckDBPyConnection, write: Write, origin: Origin, rows: int) -> tuple[range, range]:
    """Which of the first `rows` rows of `staged_spans` are of traces that are not stored yet, and which others there are: behind them,
    if need be put there, or before them, with not more than as many among them.

    What the first add to rollups is known before the lease. Each lease looks again for itself.
    """
    with write(cursor):
        span_rollups.look_up(cursor, _STAGED, origin.source)
    if not count(cursor, "tasks_known"):
        return range(rows), range(0)
    these, them = f"{_STAGED} WHERE rowid < {rows}", "trace_id IN (SELECT trace_id FROM tasks_known)"
    extent = f"SELECT min(rowid), max(rowid) + 1, count(*) FROM {these} AND {them}"
    first, end, known = cursor.execute(extent).fetchone() or (0, rows, rows)
    if not known:
        return range(rows), range(0)
    if end <= 2 * known:  # most files begin with what the one before ended with
        return range(end, rows), range(end)
    if rows - first <= 2 * known:
        return range(first), range(first, rows)
    cursor.execute(f"CREATE TEMP TABLE sorted AS SELECT * FROM {these} AND NOT {them}")
    fresh = count(cursor, "sorted")
    cursor.execute(f"INSERT INTO sorted SELECT * FROM {these} AND {them}")
    cursor.execute(f"DROP TABLE {_STAGED}")
    cursor.execute(f"ALTER TABLE sorted RENAME TO {_STAGED}")
    return range(fresh), range(fresh, rows)


def _slices(cursor: duckdb.DuckDBPyConnection, fresh: range, most: int) -> Iterator[tuple[int, int]]:
    """Ranges of these rows of `staged_spans` that fill a lease, and what is left. No trace is in two."""
    low, end = fresh.start, fresh.stop
    if end - low > most:
        begins = f"SELECT rowid AS _row, trace_id IS DISTINCT FROM lag(trace_id) OVER () AS _begins FROM {_STAGED}"
        cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE begun AS SELECT _row FROM ({begins}) WHERE _begins AND _row < {end}"
        )
    while end - low > most:
        nearest = (
            f"SELECT coalesce(max(_row) FILTER (_row <= {low + most}), min(_row), {end}) FROM begun WHERE _row > {low}"
        )
        (high,) = cursor.execute(nearest).fetchone() or (end,)
        yield low, high
        low = high
    if low < end:
        yield low, end
