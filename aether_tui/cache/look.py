"""A look at the cache: queries, one by one or side by side, and the answers that hold until the file changes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Final, TypeAlias

import duckdb

from aether_tui.records import Value

Kept: TypeAlias = "dict[str, list[dict[str, Value]]]"
"""Answers to queries without parameters, by their text, for as long as the file does not change."""


class ReadLease:
    """A read-only look at the cache. Tables are addressed without a prefix. What is put into `kept`, the next one has, too."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, kept: Kept) -> None:
        self.cursor = cursor
        self.kept = kept
        self._second: duckdb.DuckDBPyConnection | None = None

    def rows(self, sql: str, params: Mapping[str, object] | None = None) -> list[dict[str, Value]]:
        """All rows of `sql` by column name; `params` fill `$name`. A half-read result would block others: none is."""
        return _rows(self.cursor, sql, params)

    def several(self, asked: Sequence[tuple[str, Mapping[str, object]]]) -> list[list[dict[str, Value]]]:
        """The rows of several queries, two at a time: a query is planned on one core, however many there are."""
        with self.cursor.cursor() as second:
            second.execute("USE cache")
            idle = SimpleQueue[duckdb.DuckDBPyConnection]()
            idle.put(self.cursor)
            idle.put(second)

            def answer(query: tuple[str, Mapping[str, object]]) -> list[dict[str, Value]]:
                cursor = idle.get()
                try:
                    return _rows(cursor, *query)
                finally:
                    idle.put(cursor)

            self._second = second
            try:
                with ThreadPoolExecutor(2) as pool:  # which waits for what was begun, also after an error
                    return list(pool.map(answer, asked))
            finally:
                self._second = None

    def interrupt(self) -> None:
        """Stop what runs, from any thread; it raises `duckdb.InterruptException` where it runs."""
        self.cursor.interrupt()
        if (second := self._second) is not None:
            with contextlib.suppress(duckdb.ConnectionException):  # it was closed a moment ago
                second.interrupt()


_PARSED: Final[dict[str, duckdb.Statement]] = {}
_MOST_PARSED: Final = 256
"""About 6 MB, 20 bytes a letter; all reports ask some hundred in one window."""


def _rows(cursor: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, object] | None) -> list[dict[str, Value]]:
    parsed = _parsed(cursor, sql)
    cursor = cursor.execute(parsed, dict(params)) if params else cursor.execute(parsed)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _parsed(cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement | str:
    """The query as a statement, which this process reads once: a long text takes DuckDB milliseconds, as long as many an answer."""
    if (known := _PARSED.get(sql)) is not None:
        return known
    found = cursor.extract_statements(sql)
    if len(found) != 1:
        return sql
    if len(_PARSED) >= _MOST_PARSED:
        _PARSED.clear()
    _PARSED[sql] = found[0]
    return found[0]
