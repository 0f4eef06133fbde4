"""The explorer's list: the tasks of a window, copied once into memory and paged from there without a lease.

Sorting and filtering are new queries over the copy. Screens ask a child process for it (`aether_tui.exploring`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import duckdb

from aether_tui.cache import Cache
from aether_tui.diagnostics.frame import Clock, Filters, Record
from aether_tui.errors import ConfigurationError

MOST: Final = 300_000
"""Tasks that are copied, the newest ones; the list says when there are more."""
MOST_GROUPS: Final = 200
COLUMNS: Final = (
    "start", "feature", "model", "duration_s", "turns", "calls", "tokens", "cost_usd", "status", "outcome", "cluster",
    "errors", "team", "environment", "scenario", "service", "trace_id", "source",
)  # fmt: skip
NUMBERS: Final = ("duration_s", "turns", "calls", "tokens", "cost_usd", "errors")
_SHORT: Final = {
    "cost": "cost_usd",
    "duration": "duration_s",
    "env": "environment",
    "trace": "trace_id",
    "id": "trace_id",
}
_WORD: Final = re.compile(r"(\w+)(=|>|<)(.+)")

_WITHIN: Final = """
FROM tasks
WHERE start >= $since AND start < $until
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
"""
_COPY: Final = f"""
CREATE OR REPLACE TABLE memory.main.explored AS
SELECT {
    ", ".join(
        {"cluster": "task_cluster AS cluster", "cost_usd": "CAST(cost_usd AS DOUBLE) AS cost_usd"}.get(name, name)
        for name in COLUMNS
    )
}
{_WITHIN}"""
_GROUPED: Final = f"""
WITH task AS (
  SELECT source, trace_id, {{value}} AS value, status = 'error' OR outcome IS NOT DISTINCT FROM 'failure' AS failed,
    cost_usd, tokens, duration_s, turns
  {_WITHIN}
), told AS (
  {{told}}
)
SELECT $name AS attribute, told.value, count(*) AS n, count(*) FILTER (WHERE failed) AS failed,
  CAST(sum(cost_usd) AS DOUBLE) AS cost_usd, CAST(sum(tokens) AS BIGINT) AS tokens,
  quantile_disc(duration_s, 0.5) AS p50_s, quantile_disc(duration_s, 0.95) AS p95_s, avg(turns) AS turns
FROM task LEFT JOIN told USING (source, trace_id)
GROUP BY told.value
ORDER BY n DESC, told.value
LIMIT {MOST_GROUPS}
"""
_TOLD: Final = """
  SELECT source, trace_id, arg_min(json_extract_string(attributes, $path), (start, span_id)) AS value FROM spans
  WHERE start >= $since AND start < $until::TIMESTAMP + INTERVAL 1 DAY AND contains(attributes, $key)
    AND json_extract_string(attributes, $path) IS NOT NULL
  GROUP BY source, trace_id
"""
"""The first span that has an attribute says it for its trace."""
_FOUND: Final = """
SELECT DISTINCT s.source, s.trace_id FROM spans s
WHERE s.start >= $since AND s.start < $until
  AND (contains(lower(coalesce(s.name, '')), $text) OR contains(lower(coalesce(s.error_type, '')), $text)
    OR contains(lower(coalesce(s.attributes, '')), $text))
UNION
SELECT source, trace_id FROM span_payloads
WHERE start >= $since AND start < $until
  AND (contains(lower(coalesce(prompt, '')), $text) OR contains(lower(coalesce(completion, '')), $text))
