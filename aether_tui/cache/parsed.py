"""Texts of SQL are parsed once in a process: that takes DuckDB about a microsecond a letter, longer than many a small answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

import duckdb

MOST_LETTERS: Final = 300_000
"""About 6 MB, 20 bytes a letter. All reports in one window, or a merge into every table, say half of that."""


class Parsed:
    """The statements used lately, by their text."""

    def __init__(self, most_letters: int = MOST_LETTERS) -> None:
        self._most, self._letters = most_letters, 0
        self._known: dict[str, duckdb.Statement] = {}  # what was not used for longest comes first
        self._change = threading.Lock()

    def statement(self, cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement | str:
        """What `cursor` should execute in the place of `sql`."""
        with self._change:
            if (known := self._known.pop(sql, None)) is not None:
                self._known[sql] = known
                return known
        found = cursor.extract_statements(sql)
        if len(found) != 1:
            return sql
        if len(sql) > self._most // 8:  # as one with a list of rows, which is not asked again
            return found[0]
        with self._change:
            if sql not in self._known:
                self._known[sql] = found[0]
                self._letters += len(sql)
            while self._letters > self._most:
                self._letters -= len(oldest := next(iter(self._known)))
                del self._known[oldest]
        return found[0]


_PARSED: Final = Parsed()


def run(
    cursor: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, object] | None = None
) -> duckdb.DuckDBPyConnection:
    """`cursor.execute`, which parses what it has not met lately. What differs each time belongs into `params`."""
    statement = _PARSED.statement(cursor, sql)
    return cursor.execute(statement, dict(params)) if params else cursor.execute(statement)
