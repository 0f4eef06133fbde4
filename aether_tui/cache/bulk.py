"""Files with millions of rows, read by DuckDB itself: everything as text, then cast; what does not cast is a reject."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb

from aether_tui.cache import parts
from aether_tui.cache.aside import aside
from aether_tui.cache.schema import quoted, sql_type
from aether_tui.cache.settings import hash_the_last
from aether_tui.cache.staging import arrive
from aether_tui.records import Column, Row, Value
from aether_tui.records.model import INSTANTS, MOST_MONEY
from aether_tui.records.source import MOST_RAW, Bulk, Malformed, Reject, Scan
from aether_tui.text import BEYOND

_LINE: Final = parts.LINE
_UNLESS_BLANK: Final = f" QUALIFY starts_with({_LINE}, '{{') OR trim({_LINE}, E' \\t\\r\\x0b\\f') <> ''"
_POSSIBLE: Final = "BETWEEN TIMESTAMP '{}' AND TIMESTAMP '{}'".format(*INSTANTS)
_NO_VALUES: Final = {"", "NULL", "null"}
"""Words that can be read as nothing."""
_TEXTS: Final = ("text", "said", "asked", "id", "person", "json", "request", "texts")


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


def bulk_parts(connection: duckdb.DuckDBPyConnection, bulk: Bulk, rejects: list[Reject]) -> Iterator[tuple[str, bool]]:
    """The good rows of all files, some at a time, each time as an SQL relation with the raw columns of the table; and whether more
    are to be expected.

    What `read_bulk` says of rejects and errors holds here, too, but texts outside the key may still be words that mean null:
    `means_null` finds them. Not for files with a `hash_key`.
    """
    fields = list(dict.fromkeys(name for names in bulk.columns.values() for name in names))
    for path in bulk.paths:
        with _translated((path,)):
            made = _Made(connection, bulk)
            for part in parts.parts(connection, path, bulk.format, fields, bulk.beside and bulk.beside[1]):
                rejects += made.add(part, path.name)
                if not (part.more and made.has_room):
                    yield made.good(), part.more or path is not bulk.paths[-1]
                    made.drop()
            if made.parts:  # the file ends where more was expected
                yield made.good(), path is not bulk.paths[-1]
                made.drop()


def scanned(connection: duckdb.DuckDBPyConnection, scan: Scan) -> Iterator[tuple[str, bool]]:
    """As `bulk_parts`: what a source reads of some bytes by itself, with the rows of the rest."""
    with aside() as (file, path):  # what is in it is not clean yet
        file.write(scan.data)
        file.seek(0)
        scan.data = b""  # it would be twice in memory
        with hash_the_last(connection):
            rows = scan.read(file, path, lambda sql, values: connection.execute(sql, values).fetchall())
    if rest := scan.rest.rows.get(scan.table.name):
        try:
            arrive(connection, "scan_rest", scan.table.raw, rest)
        except UnicodeEncodeError:  # half a surrogate pair, which cleaning leaves out, too
            arrive(connection, "scan_rest", scan.table.raw, [tuple(map(_whole, row)) for row in rest])
        rows = " UNION ALL ".join(filter(None, (rows, "FROM scan_rest")))
    if rows:
        yield rows, False


def _whole(value: Value) -> Value:
    return value.encode("utf-8", "ignore").decode() if isinstance(value, str) else value


def means_null(word: str, nulls: Sequence[str]) -> bool:
    """Whether a text of a file stands for nothing."""
    return word in nulls or word.strip(" ") in nulls


def worded(name: str, nulls: Sequence[str]) -> str:
    """SQL condition: `means_null` might hold."""
    return f"({name} IN ({_quoted(nulls)}) OR starts_with({name}, ' ') OR ends_with({name}, ' '))"


class _Made:
    """The rows of a part; short parts together, for as long as those after them have room. Each has a table of its own, since what is
    put behind rows that are there is written twice."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, bulk: Bulk) -> None:
        self._connection = connection
        self._bulk = bulk
        self.parts: dict[str, str] = {}
        self._rows = self._size = self._bad = 0
        self.has_room = True
        """Whether as much as came last fits beside what is there."""

    def add(self, part: parts.Part, label: str) -> list[Reject]:
        """Add the rows of `part` of the file `label`; returns those that are bad."""
        columns, copied = _cells(self._connection, self._bulk, part)
        name, kind = f"part_{len(self.parts)}", "TABLE" if copied else "VIEW"
        self._connection.execute(f"CREATE TEMP {kind} {name} AS {columns}")
        self.parts[name] = kind
        bad, rows, more = self._counted(name, copied)
        rejects = _explained(self._connection, self._bulk, label, part) if bad else []
        if len(rejects) < bad and self._bulk.format == "ndjson":
            # Some are good, although the reader of JSON does not read them.
            names = quoted([column.name for column in self._bulk.table.raw])
            again = _again(self._connection, self._bulk, label, part)
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {names}, FALSE AS _bad FROM ({again}) WHERE _bad = ''"
            )
            _broken_lines(self._connection, self._bulk)  # they are told already
            bad, rows, more = self._counted(name, copied)
        self._rows, self._size, self._bad = self._rows + rows, self._size + more, self._bad + bad
        self.has_room = copied and self._rows + rows <= parts.PART_ROWS and self._size + more <= parts.PART_BYTES
        return rejects

    def _counted(self, name: str, copied: bool) -> tuple[int, int, int]:
        """How many rows are bad; of what is `copied` also how many there are, and the bytes of their texts."""
        texts = [quoted([column.name]) for column in self._bulk.table.raw if sql_type(column) == "VARCHAR"]
        size = " + ".join(f"coalesce(strlen({text}), 0)" for text in texts)
        asked = f"count(*), coalesce(sum({size}), 0)::BIGINT" if copied else "0, 0"
        return self._connection.execute(f"SELECT count(*) FILTER (_bad), {asked} FROM {name}").fetchone() or (0, 0, 0)

    def good(self) -> str:
        """SELECT of what is not bad."""
        names = quoted([column.name for column in self._bulk.table.raw])
        where = " WHERE NOT _bad" * bool(self._bad)
        return " UNION ALL ".join(f"SELECT {names} FROM {name}{where}" for name in self.parts)

    def drop(self) -> None:
        """Begin anew."""
        for name, kind in self.parts.items():
            self._connection.execute(f"DROP {kind} {name}")
        self.parts.clear()
        self._rows = self._size = self._bad = 0


