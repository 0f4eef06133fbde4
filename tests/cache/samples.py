"""Small random data for every record table, with the oddities real sources have."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from aether_tui.cache import Cache
from aether_tui.records import TABLES, Column, Row, Table, Value

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAY_ONE = datetime(2026, 7, 1)  # noqa: DTZ001 - instants in rows are naive UTC

_CHOICES: dict[str, list[Value]] = {
    "operation": ["chat", "chat", "embeddings", "execute_tool", "invoke_agent", None],
    "status": ["ok", "ok", "error", "unset", None],
    "model": ["m1", "m2", None],
    "provider": ["p1", "p2"],
    "feature": ["search", "chat", None],
    "team": ["red", "blue", None],
    "environment": ["production", "dev", None],
    "service": ["api", None],
    "outcome": ["success", "failure", None, None],
    "task_cluster": ["c1", "c2", None],
    "scenario": ["load", None],
    "type": ["bug", "feature", "incident"],
    "category": ["backlog", "queue", "active", "wait", "done", "cancelled", None],
    "phase": ["ideation", "build", "release", None],
    "to_phase": ["ideation", "validation", "build", "measure", "learn", None],
    "to_category": ["queue", "active", "active", "done", "done", "cancelled"],
    "from_category": ["queue", "active", "done", None],
    "result": ["success", "failure", "timed_out", "cancelled", "skipped", "running", None],
    "reason": ["planned", "hotfix", "rollback", "unknown"],
    "repo": ["o/a", "o/b"],
    "sha": ["c1", "c2", "c3", None],
    "merge_sha": ["c1", "c2", "c4", None],
    "workflow": ["ci", "nightly"],
    "branch": ["main", "dev"],
    "event": ["push", None],
    "suite": ["unit", "integration"],
    "charge_category": ["Usage", "Tax"],
    "currency": ["USD", "EUR"],
    "account": ["1", "2", None],
}


def full(table: Table, **values: Value) -> Row:
    """A full row (raw and derived columns) from named values."""
    unknown = set(values) - {column.name for column in table.columns}
    assert not unknown, unknown
    return tuple(values.get(column.name) for column in table.columns)


def rows(name: str, count: int, seed: int = 0) -> list[Row]:
    """`count` rows of a table with different keys."""
    rng = random.Random(f"{name} {seed}")
    table = TABLES[name]
    return [_row(table, number, rng) for number in range(count)]


def everything(count: int, seed: int = 0) -> dict[str, list[Row]]:
    """Rows of every table."""
    return {name: rows(name, count, seed) for name in TABLES}


def spans(count: int, seed: int = 0) -> dict[str, list[Row]]:
    """Rows of one table: what most tests need, at a tenth of the time."""
    return {"spans": rows("spans", count, seed)}


def _row(table: Table, number: int, rng: random.Random) -> Row:
    keys = {
        "trace_id": f"t{number // 5}", "span_id": f"s{number}", "item_id": f"id{number // 3}", "run_id": f"id{number // 3}",
        "parent_id": None if number % 5 == 0 and rng.random() < 0.9 else f"s{number // 5 * 5}",
        "id": f"id{number}", "row_hash": f"h{number}", "number": number, "attempt": 1, "ordinal": number, "to_state": f"st{number}",
    }  # fmt: skip
    cells: list[Value] = []
    for column in table.columns:
        if column.name in keys:
            cells.append(keys[column.name])
        elif column.name in table.key:
            cells.append(f"{column.name}{number}" if column.kind in ("text", "id") else _value(column, rng))
        elif column.name in _CHOICES:
            cells.append(rng.choice(_CHOICES[column.name]))
        else:
            cells.append(_value(column, rng) if rng.random() > 0.15 else None)
    return tuple(cells)


def _value(column: Column, rng: random.Random) -> Value:
    match column.kind:
        case "int":
            return rng.choice([0, rng.randrange(2000)])
        case "float":
            return rng.choice([0.0, -0.5, *(round(rng.random() * 10**n, 3) for n in (0, 2, 2))])
        case "money":
            return Decimal(rng.randrange(-(10**6), 10**10)).scaleb(-9)
        case "bool":
            return rng.random() < 0.5
        case "time" | "day":
            return DAY_ONE + timedelta(microseconds=rng.randrange(12 * 86_400 * 10**6))
        case "texts":
            return tuple(
                rng.sample(["a", "b", "service:api", "ü", f"deployment:id{rng.randrange(9)}"], rng.randrange(3))
            )
        case "json":
            return '{"k": "v"}'
        case _:
            return f"{column.name} {rng.randrange(4)} é"


def dump(
    cache: Cache, *, but: tuple[str, ...] = ("ingested_at", "last_attempt", "last_success", "at")
) -> dict[str, list[str]]:
    """Every table's rows as sorted text, without the columns that say when something was stored."""
    with cache.read() as lease:
        names = [str(row["name"]) for row in lease.rows("SELECT table_name AS name FROM duckdb_tables() ORDER BY 1")]
        found = {}
        for name in names:
            skip = set(but) - ({"at"} if name in TABLES else set())
            found[name] = sorted(
                str({key: value for key, value in row.items() if key not in skip}) for row in lease.rows(f"FROM {name}")
            )
        return found


def store(cache: Cache, data: dict[str, list[Row]], source: str = "s", stream: str = "x", **more: object) -> None:
    """Merge with the fixed clock and mapping."""
    cache.merge(source, stream, data, mapping_hash="m1", now=NOW, **more)  # type: ignore[arg-type]


def fresh(folder: Path, name: str = "cache") -> Cache:
    """A cache of its own folder that does not exist yet."""
    return Cache(folder / name / "cache.duckdb", wait_s=10)
