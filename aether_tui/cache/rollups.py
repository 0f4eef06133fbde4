"""Rollups: one SQL definition each, refreshed for the touched buckets only.

What they are stands in `aether_tui.records.definitions`, for every engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import duckdb

from aether_tui.cache import thrift
from aether_tui.cache.parsed import run
from aether_tui.cache.schema import ROLLUPS, local, quoted
from aether_tui.cache.settings import by_all_rows
from aether_tui.records.definitions import definition, render


@dataclass(frozen=True, slots=True)
class Rollup:
    """Rows of `table` by day or hour, computed by `sql` from `source`, whose column `at` says when.

    `kinds` are the kinds of `duration_hist` it owns. `bucket` is the column of `table` that holds day or hour:
    what is computed anew when a row in it changes. An hour where a whole day would take too long.
    """

    table: str
    sql: str
    source: str
    at: str
    bucket: str = "day"
    kinds: tuple[str, ...] = ()

    def owned(self) -> str:
        """SQL condition on `table` for the rows this definition owns."""
        return f"kind IN ({', '.join(repr(kind) for kind in self.kinds)})" if self.kinds else "TRUE"


DAILY: Final = (
    Rollup("llm_hourly", "llm_hourly", "spans", "start", "hour"),
    Rollup("coverage_daily", "coverage_daily", "spans", "start"),
    Rollup("duration_hist", "hist_spans", "spans", "start", kinds=("llm_latency", "first_token")),
    Rollup("task_coverage_daily", "task_coverage_daily", "tasks", "start"),
    Rollup("steps_hourly", "steps_hourly", "tasks", "start", "hour"),
    Rollup("prompts_hourly", "prompts_hourly", "spans", "start", "hour"),
    Rollup("users_daily", "users_daily", "spans", "start"),
    Rollup("duration_hist", "hist_tasks", "tasks", "start", kinds=("task_latency",)),
    Rollup("duration_hist", "hist_ci", "pipeline_runs", "created", kinds=("ci_run", "ci_wall", "ci_queue")),
    Rollup("ci_daily", "ci_daily", "pipeline_runs", "created"),
    Rollup("duration_hist", "hist_tests", "test_runs", "started", kinds=("test_suite",)),
    Rollup("tests_daily", "tests_daily", "test_runs", "started"),
    Rollup("duration_hist", "hist_flow", "flow_items", "completed", kinds=("cycle_time", "lead_time")),
    Rollup("duration_hist", "hist_prs", "pull_requests", "merged", kinds=("pr_lead_time",)),
    Rollup("cost_daily", "cost_daily", "costs", "charge_start"),
    Rollup("delivery_daily", "delivery_daily", "deployments", "started"),
)
"""Rollups with a day; `tasks`, `flow_items` and `changes` (one row per thing) and `flow_daily` (running sums) are refreshed apart."""

FOLLOWED: Final = ("pull_requests", "deployments")
"""Tables of which `changes` shows what is there: nothing of it is frozen."""


def days_of(source: str) -> tuple[str, ...]:
    """Columns of `source` whose days or hours bucket some rollup."""
    return tuple(dict.fromkeys(rollup.at for rollup in DAILY if rollup.source == source))


def read_by(tables: Sequence[str]) -> tuple[str, ...]:
    """Record tables that these rollups are made of."""
    raw = {
        "tasks": ("spans",), "flow_items": ("work_items", "work_transitions"), "flow_daily": ("work_items",),
        "changes": ("pull_requests",),
    }  # fmt: skip
    read = [source for rollup in DAILY if rollup.table in tables for source in raw.get(rollup.source, (rollup.source,))]
    return tuple(dict.fromkeys([*read, *(source for name in tables for source in raw.get(name, ()))]))


# --- What a transaction touched ------------------------------------------------------------------------------------


def start(cursor: duckdb.DuckDBPyConnection) -> None:
    """Empty the notes of what is touched (temporary tables of this connection)."""
    run(cursor, "CREATE OR REPLACE TEMP TABLE touched (source VARCHAR, clock VARCHAR, hour TIMESTAMP)")
    run(cursor, "CREATE OR REPLACE TEMP TABLE touched_things (source_table VARCHAR, source VARCHAR, id VARCHAR)")


_THING: Final = {
    "spans": ("tasks", "trace_id"),
    "work_items": ("flow_items", "id"),
    "work_transitions": ("flow_items", "item_id"),
    "pull_requests": ("changes", "repo"),
    "deployments": ("changes", "repo"),
}


def touch_scored(cursor: duckdb.DuckDBPyConnection, spans: str) -> bool:
    """Note the tasks of `spans` that were scored before they came: what follows spans knows no scores. Whether there may be any."""
    if not run(cursor, "SELECT 1 FROM outcomes LIMIT 1").fetchone():  # as in most caches
        return False
    scored = "SELECT trace_id FROM outcomes WHERE trace_id IS NOT NULL AND outcome IS NOT NULL"
    run(
        cursor,
        f"INSERT INTO touched_things SELECT DISTINCT 'tasks', source, trace_id FROM {spans} WHERE trace_id IN ({scored})",
    )
    return True


def touch(cursor: duckdb.DuckDBPyConnection, table: str, rows: str) -> None:
    """Note buckets and things of `rows`, an SQL table expression with the columns of `table`."""
    for at in days_of(table):
        run(cursor, f"INSERT INTO touched SELECT DISTINCT '{table}', '{at}', date_trunc('hour', \"{at}\") FROM {rows}")
    if table in _THING:
        rollup, column = _THING[table]
        run(cursor, f"INSERT INTO touched_things SELECT DISTINCT '{rollup}', source, {column} FROM {rows}")
    if table == "outcomes":  # of a trace, whoever recorded it
        number = render("{id_number(trace_id)}", {})
        run(
            cursor,
            f"INSERT INTO touched_things SELECT 'tasks', source, trace_id FROM tasks WHERE {local('tasks')} AND "
            f"trace_number IN (SELECT {number} FROM {rows}) AND trace_id IN (SELECT trace_id FROM {rows})",
        )


def refresh(cursor: duckdb.DuckDBPyConnection) -> None:
    """Recompute every touched bucket from the rows as they are now. Frozen buckets (pruned raw rows) stay."""
    # Most merges touch one table: each query that is not asked saves a millisecond or two of small ones.
    things = {name for (name,) in run(cursor, "SELECT DISTINCT source_table FROM touched_things").fetchall()}
    if "tasks" in things:
        _refresh_tasks(cursor)
    flow = "flow_items" in things and _refresh_flow_items(cursor)
    if "changes" in things:
        _refresh_changes(cursor)
    clocks = set(run(cursor, "SELECT DISTINCT source, clock FROM touched").fetchall())
    for rollup in DAILY:
        if {(rollup.source, rollup.at), (rollup.source, rollup.table)} & clocks:
            _refresh_daily(cursor, rollup)
    if flow:
        with thrift.looking(cursor):
            events = render(definition("flow_events"), {"flow_items": "flow_items"})
            run(cursor, f"CREATE OR REPLACE TEMP TABLE flow_events AS {events}")
        run(cursor, "DELETE FROM flow_daily")
        _insert(cursor, "flow_daily", render(definition("flow_daily"), {"flow_events": "flow_events"}))


def raw_from(cursor: duckdb.DuckDBPyConnection, table: str) -> datetime | None:
    """First day whose raw rows are complete; earlier ones were pruned and their rollups are frozen."""
    row = run(cursor, "SELECT value FROM meta WHERE key = $key", {"key": f"raw_from:{table}"}).fetchone()
    return datetime.fromisoformat(row[0]) if row else None


def thawed(cursor: duckdb.DuckDBPyConnection, source: str, column: str) -> str:
    """SQL condition: `column` lies where the raw rows of `source` are complete."""
    since = raw_from(cursor, source)
    return f"{column} >= TIMESTAMP '{since}'" if since else "TRUE"


def tasks_sql(spans: str, scores: str = "outcomes") -> str:
    """SELECT of the tasks of a relation of spans. Where the spans do not say how a task ended, its scores do: it failed if one
    of them says so.
    """
    said = f"SELECT trace_id AS scored, min(outcome) AS said FROM {scores} WHERE trace_id IS NOT NULL GROUP BY 1"
    return (
        f"SELECT t.* REPLACE (coalesce(t.outcome, o.said) AS outcome) FROM ({render(definition('tasks'), {'spans': spans})}) AS t "
        f"LEFT JOIN ({said}) AS o ON o.scored = t.trace_id"
    )


def _insert(
    cursor: duckdb.DuckDBPyConnection, table: str, rows: str, params: Mapping[str, object] | None = None
) -> None:
    columns = quoted(list(ROLLUPS[table]))
    run(cursor, f"INSERT INTO {table} ({columns}) SELECT {columns} FROM ({rows})", params)


def _refresh_tasks(cursor: duckdb.DuckDBPyConnection) -> None:
    frozen = f"NOT ({thawed(cursor, 'spans', 't.start')})"
    mine = "(SELECT DISTINCT source, id FROM touched_things WHERE source_table = 'tasks')"
    run(
        cursor,
        f"CREATE OR REPLACE TEMP TABLE touched_tasks AS SELECT m.source, m.id, t.start, t.duration_s FROM {mine} AS m "
        f"LEFT JOIN tasks AS t ON t.source = m.source AND t.trace_id = m.id WHERE t.start IS NULL OR NOT {frozen}",
    )
    extent = run(
        cursor,
        "SELECT min(lo), max(hi) FROM ("
        "SELECT min(start) AS lo, max(start + to_microseconds(CAST(duration_s * 1e6 AS BIGINT) + 1)) AS hi FROM touched_tasks "
        "UNION ALL SELECT min(hour), max(hour) + INTERVAL 1 HOUR FROM touched WHERE source = 'spans')",
    ).fetchone()
    if not extent or extent[0] is None:
        return
    hours = "INSERT INTO touched SELECT DISTINCT 'tasks', 'start', date_trunc('hour', start) FROM "
    run(cursor, hours + "touched_tasks WHERE start IS NOT NULL")
    run(
        cursor,
        "DELETE FROM tasks WHERE (source, trace_id) IN (SELECT source, id FROM touched_tasks WHERE start IS NOT NULL)",
    )
    spans = (
        f"(SELECT * FROM spans WHERE start BETWEEN TIMESTAMP '{extent[0]}' AND TIMESTAMP '{extent[1]}' "
        "AND (source, trace_id) IN (SELECT source, id FROM touched_tasks))"
    )
    _insert(cursor, "tasks", tasks_sql(spans, "(FROM outcomes WHERE trace_id IN (SELECT id FROM touched_tasks))"))
    run(cursor, hours + "tasks WHERE (source, trace_id) IN (SELECT source, id FROM touched_tasks)")


def _refresh_flow_items(cursor: duckdb.DuckDBPyConnection) -> bool:
    mine = "(SELECT source, id FROM touched_things WHERE source_table = 'flow_items')"
    known = run(cursor, f"SELECT count(*) FROM {mine}").fetchone()
    if not known or not known[0]:
        return False
    with thrift.looking(cursor, known[0]):
        _note_hours(cursor, f"flow_items WHERE (source, id) IN {mine}")
        run(cursor, f"DELETE FROM flow_items WHERE (source, id) IN {mine}")
        for table, column in (("work_items", "id"), ("work_transitions", "item_id")):
            # Keys first: whole rows are then read only where some are.
            found = f"SELECT rowid AS _row FROM {table} WHERE (source, {column}) IN {mine}"
            run(cursor, f"CREATE OR REPLACE TEMP TABLE flow_rows AS {found}")
            first, last = run(cursor, "SELECT min(_row), max(_row) FROM flow_rows").fetchone() or (None, None)
            within = "FALSE" if first is None else f"rowid BETWEEN {first} AND {last}"
            rows = f"SELECT * FROM {table} WHERE {within} AND rowid IN (SELECT _row FROM flow_rows)"
            with by_all_rows(cursor):
                run(cursor, f"CREATE OR REPLACE TEMP TABLE flow_{table} AS {rows}")
    sources = {"work_items": "flow_work_items", "work_transitions": "flow_work_transitions"}
    _insert(cursor, "flow_items", render(definition("flow_items"), sources))
    with thrift.looking(cursor, known[0]):
        _note_hours(cursor, f"flow_items WHERE (source, id) IN {mine}")
    return True


def _note_hours(cursor: duckdb.DuckDBPyConnection, items: str) -> None:
    hours = "SELECT DISTINCT 'flow_items', 'completed', date_trunc('hour', completed)"
    run(cursor, f"INSERT INTO touched {hours} FROM {items}")


def _refresh_changes(cursor: duckdb.DuckDBPyConnection) -> None:
    """Those of the touched repositories, and those whose label may name a touched deployment of another one."""
    mine = "FROM touched_things WHERE source_table = 'changes'"
    touched = f"repo IN (SELECT id {mine}) OR (source IN (SELECT source {mine}) AND %s)"
    run(cursor, f"DELETE FROM changes WHERE {touched % 'named'}")
    labelled = render("{label(labels, deployment)} IS NOT NULL", {})
    pulls = f"(SELECT * FROM pull_requests WHERE {touched % labelled})"
    sources = {"pull_requests": pulls, "deployments": "deployments"}
    _insert(cursor, "changes", render(definition("changes"), sources))


def _refresh_daily(cursor: duckdb.DuckDBPyConnection, rollup: Rollup) -> None:
    raw = "spans" if rollup.source == "tasks" else rollup.source
    length = "hour" if rollup.bucket == "hour" else "day"
    buckets = (
        f"(SELECT DISTINCT date_trunc('{length}', hour) AS bucket FROM touched WHERE source = '{rollup.source}' "
        f"AND clock IN ('{rollup.at}', '{rollup.table}') AND hour IS NOT NULL AND {thawed(cursor, raw, 'hour')})"
    )
    extent = run(cursor, f"SELECT min(bucket), max(bucket) FROM {buckets}").fetchone()
    if not extent or extent[0] is None:
        return

    params = {"first": str(extent[0]), "last": str(extent[1])}

    def within(column: str) -> str:
        return (
            f"{column} >= CAST($first AS TIMESTAMP) AND {column} < CAST($last AS TIMESTAMP) + INTERVAL 1 {length} "
            f"AND date_trunc('{length}', {column}) IN {buckets}"
        )

    run(
        cursor,
        f"DELETE FROM {rollup.table} WHERE {rollup.owned()} AND {local(rollup.table)} AND {within(rollup.bucket)}",
        params,
    )
    rows = f"(SELECT * FROM {rollup.source} WHERE {local(rollup.source)} AND {within(rollup.at)})"
    sources = {rollup.source: rows}
    if rollup.source == "tasks" and "{spans}" in definition(rollup.sql):
        sources["spans"] = _spans_of(cursor, sources["tasks"], params)
    _insert(cursor, rollup.table, render(definition(rollup.sql), sources), params)


def _spans_of(cursor: duckdb.DuckDBPyConnection, tasks: str, params: Mapping[str, object]) -> str:
    """The spans from the first of these tasks to the end of the last."""
    found = run(
        cursor,
        f"SELECT min(start), max(start + to_microseconds(CAST(duration_s * 1e6 AS BIGINT) + 1)) FROM {tasks}",
        params,
    ).fetchone()
    first, last = found if found and found[0] else ("2000-01-01", "2000-01-01")
    return f"(SELECT * FROM spans WHERE start BETWEEN TIMESTAMP '{first}' AND TIMESTAMP '{last}')"