def _cells(connection: duckdb.DuckDBPyConnection, bulk: Bulk, part: parts.Part) -> tuple[str, bool]:
    """SELECT of the columns of the table from a part, and `_bad`; and whether it is cheaper to keep its rows than to read them twice."""
    kinds = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {part.relation}").fetchall()}
    others = _others(bulk, kinds)
    copied = part.copied or bool(others)
    plain = set() if copied else _plain_texts(connection, bulk, part, kinds)
    found = {column.name: _typed(bulk, column, kinds, plain) for column in bulk.table.raw}
    if others and bulk.beside is not None:
        column = next(one for one in bulk.table.raw if one.name == bulk.beside[0])
        texts = {name: _cell_text(name, kind) for name, kind in kinds.items()}
        own = _text(replace(bulk, format="parquet"), column, texts)
        found[column.name] = _Cell({column.name: _with_members(bulk, own, {name: texts[name] for name in others})})
    first = ", ".join(f'{text} AS "{name}"' for cell in found.values() for name, text in cell.first.items())
    picked = ", ".join(f'{cell.kept or quoted([name])} AS "{name}"' for name, cell in found.items())
    bad = " OR ".join(f"coalesce({cell.bad}, FALSE)" for cell in found.values() if cell.bad) or "FALSE"
    return f"SELECT {picked}, {bad} AS _bad FROM (SELECT {first} FROM {part.relation})", copied


