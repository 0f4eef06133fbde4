"""Rows of files read cell by cell, everything as text, then cast: what does not cast is a reject that says why."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import duckdb

from aether_tui.cache import parts
from aether_tui.cache.bulk_cells import TEXTS, cast_of, cell_text, member, others_of, text_of, with_members
from aether_tui.cache.parts import LINE
from aether_tui.records import Row
from aether_tui.records.source import MOST_RAW, Bulk, Malformed, Reject
from aether_tui.text import BEYOND

MOST_TEXTS: Final = 10_000
"""Rejects of a file that keep their text: they wait in memory for its end, and to clean one takes longer than to load a hundred rows."""
_NOT_TOLD: Final = ("person", "request", "json")
"""Kinds of columns that a reject of a row of somebody's leaves out: a hash or what is kept of them is made of good rows only."""
_UNLESS_BLANK: Final = f" QUALIFY starts_with({LINE}, '{{') OR trim({LINE}, E' \\t\\r\\x0b\\f') <> ''"


def read_bulk(
    connection: duckdb.DuckDBPyConnection, bulk: Bulk, chunk: int, rejects: list[Reject]
) -> Iterator[Mapping[str, list[Row]]]:
    """Raw rows of all files by table name, in chunks; rows that cannot be read are appended to `rejects` before their chunk is yielded.

    Raises Malformed naming the file when it is missing, cut or not of that format.
    """
    query = _query(connection, bulk)
    with translated(bulk.paths):
        connection.execute(query)
    lists = [place for place, column in enumerate(bulk.table.raw) if column.kind == "texts"]
    width = len(bulk.table.raw)
    while True:
        with translated(bulk.paths):
            found = connection.fetchmany(chunk)
        if not found:
            break
        good: dict[str, list[Row]] = {bulk.table.name: []}
        for cells in found:
            bad, place, raw = cells[width:]
            row = cells[:width] if not lists else _with_tuples(cells[:width], lists)
            try:
                made = {} if bad or bulk.made is None else bulk.made(row)
            except (ValueError, ArithmeticError, RecursionError) as error:
                bad, raw = str(error), ""
            if bad:
                rejects.append(Reject(bulk.table.name, bad, raw if len(rejects) < MOST_TEXTS else "", place))
            elif bulk.made is None:
                good[bulk.table.name].append(row)
            else:
                for name, rows in made.items():
                    good.setdefault(name, []).extend(rows)
        if any(good.values()):
            yield good
    rejects.extend(broken_lines(connection, bulk))


def _with_tuples(row: Row, places: list[int]) -> Row:
    return tuple(tuple(cell) if place in places and isinstance(cell, list) else cell for place, cell in enumerate(row))


def _query(connection: duckdb.DuckDBPyConnection, bulk: Bulk) -> str:
    parts = [_file(connection, bulk, path) for path in bulk.paths]
    cells = ", ".join(f'"{column.name}"' for column in bulk.table.raw)
    whole = " UNION ALL ".join(parts)
    if bulk.hash_key is not None:
        whole = f'SELECT * REPLACE (_hash AS "{bulk.hash_key}") FROM ({whole})'
    return f"SELECT {cells}, _bad, _place, _raw FROM ({whole})"


def _file(connection: duckdb.DuckDBPyConnection, bulk: Bulk, path: Path) -> str:
    """As `checked`, of one file."""
    with translated((path,)):
        keys = parts.line_keys(connection, path) if bulk.format == "ndjson" and bulk.beside is not None else ()
        return checked(connection, bulk, parts.relation(path, bulk.format), path.name, 0, keys)


