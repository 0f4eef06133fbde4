"""Tables of the cache file: records from their models, rollups, bookkeeping, and the migrations between versions."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from aether_tui.cache.parsed import run
from aether_tui.errors import CacheTrouble
from aether_tui.records import TABLES, Column, Table
from aether_tui.records.model import Kind

SQL_TYPES: Final[dict[Kind, str]] = {
    "text": "VARCHAR",
    "said": "VARCHAR",
    "asked": "VARCHAR",
    "id": "VARCHAR",
    "person": "VARCHAR",
    "request": "VARCHAR",
    "texts": "VARCHAR[]",
    "json": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "money": "DECIMAL(38,12)",
    "bool": "BOOLEAN",
    "time": "TIMESTAMP",
    "day": "TIMESTAMP",
}

_MONEY: Final = "DECIMAL(38,12)"
_TASK_TEXTS: Final = "status outcome task_cluster scenario feature team environment service model"


def _columns(*parts: tuple[str, str]) -> dict[str, str]:
    """Columns from `(names, type)` pairs."""
    return {name: kind for names, kind in parts for name in names.split()}


ROLLUPS: Final[dict[str, dict[str, str]]] = {
    "llm_hourly": _columns(
        ("hour", "TIMESTAMP"),
        ("environment service feature team provider model", "VARCHAR"),
        ("calls errors input_tokens output_tokens cached_tokens reasoning_tokens", "BIGINT"),
        ("cost_usd", _MONEY),
        ("costed_calls", "BIGINT"),
        ("cost_attributed_usd", _MONEY),
    ),
    "tasks": _columns(
        ("source trace_id", "VARCHAR"),
        ("trace_number", "UBIGINT"),
        ("start", "TIMESTAMP"),
        ("duration_s", "DOUBLE"),
        ("turns calls tool_calls errors input_tokens output_tokens tokens", "BIGINT"),
        ("cost_usd", _MONEY),
        ("unpriced_calls", "BIGINT"),
        (_TASK_TEXTS, "VARCHAR"),
        ("rooted", "BOOLEAN"),
        ("kind", "UBIGINT"),
        ("took", "SMALLINT"),
    ),
    "coverage_daily": _columns(
        ("day", "TIMESTAMP"),
        ("environment feature", "VARCHAR"),
        (
            "calls with_model with_input_tokens with_output_tokens with_latency with_first_token with_cost with_feature "
            "with_team with_user with_prompt_version",
            "BIGINT",
        ),
    ),
    "task_coverage_daily": _columns(
        ("day", "TIMESTAMP"),
        ("environment service feature team model scenario task_cluster status outcome", "VARCHAR"),
        ("called", "BOOLEAN"),
        ("tasks with_cluster with_outcome with_root calls turns tokens with_tokens", "BIGINT"),
        ("cost_usd", _MONEY),
        ("with_cost unpriced_calls", "BIGINT"),
    ),
    "steps_hourly": _columns(
        ("hour", "TIMESTAMP"),
        ("environment service feature team task_cluster operation step", "VARCHAR"),
        ("visits errors retried lost lost_by_error places", "BIGINT"),
        ("touch_s_sum wait_s_sum", "DOUBLE"),
        ("cost_usd", _MONEY),
        ("unpriced_visits with_cost", "BIGINT"),
    ),
    "prompts_hourly": _columns(
        ("hour", "TIMESTAMP"),
        ("environment service feature team prompt_name prompt_version", "VARCHAR"),
        ("calls", "BIGINT"),
        ("cost_usd", _MONEY),
        ("with_cost", "BIGINT"),
    ),
    "users_daily": _columns(
        ("day", "TIMESTAMP"),
        ("environment service feature team user", "VARCHAR"),
        ("calls", "BIGINT"),
        ("cost_usd", _MONEY),
        ("with_cost", "BIGINT"),
    ),
    "duration_hist": _columns(
        ("day", "TIMESTAMP"), ("kind segment", "VARCHAR"), ("bucket", "INTEGER"), ("n", "BIGINT")
    ),
    "cost_daily": _columns(
        ("day", "TIMESTAMP"),
        ("environment service team feature provider charge_category currency", "VARCHAR"),
        ("billed effective", _MONEY),
        ("rows", "BIGINT"),
    ),
    "ci_daily": _columns(
        ("day", "TIMESTAMP"),
        ("repo workflow branch event", "VARCHAR"),
        ("runs failures excluded", "BIGINT"),
        ("run_s_sum queue_s_sum wall_s_sum", "DOUBLE"),
    ),
    "tests_daily": _columns(
        ("day", "TIMESTAMP"),
        ("repo suite branch", "VARCHAR"),
        ("runs tests failed errors skipped flaky partial", "BIGINT"),
        ("duration_s_sum duration_s_max", "DOUBLE"),
    ),
    "delivery_daily": _columns(
        ("day", "TIMESTAMP"),
        ("service environment team", "VARCHAR"),
        ("deployments failed hotfixes", "BIGINT"),
    ),
    "changes": _columns(
        ("source repo", "VARCHAR"),
        ("number", "BIGINT"),
        ("named", "BOOLEAN"),
        ("service team", "VARCHAR"),
        ("created first_commit first_review merged deployed", "TIMESTAMP"),
    ),
    "flow_items": _columns(
        ("source id key title type team feature project state category phase", "VARCHAR"),
        ("created started completed cancelled updated", "TIMESTAMP"),
        ("reopened transitions", "BIGINT"),
        ("category_since", "TIMESTAMP"),
        ("ideation_at validation_at specification_at build_at release_at measure_at learn_at", "TIMESTAMP"),
        ("active_us wait_us queue_us unmapped_us", "BIGINT"),
        ("handoffs", "BIGINT"),
        ("steps", "STRUCT(state VARCHAR, next_state VARCHAR, back BOOLEAN, touch_us BIGINT, wait_us BIGINT)[]"),
    ),
    "flow_daily": _columns(
        ("day", "TIMESTAMP"),
        ("team type", "VARCHAR"),
        ("arrivals started departures cancelled wip", "BIGINT"),
    ),
}
"""Rollup tables: columns and types. Days and hours are truncated UTC instants."""

PUSHED: Final = (
    "llm_hourly", "tasks", "coverage_daily", "task_coverage_daily", "steps_hourly", "prompts_hourly", "users_daily",
    "duration_hist",
)  # fmt: skip
"""Rollups that a source may compute itself; their column `origin` names it, and is null for what is computed here."""


COMPUTED: Final = {
    "trace_number": "{id_number(trace_id)}",
    "kind": "{kind(feature, team, model, environment, scenario, task_cluster, status)}",
    "took": "{took(duration_s)}",
}
"""Columns of `tasks` that follow from others of the same row: never asked of a source, and filled by themselves."""


def rollup_columns(name: str) -> dict[str, str]:
    """Columns of a rollup as stored."""
    return ROLLUPS[name] | ({"origin": "VARCHAR"} if name in PUSHED else {})


def local(name: str) -> str:
    """SQL condition on a rollup: computed here, from rows that are here."""
    return "origin IS NULL" if name in PUSHED else "TRUE"


BOOKKEEPING: Final[dict[str, dict[str, str]]] = {
    "meta": _columns(("key value", "VARCHAR")),
    "sync_state": _columns(
        ("source stream cursor", "VARCHAR"),
        ("last_attempt last_success", "TIMESTAMP"),
        ("last_error", "VARCHAR"),
        ("rows", "BIGINT"),
        ("state", "VARCHAR"),
    ),
    "rejects": _columns(("source stream", "VARCHAR"), ("at", "TIMESTAMP"), ("table reason place raw", "VARCHAR")),
    "tombstones": _columns(("source table key", "VARCHAR"), ("at", "TIMESTAMP")),
    "exports": _columns(("source table scope", "VARCHAR"), ("as_of", "TIMESTAMP")),
}
"""`meta` holds schema_version, `raw_from:TABLE`, `derived_by`, digits of the mapping that all rows follow or followed until it was
changed, whether flow was counted again (`flow_counted`), the `blocks` in use before the row groups of a load were put together, and the
`files` that were loaded (`sync/known.py`); `exports` the newest export that replaced a scope; `tombstones` what a source no longer has,
and when that was found."""

INCIDENTS: Final = """
CREATE VIEW incidents AS
SELECT source, id, key, title, created AS opened, completed AS resolved, priority AS severity,
    coalesce(list_filter(labels, lambda l: starts_with(lower(l), 'service:'))[1][9:], project) AS service, team