def _plain_texts(
    connection: duckdb.DuckDBPyConnection, bulk: Bulk, part: parts.Part, kinds: dict[str, str]
) -> set[str]:
    """Text columns of the key without a word that means null: asked once, because each look at a cell would ask again."""
    names = [
        name
        for name in dict.fromkeys(n for key in bulk.table.key for n in bulk.columns.get(key, ()))
        if kinds.get(name) == "VARCHAR"
    ]
    if not names:
        return set()
    asked = ", ".join(f"bool_or({worded(quoted([name]), bulk.nulls)})" for name in names)
    found = connection.execute(f"SELECT {asked} FROM {part.relation}").fetchone() or ()
    return {name for name, some in zip(names, found, strict=True) if not some}


def _explained(connection: duckdb.DuckDBPyConnection, bulk: Bulk, label: str, part: parts.Part) -> list[Reject]:
    """The bad rows of a part, read again cell by cell."""
    checked = _again(connection, bulk, label, part)
    found = connection.execute(f"SELECT _bad, _place, _raw FROM ({checked}) WHERE _bad <> ''").fetchall()
    rejects = [Reject(bulk.table.name, why, raw, place) for why, place, raw in found]
    return rejects + _broken_lines(connection, bulk, label, part.first)


def _again(connection: duckdb.DuckDBPyConnection, bulk: Bulk, label: str, part: parts.Part) -> str:
    """As `_file`, of a part."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {part.relation}").fetchall()
    return _checked(connection, bulk, part.again, label, part.first, [name for name, *_ in described])


@dataclass(frozen=True, slots=True)
class _Cell:
    """SQL for a cell in two steps, so that a cast is made once: columns of the `first`, and over those what is `kept` ('': the column as
    it is) and whether it is `bad` ('': it never is)."""

    first: dict[str, str]
    kept: str = ""
    bad: str = ""


def _typed(bulk: Bulk, column: Column, kinds: dict[str, str], plain: set[str]) -> _Cell:
    """The cell of `column`. What has the right type is taken as it is."""
    names = [name for name in bulk.columns.get(column.name, ()) if name in kinds]
    name, said = f'"{column.name}"', f'"text of {column.name}"'
    missing = [f"{name} IS NULL"] * (column.name in bulk.table.key)
    kind = kinds[names[0]] if len(names) == 1 else ""
    if kind == "VARCHAR" and column.kind in _TEXTS and (names[0] in plain or not missing):
        return _Cell({column.name: f'"{names[0]}"'}, bad=" OR ".join(missing))
    within = _within(column, name)
    if _fits(column, kind):
        bad = [f"NOT {within}"] * bool(within)
        return _Cell(
            {column.name: f'CAST("{names[0]}" AS {sql_type(column)})'}, _if(within, name), " OR ".join(bad + missing)
        )
    texts = {one: _cell_text(one, kind) for one, kind in kinds.items()}
    text = _text(replace(bulk, format="parquet"), column, texts)
    if column.kind in _TEXTS:
        return _Cell({column.name: _cast(column, f"({text})")}, bad=" OR ".join(missing))
    wrong = "TRUE"
    if kind == "VARCHAR" and set(bulk.nulls) <= _NO_VALUES:  # then only what is not read need be compared with them
        text, wrong = f'"{names[0]}"', f"NOT {_is_null(said, bulk.nulls)}"
    bad = [f"CASE WHEN {said} IS NOT NULL AND ({within or f'{name} IS NOT NULL'}) IS NOT TRUE THEN {wrong} END"]
    return _Cell(
        {f"text of {column.name}": text, column.name: _read(column, f"({text})")},
        _if(within, name),
        " OR ".join(bad + missing),
    )


def _if(condition: str, name: str) -> str:
    return f"CASE WHEN {condition} THEN {name} END" if condition else name


def _fits(column: Column, kind: str) -> bool:
    match column.kind:
        case "int":
            return kind in ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT")
        case "float":
            return kind == "DOUBLE"
        case "time" | "day":
            return kind in ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
        case "bool":
            return kind == "BOOLEAN"
        case _:
            return False


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
    """SELECT of one file: cast cells, why the row is bad (empty: it is not), where it stands, its text if bad."""
    with _translated((path,)):
        keys = parts.line_keys(connection, path) if bulk.format == "ndjson" and bulk.beside is not None else ()
        return _checked(connection, bulk, parts.relation(path, bulk.format), path.name, 0, keys)


def _checked(
    connection: duckdb.DuckDBPyConnection,
    bulk: Bulk,
    relation: str,
    label: str,
    first: int,
    keys: Sequence[str] = (),
) -> str:
    """As `_file`, of a relation whose first row is number `first` of those of the file `label`, counted from nought; `keys` are those
    of JSON lines."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    present = {name: _cell_text(name, kind) for name, kind, *_ in described}
    if bulk.format == "ndjson":
        present = {key: _member(key) for key in keys}
    texts = {column.name: _text(bulk, column, present) for column in bulk.table.raw}
    if bulk.beside is not None:
        others = {name: present[name] for name in _others(bulk, present)}
        texts[bulk.beside[0]] = _with_members(bulk, texts[bulk.beside[0]], others)
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
    casts = ", ".join(f'{_cast(column)} AS "{column.name}"' for column in bulk.table.raw)
    bad = ", ".join(_reasons(bulk))
    told = ", ".join(f"'{column.name}', \"{column.name}\"" for column in bulk.table.raw if column.name in bulk.columns)
    raw = f"CASE WHEN _bad <> '' THEN coalesce(_broken, CAST(json_object({told}) AS VARCHAR))[:{MOST_RAW + BEYOND}] END"
    name = label.replace("'", "''")
    checked = f"SELECT *, concat_ws('; ', {bad}) AS _bad FROM ({lines})"
    return f"SELECT {casts}, _hash, _bad, '{name} row ' || _row AS _place, {raw} AS _raw FROM ({checked})"


