"""Looking through large tables with little memory: what a lease has read of the file it otherwise keeps to its end.

DuckDB holds the blocks it read until its limit is reached, so a merge into a large table took memory in step with the table. In a
thrifty connection the limit is low while tables are looked through, and what was read is let go of before the heavy work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

import duckdb

ROOM: Final = 12 * 1024 * 1024
"""Bytes that a look may take beside what is held already: a join with few rows needs 10 to 11 MB."""
MOST: Final = 1024**3
"""Bytes above which a look is not held back any more."""
ROOM_PER_ROW: Final = 512
"""Bytes beside that for each row that is looked for."""

_T = TypeVar("_T")
_USED = "SELECT coalesce(sum(memory_usage_bytes), 0) FROM duckdb_memory() WHERE tag <> 'BASE_TABLE'"


class Tight(Exception):
    """A look needed more room: what its lease did is rolled back, and may be done again after `widen`."""


def thrifty(cursor: duckdb.DuckDBPyConnection, room: int = ROOM) -> None:
    """Work with little memory from now on. Only where nobody else uses the database while this connection writes."""
    cursor.execute("SET VARIABLE room = $1", [room])


def room(cursor: duckdb.DuckDBPyConnection) -> int | None:
    """Bytes that a look of this connection may take; None where it takes as many as it wants."""
    (most,) = cursor.execute("SELECT getvariable('room')").fetchone() or (None,)
    return None if most is None else int(most)


def widen(cursor: duckdb.DuckDBPyConnection) -> None:
    """Give looks twice the room, after one that had too little; in the end as much as there is."""
    more = 2 * (room(cursor) or ROOM)
    if more > MOST:
        cursor.execute("RESET VARIABLE room")
    else:
        thrifty(cursor, more)


@contextmanager
def looking(cursor: duckdb.DuckDBPyConnection, rows: int = 0) -> Iterator[None]:
    """Queries that look for `rows` rows among all that are stored. Raises Tight when that takes more than there is room for."""
    if (most := room(cursor)) is None:
        yield
        return
    with cursor.cursor() as aside:  # the transaction of `cursor` may be broken at the end
        (used,) = aside.execute(_USED).fetchone() or (0,)
        most += int(used) + ROOM_PER_ROW * rows
        with suppress(duckdb.OutOfMemoryException):
            aside.execute(f"SET GLOBAL memory_limit = '{most} bytes'")
        try:
            yield
        except duckdb.OutOfMemoryException as error:
            raise Tight from error
        finally:
            _let_go(aside)


def look(cursor: duckdb.DuckDBPyConnection, ask: Callable[[], _T]) -> _T:
    """What `ask` finds outside a transaction, with as little room as it needs."""
    while True:
        with suppress(Tight), looking(cursor):
            return ask()
        widen(cursor)


def _let_go(aside: duckdb.DuckDBPyConnection) -> None:
    # A limit that cannot be kept is refused, after everything was let go of that could be.
    with suppress(duckdb.OutOfMemoryException):
        aside.execute("SET GLOBAL memory_limit = '1MB'")
    aside.execute("RESET GLOBAL memory_limit")
