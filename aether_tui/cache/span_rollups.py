"""Rollups of spans, moved by what comes and goes: nothing is read of a day but the traces that a merge touches.

Each rollup is a sum over rows, so what it gains is its own definition over the rows that come, and what it loses the
definition over those that go. Tasks and their steps depend on whole traces: those of the touched traces go and come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb

from aether_tui.cache import rollups
from aether_tui.cache.flags import ANSWERED, flagged
from aether_tui.cache.parsed import run
from aether_tui.cache.rollups import DAILY, Rollup
from aether_tui.cache.schema import ROLLUPS, quoted
from aether_tui.cache.settings import hash_the_last
from aether_tui.records.definitions import definition, render

_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Sums:
    """How a rollup's rows are added: `key` columns, the `count` that is nought when nothing is left, and sums that are null
    where the count named with them is nought. Rollups with `hidden` sums cannot be subtracted from: nobody counted their nulls."""

    key: tuple[str, ...]
    count: str
    nullable: dict[str, str]
    seconds: tuple[str, ...] = ()
    hidden: bool = False


_WHERE: Final = ("environment", "service", "feature", "team")
_SUMS: Final = {
    "llm_hourly": _Sums(("hour", *_WHERE, "provider", "model"), "calls", {}, hidden=True),
    "coverage_daily": _Sums(("day", "environment", "feature"), "calls", {}),
    "duration_hist": _Sums(("day", "kind", "segment", "bucket"), "n", {}),
    "task_coverage_daily": _Sums(
        ("day", *_WHERE, "model", "scenario", "task_cluster", "status", "outcome", "called"), "tasks",
        {"tokens": "with_tokens", "cost_usd": "with_cost"},
    ),
    "steps_hourly": _Sums(
        ("hour", *_WHERE, "task_cluster", "operation", "step"), "visits", {"cost_usd": "with_cost"}, ("touch_s_sum", "wait_s_sum")
    ),
    "prompts_hourly": _Sums(("hour", *_WHERE, "prompt_name", "prompt_version"), "calls", {"cost_usd": "with_cost"}),
    "users_daily": _Sums(("day", *_WHERE, "user"), "calls", {"cost_usd": "with_cost"}),
}  # fmt: skip


_MOVED: Final = tuple(rollup for rollup in DAILY if rollup.source in ("spans", "tasks"))


def look_up(
    cursor: duckdb.DuckDBPyConnection, rows: str, source: str, ahead: range | None = None, *, stored: bool = False
) -> str:
    """Temporary table `tasks_known` of the tasks that spans in `rows` may belong to; SQL condition on where those are stored.

    Every stored span lies within its task, so that nothing else needs to be read to find it, and of `rows` that are
    `stored` only tasks around them. The tasks of the slices numbered `ahead` are known from `prepare`.
    """
    since = rollups.raw_from(cursor, "spans")
    thawed = f"t.start >= TIMESTAMP '{since}'" if since else "TRUE"
    number = render("{id_number(trace_id)}", {})
    traces = f"SELECT trace_id, {number} AS trace_number FROM (SELECT DISTINCT trace_id FROM {rows})"
    if ahead is not None:
        prepared = f"SELECT trace_id, trace_number FROM tasks_added WHERE {_of_slices('source', ahead)}"
        traces = f"{prepared} UNION ALL {traces[:-1]} WHERE start IS NULL)"
    around = f" AND {_around(cursor, rows)}" if stored else ""
    run(cursor, f"CREATE OR REPLACE TEMP TABLE traces_come AS {traces}")
    # By their numbers alone, and written down: of the other tasks nothing else is unpacked then, however many there are. None of them is
    # of this transaction (see `settings.by_all_rows`).
    numbers = f"WHERE t.trace_number IN (SELECT trace_number FROM traces_come){around}"
    run(cursor, f"CREATE OR REPLACE TEMP TABLE rows_known AS SELECT t.rowid AS _row FROM tasks AS t {numbers}")
    run(
        cursor,
        f"CREATE OR REPLACE TEMP TABLE tasks_known AS SELECT t.rowid AS _row, t.*, {thawed} AS _thawed FROM tasks AS t WHERE "
        "t.rowid IN (SELECT _row FROM rows_known) AND t.source = $source AND t.trace_id IN (SELECT trace_id FROM traces_come)",
        {"source": source},
    )
    (frozen,) = run(cursor, "SELECT count(*) FROM tasks_known WHERE NOT _thawed").fetchone() or (0,)
    within = _extent(cursor, "tasks_known WHERE _thawed")
    return f"({within} OR start >= TIMESTAMP '{since}')" if frozen else within


def prepare(cursor: duckdb.DuckDBPyConnection, come: str) -> None:
    """Temporary tables of what slices of rows add to each rollup if nothing of their traces is stored yet: most of the work, done
    before anybody has to wait for it.

    `come` is a relation with the columns of `spans` and `flags.FLAGS`; its `source` is the number of the slice.
    """
    words = {
        **ANSWERED,
        # The number of the slice travels in the microseconds of the hour, so that it need not be in every definition.
        **{unit: f"(date_trunc('{unit}', {{0}}) + to_microseconds(source))" for unit in ("hour", "day")},
    }
    text = render(definition("tasks"), {"spans": come}, words)
    run(cursor, f"CREATE OR REPLACE TEMP TABLE tasks_added AS {text}")
    with hash_the_last(cursor):
        for rollup in _MOVED:
            at = f'"{rollup.bucket}"'
            added = render(definition(rollup.sql), {"spans": come, "tasks": "tasks_added"}, words)
            run(
                cursor,
                f"CREATE OR REPLACE TEMP TABLE {_added_by(rollup)} AS SELECT * REPLACE (date_trunc('{rollup.bucket}', {at}) AS {at}), "
                f"date_part('microseconds', {at}) AS _slice FROM ({added})",
            )


def follow(cursor: duckdb.DuckDBPyConnection, come: str, gone: str | None, ahead: range | None) -> None:
    """Bring the rollups up to rows that are about to come and go: call it before they do, and after `look_up`.

    `come` and `gone` (None: nothing goes) are relations with the columns of `spans` and `flags.FLAGS`; if `ahead`, what comes are the
    slices of these numbers that were given to `prepare`, of which no two share a trace, and nothing goes. Buckets whose raw rows were
    pruned stay.
    """
    known = _stage_known(cursor, come, gone)
    rest = come
    if ahead is not None and known.any:
        rest = "come_to_known"
        shared = f"SELECT * FROM {come} WHERE trace_id IN (SELECT trace_id FROM tasks_known)"
        run(cursor, f"CREATE OR REPLACE TEMP TABLE {rest} AS {shared}")
    after = ""
    if known.any or ahead is None:
        after = _stage_tasks(cursor, rest, gone, known=known, alone=ahead is not None)
    within = _extent_of(cursor, come, gone, known=known)
    if within is None:
        return
    for rollup in _MOVED:
        if rollup.source == "spans" and ahead is not None:
            parts = [_added_of(rollup, ahead)]
        elif rollup.source == "spans":
            if gone is not None and _SUMS[rollup.table].hidden:
                _later(cursor, rollup, come, gone)
                continue
            parts = [_sums_of(rollup, {"spans": come})]
            parts += [_sums_of(rollup, {"spans": gone}, minus=True)] if gone is not None else []
        else:
            parts = [_added_of(rollup, ahead)] if ahead is not None else []
            if ahead is not None and known.any:
                parts.append(_sums_of(rollup, {"tasks": "tasks_alone", "spans": rest}, minus=True))
            if known.any or ahead is None:
                parts.append(_sums_of(rollup, {"tasks": "tasks_come", "spans": after}))
            if known.thawed:
                parts.append(_sums_of(rollup, {"tasks": "tasks_gone", "spans": "spans_before"}, minus=True))
        _move(cursor, rollup, parts, within, once=len(parts) == 1 and (ahead is None or len(ahead) == 1))
    if known.thawed:
        run(cursor, "DELETE FROM tasks WHERE rowid IN (SELECT _row FROM tasks_gone)")
    columns = quoted(list(ROLLUPS["tasks"]))
    if ahead is not None:
        alone = " AND trace_id NOT IN (SELECT trace_id FROM tasks_known)" if known.any else ""
        of_them = f"FROM tasks_added WHERE {_of_slices('source', ahead)}{alone}"
        named = f"SELECT * REPLACE ((SELECT source FROM {come} LIMIT 1) AS source) {of_them}"
        run(cursor, f"INSERT INTO tasks ({columns}) SELECT {columns} FROM ({named})")
    if known.any or ahead is None:
        run(cursor, f"INSERT INTO tasks ({columns}) SELECT {columns} FROM tasks_come")


def _later(cursor: duckdb.DuckDBPyConnection, rollup: Rollup, come: str, gone: str) -> None:
    """Have the touched buckets of one rollup computed anew once the rows are stored."""
    for rows in (come, gone):
        run(
            cursor,
            f"INSERT INTO touched SELECT DISTINCT 'spans', '{rollup.table}', date_trunc('hour', start) FROM {rows}",
        )


# --- Traces --------------------------------------------------------------------------------------------------------


def _around(cursor: duckdb.DuckDBPyConnection, spans: str) -> str:
    """SQL condition: a task begins before the last of these spans does, and not so long before the first that none lasts till then."""
    longest = f"to_microseconds(CAST((SELECT max(duration_s) FROM tasks) * {_US} AS BIGINT) + 1)"
    first, last = run(cursor, f"SELECT min(start) - {longest}, max(start) FROM {spans}").fetchone() or (None, None)
    return "FALSE" if first is None else f"t.start BETWEEN TIMESTAMP '{first}' AND TIMESTAMP '{last}'"


def _extent(cursor: duckdb.DuckDBPyConnection, tasks: str) -> str:
    """SQL condition: a span lies between the first start and the last end of these tasks."""
    end = f"start + to_microseconds(CAST(duration_s * {_US} AS BIGINT) + 1)"
    first, last = run(cursor, f"SELECT min(start), max({end}) FROM {tasks}").fetchone() or (None, None)
    return "FALSE" if first is None else f"start BETWEEN TIMESTAMP '{first}' AND TIMESTAMP '{last}'"


@dataclass(frozen=True, slots=True)
class _Known:
    """Whether there are tasks of the traces that come: any, ones that may change, ones that are frozen."""

    thawed: bool
    frozen: bool

    @property
    def any(self) -> bool:
        return self.thawed or self.frozen


def _stage_known(cursor: duckdb.DuckDBPyConnection, come: str, gone: str | None) -> _Known:
    """Temporary table `tasks_gone` of the tasks that will change, and `spans_before` of all their spans."""
    (some,) = run(cursor, "SELECT count(*) FROM tasks_known").fetchone() or (0,)
    if not some:
        return _Known(thawed=False, frozen=False)
    both = f"SELECT trace_id FROM {come}" + (f" UNION ALL SELECT trace_id FROM {gone}" if gone else "")
    touched = f"FROM tasks_known WHERE trace_id IN ({both})"
    run(cursor, f"CREATE OR REPLACE TEMP TABLE tasks_gone AS SELECT * EXCLUDE _thawed {touched} AND _thawed")
    counted = f"SELECT (SELECT count(*) FROM tasks_gone), (SELECT count(*) {touched} AND NOT _thawed)"
    thawed, frozen = run(cursor, counted).fetchone() or (0, 0)
    if thawed:
        of_them = "(source, trace_id) IN (SELECT source, trace_id FROM tasks_gone)"
        within = _extent(cursor, "tasks_gone")
        run(
            cursor,
            f"CREATE OR REPLACE TEMP TABLE spans_before AS {flagged(f'(FROM spans WHERE {within} AND {of_them})')}",
        )
    return _Known(bool(thawed), bool(frozen))


def _extent_of(
    cursor: duckdb.DuckDBPyConnection, come: str, gone: str | None, *, known: _Known
) -> tuple[str, str] | None:
    """The first and the last instant at which something moves; None where nothing has an instant."""
    # A span that loses its start moves its task to the next one's, which neither comes nor goes.
    moving = [come, *([gone] if gone else []), *(["tasks_gone", "tasks_come"] if known.thawed else [])]
    starts = " UNION ALL ".join(f"SELECT start FROM {rows}" for rows in moving)
    first, last = run(cursor, f"SELECT min(start), max(start) FROM ({starts})").fetchone() or (None, None)
    return None if first is None else (str(first), str(last))


def _stage_tasks(cursor: duckdb.DuckDBPyConnection, come: str, gone: str | None, *, known: _Known, alone: bool) -> str:
    """Temporary `tasks_come` of the touched traces with what comes, of whose spans the relation is returned; if `alone`,
    `tasks_alone` of only what comes."""
    after = come
    if known.any:
        after = "spans_after"
        run(cursor, f"CREATE OR REPLACE TEMP VIEW {after} AS {_after(come, gone, known=known)}")
    for name, spans in {"tasks_come": after, **({"tasks_alone": come} if alone else {})}.items():
        text = render(definition("tasks"), {"spans": spans}, ANSWERED)
        run(cursor, f"CREATE OR REPLACE TEMP TABLE {name} AS {text}")
    return after


def _after(come: str, gone: str | None, *, known: _Known) -> str:
    """SELECT of the spans of the touched traces that change: those that were there and stay, and those that come."""
    after = f"SELECT * FROM {come}"
    if known.frozen:
        after += " WHERE (source, trace_id) NOT IN (SELECT source, trace_id FROM tasks_known WHERE NOT _thawed)"
    if known.thawed:
        kept = "SELECT * FROM spans_before"
        if gone is not None:
            kept += f" WHERE (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM {gone})"
        after = f"{kept} UNION ALL BY NAME {after}"
    return after


# --- Sums ----------------------------------------------------------------------------------------------------------


def _added_by(rollup: Rollup) -> str:
    return f"added_{rollup.sql}"


def _added_of(rollup: Rollup, ahead: range) -> str:
    return f"SELECT * EXCLUDE (_slice) FROM {_added_by(rollup)} WHERE {_of_slices('_slice', ahead)}"


def _of_slices(name: str, ahead: range) -> str:
    return f"{name} BETWEEN {ahead.start} AND {ahead.stop - 1}"


def _sums_of(rollup: Rollup, sources: dict[str, str], *, minus: bool = False) -> str:
    """SELECT of a rollup's rows over other sources; with `minus` what they take away."""
    key, columns = _SUMS[rollup.table].key, list(ROLLUPS[rollup.table])
    picked = ", ".join(f'-"{name}" AS "{name}"' if minus and name not in key else f'"{name}"' for name in columns)
    return f"SELECT {picked} FROM ({render(definition(rollup.sql), sources, ANSWERED)})"


