"""Files with millions of rows, read by DuckDB itself: everything as text, then cast; what does not cast is a reject."""

from __future__ import annotations

import contextlib
from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Final

import duckdb

from aether_tui.cache import parts
from aether_tui.cache.aside import aside
from aether_tui.cache.bulk_cells import (
    TEXTS,
    Cell,
    bounded,
    cast_of,
    cell_text,
    member,
    others_of,
    text_of,
    typed,
    with_members,
    worded,
)
from aether_tui.cache.joint import Files, Joint, joints
from aether_tui.cache.parts import LINE
from aether_tui.cache.schema import quoted, sql_type
from aether_tui.cache.settings import hash_the_last
from aether_tui.cache.staging import arrive
from aether_tui.records import Column, Row, Value
from aether_tui.records.source import MOST_RAW, PLACE, Bulk, Malformed, Page, Reject, Scan, Together
from aether_tui.text import BEYOND

MOST_TEXTS: Final = 10_000
"""Rejects of a file that keep their text: they wait in memory for its end, and to clean one takes longer than to load a hundred rows."""
HOPELESS: Final = 10_000
"""Rows with which a file that has none to be read is no use."""
_NOT_TOLD: Final = ("person", "request", "json")
"""Kinds of columns that a reject of a row of somebody's leaves out: a hash or what is kept of them is made of good rows only."""
_UNLESS_BLANK: Final = f" QUALIFY starts_with({LINE}, '{{') OR trim({LINE}, E' \\t\\r\\x0b\\f') <> ''"


