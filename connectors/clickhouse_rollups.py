"""Rollups computed inside ClickHouse by the definitions of the cache: what travels are distinct words there, and groups back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from aether_tui.records.definitions import CLICKHOUSE, definition, render
from aether_tui.records.tables import SPANS
from connectors.base import Derived, Row, Value
from connectors.clickhouse_spans import Present, literal, spans_sql
from connectors.fields import Node, dig, instant

OF_SPANS: Final = {
    "llm_hourly": "llm_hourly",
    "coverage_daily": "coverage_daily",
    "hist_spans": "duration_hist",
    "prompts_hourly": "prompts_hourly",
    "users_daily": "users_daily",
}
"""Definitions over spans by themselves, and the rollup each fills."""
OF_TASKS: Final = {
    "task_coverage_daily": "task_coverage_daily",
    "hist_tasks": "duration_hist",
    "steps_hourly": "steps_hourly",
}
"""Definitions over whole traces."""
TASKS: Final = "tasks"

WITHIN: Final = "Timestamp >= {low:DateTime64(6, 'UTC')} AND Timestamp < {high:DateTime64(6, 'UTC')}"
SLICED: Final = " AND cityHash64(TraceId) % {slices:UInt32} = {slice:UInt32}"

_SAID: Final = ("provider", "model", "operation", "source_environment", "source_service")
_DIMENSIONS: Final = ("environment", "service", "feature", "team", "scenario", "task_cluster", "outcome")
_RATES: Final = {
    "above": "Int64", "upto": "Int64", "sold": "Bool", "input_counts": "Bool", "output_counts": "Bool",
    **dict.fromkeys(("input", "cached", "written", "output", "reasoning"), "Nullable(Int64)"), "request": "Int64",
}  # fmt: skip
_KNOWN: Final = {
    "k": "UInt64", **dict.fromkeys((*_DIMENSIONS, "model"), "Nullable(String)"), **_RATES,
}  # fmt: skip
_OWN: Final = (
    "trace_id", "span_id", "parent_id", "name", "operation", "start", "duration_s", "time_to_first_token_s", "provider",
    "model", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "status", "user", "prompt_name",
    "prompt_version",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spans:
    """Where the spans of some time are read from, and the names of their attributes. `once`: one delivered twice counts once."""

    table: str
    present: Present
    words: tuple[str, ...]
    once: bool = True

    def raw(self, within: str) -> str:
        """SELECT of raw columns and `k`, which stands for everything that dimensions and prices follow from."""
        told = [*_SAID, "toString(toStartOfDay(start))", *(f"word_{place}" for place in range(len(self.words)))]
        # A hash of nothing would be nothing.
        key = ", ".join(f"ifNull({name}, '\\x01')" for name in told)
        spans = spans_sql(self.table, within, self.present, self.words)
        once = " LIMIT 1 BY trace_id, span_id" if self.once else ""
        return f"SELECT *, cityHash64({key}) AS k FROM ({spans}{once})"

    def combinations(self, within: str) -> str:
        """SELECT of the distinct words, by `k`."""
        cells = [*_SAID, *(f"word_{place}" for place in range(len(self.words)))]
        each = ", ".join(f"any({name}) AS {name}" for name in cells)
        return f"SELECT k, any(toStartOfDay(start)) AS day, {each} FROM ({self.raw(within)}) GROUP BY k"

    def derived(self, within: str, source: str, known: str, cost_usd: str) -> str:
        """SELECT of spans with everything that definitions ask for; `known` is what `known_sql` made."""
        own = ", ".join(f'c."{name}" AS "{name}"' for name in _OWN)
        mapped = ", ".join(f"p.{name} AS {name}" for name in _DIMENSIONS)
        prompt = "coalesce(c.input_tokens, 0)"
        return (
            f"SELECT {literal(source)} AS source, {own}, {mapped}, {cost_usd} AS cost_usd FROM ({self.raw(within)}) AS c "
            f"INNER JOIN ({known}) AS p ON c.k = p.k WHERE {prompt} > p.above AND {prompt} <= p.upto"
        )


def span_of_words(words: Sequence[str], found: Node) -> Row:
    """A raw row of `spans` with the words of one combination."""
    said = {name: value for place, name in enumerate(words) if (value := dig(found, f"word_{place}")) is not None}
    cells: dict[str, Value] = {}
    for name in _SAID:
        value = dig(found, name)
        cells[name] = value if isinstance(value, str) else None
    return SPANS.row(
        trace_id="1",
        span_id="1",
        start=instant(found, "day"),
        attributes=json.dumps(said, ensure_ascii=False) if said else None,
        **cells,
    )


def known_sql(keys: Sequence[int], derived: Sequence[Derived]) -> str:
    """SELECT of what the workspace made of each combination: a constant of the query, which needs no right to make tables."""
    rows = []
    for key, one in zip(keys, derived, strict=True):
        for rate in one.rates:
            cells = {"k": key, **one.dimensions, **rate}
            rows.append({name: cells.get(name) for name in _KNOWN})
    types = ", ".join(f"{name} {kind}" for name, kind in _KNOWN.items())
    names = ", ".join(f"t.{name} AS {name}" for name in _KNOWN)
    told = literal(json.dumps(rows, ensure_ascii=False, separators=(",", ":")))
    return f"SELECT {names} FROM (SELECT arrayJoin(JSONExtract({told}, 'Array(Tuple({types}))')) AS t)"


def rollup_sql(name: str, spans: str) -> str:
    """The query of one definition over `spans`; tasks are those that began from `begin` until `end`."""
    tasks = render(definition(TASKS), {"spans": "spans"}, CLICKHOUSE)
    began = "start >= {begin:DateTime64(6, 'UTC')} AND start < {end:DateTime64(6, 'UTC')}"
    whole = f"WITH spans AS ({spans})"
    if name in OF_SPANS:
        return f"{whole} {render(definition(name), {'spans': 'spans'}, CLICKHOUSE)}"
    whole += f", tasks AS (SELECT * FROM ({tasks}) WHERE {began})"
    if name == TASKS:
        return f"{whole} SELECT * EXCEPT (trace_number, kind, took) FROM tasks"
    return f"{whole} SELECT * FROM ({render(definition(name), {'spans': 'spans', 'tasks': 'tasks'}, CLICKHOUSE)})"


def cells(kinds: Sequence[str], row: Sequence[object]) -> Row:
    """One row of an answer as values, by ClickHouse's types."""
    return tuple(_cell(kind, value) for kind, value in zip(kinds, row, strict=True))


def _cell(kind: str, value: object) -> Value:
    if value is None:
        return None
    if "Decimal" in kind:
        return Decimal(str(value))
    if "DateTime" in kind:
        return instant(value)
    if "Int" in kind and isinstance(value, str | int):
        return int(value)
    return value if isinstance(value, str | int | float) else str(value)


def days(first: datetime, now: datetime) -> Sequence[datetime]:
    """The days from the one of `first` to the one of `now`, each by its midnight."""
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    return [day + timedelta(days=count) for count in range((now - day).days + 1)]