def _move(
    cursor: duckdb.DuckDBPyConnection, rollup: Rollup, parts: list[str], within: tuple[str, str], *, once: bool
) -> None:
    """Add rows to the stored sums, key by key; `within` are the first and the last instant of what moves.

    If `once`, there is one part, with one row for each key.
    """
    sums, columns = _SUMS[rollup.table], list(ROLLUPS[rollup.table])
    values = [name for name in columns if name not in sums.key]
    rows = parts[0]
    if not once:
        added = ", ".join(f'{_added(sums, name)} AS "{name}"' for name in values)
        rows = (
            f"SELECT {quoted(sums.key)}, {added} FROM ({' UNION ALL BY NAME '.join(parts)}) GROUP BY {quoted(sums.key)}"
        )
    low, high = (f"date_trunc('{rollup.bucket}', CAST({instant} AS TIMESTAMP))" for instant in ("$first", "$last"))
    same = " AND ".join(f'r."{name}" IS NOT DISTINCT FROM m."{name}"' for name in sums.key)
    sets = ", ".join(f'"{name}" = {_both(sums, name)}' for name in values)
    run(
        cursor,
        f"MERGE INTO {rollup.table} AS r USING ({rows}) AS m "
        f'ON {same} AND r.origin IS NULL AND r."{rollup.bucket}" BETWEEN {low} AND {high} '
        f'WHEN MATCHED AND r."{sums.count}" + m."{sums.count}" = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET {sets} '
        f'WHEN NOT MATCHED AND m."{sums.count}" <> 0 THEN INSERT ({quoted([*sums.key, *values])}) '
        f"VALUES ({', '.join(_alone(sums, name) for name in [*sums.key, *values])})",
        {"first": within[0], "last": within[1]},
    )