def _others(bulk: Bulk, names: Iterable[str]) -> list[str]:
    """Columns of a file that are kept beside what the table has columns for."""
    return [] if bulk.beside is None else sorted(filter(bulk.beside[1], names))


def _with_members(bulk: Bulk, text: str, others: Mapping[str, str]) -> str:
    """SQL for the JSON object `text` with members for the cells of `others`; those that are null are left out."""
    if not others or bulk.beside is None:
        return text
    nulls, name_of = _quoted(bulk.nulls), bulk.beside[0].capitalize()
    cells = {name: f"CASE WHEN trim({cell}) NOT IN ({nulls}) THEN {cell} END" for name, cell in others.items()}
    members = ", ".join(f"{_quoted([name])}, {cell}" for name, cell in cells.items())
    own = (
        f"CASE WHEN {text} IS NULL THEN '{{}}' WHEN json_valid({text}) AND json_type({text}) = 'OBJECT' THEN {text} "
        f"ELSE CAST(json_object('{name_of}', {text}) AS VARCHAR) END"
    )
    any_ = " OR ".join(f"({cell}) IS NOT NULL" for cell in cells.values())
    return f"CASE WHEN {any_} THEN CAST(json_merge_patch({own}, json_object({members})) AS VARCHAR) ELSE {text} END"


def _cell_text(name: str, kind: str) -> str:
    """SQL: cells of a column as text; maps, structs and lists as JSON."""
    if kind == "VARCHAR":
        return f'"{name}"'
    nested = ("(" in kind and not kind.startswith("DECIMAL")) or kind.endswith("[]")
    return f'CAST(to_json("{name}") AS VARCHAR)' if nested else f'CAST("{name}" AS VARCHAR)'


