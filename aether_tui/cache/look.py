"""A look at the cache: queries, one by one or side by side, and the answers that hold until the file changes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeAlias

import duckdb

from aether_tui.cache.parsed import run
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


def _rows(cursor: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, object] | None) -> list[dict[str, Value]]:
    cursor = run(cursor, sql, params)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