def added_up(table: str, rows: str) -> str:
    """SELECT of the rows of a relation with the columns of a rollup, one for each key."""
    sums = _SUMS[table]
    values = [name for name in ROLLUPS[table] if name not in sums.key]
    added = ", ".join(f'{_added(sums, name)} AS "{name}"' for name in values)
    return f"SELECT {quoted(sums.key)}, {added} FROM {rows} GROUP BY {quoted(sums.key)}"


def _added(sums: _Sums, name: str) -> str:
    """SQL: the sum of what moves."""
    if name in sums.seconds:  # a sum of whole microseconds, so that no order of adding shows
        return f'sum(CAST(round("{name}" * {_US}) AS BIGINT)) / 1e6'
    return f'sum("{name}")'


def _alone(sums: _Sums, name: str) -> str:
    """SQL: a sum that had no row yet."""
    count = sums.nullable.get(name)
    return f'CASE WHEN m."{count}" <> 0 THEN m."{name}" END' if count else f'm."{name}"'


def _both(sums: _Sums, name: str) -> str:
    """SQL: a stored sum with what moves."""
    stored, moved = f'r."{name}"', f'm."{name}"'
    if name in sums.seconds:
        return f"(CAST(round({stored} * {_US}) AS BIGINT) + CAST(round({moved} * {_US}) AS BIGINT)) / 1e6"
    if count := sums.nullable.get(name):
        return f'CASE WHEN r."{count}" + m."{count}" <> 0 THEN coalesce({stored}, 0) + coalesce({moved}, 0) END'
    return f"coalesce({stored} + {moved}, {stored}, {moved})"