def _text(bulk: Bulk, column: Column, present: dict[str, str]) -> str:
    """SQL for the text of `column`: the first of its file columns that is not null."""
    folded = {name.casefold(): text for name, text in present.items()}
    found = []
    for name in bulk.columns.get(column.name, ()):
        ours = present.get(name) or folded.get(name.casefold(), "")
        text = _member(name) if bulk.format == "ndjson" else ours
        if text:
            found.append(f"CASE WHEN NOT {_is_null(text, bulk.nulls)} THEN {text} END")
    return f"coalesce({', '.join(found)})" if found else "CAST(NULL AS VARCHAR)"


def _member(name: str) -> str:
    """SQL: a member of a JSON line, as text."""
    key = name.replace("'", "''").replace('"', '\\"')
    return f"CASE WHEN json_valid({_LINE}) THEN json_extract_string({_LINE}, '$.\"{key}\"') END"


def _is_null(text: str, nulls: Sequence[str]) -> str:
    """SQL condition: `means_null`."""
    # Trimming a million texts takes longer than reading them, and hardly one begins or ends with a space.
    spaced = f"((starts_with({text}, ' ') OR ends_with({text}, ' ')) AND trim({text}) IN ({_quoted(nulls)}))"
    return f"({text} IN ({_quoted(nulls)}) OR {spaced})"


def _quoted(words: Sequence[str]) -> str:
    return ", ".join("'" + word.replace("'", "''") + "'" for word in words) or "''"


def _cast(column: Column, name: str = "") -> str:
    """SQL for the text `name` (the column's own unless told) as the type of `column`; null where that cannot be."""
    read = _read(column, name or f'"{column.name}"')
    return _if(_within(column, read), read)


def _read(column: Column, name: str) -> str:
    """As `_cast`, whether it is possible or not."""
    if column.kind in _TEXTS and column.kind != "texts":
        return name
    if column.kind in ("time", "day"):
        return f"CAST(TRY_CAST({name} AS TIMESTAMPTZ) AS TIMESTAMP)"  # without a zone: UTC
    if column.kind == "texts":
        return f"CASE WHEN json_valid({name}) THEN from_json({name}, '[\"VARCHAR\"]') WHEN {name} IS NOT NULL THEN [{name}] END"
    return f"TRY_CAST({name} AS {sql_type(column)})"


def _within(column: Column, value: str) -> str:
    """SQL condition: a value that was read is possible; '' where all are."""
    match column.kind:
        case "time" | "day":
            return f"{value} {_POSSIBLE}"
        case "float":
            return f"isfinite({value})"
        case "money" if not column.most:
            return f"{value} BETWEEN {-MOST_MONEY} AND {MOST_MONEY}"
        case "int" | "money" if column.most:
            return f"{value} BETWEEN 0 AND {column.most}"
        case _:
            return ""


def _reasons(bulk: Bulk) -> Iterator[str]:
    """SQL expressions that are null for a good row, else a reason."""
    yield "CASE WHEN _broken IS NOT NULL THEN 'not JSON' END"
    for column in bulk.table.raw:
        name = f'"{column.name}"'
        if column.kind not in _TEXTS:
            number = "count" if column.kind == "int" and column.most else "number"
            yield (
                f"CASE WHEN {name} IS NOT NULL AND {_cast(column)} IS NULL "
                f"THEN '{column.name} is not a {_WORDS.get(column.kind, number)}: ' || {name}[:80] END"
            )
        if column.name in bulk.table.key and column.name != bulk.hash_key:
            yield f"CASE WHEN {name} IS NULL AND _broken IS NULL THEN '{column.name} is missing' END"


_WORDS: Final = {"time": "time", "day": "time", "bool": "yes or no"}


def _broken(bulk: Bulk) -> str:
    return f"CASE WHEN NOT json_valid({_LINE}) THEN {_LINE} END" if bulk.format == "ndjson" else "CAST(NULL AS VARCHAR)"


def _broken_lines(connection: duckdb.DuckDBPyConnection, bulk: Bulk, label: str = "", first: int = 0) -> list[Reject]:
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
        Reject(bulk.table.name, message, text or "", f"{label or Path(path).name} line {first + line}")
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
