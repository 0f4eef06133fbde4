"""Files with millions of rows, read by DuckDB itself: everything as text, then cast; what does not cast is a reject."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from aether_tui.cache.schema import sql_type
from aether_tui.records import Column, Row
from aether_tui.records.source import Bulk, Malformed, Reject

_MAGIC: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_LINE: Final = "line"
_RAW_LIMIT: Final = 4000


def read_bulk(
    connection: duckdb.DuckDBPyConnection, bulk: Bulk, chunk: int, rejects: list[Reject]
) -> Iterator[list[Row]]:
    """Raw rows of all files in chunks; rows that cannot be read are appended to `rejects` before their chunk is yielded.

    Raises Malformed naming the file when it is missing, cut or not of that format.
    """
    query = _query(connection, bulk)
    with _translated(bulk.paths):
        connection.execute(query)
    lists = [place for place, column in enumerate(bulk.table.raw) if column.kind == "texts"]
    width = len(bulk.table.raw)
    while True:
        with _translated(bulk.paths):
            found = connection.fetchmany(chunk)
        if not found:
            break
        good: list[Row] = []
        for row in found:
            bad, place, raw = row[width:]
            if bad:
                rejects.append(Reject(bulk.table.name, bad, raw, place))
            else:
                good.append(row[:width] if not lists else _with_tuples(row[:width], lists))
        if good:
            yield good
    rejects.extend(_broken_lines(connection, bulk))


def _with_tuples(row: Row, places: list[int]) -> Row:
    return tuple(tuple(cell) if place in places and isinstance(cell, list) else cell for place, cell in enumerate(row))


def _query(connection: duckdb.DuckDBPyConnection, bulk: Bulk) -> str:
    parts = [_file(connection, bulk, path) for path in bulk.paths]
    cells = ", ".join(f'"{column.name}"' for column in bulk.table.raw)
    whole = " UNION ALL ".join(parts)
    if bulk.hash_key is not None:
        whole = (
            f"SELECT * REPLACE (_hash || '-' || (row_number() OVER (PARTITION BY _hash) - 1) AS \"{bulk.hash_key}\") "
            f"FROM ({whole})"
        )
    return f"SELECT {cells}, _bad, _place, _raw FROM ({whole})"


def _file(connection: duckdb.DuckDBPyConnection, bulk: Bulk, path: Path) -> str:
    """SELECT of one file: cast cells, why the row is bad (null: it is not), where it stands, its text if bad."""
    relation = _relation(bulk, path)
    with _translated((path,)):
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    present = {name: f'"{name}"' if kind == "VARCHAR" else _as_text(name, kind) for name, kind, *_ in described}
    texts = {column.name: _text(bulk, column, present) for column in bulk.table.raw}
    hashed = "''"
    if bulk.hash_key is not None:
        hashed = (
            f"md5(concat_ws(chr(31), {', '.join(f'coalesce({present[name]}, chr(0))' for name in sorted(present))}))"
        )
    selected = ", ".join(f'{text} AS "{name}"' for name, text in texts.items())
    lines = f"SELECT {selected}, {hashed} AS _hash, row_number() OVER () AS _row, {_broken(bulk)} AS _broken FROM {relation}"
    casts = ", ".join(f'{_cast(column)} AS "{column.name}"' for column in bulk.table.raw)
    bad = ", ".join(_reasons(bulk))
    told = ", ".join(f"'{column.name}', \"{column.name}\"" for column in bulk.table.raw if column.name in bulk.columns)
    raw = f"CASE WHEN _bad <> '' THEN coalesce(_broken, CAST(json_object({told}) AS VARCHAR))[:{_RAW_LIMIT}] END"
    name = path.name.replace("'", "''")
    checked = f"SELECT *, concat_ws('; ', {bad}) AS _bad FROM ({lines})"
    return f"SELECT {casts}, _hash, _bad, '{name} row ' || _row AS _place, {raw} AS _raw FROM ({checked})"


def _relation(bulk: Bulk, path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise Malformed(f"{path.name}: {error.strerror}") from error
    if not head:
        raise Malformed(f"{path.name}: the file is empty")
    # Brackets and stars in a file's name are not patterns.
    name = "".join(f"[{character}]" if character in "*?[" else character for character in str(path)).replace("'", "''")
    if bulk.format == "parquet":
        return f"read_parquet('{name}')"
    packed = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "none")
    common = f"compression='{packed}', all_varchar=true, store_rejects=true, max_line_size=16777216"
    if bulk.format == "csv":
        return f"read_csv('{name}', header=true, {common})"
    # One column holds the whole line: no separator, no quotes. A line that is not JSON is then one reject, not the end.
    return f"read_csv('{name}', header=false, delim='\x01', quote='', escape='', names=['{_LINE}'], {common})"


def _as_text(name: str, kind: str) -> str:
    """Cells of typed columns (Parquet) as text; maps, structs and lists as JSON."""
    nested = ("(" in kind and not kind.startswith("DECIMAL")) or kind.endswith("[]")
    return f'CAST(to_json("{name}") AS VARCHAR)' if nested else f'CAST("{name}" AS VARCHAR)'


def _text(bulk: Bulk, column: Column, present: dict[str, str]) -> str:
    """SQL for the text of `column`: the first of its file columns that is not null."""
    folded = {name.casefold(): text for name, text in present.items()}
    nulls = ", ".join("'" + text.replace("'", "''") + "'" for text in bulk.nulls) or "''"
    found = []
    for name in bulk.columns.get(column.name, ()):
        if bulk.format == "ndjson":
            key = name.replace("'", "''").replace('"', '\\"')
            text = f"CASE WHEN json_valid({_LINE}) THEN json_extract_string({_LINE}, '$.\"{key}\"') END"
        else:
            text = present.get(name) or folded.get(name.casefold(), "")
        if text:
            found.append(f"CASE WHEN trim({text}) NOT IN ({nulls}) THEN {text} END")
    return f"coalesce({', '.join(found)})" if found else "CAST(NULL AS VARCHAR)"


def _cast(column: Column) -> str:
    name, kind = f'"{column.name}"', column.kind
    if kind in ("text", "said", "asked", "id", "person", "json", "request"):
        return name
    if kind in ("time", "day"):
        return f"CAST(TRY_CAST({name} AS TIMESTAMPTZ) AS TIMESTAMP)"  # without a zone: UTC
    if kind == "texts":
        return f"CASE WHEN json_valid({name}) THEN from_json({name}, '[\"VARCHAR\"]') WHEN {name} IS NOT NULL THEN [{name}] END"
    if kind == "float":
        return f"CASE WHEN isfinite(TRY_CAST({name} AS DOUBLE)) THEN TRY_CAST({name} AS DOUBLE) END"
    return f"TRY_CAST({name} AS {sql_type(column)})"


def _reasons(bulk: Bulk) -> Iterator[str]:
    """SQL expressions that are null for a good row, else a reason."""
    yield "CASE WHEN _broken IS NOT NULL THEN 'not JSON' END"
    for column in bulk.table.raw:
        name = f'"{column.name}"'
        if column.kind not in ("text", "said", "asked", "id", "person", "json", "request", "texts"):
            yield (
                f"CASE WHEN {name} IS NOT NULL AND {_cast(column)} IS NULL "
                f"THEN '{column.name} is not a {_WORDS.get(column.kind, 'number')}: ' || {name}[:80] END"
            )
        if column.name in bulk.table.key and column.name != bulk.hash_key:
            yield f"CASE WHEN {name} IS NULL AND _broken IS NULL THEN '{column.name} is missing' END"


_WORDS: Final = {"time": "time", "day": "time", "bool": "yes or no"}


def _broken(bulk: Bulk) -> str:
    return f"CASE WHEN NOT json_valid({_LINE}) THEN {_LINE} END" if bulk.format == "ndjson" else "CAST(NULL AS VARCHAR)"


def _broken_lines(connection: duckdb.DuckDBPyConnection, bulk: Bulk) -> list[Reject]:
    """Lines of CSV that DuckDB itself could not split."""
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
        Reject(bulk.table.name, message, (text or "")[:_RAW_LIMIT], f"{Path(path).name} line {line}")
        for path, line, message, text in found
    ]


@contextlib.contextmanager
def _translated(paths: tuple[Path, ...]) -> Iterator[None]:
    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException, duckdb.ConversionException) as error:
        text = str(error)
        named = next((path.name for path in paths if path.name in text), ", ".join(path.name for path in paths))
        raise Malformed(f"{named}: {_plain(text)}", hint="is the file whole? copy or export it again") from error


def _plain(text: str) -> str:
    first = text.splitlines()[0]
    if any(word in first.casefold() for word in ("gzip", "zstd")):
        return "the compressed file is cut short or damaged"
    return first.partition("Error: ")[2] or first