def read_bulk(
    connection: duckdb.DuckDBPyConnection, bulk: Bulk, chunk: int, rejects: list[Reject]
) -> Iterator[list[Row]]:
    """Raw rows of all files in chunks; rows that cannot be read are appended to `rejects` before their chunk is yielded.

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
        good: list[Row] = []
        for row in found:
            bad, place, raw = row[width:]
            if bad:
                rejects.append(Reject(bulk.table.name, bad, raw if len(rejects) < MOST_TEXTS else "", place))
            else:
                good.append(row[:width] if not lists else _with_tuples(row[:width], lists))
        if good:
            yield good
    rejects.extend(_broken_lines(connection, bulk))


def bulk_parts(
    connection: duckdb.DuckDBPyConnection, bulk: Bulk, rejects: list[Reject], files: Files | None = None
) -> Iterator[tuple[str, bool]]:
    """The good rows of all files, some at a time, each time as an SQL relation with the raw columns of the table; and whether more
    are to be expected.

    What `read_bulk` says of rejects and errors holds here, too, but texts outside the key may still be words that mean null:
    `means_null` finds them. Not for files with a `hash_key`. With `files` each is for itself: it takes down what becomes of them, and
    relations have a column `PLACE`.
    """
    if files is None:
        for path in bulk.paths:
            yield from _alone(connection, bulk, path, rejects, last=path is bulk.paths[-1])
        return
    numbers = {path: number for number, path in enumerate(bulk.paths)}
    left: list[Path] = []
    yield from _joined(connection, bulk, numbers, rejects, files, left)
    for path in left:
        number, before = numbers[path], len(rejects)
        try:
            yield from _alone(connection, bulk, path, rejects, last=False, place=files.place(number, 1))
        except Malformed as error:
            files.refused[number] = error
        files.rejects[number] = rejects[before:]


def _joined(
    connection: duckdb.DuckDBPyConnection,
    bulk: Bulk,
    numbers: Mapping[Path, int],
    rejects: list[Reject],
    files: Files,
    left: list[Path],
) -> Iterator[tuple[str, bool]]:
    """The rows of files that can be read with others; the rest are `left`."""
    for joint in joints(connection, list(numbers), bulk.format, _fields(bulk), bulk.beside and bulk.beside[1]):
        if isinstance(joint, Path):
            left.append(joint)
            continue
        made = _Made(connection, bulk)
        bad: dict[Path, list[Reject]] = {}
        odd = made.join(joint, files.places, bad)
        if len(odd) == len(joint.rows) > 2:  # one of them makes all unreadable
            halves = sorted(odd, key=numbers.__getitem__)
            for some in (halves[: len(odd) // 2], halves[len(odd) // 2 :]):
                yield from _joined(connection, bulk, {path: numbers[path] for path in some}, rejects, files, left)
            continue
        for path, rows in joint.rows.items():
            files.place(number := numbers[path], rows if joint.placed else 1)
            if path not in odd:
                before = len(rejects)
                _keep(rejects, bad.get(path, ()))
                files.rejects[number] = rejects[before:]
                files.rows[number] = rows - len(files.rejects[number])
        left += odd
        if made.parts:
            yield made.good(), True
            made.drop()


def _keep(rejects: list[Reject], found: Sequence[Reject]) -> None:
    room = max(0, MOST_TEXTS - len(rejects))
    rejects += [*found[:room], *(replace(one, raw="") for one in found[room:])]


def _fields(bulk: Bulk) -> list[str]:
    return list(dict.fromkeys(name for names in bulk.columns.values() for name in names))


def _alone(
    connection: duckdb.DuckDBPyConnection,
    bulk: Bulk,
    path: Path,
    rejects: list[Reject],
    *,
    last: bool,
    place: int | None = None,
) -> Iterator[tuple[str, bool]]:
    made = _Made(connection, bulk, place)
    try:
        with translated((path,)):
            for part in parts.parts(connection, path, bulk.format, _fields(bulk), bulk.beside and bulk.beside[1]):
                # Of several files none is read again later, where its damage would be theirs.
                own = part if place is None else replace(part, copied=True)
                _keep(rejects, made.add(own, path.name))
                if not (part.more and made.has_room):
                    yield made.good(), part.more or not last
                    made.drop()
            if made.parts:  # the file ends where more was expected
                yield made.good(), not last
                made.drop()
    except Malformed:
        made.drop()
        raise


def scanned(connection: duckdb.DuckDBPyConnection, scan: Scan) -> Iterator[tuple[str, bool]]:
    """As `bulk_parts`: what a source reads of some bytes by itself, with the rows of the rest."""
    rows = _scanned(connection, scan)
    if rows := _with_rest(connection, scan.table.raw, rows, scan.rest.rows.get(scan.table.name, ())):
        yield rows, False


def scanned_files(connection: duckdb.DuckDBPyConnection, scan: Together, files: Files) -> Iterator[tuple[str, bool]]:
    """As `scanned`, each file for itself, as `bulk_parts` does."""
    rows, rest = _scanned(connection, scan), list[Row]()
    for number, (place, own) in enumerate(zip(scan.firsts, scan.rests, strict=True)):
        files.firsts[place] = number
        if isinstance(own, Page):
            files.rejects[number] = own.rejects
            rest += [(*row, place) for row in own.rows.get(scan.table.name, ())]
        else:
            files.refused[number] = own
    rows = _with_rest(connection, [*scan.table.raw, Column(PLACE, "int", "")], rows, rest)
    if not rows:
        return
    places = list(files.firsts)
    for place, count in connection.execute(f"SELECT {PLACE}, count(*) FROM ({rows}) GROUP BY ALL").fetchall():
        number = files.firsts[places[bisect(places, place) - 1]]
        files.rows[number] = files.rows.get(number, 0) + count
    yield rows, False


def _scanned(connection: duckdb.DuckDBPyConnection, scan: Scan) -> str:
    with aside() as (file, path):  # what is in it is not clean yet
        scan.write(file)
        with hash_the_last(connection):
            return scan.read(file, path, lambda sql, values: connection.execute(sql, values).fetchall())


def _with_rest(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], rows: str, rest: Sequence[Row]) -> str:
    if rest:
        try:
            arrive(connection, "scan_rest", columns, rest)
        except UnicodeEncodeError:  # half a surrogate pair, which cleaning leaves out, too
            arrive(connection, "scan_rest", columns, [tuple(map(_whole, row)) for row in rest])
        rest_rows = f"SELECT {', '.join(map(bounded, columns))} FROM scan_rest"
        rows = " UNION ALL ".join(filter(None, (rows, rest_rows)))
    return rows


def _whole(value: Value) -> Value:
    return value.encode("utf-8", "ignore").decode() if isinstance(value, str) else value


class _Made:
    """The rows of a part; short parts together, for as long as those after them have room. Each has a table of its own, since what is
    put behind rows that are there is written twice."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, bulk: Bulk, place: int | None = None) -> None:
        self._connection = connection
        self._bulk = bulk
        self._place = "" if place is None else f", {place} AS {PLACE}"
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
        if bad >= HOPELESS and not part.first:
            self._hope(name, label, part, bad)
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

    def join(self, joint: Joint, first: int, rejects: dict[Path, list[Reject]]) -> list[Path]:
        """Add the rows of several files, whose places begin with `first`; those that are bad are put into `rejects`. Returns the files that
        are to be read by themselves, of which none are there."""
        paths, name = list(joint.rows), "part_0"
        part = parts.Part(joint.relation, joint.relation, 0, more=True, copied=True)
        try:
            with translated(tuple(paths)):
                columns, _ = _cells(self._connection, self._bulk, part, f", {first} + {PLACE} AS {PLACE}")
                self._connection.execute(f"CREATE TEMP TABLE {name} AS {columns}")
        except Malformed:
            return paths
        self.parts[name], self._place = "TABLE", f", {PLACE}"
        asked = f"SELECT count(*) FILTER (_bad), count(*) FROM {name}"
        self._bad, rows = self._connection.execute(asked).fetchone() or (0, 0)
        odd: list[Path] = []
        if rows != sum(joint.rows.values()):  # nobody knows which is which
            odd = paths
        elif self._bad:
            ends = list(accumulate(one if joint.placed else 1 for one in joint.rows.values()))
            asked = f"SELECT {PLACE} - {first}, count(*) FROM {name} WHERE _bad GROUP BY ALL"
            bad = Counter[int]()
            for place, count in self._connection.execute(asked).fetchall():
                bad[bisect(ends, place)] += count
            for number, count in sorted(bad.items()):
                again = replace(part, again=parts.relation(paths[number], self._bulk.format))
                found = _explained(self._connection, self._bulk, paths[number].name, again)
                if len(found) == count < HOPELESS:
                    rejects[paths[number]] = found
                    continue
                odd.append(paths[number])
                within = f"{PLACE} >= {first + ([0, *ends][number])} AND {PLACE} < {first + ends[number]}"
                self._connection.execute(f"DELETE FROM {name} WHERE {within}")
        if len(odd) == len(paths):
            self.drop()
        return odd

    def _hope(self, name: str, label: str, part: parts.Part, bad: int) -> None:
        """Raise Malformed where no row of the first part can be read, be it cell by cell."""
        again = _again(self._connection, self._bulk, label, part)
        for good in (f"{name} WHERE NOT _bad", f"({again}) WHERE _bad = ''"):
            if self._connection.execute(f"SELECT 1 FROM {good} LIMIT 1").fetchone():
                return
        first = self._connection.execute(f"SELECT _place, _bad FROM ({again}) LIMIT 1").fetchone() or ("", "")
        raise Malformed(
            f"{label}: none of its first {bad:,} rows can be read; {': '.join(first)}",
            hint="docs/data-model.md has what is read of each column",
        )

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
        return " UNION ALL ".join(f"SELECT {names}{self._place} FROM {name}{where}" for name in self.parts)

    def drop(self) -> None:
        """Begin anew."""
        for name, kind in self.parts.items():
            self._connection.execute(f"DROP {kind} {name}")
        self.parts.clear()
        self._rows = self._size = self._bad = 0