FROM work_items WHERE type = 'incident'
"""


def quoted(names: list[str] | tuple[str, ...]) -> str:
    """Column names as an SQL list."""
    return ", ".join(f'"{name}"' for name in names)


def stored_columns(table: Table) -> list[str]:
    """Columns of a record table as stored: `source`, its own, `mapping_hash`, `ingested_at`."""
    return ["source", *(column.name for column in table.columns), "mapping_hash", "ingested_at"]


def sql_type(column: Column) -> str:
    """The DuckDB type of a record column."""
    return SQL_TYPES[column.kind]


def record_ddl(table: Table) -> str:
    """CREATE TABLE of a record table."""
    own = ", ".join(f'"{column.name}" {sql_type(column)}' for column in table.columns)
    return f"CREATE TABLE {table.name} (source VARCHAR, {own}, mapping_hash VARCHAR, ingested_at TIMESTAMP)"


def plain_ddl(name: str, columns: dict[str, str]) -> str:
    """CREATE TABLE of a rollup or bookkeeping table."""
    own = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    return f"CREATE TABLE {name} ({own})"


OURS: Final = frozenset((*TABLES, *ROLLUPS, *BOOKKEEPING, "incidents"))
"""Names of tables and views that every cache has."""


def create_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Every table and view of the newest version in the current schema."""
    for table in TABLES.values():
        run(connection, record_ddl(table))
    for name in ROLLUPS:
        run(connection, plain_ddl(name, rollup_columns(name)))
    for name, columns in BOOKKEEPING.items():
        run(connection, plain_ddl(name, columns))
    run(connection, INCIDENTS)
    run(connection, "INSERT INTO meta VALUES ('schema_version', $version)", {"version": str(VERSION)})


def read_all(cursor: duckdb.DuckDBPyConnection) -> None:
    """Read every block, so that a damaged one raises."""
    for name in (*TABLES, *ROLLUPS, *BOOKKEEPING):
        cursor.execute(f"SELECT bit_xor(hash(t)) FROM {name} AS t").fetchall()


VERSION: Final = 14
"""Raised by whoever changes a table: an older cache is then caught up with (`catchup.migrate`) before anything reads it."""


def stored_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Schema version of the attached file; 0 for an empty one."""
    try:
        row = run(connection, "SELECT value FROM cache.meta WHERE key = 'schema_version'").fetchone()
    except duckdb.CatalogException:
        return 0
    return int(row[0]) if row else 0


def newer(path: Path) -> CacheTrouble:
    """The refusal of a file made by a newer program."""
    return CacheTrouble("the cache was made by a newer aether-tui", where=str(path), next_step="upgrade aether-tui")