def checked(
    connection: duckdb.DuckDBPyConnection,
    bulk: Bulk,
    relation: str,
    label: str,
    first: int,
    keys: Sequence[str] = (),
) -> str:
    """SELECT of cast cells, why the row is bad (empty: it is not), where it stands, its text if bad; of a relation whose first row is
    number `first` of those of the file `label`, counted from nought; `keys` are those of JSON lines."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    present = {name: cell_text(name, kind) for name, kind, *_ in described}
    if bulk.format == "ndjson":
        present = {key: member(key) for key in keys}
    texts = {column.name: text_of(bulk, column, present) for column in bulk.table.raw}
    if bulk.beside is not None:
        others = {name: present[name] for name in others_of(bulk, present)}
        texts[bulk.beside[0]] = with_members(bulk, texts[bulk.beside[0]], others)
    hashed = "''"
    if bulk.hash_key is not None:
        hashed = (
            f"md5(concat_ws(chr(31), {', '.join(f'coalesce({present[name]}, chr(0))' for name in sorted(present))}))"
        )
    selected = ", ".join(f'{text} AS "{name}"' for name, text in texts.items())
    lines = (
        f"SELECT {selected}, {hashed} AS _hash, {first} + row_number() OVER () AS _row, {_broken(bulk)} AS _broken "
        f"FROM {relation}{_UNLESS_BLANK * (bulk.format == 'ndjson')}"
    )
    casts = ", ".join(f'{cast_of(column)} AS "{column.name}"' for column in bulk.table.raw)
    bad = ", ".join(_reasons(bulk))
    names = [column.name for column in bulk.table.raw if column.name in bulk.columns]
    broken = "_broken"
    if _of_people(bulk):  # what they are called and said is no help to find the row
        names = [column.name for column in bulk.table.raw if column.name in names and column.kind not in _NOT_TOLD]
        broken = "strlen(_broken) || ' bytes'"
    told = ", ".join(f"'{name}', \"{name}\"" for name in names)
    raw = (
        f"CASE WHEN _bad <> '' THEN coalesce({broken}, CAST(json_object({told}) AS VARCHAR))[:{MOST_RAW + BEYOND}] END"
    )
    name = label.replace("'", "''")
    explained = f"SELECT *, concat_ws('; ', {bad}) AS _bad FROM ({lines})"
    return f"SELECT {casts}, _hash, _bad, '{name} row ' || _row AS _place, {raw} AS _raw FROM ({explained})"


def _reasons(bulk: Bulk) -> Iterator[str]:
    """SQL expressions that are null for a good row, else a reason."""
    yield "CASE WHEN _broken IS NOT NULL THEN 'not JSON' END"
    for column in bulk.table.raw:
        name = f'"{column.name}"'
        if column.kind not in TEXTS:
            number = "count" if column.kind == "int" and column.most else "number"
            yield (
                f"CASE WHEN {name} IS NOT NULL AND {cast_of(column)} IS NULL "
                f"THEN '{column.name} is not a {_WORDS.get(column.kind, number)}: ' || {name}[:80] END"
            )
        if column.name in bulk.table.key and column.name != bulk.hash_key:
            yield f"CASE WHEN {name} IS NULL AND _broken IS NULL THEN '{column.name} is missing' END"


_WORDS: Final = {"time": "time", "day": "time", "bool": "yes or no"}


def _broken(bulk: Bulk) -> str:
    return f"CASE WHEN NOT json_valid({LINE}) THEN {LINE} END" if bulk.format == "ndjson" else "CAST(NULL AS VARCHAR)"


def broken_lines(connection: duckdb.DuckDBPyConnection, bulk: Bulk, label: str = "", first: int = 0) -> list[Reject]:
    """Lines of text that DuckDB itself could not read; those of a part are behind the `first` of the file `label`."""
    known = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchone()
    if bulk.format == "parquet" or not known or not known[0]:
        return []
    found = connection.execute(
        "SELECT DISTINCT ON (s.file_path, e.line) s.file_path, e.line, e.error_message, e.csv_line FROM reject_errors AS e "
        "JOIN reject_scans AS s USING (scan_id, file_id) ORDER BY ALL"
    ).fetchall()
    connection.execute("DROP TABLE reject_errors")
    connection.execute("DROP TABLE reject_scans")
    return [
        Reject(bulk.table.name, message, _told(bulk, text or ""), f"{label or Path(path).name} line {first + line}")
        for path, line, message, text in found
    ]


def _of_people(bulk: Bulk) -> bool:
    return any(column.kind in ("person", "request") for column in bulk.table.raw)


def _told(bulk: Bulk, line: str) -> str:
    return f"{len(line.encode())} bytes" if _of_people(bulk) else line


_OF_FILES: Final = (duckdb.IOException, duckdb.InvalidInputException, duckdb.ConversionException)


@contextlib.contextmanager
def translated(paths: tuple[Path, ...]) -> Iterator[None]:
    """Raise Malformed for what DuckDB says of a file that is not as it should be."""
    try:
        yield
    except duckdb.Error as error:
        # What the reader of Parquet says of pages that are damaged has no class of its own.
        if type(error) is not duckdb.Error and not isinstance(error, _OF_FILES):
            raise
        text = str(error)
        named = next((path.name for path in paths if path.name in text), ", ".join(path.name for path in paths))
        raise Malformed(f"{named}: {_plain(text)}", hint="is the file whole? copy or export it again") from error


def _plain(text: str) -> str:
    first = text.splitlines()[0]
    if "Maximum line size" in text:  # its number is one among those looked at, not of the file
        return f"a line longer than {parts.LONGEST_LINE >> 20} MiB"
    if "sniffing" in first or "state machine" in first:
        return "its separator, quotes or ends of lines cannot be told"
    if any(word in first.casefold() for word in ("gzip", "zstd")):
        return "the compressed file is cut short or damaged"
    return first.partition("Error: ")[2] or first