def _cells(connection: duckdb.DuckDBPyConnection, bulk: Bulk, part: parts.Part, place: str = "") -> tuple[str, bool]:
    """SELECT of the columns of the table from a part, of a `place`, and `_bad`; and whether it is cheaper to keep its rows than to read
    them twice."""
    kinds = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {part.relation}").fetchall()}
    kinds.pop(PLACE if place else "", None)
    others = others_of(bulk, kinds)
    copied = part.copied or bool(others)
    plain = set() if copied else _plain_texts(connection, bulk, part, kinds)
    found = {column.name: typed(bulk, column, kinds, plain) for column in bulk.table.raw}
    if others and bulk.beside is not None:
        column = next(one for one in bulk.table.raw if one.name == bulk.beside[0])
        texts = {name: cell_text(name, kind) for name, kind in kinds.items()}
        own = text_of(replace(bulk, format="parquet"), column, texts)
        found[column.name] = Cell({column.name: with_members(bulk, own, {name: texts[name] for name in others})})
    first = ", ".join(f'{text} AS "{name}"' for cell in found.values() for name, text in cell.first.items())
    picked = ", ".join(f'{cell.kept or quoted([name])} AS "{name}"' for name, cell in found.items())
    bad = " OR ".join(f"coalesce({cell.bad}, FALSE)" for cell in found.values() if cell.bad) or "FALSE"
    kept = f", {PLACE}" * bool(place)
    return f"SELECT {picked}{place}, {bad} AS _bad FROM (SELECT {first}{kept} FROM {part.relation})", copied


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
    with translated((path,)):
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
    checked = f"SELECT *, concat_ws('; ', {bad}) AS _bad FROM ({lines})"
    return f"SELECT {casts}, _hash, _bad, '{name} row ' || _row AS _place, {raw} AS _raw FROM ({checked})"


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