"""


class Cancelled(Exception):
    """Somebody stopped the search."""


class Explorer:
    """One list over one cache. `interrupt` may be called from any thread, everything else from one."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._cursor = cache.beside()
        self._lease: duckdb.DuckDBPyConnection | None = None
        self._stop = threading.Event()
        self.total = self.shown = 0
        self._opened = False

    def close(self) -> None:
        """Give the copy back."""
        self._cursor.close()

    def interrupt(self) -> None:
        """Stop what runs: it raises Cancelled or duckdb.InterruptException where it runs."""
        self._stop.set()
        self._cursor.interrupt()
        lease = self._lease
        if lease is not None:
            lease.interrupt()

    def open(self, clock: Clock, filters: Filters) -> int:
        """Copy the window's newest tasks; returns how many the window has. Raises NoData, CacheTrouble."""
        self._stop.clear()
        params = _params(clock, filters)
        with self._cache.read() as lease:
            self._lease = lease.cursor
            try:
                (self.total,) = lease.cursor.execute(f"SELECT count(*) {_WITHIN}", params).fetchone() or (0,)
                if self.total > MOST:  # from the instant on that leaves the newest: sorting whole rows takes a second
                    newest = f"SELECT start {_WITHIN} ORDER BY start DESC LIMIT 1 OFFSET {MOST - 1}"
                    (params["since"],) = lease.cursor.execute(newest, params).fetchone() or (params["since"],)
                lease.cursor.execute(_COPY, params)
            finally:
                self._lease = None
        self._opened = True
        self._cursor.execute("CREATE OR REPLACE TABLE memory.main.matching (source VARCHAR, trace_id VARCHAR)")
        self.order()
        return self.total

    def order(
        self,
        column: str = "start",
        *,
        descending: bool = True,
        words: str = "",
        searched: bool = False,
        failed: bool = False,
    ) -> int:
        """Sort and filter; returns how many are left. With `searched` only what the last search found, with `failed` only
        what failed by status or outcome.

        Words are `feature=search`, `cost>0.1`, or text that any dimension or the id contains. Raises ConfigurationError.
        """
        name = column_of(column)
        condition, params = where(words)
        if searched:
            condition += " AND (source, trace_id) IN (FROM memory.main.matching)"
        if failed:
            condition += " AND (status = 'error' OR outcome = 'failure')"
        direction = "DESC" if descending else "ASC"
        # Only where the rows are is sorted: with whole rows it takes ten times as long.
        self._cursor.execute(
            f"CREATE OR REPLACE TABLE memory.main.shown AS SELECT rowid AS place FROM memory.main.explored WHERE {condition} "
            f"ORDER BY {name} {direction} NULLS LAST, start DESC, trace_id",
            params,
        )
        self.shown = self._count("shown")
        return self.shown

    def page(self, offset: int, limit: int) -> list[Record]:
        """Rows of the list as it is sorted and filtered now."""
        found = self._cursor.execute(
            "SELECT e.* FROM memory.main.shown AS s JOIN memory.main.explored AS e ON e.rowid = s.place "
            "WHERE s.rowid >= $low AND s.rowid < $high ORDER BY s.rowid",
            {"low": offset, "high": offset + limit},
        )
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def started(self, trace: str) -> datetime | None:
        """When a trace of the list began (naive UTC): where to look for it. None for one that is not in the list."""
        if not self._opened:
            return None
        found = self._cursor.execute("SELECT start FROM memory.main.explored WHERE trace_id = $trace", {"trace": trace})
        row = found.fetchone()
        return row[0] if row else None

    def groups(self, name: str, clock: Clock, filters: Filters) -> list[Record]:
        """The window's traces by a column of the list, or by any attribute of their spans; the largest groups first.

        Raises ConfigurationError for a name that can be neither, Cancelled when interrupted.
        """
        self._stop.clear()
        found = _SHORT.get(name.casefold(), name.casefold())
        params: dict[str, object] = {**_params(clock, filters), "name": found}
        if found in COLUMNS and found not in {*NUMBERS, "start", "trace_id"}:
            column = "task_cluster" if found == "cluster" else found
            sql = _GROUPED.format(value=column, told="SELECT source, trace_id, value FROM task")
        else:
            if not name or not name.isprintable() or set(name) & {'"', "\\"}:
                raise ConfigurationError(
                    f"{name!r} is no attribute", where="traces", next_step="name one, such as app.intent"
                )
            params |= {"name": name, "path": f'$."{name}"', "key": f'"{name}"'}
            sql = _GROUPED.format(value="NULL", told=_TOLD)
        with self._cache.read() as lease:
            self._lease = lease.cursor
            try:
                rows = lease.rows(sql, params)
            except duckdb.InterruptException as error:
                raise Cancelled from error
            finally:
                self._lease = None
        return rows

    def search(self, text: str, clock: Clock) -> Iterator[tuple[float, int]]:
        """Find traces whose spans (or kept prompts) contain a text, newest day first; yields share done and traces found.

        Raises Cancelled when interrupted; what was found until then stays found.
        """
        self._stop.clear()
        self._cursor.execute("DELETE FROM memory.main.matching")
        end, begin = _naive(clock.window.end), _naive(clock.window.start)
        whole, until = (end - begin).total_seconds(), end
        while until > begin:
            since = max(until - timedelta(days=1), begin)
            self._search_day({"since": since, "until": until, "text": text.casefold()})
            until = since
            yield 1 - (until - begin).total_seconds() / whole, self._count("matching")

    def _search_day(self, params: dict[str, object]) -> None:
        try:
            if self._stop.is_set():
                raise Cancelled
            with self._cache.read() as lease:
                self._lease = lease.cursor
                try:
                    found = lease.cursor.execute(_FOUND, params).fetchall()
                finally:
                    self._lease = None
        except duckdb.InterruptException as error:
            raise Cancelled from error
        if self._stop.is_set():
            raise Cancelled
        if found:
            sources, traces = [row[0] for row in found], [row[1] for row in found]
            self._cursor.execute(
                "INSERT INTO memory.main.matching SELECT unnest($sources), unnest($traces)",
                {"sources": sources, "traces": traces},
            )

    def _count(self, table: str) -> int:
        (found,) = self._cursor.execute(f"SELECT count(*) FROM memory.main.{table}").fetchone() or (0,)
        return int(found)


