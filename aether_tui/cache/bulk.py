"""Files with millions of rows, read by DuckDB itself some at a time; rows that do not cast are read again, cell by cell."""

from __future__ import annotations

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
from aether_tui.cache.bulk_cells import Cell, bounded, cell_text, others_of, text_of, typed, with_members, worded
from aether_tui.cache.bulk_rows import MOST_TEXTS, broken_lines, checked, translated
from aether_tui.cache.joint import Files, Joint, joints
from aether_tui.cache.schema import quoted, sql_type
from aether_tui.cache.settings import hash_the_last
from aether_tui.cache.staging import arrive
from aether_tui.records import Column, Row, Value
from aether_tui.records.source import PLACE, Bulk, Malformed, Page, Reject, Scan, Together

HOPELESS: Final = 10_000
"""Rows with which a file that has none to be read is no use."""


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
            broken_lines(self._connection, self._bulk)  # they are told already
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
    rows = _again(connection, bulk, label, part)
    found = connection.execute(f"SELECT _bad, _place, _raw FROM ({rows}) WHERE _bad <> ''").fetchall()
    rejects = [Reject(bulk.table.name, why, raw, place) for why, place, raw in found]
    return rejects + broken_lines(connection, bulk, label, part.first)


def _again(connection: duckdb.DuckDBPyConnection, bulk: Bulk, label: str, part: parts.Part) -> str:
    """As `checked`, of a part."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {part.relation}").fetchall()
    return checked(connection, bulk, part.again, label, part.first, [name for name, *_ in described])
