"""Counting JSON lines inside the database: of millions of events only the counts by name and day come out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from aether_tui.cache.aside import quoted
from aether_tui.cache.parts import LONGEST_LINE
from aether_tui.records import Row
from aether_tui.records.source import Malformed, Reject, Tally

# Of an id only its hash of 64 bits is held: a million of them are as different as their hashes, but for one chance in forty million.
_COUNTED: Final = """
WITH read AS (
  SELECT nullif({name}, '') AS name, TRY_CAST({at} AS TIMESTAMP) AS "at", hash({id}) AS id,
    {id} IS NULL AS bare
  FROM read_json([{files}], format = 'newline_delimited', ignore_errors = true, maximum_object_size = {longest},
    columns = {{{name}: 'VARCHAR', {at}: 'VARCHAR', {id}: 'VARCHAR'}})
)
SELECT name, date_trunc('day', "at") AS day, count(DISTINCT id) FILTER (WHERE NOT bare) + count(*) FILTER (WHERE bare) AS n
FROM read GROUP BY ALL ORDER BY ALL
"""


def tallied(connection: duckdb.DuckDBPyConnection, tally: Tally, rejects: list[Reject]) -> list[Row]:
    """The rows of all sets of files; lines without a name or an instant are one reject a set.

    Raises Malformed for a file that is cut short or no JSON lines.
    """
    rows: list[Row] = []
    for label, paths in tally.files.items():
        lost = 0
        for name, day, n in _counted(connection, tally, label, paths) if paths else ():
            if name is None or day is None:
                lost += n
            else:
                rows.append(tally.row(label, name, day, n))
        if lost:
            rejects.append(Reject(tally.table.name, f"{lost:,} lines without a name or an instant", "", label))
    return rows


def _counted(
    connection: duckdb.DuckDBPyConnection, tally: Tally, label: str, paths: Sequence[Path]
) -> list[tuple[str | None, datetime | None, int]]:
    files = ", ".join(f"'{quoted(path)}'" for path in paths)
    query = _COUNTED.format(
        files=files, longest=LONGEST_LINE, **{part: f'"{getattr(tally, part)}"' for part in ("name", "at", "id")}
    )
    try:
        return connection.execute(query).fetchall()
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        raise Malformed(
            f"{label}: the file is cut short, damaged, or holds no JSON lines",
            hint="run sync again: it is fetched anew",
        ) from error