def _params(clock: Clock, filters: Filters) -> dict[str, object]:
    return {
        "since": _naive(clock.window.start), "until": _naive(clock.window.end), "team": filters.team,
        "service": filters.service, "feature": filters.feature, "environment": filters.environment,
    }  # fmt: skip


def column_of(name: str) -> str:
    """A column of the list by its name or short name. Raises ConfigurationError."""
    found = _SHORT.get(name.casefold(), name.casefold())
    if found not in COLUMNS:
        raise ConfigurationError(f"no column {name!r}", where="traces", next_step=f"use one of {', '.join(COLUMNS)}")
    return found


def where(words: str) -> tuple[str, dict[str, object]]:
    """SQL condition and parameters of the words of a filter. Raises ConfigurationError for an unknown column or number."""
    parts, params = ["TRUE"], dict[str, object]()
    for number, word in enumerate(words.split()):
        key = f"w{number}"
        match = _WORD.fullmatch(word)
        if match is None:
            any_of = ("feature", "team", "environment", "scenario", "cluster", "model", "status", "outcome", "trace_id")
            parts.append("(" + " OR ".join(f"contains(lower(coalesce({name}, '')), ${key})" for name in any_of) + ")")
            params[key] = word.casefold()
            continue
        name, operator, value = column_of(match[1]), match[2], match[3]
        if name in NUMBERS:
            try:
                params[key] = float(value)
            except ValueError as error:
                raise ConfigurationError(
                    f"{value!r} is not a number", where=word, next_step=f"write {match[1]}>1.5"
                ) from error
            parts.append(f"{name} {operator} ${key}")
        elif operator == "=" and name != "start":
            parts.append(f"lower(coalesce({name}, '')) = ${key}")
            params[key] = value.casefold()
        else:
            raise ConfigurationError(
                f"{match[1]} cannot be compared so", where=word, next_step="choose days by the window"
            )
    return " AND ".join(parts), params


def _naive(at: datetime) -> datetime:
    return at.replace(tzinfo=None)
